//! `cantus-streamer`: serves audio and subtitles over QUIC and RTSP, and pushes audio over RTP.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use cantus_qos::shaping::Tripped;
use cantus_streamer::catalogue::{Catalogue, CatalogueError};
use cantus_streamer::cli::{Cli, Command, PushOptions, ServeOptions};
use cantus_streamer::drive::push::{self, PushStartError, ReadyPush};
use cantus_streamer::drive::{Settings, StartError, Streamer};
use cantus_streamer::greeting::{Reach, greeting, pushing};
use cantus_streamer::programme::{Programme, ProgrammeError, ProgrammeKey};
use cantus_streamer::push::Ending;
use cantus_streamer::quic::{Identity, IdentityError};
use cantus_streamer::server::MAX_CONNECTIONS;
use cantus_streamer::users::{Users, UsersError};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why serving or pushing has failed, in one line.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Users(#[from] UsersError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Programme(#[from] ProgrammeError),
    #[error(transparent)]
    Push(#[from] PushStartError),
    #[error("cannot write {}: {reason}", file.display())]
    Sdp { file: PathBuf, reason: io::Error },
    #[error("ended before the end: {0}")]
    CutShort(Tripped),
    #[error("cannot wait for signals: {0}")]
    Signal(io::Error),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    if let Some(why) = contradiction(&command) {
        Cli::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let ended = runtime.block_on(async {
        match &command {
            Command::Serve(options) => serve(options).await.map(Some),
            Command::Push(options) => push_all(options).await,
        }
    });
    let status = match ended {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(signal)) => ExitCode::from(128 + signal),
        Err(failure) => fail(&failure),
    };
    // A disk that hangs does not hold up the end.
    runtime.shutdown_background();
    status
}

/// What cannot be meant together.
fn contradiction(command: &Command) -> Option<&'static str> {
    match command {
        Command::Serve(options) => options
            .quic
            .address()
            .or(options.rtsp.address())
            .is_none()
            .then_some("nothing is served with both --quic off and --rtsp off"),
        Command::Push(options) => options.contradiction(),
    }
}

/// Serves until a signal comes; its number.
async fn serve(options: &ServeOptions) -> Result<u8, Failure> {
    let mut signals = Signals::listen().map_err(Failure::Signal)?;
    let catalogue = Catalogue::open(&options.directory)?;
    let listing = catalogue.list()?;
    let identity = identity(options)?;
    let fingerprint = identity.fingerprint();
    let settings = Settings {
        quic: options.quic.address(),
        rtsp: options.rtsp.address(),
        identity,
        max_bitrate: options.max_bitrate,
        max_sessions: options.max_sessions,
        max_connections: MAX_CONNECTIONS,
        users: options.users.as_deref().map(Users::read).transpose()?.map(Arc::new),
    };
    let streamer = Streamer::start(catalogue, settings).await?;
    for skipped in &listing.skipped {
        eprintln!("skipped: {}", skipped.error);
    }
    let reach =
        Reach { quic: streamer.quic.map(|address| (address, fingerprint)), rtsp: streamer.rtsp };
    // Nobody may be reading; that is no reason not to serve.
    let greeting = greeting(&options.directory, &listing, &reach);
    let _ = io::stdout().write_all(greeting.as_bytes());
    let signal = signals.next().await;
    streamer.shut_down().await;
    Ok(signal)
}

/// Pushes to the end; or until a signal comes: its number.
async fn push_all(options: &PushOptions) -> Result<Option<u8>, Failure> {
    let mut signals = Signals::listen().map_err(Failure::Signal)?;
    let (catalogue, name) = Catalogue::around(&options.file)?;
    let key = ProgrammeKey { name, encoding: options.encoding(), joined: 1 };
    let programme = Programme::load(&catalogue, &key)?;
    let reach = push::Reach { interface: options.interface, ttl: options.ttl };
    let (repair, control) = (options.repair.as_ref(), options.control.as_ref());
    let targets = push::Targets { media: &options.to, repair, control };
    let ready = ReadyPush::new(&programme, push::find(targets, reach)?)?;
    let ready = if options.sap { ready.announced()? } else { ready };
    if let Some((file, sdp)) = options.sdp.as_ref().zip(ready.sdp()) {
        let refuse = |reason| Failure::Sdp { file: file.clone(), reason };
        std::fs::write(file, sdp).map_err(refuse)?;
    }
    let mut pusher = ready.start()?;
    // Nobody may be reading; that is no reason not to send.
    let greeting = pushing(&programme.presentation, &options.to);
    let _ = io::stdout().write_all(greeting.as_bytes());
    let signal = tokio::select! {
        ending = pusher.ended() => return match ending {
            Ending::Finished | Ending::Stopped => Ok(None),
            Ending::CutShort(why) => Err(Failure::CutShort(why)),
        },
        signal = signals.next() => signal,
    };
    pusher.stop().await;
    Ok(Some(signal))
}

/// The certificate of the command line, or the one of our own. Without QUIC nobody sees it.
fn identity(options: &ServeOptions) -> Result<Identity, IdentityError> {
    match (&options.cert, &options.key) {
        (Some(certificate), Some(key)) => Identity::read(certificate, key),
        _ if options.quic.address().is_none() => Identity::ephemeral(),
        _ => Identity::of_user(|name| std::env::var_os(name).map(PathBuf::from)),
    }
}

/// The signals that end the streamer.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

fn fail(why: &dyn Display) -> ExitCode {
    eprintln!("cantus-streamer: {why}");
    ExitCode::FAILURE
}
