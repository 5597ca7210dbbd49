//! Data units in the order of their media time.

use crate::time::MediaTime;
use bytes::Bytes;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// One data unit on its way to the decoder.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Unit {
    /// Its extended sequence number.
    pub sequence: u64,
    /// Where it begins on the media timeline.
    pub media_time: MediaTime,
    /// How long it plays.
    pub duration: MediaTime,
    /// What the decoder gets.
    pub data: Bytes,
}

impl Unit {
    /// Where it ends on the media timeline: the first instant that it does not cover.
    pub fn end(&self) -> MediaTime {
        self.media_time + self.duration
    }
}

/// What became of a unit that was pushed.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Pushed {
    /// It waits for its instant.
    Accepted,
    /// A unit of the same media time waits already; this one is dropped.
    Duplicate,
    /// It ends at or before the playout position, so its instant is over; it is dropped.
    ///
    /// The second copy of a unit that was played is late too.
    Late,
    /// It lies further ahead than the capacity reaches, or there are too many units; it is
    /// dropped.
    Full,
}

/// What there is to play at a position.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Taken {
    /// This unit. It begins at the position, or before it and reaches beyond.
    Unit(Unit),
    /// Nothing for this long; at most one nominal unit, at least one flick.
    Missing {
        /// How much there is to conceal.
        duration: MediaTime,
    },
}

/// The playout buffer: takes units in any order, drops duplicates and what comes too late, and
/// hands the others out in the order of their media time.
///
/// The playout position is where the last [`take`](Self::take) or [`seek`](Self::seek) left it.
/// Before the first of either no unit is late, so that playback may begin with whatever unit
/// turns out to be the earliest ([`next`](Self::next)).
///
/// Memory is bounded in media time (`capacity` ahead of the position), in units, whatever the
/// network says about their duration, and where that is asked for in bytes.
#[derive(Clone, Debug)]
pub struct Buffer {
    nominal: MediaTime,
    capacity: MediaTime,
    most_units: usize,
    most_bytes: usize,
    bytes: usize,
    position: Option<MediaTime>,
    units: BTreeMap<MediaTime, Unit>,
}

impl Buffer {
    /// Units may be this much shorter than nominal before their number is what fills the buffer:
    /// Opus goes down from 20 ms to 2.5 ms.
    const SHORT_UNITS: i64 = 8;
    /// The most units that any capacity allows.
    const MOST_UNITS: i64 = 1 << 16;

    /// An empty buffer for units of the duration `nominal` that reaches `capacity` ahead.
    ///
    /// Both are taken as at least one flick, and `capacity` as at least `nominal`.
    pub fn new(nominal: MediaTime, capacity: MediaTime) -> Self {
        let nominal = nominal.max(MediaTime::from_flicks(1));
        let capacity = capacity.max(nominal);
        let nominal_units = capacity.as_flicks() / nominal.as_flicks() + 1;
        let most_units = nominal_units.saturating_mul(Self::SHORT_UNITS).min(Self::MOST_UNITS);
        Self {
            nominal,
            capacity,
            most_units: most_units as usize,
            most_bytes: usize::MAX,
            bytes: 0,
            position: None,
            units: BTreeMap::new(),
        }
    }

    /// The same with no more than `bytes` in memory, however short or long the units are: what is
    /// kept of each beside its data counts too.
    #[must_use]
    pub fn with_most_bytes(self, bytes: usize) -> Self {
        Self { most_bytes: bytes, ..self }
    }

    /// What is kept of a unit beside its data: its place in the tree, and the allocation behind it.
    const OVERHEAD: usize = 256;

    fn weight(unit: &Unit) -> usize {
        unit.data.len() + Self::OVERHEAD
    }

    fn weigh(&mut self) {
        self.bytes = self.units.values().map(Self::weight).sum();
    }

    /// How many bytes more it takes, where it counts them.
    pub const fn room(&self) -> usize {
        self.most_bytes.saturating_sub(self.bytes)
    }

    /// Takes in a unit that has arrived or was recovered.
    pub fn push(&mut self, unit: Unit) -> Pushed {
        if self.position.is_some_and(|position| unit.end() <= position) {
            return Pushed::Late;
        }
        if self.units.contains_key(&unit.media_time) {
            return Pushed::Duplicate;
        }
        let bytes = self.bytes + Self::weight(&unit);
        if self.units.len() >= self.most_units
            || bytes > self.most_bytes
            || !self.within_capacity(&unit)
        {
            return Pushed::Full;
        }
        self.bytes = bytes;
        self.units.insert(unit.media_time, unit);
        Pushed::Accepted
    }

    /// What there is to play at `position`, which becomes the end of what is handed out.
    ///
    /// Units that end at or before `position` are dropped. A unit that begins before `position`
    /// but reaches beyond it is handed out with its start as it is.
    pub fn take(&mut self, position: MediaTime) -> Taken {
        while let Some(first) = self.units.first_entry() {
            if first.get().end() > position {
                break;
            }
            self.bytes -= Self::weight(&first.remove());
        }
        let taken = match self.units.first_entry() {
            Some(first) if *first.key() <= position => {
                let unit = first.remove();
                self.bytes -= Self::weight(&unit);
                Taken::Unit(unit)
            }
            Some(first) => Taken::Missing { duration: (*first.key() - position).min(self.nominal) },
            None => Taken::Missing { duration: self.nominal },
        };
        let end = match &taken {
            Taken::Unit(unit) => unit.end(),
            Taken::Missing { duration } => position + *duration,
        };
        self.position = Some(self.position.map_or(end, |reached| reached.max(end)));
        taken
    }

    /// How far the unit that begins last reaches beyond `position`.
    ///
    /// Holes count: they take their time too, concealed or filled by what is still on its way.
    pub fn depth(&self, position: MediaTime) -> MediaTime {
        let reach =
            self.units.last_key_value().map_or(MediaTime::ZERO, |(_, last)| last.end() - position);
        reach.max(MediaTime::ZERO)
    }

    /// How much there is from `position` on before the first hole.
    pub fn whole(&self, position: MediaTime) -> MediaTime {
        let units = self.units.values().filter(|unit| unit.end() > position);
        let mut reach = position;
        for unit in units {
            if unit.media_time > reach {
                break;
            }
            reach = unit.end();
        }
        reach - position
    }

    /// The first unit that has anything left to play at `position`.
    pub fn next(&self, position: MediaTime) -> Option<&Unit> {
        self.units.values().find(|unit| unit.end() > position)
    }

    /// How many units wait.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether no unit waits.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Moves the playout position, backward or forward. Units that still lie between it and the
    /// capacity stay.
    pub fn seek(&mut self, position: MediaTime) {
        self.position = Some(position);
        let limit = position + self.capacity;
        self.units.retain(|_, unit| unit.end() > position && unit.end() <= limit);
        self.weigh();
    }

    /// Drops all units and forgets the position: as new.
    pub fn clear(&mut self) {
        self.position = None;
        self.units.clear();
        self.bytes = 0;
    }

    /// Counted from the position, or before there is one from the earliest unit.
    fn within_capacity(&self, unit: &Unit) -> bool {
        let held = self.units.first_key_value().zip(self.units.last_key_value());
        let (from, to) = match (self.position, held) {
            (Some(position), _) => (position, unit.end()),
            (None, Some(((&first, _), (_, last)))) => {
                (first.min(unit.media_time), last.end().max(unit.end()))
            }
            (None, None) => (unit.media_time, unit.end()),
        };
        to - from <= self.capacity
    }
}
