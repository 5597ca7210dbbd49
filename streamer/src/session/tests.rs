use cantus_qos::delivery::Channel;
use cantus_qos::repair::rtx::RtxStream;
use cantus_qos::repair::{AnswerPolicy, Answerer};
use cantus_qos::rtcp::{Nack, ReceiverReport, RtcpPacket, write_compound};
use cantus_qos::rtp::{PayloadType, RtpPacket};
use cantus_qos::spec::admission::{Admission, Class, Limits};
use cantus_qos::time::{ClockRate, NtpTime};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::media;
use crate::pipeline::{AudioChain, LONGEST_USE, Packetizer, SenderReports, StreamSeed, WallClock};
use crate::wire::Destination;

const START: MonoTime = MonoTime::from_millis(1_000);
const RTP: &str = "192.0.2.7:5000";
const RTCP: &str = "192.0.2.7:5001";

/// A session of ten seconds of sound over UDP, with as much again for what is asked for again.
fn session(test: &str, spec: &str) -> Session {
    let programme = media::programme(test, 10);
    let rate = programme.audio_rate(0).unwrap();
    let grant = Admission::new(Limits::default()).request(Class::Reserved, rate).unwrap();
    let wall = WallClock(NtpTime::default());
    let reports = SenderReports::new("test".to_owned(), ChaCha8Rng::seed_from_u64(1));
    let pipeline = Pipeline::new(rate, wall, reports);
    let owner = (ConnectionId(1), Carrier::Tcp("192.0.2.7".parse().unwrap()));
    let spec = spec.parse().unwrap();
    let mut session = Session::new(START, owner, programme.clone(), spec, pipeline, grant);
    let seed = StreamSeed { ssrc: Ssrc(7), sequence: Sequence(100), timestamp: RtpTimestamp(0) };
    let packetizer = Packetizer::new(PayloadType::new(96).unwrap(), ClockRate::OPUS, seed, None);
    let id = FlowId::new(1).unwrap();
    let rtx = RtxStream::new(PayloadType::new(97).unwrap(), Ssrc(8), Sequence(1));
    let answerer = Answerer::new(AnswerPolicy::default(), rtx, rate);
    let chain = AudioChain::new(id, programme.audio[0].clone(), packetizer);
    session.pipeline.add_audio(chain.answering(answerer, LONGEST_USE));
    let route = Route::Udp { rtp: RTP.parse().unwrap(), rtcp: RTCP.parse().unwrap() };
    session.add_flow(START, Flow { id, kind: FlowKind::Audio(0), route, rate });
    session
}

/// The data units that leave up to `until`.
fn units(session: &mut Session, from: MonoTime, until: MonoTime) -> Vec<RtpPacket> {
    let mut now = from;
    let mut units = Vec::new();
    while now <= until {
        while let Some(transmit) = session.pop(now) {
            if transmit.channel == Channel::Rtp {
                assert_eq!(transmit.destination, Destination::Udp(RTP.parse().unwrap()));
                units.push(RtpPacket::parse(transmit.data, None).unwrap());
            } else {
                assert_eq!(transmit.destination, Destination::Udp(RTCP.parse().unwrap()));
            }
        }
        now = session.next_deadline(now).max(now + Duration::from_micros(1));
    }
    units
}

fn at(millis: u64) -> MonoTime {
    START + Duration::from_millis(millis)
}

