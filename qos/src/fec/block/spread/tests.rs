use proptest::prelude::*;

use super::*;

fn packets(count: usize) -> Vec<Bytes> {
    (0..count).map(|index| Bytes::from(vec![index as u8])).collect()
}

/// Calls at every deadline, as a punctual driver does.
fn departures(spread: &mut RepairSpread) -> Vec<(MonoTime, Bytes)> {
    let mut departures = Vec::new();
    while let Some(deadline) = spread.next_deadline() {
        assert!(spread.pop(deadline - Duration::from_nanos(1)).is_none());
        departures.push((deadline, spread.pop(deadline).unwrap()));
    }
    departures
}

fn instants(spread: &mut RepairSpread) -> Vec<MonoTime> {
    departures(spread).into_iter().map(|(instant, _)| instant).collect()
}

#[test]
fn three_packets_over_80_ms_leave_after_20_40_and_60_ms() {
    let mut spread = RepairSpread::new();
    spread.push(MonoTime::from_millis(100), packets(3), Duration::from_millis(80));
    assert_eq!(instants(&mut spread), [120, 140, 160].map(MonoTime::from_millis));
}

#[test]
fn no_packets_have_no_deadline() {
    let mut spread = RepairSpread::new();
    spread.push(MonoTime::ZERO, packets(0), Duration::from_millis(80));
    assert_eq!((spread.next_deadline(), spread.len()), (None, 0));
}

#[test]
fn blocks_that_end_together_interleave() {
    let mut spread = RepairSpread::new();
    for _ in 0..2 {
        spread.push(MonoTime::ZERO, packets(2), Duration::from_millis(90));
    }
    assert_eq!(instants(&mut spread), [30, 45, 60, 75].map(MonoTime::from_millis));
}

#[test]
fn a_late_call_does_not_let_a_clump_out() {
    let mut spread = RepairSpread::new();
    spread.push(MonoTime::ZERO, packets(5), Duration::from_millis(60));
    let late = MonoTime::from_millis(45);
    assert!(spread.pop(late).is_some());
    assert!(spread.pop(late).is_none());
    // At twice the pace until the plan is met again.
    assert_eq!(instants(&mut spread), [50, 55, 60, 65].map(MonoTime::from_millis));
}

#[test]
fn clear_drops_what_waits() {
    let mut spread = RepairSpread::new();
    spread.push(MonoTime::ZERO, packets(5), Duration::from_millis(60));
    spread.clear();
    assert!(spread.is_empty() && spread.next_deadline().is_none());
}

#[test]
fn spans_of_nothing_and_of_ages_are_served_too() {
    let mut spread = RepairSpread::new();
    let now = MonoTime::from_millis(1);
    spread.push(now, packets(255), Duration::ZERO);
    spread.push(now, packets(255), Duration::MAX);
    let instants = instants(&mut spread);
    assert_eq!(instants.len(), 510);
    assert!(instants.is_sorted_by(|earlier, later| earlier < later));
}

proptest! {
    #[test]
    fn one_block_is_even_and_away_from_both_ends(
        now in 0u64..1 << 60,
        count in 1usize..255,
        span in 1_000u64..10_000_000_000,
    ) {
        let mut spread = RepairSpread::new();
        let now = MonoTime::from_nanos(now);
        let over = Duration::from_nanos(span);
        spread.push(now, packets(count), over);
        let step = over / (count as u32 + 1);
        for (index, (instant, packet)) in departures(&mut spread).into_iter().enumerate() {
            prop_assert_eq!(instant, now + step * (index as u32 + 1));
            prop_assert_eq!(usize::from(packet[0]), index);
            prop_assert!(instant.since(now) >= step && instant + step <= now + over);
        }
    }

    #[test]
    fn no_two_leave_together_and_none_before_its_share_of_the_span(
        blocks in prop::collection::vec((0u64..3, 0usize..20, 0u64..100), 1..20),
        lateness in prop::collection::vec(0u64..30_000_000, 1..50),
    ) {
        let mut spread = RepairSpread::new();
        let mut now = MonoTime::ZERO;
        let mut earliest = Vec::new();
        for (pause, count, span) in blocks {
            now += Duration::from_millis(pause);
            let over = Duration::from_millis(span);
            earliest.extend((1..=count).map(|part| now + over / (count as u32 + 1) * part as u32));
            spread.push(now, packets(count), over);
        }
        earliest.sort();
        let mut lateness = lateness.into_iter().cycle();
        let mut last = None;
        for earliest in earliest {
            let deadline = spread.next_deadline().unwrap();
            now = now.max(deadline) + Duration::from_nanos(lateness.next().unwrap());
            prop_assert!(now >= earliest);
            prop_assert!(last.is_none_or(|last| now > last));
            prop_assert!(spread.pop(now).is_some());
            prop_assert!(spread.pop(now).is_none());
            last = Some(now);
        }
        prop_assert!(spread.is_empty());
    }
}
