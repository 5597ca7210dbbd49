//! Corruption.

use super::*;

const DATA: &[u8] = &[0x5a; 100];

fn with_data() -> Packet {
    Packet { data: Bytes::from_static(DATA), ..packet(0, 128) }
}

/// Where bits differ from what was sent.
fn flipped(data: &[u8]) -> Vec<usize> {
    let bits = (0..data.len() * 8).filter(|bit| (data[bit / 8] ^ 0x5a) >> (bit % 8) & 1 == 1);
    bits.collect()
}

#[test]
fn the_stated_share_has_one_bit_flipped_anywhere_in_the_payload() {
    let mut link = link("corrupt 10%");
    let arrivals = send_like(&mut link, &with_data(), 50_000, TICK);
    let flips: Vec<_> = arrivals.iter().map(|arrival| flipped(&arrival.data)).collect();
    assert!(flips.iter().all(|bits| bits.len() <= 1));
    let places: Vec<usize> = flips.into_iter().flatten().collect();
    assert_share(places.len(), 50_000, 0.1);
    assert_eq!(places.len() as u64, link.counts().corrupted);
    for half in [0..400, 200..600] {
        let hits = places.iter().filter(|place| half.contains(*place)).count();
        assert_share(hits, places.len(), 0.5);
    }
}

#[test]
fn a_packet_without_data_cannot_be_corrupted() {
    let mut link = link("corrupt 100%");
    assert_eq!(send(&mut link, 10, TICK, 128).len(), 10);
    assert_eq!(link.counts().corrupted, 0);
}

#[test]
fn a_copy_is_corrupted_on_its_own() {
    let mut link = link("duplicate 100% corrupt 50%");
    let arrivals = send_like(&mut link, &with_data(), 10_000, TICK);
    let broken = |arrival: &Arrival| arrival.data != DATA;
    let one = arrivals.chunks(2).filter(|pair| broken(&pair[0]) != broken(&pair[1])).count();
    assert_share(one, 10_000, 0.5);
}

#[test]
fn a_lost_packet_is_lost_and_not_corrupted() {
    let mut link = link("loss 100% corrupt 100%");
    assert_eq!(send_like(&mut link, &with_data(), 100, TICK), []);
    assert_eq!(link.counts().corrupted, 0);
}
