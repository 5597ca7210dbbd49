//! PLAY, PAUSE, GET_PARAMETER and TEARDOWN.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::rtp::{RtpPacket, RtpTimestamp};
use cantus_qos::rtsp::RtpInfo;
use cantus_streamer::wire::ConnectionId;

use crate::house::{House, header, session, status, udp};

/// A session with the sound of the sync test on port 5000.
fn set_up(house: &mut House) -> (ConnectionId, String) {
    let client = house.tcp();
    let answer = house.ask(client, "SETUP", "/sync-test/opus/1", &[("Transport", &udp(5_000))]);
    (client, session(&answer))
}

fn packets(house: &House, port: u16) -> Vec<RtpPacket> {
    let parse = |data: &Bytes| RtpPacket::parse(data.clone(), None).unwrap();
    house.units_to(port).into_iter().map(|(_, sent)| parse(&sent.data)).collect()
}

#[test]
fn a_range_is_played_from_where_rtp_info_says_to_its_end() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    let range = [("Session", &*session), ("Range", "npt=5.005-7")];
    let answer = house.ask(client, "PLAY", "/sync-test", &range);
    assert_eq!(status(&answer), 200);
    assert_eq!(header(&answer, "Range"), "npt=5.000-7.000");
    assert_eq!(header(&answer, "Cantus-Clock").len(), 16);
    let info = RtpInfo::parse_list(&header(&answer, "RTP-Info")).remove(0);
    assert_eq!(info.url, "rtsp://host/sync-test/opus/1");
    house.pass(Duration::from_secs(10));
    let packets = packets(&house, 5_000);
    assert_eq!(packets.len(), 100);
    assert_eq!(info.sequence, Some(packets[0].sequence));
    assert_eq!(info.timestamp, Some(packets[0].timestamp));
    assert!(packets.iter().all(|packet| packet.payload_type.get() == 96));
}

#[test]
fn what_plays_already_plays_on() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    let ours = [("Session", &*session)];
    house.ask(client, "PLAY", "/sync-test", &ours);
    house.pass(Duration::from_millis(1_010));
    let answer = house.ask(client, "PLAY", "/sync-test", &ours);
    assert_eq!((status(&answer), header(&answer, "Range")), (200, String::new()));
    house.pass(Duration::from_secs(1));
    let packets = packets(&house, 5_000);
    let steps =
        packets.windows(2).map(|pair| pair[1].timestamp.0.wrapping_sub(pair[0].timestamp.0));
    assert!(steps.into_iter().all(|step| step == 960));
    assert_eq!(packets.len(), 101);
}

#[test]
fn a_range_that_is_not_there_is_refused() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    for range in ["npt=20.1-", "npt=7-5", "clock=19961108T143720.25Z-", "npt=x-y", "npt=-"] {
        let answer =
            house.ask(client, "PLAY", "/sync-test", &[("Session", &session), ("Range", range)]);
        assert_eq!(status(&answer), 457, "{range}");
    }
    house.pass(Duration::from_secs(1));
    assert!(house.sent.is_empty());
}

#[test]
fn pause_holds_and_play_goes_on_from_there() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    let ours = [("Session", &*session)];
    let first = house.ask(client, "PLAY", "/sync-test", &ours);
    let start = RtpInfo::parse_list(&header(&first, "RTP-Info"))[0].timestamp.unwrap();
    house.pass(Duration::from_millis(2_000));
    let answer = house.ask(client, "PAUSE", "/sync-test", &ours);
    // The unit of 2.000 s has just left.
    assert_eq!((status(&answer), &*header(&answer, "Range")), (200, "npt=2.020-"));
    let before = house.sent.len();
    house.pass(Duration::from_secs(20));
    assert_eq!(house.sent.len(), before, "silence");
    let answer = house.ask(client, "PLAY", "/sync-test", &ours);
    assert_eq!(header(&answer, "Range"), "npt=2.020-20.000");
    house.pass(Duration::from_millis(10));
    let last = packets(&house, 5_000).pop().unwrap();
    assert_eq!(last.timestamp, RtpTimestamp(start.0.wrapping_add(96_960)));
    assert_eq!(status(&house.ask(client, "PAUSE", "/sync-test", &ours)), 200);
    assert_eq!(status(&house.ask(client, "PAUSE", "/sync-test", &ours)), 200, "paused already");
}

