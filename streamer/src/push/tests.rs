mod roc;

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::payload::opus;
use cantus_qos::rtcp::{ReceiverReport, ReportBlock, RtcpPacket, parse_compound, write_compound};
use cantus_qos::rtp::RtpPacket;

use super::*;
use crate::catalogue::Catalogue;
use crate::media::{self, MediaDir};
use crate::pipeline::LINGERS;
use crate::programme::ProgrammeKey;
use cantus_qos::rtp::Ssrc;

const START: MonoTime = MonoTime::from_millis(5_000);

fn sender() -> Sender {
    let ntp_at_zero = NtpTime::from_unix(Duration::from_secs(1_000));
    Sender { cname: "test".to_owned(), ntp_at_zero, seed: [7; 32] }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn way(target: &str) -> Way {
    Way { target: address(target), local: "192.0.2.1".parse().unwrap(), ttl: 3, roc: None }
}

fn push(programme: &Programme, target: &str) -> Push {
    let mut push = Push::new(programme, way(target), sender()).unwrap();
    push.begin(START);
    push
}

/// Everything that leaves until `until` or the end, with its instant, its address and its bytes.
fn run(push: &mut Push, from: MonoTime, until: MonoTime) -> Vec<(MonoTime, SocketAddr, Bytes)> {
    let mut now = from;
    let mut left = Vec::new();
    loop {
        while let Some(transmit) = push.pop(now) {
            let Destination::Udp(to) = transmit.destination else { panic!("not over UDP") };
            left.push((now, to, transmit.data));
        }
        match push.next_deadline(now) {
            Some(at) if push.ending().is_none() && at <= until => {
                now = at.max(now + Duration::from_nanos(1));
            }
            _ => return left,
        }
    }
}

fn to(left: &[(MonoTime, SocketAddr, Bytes)], address: SocketAddr) -> Vec<(MonoTime, Bytes)> {
    let there = left.iter().filter(|(_, to, _)| *to == address);
    there.map(|(at, _, data)| (*at, data.clone())).collect()
}

fn rtp(data: &Bytes) -> RtpPacket {
    RtpPacket::parse(data.clone(), None).unwrap()
}

/// One of our sounds, in L16.
fn l16(test: &str, hz: u32, channels: u16, frames: usize) -> Programme {
    let dir = MediaDir::new(test);
    let samples: Vec<i16> = (0..frames * usize::from(channels)).map(|n| n as i16).collect();
    dir.wav("talk.wav", hz, channels, &samples);
    let catalogue = Catalogue::open(dir.path()).unwrap();
    Programme::load(&catalogue, &ProgrammeKey::new("talk", Codec::L16)).unwrap()
}

#[test]
fn every_unit_leaves_at_its_instant_as_plain_rtp_and_reports_go_to_the_next_port() {
    let programme = media::programme("push-live", 3);
    let mut push = push(&programme, "192.0.2.9:5004");
    let left = run(&mut push, START, START + Duration::from_secs(60));
    let media = to(&left, address("192.0.2.9:5004"));
    assert_eq!(media.len(), 150);
    let first = rtp(&media[0].1);
    for (index, (at, data)) in (0u16..).zip(&media) {
        assert_eq!(*at, START + Duration::from_millis(20) * u32::from(index));
        let packet = rtp(data);
        assert_eq!(data.len(), 12 + packet.payload.len(), "no extension, no footer");
        assert_eq!(packet.payload_type.get(), 96);
        assert_eq!(packet.marker, index == 0);
        assert_eq!(packet.sequence.0, first.sequence.0.wrapping_add(index));
        assert_eq!(packet.timestamp.distance(first.timestamp), 960 * i32::from(index));
        assert_eq!(opus::duration(&packet.payload).unwrap(), MediaTime::from_millis(20));
    }
    let reports = to(&left, address("192.0.2.9:5005"));
    assert_eq!(media.len() + reports.len(), left.len());
    assert_eq!(reports[0].0, START, "the clock is known early");
    let [.., (parted, last), (again, _), (at_last, _)] = &reports[..] else {
        panic!("{reports:?}")
    };
    let end = START + Duration::from_secs(3);
    assert_eq!(*parted, end + LINGERS, "it overtakes nothing");
    assert!(end + LINGERS < *again && again < at_last, "one may be lost");
    let last = parse_compound(last).unwrap();
    let [RtcpPacket::SenderReport(report), description, RtcpPacket::Bye { ssrcs, reason }] =
        &last[..]
    else {
        panic!("{last:?}")
    };
    assert_eq!((report.ssrc, report.packets), (first.ssrc, 150));
    let cname = "test".to_owned();
    assert_eq!(*description, RtcpPacket::SourceDescription { ssrc: first.ssrc, cname });
    assert_eq!((&ssrcs[..], reason), (&[first.ssrc][..], &None));
    assert_eq!(push.ending(), Some(Ending::Finished));
}

#[test]
fn l16_has_the_static_payload_types_where_there_are_such() {
    let of = |test, hz, channels| {
        let mut push = push(&l16(test, hz, channels, 4_410), "192.0.2.9:5004");
        let left = run(&mut push, START, START + Duration::from_secs(60));
        rtp(&to(&left, address("192.0.2.9:5004"))[0].1).payload_type.get()
    };
    assert_eq!(of("push-10", 44_100, 2), 10);
    assert_eq!(of("push-11", 44_100, 1), 11);
    assert_eq!(of("push-100", 48_000, 2), 100);
}

#[test]
fn each_track_has_a_pair_of_ports_and_there_must_be_enough() {
    let dir = MediaDir::new("push-duet");
    for name in ["duet/1.wav", "duet/2.wav"] {
        dir.wav(name, 48_000, 1, &[0; 4_800]);
    }
    let (catalogue, name) = Catalogue::around(&dir.path().join("duet")).unwrap();
    let programme = Programme::load(&catalogue, &ProgrammeKey::new(&name, Codec::L16)).unwrap();
    let mut duet = push(&programme, "[2001:db8::1]:5004");
    let left = run(&mut duet, START, START + Duration::from_secs(60));
    for port in [5_004, 5_006] {
        let media = SocketAddr::new("2001:db8::1".parse().unwrap(), port);
        assert_eq!(to(&left, media).len(), 10, "{media}");
        let reports = with_port(media, port + 1);
        assert!(!to(&left, reports).is_empty(), "{reports}");
    }
    let refused = Push::new(&programme, way("192.0.2.9:65533"), sender()).unwrap_err();
    assert_eq!(refused, PushError::Ports { tracks: 2, first: 65_533 });
}

#[test]
fn what_is_sent_is_described() {
    let push = push(&l16("push-sdp", 44_100, 2, 4_410), "239.1.2.3:5004");
    // 1970 plus a thousand seconds, in seconds since 1900.
    let expected = "v=0\n\
        o=- 2208989800 2208989800 IN IP4 192.0.2.1\n\
        s=talk\n\
        c=IN IP4 239.1.2.3/3\n\
        t=0 0\n\
        a=type:broadcast\n\
        m=audio 5004 RTP/AVP 10\n\
        i=audio\n\
        a=rtpmap:10 L16/44100/2\n\
        a=ptime:4.988662\n";
    assert_eq!(push.sdp().unwrap().replace("\r\n", "\n"), expected);
}

#[test]
fn who_stops_says_goodbye_at_once() {
    let programme = media::programme("push-stop", 3);
    let mut push = push(&programme, "192.0.2.9:5004");
    let now = START + Duration::from_millis(500);
    run(&mut push, START, now);
    push.stop(now);
    let left = run(&mut push, now, now);
    assert_eq!(left.len(), 1);
    let said = parse_compound(&left[0].2).unwrap();
    assert!(matches!(said.last(), Some(RtcpPacket::Bye { reason: None, .. })), "{said:?}");
    assert_eq!(push.ending(), Some(Ending::Stopped));
    assert_eq!(push.pop(now), None);
}

/// A report of a listener who hears everything.
fn report(packet: &RtpPacket) -> Bytes {
    let block = ReportBlock {
        ssrc: packet.ssrc,
        fraction_lost: 0,
        cumulative_lost: 0,
        highest_sequence: u32::from(packet.sequence.0),
        jitter: 0,
        last_sr: 0,
        delay_since_sr: 0,
    };
    let report = ReceiverReport { ssrc: Ssrc(99), blocks: vec![block] };
    let cname = "listener".to_owned();
    let description = RtcpPacket::SourceDescription { ssrc: Ssrc(99), cname };
    write_compound(&[RtcpPacket::ReceiverReport(report), description])
}

/// A minute to `target`, of which `from` reports on the first second.
fn reported_once(test: &str, target: &str, from: &str) -> (Option<Ending>, MonoTime) {
    let programme = media::programme(test, 60);
    let mut push = push(&programme, target);
    let second = START + Duration::from_secs(1);
    let left = run(&mut push, START, second);
    let heard = report(&rtp(&to(&left, address(target)).last().unwrap().1));
    push.heard(second, address(from), &heard);
    let left = run(&mut push, second, START + Duration::from_secs(100));
    (push.ending(), left.last().unwrap().0)
}

#[test]
fn a_listener_who_falls_silent_ends_it_and_nobody_who_never_reported() {
    let (ending, at) = reported_once("push-gone", "192.0.2.9:5004", "192.0.2.9:40000");
    let Some(Ending::CutShort(Tripped::RtcpTimeout { silence })) = ending else {
        panic!("{ending:?}")
    };
    assert_eq!(silence.as_secs(), 15);
    assert!(at.since(START) < Duration::from_secs(17));
    let programme = media::programme("push-unheard", 60);
    let mut unheard = push(&programme, "192.0.2.9:5004");
    run(&mut unheard, START, START + Duration::from_secs(100));
    assert_eq!(unheard.ending(), Some(Ending::Finished));
}

#[test]
fn neither_strangers_nor_members_of_a_group_end_it() {
    let stranger = reported_once("push-stranger", "192.0.2.9:5004", "203.0.113.1:5005");
    assert_eq!(stranger.0, Some(Ending::Finished));
    let member = reported_once("push-group", "239.1.2.3:5004", "192.0.2.9:5005");
    assert_eq!(member.0, Some(Ending::Finished));
}

#[test]
fn what_goes_to_a_group_is_announced_again_and_again_and_deleted_at_the_end() {
    let programme = media::programme("push-sap", 700);
    let mut push =
        Push::new(&programme, way("239.1.2.3:5004"), sender()).unwrap().announced().unwrap();
    push.begin(START);
    let left = run(&mut push, START, START + Duration::from_secs(1_000));
    let mut said = to(&left, address("239.255.255.255:9875"));
    let (deleted, deletion) = said.pop().unwrap();
    assert_eq!(said[0].0, START);
    assert!((2..=4).contains(&said.len()), "{}", said.len());
    for pair in said.windows(2) {
        let apart = pair[1].0.since(pair[0].0);
        assert!((200..400).contains(&apart.as_secs()), "{apart:?}");
        assert_eq!(pair[0].1, pair[1].1, "the same each time");
    }
    assert!(said[0].1.ends_with(push.sdp().unwrap().as_bytes()));
    assert_eq!(deletion[0], 0x24, "version 1, a deletion");
    assert_eq!(deleted, left.last().unwrap().0, "after goodbye");
    assert_eq!(push.ending(), Some(Ending::Finished));
}

#[test]
fn what_goes_to_a_host_is_not_announced() {
    let programme = media::programme("push-no-sap", 1);
    let push = Push::new(&programme, way("192.0.2.9:5004"), sender()).unwrap();
    let no_group = PushError::NoGroup("192.0.2.9".parse().unwrap());
    assert_eq!(push.announced().unwrap_err(), no_group);
}
