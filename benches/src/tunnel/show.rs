//! `cantus-bench link`, from its options to its exit status.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Job, Joint, Passage, TunnelError, run};
use crate::cli::{LinkOptions, NoCommand};
use crate::duplex::DirectionCounts;
use crate::link::{LinkError, LinkSpec, PathSpec};

/// Why `cantus-bench link` failed. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum LinkFailure {
    /// A command is missing.
    #[error(transparent)]
    NoCommand(#[from] NoCommand),
    /// There is no such link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The hosts could not be joined.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// The log cannot be written.
    #[error("cannot write {}: {cause}", file.display())]
    Log {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// Joins two hosts, runs a command on each, says on standard error what our link did, and gives
/// the status to exit with.
///
/// # Errors
///
/// If anything but the commands fails.
pub async fn link(options: &LinkOptions) -> Result<ExitCode, LinkFailure> {
    let (left, right, words) = options.parts()?;
    let joint = if options.tc {
        Joint::Kernel { words }
    } else {
        let there: LinkSpec = words.join(" ").parse()?;
        let path = Box::new(PathSpec { back: options.back.clone(), ..there.into() });
        Joint::Emulated { path, seed: options.seed }
    };
    let job = Job { left, right, until: options.until, length: options.length };
    let outcome = run(&joint, &job).await?;
    if let Some(passage) = &outcome.passage {
        eprint!("{}", summary(passage));
        if let Some(file) = &options.log {
            let written = std::fs::write(file, passage.log.to_csv());
            written.map_err(|cause| LinkFailure::Log { file: file.clone(), cause })?;
        }
    }
    Ok(ExitCode::from(outcome.ended.code()))
}

/// What our link did, in three lines.
fn summary(passage: &Passage) -> String {
    let counts = passage.log.counts();
    let way = |name: &str, way: DirectionCounts| {
        let DirectionCounts { entered, delivered, lost, overflowed, .. } = way;
        format!(
            "{name}: {entered} packets, {delivered} delivered, {lost} lost, {overflowed} overflowed\n"
        )
    };
    let late = |q| passage.lateness.quantile(q).map_or(0.0, |span| span.as_millis_f64());
    let (p50, p99) = (late(0.5), late(0.99));
    let unsent = match counts.unsent {
        0 => String::new(),
        unsent => format!("; {unsent} that came through were not taken"),
    };
    let there = way("left to right", counts.to_client);
    let back = way("right to left", counts.to_server);
    format!("{there}{back}later than the link: p50 {p50:.3} ms, p99 {p99:.3} ms{unsent}\n")
}
