//! `cantus-streamer`: serves audio and subtitles over QUIC and RTSP.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use cantus_streamer::catalogue::{Catalogue, CatalogueError};
use cantus_streamer::cli::{Cli, Command, ServeOptions};
use cantus_streamer::drive::{Settings, StartError, Streamer};
use cantus_streamer::greeting::{Reach, greeting};
use cantus_streamer::quic::{Identity, IdentityError};
use cantus_streamer::users::{Users, UsersError};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why serving has failed, in one line.
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
    #[error("cannot wait for signals: {0}")]
    Signal(io::Error),
}

fn main() -> ExitCode {
    let Command::Serve(options) = Cli::parse().command;
    if options.quic.address().or(options.rtsp.address()).is_none() {
        let why = "nothing is served with both --quic off and --rtsp off";
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
    let status = match runtime.block_on(serve(&options)) {
        Ok(signal) => ExitCode::from(128 + signal),
        Err(failure) => fail(&failure),
    };
    // A disk that hangs does not hold up the end.
    runtime.shutdown_background();
    status
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
