//! Who opens connections and says nothing locks nobody out.

use std::time::Duration;

use cantus_qos::rtcp::{ReceiverReport, RtcpPacket, write_compound};
use cantus_qos::rtp::Ssrc;
use cantus_streamer::wire::{ConnectionId, Input, Source};

use crate::house::{HERE, House, flow, session, status, udp};

const CROWD: &str = "198.51.100.1";

/// Connections from `address`, one after the other.
fn crowd(house: &mut House, address: &str, count: usize) -> Vec<ConnectionId> {
    let connect = |_| {
        house.pass(Duration::from_millis(1));
        house.tcp_from(address)
    };
    (0..count).map(connect).collect()
}

fn open(house: &House, connections: &[ConnectionId]) -> usize {
    connections.iter().filter(|it| !house.is_closed(**it)).count()
}

fn set_up(house: &mut House, client: ConnectionId, transport: &str) -> String {
    session(&house.ask(client, "SETUP", "/narration/opus/1", &[("Transport", transport)]))
}

#[test]
fn ten_thousand_connections_from_one_address_take_places_from_nobody_else() {
    let mut house = House::new();
    let client = house.tcp();
    let idle = crowd(&mut house, CROWD, 10_000);
    assert_eq!(status(&house.ask(client, "OPTIONS", "/", &[])), 200);
    assert!((1_900..2_048).contains(&open(&house, &idle)), "{}", open(&house, &idle));
    let newcomer = house.tcp();
    assert_eq!(status(&house.ask(newcomer, "DESCRIBE", "/duet", &[])), 200);
    let newest = idle.iter().rev().take(1_000);
    assert!(newest.clone().all(|it| !house.is_closed(*it)), "those idle longest go first");
}

#[test]
fn of_many_addresses_those_go_that_have_been_idle_longest() {
    let mut house = House::with_places(64);
    let addresses: Vec<String> = (0..65).map(|host| format!("203.0.113.{host}")).collect();
    let clients: Vec<_> =
        addresses[..64].iter().map(|address| crowd(&mut house, address, 1)[0]).collect();
    house.ask(clients[0], "OPTIONS", "/", &[]);
    // Part of a request is no word, however long it goes on.
    house.send(clients[1], b"OPTIONS * RTSP/1.0\r\nX");
    let newcomer = crowd(&mut house, &addresses[64], 1)[0];
    let closed: Vec<_> = clients.iter().filter(|it| house.is_closed(**it)).collect();
    assert_eq!(closed, clients[1..9].iter().collect::<Vec<_>>(), "an eighth makes room");
    assert!(!house.is_closed(newcomer));
}

#[test]
fn the_addresses_of_one_network_of_ipv6_are_one() {
    let mut house = House::with_places(64);
    let client = house.tcp_from("2001:db8:1::1");
    for host in 1..200 {
        crowd(&mut house, &format!("2001:db8:2::{host:x}"), 1);
    }
    assert!(!house.is_closed(client));
}

#[test]
fn who_has_a_session_keeps_the_connection_whatever_carries_it() {
    let mut house = House::with_places(8);
    let (over_udp, between, over_quic) = (house.tcp(), house.tcp(), house.quic());
    set_up(&mut house, over_udp, &udp(5_000));
    set_up(&mut house, between, "RTP/AVP/TCP;unicast;interleaved=0-1");
    set_up(&mut house, over_quic, &flow(1));
    for _ in 0..2 {
        house.pass(Duration::from_secs(20));
        crowd(&mut house, CROWD, 100);
    }
    assert_eq!(open(&house, &[over_udp, between, over_quic]), 3);
    assert_eq!(house.server.session_count(), 3);
}

#[test]
fn a_session_goes_on_with_the_connection_that_it_is_spoken_of_on() {
    let mut house = House::with_places(8);
    let first = house.tcp();
    let name = set_up(&mut house, first, &udp(5_000));
    house.disconnect(first);
    let second = house.tcp();
    house.ask(second, "PLAY", "/narration", &[("Session", &name)]);
    crowd(&mut house, CROWD, 100);
    assert!(!house.is_closed(second));
}

#[test]
fn where_each_connection_has_a_session_the_next_is_told_so() {
    let mut house = House::with_places(4);
    let clients: Vec<_> = (0..4).map(|_| house.tcp()).collect();
    let sessions: Vec<_> =
        (0..4).map(|n| set_up(&mut house, clients[n], &udp(5_000 + 2 * n as u16))).collect();
    let late = house.tcp();
    assert!(house.is_closed(late));
    assert_eq!(house.answers(late).iter().map(status).collect::<Vec<_>>(), [503]);
    house.ask(clients[0], "TEARDOWN", "/narration", &[("Session", &sessions[0])]);
    let next = house.tcp();
    assert_eq!(status(&house.ask(next, "OPTIONS", "/", &[])), 200);
    assert!(house.is_closed(clients[0]), "whose session is over");
}

#[test]
fn where_the_system_has_no_place_one_is_made() {
    let mut house = House::new();
    let client = house.tcp();
    set_up(&mut house, client, &udp(5_000));
    let idle = crowd(&mut house, CROWD, 80);
    house.server.handle(house.now, Input::Crowded);
    house.pass(Duration::ZERO);
    assert_eq!(open(&house, &idle), 70);
    assert!(!house.is_closed(client));
}

#[test]
fn who_says_nothing_whole_for_a_minute_and_has_no_session_is_closed() {
    let mut house = House::new();
    let (silent, slow, lively, bound) = (house.tcp(), house.tcp(), house.tcp(), house.tcp());
    set_up(&mut house, bound, &udp(5_000));
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(9), blocks: Vec::new() });
    let report = write_compound(&[report]);
    let from = Source::Udp((HERE.parse::<std::net::IpAddr>().unwrap(), 5_001).into());
    for byte in b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: and so on" {
        house.pass(Duration::from_secs(1));
        house.send(slow, &[*byte]);
        house.ask(lively, "OPTIONS", "/", &[]);
    }
    house.report(from, &report);
    house.pass(Duration::from_secs(18));
    assert_eq!(open(&house, &[silent, slow, lively, bound]), 4);
    house.pass(Duration::from_secs(1));
    assert!(house.is_closed(silent) && house.is_closed(slow));
    assert!(!house.is_closed(lively) && !house.is_closed(bound));
    house.report(from, &report);
    house.pass(Duration::from_secs(59));
    assert!(house.is_closed(lively), "when its turn comes");
    assert!(!house.is_closed(bound), "its session is alive by its reports");
}
