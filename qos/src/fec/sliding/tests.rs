//! Both ends together: what the encoder makes, the decoder understands.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use crate::fec::sliding::{
    Decoder, Encoder, EncodingSymbolId, EncodingWindow, RepairId, SlidingError,
};
use crate::time::MonoTime;

const UNIT: u64 = 20;

/// Content that tells the packets apart: number, then noise.
fn packet(number: u32, length: usize) -> Bytes {
    let noise = (0..length as u32).map(|at| (number * 31 + at * at * 7 + 5) as u8);
    number.to_be_bytes().into_iter().chain(noise).collect()
}

/// What leaves: source packets every 20 ms, after each so many repair packets over the last ones.
struct Sent {
    given: Vec<Bytes>,
    source: Vec<Bytes>,
    /// After which source packet each left.
    repair: Vec<(usize, Bytes)>,
}

fn send(first: u32, lengths: &[usize], repair: usize, window: EncodingWindow) -> Sent {
    let mut encoder = Encoder::new(EncodingSymbolId(first));
    let mut sent = Sent { given: Vec::new(), source: Vec::new(), repair: Vec::new() };
    for (number, &length) in lengths.iter().enumerate() {
        let now = MonoTime::from_millis(UNIT * number as u64);
        sent.given.push(packet(number as u32, length));
        sent.source.push(encoder.push(now, sent.given[number].clone()));
        let packets = (0..repair).filter_map(|_| encoder.repair(now, window));
        sent.repair.extend(packets.map(|packet| (number, packet)));
    }
    sent
}

fn last(packets: u64) -> EncodingWindow {
    EncodingWindow::last(Duration::from_millis(UNIT * (packets - 1)))
}

fn covers(repair: &Bytes) -> (u32, u16) {
    let id = RepairId::from_bytes(*repair.first_chunk().unwrap());
    (id.first.0, id.count)
}

#[test]
fn a_window_covers_packets_by_their_age() {
    let mut encoder = Encoder::new(EncodingSymbolId(u32::MAX));
    for number in 0..10 {
        encoder.push(MonoTime::from_millis(UNIT * number), packet(0, 10));
    }
    let now = MonoTime::from_millis(UNIT * 9 + 5);
    let mut covered = |oldest, newest| {
        let window = EncodingWindow {
            oldest: Duration::from_millis(oldest),
            newest: Duration::from_millis(newest),
        };
        encoder.repair(now, window).as_ref().map(covers)
    };
    assert_eq!(covered(5, 0), Some((8, 1)));
    assert_eq!(covered(45, 0), Some((6, 3)));
    assert_eq!(covered(65, 25), Some((5, 3)));
    assert_eq!(covered(1_000, 0), Some((u32::MAX, 10)));
    assert_eq!(covered(4, 0), None);
    assert_eq!(covered(25, 26), None);
    assert_eq!(covered(24, 6), None);
}

#[test]
fn no_repair_packet_looks_like_rtcp() {
    let mut encoder = Encoder::new(EncodingSymbolId(u32::MAX));
    encoder.push(MonoTime::ZERO, packet(0, 10));
    for _ in 0..70_000 {
        assert!(!crate::rtcp::is_rtcp(&encoder.repair(MonoTime::ZERO, last(1)).unwrap()));
    }
}

#[test]
fn an_encoder_remembers_255_packets_of_the_last_ten_seconds() {
    let window = EncodingWindow::last(Duration::from_secs(100));
    let mut encoder = Encoder::new(EncodingSymbolId(0));
    for number in 0..300 {
        encoder.push(MonoTime::from_millis(number), packet(0, 10));
    }
    let repair = encoder.repair(MonoTime::from_millis(300), window).unwrap();
    assert_eq!(covers(&repair), (45, 255));
    encoder.push(MonoTime::from_millis(10_200), packet(0, 10));
    let repair = encoder.repair(MonoTime::from_millis(10_200), window).unwrap();
    assert_eq!(covers(&repair), (200, 101));
    encoder.forget();
    assert_eq!(encoder.repair(MonoTime::from_millis(10_200), window), None);
}

#[test]
fn a_burst_is_recovered_with_the_last_repair_packet_it_takes() {
    let sent = send(7, &[40; 20], 1, last(10));
    let mut decoder = Decoder::new();
    for source in sent.source.iter().take(5).chain(&sent.source[8..]) {
        decoder.push_source(source.clone()).unwrap();
    }
    for (_, repair) in &sent.repair[8..10] {
        decoder.push_repair(repair.clone()).unwrap();
        assert_eq!(decoder.pop(), None);
    }
    decoder.push_repair(sent.repair[10].1.clone()).unwrap();
    let recovered: BTreeSet<Bytes> = std::iter::from_fn(|| decoder.pop()).collect();
    assert_eq!(recovered, sent.given[5..8].iter().cloned().collect());
    assert_eq!(decoder.counts().recovered, 3);
}

#[test]
fn a_late_packet_lets_equations_that_wait_tell_another() {
    let sent = send(0, &[40; 10], 1, last(4));
    let mut decoder = Decoder::new();
    for source in sent.source.iter().take(3).chain(&sent.source[5..]) {
        decoder.push_source(source.clone()).unwrap();
    }
    decoder.push_repair(sent.repair[5].1.clone()).unwrap();
    assert_eq!(decoder.pop(), None);
    // As it comes when it is sent again: without a footer.
    decoder.learn(EncodingSymbolId(3), sent.given[3].clone());
    assert_eq!(decoder.pop(), Some(sent.given[4].clone()));
}

