//! What cannot be written is told in one line; what can be written is whole.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::run::{Running, Scratch, play, report, run, samples, start};
use crate::server::{Script, Server, Then, sent_units};

/// A second of sound and a cue.
fn server() -> Server {
    Server::rtsp(Script { announced: 50, units: 50, then: Then::Wait, ..Script::default() })
}

/// Plays with these options; sound and words go nowhere unless they say otherwise.
fn with(options: &[&str]) -> Running {
    let mut command = play(&server().url);
    for (option, elsewhere) in [("--out", "null"), ("--subtitles", "plain")] {
        if !options.contains(&option) {
            command.args([option, elsewhere]);
        }
    }
    start(command.args(options))
}

#[test]
fn a_full_disk_is_told_with_the_file() {
    let full = "/dev/full: No space left on device (os error 28)";
    let runs = [
        (["--out", "wav:/dev/full"], "sound"),
        (["--subtitles", "srt:/dev/full"], "subtitles"),
        (["--trace", "/dev/full"], "trace"),
        (["--report", "/dev/full"], "report"),
    ];
    for (running, what) in runs.map(|(options, what)| (with(&options), what)) {
        assert_eq!(running.outcome().complaint(), format!("cannot write the {what} to {full}"));
    }
}

#[test]
fn a_directory_that_is_not_there_is_told_with_the_file() {
    let nowhere = "/nonexistent/x: No such file or directory (os error 2)";
    for (options, what) in [
        (["--out", "wav:/nonexistent/x"], "sound"),
        (["--subtitles", "srt:/nonexistent/x"], "subtitles"),
        (["--trace", "/nonexistent/x"], "trace"),
        (["--report", "/nonexistent/x"], "report"),
    ] {
        let outcome = with(&options).outcome();
        assert_eq!(outcome.complaint(), format!("cannot write the {what} to {nowhere}"));
        assert_eq!(outcome.stdout, "", "it is told before anything is heard");
    }
}

#[test]
fn where_the_sound_finds_no_room_the_report_is_still_written() {
    let scratch = Scratch::new("no-room");
    let json = scratch.path("talk.json");
    let running = with(&["--out", "wav:/dev/full", "--report", json.to_str().unwrap()]);
    running.outcome().complaint();
    assert_eq!(report(&json)["transport"], "udp");
}

#[test]
fn a_file_that_may_not_grow_in_mid_play_is_whole_as_far_as_it_goes() {
    let scratch = Scratch::new("no-growth");
    let (wav, json) = (scratch.path("talk.wav"), scratch.path("talk.json"));
    let server =
        Server::rtsp(Script { announced: 200, units: 200, then: Then::Wait, ..Script::default() });
    let player = play(&server.url);
    // Sixteen or thirty-two blocks, as the shell counts them: of 64 kB no more than a half.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 32 && exec \"$0\" \"$@\""]);
    command.arg(player.get_program()).args(player.get_args());
    command.args(["--out", &format!("wav:{}", wav.display()), "--subtitles", "none"]);
    command.args(["--report".as_ref(), json.as_os_str()]);
    let outcome = run(&mut command);
    let expected = format!("cannot write the sound to {}: File too large", wav.display());
    assert!(outcome.complaint().starts_with(&expected), "{outcome:?}");
    let heard = samples(&wav);
    assert!(heard.len() > 5_000, "{} samples", heard.len());
    assert!(heard == sent_units(200)[..heard.len()]);
    let audio = &report(&json)["streams"][0];
    assert_eq!(audio["late"], 0, "what was buffered is not late");
}
