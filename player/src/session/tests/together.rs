//! Two tracks of somebody else's, kept together by what their sender reports.

use cantus_qos::payload::l16;
use cantus_qos::rtcp::{self, RtcpPacket, SenderReport};
use cantus_qos::rtp::{RtpTimestamp, Sequence, Ssrc};

use super::*;
use crate::feed::Feed;

const SDP: &str = "v=0\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 5004 RTP/AVP 97\r\na=rtpmap:97 L16/8000/1\r\n\
    m=audio 5006 RTP/AVP 97\r\na=rtpmap:97 L16/8000/1\r\n";

/// The instant before which the sender's clock shows the least it can, and the other end.
const CLOCKS: [u64; 3] = [1, 0xe900_0000_0000_0000, u64::MAX - (1 << 32)];

/// One of the two tracks: both have the same sound, sampled at the same instants.
#[derive(Copy, Clone)]
struct Twin {
    flow: u64,
    /// How long after it was sampled the first unit comes, in milliseconds, and so all others.
    after: u64,
    timestamp: u32,
    clock: u64,
    name: &'static str,
}

impl Twin {
    fn ssrc(self) -> Ssrc {
        Ssrc(0x100 + self.flow as u32)
    }

    fn send(self, house: &mut House, units: std::ops::Range<usize>, sound: fn(usize) -> i16) {
        for index in units {
            let samples: Vec<i16> = (index * FRAMES..(index + 1) * FRAMES).map(sound).collect();
            let packet = RtpPacket {
                ssrc: self.ssrc(),
                sequence: Sequence(index as u16),
                timestamp: RtpTimestamp(self.timestamp.wrapping_add((index * FRAMES) as u32)),
                payload: l16::encode(&samples),
                ..unit(0)
            };
            let at = ms(self.after + index as u64 * 20);
            house.arrive(at, self.flow, Channel::Rtp, packet.write(None));
        }
    }

    /// Reports at `at`, in milliseconds.
    fn report(self, house: &mut House, at: u64) {
        let report = SenderReport {
            ssrc: self.ssrc(),
            ntp: NtpTime::from_bits(self.clock).offset(TimeDelta::from_millis(at as i64)),
            rtp: RtpTimestamp(self.timestamp.wrapping_add(at as u32 * 8)),
            packets: 0,
            octets: 0,
            blocks: vec![],
        };
        let name = RtcpPacket::SourceDescription { ssrc: self.ssrc(), cname: self.name.to_owned() };
        let data = rtcp::write_compound(&[RtcpPacket::SenderReport(report), name]);
        house.arrive(ms(at), self.flow, Channel::Rtcp, data);
    }
}

/// Two tracks of one sender, the second of which comes so much later.
fn twins(later: u64, clock: u64) -> [Twin; 2] {
    let first = Twin { flow: 1, after: 40, timestamp: u32::MAX - 9_000, clock, name: "us@here" };
    [first, Twin { flow: 2, after: 40 + later, timestamp: 0x1234_5678, ..first }]
}

fn house(latency: Latency) -> House {
    let wish = Wish { latency, ..wish() };
    let feed = Feed::described("x.sdp", SDP.as_bytes(), &wish).unwrap();
    let mut house = House::new(wish.clone(), StandIn::new(1));
    house.player = Player::receiving(wish, feed.playing);
    house.player.start(MonoTime::ZERO, MonoTime::ZERO);
    house
}

/// Each sample tells its number, for half a minute.
fn counter(n: usize) -> i16 {
    (n / 8 + 1) as i16
}

fn tone(n: usize) -> i16 {
    ((n as f64 * std::f64::consts::TAU * 100.0 / 8_000.0).sin() * 8_000.0) as i16
}

/// What both tracks are when it is heard, by [`counter`]: how many milliseconds the right one is
/// behind at each instant, in milliseconds since the beginning of the sound, where both are real.
fn apart(house: &House) -> Vec<(usize, i32)> {
    let heard = house.heard();
    let frames = heard.chunks_exact(2).enumerate();
    let steady = |at: usize, side: usize| {
        let sample = |n: usize| heard.get(2 * n + side).copied().unwrap_or_default();
        let next = sample(at + 8);
        (sample(at) > 0 && next == sample(at) + 1).then_some(i32::from(sample(at)))
    };
    let both = frames.filter_map(|(at, _)| Some((at, steady(at, 0)? - steady(at, 1)?)));
    both.map(|(at, apart)| (at / 8, apart)).collect()
}

/// All that is heard from `from` to `to`, in milliseconds since the beginning, is so far apart.
fn assert_apart(house: &House, (from, to): (usize, usize), expected: i32) {
    let apart = apart(house);
    let within: Vec<_> = apart.iter().filter(|(at, _)| (from..to).contains(at)).collect();
    assert!(within.len() > (to - from) * 7, "{} of {} ms are real", within.len() / 8, to - from);
    let off = within.iter().find(|(_, apart)| (apart - expected).abs() > 1);
    assert_eq!(off, None, "{expected} ms apart");
}

#[test]
fn once_both_have_reported_what_was_sampled_at_one_instant_is_heard_at_one() {
    for clock in CLOCKS {
        for later in [0, 80, 137] {
            let mut house = house(Latency::Fixed(LATENCY));
            for (twin, at) in twins(later, clock).into_iter().zip([1_000, 1_313]) {
                twin.send(&mut house, 0..200, counter);
                twin.report(&mut house, at);
            }
            house.run(ms(3_900));
            // It is heard 200 ms after the first packet of all.
            assert_apart(&house, (later as usize, 1_000), later as i32);
            assert_apart(&house, (1_313 + 150, 3_000), 0);
        }
    }
}

