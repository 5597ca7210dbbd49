//! What one listener has, no other can take.

use std::time::Duration;

use cantus_streamer::wire::{Destination, Source};

use crate::house::{HERE, House, flow, session, status, udp};

#[test]
fn a_session_is_deaf_to_another_address_even_to_one_that_knows_its_name() {
    let mut house = House::new();
    let owner = house.tcp();
    let answer = house.ask(owner, "SETUP", "/duet/opus/1", &[("Transport", &udp(5_000))]);
    let session = session(&answer);
    let stolen = [("Session", &*session), ("Transport", &*udp(7_000))];
    let (stranger, over_quic) = (house.tcp_from("198.51.100.1"), house.quic());
    for thief in [stranger, over_quic] {
        for method in ["SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN"] {
            let path = if method == "SETUP" { "/duet/opus/2" } else { "/duet" };
            assert_eq!(status(&house.ask(thief, method, path, &stolen)), 454, "{method}");
        }
    }
    house.ask(owner, "PLAY", "/duet", &[("Session", &session)]);
    house.pass(Duration::from_secs(1));
    let to_owner = |destination: &Destination| matches!(destination, Destination::Udp(address) if address.ip().to_string() == HERE);
    assert!(!house.sent.is_empty());
    assert!(house.sent.iter().all(|(_, sent)| to_owner(&sent.destination)));
}

#[test]
fn a_session_over_quic_is_that_of_its_connection() {
    let mut house = House::new();
    let (owner, thief) = (house.quic(), house.quic());
    let answer = house.ask(owner, "SETUP", "/duet/opus/1", &[("Transport", &flow(1))]);
    let session = session(&answer);
    for method in ["PLAY", "TEARDOWN"] {
        assert_eq!(status(&house.ask(thief, method, "/duet", &[("Session", &session)])), 454);
    }
    assert_eq!(status(&house.ask(owner, "PLAY", "/duet", &[("Session", &session)])), 200);
}

#[test]
fn a_port_or_a_flow_that_is_in_use_is_not_given_to_a_second_session() {
    let mut house = House::new();
    let (first, second) = (house.tcp(), house.tcp());
    house.ask(first, "SETUP", "/duet/opus/1", &[("Transport", &udp(5_000))]);
    let taken = [("Transport", &*udp(5_000))];
    assert_eq!(status(&house.ask(second, "SETUP", "/duet/opus/1", &taken)), 461);
    let either = format!("{}, {}", udp(5_000), udp(5_002));
    let answer = house.ask(second, "SETUP", "/duet/opus/1", &[("Transport", &either)]);
    assert_eq!(status(&answer), 200, "the second choice is free");

    let quic = house.quic();
    house.ask(quic, "SETUP", "/duet/opus/1", &[("Transport", &flow(1))]);
    let taken = [("Transport", &*flow(1))];
    assert_eq!(status(&house.ask(quic, "SETUP", "/duet/opus/2", &taken)), 461);
    let other = house.quic();
    let own = house.ask(other, "SETUP", "/duet/opus/1", &taken);
    assert_eq!(status(&own), 200, "flows are numbered by connection");
}

#[test]
fn a_report_from_elsewhere_is_no_sign_of_life() {
    let mut house = House::new();
    let client = house.tcp();
    house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", &udp(5_000))]);
    house.pass(Duration::from_secs(59));
    let receiver_report = [0x80, 201, 0, 1, 0, 0, 0, 9];
    house.report(Source::Udp("198.51.100.1:5001".parse().unwrap()), &receiver_report);
    house.pass(Duration::from_secs(1));
    assert_eq!(house.server.session_count(), 0);
}
