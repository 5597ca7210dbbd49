//! Circuit breakers (RFC 8083): a listener that is gone gets nothing more.

use std::time::Duration;

use cantus_qos::rtcp::{self, ReceiverReport, ReportBlock, RtcpPacket, write_compound};
use cantus_qos::rtp::{RtpPacket, Ssrc};
use cantus_streamer::wire::{ConnectionId, Destination, Source};

use crate::house::{HERE, House, header, session, status, udp};

/// Who knows us.
const OURS: (&str, &str) = ("Supported", "cantus.media");

fn play(house: &mut House, supported: &[(&str, &str)]) -> (ConnectionId, String) {
    let client = house.tcp();
    let transport = udp(5_000);
    let set_up = [&[("Transport", &*transport)], supported].concat();
    let session = session(&house.ask(client, "SETUP", "/narration/opus/1", &set_up));
    let ours = [&[("Session", &*session)], supported].concat();
    assert_eq!(status(&house.ask(client, "PLAY", "/narration", &ours)), 200);
    (client, session)
}

fn report(house: &mut House) {
    report_on(house, Vec::new());
}

fn report_on(house: &mut House, blocks: Vec<ReportBlock>) {
    let report = ReceiverReport { ssrc: Ssrc(1), blocks };
    let report = write_compound(&[RtcpPacket::ReceiverReport(report)]);
    house.report(Source::Udp(format!("{HERE}:5001").parse().unwrap()), &report);
}

/// Two tracks that play, on ports 5000 and 5002.
fn play_duet(house: &mut House, supported: &[(&str, &str)]) -> (ConnectionId, String) {
    let client = house.tcp();
    let transport = udp(5_000);
    let set_up = [&[("Transport", &*transport)], supported].concat();
    let name = session(&house.ask(client, "SETUP", "/duet/opus/1", &set_up));
    let transport = udp(5_002);
    let more = [&[("Transport", &*transport), ("Session", &*name)], supported].concat();
    assert_eq!(status(&house.ask(client, "SETUP", "/duet/opus/2", &more)), 200);
    let ours = [&[("Session", &*name)], supported].concat();
    assert_eq!(status(&house.ask(client, "PLAY", "/duet", &ours)), 200);
    (client, name)
}

/// What a listener says of the last packet that came to `port`.
fn block(house: &House, port: u16) -> ReportBlock {
    let units = house.units_to(port);
    let last = RtpPacket::parse(units.last().unwrap().1.data.clone(), None).unwrap();
    ReportBlock {
        ssrc: last.ssrc,
        fraction_lost: 0,
        cumulative_lost: 0,
        highest_sequence: u32::from(last.sequence.0),
        jitter: 0,
        last_sr: 0,
        delay_since_sr: 0,
    }
}

/// The reason of the last goodbye to this port.
fn goodbye(house: &House, port: u16) -> Option<String> {
    let to = Destination::Udp(format!("{HERE}:{port}").parse().unwrap());
    let (_, last) = house.sent.iter().rev().find(|(_, sent)| sent.destination == to)?;
    rtcp::parse_compound(&last.data).unwrap().into_iter().find_map(|packet| match packet {
        RtcpPacket::Bye { reason, .. } => reason,
        _ => None,
    })
}

/// Seconds from the first packet to the last that left to the listener.
fn sent_for(house: &House) -> f64 {
    sent_to_for(house, 5_000)
}

fn sent_to_for(house: &House, port: u16) -> f64 {
    let units = house.units_to(port);
    let (first, last) = (units.first().unwrap().0, units.last().unwrap().0);
    last.since(first).as_secs_f64()
}

#[test]
fn a_listener_that_vanishes_is_sent_nothing_after_fifteen_seconds_and_its_rate_comes_back() {
    let mut house = House::new();
    let (client, session) = play(&mut house, &[OURS]);
    house.pass(Duration::from_secs(30));
    assert!((15.0..15.1).contains(&sent_for(&house)), "{}", sent_for(&house));
    assert_eq!((house.server.session_count(), house.server.granted().as_bps()), (0, 0));
    assert_eq!(house.server.cut_short(), 1);
    // A last word by RTCP, and to whoever comes back and asks.
    let why = "no report has come from the listener for 15 s";
    let (_, last) = house.sent.last().unwrap();
    let last = rtcp::parse_compound(&last.data).unwrap();
    let bye = last.iter().find_map(|packet| match packet {
        RtcpPacket::Bye { reason, .. } => reason.clone(),
        _ => None,
    });
    assert_eq!(bye.as_deref(), Some(why));
    for method in ["GET_PARAMETER", "PLAY", "TEARDOWN"] {
        let answer = house.ask(client, method, "/narration", &[("Session", &session)]);
        assert_eq!(status(&answer), 454);
        assert_eq!(String::from_utf8_lossy(answer.body()).trim(), why);
    }
}

#[test]
fn reports_that_tell_nothing_of_the_stream_do_not_keep_it() {
    let mut house = House::new();
    play(&mut house, &[OURS]);
    for _ in 0..30 {
        house.pass(Duration::from_secs(1));
        report(&mut house);
    }
    assert!(sent_for(&house) < 15.1);
}

