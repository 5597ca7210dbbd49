//! `--out speaker`, through a real sound server: what leaves its sink is what was sent.
//!
//! Needs PipeWire with its session manager, its plugin for ALSA and a D-Bus daemon, but no sound
//! card: the test starts a server of its own, in a directory of its own, with a sink that ends
//! nowhere and whose monitor is recorded. Where a part of that is missing it says `NOT RUN` and
//! why.
//!
//! Nothing is claimed here about delays. Up to a sixth of the sound may have moved by a step, and
//! a fifth may be unrecognisable: the recorder has gaps of its own. On a machine that keeps its
//! processes waiting, server and recorder stumble so much that only the player's success is
//! checked, and the test says that the rest was `NOT RUN`.

mod server;
mod sound;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cantus_bench::cli::{Cli, Command as Wanted};
use clap::Parser;
use server::{Missing, Server};
use sound::{Found, Sound};

/// A session of so many seconds of narration.
const SECONDS: usize = 5;
/// In case that anything hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// Processes that wait longer than this, in percent of the time, spoil a recording.
const BUSY: f32 = 50.0;
/// Tells the test binary, run again inside the private session, where to put the report.
const REPORT: &str = "CANTUS_SPEAKER_REPORT";

/// Server and recorder stumble now and then; a fault of the player would show each time.
const ATTEMPTS: usize = 3;

#[test]
fn a_sink_plays_what_was_sent_from_its_first_sound_to_its_last() {
    let mut last = Found::default();
    for _ in 0..ATTEMPTS {
        match attempt() {
            Err(NotRun(why)) => return not_run(&why),
            Ok(found) if is_whole(&found) => return,
            Ok(found) => last = found,
        }
    }
    panic!("the last of {ATTEMPTS} attempts: {last}");
}

/// What this machine cannot tell.
struct NotRun(String);

/// Past the harness, which keeps what passing tests print to itself.
fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: {why}");
}

fn attempt() -> Result<Found, NotRun> {
    let server =
        Server::start().map_err(|Missing(what)| NotRun(format!("the speaker, because {what}")))?;
    let recording = server.path("recording.wav");
    let mut recorder = server.record(&recording);
    server.wait_for("the recorder", || recording.exists());
    let played = play(&server);
    let waiting = processes_wait();
    server.interrupt(&mut recorder);
    assert!(played, "the player failed");
    if waiting > BUSY {
        let why = "how whole the sound is, because this machine is too busy";
        return Err(NotRun(why.to_owned()));
    }
    let sent = Sound::read(&media().join("narration.wav")).first(SECONDS);
    Ok(sent.find_in(&Sound::read(&recording)).unwrap_or_default())
}

fn is_whole(found: &Found) -> bool {
    found.recognised >= 0.8
        && found.steps <= found.windows / 6
        && (0.8..1.25).contains(&found.loudness)
        && found.reached_the_end
}

/// In which part of the last 10 s a process waited for a processor, in percent; 0 where Linux
/// does not tell.
fn processes_wait() -> f32 {
    let pressure = std::fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
    let average = pressure.split_whitespace().find_map(|word| word.strip_prefix("avg10="));
    average.and_then(|percent| percent.parse().ok()).unwrap_or_default()
}

/// Plays in a process of its own: the sound system is told by the environment where the server is.
fn play(server: &Server) -> bool {
    let this = std::env::current_exe().expect("the path of this test");
    let mut player = Command::new(this);
    player.args(["--ignored", "--exact", "the_player_inside_the_private_session"]);
    player.env(REPORT, server.path("report.json")).stdout(Stdio::null());
    let mut player = server.spawn(&mut player).expect("this test can be run again");
    let status = server.wait_for_end(&mut player, PATIENCE);
    status.is_some_and(|status| status.success())
}

#[test]
#[ignore = "run by the test above, with a sound server around it"]
fn the_player_inside_the_private_session() {
    let Some(report) = std::env::var_os(REPORT) else {
        return not_run("the player, because there is no private session around it");
    };
    let length = format!("{SECONDS}s");
    let mut arguments = ["cantus-bench", "demo", "--out=speaker", "--subtitles=none"].to_vec();
    arguments.extend(["--link", "clean", "--transport", "udp", "--fec", "off", "--for", &length]);
    let media = media();
    let files = [("--dir", media.as_os_str()), ("--report", &report)];
    let arguments = arguments.iter().map(|it| (*it).into());
    let files = files.iter().flat_map(|(flag, file)| [(*flag).into(), file.into()]);
    let cli = Cli::try_parse_from(arguments.chain(files).collect::<Vec<std::ffi::OsString>>());
    let Wanted::Demo(options) = cli.expect("the flags of the demo").command else {
        panic!("the demo was asked for");
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(cantus_bench::demo::demo(&options)).expect("the narration, to its end");
}

fn media() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples")
}

/// A process that does not outlive its test.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
