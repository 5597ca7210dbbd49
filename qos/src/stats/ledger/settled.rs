//! The units whose fate is sealed: counted, and remembered until the trace has fetched them.

use std::collections::VecDeque;

use super::{Came, Hearing, Totals, Unheard, Unit};
use crate::stats::{Fate, LossRuns, Recovery, UnitRecord};

/// Units of one gap that the trace lists: what the sixteen bits of a sequence number can tell.
const LISTED_OF_A_GAP: u64 = 1 << 16;

#[derive(Clone, Debug)]
pub(super) struct Settled {
    totals: Totals,
    loss_runs: LossRuns,
    unheard: Unheard,
    unread: VecDeque<Entry>,
    capacity: usize,
}

#[derive(Copy, Clone, Debug)]
enum Entry {
    Unit(UnitRecord),
    Gap { first: u64, units: u64 },
}

impl Settled {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            totals: Totals::default(),
            loss_runs: LossRuns::new(),
            unheard: Unheard::default(),
            unread: VecDeque::new(),
            capacity,
        }
    }

    pub(super) fn unit(&mut self, sequence: u64, unit: &Unit) {
        self.totals = self.totals.with(unit);
        self.loss_runs.push(!unit.received);
        self.unheard.push(unit);
        self.remember(Entry::Unit(unit.record(sequence)));
    }

    /// `units` from `first` on, of which no trace was seen.
    pub(super) fn gap(&mut self, first: u64, units: u64) {
        if units > 0 {
            self.totals = self.totals.with_gap(units);
            self.loss_runs.push_lost(units);
            self.unheard.push_gap(units);
            self.remember(Entry::Gap { first, units });
        }
    }

    pub(super) fn duplicate(&mut self, sequence: u64, copy: Came) {
        self.totals.duplicate += 1;
        self.remember(Entry::Unit(UnitRecord {
            sequence,
            media_time: Some(copy.media_time),
            sent: copy.sent,
            arrived: Some(copy.at),
            recovery: copy.recovery,
            played: None,
            fate: Fate::Duplicate,
        }));
    }

    pub(super) fn reordered(&mut self) {
        self.totals.reordered += 1;
    }

    fn remember(&mut self, entry: Entry) {
        if self.unread.len() == self.capacity {
            self.unread.pop_front();
        }
        self.unread.push_back(entry);
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = UnitRecord> + '_ {
        self.unread.drain(..).flat_map(|entry| {
            let (first, units, record) = match entry {
                Entry::Unit(record) => (record.sequence, 1, record),
                Entry::Gap { first, units } => (first, units, Unit::default().record(first)),
            };
            let listed = first..first + units.min(LISTED_OF_A_GAP);
            listed.map(move |sequence| UnitRecord { sequence, ..record })
        })
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    pub(super) fn unheard(&self) -> Unheard {
        self.unheard
    }

    pub(super) fn loss_runs(&self) -> &LossRuns {
        &self.loss_runs
    }
}

impl Unit {
    fn record(&self, sequence: u64) -> UnitRecord {
        UnitRecord {
            sequence,
            media_time: self.came.map(|came| came.media_time),
            sent: self.came.and_then(|came| came.sent),
            arrived: self.came.map(|came| came.at),
            recovery: self.came.map_or(Recovery::None, |came| came.recovery),
            played: match self.hearing {
                Hearing::InTime(at) | Hearing::TooLate(at) => Some(at),
                Hearing::Pending | Hearing::Missed => None,
            },
            fate: self.fate(),
        }
    }
}