#[test]
fn a_pause_is_no_silence() {
    let mut house = House::new();
    let (client, session) = play(&mut house, &[OURS]);
    let ours = [("Session", &*session), OURS];
    house.pass(Duration::from_secs(10));
    house.ask(client, "PAUSE", "/narration", &ours);
    house.pass(Duration::from_secs(40));
    house.ask(client, "PLAY", "/narration", &ours);
    house.pass(Duration::from_secs(14));
    assert_eq!(house.server.session_count(), 1);
    house.pass(Duration::from_secs(2));
    assert_eq!(house.server.session_count(), 0);
}

#[test]
fn an_old_client_that_never_sends_reports_is_held_to_the_time_out_of_rtsp() {
    let mut house = House::new();
    let (client, session) = play(&mut house, &[]);
    house.pass(Duration::from_secs(50));
    house.ask(client, "GET_PARAMETER", "/narration", &[("Session", &session)]);
    house.pass(Duration::from_secs(5));
    assert_eq!((house.server.session_count(), house.server.cut_short()), (1, 0));
}

#[test]
fn a_client_that_reports_seldom_as_ffmpeg_does_hears_everything() {
    let mut house = House::new();
    let (client, session) = play(&mut house, &[]);
    for half_minutes in 0..2 {
        house.pass(Duration::from_secs(if half_minutes == 0 { 30 } else { 29 }));
        house.ask(client, "GET_PARAMETER", "/narration", &[("Session", &session)]);
        let block = block(&house, 5_000);
        report_on(&mut house, vec![block]);
    }
    assert_eq!((house.server.session_count(), house.server.cut_short()), (1, 0));
    // And when it has vanished, RTSP's time-out ends it.
    house.pass(Duration::from_secs(59));
    assert_eq!(house.server.session_count(), 1);
    house.pass(Duration::from_secs(1));
    assert_eq!((house.server.session_count(), house.server.granted().as_bps()), (0, 0));
}

#[test]
fn a_track_of_two_that_is_not_reported_on_is_sent_no_more_and_the_other_is() {
    let mut house = House::new();
    let (client, session) = play_duet(&mut house, &[OURS]);
    for _ in 0..20 {
        house.pass(Duration::from_secs(1));
        let first = block(&house, 5_000);
        report_on(&mut house, vec![first]);
    }
    assert!((15.0..15.1).contains(&sent_to_for(&house, 5_002)));
    assert!(sent_to_for(&house, 5_000) > 19.9);
    let why = "no report has come from the listener for 15 s";
    assert_eq!(goodbye(&house, 5_003).as_deref(), Some(why), "and nothing after it");
    assert_eq!(goodbye(&house, 5_001), None);
    assert_eq!((house.server.session_count(), house.server.cut_short()), (1, 0));
    // It does not begin again, wherever playback goes on.
    let sent = house.units_to(5_002).len();
    let seek = [("Session", &*session), ("Range", "npt=2-"), OURS];
    let info = header(&house.ask(client, "PLAY", "/duet", &seek), "RTP-Info");
    assert!(info.contains("/opus/1") && !info.contains("/opus/2"), "{info}");
    house.pass(Duration::from_secs(5));
    assert_eq!(house.units_to(5_002).len(), sent);
    // And once the other is not heard either, the session is over.
    house.pass(Duration::from_secs(11));
    assert_eq!((house.server.session_count(), house.server.cut_short()), (0, 1));
    assert_eq!(goodbye(&house, 5_001).as_deref(), Some(why));
    assert_eq!(house.server.granted().as_bps(), 0);
}

#[test]
fn a_track_that_was_never_reported_on_ends_with_the_other() {
    let mut house = House::new();
    play_duet(&mut house, &[]);
    house.pass(Duration::from_secs(1));
    let first = block(&house, 5_000);
    report_on(&mut house, vec![first]);
    house.pass(Duration::from_secs(16));
    assert_eq!((house.server.session_count(), house.server.cut_short()), (0, 1));
    assert!((15.9..16.1).contains(&sent_to_for(&house, 5_002)));
}

#[test]
fn a_track_of_two_that_does_not_arrive_is_sent_no_more_and_the_other_is() {
    let mut house = House::new();
    play_duet(&mut house, &[OURS]);
    house.pass(Duration::from_secs(1));
    let stuck = block(&house, 5_002);
    for _ in 0..17 {
        house.pass(Duration::from_secs(1));
        let moves = block(&house, 5_000);
        report_on(&mut house, vec![moves]);
        report_on(&mut house, vec![stuck]);
    }
    assert!((16.0..17.1).contains(&sent_to_for(&house, 5_002)), "{}", sent_to_for(&house, 5_002));
    assert!(goodbye(&house, 5_003).unwrap().contains("say that nothing has arrived for"));
    let before = house.units_to(5_000).len();
    house.pass(Duration::from_secs(1));
    assert_eq!(house.units_to(5_000).len(), before + 50);
    assert_eq!((house.server.session_count(), house.server.cut_short()), (1, 0));
}
