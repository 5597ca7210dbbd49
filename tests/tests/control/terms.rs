//! What is promised, and what becomes of it while it plays.

use cantus_qos::quantity::Bitrate;
use cantus_streamer::wire::ConnectionId;
use rtsp_types::Response;

use crate::house::{House, flow, header, session, status};

const OURS: (&str, &str) = ("Supported", "cantus.media");

/// Sets up the sound of `sync-test` on flow 1 of its own connection, and its repair on flow 2 where
/// that is wished; the last answer.
fn set_up(house: &mut House, qos: &str, fec: Option<&str>) -> (ConnectionId, Response<Vec<u8>>) {
    let client = house.quic();
    let audio = [("Transport", &*flow(1)), OURS, ("Cantus-QoS", qos)];
    let answer = house.ask(client, "SETUP", "/sync-test/opus/1", &audio);
    assert_eq!(status(&answer), 200);
    let Some(fec) = fec else { return (client, answer) };
    let name = session(&answer);
    let repair = [("Transport", &*flow(2)), OURS, ("Session", &*name), ("Cantus-FEC", fec)];
    (client, house.ask(client, "SETUP", "/sync-test/repair/opus/1", &repair))
}

fn terms(answer: &Response<Vec<u8>>) -> String {
    assert_eq!(status(answer), 200);
    header(answer, "Cantus-QoS")
}

/// What a keep-alive is told.
fn now(house: &mut House, client: ConnectionId, name: &str) -> String {
    terms(&house.ask(client, "GET_PARAMETER", "/sync-test", &[("Session", name), OURS]))
}

#[test]
fn losses_are_promised_only_where_they_can_be_repaired() {
    let mut house = House::new();
    let (_, bare) = set_up(&mut house, "delay<=200ms,loss<=1%", None);
    assert_eq!(terms(&bare), "delay<=200ms,rate<=115200");
    let (_, repaired) = set_up(&mut house, "delay<=200ms,loss<=1%", Some("auto"));
    assert!(terms(&repaired).starts_with("delay<=200ms,loss<=1%,rate<="), "{}", terms(&repaired));
}

#[test]
fn a_block_that_takes_longer_than_the_delay_makes_the_offer_a_longer_one() {
    let mut house = House::new();
    let (_, fits) = set_up(&mut house, "delay<=200ms", Some("5+4"));
    assert!(terms(&fits).starts_with("delay<=200ms,"));
    let (client, long) = set_up(&mut house, "delay<=200ms", Some("18+9"));
    // 17 units of 20 ms, and nine repair packets two of which leave in the time of nine.
    assert!(terms(&long).starts_with("delay<=380ms,"), "{}", terms(&long));
    let name = session(&long);
    let play = house.ask(client, "PLAY", "/sync-test", &[("Session", &name), OURS]);
    assert_eq!(terms(&play), terms(&long), "PLAY says it again");
}

#[test]
fn of_best_effort_nothing_is_promised_but_its_rate() {
    let mut house = House::new();
    let (_, answer) = set_up(&mut house, "jitter<=30ms,loss<=1%,mode=best-effort", Some("auto"));
    let terms = terms(&answer);
    assert!(terms.starts_with("rate<=") && terms.ends_with(",mode=best-effort"), "{terms}");
}

#[test]
fn best_effort_makes_room_for_who_is_promised_something_and_is_told_so() {
    let mut house = House::with_limits(Some(Bitrate::from_kbps(300)), None);
    let (client, answer) = set_up(&mut house, "mode=best-effort", None);
    let name = session(&answer);
    assert_eq!(terms(&answer), "rate<=115200,mode=best-effort");
    let (_, live) = set_up(&mut house, "mode=live", None);
    assert_eq!(now(&mut house, client, &name), "rate<=115200,mode=best-effort");
    let (stored_client, stored) = set_up(&mut house, "mode=stored", None);
    assert_eq!(terms(&stored), "rate<=115200,mode=stored");
    assert_eq!(now(&mut house, client, &name), "rate<=69600,mode=best-effort");
    assert_eq!(house.granted[&client], Bitrate::from_bps(69_600), "and it is sent no faster");
    let leave = [("Session", &*session(&stored))];
    assert_eq!(status(&house.ask(stored_client, "TEARDOWN", "/sync-test", &leave)), 200);
    assert_eq!(now(&mut house, client, &name), "rate<=115200,mode=best-effort");
    assert_eq!(terms(&live), "rate<=115200,mode=live", "what is promised stays");
}

#[test]
fn other_terms_can_be_asked_for_while_it_plays() {
    let mut house = House::new();
    let (client, answer) = set_up(&mut house, "delay<=100ms", None);
    let name = session(&answer);
    let ours = ("Session", &*name);
    assert_eq!(status(&house.ask(client, "PLAY", "/sync-test", &[ours, OURS])), 200);
    let change = [ours, OURS, ("Cantus-QoS", "delay<=350ms,rate<=9M,mode=stored")];
    let changed = house.ask(client, "SET_PARAMETER", "/sync-test", &change);
    assert_eq!(terms(&changed), "delay<=350ms,rate<=115200", "neither rate nor mode changes so");
    assert_eq!(now(&mut house, client, &name), terms(&changed));
    let unknown = house.ask(client, "SET_PARAMETER", "/sync-test", &[("Session", "77"), OURS]);
    assert_eq!(status(&unknown), 454);
    let plain = [ours, ("Cantus-QoS", "delay<=100ms")];
    let plain = house.ask(client, "SET_PARAMETER", "/sync-test", &plain);
    assert_eq!(status(&plain), 451, "no parameters for those who do not know the header");
}

#[test]
fn stored_media_leaves_no_faster_than_its_listener_allows() {
    let mut house = House::new();
    let (client, _) = set_up(&mut house, "mode=stored", None);
    assert_eq!(house.granted[&client], Bitrate::from_bps(288_000));
    let (client, _) = set_up(&mut house, "rate<=160k,mode=stored", None);
    assert_eq!(house.granted[&client], Bitrate::from_kbps(160));
}
