//! Ctrl-C and SIGTERM end a run properly.
#![cfg(unix)]

use crate::run::{Scratch, play, report, samples, start};
use crate::server::{CUE_AT, Script, Server, sent_units};

fn ends_properly(signal: &str, status: i32) {
    let server = Server::rtsp(Script { announced: 3_000, units: 3_000, ..Script::default() });
    let scratch = Scratch::new(signal);
    let (wav, json) = (scratch.path("talk.wav"), scratch.path("talk.json"));
    let mut command = play(&server.url);
    command.args(["--out", &format!("wav:{}", wav.display())]);
    command.args(["--subtitles", "srt:/dev/stdout"]);
    command.args(["--report".as_ref(), json.as_os_str()]);
    let mut running = start(&mut command);
    // The first cue has appeared: so much was heard.
    running.wait_for_line();
    running.signal(signal);
    let outcome = running.outcome();
    assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(status), ""), "{outcome:?}");
    assert_eq!(outcome.stdout, "1\n00:00:00,500 --> 00:00:00,900\nhalf a second\n\n");
    let heard = samples(&wav);
    assert!(heard.len() >= (CUE_AT.as_millis() * 8) as usize, "{} samples", heard.len());
    assert!(heard == sent_units(3_000)[..heard.len()], "and each is right");
    let audio = &report(&json)["streams"][0];
    assert_eq!(audio["expected"], heard.len() / 160, "what was heard, and nothing beyond");
    assert_eq!((&audio["late"], &audio["residual"]), (&0.into(), &0.0.into()));
}

#[test]
fn ctrl_c_ends_with_130() {
    ends_properly("INT", 130);
}

#[test]
fn sigterm_ends_with_143() {
    ends_properly("TERM", 143);
}
