//! Packets that skip the delay.

use super::*;

fn skipped(arrivals: &[Arrival]) -> Vec<u64> {
    let at_once = arrivals.iter().filter(|arrival| arrival.at == arrival.sent);
    at_once.map(|arrival| arrival.tag).collect()
}

#[test]
fn the_stated_share_of_packets_skips_the_delay() {
    let arrivals = send(&mut link("delay 50ms reorder 25%"), 100_000, TICK, 200);
    assert_share(skipped(&arrivals).len(), 100_000, 0.25);
}

#[test]
fn with_a_gap_every_nth_packet_skips_the_delay() {
    for gap in 1..=7 {
        let words = format!("delay 50ms reorder 100% gap {gap}");
        let skipped = skipped(&send(&mut link(&words), 100, TICK, 200));
        assert!(skipped.into_iter().eq((gap - 1..100).step_by(gap as usize)), "{gap}");
    }
}

/// After n - 1 packets that cannot, each one can until one does: the next one that skips is
/// n - 1 + G packets on, where G is geometric with the stated share, and 1 / share in the mean.
#[test]
fn with_a_gap_and_a_share_the_distance_is_the_gap_and_the_wait() {
    let arrivals = send(&mut link("delay 50ms reorder 40% gap 5"), 200_000, TICK, 200);
    let skipped = skipped(&arrivals);
    let distances: Vec<f64> = skipped.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    assert!(distances.iter().all(|&distance| distance >= 5.0));
    assert_mean(&distances, 4.0 + 1.0 / 0.4);
}

#[test]
fn a_packet_that_skips_the_delay_overtakes_those_that_are_delayed() {
    let mut link = link("delay 50ms reorder 100% gap 3");
    let arrivals = send(&mut link, 6, TICK, 200);
    assert_eq!(tags(&arrivals), [2, 0, 1, 5, 3, 4]);
    assert_eq!(link.counts().reordered, 2);
}

#[test]
fn a_copy_that_skips_the_delay_leaves_after_its_original() {
    let words = "delay 50ms reorder 100% duplicate 100% corrupt 50%";
    let with_data = Packet { data: Bytes::from_static(b"data"), ..packet(0, 32) };
    let arrivals = send_like(&mut link(words), &with_data, 100, TICK);
    assert_eq!(skipped(&arrivals).len(), 200);
    // The second to draw a number for its corruption is the original.
    let once = send_like(&mut link("corrupt 50%"), &with_data, 200, TICK);
    let turned = arrivals.chunks(2).flat_map(|pair| [&pair[1].data, &pair[0].data]);
    assert!(turned.eq(once.iter().map(|arrival| &arrival.data)));
}

#[test]
fn a_packet_that_skips_the_delay_skips_rate_and_slot_too() {
    let words = "delay 50ms reorder 100% gap 2 rate 8kbit slot 1s";
    let arrivals = send(&mut link(words), 2, TICK, 200);
    assert_eq!(skipped(&arrivals), [1]);
}
