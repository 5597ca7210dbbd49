//! What others make of the same links: GStreamer, SRT and RIST, beside Cantus, in one table.
//!
//! Every foreign peer is a pair of programs as Debian ships them. It is given frames of ours
//! ([`frame`]) on a port, carries them across the emulated link as it knows how, and delivers them
//! to another port of ours, where a frame counts as handed over at the instant at which it comes:
//! whatever the program says of itself is not asked.
//!
//! * The figure is the share of frames that were *not* handed over within the latency of their
//!   sending, missing or late.
//! * The cost is what entered the link beyond the bare stream of 280 bytes a frame, both ways.
//! * Each receiver is told to hold packets for what the latency leaves after the base delay of the
//!   link and what the program is late by itself: its user would have found that out.
//! * The link only delays while a peer is set up ([`trial`]), and who then hands everything over too
//!   late is started again; the luck of the link begins with the first frame that counts, and
//!   follows from the seed. Who sends more packets meets other luck: the chains
//!   of most links step with each packet.
//! * The `bare` row is arithmetic ([`bare`]): what the link does to frames without protection.
//!   `gst-plain` must be near it.
//! * Cantus is measured by its own player's report ([`cantus`]), from a session that sets itself
//!   up across the link under test.

pub mod bare;
mod campaign;
pub mod cantus;
pub mod drive;
pub mod frame;
pub mod gstreamer;
mod lanes;
pub mod passage;
pub mod presence;
mod process;
pub mod rist;
pub mod roster;
pub mod srt;
pub mod table;
pub mod trial;
pub mod wiring;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cantus_player::drive::Finish;

use crate::cli::PeersOptions;
use crate::link::{Link, LinkError};
use presence::Presence;
use roster::{Kind, Peer};
use table::Outcome;

/// Why there is no table, or not the whole of it. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// The table cannot be written.
    #[error("cannot write {}: {cause}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// There is no such link.
    #[error("the link '{link}': {cause}")]
    Link {
        /// As the user named it.
        link: String,
        /// What is wrong with it.
        cause: LinkError,
    },
    /// The system gives no threads.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// Some of the table is missing.
    #[error("{failed} of {all} trials failed; the table says why")]
    Failed {
        /// Trials that failed.
        failed: usize,
        /// All that were tried.
        all: usize,
    },
}

/// Runs all peers that were asked for on all links, and prints what came of it.
///
/// # Errors
///
/// [`PeersError`].
pub async fn peers(options: &PeersOptions) -> Result<Finish, PeersError> {
    let peers = roster::chosen(&options.only);
    let peers: Vec<_> = peers.into_iter().map(|peer| (peer, presence_of(peer))).collect();
    if options.list {
        print!("{}", list(&peers));
        return Ok(Finish::Completed);
    }
    check(options)?;
    let runs = campaign::runs(options, &peers);
    let halt = Arc::new(AtomicBool::new(false));
    let (rows, interrupted) = campaign::run_all(options, runs, &halt).await?;
    print!("{}", table::to_text(&rows));
    for (file, text) in
        [(&options.json, table::to_json(&rows)), (&options.csv, table::to_csv(&rows))]
    {
        if let Some(file) = file {
            write(file, &text)?;
        }
    }
    if let Some(signal) = interrupted {
        return Ok(Finish::Interrupted(signal));
    }
    let failed = rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed(_))).count();
    let tried = rows.iter().filter(|row| !matches!(row.outcome, Outcome::Absent(_))).count();
    match failed {
        0 => Ok(Finish::Completed),
        _ => Err(PeersError::Failed { failed, all: tried }),
    }
}

/// Refuses, before anything is started, what could not end well.
fn check(options: &PeersOptions) -> Result<(), PeersError> {
    for link in &options.link {
        let failed = |cause| PeersError::Link { link: link.to_string(), cause };
        Link::pair(&link.spec, 1).map_err(failed)?;
    }
    for file in [&options.json, &options.csv].into_iter().flatten() {
        let failed = |cause| PeersError::Write { file: file.clone(), cause };
        File::options().create(true).append(true).open(file).map_err(failed)?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), PeersError> {
    std::fs::write(file, text).map_err(|cause| PeersError::Write { file: file.to_owned(), cause })
}

/// Whether a peer can be measured here.
fn presence_of(peer: &Peer) -> Presence {
    match peer.kind {
        Kind::Cantus(_) => Presence::Here(Some(env!("CARGO_PKG_VERSION").to_owned())),
        _ => Presence::of(&peer.needs()),
    }
}

/// A line a peer: what it is, and whether it is here.
fn list(peers: &[(&Peer, Presence)]) -> String {
    let line = |(peer, presence): &(&Peer, Presence)| {
        let presence = match presence {
            Presence::Here(Some(version)) => version.clone(),
            Presence::Here(None) => "here".to_owned(),
            Presence::Absent(need) => format!("absent: {need}"),
        };
        format!("{:<15} {:<60} {presence}\n", peer.name, peer.about)
    };
    peers.iter().map(line).collect()
}

#[cfg(test)]
mod tests;
