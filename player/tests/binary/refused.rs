//! What cannot be played is refused with one line that names it.

use std::net::{TcpListener, UdpSocket};

use crate::run::{play_to_nowhere, run, start};
use crate::server::{Script, Server};

fn answering(method: &'static str, answer: impl Into<Vec<u8>>) -> Server {
    Server::rtsp(Script { answers: vec![(method, answer.into())], ..Script::default() })
}

fn complaint(server: &Server) -> String {
    run(&mut play_to_nowhere(&server.url)).complaint().to_owned()
}

#[test]
fn an_unknown_presentation() {
    let server = answering("DESCRIBE", "RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n");
    let expected = "no such presentation on this server (cantus-player list shows what it has)";
    assert_eq!(complaint(&server), format!("{}: {expected}", server.url));
}

#[test]
fn a_tcp_port_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = run(&mut play_to_nowhere(&format!("rtsp://{address}/talk")));
    let complaint = outcome.complaint();
    assert!(complaint.starts_with(&format!("cannot connect to {address}: ")), "{complaint}");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    // It is bound, so that nobody else can take it meanwhile, and stays silent.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let trust = format!("sha256:{}", "00".repeat(32));
    let quic = format!("quic://{address}/talk");
    let quic = start(play_to_nowhere(&quic).args(["--trust", &trust]));
    let server = answering("DESCRIBE", "");
    let rtsp = start(&mut play_to_nowhere(&server.url));
    let expected =
        format!("no answer from {address} for 5 s: is this the right port, and UDP not blocked?");
    assert_eq!(quic.outcome().complaint(), expected);
    let expected = "the server has not answered DESCRIBE for 10 s";
    assert_eq!(rtsp.outcome().complaint(), expected);
}

#[test]
fn a_server_with_another_certificate() {
    let server = Server::quic(Script::default());
    let trust = format!("sha256:{}", "00".repeat(32));
    let outcome = run(play_to_nowhere(&server.url).args(["--trust", &trust]));
    let shown = server.fingerprint.unwrap().to_string();
    let complaint = outcome.complaint();
    assert!(complaint.contains(&shown), "it names what the server showed: {complaint}");
}

#[test]
fn a_server_that_leaves_in_place_of_an_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtsp://{}/talk", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let outcome = run(&mut play_to_nowhere(&url));
    server.join().unwrap();
    let expected = "the server has closed the connection before anything was played";
    assert_eq!(outcome.complaint(), expected);
}

#[test]
fn answers_that_are_not_rtsp() {
    let head = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n";
    let long = format!("{head}X-Long: {}\r\n\r\n", "x".repeat(64 * 1024));
    let huge = format!("{head}Content-Length: 100000000000\r\n\r\n");
    let noise: Vec<u8> = (0..=255).cycle().take(65_536).collect();
    for (answer, why) in [
        (long.into_bytes(), "a header line exceeds 8192 bytes"),
        (huge.into_bytes(), "a body of 100000000000 bytes exceeds 65536"),
        (noise, "a message head exceeds 32768 bytes"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[31m".to_vec(), "not an RTSP message"),
    ] {
        let complaint = complaint(&answering("DESCRIBE", answer));
        let expected = format!("the server does not speak RTSP: {why}");
        assert!(complaint.starts_with(&expected), "{complaint}, expected {why}");
        assert!(!complaint.contains(char::is_control), "{complaint:?}");
    }
}

#[test]
fn descriptions_that_are_none() {
    let described = |sdp: &str| {
        let length = sdp.len();
        let head = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n";
        complaint(&answering("DESCRIBE", format!("{head}Content-Length: {length}\r\n\r\n{sdp}")))
    };
    let unreadable = described("<html>hello</html>");
    let expected = "the description of the presentation cannot be read: ";
    assert!(unreadable.starts_with(expected), "{unreadable}");
    let video = "v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n";
    let silent = described(video);
    assert!(silent.ends_with("/talk has no audio track that can be played"), "{silent}");
}
