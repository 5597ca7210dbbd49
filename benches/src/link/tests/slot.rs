//! Delivery in slots.

use super::*;

/// When each packet arrived, in milliseconds.
fn times(words: &str, count: u64, interval: Duration) -> Vec<u64> {
    let arrivals = send(&mut link(words), count, interval, 200);
    arrivals.iter().map(|arrival| arrival.at.as_micros() / 1_000).collect()
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn packets_wait_for_the_slot_and_leave_together() {
    // The first packet opens a slot 10 ms on; what comes until then leaves with it.
    assert_eq!(times("slot 10ms", 4, MS * 4), [10, 10, 10, 22]);
}

#[test]
fn a_slot_is_drawn_anew_once_a_packet_is_due_after_it_began() {
    assert_eq!(times("slot 10ms", 3, MS * 30), [10, 40, 70]);
}

#[test]
fn a_slot_of_n_packets_is_over_after_them() {
    assert_eq!(times("slot 10ms packets 2", 5, Duration::ZERO), [10, 10, 20, 20, 30]);
}

#[test]
fn a_slot_of_n_bytes_is_over_once_they_have_left() {
    // 300 bytes are used up by the second packet of 200.
    assert_eq!(times("slot 10ms bytes 300", 5, Duration::ZERO), [10, 10, 20, 20, 30]);
    assert_eq!(times("slot 10ms bytes 200", 3, Duration::ZERO), [10, 20, 30]);
    assert_eq!(times("slot 10ms packets 1 bytes 2000", 3, Duration::ZERO), [10, 20, 30]);
}

#[test]
fn a_delayed_packet_finds_its_slot_over_and_waits_for_another() {
    // The slot at 10 ms is over when the packet is due at 25, and the next one begins then.
    assert_eq!(times("delay 25ms slot 10ms", 1, MS), [35]);
}

#[test]
fn pauses_between_two_ends_are_uniform() {
    let arrivals = send(&mut link("slot 10ms 30ms"), 50_000, MS * 40, 200);
    let delays = delays(&arrivals);
    assert!(delays.iter().all(|delay| (10.0..30.0).contains(delay)));
    for (millis, rank) in [(12.0, 0.1), (20.0, 0.5), (25.0, 0.75)] {
        let below = delays.iter().filter(|&&delay| delay < millis).count();
        assert_share(below, delays.len(), rank);
    }
}

#[test]
fn pauses_may_have_a_distribution() {
    let words = "slot distribution normal 50ms 10ms";
    let delays = delays(&send(&mut link(words), 50_000, MS * 100, 200));
    assert_mean(&delays, 50.0);
    let within = delays.iter().filter(|&&delay| (40.0..=60.0).contains(&delay)).count();
    assert_share(within, delays.len(), 0.6827);
}

#[test]
fn packets_that_wait_for_a_slot_count_towards_the_limit() {
    let mut link = link("slot 10ms limit 3");
    assert_eq!(send(&mut link, 5, Duration::ZERO, 200).len(), 3);
    assert_eq!(link.counts().overflowed, 2);
}
