//! A sound server of our own, that no other program knows of.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::Process;

/// What a server is started from.
const PROGRAMS: [&str; 5] = ["dbus-daemon", "pipewire", "wireplumber", "wpctl", "pw-record"];
const SINK: &str = "cantus-null";
/// How long it may take to come up.
const PATIENCE: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(20);

/// Why there can be no server.
#[derive(Debug)]
pub(super) struct Missing(pub(super) String);

/// PipeWire with one sink that ends nowhere. It ends with its handle, and so does its directory.
#[derive(Debug)]
pub(super) struct Server {
    // Dropped in this order: clients before servers.
    processes: Vec<Process>,
    folder: PathBuf,
}

impl Server {
    /// Starts it, if the system has what it takes.
    pub(super) fn start() -> Result<Self, Missing> {
        if let Some(program) = PROGRAMS.iter().find(|program| !is_installed(program)) {
            return Err(Missing(format!("{program} is not installed")));
        }
        if !has_alsa_plugin() {
            return Err(Missing("ALSA has no plugin for PipeWire".into()));
        }
        let folder = std::env::temp_dir().join(format!("cantus-speaker-{}", std::process::id()));
        let mut server = Self { processes: Vec::new(), folder };
        server
            .configure()
            .map_err(|error| Missing(format!("there is no place for it: {error}")))?;
        let bus = format!("--address={}", server.bus());
        server.serve("dbus-daemon", &["--session", "--nofork", "--nopidfile", &bus])?;
        server.await_service("the message bus", |server| server.path("bus").exists())?;
        server.serve("pipewire", &[])?;
        server.await_service("PipeWire", |server| server.path("pipewire-0").exists())?;
        server.serve("wireplumber", &[])?;
        server.await_service("a default sink", Self::has_default_sink)?;
        Ok(server)
    }

    /// A file in the server's directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts a client.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Process> {
        self.surround(command).spawn().map(Process)
    }

    /// Records what leaves the sink.
    pub(super) fn record(&self, file: &Path) -> Process {
        let mut recorder = Command::new("pw-record");
        recorder.args(["--target", SINK, "-P", "{ stream.capture.sink = true }"]);
        recorder.args(["--rate", "48000", "--channels", "2", "--format", "s16"]).arg(file);
        self.spawn(&mut recorder).expect("pw-record was found")
    }

    /// Ends a process so that it can finish what it writes.
    pub(super) fn interrupt(&self, process: &mut Process) {
        let pid = process.0.id().to_string();
        let signalled = Command::new("kill").args(["-INT", &pid]).status();
        assert!(signalled.is_ok_and(|status| status.success()), "pw-record has ended early");
        self.wait_for_end(process, PATIENCE).expect("pw-record ends when it is told to");
    }

    /// Waits until something holds, and panics if it never does.
    pub(super) fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        assert!(wait(PATIENCE, holds), "{what} does not start");
    }

    /// Waits for a process; `None` if it takes longer than `patience`.
    pub(super) fn wait_for_end(
        &self,
        process: &mut Process,
        patience: Duration,
    ) -> Option<ExitStatus> {
        let mut status = None;
        wait(patience, || {
            status = process.0.try_wait().ok().flatten();
            status.is_some()
        });
        status
    }

    fn configure(&self) -> io::Result<()> {
        let drop_ins = self.path("config/pipewire/pipewire.conf.d");
        fs::create_dir_all(&drop_ins)?;
        let sink = format!(
            "context.objects = [ {{ factory = adapter args = {{ \
             factory.name = support.null-audio-sink node.name = {SINK} media.class = Audio/Sink \
             audio.position = [ FL FR ] audio.rate = 48000 object.linger = true }} }} ]\n"
        );
        fs::write(drop_ins.join("sink.conf"), sink)?;
        let default = "</usr/share/alsa/alsa.conf>\npcm.!default { type pipewire }\n\
                       ctl.!default { type pipewire }\n";
        fs::write(self.path("asound.conf"), default)
    }

    fn serve(&mut self, program: &str, arguments: &[&str]) -> Result<(), Missing> {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let started = self.spawn(&mut command);
        let process =
            started.map_err(|error| Missing(format!("{program} does not start: {error}")))?;
        self.processes.insert(0, process);
        Ok(())
    }

    fn await_service(&self, what: &str, is_there: impl Fn(&Self) -> bool) -> Result<(), Missing> {
        let came = wait(PATIENCE, || is_there(self));
        came.then_some(()).ok_or_else(|| Missing(format!("{what} does not come up here")))
    }

    fn has_default_sink(&self) -> bool {
        let mut question = Command::new("wpctl");
        question.args(["inspect", "@DEFAULT_AUDIO_SINK@"]).stderr(Stdio::null());
        let answer = self.surround(&mut question).output();
        answer.is_ok_and(|answer| String::from_utf8_lossy(&answer.stdout).contains(SINK))
    }

    fn surround<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("XDG_RUNTIME_DIR", &self.folder);
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command.env("XDG_STATE_HOME", self.path("state"));
        command.env("ALSA_CONFIG_PATH", self.path("asound.conf"));
        command.env("DBUS_SESSION_BUS_ADDRESS", self.bus());
        command.env_remove("PIPEWIRE_REMOTE").env_remove("PIPEWIRE_RUNTIME_DIR")
    }

    fn bus(&self) -> String {
        format!("unix:path={}", self.path("bus").display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.processes.clear();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Looks again and again whether something holds, for as long as `patience` lasts.
fn wait(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(async {
        let mut ticks = tokio::time::interval(STEP);
        for _ in 0..patience.as_millis() / STEP.as_millis() {
            if holds() {
                return true;
            }
            ticks.tick().await;
        }
        holds()
    })
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn has_alsa_plugin() -> bool {
    let plugin = "alsa-lib/libasound_module_pcm_pipewire.so";
    let system = |root: &str| fs::read_dir(root).into_iter().flatten().flatten();
    let folders = ["/usr/lib", "/usr/lib64"].into_iter().flat_map(system).map(|it| it.path());
    let roots = ["/usr/lib", "/usr/lib64"].into_iter().map(PathBuf::from);
    folders.chain(roots).any(|folder| folder.join(plugin).exists())
}
