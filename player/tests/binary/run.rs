//! Runs the program.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Longer than anything here takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A directory for one test, gone when the test is over.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("cantus-binary-{test}-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The one line that tells why it failed.
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.status, Some(1), "{self:?}");
        let line = self.stderr.strip_suffix('\n').expect("a whole line");
        assert!(!line.contains('\n'), "one line: {line}");
        line.strip_prefix("cantus-player: ").expect("who speaks")
    }
}

/// `cantus-player play URL`, silent, and two seconds behind: so that a busy machine is no failure.
pub(crate) fn play(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus-player"));
    command.args(["play", url, "--latency", "2s"]).env_remove("RUST_LOG");
    command
}

/// The same with sound and words to nowhere.
pub(crate) fn play_to_nowhere(url: &str) -> Command {
    let mut command = play(url);
    command.args(["--out", "null", "--subtitles", "none"]);
    command
}

/// A run that is under way.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    said: String,
}

pub(crate) fn start(command: &mut Command) -> Running {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    Running { child, stdout, said: String::new() }
}

impl Running {
    /// Waits until it has printed a line.
    pub(crate) fn wait_for_line(&mut self) {
        let length = self.stdout.read_line(&mut self.said).unwrap();
        assert!(length > 0, "it has ended without a word");
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn outcome(mut self) -> Outcome {
        let id = self.child.id().to_string();
        let (done, watched) = channel::<()>();
        let watch = std::thread::spawn(move || {
            if watched.recv_timeout(PATIENCE).is_err() {
                let _ = Command::new("kill").args(["-s", "KILL", &id]).status();
            }
        });
        let mut stderr = String::new();
        self.stdout.read_to_string(&mut self.said).unwrap();
        self.child.stderr.take().expect("piped").read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap().code();
        let _ = done.send(());
        watch.join().unwrap();
        Outcome { status, stdout: self.said, stderr }
    }
}

pub(crate) fn run(command: &mut Command) -> Outcome {
    start(command).outcome()
}

/// The samples of a WAV file whose header agrees with its length.
pub(crate) fn samples(file: &Path) -> Vec<i16> {
    let mut reader = hound::WavReader::open(file).unwrap();
    let announced = reader.len() as usize;
    let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().unwrap();
    assert_eq!(samples.len(), announced);
    samples
}

pub(crate) fn report(file: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}
