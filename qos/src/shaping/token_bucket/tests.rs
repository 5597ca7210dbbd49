use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MTU: usize = TokenBucket::LEAST_BURST;

fn bucket(bps: u64, burst: usize) -> TokenBucket {
    TokenBucket::new(Bitrate::from_bps(bps), burst).unwrap()
}

fn at(nanos: u64) -> MonoTime {
    MonoTime::from_nanos(nanos)
}

#[test]
fn a_burst_below_the_mtu_is_refused() {
    assert!(TokenBucket::new(Bitrate::from_bps(1), MTU).is_ok());
    assert_eq!(
        TokenBucket::new(Bitrate::from_bps(1), MTU - 1).unwrap_err(),
        ShapingError::Burst { burst: MTU - 1, least: MTU }
    );
}

#[test]
fn a_full_bucket_gives_its_burst_and_not_a_byte_more() {
    let mut bucket = bucket(8_000, 2_000);
    assert!(bucket.take(at(5), 2_000));
    assert!(!bucket.take(at(5), 1));
    assert!(bucket.take(at(5), 0));
}

#[test]
fn a_packet_may_leave_at_the_nanosecond_it_is_earned_and_not_before() {
    let mut bucket = bucket(8_000_000, MTU);
    assert!(bucket.take(MonoTime::ZERO, MTU));
    let ready = bucket.ready_at(MonoTime::ZERO, 100);
    assert_eq!(ready, at(100_000));
    assert!(!bucket.take(at(99_999), 100));
    assert!(bucket.take(ready, 100));
}

#[test]
fn an_awkward_rate_rounds_the_wait_up() {
    let mut bucket = bucket(7, MTU);
    assert!(bucket.take(MonoTime::ZERO, MTU));
    let ready = bucket.ready_at(MonoTime::ZERO, 1);
    assert_eq!(ready, at(1_142_857_143));
    assert!(!bucket.take(at(1_142_857_142), 1));
    assert!(bucket.take(ready, 1));
}

#[test]
fn the_level_is_kept_when_the_rate_changes() {
    let mut bucket = bucket(8_000, MTU);
    assert!(bucket.take(MonoTime::ZERO, MTU));
    // 100 bytes earned in 100 ms at 1 byte/ms; a rebuilt bucket would be full.
    bucket.set_rate(MonoTime::from_millis(100), Bitrate::from_bps(80_000));
    assert!(!bucket.clone().take(MonoTime::from_millis(100), 101));
    assert!(bucket.take(MonoTime::from_millis(100), 100));
    assert_eq!(bucket.ready_at(MonoTime::from_millis(100), 100), MonoTime::from_millis(110));
}

#[test]
fn a_rate_of_zero_stops_and_a_new_rate_goes_on() {
    let mut bucket = bucket(0, MTU);
    assert!(bucket.take(MonoTime::ZERO, MTU));
    assert_eq!(bucket.ready_at(MonoTime::ZERO, 1), TokenBucket::NEVER);
    bucket.set_rate(MonoTime::from_millis(1_000), Bitrate::from_bps(8_000));
    assert_eq!(bucket.ready_at(MonoTime::from_millis(1_000), 1), MonoTime::from_millis(1_001));
}

#[test]
fn time_that_goes_backwards_earns_nothing() {
    let mut bucket = bucket(8_000, MTU);
    assert!(bucket.take(MonoTime::from_millis(1_000), MTU));
    assert!(!bucket.take(MonoTime::ZERO, 1));
    assert!(!bucket.take(MonoTime::from_millis(1_000), 1));
    assert!(bucket.take(MonoTime::from_millis(1_001), 1));
}

#[test]
fn a_packet_longer_than_the_bucket_leaves_when_it_is_full_and_is_paid_for_afterwards() {
    let mut bucket = bucket(8_000, MTU);
    assert!(bucket.take(MonoTime::ZERO, 1));
    assert_eq!(bucket.ready_at(MonoTime::ZERO, 2 * MTU), MonoTime::from_millis(1));
    assert!(bucket.take(MonoTime::from_millis(1), 2 * MTU));
    assert_eq!(bucket.ready_at(MonoTime::from_millis(1), 1), MonoTime::from_millis(1 + 1_500 + 1));
}

