//! SETUP over UDP and QUIC, and what it refuses.

use cantus_qos::rtsp::Transport;
use cantus_qos::spec::QosSpec;

use crate::house::{House, flow, header, session, status, udp};

#[test]
fn over_udp_the_answer_names_our_ports_and_the_source() {
    let mut house = House::new();
    let client = house.tcp();
    let answer = house.ask(client, "SETUP", "/narration/opus/1", &[("Transport", &udp(5_000))]);
    assert_eq!(status(&answer), 200);
    assert!(header(&answer, "Session").ends_with(";timeout=60"));
    let transport: Transport = header(&answer, "Transport").parse().unwrap();
    let Transport::Udp { client, server, ssrc, .. } = transport else { panic!("{transport:?}") };
    assert_eq!((client, server), ((5_000, 5_001), Some((6_000, 6_001))));
    assert!(ssrc.is_some());
    assert_eq!(house.server.session_count(), 1);
}

#[test]
fn over_quic_the_client_numbers_the_flows_and_its_window_grows_with_them() {
    let mut house = House::new();
    let client = house.quic();
    let answer = house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", &flow(3))]);
    assert!(header(&answer, "Transport").starts_with("RTP/AVPF/QUIC;unicast;flow=3;ssrc="));
    let first = house.granted[&client];
    let session = session(&answer);
    let more = [("Transport", &*flow(4)), ("Session", &*session)];
    assert_eq!(status(&house.ask(client, "SETUP", "/duet/opus/2", &more)), 200);
    assert_eq!(house.granted[&client].as_bps(), 2 * first.as_bps());
    assert_eq!(house.server.session_count(), 1);
    house.ask(client, "TEARDOWN", "/duet", &[("Session", &session)]);
    assert_eq!(house.granted[&client].as_bps(), 0);
}

#[test]
fn the_first_transport_that_is_possible_is_taken() {
    let mut house = House::new();
    let client = house.tcp();
    let offers = "RAW/RAW/UDP, RTP/AVP;multicast;port=9000-9001, RTP/AVP;unicast;client_port=5000, RTP/AVP/TCP;interleaved=0-1";
    let answer = house.ask(client, "SETUP", "/narration", &[("Transport", offers)]);
    assert!(header(&answer, "Transport").contains("client_port=5000-5001"));
}

#[test]
fn a_transport_that_the_connection_does_not_carry_is_refused() {
    let mut house = House::new();
    let (tcp, quic) = (house.tcp(), house.quic());
    for offer in [
        "RTP/AVP/TCP;unicast",
        "RTP/AVP;multicast;port=9000-9001",
        "RTP/SAVP;unicast;client_port=5000-5001",
        "RTP/AVP;unicast;client_port=0-1",
        "RTP/AVP;unicast;client_port=65535",
        "RTP/AVP;unicast;client_port=5000-5001;mode=RECORD",
        "RTP/AVPF/QUIC;unicast;flow=1",
        "RTP/AVPF/QUIC;unicast;flow=0",
        "",
    ] {
        let answer = house.ask(tcp, "SETUP", "/narration/opus/1", &[("Transport", offer)]);
        assert_eq!(status(&answer), 461, "{offer}");
    }
    for offer in [
        "RTP/AVP;unicast;client_port=5000-5001",
        "RTP/AVP/TCP;unicast;interleaved=0-1",
        "RTP/AVPF/QUIC;unicast;flow=0",
    ] {
        let answer = house.ask(quic, "SETUP", "/narration/opus/1", &[("Transport", offer)]);
        assert_eq!(status(&answer), 461, "{offer}");
    }
    assert_eq!(status(&house.ask(tcp, "SETUP", "/narration/opus/1", &[])), 400, "none at all");
}

#[test]
fn media_goes_to_nobody_who_has_not_asked() {
    let mut house = House::new();
    let client = house.tcp();
    let elsewhere = "RTP/AVP;unicast;destination=198.51.100.1;client_port=5000-5001";
    let answer = house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", elsewhere)]);
    assert_eq!(status(&answer), 403);
    let here = "RTP/AVP;unicast;destination=192.0.2.7;client_port=5000-5001";
    let answer = house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", here)]);
    assert_eq!(status(&answer), 200);
}

#[test]
fn what_is_playing_or_set_up_already_is_not_set_up_again() {
    let mut house = House::new();
    let client = house.tcp();
    let answer = house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", &udp(5_000))]);
    let session = session(&answer);
    let again = [("Transport", &*udp(5_002)), ("Session", &*session)];
    assert_eq!(status(&house.ask(client, "SETUP", "/duet/opus/1", &again)), 455);
    house.ask(client, "PLAY", "/duet", &[("Session", &session)]);
    let answer = house.ask(client, "SETUP", "/duet/opus/2", &again);
    assert_eq!(status(&answer), 455);
    assert!(header(&answer, "Allow").contains("PAUSE"));
    house.ask(client, "PAUSE", "/duet", &[("Session", &session)]);
    assert_eq!(status(&house.ask(client, "SETUP", "/duet/opus/2", &again)), 200);
}