#[test]
fn what_was_reported_before_anything_is_heard_holds_from_the_first_sample_on() {
    for (first, second) in [(1, 2), (2, 1)] {
        let mut house = house(Latency::Fixed(LATENCY));
        for mut twin in twins(80, CLOCKS[1]) {
            twin.flow = if twin.flow == 1 { first } else { second };
            // The reports are there before any packet is.
            twin.report(&mut house, 20);
            twin.send(&mut house, 0..100, counter);
        }
        house.run(ms(2_000));
        assert_apart(&house, (0, 1_500), 0);
        for stream in house.report().streams {
            assert_eq!((stream.late, stream.concealed_ms), (0, Some(0.0)), "{stream:?}");
        }
    }
}

#[test]
fn a_track_that_begins_later_is_silent_until_then_and_nothing_of_it_is_missing() {
    let mut house = house(Latency::Fixed(LATENCY));
    let [first, second] = twins(80, CLOCKS[1]);
    first.send(&mut house, 0..100, counter);
    second.send(&mut house, 30..100, counter);
    house.run(ms(2_200));
    assert_apart(&house, (700, 1_900), 80);
    let report = house.report();
    let second = &report.streams[1];
    let counts = (second.received, second.late, second.lost_network);
    assert_eq!(counts, (second.expected, 0, 0), "{second:?}");
    assert_eq!(second.concealed_ms, Some(0.0));
}

#[test]
fn moving_a_track_in_both_directions_makes_no_click() {
    let loudest = |house: &House, side: usize| {
        let heard = house.heard();
        let side: Vec<i32> = heard.chunks_exact(2).map(|frame| frame[side].into()).collect();
        side.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap()
    };
    for (first, second) in [(1, 2), (2, 1)] {
        let mut house = house(Latency::Fixed(LATENCY));
        for mut twin in twins(83, CLOCKS[1]) {
            twin.flow = if twin.flow == 1 { first } else { second };
            twin.send(&mut house, 0..150, tone);
            twin.report(&mut house, 1_000);
        }
        house.run(ms(2_900));
        let (still, moved) = (loudest(&house, 0), loudest(&house, 1));
        assert!(moved * 10 <= still * 15, "{moved} in one step, of {still}");
        let report = house.report();
        assert_eq!(report.streams[0].concealed_ms, Some(0.0));
        let made_up = report.streams[1].concealed_ms.unwrap();
        assert!((1.0..=110.0).contains(&made_up), "{made_up} ms are made up");
    }
}

#[test]
fn where_playback_chooses_its_latency_it_waits_for_the_later_track() {
    let mut house = house(Latency::Auto);
    for twin in twins(150, CLOCKS[1]) {
        twin.send(&mut house, 0..500, |n| if n < 6 * 8_000 { tone(n) / 4 } else { tone(n) });
        twin.report(&mut house, 500);
    }
    house.run(ms(9_900));
    let heard = house.heard();
    let louder = |side| heard.iter().skip(side).step_by(2).position(|it: &i16| it.abs() > 4_000);
    let [left, right] = [0, 1].map(|side| louder(side).unwrap() as i32);
    assert!((left - right).abs() <= 16, "{left} {right}");
}

#[test]
fn what_is_made_up_of_two_tracks_has_an_end() {
    let mut house = house(Latency::Fixed(LATENCY));
    for twin in twins(87, CLOCKS[1]) {
        twin.send(&mut house, 0..50, counter);
    }
    house.run(ms(20_000));
    assert!(matches!(house.ending, Some(Ending::Silent { .. })), "{:?}", house.ending);
    assert!(house.now < ms(7_500) && house.heard().len() < 3 * 16_000);
}

#[test]
fn tracks_without_reports_or_of_two_senders_are_heard_as_they_come() {
    for (name, reports) in [("us@here", false), ("them@there", true)] {
        let mut house = house(Latency::Fixed(LATENCY));
        for (twin, name) in twins(80, CLOCKS[1]).into_iter().zip(["us@here", name]) {
            let twin = Twin { name, ..twin };
            twin.send(&mut house, 0..100, counter);
            if reports {
                twin.report(&mut house, 500);
            }
        }
        house.run(ms(2_000));
        assert_apart(&house, (80, 1_500), 80);
    }
}

#[test]
fn a_promised_latency_that_has_no_room_for_it_leaves_both_heard() {
    let mut house = house(Latency::Fixed(LATENCY));
    for twin in twins(300, CLOCKS[1]) {
        twin.send(&mut house, 0..150, counter);
        twin.report(&mut house, 500);
    }
    house.run(ms(3_000));
    assert_apart(&house, (300, 2_400), 300);
    let late: u64 = house.report().streams.iter().map(|stream| stream.late).sum();
    assert_eq!(late, 0);
}

#[test]
fn a_server_that_says_nothing_of_where_its_tracks_begin_is_believed_when_it_reports() {
    let mut server = StandIn::new(200);
    (server.cantus, server.rtp_info) = (false, false);
    let audio = server.description.tracks[0].clone();
    server.description.tracks = vec![audio.clone(), stand_in::track("other", 97, audio.medium)];
    let mut house = House::new(fixed(), server);
    // The second begins 60 ms later in the presentation, which nobody says.
    for (twin, units) in twins(0, CLOCKS[1]).into_iter().zip([0..150, 3..150]) {
        twin.send(&mut house, units, counter);
        twin.report(&mut house, 1_000);
    }
    house.run(ms(3_000));
    assert_apart(&house, (200, 750), -60);
    assert_apart(&house, (850, 2_500), 0);
}
