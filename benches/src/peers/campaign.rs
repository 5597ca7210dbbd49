//! All runs of a table: which there are, and how several are under way at once.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Handle;

use super::drive::{self, Course};
use super::frame::PERIOD;
use super::presence::Presence;
use super::roster::{Kind, Peer};
use super::table::{Outcome, Row};
use super::{PeersError, bare, cantus};
use crate::cli::{NamedLink, PeersOptions};

/// One row of the table, yet to be filled.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) peer: &'static Peer,
    presence: Presence,
    pub(super) link: NamedLink,
    pub(super) latency: Duration,
    pub(super) seed: u64,
}

pub(super) fn runs(options: &PeersOptions, peers: &[(&'static Peer, Presence)]) -> Vec<Run> {
    let mut runs = Vec::new();
    for link in &options.link {
        for &latency in &options.latency {
            for (peer, presence) in peers {
                // What is absent is said once, not once a seed.
                let absent = matches!(presence, Presence::Absent(_)) || peer.kind == Kind::Roc;
                let seeds = if absent { &options.seed[..1] } else { &options.seed[..] };
                runs.extend(seeds.iter().map(|&seed| {
                    let (presence, link) = (presence.clone(), link.clone());
                    Run { peer, presence, link, latency, seed }
                }));
            }
        }
    }
    runs
}

/// Measures runs, several at once; their rows in the order of the runs, and the signal that ended
/// it before the end.
pub(super) async fn run_all(
    options: &PeersOptions,
    runs: Vec<Run>,
    halt: &Arc<AtomicBool>,
) -> Result<(Vec<Row>, Option<i32>), PeersError> {
    let bar = progress(runs.len());
    let rows = Arc::new(Mutex::new(vec![None; runs.len()]));
    let queue = Arc::new(Mutex::new(runs.into_iter().enumerate()));
    let mut workers = Vec::new();
    for _ in 0..options.jobs {
        let (options, halt, bar) = (options.clone(), halt.clone(), bar.clone());
        let (queue, rows, runtime) = (queue.clone(), rows.clone(), Handle::current());
        let work = move || {
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((place, run)) = next().filter(|_| !halt.load(Ordering::Relaxed)) {
                let row = run.measured(&options, &runtime, &halt);
                rows.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(row);
                bar.inc(1);
            }
        };
        let worker = Builder::new().name("peers".to_owned()).spawn(work);
        workers.push(worker.map_err(PeersError::Thread)?);
    }
    let mut all = tokio::task::spawn_blocking(move || {
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let (ended, interrupted) = tokio::select! {
        ended = &mut all => (ended, None),
        signal = interruption() => {
            halt.store(true, Ordering::Relaxed);
            (all.await, Some(signal))
        }
    };
    if let Err(panic) = ended {
        resume_unwind(panic.into_panic());
    }
    bar.finish_and_clear();
    let rows = std::mem::take(&mut *rows.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((rows.into_iter().flatten().collect(), interrupted))
}

/// The number of the next signal that asks for the end (signal(7)).
async fn interruption() -> i32 {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => SignalKind::interrupt().as_raw_value(),
        () = terminated => SignalKind::terminate().as_raw_value(),
    }
}

pub(super) fn progress(runs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} trials, {eta} left")
        .expect("the template is right: a test draws it");
    let bar = ProgressBar::new(runs as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

impl Run {
    fn measured(self, options: &PeersOptions, runtime: &Handle, halt: &Arc<AtomicBool>) -> Row {
        let outcome = match &self.presence {
            Presence::Absent(need) => Outcome::Absent(need.to_string()),
            Presence::Here(_) => self.measure(options, runtime, halt),
        };
        let version = match self.presence {
            Presence::Here(version) => version,
            Presence::Absent(_) => None,
        };
        Row {
            peer: self.peer.name,
            version,
            link: self.link.to_string(),
            latency_ms: self.latency.as_secs_f64() * 1e3,
            seed: self.seed,
            method: method(self.peer.kind),
            outcome,
        }
    }

    fn measure(&self, options: &PeersOptions, runtime: &Handle, halt: &Arc<AtomicBool>) -> Outcome {
        let (link, seed, latency) = (&self.link.spec, self.seed, self.latency);
        let frames = u32::try_from(options.length.div_duration_f64(PERIOD) as u64);
        let frames = frames.unwrap_or(u32::MAX).max(1);
        let passage = match self.peer.kind {
            Kind::Bare => bare::run(link, seed, latency, frames).map_err(|error| error.to_string()),
            Kind::Cantus(transport) => {
                let played =
                    cantus::run(&options.media, transport, link, seed, latency, options.length);
                runtime.block_on(played).map_err(|error| error.to_string())
            }
            Kind::Foreign(foreign) => {
                let course = Course { foreign, link: link.clone(), seed, latency, frames };
                drive::run(&course, halt).map_err(|error| error.to_string())
            }
            Kind::Roc => {
                let why = "Roc carries sound between sound files and cards, not frames of ours";
                return Outcome::Absent(why.to_owned());
            }
        };
        passage.map_or_else(Outcome::Failed, Outcome::Measured)
    }
}

fn method(kind: Kind) -> &'static str {
    match kind {
        Kind::Bare => "by arithmetic",
        Kind::Cantus(_) => "by its player's report",
        Kind::Foreign(_) => "by frames at its output",
        Kind::Roc => "not at all",
    }
}
