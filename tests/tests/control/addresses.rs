//! What a URL may point at.

use crate::house::{House, status};

#[test]
fn a_presentation_that_is_not_there_is_not_found() {
    let mut house = House::new();
    let client = house.tcp();
    for path in ["/nothing", "/narration.wav", "/duet/opus", "/duet/opus/x", "/duet/video/1"] {
        let answer = house.ask(client, "DESCRIBE", path, &[]);
        assert_eq!(status(&answer), 404, "{path}");
        assert!(!answer.body().is_empty(), "the reason stands in the body");
    }
}

#[test]
fn no_way_leads_out_of_the_media_directory() {
    let mut house = House::new();
    let client = house.tcp();
    for path in [
        "/../Cargo",
        "/..%2fCargo.toml",
        "/%2e%2e%2fCargo.toml",
        "/..%5cCargo.toml",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/narration%2f..%2f..%2fetc%2fpasswd",
        "/duet%2f1",
        "/.git",
        "/narration%00",
        "/%ff",
    ] {
        for method in ["DESCRIBE", "SETUP"] {
            let status = status(&house.ask(client, method, path, &[]));
            assert!(matches!(status, 403 | 404), "{method} {path}: {status}");
        }
    }
}

#[test]
fn setup_of_a_track_that_is_not_there_is_not_found() {
    let mut house = House::new();
    let client = house.tcp();
    let transport = [("Transport", "RTP/AVP;unicast;client_port=5000-5001")];
    for path in
        ["/narration/opus/2", "/narration/text/de", "/narration/repair/opus/2", "/duet/l16/3"]
    {
        assert_eq!(status(&house.ask(client, "SETUP", path, &transport)), 404, "{path}");
    }
    assert_eq!(house.server.session_count(), 0);
}