#[test]
fn teardown_ends_it_at_once_and_gives_everything_back() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    let ours = [("Session", &*session)];
    house.ask(client, "PLAY", "/sync-test", &ours);
    house.pass(Duration::from_secs(1));
    assert_eq!(status(&house.ask(client, "TEARDOWN", "/sync-test", &ours)), 200);
    assert_eq!((house.server.session_count(), house.server.granted().as_bps()), (0, 0));
    let before = house.sent.len();
    house.pass(Duration::from_secs(1));
    assert_eq!(house.sent.len(), before);
    for method in ["PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SETUP", "OPTIONS"] {
        assert_eq!(status(&house.ask(client, method, "/sync-test", &ours)), 454, "{method}");
    }
}

#[test]
fn a_session_that_never_was_is_not_found() {
    let mut house = House::new();
    let client = house.tcp();
    for name in ["0", "0123456789abcdef", "nonsense", ""] {
        for method in ["PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SETUP"] {
            let answer = house.ask(client, method, "/duet", &[("Session", name)]);
            assert_eq!(status(&answer), 454, "{method} {name}");
        }
    }
    for method in ["PLAY", "PAUSE", "TEARDOWN"] {
        assert_eq!(status(&house.ask(client, method, "/duet", &[])), 454, "{method} without one");
    }
}

#[test]
fn get_parameter_is_a_sign_of_life_and_there_are_no_parameters() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    let answer = house.ask(client, "GET_PARAMETER", "/sync-test", &[("Session", &session)]);
    assert_eq!((status(&answer), header(&answer, "Session")), (200, session));
    assert_eq!(status(&house.ask(client, "GET_PARAMETER", "/", &[])), 200);
    let body = "GET_PARAMETER rtsp://host/ RTSP/1.0\r\nCSeq: 99\r\nContent-Length: 6\r\n\r\nvolume";
    house.send(client, body.as_bytes());
    assert_eq!(status(&house.answers(client)[0]), 451);
}

#[test]
fn tracks_of_one_session_play_together_or_not_at_all() {
    let mut house = House::new();
    let client = house.tcp();
    let answer = house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", &udp(5_000))]);
    let session = session(&answer);
    let ours = [("Session", &*session)];
    let second = [("Session", &*session), ("Transport", &*udp(5_002))];
    house.ask(client, "SETUP", "/duet/opus/2", &second);
    for method in ["PLAY", "PAUSE", "TEARDOWN"] {
        assert_eq!(status(&house.ask(client, method, "/duet/opus/1", &ours)), 460, "{method}");
        assert_eq!(status(&house.ask(client, method, "/narration", &ours)), 454, "{method}");
    }
    let answer = house.ask(client, "PLAY", "/duet/", &ours);
    assert_eq!(RtpInfo::parse_list(&header(&answer, "RTP-Info")).len(), 2);
    house.pass(Duration::from_millis(990));
    assert_eq!((house.units_to(5_000).len(), house.units_to(5_002).len()), (50, 50));
}

#[test]
fn the_only_track_of_a_session_may_be_named() {
    let mut house = House::new();
    let (client, session) = set_up(&mut house);
    let answer = house.ask(client, "PLAY", "/sync-test/opus/1", &[("Session", &session)]);
    assert_eq!(status(&answer), 200);
}

#[test]
fn one_connection_carries_several_sessions() {
    let mut house = House::new();
    let (client, first) = set_up(&mut house);
    let answer = house.ask(client, "SETUP", "/duet/l16/1", &[("Transport", &udp(5_002))]);
    let second = session(&answer);
    assert_ne!(first, second);
    house.ask(client, "PLAY", "/sync-test", &[("Session", &first)]);
    house.ask(client, "PLAY", "/duet", &[("Session", &second)]);
    house.pass(Duration::from_millis(990));
    assert_eq!((house.units_to(5_000).len(), house.units_to(5_002).len()), (50, 100));
    house.ask(client, "TEARDOWN", "/sync-test", &[("Session", &first)]);
    assert_eq!(house.server.session_count(), 1);
}
