//! Packets of linear sound are as long as their senders make them.

use cantus_qos::payload::g711::Law;
use cantus_qos::spec::sdp::{AudioCodec, Medium};

use super::*;
use crate::stand_in::linear;

/// Blocks whose rest is shorter than an eighth of a unit.
const BLOCKS: &[usize] = &[347, 347, 347, 347, 347, 29];

/// The samples of each packet, one after the other, as long as `lengths` says again and again.
fn packets(lengths: &[usize], frames: usize) -> Vec<std::ops::Range<usize>> {
    let mut begin = 0;
    let packets = lengths.iter().cycle().map_while(|length| {
        let end = (begin + length).min(frames);
        let packet = begin..end;
        begin = end;
        (!packet.is_empty()).then_some(packet)
    });
    packets.collect()
}

/// Two seconds from a server that says nothing of its packets, less those that are lost.
fn heard(lengths: &[usize], lost: &[usize]) -> (House, Vec<std::ops::Range<usize>>) {
    played(fixed(), lengths, lost)
}

fn played(wish: Wish, lengths: &[usize], lost: &[usize]) -> (House, Vec<std::ops::Range<usize>>) {
    let mut server = StandIn::new(100);
    server.cantus = false;
    server.rtp_info = false;
    let packets = packets(lengths, 100 * FRAMES);
    let mut house = House::new(wish, server);
    for (index, frames) in packets.iter().enumerate().filter(|(index, _)| !lost.contains(index)) {
        // It leaves when its last sample is there.
        house.send(ms(10 + frames.end as u64 / 8), &linear(index, frames.clone()));
    }
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    (house, packets)
}

#[test]
fn packets_of_any_length_are_heard_to_the_sample() {
    // Of 20 ms, as is assumed where nothing is said; shorter; longer; and as GStreamer cuts what
    // comes to it in blocks: what fills 1,400 bytes, and the rest.
    for lengths in
        [&[160][..], &[40], &[115], &[350], &[694], &[694, 330], &[330, 694], &[7, 161], BLOCKS]
    {
        let (house, _) = heard(lengths, &[]);
        house.assert_heard(&sent(0..100 * FRAMES));
        let audio = house.audio();
        assert_eq!(audio.concealed_ms, Some(0.0), "{lengths:?}");
        assert_eq!((audio.lost_network, audio.late, audio.duplicate), (0, 0, 0), "{lengths:?}");
        assert_eq!((audio.residual, audio.received), (Some(0.0), audio.expected), "{lengths:?}");
    }
}

#[test]
fn a_first_packet_that_is_a_short_rest_makes_no_shorter_units_than_are_counted() {
    for lengths in [&[4, 340][..], &[1, 347, 347]] {
        let (house, _) = heard(lengths, &[]);
        house.assert_heard(&sent(0..100 * FRAMES));
        let audio = house.audio();
        assert_eq!((audio.lost_network, audio.late, audio.duplicate), (0, 0, 0), "{lengths:?}");
        assert_eq!((audio.residual, audio.received), (Some(0.0), audio.expected), "{lengths:?}");
        assert_eq!(audio.expected, 2_000 * 10 / 25, "{lengths:?}: units of 2.5 ms");
    }
}

#[test]
fn no_packet_must_be_there_before_its_own_first_sample_is_due() {
    for lengths in [&[40][..], &[115], &[120], &[160]] {
        let wish = Wish { latency: Latency::Fixed(Duration::from_millis(2)), ..fixed() };
        let (house, _) = played(wish, lengths, &[]);
        house.assert_heard(&sent(0..100 * FRAMES));
        assert_eq!(house.audio().residual, Some(0.0), "{lengths:?}");
    }
}