fn media(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

#[test]
fn pause_stops_where_the_nominal_timeline_stands_and_play_goes_on_there() {
    let mut session = session("pause", "mode=stored");
    assert_eq!(session.play(START, None, None), Some((media(0), media(10_000))));
    assert!(units(&mut session, START, at(2_000)).len() > 150, "it runs ahead");
    assert_eq!(session.pause(at(2_000)), media(2_000));
    assert!(!session.is_playing(at(2_000)));
    assert!(units(&mut session, at(2_000), at(9_000)).is_empty());
    assert_eq!(session.play(at(9_000), None, None), Some((media(2_000), media(10_000))));
    let first = &units(&mut session, at(9_000), at(9_000))[0];
    assert_eq!(first.timestamp, RtpTimestamp(96_000));
}

#[test]
fn what_has_left_when_it_pauses_is_not_sent_twice() {
    let mut session = session("pause-within", "");
    session.play(START, None, None);
    let before = units(&mut session, START, at(1_005));
    assert_eq!(session.pause(at(1_005)), media(1_020), "the unit of 1,000 ms has left");
    assert_eq!(session.play(at(9_000), None, None), Some((media(1_020), media(10_000))));
    let after = units(&mut session, at(9_000), at(9_100));
    let last = before.last().expect("it has played");
    assert_eq!(after[0].timestamp.0, last.timestamp.0 + 960);
}

#[test]
fn a_seek_jumps_in_time_and_not_in_sequence() {
    let mut session = session("seek", "");
    session.play(START, None, None);
    let before = units(&mut session, START, at(1_000));
    let range = session.play(at(1_010), Some(media(5_015)), Some(media(7_000)));
    assert_eq!(range, Some((media(5_000), media(7_000))), "from the unit that holds it");
    let points = session.start_points(media(5_000));
    let after = units(&mut session, at(1_010), at(1_100));
    assert_eq!((points[0].sequence, points[0].timestamp), (after[0].sequence, after[0].timestamp));
    assert_eq!(after[0].sequence.0, before.last().unwrap().sequence.0 + 1);
    assert_eq!(after[0].timestamp, RtpTimestamp(240_000));
}

#[test]
fn from_now_on_is_from_where_it_stands() {
    let mut session = session("now", "");
    session.play(START, None, None);
    units(&mut session, START, at(3_000));
    assert_eq!(
        session.play(at(3_000), None, Some(media(8_000))),
        Some((media(3_000), media(8_000)))
    );
}

#[test]
fn after_the_end_play_begins_at_the_beginning() {
    let mut session = session("end", "");
    session.play(START, Some(media(9_000)), None);
    assert_eq!(units(&mut session, START, at(999)).len(), 50);
    assert!(session.is_playing(at(999)));
    assert!(units(&mut session, at(1_000), at(1_000)).is_empty());
    assert!(!session.is_playing(at(1_000)));
    assert_eq!(session.play(at(5_000), None, None), Some((media(0), media(10_000))));
}

#[test]
fn a_range_that_is_not_there_changes_nothing() {
    let mut session = session("range", "");
    session.play(START, None, None);
    units(&mut session, START, at(500));
    assert_eq!(session.play(at(500), Some(media(10_001)), None), None);
    assert_eq!(session.play(at(500), Some(media(5_000)), Some(media(4_999))), None);
    assert!(session.is_playing(at(500)));
    assert_eq!(units(&mut session, at(501), at(539)).len(), 1);
}

#[test]
fn a_report_is_a_sign_of_life_and_noise_is_none() {
    let mut session = session("feedback", "");
    assert_eq!(session.expires_at(), START + TIMEOUT);
    session.on_feedback(at(5_000), &[0x80, 201, 0xff, 0xff]);
    assert_eq!(session.expires_at(), START + TIMEOUT);
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(9), blocks: Vec::new() });
    session.on_feedback(at(5_000), &write_compound(std::slice::from_ref(&report)));
    assert_eq!(session.expires_at(), at(5_000) + TIMEOUT);
}

#[test]
fn who_says_bye_and_nothing_more_is_gone_soon() {
    let mut session = session("goodbye", "");
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(9), blocks: Vec::new() });
    let bye = RtcpPacket::Bye { ssrcs: vec![Ssrc(9)], reason: None };
    session.on_feedback(at(5_000), &write_compound(&[report.clone(), bye]));
    assert_eq!(session.expires_at(), at(5_000) + FAREWELL);
    session.on_feedback(at(6_000), &write_compound(&[report]));
    assert_eq!(session.expires_at(), at(6_000) + TIMEOUT, "it was another's, or another SSRC");
}

#[test]
fn stored_media_is_shaped_to_run_ahead_and_live_media_to_its_own_rate() {
    let (live, stored) = (session("live-rate", ""), session("stored-rate", "mode=stored"));
    let granted = live.grant.rate().as_bps();
    assert_eq!(live.shaped_rate().as_bps(), granted * 2);
    assert_eq!(stored.shaped_rate().as_bps(), granted * 5 / 2);
    assert_eq!(live.granted_spec().rate, Some(live.grant.rate()));
}

#[test]
fn who_asks_for_every_packet_again_gets_it_and_delays_no_media() {
    let mut session = session("storm", "");
    session.play(START, None, None);
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(9), blocks: Vec::new() });
    let (mut asked, mut latest) = (Vec::new(), Duration::ZERO);
    let (mut media, mut again) = (0, 0);
    for now in (0..10_500).map(at) {
        while let Some(transmit) = session.pop(now).filter(|it| it.channel == Channel::Rtp) {
            let packet = RtpPacket::parse(transmit.data, None).unwrap();
            if packet.ssrc == Ssrc(8) {
                again += 1;
                continue;
            }
            latest = latest.max(now.since(START + Duration::from_millis(20) * media));
            media += 1;
            asked.push(packet.sequence);
        }
        if asked.len() >= 5 {
            let sequences = std::mem::take(&mut asked);
            let nack = RtcpPacket::Nack(Nack { sender: Ssrc(9), media: Ssrc(7), sequences });
            session.on_feedback(now, &write_compound(&[report.clone(), nack]));
        }
    }
    assert_eq!((media, again), (500, 500));
    assert!(latest < Duration::from_millis(15), "for one answer that is on its way: {latest:?}");
}

#[test]
fn a_session_over_udp_belongs_to_the_address_that_set_it_up() {
    let session = session("owner", "");
    let tcp = |address: &str| Carrier::Tcp(address.parse().unwrap());
    assert!(session.belongs_to(ConnectionId(1), tcp("192.0.2.7")));
    assert!(session.belongs_to(ConnectionId(2), tcp("192.0.2.7")), "over another connection");
    assert!(!session.belongs_to(ConnectionId(1), tcp("192.0.2.8")));
    assert!(!session.belongs_to(ConnectionId(2), Carrier::Quic));
}