#[test]
fn the_extremes_do_not_overflow() {
    let mut bucket = bucket(u64::MAX, usize::MAX);
    assert!(bucket.take(MonoTime::ZERO, usize::MAX));
    assert!(bucket.take(TokenBucket::NEVER, usize::MAX));
    assert!(!bucket.take(TokenBucket::NEVER, 1));
    assert!(bucket.ready_at(TokenBucket::NEVER, usize::MAX) == TokenBucket::NEVER);
}

/// Asked half a million times at awkward instants, at an awkward rate: a bucket that rounded each
/// time would be off by far more than the packet that is still being earned.
#[test]
fn there_is_no_drift_over_ten_years() {
    const TEN_YEARS: u64 = 10 * 365 * 86_400 * 1_000_000_000;
    const BPS: u64 = 96_001;
    const PACKET: usize = 1_000_003;
    // Twenty minutes of rate: no pause fills it, so nothing spills over.
    let burst = Bitrate::from_bps(BPS).bytes_in(Duration::from_secs(1_200)) as usize;
    let mut bucket = bucket(BPS, burst);
    assert!(bucket.take(MonoTime::ZERO, burst));
    let mut pauses = [1, 999_999_999_937, 3, 200_000_000_003, 777_123_456_789].iter().cycle();
    let (mut now, mut sent) = (0u64, 0u128);
    while now < TEN_YEARS {
        now += pauses.next().unwrap();
        while bucket.take(at(now), PACKET) {
            sent += PACKET as u128;
        }
    }
    let earned = u128::from(now) * u128::from(BPS) / 8_000_000_000;
    assert!(sent <= earned && earned - sent < PACKET as u128, "{sent} sent of {earned} bytes");
}

proptest! {
    #[test]
    fn never_more_than_burst_plus_rate_times_span(
        start in 0u64..1 << 60,
        bps in 1u64..100_000_000,
        burst in MTU..20_000,
        asks in prop::collection::vec((0u64..50_000_000, 1usize..MTU), 1..200),
    ) {
        let mut bucket = bucket(bps, burst);
        let mut now = start;
        let mut sent: Vec<(u64, usize)> = Vec::new();
        for (pause, bytes) in asks {
            now += pause;
            if bucket.take(at(now), bytes) {
                sent.push((now, bytes));
            }
        }
        for first in 0..sent.len() {
            let mut total = 0u128;
            for &(instant, bytes) in &sent[first..] {
                total += bytes as u128;
                let span = u128::from(instant - sent[first].0);
                let allowed = burst as u128 * 8_000_000_000 + u128::from(bps) * span;
                prop_assert!(total * 8_000_000_000 <= allowed);
            }
        }
    }

    #[test]
    fn ready_at_is_the_first_nanosecond_at_which_take_succeeds(
        bps in 1u64..100_000_000,
        drained in 0usize..=MTU,
        bytes in 1usize..=2 * MTU,
        now in 0u64..1 << 60,
    ) {
        let mut bucket = bucket(bps, MTU);
        prop_assert!(bucket.take(at(now), drained));
        let ready = bucket.ready_at(at(now), bytes);
        prop_assert!(bucket.clone().take(ready, bytes));
        if ready > at(now) {
            prop_assert!(!bucket.take(ready - Duration::from_nanos(1), bytes));
        }
    }

    #[test]
    fn asking_often_or_seldom_earns_the_same(
        bps in 1u64..100_000_000,
        pauses in prop::collection::vec(0u64..10_000_000, 1..100),
    ) {
        let mut often = bucket(bps, 1 << 30);
        prop_assert!(often.take(MonoTime::ZERO, 1 << 30));
        let seldom = often.clone();
        let mut now = 0;
        for pause in pauses {
            now += pause;
            often.take(at(now), 0);
        }
        prop_assert_eq!(often.ready_at(at(now), 1 << 20), seldom.ready_at(at(now), 1 << 20));
    }
}

#[test]
fn what_was_not_used_can_be_taken_again_and_no_more() {
    let mut bucket = bucket(0, 2_000);
    assert!(bucket.take(MonoTime::ZERO, 1_500));
    bucket.give_back(1_000);
    assert!(bucket.take(MonoTime::ZERO, 1_500));
    bucket.give_back(9_000);
    assert!(bucket.take(MonoTime::ZERO, 2_000));
    assert!(!bucket.take(MonoTime::ZERO, 1));
}
