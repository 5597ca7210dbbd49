//! The command itself: what it prints, how it fails, how it ends.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A directory for the streamer's key, removed at the end.
struct State(PathBuf);

impl State {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cantus-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples")
}

fn streamer(state: &State, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus-streamer"));
    command.args(arguments).env("XDG_STATE_HOME", &state.0).env_remove("RUST_LOG");
    command
}

/// Exit status and standard error of a streamer that does not come up.
#[track_caller]
fn failure(state: &State, arguments: &[&str]) -> (i32, String) {
    let Output { status, stderr, .. } = streamer(state, arguments).output().unwrap();
    (status.code().expect("it ends by itself"), String::from_utf8(stderr).unwrap())
}

#[track_caller]
fn assert_fails_in_one_line(state: &State, arguments: &[&str], words: &str) {
    let (status, stderr) = failure(state, arguments);
    assert_eq!(status, 1, "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("cantus-streamer: ") && stderr.contains(words), "{stderr}");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let state = State::new("missing");
    assert_fails_in_one_line(&state, &["serve", "/nonexistent/media"], "/nonexistent/media");
    let file = samples().join("README.md");
    let file = file.to_str().unwrap();
    assert_fails_in_one_line(&state, &["serve", file], "is not a directory");
}

#[test]
fn a_port_in_use_is_named() {
    let state = State::new("port");
    let samples = samples();
    let serve = ["serve", samples.to_str().unwrap()];
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap().to_string();
    let rtsp = [&serve[..], &["--quic", "off", "--rtsp", &address]].concat();
    assert_fails_in_one_line(&state, &rtsp, &format!("cannot listen on {address} (RTSP)"));
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = udp.local_addr().unwrap().to_string();
    let quic = [&serve[..], &["--rtsp", "off", "--quic", &address]].concat();
    assert_fails_in_one_line(&state, &quic, &format!("cannot listen on {address} (QUIC)"));
}

#[test]
fn a_bad_certificate_is_named() {
    let state = State::new("certificate");
    let file = state.0.join("noise.pem");
    std::fs::write(&file, "this is no certificate\n").unwrap();
    let (file, samples) = (file.to_str().unwrap(), samples());
    let pem = ["serve", samples.to_str().unwrap(), "--cert", file, "--key", file];
    assert_fails_in_one_line(&state, &pem, &format!("{file}: no usable certificate"));
}

#[test]
fn wrong_usage_is_status_2() {
    let state = State::new("usage");
    for line in [
        &[][..],
        &["serve", "--http", "[::]:80"],
        &["serve", "--quic", "off", "--rtsp", "off"],
        &["serve", "--max-bitrate", "0"],
        &["stream"],
    ] {
        assert_eq!(failure(&state, line).0, 2, "{line:?}");
    }
}

#[test]
fn help_shows_how_and_exits_well() {
    let state = State::new("help");
    let output = streamer(&state, &["help", "serve"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for word in ["Examples:", "--quic", "--rtsp", "--cert", "--key", "--max-bitrate"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

/// A streamer that is up, and what it said.
fn serve(state: &State) -> (Child, Vec<String>) {
    let samples = samples();
    let line = ["serve", samples.to_str().unwrap(), "--quic", "[::]:0", "--rtsp", "127.0.0.1:0"];
    let mut child = streamer(state, &line).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let over = line == "Ctrl-C ends it.";
        said.push(line);
        if over {
            return (child, said);
        }
    }
    panic!("it said {said:?} and ended: {:?}", child.wait());
}

fn end(mut child: Child, signal: &str) -> Option<i32> {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait().unwrap().code()
}

#[test]
fn it_says_what_it_serves_and_where_and_keeps_its_certificate() {
    let state = State::new("greeting");
    let (child, said) = serve(&state);
    let has = |start: &str, end: &str| {
        said.iter().any(|line| line.trim().starts_with(start) && line.ends_with(end))
    };
    assert!(has("Serving 4 presentations from", "media-samples"), "{said:?}");
    assert!(has("A voice that others keep time with (1:01", "subtitles en fr vi)"), "{said:?}");
    assert!(
        has("quic://localhost:", "/narration") && has("rtsp://127.0.0.1:", "/duet"),
        "{said:?}"
    );
    let trust = |said: &[String]| {
        let line = said.iter().find(|line| line.starts_with("Certificate: --trust sha256:"));
        line.cloned().expect("the fingerprint is told")
    };
    assert_eq!(trust(&said).len(), "Certificate: --trust sha256:".len() + 64);
    assert_eq!(end(child, "-INT"), Some(130));
    let (child, said_again) = serve(&state);
    assert_eq!(trust(&said), trust(&said_again));
    assert_eq!(end(child, "-TERM"), Some(143));
}
