//! The ideal code in the place of a run's own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use cantus_qos::time::MonoTime;

use super::decoder::Decoder;
use crate::duplex::{Direction, Kind, PacketLog};

/// What an ideal code leaves on the packets of a run.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct ReplayBound {
    /// Data units that the run sent.
    pub units: u64,
    /// Units neither there nor to be computed in time by the ideal code.
    pub missing: u64,
    /// Units that no code whatever could have brought in time: what is missing at the least if
    /// each repair packet that came stands for one unit sent before it, whichever is best.
    pub beyond_repair: u64,
    /// The share missing with the ideal code.
    pub residual: f64,
    /// The share beyond repair.
    pub floor: f64,
    /// What the run spent on repair, to the bytes of its units.
    pub overhead: f64,
}

/// What is left on the very packets of a run if each packet that it sent for repair is a symbol of
/// the ideal code: sent, lost and delayed as the packet was, and covering all units sent before it
/// whose time is not over when it comes.
///
/// `None` where the log does not tell media from repair: of a QUIC session it shows no more than
/// UDP packets. It must be whole, and of one session with one audio track.
pub fn repair_on(log: &PacketLog, latency: Duration) -> Option<ReplayBound> {
    let run = Run::of(log, latency);
    let units = u64::try_from(run.sent.len()).ok().filter(|units| *units > 0)?;
    let (missing, beyond_repair) = (run.missing(), run.beyond_repair());
    Some(ReplayBound {
        units,
        missing,
        beyond_repair,
        residual: missing as f64 / units as f64,
        floor: beyond_repair as f64 / units as f64,
        overhead: run.repair_bytes as f64 / run.unit_bytes.max(1) as f64,
    })
}

/// The packets of a run that matter.
#[derive(Debug)]
struct Run {
    latency: Duration,
    /// When each unit was sent.
    sent: Vec<MonoTime>,
    /// What came when; first what came first.
    came: Vec<(MonoTime, Slot)>,
    unit_bytes: usize,
    repair_bytes: usize,
}

/// A packet of the run, as the ideal sees it.
#[derive(Copy, Clone, Debug)]
enum Slot {
    /// This unit.
    Unit(u64),
    /// A packet for repair, sent after so many units.
    Symbol(u64),
}

impl Run {
    fn of(log: &PacketLog, latency: Duration) -> Self {
        let (sent, came) = (Vec::new(), Vec::new());
        let mut run = Self { latency, sent, came, unit_bytes: 0, repair_bytes: 0 };
        for entry in log.entries().iter().filter(|entry| entry.direction == Direction::ToClient) {
            let before = run.sent.len() as u64;
            let slot = match entry.kind {
                Kind::Media => {
                    run.unit_bytes += entry.size;
                    run.sent.push(entry.entered);
                    Slot::Unit(before)
                }
                Kind::Repair => {
                    run.repair_bytes += entry.size;
                    Slot::Symbol(before)
                }
                _ => continue,
            };
            run.came.extend(entry.left.map(|left| (left, slot)));
        }
        run.came.sort_by_key(|&(left, _)| left);
        run
    }

    /// Whether this unit, known at `at`, is known in time.
    fn in_time(&self, at: MonoTime, unit: u64) -> bool {
        at <= self.sent[unit as usize] + self.latency
    }

    /// The first unit whose time is not over at `at`.
    fn first_open(&self, at: MonoTime) -> u64 {
        self.sent.partition_point(|&sent| sent + self.latency < at) as u64
    }

    fn missing(&self) -> u64 {
        let mut decoder = Decoder::default();
        let (mut known_to_sender, mut in_time) = (0, 0);
        for &(at, slot) in &self.came {
            while self.sent.get(known_to_sender).is_some_and(|&sent| sent <= at) {
                decoder.on_sent(known_to_sender as u64);
                known_to_sender += 1;
            }
            let first = self.first_open(at);
            let known = match slot {
                Slot::Unit(unit) => decoder.on_frame(unit),
                Slot::Symbol(before) => decoder.on_symbol(first..before.max(first)),
            };
            in_time += known.iter().filter(|&&unit| self.in_time(at, unit)).count();
            decoder.forget_before(first);
        }
        (self.sent.len() - in_time) as u64
    }

    /// Each symbol that came may stand for one of the units that did not, from the first that was
    /// open when it came to the last before it. Unit by unit, of the symbols that may stand for it
    /// the one that will first be of no more use does: the greatest matching of intervals (Glover,
    /// *Maximum matching in a convex bipartite graph*, 1967).
    fn beyond_repair(&self) -> u64 {
        let mut here = vec![false; self.sent.len()];
        let mut symbols: Vec<(u64, u64)> = Vec::new();
        for &(at, slot) in &self.came {
            match slot {
                Slot::Unit(unit) => here[unit as usize] |= self.in_time(at, unit),
                Slot::Symbol(before) => symbols.push((self.first_open(at), before)),
            }
        }
        symbols.sort_unstable();
        let mut symbols = symbols.into_iter().peekable();
        let mut usable = BinaryHeap::new();
        let mut beyond = 0;
        for unit in (0..).zip(here).filter_map(|(unit, here)| (!here).then_some(unit)) {
            while let Some((_, before)) = symbols.next_if(|&(first, _)| first <= unit) {
                usable.push(Reverse(before));
            }
            while usable.peek().is_some_and(|&Reverse(before)| before <= unit) {
                usable.pop();
            }
            beyond += u64::from(usable.pop().is_none());
        }
        beyond
    }
}

#[cfg(test)]
mod tests;