#[test]
fn repair_may_overtake_what_it_covers() {
    let sent = send(0, &[40, 30, 50], 1, last(3));
    let mut decoder = Decoder::new();
    decoder.push_source(sent.source[0].clone()).unwrap();
    decoder.push_repair(sent.repair[1].1.clone()).unwrap();
    assert_eq!(decoder.pop(), Some(sent.given[1].clone()));
    assert_eq!(decoder.push_source(sent.source[1].clone()).unwrap(), sent.given[1]);
    assert_eq!(decoder.pop(), None);
    assert_eq!(decoder.counts().belated, 1);
}

/// What a receiver is to know: the packets that are determined by those that came, found by
/// elimination of everything at once, over the whole session.
fn determined(sent: &Sent, source: &BTreeSet<usize>, repair: &[usize]) -> BTreeSet<usize> {
    use reed_solomon_erasure::galois_8::{div, mul};
    let count = sent.given.len();
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for &index in repair {
        let id = RepairId::from_bytes(*sent.repair[index].1.first_chunk().unwrap());
        let mut row = vec![0; count];
        for (offset, coefficient) in id.coefficients().enumerate() {
            let place = id.first.0 as usize + offset;
            row[place] = if source.contains(&place) { 0 } else { coefficient };
        }
        rows.push(row);
    }
    let mut rank = 0;
    for column in 0..count {
        let Some(pivot) = (rank..rows.len()).find(|&row| rows[row][column] != 0) else { continue };
        rows.swap(rank, pivot);
        let scale = div(1, rows[rank][column]);
        rows[rank].iter_mut().for_each(|it| *it = mul(*it, scale));
        let own = rows[rank].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != rank) {
            let factor = row[column];
            row.iter_mut().zip(&own).for_each(|(it, own)| *it ^= mul(factor, *own));
        }
        rank += 1;
    }
    let alone = |row: &Vec<u8>| row.iter().filter(|it| **it != 0).count() == 1;
    let solved = rows.iter().filter(|row| alone(row));
    let solved = solved.filter_map(|row| row.iter().position(|it| *it != 0));
    source.iter().copied().chain(solved).collect()
}

proptest! {
    #[test]
    fn all_that_is_determined_is_recovered_whatever_the_order(
        lengths in prop::collection::vec(0usize..60, 1..80),
        repair in 1usize..3,
        window in (1u64..20, 0u64..10),
        loss in prop::collection::vec(any::<u8>(), 1..200),
        order in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let (oldest, newest) = (window.0 + window.1, window.1);
        let window = EncodingWindow { newest: last(newest + 1).oldest, ..last(oldest) };
        let sent = send(0, &lengths, repair, window);
        let mut dice = loss.iter().cycle().map(|die| die % 3 > 0);
        let source: BTreeSet<usize> = (0..lengths.len()).filter(|_| dice.next().unwrap()).collect();
        let repair: Vec<usize> =
            (0..sent.repair.len()).filter(|_| dice.next().unwrap()).collect();

        let mut packets: Vec<(bool, usize)> = source.iter().map(|&index| (false, index)).collect();
        packets.extend(repair.iter().map(|&index| (true, index)));
        packets.sort_by_key(|&(is_repair, index)| match is_repair {
            true => sent.repair[index].0,
            false => index,
        });
        for (index, &die) in (0..packets.len()).zip(order.iter().cycle()) {
            let other = (index + usize::from(die % 8)).min(packets.len() - 1);
            packets.swap(index, other);
            if die % 16 == 9 {
                packets.push(packets[index]);
            }
        }
        let mut decoder = Decoder::new();
        let mut heard = BTreeSet::new();
        let mut recovered = Vec::new();
        for (is_repair, index) in packets {
            if is_repair {
                prop_assert_eq!(decoder.push_repair(sent.repair[index].1.clone()), Ok(()));
            } else {
                heard.insert(decoder.push_source(sent.source[index].clone()).unwrap());
            }
            recovered.extend(std::iter::from_fn(|| decoder.pop()));
        }
        let counts = decoder.counts();
        prop_assert_eq!((counts.rejected, counts.corrupt, counts.late), (0, 0, 0));
        let once: BTreeSet<Bytes> = recovered.iter().cloned().collect();
        prop_assert_eq!(once.len(), recovered.len(), "each is recovered once");
        heard.extend(once);
        let expected = determined(&sent, &source, &repair);
        prop_assert_eq!(heard, expected.iter().map(|&index| sent.given[index].clone()).collect());
    }
}

#[test]
fn as_many_repair_packets_as_losses_are_enough_but_for_one_time_in_a_hundred() {
    for lost in [1, 3, 10, 30] {
        let sent = send(0, &[50; 60], 100, last(60));
        // Each attempt with repair packets of its own, over all that was lost.
        let repair: Vec<&Bytes> = sent.repair[100 * lost..].iter().map(|(_, it)| it).collect();
        let (mut attempts, mut failed) = (0, 0);
        for repair in repair.chunks_exact(lost).take(100) {
            let mut decoder = Decoder::new();
            for source in &sent.source[lost..] {
                decoder.push_source(source.clone()).unwrap();
            }
            repair.iter().for_each(|&repair| decoder.push_repair(repair.clone()).unwrap());
            attempts += 1;
            failed += usize::from(decoder.counts().recovered < lost as u64);
        }
        assert!(attempts == 100 && failed <= 1, "{lost} lost: {failed} of {attempts}");
    }
}

#[test]
fn errors_say_what_was_wrong() {
    let mut decoder = Decoder::new();
    let short = |length, least| SlidingError::Short { length, least };
    assert_eq!(decoder.push_source(Bytes::from_static(&[0; 3])), Err(short(3, 4)));
    assert_eq!(decoder.push_repair(Bytes::from_static(&[0; 10])), Err(short(10, 11)));
    assert_eq!(decoder.counts().rejected, 2);
}
