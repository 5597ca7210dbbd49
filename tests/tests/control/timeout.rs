//! Who falls silent is gone after a minute, and not before.

use std::time::Duration;

use cantus_qos::rtcp::{ReceiverReport, RtcpPacket, write_compound};
use cantus_qos::rtp::Ssrc;
use cantus_streamer::wire::{ConnectionId, Source};

use crate::house::{HERE, House, flow, session, status, udp};

const ALMOST: Duration = Duration::from_millis(59_999);
const MILLISECOND: Duration = Duration::from_millis(1);

fn set_up(house: &mut House) -> (ConnectionId, String) {
    let client = house.tcp();
    let answer = house.ask(client, "SETUP", "/narration/opus/1", &[("Transport", &udp(5_000))]);
    (client, session(&answer))
}

#[test]
fn a_silent_session_lasts_a_minute_and_its_rate_comes_back() {
    let mut house = House::new();
    set_up(&mut house);
    house.pass(ALMOST);
    assert_eq!(house.server.session_count(), 1);
    assert!(house.server.granted().as_bps() > 100_000);
    house.pass(MILLISECOND);
    assert_eq!((house.server.session_count(), house.server.granted().as_bps()), (0, 0));
}

#[test]
fn it_ends_while_it_plays_too() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    house.ask(client, "PLAY", "/narration", &[("Session", &session)]);
    house.pass(ALMOST);
    assert_eq!(house.server.session_count(), 1);
    house.pass(MILLISECOND);
    assert_eq!(house.server.session_count(), 0);
}

#[test]
fn any_request_of_the_session_is_a_sign_of_life() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    let ours = [("Session", &*session)];
    for method in ["GET_PARAMETER", "SET_PARAMETER", "OPTIONS", "PLAY", "PAUSE"] {
        house.pass(ALMOST);
        assert_eq!(status(&house.ask(client, method, "/narration", &ours)), 200);
    }
    house.pass(ALMOST);
    let star = format!("OPTIONS * RTSP/1.0\r\nCSeq: 77\r\nSession: {session}\r\n\r\n");
    house.send(client, star.as_bytes());
    assert_eq!(status(&house.answers(client)[0]), 200);
    house.pass(ALMOST);
    house.ask(client, "GET_PARAMETER", "/narration", &[]);
    house.pass(MILLISECOND);
    assert_eq!(house.server.session_count(), 0, "a request without the session is none");
}

#[test]
fn a_report_from_the_listeners_port_is_a_sign_of_life_and_noise_is_none() {
    let mut house = House::new();
    set_up(&mut house);
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(9), blocks: Vec::new() });
    let report = write_compound(&[report]);
    let from = |port: u16| Source::Udp((HERE.parse::<std::net::IpAddr>().unwrap(), port).into());
    house.pass(ALMOST);
    house.report(from(5_001), &report);
    house.pass(ALMOST);
    assert_eq!(house.server.session_count(), 1);
    house.report(from(5_003), &report);
    for noise in [&[][..], &[0x80], &[0x80, 201, 0, 9], &[0x80, 202, 0, 0], &[0xff; 2_000]] {
        house.report(from(5_001), noise);
    }
    house.pass(MILLISECOND);
    assert_eq!(house.server.session_count(), 0);
}

#[test]
fn bye_from_the_listener_ends_it_soon() {
    let mut house = House::new();
    set_up(&mut house);
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(9), blocks: Vec::new() });
    let bye = RtcpPacket::Bye { ssrcs: vec![Ssrc(9)], reason: None };
    let from = Source::Udp((HERE.parse::<std::net::IpAddr>().unwrap(), 5_001).into());
    house.report(from, &write_compound(&[report, bye]));
    house.pass(Duration::from_millis(9_999));
    assert_eq!(house.server.session_count(), 1);
    house.pass(MILLISECOND);
    assert_eq!(house.server.session_count(), 0);
}

#[test]
fn a_session_over_udp_outlives_its_connection_and_one_over_quic_does_not() {
    let mut house = House::new();
    let (client, name) = set_up(&mut house);
    house.disconnect(client);
    assert_eq!(house.server.session_count(), 1);
    let again = house.tcp();
    let answer = house.ask(again, "PLAY", "/narration", &[("Session", &name)]);
    assert_eq!(status(&answer), 200, "the same listener on another connection");

    let mut house = House::new();
    let client = house.quic();
    let answer = house.ask(client, "SETUP", "/narration/opus/1", &[("Transport", &flow(1))]);
    house.ask(client, "PLAY", "/narration", &[("Session", &session(&answer))]);
    house.disconnect(client);
    assert_eq!((house.server.session_count(), house.server.granted().as_bps()), (0, 0));
}
