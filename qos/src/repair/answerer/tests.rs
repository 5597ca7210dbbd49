use super::*;
use crate::repair::rtx;
use crate::rtp::{PayloadType, RtpPacket, RtpTimestamp, Ssrc};

const MEDIA: Ssrc = Ssrc(7);

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

fn media() -> (PayloadType, Ssrc) {
    (PayloadType::new(96).unwrap(), MEDIA)
}

fn packet(sequence: u16) -> Bytes {
    let packet = RtpPacket {
        payload_type: media().0,
        marker: false,
        sequence: Sequence(sequence),
        timestamp: RtpTimestamp(u32::from(sequence) * 960),
        ssrc: MEDIA,
        send_time: None,
        payload: vec![sequence as u8; 240].into(),
    };
    packet.write(None)
}

fn answerer(budget: u64) -> Answerer {
    let stream = RtxStream::new(PayloadType::new(97).unwrap(), Ssrc(8), Sequence(0));
    Answerer::new(AnswerPolicy::default(), stream, Bitrate::from_kbps(budget))
}

/// One that has sent the packets from 65,530 on, 20 ms apart from 0 on, each of use for 200 ms.
fn sender(packets: u64) -> Answerer {
    let mut answerer = answerer(100);
    for at in 0..packets {
        let sequence = 65_530u16.wrapping_add(at as u16);
        let sent = ms(at * 20);
        answerer.push(
            sent,
            Sequence(sequence),
            packet(sequence),
            sent + Duration::from_millis(200),
        );
    }
    answerer
}

fn nack(sequences: impl IntoIterator<Item = u16>) -> Nack {
    let sequences = sequences.into_iter().map(Sequence).collect();
    Nack { sender: Ssrc(1), media: MEDIA, sequences }
}

/// The answers and when they leave, up to `until`.
fn answers(answerer: &mut Answerer, from: u64, until: u64) -> Vec<(u64, Bytes)> {
    let mut answers = Vec::new();
    let mut now = ms(from);
    while now <= ms(until) {
        while let Some(answer) = answerer.pop(now) {
            answers.push((now.as_micros() / 1_000, rtx::restore(&answer, media()).unwrap()));
        }
        now += Duration::from_millis(1);
    }
    answers
}

#[test]
fn to_who_has_the_time_what_the_budget_does_not_bear_is_sent_when_it_does() {
    let stream = RtxStream::new(PayloadType::new(97).unwrap(), Ssrc(8), Sequence(0));
    let mut answerer = Answerer::new(AnswerPolicy::UNHURRIED, stream, Bitrate::from_kbps(100));
    (0..100).for_each(|n| answerer.push(ms(0), Sequence(n), packet(n), ms(60_000)));
    answerer.on_nack(ms(100), &nack(0..100));
    answerer.on_nack(ms(200), &nack(0..100));
    let answers = answers(&mut answerer, 100, 10_000);
    assert_eq!(answers.len(), 100, "all of them, and none twice");
    // 282 bytes each, and 8,000 of them at once.
    let (last, _) = answers.last().unwrap();
    assert!((1_600..1_750).contains(last), "{last}");
    assert_eq!(answerer.counts().unaffordable, 0);
}

#[test]
fn what_is_asked_for_is_sent_again_as_it_was_one_by_one() {
    let mut answerer = sender(10);
    answerer.on_nack(ms(190), &nack([0, 1, 3]));
    let expected = [(190, packet(0)), (192, packet(1)), (194, packet(3))];
    assert_eq!(answers(&mut answerer, 190, 250), expected);
    assert_eq!(answerer.next_deadline(), None);
}

#[test]
fn what_was_never_sent_or_is_forgotten_is_not_answered() {
    let mut answerer = sender(30);
    answerer.on_nack(ms(580), &nack([65_530, 65_535, 500, 40_000]));
    assert_eq!(answers(&mut answerer, 580, 700), []);
    assert_eq!(answerer.counts().unknown, 4);
    answerer.clear();
    answerer.on_nack(ms(580), &nack([20]));
    assert_eq!(answerer.counts().unknown, 5);
}

#[test]
fn an_answer_that_cannot_arrive_in_time_is_not_given() {
    let mut answerer = sender(10);
    answerer.on_round_trip(Duration::from_millis(80));
    // Packet 0 left at 120, is of use until 320 and takes 40 ms at least.
    answerer.on_nack(ms(281), &nack([0]));
    assert_eq!(answers(&mut answerer, 281, 400), []);
    assert_eq!(answerer.counts().late, 1);
    answerer.on_nack(ms(280), &nack([0]));
    assert_eq!(answers(&mut answerer, 280, 280).len(), 1);
}

#[test]
fn a_request_that_comes_twice_is_one_and_a_later_one_is_another() {
    let mut answerer = sender(10);
    answerer.on_round_trip(Duration::from_millis(80));
    answerer.on_nack(ms(180), &nack([0, 0]));
    assert_eq!(answers(&mut answerer, 180, 182).len(), 1);
    answerer.on_nack(ms(184), &nack([0]));
    assert_eq!(answers(&mut answerer, 184, 189), []);
    answerer.on_nack(ms(190), &nack([0]));
    assert_eq!(answers(&mut answerer, 190, 195).len(), 1);
    assert_eq!(answerer.counts().repeated, 2);
}

#[test]
fn who_asks_for_everything_gets_no_more_than_the_budget() {
    let mut answerer = answerer(80);
    let mut sent = 0;
    for at in 0..500u64 {
        let (now, sequence) = (ms(at * 20), Sequence(at as u16));
        answerer.push(now, sequence, packet(at as u16), now + Duration::from_secs(5));
        answerer.on_nack(now, &nack((0..1_000).map(|back| (at as u16).wrapping_sub(back))));
        sent += answers(&mut answerer, at * 20, at * 20 + 19)
            .iter()
            .map(|(_, packet)| packet.len() + RtxStream::OVERHEAD + HEADERS)
            .sum::<usize>();
    }
    assert!(sent <= Answerer::BURST + 100_000, "{sent} bytes in ten seconds of 80 kbit/s");
    assert!(answerer.waiting.len() <= 500 && answerer.counts().unaffordable > 0);
}

#[test]
fn no_listener_makes_it_remember_more_than_it_may() {
    let mut answerer = answerer(80);
    let large = Bytes::from(vec![0x80; 60_000]);
    for at in 0..200 {
        answerer.push(ms(at), Sequence(at as u16), large.clone(), ms(1_000_000));
    }
    assert!(answerer.held <= Answerer::MAX_HELD);
    assert_eq!(answerer.held, answerer.history.len() * 60_000);
}
