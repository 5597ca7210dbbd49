//! What the streamer may give away.

use std::time::Duration;

use cantus_qos::quantity::Bitrate;
use cantus_streamer::wire::ConnectionId;

use crate::house::{House, flow, header, session, status, udp};

fn set_up(house: &mut House, client: ConnectionId, port: u16, qos: &str) -> (u16, String, String) {
    let headers = [("Transport", &*udp(port)), ("Cantus-QoS", qos), ("Supported", "cantus.media")];
    let answer = house.ask(client, "SETUP", "/sync-test/opus/1", &headers);
    (status(&answer), header(&answer, "Cantus-QoS"), session(&answer))
}

#[test]
fn the_listener_for_whom_there_is_less_room_is_granted_less_and_the_one_too_many_nothing() {
    // Opus takes 115.2 kbit/s with its headers: there is room for one, and for one in 64 kbit/s.
    let mut house = House::with_limits(Some(Bitrate::from_kbps(200)), None);
    let client = house.tcp();
    let (first, granted, name) = set_up(&mut house, client, 5_000, "");
    assert_eq!((first, &*granted), (200, "rate<=115200"));
    let (second, granted, _) = set_up(&mut house, client, 5_002, "");
    assert_eq!((second, &*granted), (200, "rate<=83200"));
    let (third, possible, _) = set_up(&mut house, client, 5_004, "");
    assert_eq!((third, &*possible), (453, "rate<=1600"));
    house.ask(client, "TEARDOWN", "/sync-test", &[("Session", &name)]);
    assert_eq!(set_up(&mut house, client, 5_004, "").1, "rate<=115200");
}

#[test]
fn whoever_cannot_be_told_what_it_was_granted_is_told_what_would_be_possible() {
    let mut house = House::with_limits(Some(Bitrate::from_kbps(200)), None);
    let client = house.tcp();
    set_up(&mut house, client, 5_000, "");
    let plain = [("Transport", &*udp(5_002))];
    let answer = house.ask(client, "SETUP", "/sync-test/opus/1", &plain);
    assert_eq!((status(&answer), &*header(&answer, "Cantus-QoS")), (453, "rate<=84800"));
    let linear = [("Transport", &*udp(5_002)), ("Supported", "cantus.media")];
    let answer = house.ask(client, "SETUP", "/sync-test/l16/1", &linear);
    assert_eq!(status(&answer), 453, "linear sound cannot be had for less");
}

#[test]
fn a_track_for_which_there_is_no_room_leaves_the_session_as_it_was() {
    let mut house = House::with_limits(Some(Bitrate::from_kbps(120)), None);
    let client = house.tcp();
    let answer = house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", &udp(5_000))]);
    let session = session(&answer);
    let more = [("Session", &*session), ("Transport", &*udp(5_002))];
    assert_eq!(status(&house.ask(client, "SETUP", "/duet/opus/2", &more)), 453);
    assert_eq!(house.server.granted(), Bitrate::from_bps(115_200));
    assert_eq!(status(&house.ask(client, "PLAY", "/duet", &[("Session", &session)])), 200);
}

#[test]
fn a_listener_gets_no_more_than_it_allows() {
    let mut house = House::new();
    let client = house.quic();
    let ask = |house: &mut House, path, number, extra: &[(&str, &str)]| {
        let transport = flow(number);
        let mut headers = vec![("Transport", &*transport), ("Supported", "cantus.media")];
        headers.extend(extra);
        house.ask(client, "SETUP", path, &headers)
    };
    let answer = ask(&mut house, "/duet/opus/1", 1, &[("Cantus-QoS", "rate<=160k")]);
    assert_eq!(header(&answer, "Cantus-QoS"), "rate<=115200");
    let session = session(&answer);
    let ours = ("Session", &*session);
    let answer = ask(&mut house, "/duet/opus/2", 2, &[ours]);
    assert_eq!((status(&answer), &*header(&answer, "Cantus-QoS")), (453, "rate<=44800"));
    let fixed = ask(&mut house, "/duet/repair/opus/1", 3, &[ours, ("Cantus-FEC", "5+4")]);
    assert_eq!(status(&fixed), 453, "a certain block is not cut");
    let answer = ask(&mut house, "/duet/repair/opus/1", 3, &[ours]);
    assert_eq!(status(&answer), 200, "any block is cut to the room that is left");
    assert!(house.server.granted() <= Bitrate::from_kbps(160));
}

#[test]
fn there_are_as_many_sessions_as_there_may_be() {
    let mut house = House::with_limits(None, Some(2));
    let client = house.tcp();
    let (_, _, name) = set_up(&mut house, client, 5_000, "");
    assert_eq!(set_up(&mut house, client, 5_002, "").0, 200);
    assert_eq!(set_up(&mut house, client, 5_004, "").0, 503);
    house.ask(client, "TEARDOWN", "/sync-test", &[("Session", &name)]);
    assert_eq!(set_up(&mut house, client, 5_004, "").0, 200);
}

#[test]
fn one_connection_cannot_take_all_there_is() {
    let mut house = House::new();
    let client = house.tcp();
    for port in 0..64 {
        assert_eq!(set_up(&mut house, client, 10_000 + 2 * port, "").0, 200);
    }
    assert_eq!(set_up(&mut house, client, 20_000, "").0, 503);
    let other = house.tcp();
    assert_eq!(set_up(&mut house, other, 20_000, "").0, 200);
}

#[test]
fn sessions_that_run_ahead_keep_the_cap_and_delay_no_live_one() {
    let mut house = House::with_limits(Some(Bitrate::from_kbps(360)), None);
    let client = house.tcp();
    for (port, qos) in [(5_000, "mode=stored"), (5_002, "mode=stored"), (5_004, "mode=live")] {
        let (status, _, name) = set_up(&mut house, client, port, qos);
        assert_eq!(status, 200);
        house.ask(client, "PLAY", "/sync-test", &[("Session", &name)]);
    }
    let start = house.now;
    house.pass(Duration::from_secs(8));
    let bytes: usize = house.sent.iter().map(|(_, sent)| sent.wire_size()).sum();
    let rate = Bitrate::over(bytes as u64, Duration::from_secs(8));
    assert!(rate <= Bitrate::from_kbps(360 + 12), "{rate}: the cap, and its burst of 250 ms");
    assert!(rate >= Bitrate::from_kbps(340), "{rate}: what may be sent is sent");
    let live = house.units_to(5_004);
    for (index, (at, _)) in (0u32..).zip(live.iter()) {
        assert_eq!(at.since(start), Duration::from_millis(20) * index, "unit {index}");
    }
    assert!(live.len() >= 400);
}
