//! The command itself: what it prints, how it fails, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
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
    let serve = ["--quic", "--rtsp", "--cert", "--key", "--max-bitrate"];
    let push = ["--to", "--codec", "--bitrate", "--sdp", "--sap"];
    for (command, words) in [("serve", serve), ("push", push)] {
        let output = streamer(&state, &["help", command]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        for word in words.iter().chain(&["Examples:"]) {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}

/// A streamer that is up, and what it said.
fn serve(state: &State) -> (Child, Vec<String>) {
    let samples = samples();
    let line = ["serve", samples.to_str().unwrap(), "--quic", "[::]:0", "--rtsp", "127.0.0.1:0"];
    greeted(streamer(state, &line))
}

/// A server that is up, and what it said.
fn greeted(mut command: Command) -> (Child, Vec<String>) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
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

#[test]
fn more_connections_than_the_system_has_descriptors_lock_nobody_out() {
    let limited = "ulimit -n 64 && exec \"$0\" serve \"$1\" --quic off --rtsp 127.0.0.1:0";
    let mut command = Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_cantus-streamer")]).arg(samples());
    let (child, said) = greeted(command);
    let url = said.iter().find_map(|line| line.trim().strip_prefix("rtsp://"));
    let address = url.and_then(|url| url.split('/').next()).expect("where it is");
    let connect = || TcpStream::connect(address).unwrap();
    let idle: Vec<TcpStream> = std::iter::repeat_with(connect).take(100).collect();
    let mut client = connect();
    client.write_all(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n").unwrap();
    let mut answer = [0; 15];
    let minute = std::time::Duration::from_secs(60);
    client.set_read_timeout(Some(minute)).unwrap();
    let read = client.read_exact(&mut answer);
    drop(idle);
    assert_eq!(end(child, "-INT"), Some(130));
    read.unwrap();
    assert_eq!(&answer, b"RTSP/1.0 200 Ok");
}

/// A WAV file of 48 kHz mono that lasts `millis`.
fn short_sound(state: &State, millis: u32) -> PathBuf {
    let path = state.0.join("short.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&path, spec).unwrap();
    (0..48 * millis).for_each(|n| file.write_sample((n % 480) as i16 * 8).unwrap());
    file.finalize().unwrap();
    path
}

/// Neighbouring ports on loopback.
fn pair() -> (UdpSocket, UdpSocket) {
    for _ in 0..64 {
        let rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = rtp.local_addr().unwrap().port();
        if let Some(Ok(rtcp)) = port.checked_add(1).map(|next| UdpSocket::bind(("127.0.0.1", next)))
        {
            return (rtp, rtcp);
        }
    }
    panic!("no two neighbouring ports")
}

fn waiting(socket: &UdpSocket) -> Vec<Vec<u8>> {
    socket.set_nonblocking(true).unwrap();
    let mut packet = [0; 2_048];
    let mut next = || socket.recv(&mut packet).ok().map(|length| packet[..length].to_vec());
    std::iter::from_fn(&mut next).collect()
}

#[test]
fn a_push_sends_every_unit_and_says_goodbye() {
    let state = State::new("push");
    let sound = short_sound(&state, 300);
    let (rtp, rtcp) = pair();
    let url = format!("rtp://{}", rtp.local_addr().unwrap());
    let sdp = state.0.join("short.sdp");
    let push = ["push", sound.to_str().unwrap(), "--to", &url, "--codec", "l16"];
    let line = [&push[..], &["--sdp", sdp.to_str().unwrap()]].concat();
    let output = streamer(&state, &line).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(&format!("Pushing short (0:00) to {url}\n")), "{said}");
    let media = waiting(&rtp);
    assert_eq!(media.len(), 30, "units of 10 ms");
    assert!(media.iter().all(|packet| packet.len() == 12 + 960 && packet[1] & 0x7f == 100));
    let reports = waiting(&rtcp);
    let last = reports.last().unwrap();
    assert_eq!((reports[0][1], last[last.len() - 7]), (200, 203), "SR first, BYE last");
    let port = rtp.local_addr().unwrap().port();
    let sdp = std::fs::read_to_string(sdp).unwrap();
    assert!(sdp.contains(&format!("m=audio {port} RTP/AVP 100\r\n")), "{sdp}");
}

#[test]
fn a_push_that_is_interrupted_says_goodbye() {
    let state = State::new("push-interrupted");
    let sound = short_sound(&state, 60_000);
    let (rtp, rtcp) = pair();
    let url = format!("rtp://{}", rtp.local_addr().unwrap());
    let child = streamer(&state, &["push", sound.to_str().unwrap(), "--to", &url])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    rtp.recv(&mut [0; 2_048]).unwrap();
    assert_eq!(end(child, "-INT"), Some(130));
    let last = waiting(&rtcp).pop().unwrap();
    assert_eq!(last[last.len() - 7], 203, "BYE");
}

#[test]
fn what_cannot_be_pushed_is_named() {
    let state = State::new("push-failures");
    let sound = short_sound(&state, 20);
    let sound = sound.to_str().unwrap();
    let there = "rtp://127.0.0.1:5004";
    let readme = samples().join("README.md");
    let readme = readme.to_str().unwrap();
    assert_fails_in_one_line(&state, &["push", readme, "--to", there], "neither a WAV file nor");
    let roc = ["--to", "rtp+rs8m://127.0.0.1:10001", "--repair", "rs8m://127.0.0.1:10002"];
    let compressed = [&["push", sound][..], &roc, &["--codec", "opus"]].concat();
    assert_eq!(failure(&state, &compressed).0, 2);
    let interface = ["push", sound, "--to", there, "--interface"];
    let with = |address| [&interface[..], &[address]].concat();
    assert_fails_in_one_line(&state, &with("::1"), "one is of IPv4, the other of IPv6");
    assert_fails_in_one_line(&state, &with("192.0.2.1"), "cannot send to 127.0.0.1:5004");
    for line in [
        &["push", sound][..],
        &["push", sound, "--to", "rtsp://127.0.0.1:5004"],
        &["push", sound, "--to", there, "--codec", "l16", "--bitrate", "64k"],
        &["push", sound, "--to", there, "--ttl", "256"],
        &["push", sound, "--to", "rtp+rs8m://127.0.0.1:10001"],
        &["push", sound, "--to", there, "--repair", "rs8m://127.0.0.1:10002"],
        &["push", sound, "--to", there, "--control", "rtcp://127.0.0.1:10003"],
    ] {
        assert_eq!(failure(&state, line).0, 2, "{line:?}");
    }
    assert_fails_in_one_line(&state, &["push", sound, "--to", there, "--sap"], "is a host");
    let nowhere = ["push", sound, "--to", there, "--sdp", "/nonexistent/x.sdp"];
    assert_fails_in_one_line(&state, &nowhere, "cannot write /nonexistent/x.sdp");
    let fast = ["push", sound, "--to", there, "--bitrate", "600k"];
    assert_fails_in_one_line(&state, &fast, "Opus has no bit rate of 600 kbit/s");
}
