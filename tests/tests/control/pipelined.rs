//! Requests that do not wait for each other, and requests that trickle in.

use std::time::Duration;

use crate::house::{House, flow, header, session, status};

/// SETUP of sound, repair and French subtitles, and PLAY, in one group.
fn whole_start(house: &mut House) -> String {
    let group = ("Pipelined-Requests", "1");
    let cantus = ("Supported", "cantus.media");
    let paths = ["/narration/opus/1", "/narration/repair/opus/1", "/narration/text/fr"];
    let mut text = String::new();
    for (number, path) in (1..).zip(paths) {
        let transport = flow(number);
        text += &house.request("SETUP", path, &[group, cantus, ("Transport", &transport)]).1;
    }
    text + &house.request("PLAY", "/narration", &[group]).1
}

#[test]
fn everything_can_be_asked_for_in_one_go() {
    let mut house = House::new();
    let client = house.quic();
    let start = whole_start(&mut house);
    house.send(client, start.as_bytes());
    let answers = house.answers(client);
    assert_eq!(answers.iter().map(status).collect::<Vec<_>>(), [200; 4]);
    let sessions: Vec<String> = answers.iter().map(session).collect();
    assert!(sessions.iter().all(|name| *name == sessions[0]), "{sessions:?}");
    assert_eq!(header(&answers[0], "Pipelined-Requests"), "1");
    house.pass(Duration::from_secs(2));
    assert!(house.units_to(0).len() > 150, "sound and repair");
    assert_eq!(house.server.session_count(), 1);
}

#[test]
fn requests_may_come_byte_by_byte() {
    let mut house = House::new();
    let client = house.quic();
    let start = whole_start(&mut house);
    for byte in start.as_bytes() {
        house.send(client, &[*byte]);
    }
    assert_eq!(house.answers(client).iter().map(status).collect::<Vec<_>>(), [200; 4]);
}

#[test]
fn answers_come_in_the_order_of_the_requests_also_where_one_needs_the_disk() {
    let mut house = House::new();
    let client = house.tcp();
    let requests: Vec<(u64, String)> = ["DESCRIBE", "OPTIONS", "DESCRIBE", "FLY", "OPTIONS"]
        .map(|method| house.request(method, "/sync-test", &[]))
        .into();
    let text: String = requests.iter().map(|(_, request)| request.as_str()).collect();
    house.send(client, text.as_bytes());
    let answers = house.answers(client);
    let cseqs: Vec<String> = answers.iter().map(|answer| header(answer, "CSeq")).collect();
    let expected: Vec<String> = requests.iter().map(|(cseq, _)| cseq.to_string()).collect();
    assert_eq!(cseqs, expected);
    assert_eq!(answers.iter().map(status).collect::<Vec<_>>(), [200, 200, 200, 501, 200]);
}

#[test]
fn groups_are_those_of_their_connection_and_end_with_their_session() {
    let mut house = House::new();
    let (first, second) = (house.quic(), house.quic());
    let start = whole_start(&mut house);
    house.send(first, start.as_bytes());
    let name = session(&house.answers(first)[0]);
    let group = [("Pipelined-Requests", "1")];
    assert_eq!(status(&house.ask(second, "PLAY", "/narration", &group)), 454);
    house.ask(first, "TEARDOWN", "/narration", &[("Session", &name)]);
    assert_eq!(status(&house.ask(first, "PLAY", "/narration", &group)), 454);
    house.send(first, start.as_bytes());
    let again = house.answers(first);
    assert_eq!(again.iter().map(status).collect::<Vec<_>>(), [200; 4]);
    assert_ne!(session(&again[0]), name);
}

#[test]
fn after_a_refused_setup_the_play_of_its_group_has_no_session() {
    let mut house = House::new();
    let client = house.quic();
    let group = ("Pipelined-Requests", "1");
    let mut text = house.request("SETUP", "/narration/opus/9", &[group, ("Transport", &flow(1))]).1;
    text += &house.request("PLAY", "/narration", &[group]).1;
    house.send(client, text.as_bytes());
    assert_eq!(house.answers(client).iter().map(status).collect::<Vec<_>>(), [404, 454]);
}
