//! Circuit breakers (RFC 8083): a listener that is gone gets nothing more.

use std::time::Duration;

use cantus_qos::rtcp::{self, ReceiverReport, ReportBlock, RtcpPacket, write_compound};
use cantus_qos::rtp::{RtpPacket, Ssrc};
use cantus_streamer::wire::{ConnectionId, Source};

use crate::house::{HERE, House, session, status, udp};

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

/// Seconds from the first packet to the last that left to the listener.
fn sent_for(house: &House) -> f64 {
    let units = house.units_to(5_000);
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
        let units = house.units_to(5_000);
        let last = RtpPacket::parse(units.last().unwrap().1.data.clone(), None).unwrap();
        let block = ReportBlock {
            ssrc: last.ssrc,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: u32::from(last.sequence.0),
            jitter: 0,
            last_sr: 0,
            delay_since_sr: 0,
        };
        report_on(&mut house, vec![block]);
    }
    assert_eq!((house.server.session_count(), house.server.cut_short()), (1, 0));
    // And when it has vanished, RTSP's time-out ends it.
    house.pass(Duration::from_secs(59));
    assert_eq!(house.server.session_count(), 1);
    house.pass(Duration::from_secs(1));
    assert_eq!((house.server.session_count(), house.server.granted().as_bps()), (0, 0));
}
