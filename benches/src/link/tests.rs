//! Each impairment against its closed form.
//!
//! A measured figure is held to what it must be within [`SIGMAS`] standard errors. For a count of
//! independent events the error is that of the binomial distribution; for a mean it is taken from
//! the scatter of the samples, which are runs, or means over batches much longer than the memory
//! of the chain (Law and Kelton, Simulation Modeling and Analysis, section 9.5.3). A right link
//! fails one such check in 16,000; the seed is fixed, so it either does or never does.

mod change;
mod corrupt;
mod delay;
mod duplicate;
mod ecn;
mod loss;
mod rate;
mod refused;
mod reorder;
mod replay;
mod slot;
mod standing;
mod whole;
mod words;

use super::*;

use std::time::Duration;

use bytes::Bytes;

const SEED: u64 = 7;
const TICK: Duration = Duration::from_millis(20);
const SIGMAS: f64 = 4.0;

fn packet(tag: u64, size: usize) -> Packet {
    Packet {
        data: Bytes::new(),
        size,
        entered: MonoTime::ZERO,
        tag,
        ecn: Ecn::NotCapable,
        queued: Duration::ZERO,
    }
}

fn spec(words: &str) -> LinkSpec {
    words.parse().unwrap_or_else(|error| panic!("{words}: {error}"))
}

fn link(words: &str) -> Link {
    Link::new(&spec(words), SEED).unwrap()
}

/// A packet that arrived.
#[derive(Clone, Debug, PartialEq)]
struct Arrival {
    tag: u64,
    sent: MonoTime,
    at: MonoTime,
    data: Bytes,
    ecn: Ecn,
}

impl Arrival {
    fn delay_ms(&self) -> f64 {
        (self.at - self.sent).as_millis_f64()
    }
}

/// Everything that arrives up to `until`.
fn collect(link: &mut Link, until: MonoTime, arrivals: &mut Vec<Arrival>) {
    while let Some(at) = link.next_deadline().filter(|&at| at <= until) {
        while let Some(packet) = link.pop(at) {
            let Packet { data, entered: sent, tag, ecn, .. } = packet;
            arrivals.push(Arrival { tag, sent, at, data, ecn });
        }
    }
}

/// Sends `count` packets like `packet`, one every `interval`, and waits for the last.
fn send_like(link: &mut Link, packet: &Packet, count: u64, interval: Duration) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    for tag in 0..count {
        let now = MonoTime::ZERO + interval * tag as u32;
        collect(link, now, &mut arrivals);
        link.push(now, Packet { tag, ..packet.clone() });
    }
    collect(link, MonoTime::from_nanos(u64::MAX), &mut arrivals);
    arrivals
}

/// Sends `count` packets of `size` bytes, one every `interval`, and waits for the last.
fn send(link: &mut Link, count: u64, interval: Duration, size: usize) -> Vec<Arrival> {
    send_like(link, &packet(0, size), count, interval)
}

fn delays(arrivals: &[Arrival]) -> Vec<f64> {
    arrivals.iter().map(Arrival::delay_ms).collect()
}

fn tags(arrivals: &[Arrival]) -> Vec<u64> {
    arrivals.iter().map(|arrival| arrival.tag).collect()
}

/// Of `count` packets, those that did not arrive.
fn lost(arrivals: &[Arrival], count: u64) -> Vec<bool> {
    let mut lost = vec![true; count as usize];
    for arrival in arrivals {
        lost[arrival.tag as usize] = false;
    }
    lost
}

/// Lengths of the runs of lost packets.
fn bursts(lost: &[bool]) -> Vec<f64> {
    let runs = lost.chunk_by(|a, b| a == b);
    runs.filter(|run| run[0]).map(|run| run.len() as f64).collect()
}

/// The share of what is true in each batch of 2,000.
fn batches(events: &[bool]) -> Vec<f64> {
    let batches = events.chunks_exact(2_000);
    batches.map(|batch| share_of(batch) / batch.len() as f64).collect()
}

fn share_of(events: &[bool]) -> f64 {
    events.iter().filter(|&&event| event).count() as f64
}

/// Holds the mean of independent samples to `expected`.
#[track_caller]
fn assert_mean(samples: &[f64], expected: f64) {
    let count = samples.len() as f64;
    assert!(count > 50.0, "{count} samples tell nothing");
    let mean = samples.iter().sum::<f64>() / count;
    let squares = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>();
    let error = (squares / (count - 1.0) / count).sqrt();
    // What never varies has no error but that of floating point.
    let bound = SIGMAS * error + 1e-9;
    assert!((mean - expected).abs() <= bound, "{mean} is not {expected} +- {error}");
}

/// Holds a count of independent events to the share `expected` of `trials`.
#[track_caller]
fn assert_share(hits: usize, trials: usize, expected: f64) {
    let trials = trials as f64;
    let share = hits as f64 / trials;
    let error = (expected * (1.0 - expected) / trials).sqrt();
    let bound = SIGMAS * error;
    assert!((share - expected).abs() <= bound, "{share} is not {expected} +- {error}");
}
