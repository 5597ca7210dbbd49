//! Bottlenecks of constant rate.

use super::*;

use cantus_qos::quantity::Bitrate;

fn nanos(words: &str, size: usize) -> u64 {
    spec(words).rate.unwrap().time_for(size).as_nanos() as u64
}

#[test]
fn a_packet_takes_its_bytes_over_whole_bytes_a_second() {
    assert_eq!(nanos("rate 160kbit", 200), 10_000_000);
    assert_eq!(nanos("rate 20kbps", 200), 10_000_000);
    // 12,500,000 bytes a second.
    assert_eq!(nanos("rate 100mbit", 1500), 120_000);
    // Rounded down, as in the kernel; 3 bit/s too many make no byte.
    assert_eq!(nanos("rate 24003bit", 1), 333_333);
    assert_eq!(nanos("rate 1tbit", 0), 0);
}

#[test]
fn a_packet_overhead_is_added_or_taken_off() {
    assert_eq!(nanos("rate 8kbit 14", 100), 114_000_000);
    assert_eq!(nanos("rate 8kbit -14", 100), 86_000_000);
    assert_eq!(nanos("rate 8kbit -140", 100), 0);
}

#[test]
fn cells_are_whole_and_each_has_its_overhead() {
    // ATM: cells of 48 bytes and 5 more.
    for (size, cells) in [(1, 1), (48, 1), (49, 2), (96, 2), (97, 3), (1500, 32)] {
        assert_eq!(nanos("rate 8kbit 0 48 5", size), cells * 53 * 1_000_000, "{size}");
    }
    // The example of tc-netem(8): 5 kbit/s, 20 bytes a packet, cells of 100 with 5 more.
    assert_eq!(nanos("rate 5kbit 20 100 5", 1500), 16 * 105 * 1_000_000_000 / 625);
    assert_eq!(nanos("rate 8kbit -8 48 -8", 104), 2 * 40 * 1_000_000);
}

#[test]
fn a_packet_leaves_after_its_delay_or_the_last_packet_and_its_own_time() {
    let arrivals = send(&mut link("delay 30ms rate 160kbit"), 10, Duration::ZERO, 200);
    for (index, arrival) in arrivals.iter().enumerate() {
        assert_eq!(arrival.delay_ms(), 30.0 + 10.0 * (index + 1) as f64);
    }
}

#[test]
fn a_bottleneck_below_its_rate_adds_only_the_time_of_the_packet() {
    let arrivals = send(&mut link("rate 160kbit"), 100, TICK, 400);
    assert!(arrivals.iter().all(|arrival| arrival.delay_ms() == 20.0));
}

#[test]
fn no_packet_overtakes_another_at_a_bottleneck() {
    let mut link = link("delay 60ms 40ms rate 1mbit");
    let arrivals = send(&mut link, 10_000, TICK / 4, 200);
    assert!(tags(&arrivals).into_iter().eq(0..10_000));
    assert_eq!(link.counts().reordered, 0);
}

#[test]
fn the_limit_counts_all_packets_and_a_queue_only_those_at_the_bottleneck() {
    for (words, delivered) in [
        ("delay 30ms rate 160kbit limit 50", 50),
        ("delay 30ms rate 160kbit queue 50", 50),
        ("delay 30ms rate 160kbit limit 20 queue 50", 20),
    ] {
        let mut link = link(words);
        assert_eq!(send(&mut link, 80, Duration::ZERO, 200).len(), delivered, "{words}");
        assert_eq!(link.counts().overflowed, 80 - delivered as u64);
    }
    // With 3 packets in the delay at a time, 3 fewer are at the bottleneck.
    let deepest = |words| {
        let delays = delays(&send(&mut link(words), 500, Duration::from_millis(10), 400));
        delays.into_iter().fold(0.0, f64::max)
    };
    assert_eq!(deepest("delay 30ms rate 160kbit queue 10"), 30.0 + 200.0);
    let kernel = deepest("delay 30ms rate 160kbit limit 10");
    assert!((180.0..210.0).contains(&kernel), "{kernel}");
}

#[test]
fn a_queue_of_its_own_changes_nothing_while_it_is_not_full() {
    let words = "delay 30ms 5ms keep-order rate 160kbit";
    let one = send(&mut link(words), 1_000, TICK, 300);
    let two = send(&mut link(&format!("{words} queue 500")), 1_000, TICK, 300);
    assert_eq!(one, two);
}

#[test]
fn a_bottleneck_below_a_byte_a_second_is_none() {
    let rate = Rate::from(Bitrate::from_bps(7));
    let spec = LinkSpec { rate: Some(rate), ..LinkSpec::default() };
    assert!(Link::new(&spec, SEED).is_err());
}
