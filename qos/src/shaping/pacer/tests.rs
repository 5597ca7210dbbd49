use proptest::prelude::*;

use super::*;

const MTU: usize = TokenBucket::LEAST_BURST;

fn pacer<T>(bps: u64) -> Pacer<T> {
    Pacer::new(TokenBucket::new(Bitrate::from_bps(bps), MTU).unwrap())
}

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

#[test]
fn nothing_leaves_before_its_release_time() {
    let mut pacer = pacer(8_000_000);
    pacer.push(ms(10), 100, "packet");
    assert_eq!(pacer.next_deadline(MonoTime::ZERO), Some(ms(10)));
    assert_eq!(pacer.pop(MonoTime::from_nanos(9_999_999)), None);
    assert_eq!(pacer.pop(ms(10)), Some("packet"));
    assert_eq!(pacer.next_deadline(ms(10)), None);
}

#[test]
fn items_leave_by_release_time_and_equal_ones_as_they_came() {
    let mut pacer = pacer(8_000_000);
    for (release, name) in [(5, "c"), (1, "a"), (5, "d"), (1, "b")] {
        pacer.push(ms(release), 100, name);
    }
    let order: Vec<_> = std::iter::from_fn(|| pacer.pop(ms(5))).collect();
    assert_eq!(order, ["a", "b", "c", "d"]);
}

#[test]
fn one_that_waits_for_tokens_holds_back_the_smaller_behind_it() {
    let mut pacer = pacer(8_000);
    pacer.push(ms(0), MTU, "first");
    pacer.push(ms(1), 10, "big");
    pacer.push(ms(2), 1, "small");
    assert_eq!(pacer.pop(ms(0)), Some("first"));
    assert_eq!(pacer.next_deadline(ms(2)), Some(ms(10)));
    assert_eq!(pacer.pop(ms(9)), None);
    assert_eq!(pacer.pop(ms(10)), Some("big"));
    assert_eq!(pacer.pop(ms(10)), None);
    assert_eq!(pacer.pop(ms(11)), Some("small"));
}

#[test]
fn a_changed_rate_moves_the_deadline_but_keeps_the_level() {
    let mut pacer = pacer(8_000);
    pacer.push(ms(0), MTU, 0);
    pacer.push(ms(0), 100, 1);
    assert_eq!(pacer.pop(ms(0)), Some(0));
    assert_eq!(pacer.next_deadline(ms(50)), Some(ms(100)));
    pacer.set_rate(ms(50), Bitrate::from_bps(80_000));
    assert_eq!(pacer.next_deadline(ms(50)), Some(ms(55)));
    pacer.set_rate(ms(50), Bitrate::from_bps(0));
    assert_eq!(pacer.next_deadline(ms(50)), None);
}

#[test]
fn the_count_of_items_and_bytes_follows() {
    let mut pacer = pacer(8_000_000);
    pacer.push(ms(0), 100, ());
    pacer.push(ms(1), 50, ());
    assert_eq!((pacer.len(), pacer.queued_bytes()), (2, 150));
    pacer.pop(ms(0));
    assert_eq!((pacer.len(), pacer.queued_bytes()), (1, 50));
    pacer.clear();
    assert_eq!((pacer.len(), pacer.queued_bytes(), pacer.is_empty()), (0, 0, true));
}

proptest! {
    /// Driven by deadlines alone, as the real loop drives it.
    #[test]
    fn all_leave_in_order_at_their_deadlines_within_the_rate(
        bps in 100_000u64..10_000_000,
        packets in prop::collection::vec((0u64..2_000, 1usize..=MTU), 1..100),
    ) {
        let mut pacer = pacer(bps);
        for &(release, bytes) in &packets {
            pacer.push(ms(release), bytes, (ms(release), bytes));
        }
        let (mut now, mut total, mut last) = (MonoTime::ZERO, 0u128, MonoTime::ZERO);
        while let Some(deadline) = pacer.next_deadline(now) {
            prop_assert!(deadline >= now);
            now = deadline;
            let Some((release, bytes)) = pacer.pop(now) else {
                return Err(TestCaseError::fail("nothing left at the deadline"));
            };
            prop_assert!(last <= release && release <= now);
            last = release;
            total += bytes as u128;
            let allowed = MTU as u128 * 8_000_000_000 + u128::from(bps) * u128::from(now.as_nanos());
            prop_assert!(total * 8_000_000_000 <= allowed);
        }
        prop_assert!(pacer.is_empty());
        prop_assert_eq!(total, packets.iter().map(|&(_, bytes)| bytes as u128).sum::<u128>());
    }
}
