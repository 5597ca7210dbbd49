//! Duplication.

use super::*;

#[test]
fn duplicates_have_the_stated_share_and_the_mark_of_their_original() {
    let mut link = link("duplicate 5%");
    let arrivals = send(&mut link, 100_000, TICK, 200);
    let doubled = link.counts().duplicated as usize;
    assert_share(doubled, 100_000, 0.05);
    assert_eq!(arrivals.len(), 100_000 + doubled);
    let pairs = arrivals.windows(2).filter(|pair| pair[0].tag == pair[1].tag).count();
    assert_eq!(pairs, doubled);
}

#[test]
fn a_copy_has_no_copy() {
    assert_eq!(send(&mut link("duplicate 100%"), 100, TICK, 200).len(), 200);
}

#[test]
fn a_copy_is_delayed_on_its_own() {
    let arrivals = send(&mut link("delay 50ms 10ms duplicate 100%"), 1_000, TICK, 200);
    let mut by_tag = vec![Vec::new(); 1_000];
    for arrival in &arrivals {
        by_tag[arrival.tag as usize].push(arrival.at);
    }
    assert!(by_tag.iter().all(|times| times.len() == 2 && times[0] != times[1]));
}

/// `netem_enqueue` takes a loss off the two, and then the copy meets the loss on its own: of a
/// packet that is doubled, one arrives with probability p + (1 - p) p and both with (1 - p)².
#[test]
fn a_doubled_packet_survives_its_loss_and_its_copy_may_be_lost() {
    let mut link = link("duplicate 100% loss 30%");
    let arrivals = send(&mut link, 50_000, TICK, 200);
    let mut times = vec![0; 50_000];
    for arrival in &arrivals {
        times[arrival.tag as usize] += 1;
    }
    let with = |count| times.iter().filter(|&&times| times == count).count();
    assert_eq!(with(0), 0);
    assert_share(with(1), 50_000, 0.3 + 0.7 * 0.3);
    assert_share(with(2), 50_000, 0.7 * 0.7);
}

#[test]
fn a_copy_takes_a_place_of_its_own_on_the_link() {
    let mut link = link("delay 30ms duplicate 100% limit 3");
    assert_eq!(tags(&send(&mut link, 2, Duration::ZERO, 200)), [0, 0, 1]);
    assert_eq!(link.counts().overflowed, 1);
}
