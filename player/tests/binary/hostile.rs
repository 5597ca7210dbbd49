//! Nothing that a server sends beside the media does the media any harm.

use bytes::Bytes;

use crate::run::{Scratch, play, report, run, samples};
use crate::server::{Script, Server, Then, sent_units};

/// RTP, RTCP and RoQ as they should not be.
fn noise() -> Vec<Bytes> {
    let mut all = vec![
        Bytes::new(),
        Bytes::from_static(b"\x80"),
        // RTP that claims more sources, a longer extension and more padding than there is.
        Bytes::from_static(b"\x8f\x61\x00\x01\x00\x00\x00\x00\x00\x00\x00\x61"),
        Bytes::from_static(b"\x90\x61\x00\x01\x00\x00\x00\x00\x00\x00\x00\x61\xbe\xde\xff\xff"),
        Bytes::from_static(b"\xa0\x61\x00\x01\x00\x00\x00\x00\x00\x00\x00\x61\xff"),
        // Strangers: another payload type, another source far away.
        Bytes::from_static(b"\x80\x60\x00\x01\x00\x00\x00\x00\x00\x00\x00\x61abcd"),
        Bytes::from_static(b"\x80\x61\xff\x00\x7f\xff\xff\xff\x00\x00\x00\x63abcd"),
        // RTCP: an SR with more blocks than bytes, a length beyond the end, a BYE of nobody.
        Bytes::from_static(b"\x9f\xc8\x00\x06\x00\x00\x00\x61"),
        Bytes::from_static(b"\x80\xc9\xff\xff\x00\x00\x00\x61"),
        Bytes::from_static(b"\x80\xc9\x00\x01\x00\x00\x00\x61\x80\xcb\x00\x00"),
        // RoQ: flow identifiers cut off, a stream that announces more than a packet can have.
        Bytes::from_static(b"\xff\xff"),
        Bytes::from_static(b"\x01\xbf\xff\xff\xff\x80"),
    ];
    all.push((0..=255).cycle().take(1_100).collect());
    all
}

fn plays_on(test: &str, start: impl Fn(Script) -> Server) {
    let server = start(Script {
        announced: 100,
        units: 100,
        then: Then::Wait,
        noise: noise(),
        ..Script::default()
    });
    let scratch = Scratch::new(test);
    let (wav, json) = (scratch.path("talk.wav"), scratch.path("talk.json"));
    let mut command = play(&server.url);
    command.args(["--out", &format!("wav:{}", wav.display()), "--subtitles", "plain"]);
    command.args(["--report".as_ref(), json.as_os_str()]);
    if let Some(fingerprint) = server.fingerprint {
        command.args(["--trust", &fingerprint.to_string()]);
    }
    let outcome = run(&mut command);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    assert_eq!(outcome.stdout, "[00:00.5] half a second\n");
    assert!(samples(&wav) == sent_units(100), "every sample, and no other");
    let audio = &report(&json)["streams"][0];
    assert_eq!((&audio["expected"], &audio["lost_network"]), (&100.into(), &0.into()));
}

#[test]
fn noise_on_the_ports_is_passed_over() {
    plays_on("udp-noise", Server::rtsp);
}

#[test]
fn noise_in_datagrams_and_streams_is_passed_over() {
    plays_on("quic-noise", Server::quic);
}
