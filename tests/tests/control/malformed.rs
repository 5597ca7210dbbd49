//! What is wrong is refused in words, and what cannot be read ends its connection alone.

use crate::house::{House, header, session, status, udp};

/// The status of the answer to these bytes, and whether the connection was closed.
fn answer(data: &[u8]) -> (u16, bool) {
    let mut house = House::new();
    let (client, other) = (house.tcp(), house.tcp());
    house.send(client, data);
    let answers = house.answers(client);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(!answers[0].body().is_empty(), "the reason stands in the body");
    assert_eq!(status(&house.ask(other, "OPTIONS", "/", &[])), 200, "others do not suffer");
    (status(&answers[0]), house.is_closed(client))
}

#[test]
fn a_method_that_we_do_not_have_is_not_implemented() {
    let mut house = House::new();
    let client = house.tcp();
    for method in ["FLY", "RECORD", "ANNOUNCE", "REDIRECT", "describe"] {
        let answer = house.ask(client, method, "/duet", &[]);
        assert_eq!(status(&answer), 501, "{method}");
        assert!(header(&answer, "Public").contains("DESCRIBE"));
    }
}

#[test]
fn headers_that_we_do_not_know_are_passed_over() {
    let mut house = House::new();
    let client = house.tcp();
    let headers = [
        ("X-Unknown", "anything: at all"),
        ("Accept-Language", "fr"),
        ("Bandwidth", "0"),
        ("Blocksize", "many"),
        ("User-Agent", "one/1.0 (of) a kind"),
        ("Range", "furlong=1-2"),
    ];
    assert_eq!(status(&house.ask(client, "DESCRIBE", "/duet", &headers)), 200);
}

#[test]
fn a_header_that_matters_must_be_understood() {
    let mut house = House::new();
    let client = house.tcp();
    let transport = udp(5_000);
    for (name, value) in [("Cantus-QoS", "delay<=soon"), ("Cantus-FEC", "1+1000")] {
        let headers = [("Transport", &*transport), (name, value)];
        assert_eq!(status(&house.ask(client, "SETUP", "/narration", &headers)), 400, "{name}");
    }
}

#[test]
fn a_request_without_cseq_is_bad_and_the_connection_goes_on() {
    assert_eq!(answer(b"OPTIONS * RTSP/1.0\r\n\r\n"), (400, false));
}

#[test]
fn another_version_is_not_supported() {
    assert_eq!(answer(b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n"), (505, false));
    assert_eq!(answer(b"OPTIONS * RTSP/3.0\r\nCSeq: 1\r\n\r\n"), (505, true));
}

#[test]
fn what_is_too_long_is_refused_before_it_is_kept() {
    let line = [b"OPTIONS * RTSP/1.0\r\nX: ", &[b'x'; 65_536][..]].concat();
    assert_eq!(answer(&line), (400, true));
    let body = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 100000000000\r\n\r\n";
    assert_eq!(answer(body), (413, true));
    let length = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n";
    assert_eq!(answer(length), (400, true));
}

#[test]
fn noise_is_answered_once_and_cut_off() {
    assert_eq!(answer(&noise(65_536)), (400, true));
    assert_eq!(answer(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), (400, true));
}

#[test]
fn noise_on_a_connection_ends_its_quic_sessions_and_no_others() {
    let mut house = House::new();
    let (noisy, calm) = (house.quic(), house.quic());
    for client in [noisy, calm] {
        let transport = [("Transport", "RTP/AVPF/QUIC;unicast;flow=1")];
        let answer = house.ask(client, "SETUP", "/narration/opus/1", &transport);
        house.ask(client, "PLAY", "/narration", &[("Session", &session(&answer))]);
    }
    house.send(noisy, &noise(65_536));
    assert!(house.is_closed(noisy) && !house.is_closed(calm));
    assert_eq!(house.server.session_count(), 1);
    house.send(noisy, &noise(65_536));
    house.disconnect(noisy);
    assert_eq!(status(&house.ask(calm, "OPTIONS", "/", &[])), 200);
}

#[test]
fn what_is_no_request_is_passed_over() {
    let mut house = House::new();
    let client = house.tcp();
    house.send(client, b"\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n$\x00\x00\x04abcd");
    assert_eq!(house.answers(client).len(), 0);
    assert_eq!(status(&house.ask(client, "OPTIONS", "/", &[])), 200);
}

/// Bytes without a pattern, the same each time (xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}
