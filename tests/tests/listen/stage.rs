//! A player that listens, a directory for what it writes, and other people's programs.

use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cantus_player::cli::{Cli, Command as Verb};
use cantus_player::drive::{self, Failure, Finish};
use cantus_player::trust::{Fingerprint, Trust};
use cantus_qos::stats::report::QosReport;

pub(crate) const LATENCY: &str = "2s";

/// What came of listening.
pub(crate) type Heard = (QosReport, Result<Finish, Failure>);

/// A directory that goes with the test.
pub(crate) struct Stage(PathBuf);

impl Stage {
    pub(crate) fn set(test: &str) -> Self {
        let directory = format!("cantus-listen-{test}-{}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// `listen URL`, into the WAV file `wav`.
    pub(crate) fn listen(&self, url: &str, wav: &str) -> impl Future<Output = Heard> + use<> {
        let out = format!("wav:{}", self.path(wav).display());
        let words = ["cantus-player", "listen", url, "--out", &out, "--latency", LATENCY];
        let Verb::Listen(options) = parse(&words) else { panic!("not listen") };
        async move { drive::listen(&options).await }
    }

    /// `play FILE.sdp`, into the WAV file `wav`.
    pub(crate) fn play(&self, sdp: &str, wav: &str) -> impl Future<Output = Heard> + use<> {
        let (file, out) = (self.path("pushed.sdp"), format!("wav:{}", self.path(wav).display()));
        fs::write(&file, sdp).unwrap();
        let file = file.to_str().unwrap();
        let words = ["cantus-player", "play", file, "--out", &out, "--latency", LATENCY];
        let words = [&words[..], &["--subtitles", "none"]].concat();
        let Verb::Play(options) = parse(&words) else { panic!("not play") };
        // Nobody is to be trusted: there is no server.
        let trust = Trust::Fingerprint(
            format!("sha256:{}", "0".repeat(64)).parse::<Fingerprint>().unwrap(),
        );
        async move { drive::play(&options, trust).await }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn parse(words: &[&str]) -> Verb {
    <Cli as clap::Parser>::try_parse_from(words).unwrap().command
}

/// A port that is free, and so is the one after it.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let even = port & !1;
        let free = |port| UdpSocket::bind(("127.0.0.1", port)).is_ok();
        if even > 1_024 && free(even) && free(even + 1) {
            return even;
        }
    }
}

/// Waits until `done`, for ten seconds at most; whether it came to that.
pub(crate) async fn until(mut done: impl FnMut() -> bool) -> bool {
    let mut again = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..1_000 {
        again.tick().await;
        if done() {
            return true;
        }
    }
    false
}

/// Waits until somebody listens at `port`.
pub(crate) async fn listened_to(port: u16) {
    // The port of reports is opened last.
    let taken = until(|| cantus_tests::is_bound(port + 1)).await;
    assert!(taken, "nobody listens at {port}");
}

/// The samples of a WAV file, whose header agrees with its length.
pub(crate) fn written(file: &Path) -> (hound::WavSpec, Vec<i16>) {
    let mut reader = hound::WavReader::open(file).unwrap();
    let samples = reader.samples().collect::<Result<_, _>>().unwrap();
    (reader.spec(), samples)
}

/// Panics unless all that was pushed was heard as it was, where it came in time: this machine may
/// have made others wait.
pub(crate) fn assert_heard(what: &str, (report, result): &Heard, heard: &[i16], sent: &[i16]) {
    assert!(matches!(result, Ok(Finish::Completed)), "{what}: {result:?}");
    let stream = &report.streams[0];
    assert!(stream.expected > 0, "{what}");
    assert_eq!(stream.received + stream.lost_network, stream.expected, "{what}");
    assert!(heard.len() >= sent.len(), "{what}: {} of {} samples", heard.len(), sent.len());
    let differ = heard.iter().zip(sent).filter(|(heard, sent)| heard != sent).count();
    let missed = (stream.never_arrived() + stream.late) as f64 / stream.expected as f64;
    let share = differ as f64 / sent.len() as f64;
    let first = heard.iter().zip(sent).position(|(heard, sent)| heard != sent);
    assert!(
        share <= 2.0 * missed,
        "{what}: {share} differs, first at {first:?}, and {missed} of the units were missed: {stream:?}"
    );
}

/// Another program, if it is there; ended with the test.
pub(crate) struct Program(Child);

impl Program {
    pub(crate) fn start(command: &mut Command) -> Option<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match quiet.spawn() {
            Ok(child) => Some(Self(child)),
            Err(error) => {
                not_run(&format!("{name} cannot be started: {error}"));
                None
            }
        }
    }
}

impl Program {
    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Past the harness, which keeps what passing tests print to itself.
pub(crate) fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: {why}");
}
