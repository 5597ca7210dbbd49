//! Who may ask, where not everybody may.

use cantus_qos::rtsp::{Algorithm, DigestAnswer};
use cantus_streamer::wire::ConnectionId;

use crate::house::{House, header, session, status, udp};

const NAME: &str = "ann";
const PASSWORD: &str = "open sesame";
/// `ann:open sesame` in base64.
const BASIC: &str = "Basic YW5uOm9wZW4gc2VzYW1l";

fn house() -> House {
    House::for_users(&[(NAME, PASSWORD), ("bob", "")])
}

/// The nonce of the challenge on a connection.
fn nonce(house: &mut House, client: ConnectionId) -> String {
    let challenge = house.ask(client, "DESCRIBE", "/duet", &[]);
    let challenge = header(&challenge, "WWW-Authenticate");
    let (_, nonce) = challenge.split_once("nonce=\"").unwrap();
    nonce.split('"').next().unwrap().to_owned()
}

/// The header that a client shows to ask for `/duet`.
fn digest(method: &str, password: &str, nonce: &str, algorithm: Algorithm) -> String {
    digest_for("rtsp://host/duet", method, password, nonce, algorithm)
}

fn digest_for(
    uri: &str,
    method: &str,
    password: &str,
    nonce: &str,
    algorithm: Algorithm,
) -> String {
    let uri = uri.to_owned();
    let (name, realm, nonce) = (NAME.to_owned(), "Cantus".to_owned(), nonce.to_owned());
    let answer = DigestAnswer { name, realm, nonce, uri, algorithm, ..Default::default() };
    let response = answer.proof(method, password);
    let DigestAnswer { name, realm, nonce, uri, .. } = answer;
    let algorithm = if algorithm == Algorithm::Md5 { "MD5" } else { "SHA-256" };
    format!(
        "Digest username=\"{name}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm={algorithm}"
    )
}

fn describe(house: &mut House, client: ConnectionId, shown: &str) -> u16 {
    status(&house.ask(client, "DESCRIBE", "/duet", &[("Authorization", shown)]))
}

#[test]
fn who_shows_nothing_is_asked_and_gets_nothing_but_the_methods() {
    let mut house = house();
    for client in [house.tcp(), house.quic()] {
        assert_eq!(status(&house.ask(client, "OPTIONS", "/duet", &[])), 200);
        let transport = udp(5_000);
        for method in ["DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN", "FLY"] {
            let answer = house.ask(client, method, "/duet", &[("Transport", &transport)]);
            assert_eq!(status(&answer), 401, "{method}");
            let challenges = header(&answer, "WWW-Authenticate");
            for wanted in ["algorithm=SHA-256", "algorithm=MD5", "Basic realm=\"Cantus\""] {
                assert!(challenges.contains(wanted), "{challenges}");
            }
        }
    }
    assert_eq!(house.server.session_count(), 0);
}

#[test]
fn name_and_password_open_it_as_they_are() {
    let mut house = house();
    let client = house.tcp();
    let shown = ("Authorization", BASIC);
    let answer = house.ask(client, "SETUP", "/duet/opus/1", &[("Transport", &udp(5_000)), shown]);
    let session = session(&answer);
    let ours = ("Session", &*session);
    assert_eq!(status(&house.ask(client, "PLAY", "/duet", &[ours])), 401, "with each request");
    assert_eq!(status(&house.ask(client, "PLAY", "/duet", &[ours, shown])), 200);
    // Another's password, a wrong one, and one of nobody: `bob:open sesame`, `ann:`, `eve:`.
    for wrong in ["Basic Ym9iOm9wZW4gc2VzYW1l", "Basic YW5uOg==", "Basic ZXZlOg=="] {
        assert_eq!(describe(&mut house, client, wrong), 401, "{wrong}");
    }
    assert_eq!(describe(&mut house, client, "Basic ?"), 400);
}

#[test]
fn a_proof_of_the_password_opens_it_on_its_connection_and_for_its_method() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut house = house();
        let (client, other) = (house.tcp(), house.tcp());
        let (nonce, others) = (nonce(&mut house, client), nonce(&mut house, other));
        assert_ne!(nonce, others);
        let right = digest("DESCRIBE", PASSWORD, &nonce, algorithm);
        assert_eq!(describe(&mut house, client, &right), 200);
        assert_eq!(describe(&mut house, other, &right), 401, "seen elsewhere it is worth nothing");
        let wrong = digest("DESCRIBE", "sesame", &nonce, algorithm);
        assert_eq!(describe(&mut house, client, &wrong), 401);
        let other_method = digest("PLAY", PASSWORD, &nonce, algorithm);
        assert_eq!(describe(&mut house, client, &other_method), 401);
        let invented = digest("DESCRIBE", PASSWORD, "invented", algorithm);
        assert_eq!(describe(&mut house, client, &invented), 401);
    }
}

#[test]
fn a_proof_is_one_for_what_is_asked_for_as_clients_write_it() {
    let mut house = house();
    let client = house.tcp();
    let nonce = nonce(&mut house, client);
    let mut ask = |method: &str, path: &str, uri: &str| {
        let shown = digest_for(uri, method, PASSWORD, &nonce, Algorithm::Md5);
        let headers = [("Authorization", &*shown), ("Transport", "RTP/AVP;unicast")];
        status(&house.ask(client, method, path, &headers))
    };
    // ffmpeg, mpv, GStreamer, retina and ours name the URL of the request; others its path.
    for uri in ["rtsp://host/duet?codec=l16", "rtsp://192.0.2.1:8554/duet/", "/duet", "/%64uet"] {
        assert_eq!(ask("DESCRIBE", "/duet?codec=l16", uri), 200, "{uri}");
    }
    // live555 names the presentation whatever it asks for.
    for uri in ["rtsp://host/duet/", "rtsp://host/duet/opus/1", "/duet/opus/1"] {
        assert_eq!(ask("SETUP", "/duet/opus/1", uri), 461, "{uri}: a transport without ports");
    }
    for (path, uri) in [
        ("/duet", "rtsp://host/narration"),
        ("/duet", "rtsp://host/duet/opus/1"),
        ("/duet/opus/1", "rtsp://host/duet/opus/2"),
        ("/duet/opus/1", "rtsp://host/"),
        ("/duet", "rtsp://host/"),
        ("/duet", ""),
        ("/duet", "*"),
        ("/duet", "rtsp://[/duet"),
    ] {
        assert_eq!(ask("DESCRIBE", path, uri), 400, "{path}: {uri}");
    }
}

#[test]
fn who_guesses_is_cut_off_after_eight_and_others_are_not() {
    let mut house = house();
    let (guesser, client) = (house.tcp(), house.tcp());
    for tries in 1..=8 {
        assert!(!house.is_closed(guesser), "after {} tries", tries - 1);
        assert_eq!(describe(&mut house, guesser, "Basic YW5uOg=="), 401);
    }
    assert!(house.is_closed(guesser));
    for _ in 0..20 {
        assert_eq!(status(&house.ask(client, "DESCRIBE", "/duet", &[])), 401);
    }
    assert_eq!(describe(&mut house, client, BASIC), 200, "asking is no guess");
}