#[test]
fn a_session_is_about_one_presentation_in_one_codec() {
    let mut house = House::new();
    let client = house.tcp();
    let answer = house.ask(client, "SETUP", "/narration/opus/1", &[("Transport", &udp(5_000))]);
    let session = session(&answer);
    let more = [("Transport", &*udp(5_002)), ("Session", &*session)];
    for path in ["/duet/opus/2", "/narration/l16/1", "/sync-test/text/en"] {
        assert_eq!(status(&house.ask(client, "SETUP", path, &more)), 459, "{path}");
    }
    // What was described in between does not matter.
    house.ask(client, "DESCRIBE", "/duet", &[]);
    assert_eq!(status(&house.ask(client, "SETUP", "/narration/text/en", &more)), 200);
}

#[test]
fn the_presentation_itself_can_be_set_up_where_it_has_one_track() {
    let mut house = House::new();
    let client = house.tcp();
    let transport = udp(5_000);
    let transport = [("Transport", &*transport)];
    assert_eq!(status(&house.ask(client, "SETUP", "/duet", &transport)), 459);
    assert_eq!(status(&house.ask(client, "SETUP", "/", &transport)), 400);
    assert_eq!(status(&house.ask(client, "SETUP", "/narration", &transport)), 200);
}

#[test]
fn repair_comes_after_what_it_repairs_and_says_its_block() {
    let mut house = House::new();
    let client = house.quic();
    let wish = |number, session: &str| {
        vec![
            ("Transport".to_owned(), flow(number)),
            ("Supported".to_owned(), "cantus.media".to_owned()),
            ("Cantus-QoS".to_owned(), "delay<=200ms".to_owned()),
            ("Session".to_owned(), session.to_owned()),
        ]
    };
    let ask = |house: &mut House, path: &str, number, session: &str| {
        let headers = wish(number, session);
        let count = if session.is_empty() { 3 } else { 4 };
        let headers: Vec<(&str, &str)> =
            headers.iter().take(count).map(|(name, value)| (&**name, &**value)).collect();
        house.ask(client, "SETUP", path, &headers)
    };
    assert_eq!(status(&ask(&mut house, "/narration/repair/opus/1", 2, "")), 455);
    let answer = ask(&mut house, "/narration/opus/1", 1, "");
    let session = session(&answer);
    let answer = ask(&mut house, "/narration/repair/opus/1", 2, &session);
    assert_eq!(status(&answer), 200);
    assert!(header(&answer, "Cantus-FEC").contains('+'));
    let granted: QosSpec = header(&answer, "Cantus-QoS").parse().unwrap();
    assert_eq!(granted.delay.map(|delay| delay.as_millis()), Some(200));
    assert_eq!(granted.rate, Some(house.server.granted()), "what is granted, repair included");
}

#[test]
fn a_track_is_repaired_by_one_scheme_as_it_was_wished() {
    let mut house = House::new();
    let client = house.quic();
    let mut ask = |path: &str, number, session: &str, fec: &str| {
        let transport = flow(number);
        let mut headers = vec![
            ("Transport", &*transport),
            ("Supported", "cantus.media"),
            ("Cantus-QoS", "delay<=200ms"),
        ];
        headers.extend(
            [("Session", session), ("Cantus-FEC", fec)].into_iter().filter(|it| !it.1.is_empty()),
        );
        house.ask(client, "SETUP", path, &headers)
    };
    let answer = ask("/narration/opus/1", 1, "", "");
    let session = session(&answer);
    for (scheme, fec) in [("sliding", "5+4"), ("sliding", "off"), ("repair", "sliding:80%")] {
        let path = format!("/narration/{scheme}/opus/1");
        assert_eq!(status(&ask(&path, 2, &session, fec)), 406, "{scheme}, {fec}");
    }
    let answer = ask("/narration/sliding/opus/1", 2, &session, "sliding:60%");
    assert_eq!(status(&answer), 200);
    assert_eq!(header(&answer, "Cantus-FEC"), "sliding:60%/146ms");
    assert_eq!(status(&ask("/narration/repair/opus/1", 3, &session, "auto")), 455);
}

#[test]
fn a_refused_setup_leaves_nothing_behind() {
    let mut house = House::new();
    let client = house.tcp();
    for (path, transport) in [
        ("/narration/opus/9", "RTP/AVP;client_port=5000-5001"),
        ("/narration/opus/9", "RTP/AVP/TCP;interleaved=0-1"),
        ("/narration/opus/1", "RTP/SAVP;client_port=5000-5001"),
        ("/narration/repair/opus/1", "RTP/AVP;client_port=5000-5001"),
    ] {
        assert_ne!(status(&house.ask(client, "SETUP", path, &[("Transport", transport)])), 200);
    }
    assert_eq!((house.server.session_count(), house.server.granted().as_bps()), (0, 0));
    let answer = house.ask(client, "SETUP", "/narration", &[("Transport", &udp(5_000))]);
    assert_eq!(status(&answer), 200, "the port is free");
}
