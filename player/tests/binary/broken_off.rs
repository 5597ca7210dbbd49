//! The server is gone in mid-play: what was heard stands, and how much it was is told.

use crate::run::{Running, Scratch, play, report, samples, start};
use crate::server::{Script, Server, Then, sent_units};

/// One second of a minute, and then nothing.
fn broken_off(then: Then) -> Script {
    Script { announced: 3_000, units: 50, then, ..Script::default() }
}

/// A player under way, and what it writes.
struct Listener {
    running: Running,
    scratch: Scratch,
}

impl Listener {
    fn start(test: &str, server: &Server) -> Self {
        let scratch = Scratch::new(test);
        let mut command = play(&server.url);
        command.args(["--out", &format!("wav:{}", scratch.path("talk.wav").display())]);
        command.args(["--subtitles", &format!("srt:{}", scratch.path("talk.srt").display())]);
        command.args(["--report".as_ref(), scratch.path("talk.json").as_os_str()]);
        if let Some(fingerprint) = server.fingerprint {
            command.args(["--trust", &fingerprint.to_string()]);
        }
        Self { running: start(&mut command), scratch }
    }

    fn expect_told(self, what: &str) {
        let outcome = self.running.outcome();
        let expected = "the server is gone: 1.0 s of 60.0 s were played";
        assert_eq!(outcome.complaint(), expected, "{what}");
        let expected = sent_units(50);
        let heard = samples(&self.scratch.path("talk.wav"));
        assert!(heard[..expected.len()] == expected, "{what}: every sample that came");
        let words = std::fs::read_to_string(self.scratch.path("talk.srt")).unwrap();
        assert_eq!(words, "1\n00:00:00,500 --> 00:00:00,900\nhalf a second\n\n", "{what}");
        let report = report(&self.scratch.path("talk.json"));
        assert_eq!(report["streams"][0]["received"], 50, "{what}");
    }
}

#[test]
fn a_server_that_closes_or_falls_silent_is_told_and_what_was_heard_stands() {
    let servers = [
        ("udp-close", Server::rtsp(broken_off(Then::Close))),
        ("udp-silence", Server::rtsp(broken_off(Then::Silence))),
        ("quic-close", Server::quic(broken_off(Then::Close))),
        ("quic-silence", Server::quic(broken_off(Then::Silence))),
    ];
    let listeners = servers.map(|(what, server)| (what, Listener::start(what, &server)));
    for (what, listener) in listeners {
        listener.expect_told(what);
    }
}