#[test]
fn a_unit_that_begins_in_one_packet_and_ends_in_the_next_is_not_heard_later_than_it_was_to_be() {
    for lengths in [&[694, 330][..], &[330, 694], &[113, 47], BLOCKS] {
        let (house, _) = heard(lengths, &[]);
        let delay = house.audio().delay_ms;
        assert!(
            delay.max.unwrap() <= 200.5 && delay.p50.unwrap() >= 199.5,
            "{lengths:?}: {delay:?}"
        );
        let promise = house.report().promise.remove(0);
        assert_eq!(promise.kept, Some(true), "{lengths:?}: {promise:?}");
    }
}

#[test]
fn what_is_lost_is_as_much_sound_as_was_in_it_and_nothing_else_is_missing() {
    for lengths in [&[160][..], &[40], &[115], &[350], &[694], &[694, 330], &[330, 694]] {
        let (house, packets) = heard(lengths, &[3, 8, 9]);
        let all = sent(0..100 * FRAMES);
        let heard = house.heard();
        assert_eq!(heard.len(), all.len(), "{lengths:?}");
        let lost: usize = [3, 8, 9].iter().map(|it| packets[*it].len()).sum();
        let audio = house.audio();
        assert_eq!(audio.concealed_ms, Some(lost as f64 / 8.0), "{lengths:?}");
        // Units are counted whole.
        let unit = 2_000.0 / audio.expected as f64;
        let missing = audio.never_arrived() as f64 * unit;
        assert!((missing - lost as f64 / 8.0).abs() <= 3.0 * unit, "{lengths:?}: {missing} ms");
        assert_eq!(audio.late, 0, "{lengths:?}");
        // The concealment joins what follows it by a cross-fade.
        let same = heard.iter().zip(&all).filter(|(heard, sent)| heard == sent).count();
        assert!(all.len() - same <= lost + 3 * 80, "{lengths:?}: {same} of {}", all.len());
    }
}

#[test]
fn a_packet_that_ends_inside_a_sample_is_lost_and_no_other() {
    for payload in [&b""[..], b"x", b"xyz"] {
        let mut house = House::new(fixed(), StandIn::new(100));
        house.stream(0..50);
        let damaged = RtpPacket { payload: Bytes::from_static(payload), ..unit(50) };
        house.send(ms(10 + 50 * 20), &damaged);
        house.stream(51..100);
        house.run(ms(60_000));
        let audio = house.audio();
        assert_eq!((audio.expected, audio.late), (100, 1), "{payload:?}");
        assert_eq!(audio.concealed_ms, Some(20.0), "{payload:?}");
        assert_eq!(house.heard().len(), 100 * FRAMES);
    }
}

#[test]
fn g_711_is_heard_to_the_octet_and_its_losses_are_hidden() {
    for (codec, law) in [(AudioCodec::Pcmu, Law::Mu), (AudioCodec::Pcma, Law::A)] {
        let mut server = StandIn::new(100);
        let Medium::Audio { codec: described, .. } = &mut server.description.tracks[0].medium
        else {
            panic!("the first track is sound")
        };
        *described = codec;
        let mut house = House::new(fixed(), server);
        let octets: Vec<u8> = (0..100 * FRAMES).map(|n| (n / 3) as u8).collect();
        for index in (0..100).filter(|index| *index != 50) {
            let payload = Bytes::copy_from_slice(&octets[index * FRAMES..][..FRAMES]);
            let packet = RtpPacket { payload, ..unit(index) };
            house.send(ms(10 + index as u64 * 20), &packet);
        }
        house.run(ms(60_000));
        assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
        let (heard, sent) = (house.heard(), octets.iter().map(|octet| law.sample(*octet)));
        let sent: Vec<i16> = sent.collect();
        assert_eq!(heard.len(), sent.len());
        assert_eq!(heard[..50 * FRAMES], sent[..50 * FRAMES], "{codec:?}");
        assert_eq!(heard[52 * FRAMES..], sent[52 * FRAMES..], "{codec:?}");
        let audio = house.audio();
        assert_eq!((audio.expected, audio.received), (100, 99));
        assert_eq!(audio.concealed_ms, Some(20.0));
        assert!(house.report().mos.is_none(), "nobody has measured what it costs");
    }
}
