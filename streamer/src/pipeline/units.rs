//! The units of a track, as its packets hold them.

use std::sync::Arc;

use cantus_qos::payload::{MediaUnit, opus};
use cantus_qos::time::MediaTime;

use super::MediaLimit;
use super::rungs::Rungs;
use crate::encoding::{Encoding, EncodingJob, UnitState};

/// Where a track stands, on which rung of its ladder, and how many units its packets hold.
#[derive(Debug)]
pub(super) struct Units {
    source: Arc<Encoding>,
    rungs: Option<Rungs>,
    limit: Option<MediaLimit>,
    next: u64,
    /// How many the next packet is to hold.
    joined: usize,
}

impl Units {
    /// Of `source`, from its beginning, one a packet.
    pub(super) fn new(source: Arc<Encoding>) -> Self {
        Self { rungs: Rungs::of(&source, 1), source, limit: None, next: 0, joined: 1 }
    }

    /// The same with `count` a packet until the path is known, or as many as it may be at `most`.
    pub(super) fn joining(self, count: usize, most: usize) -> Self {
        let rungs = Rungs::of(&self.source, count);
        let joined = rungs.as_ref().map_or(1, |_| count.max(1)).min(most);
        Self { rungs, joined, ..self }
    }

    /// How long one plays.
    pub(super) fn duration(&self) -> MediaTime {
        self.source.unit_duration()
    }

    /// What the track may take from now on; `None`: as much as was asked for.
    pub(super) fn limit(&mut self, limit: Option<MediaLimit>) {
        self.limit = limit;
    }

    /// Whether they are on a lower rung than was asked for.
    pub(super) fn is_lowered(&self) -> bool {
        self.rungs.as_ref().is_some_and(Rungs::is_lowered)
    }

    /// What is to be encoded.
    pub(super) fn take_jobs(&mut self) -> impl Iterator<Item = EncodingJob> {
        self.rungs.iter_mut().flat_map(Rungs::take_jobs)
    }

    /// A packet left that takes so much more than its payload.
    pub(super) fn note_headers(&mut self, bytes: usize) {
        if let Some(rungs) = &mut self.rungs {
            rungs.note_headers(bytes);
        }
    }

    /// Goes to the unit that holds `from`; a packet may hold `most`.
    pub(super) fn seek(&mut self, from: MediaTime, most: usize) {
        self.next = self.source.index_at(from);
        self.joined = self.rungs.as_ref().map_or(1, Rungs::frames).min(most);
    }

    /// Where the next packet begins.
    pub(super) fn reached(&self) -> MediaTime {
        self.time_of(self.next)
    }

    /// The media time of the last unit that the next packet is to hold: it leaves when that is due.
    pub(super) fn complete_at(&self) -> MediaTime {
        self.time_of(self.next + self.joined as u64 - 1)
    }

    fn time_of(&self, index: u64) -> MediaTime {
        MediaTime::from_flicks(self.source.unit_duration().as_flicks() * index as i64)
    }

    /// The units of the next packet as one, on the rung and as long as the path bears it. What it
    /// comes to be too long, or too short, is decided for the packet after it.
    pub(super) fn packet(&mut self, until: MediaTime, most: usize) -> UnitState {
        if let Some(rungs) = &mut self.rungs {
            rungs.step(self.next, self.limit, most);
        }
        let mut units = match self.unit(self.next) {
            UnitState::Ready(unit) if unit.media_time < until => vec![unit],
            UnitState::Ready(_) => return UnitState::End,
            other => return other,
        };
        for index in self.next + 1..self.next + self.joined as u64 {
            let begins = self.rungs.as_ref().is_some_and(|rungs| rungs.begins_at(index));
            match self.unit(index) {
                UnitState::Ready(unit) if !begins && unit.media_time < until => {
                    units.push(unit);
                }
                _ => break,
            }
        }
        let (unit, count) = joined(&units);
        self.next += count as u64;
        self.joined = self.rungs.as_ref().map_or(1, Rungs::frames);
        UnitState::Ready(unit)
    }

    /// The unit at `index`, on the rung that is sent.
    fn unit(&self, index: u64) -> UnitState {
        let unit = self.source.unit(index);
        let (UnitState::Ready(unit), Some(rungs)) = (&unit, &self.rungs) else { return unit };
        match rungs.packet(index) {
            None => UnitState::Ready(unit.clone()),
            Some(Some(data)) => UnitState::Ready(MediaUnit { data, ..unit.clone() }),
            Some(None) => UnitState::Pending,
        }
    }
}

/// As many of `units`, of which there is at least one, as can be in one packet, as one; and how many
/// those are.
fn joined(units: &[MediaUnit]) -> (MediaUnit, usize) {
    let data: Vec<_> = units.iter().map(|unit| unit.data.clone()).collect();
    let first = units[0].clone();
    for count in (2..=units.len()).rev() {
        if let Some(data) = opus::join(&data[..count]) {
            let duration =
                units[count - 1].media_time + units[count - 1].duration - first.media_time;
            return (MediaUnit { data, duration, ..first }, count);
        }
    }
    (first, 1)
}
