//! The units of a track that are there, and the fate of every one.

use cantus_qos::playout::{Buffer, Pushed, Taken, Unit};
use cantus_qos::stats::{Arrival, Ledger, Recovery};
use cantus_qos::time::{MediaTime, MonoTime};

/// No track holds more than this: a sender that runs further ahead is not one of ours.
const CAPACITY: MediaTime = MediaTime::from_millis(60_000);

/// Nor do all tracks together hold more bytes than this: five seconds of linear stereo, half a
/// minute of the best Opus. Our streamers run no further ahead (`streamer/src/session.rs`).
const MOST_BYTES: usize = 1_280 << 10;

/// What lies between taking in and rendering: the playout buffer, and the book that is kept of it.
#[derive(Debug)]
pub(crate) struct Stock {
    /// The fate of every unit.
    pub ledger: Ledger,
    unit: MediaTime,
    buffer: Buffer,
    /// The number of one unit and its media time: units follow each other without gaps.
    known: Option<(u64, MediaTime)>,
    /// Where the sound begins.
    from: MediaTime,
}

impl Stock {
    /// No units yet, of one of `tracks` tracks. Each plays for `unit`; the sound begins at `from`.
    pub(super) fn new(unit: MediaTime, from: MediaTime, tracks: usize) -> Self {
        let buffer = Buffer::new(unit, CAPACITY).with_most_bytes(MOST_BYTES / tracks.max(1));
        Self { ledger: Ledger::new(), unit, buffer, known: None, from }
    }

    /// RTP-Info and the range tell which units will come, so that the first and the last are
    /// missed too if they are lost.
    /// Gives the number of the last, where it is known.
    pub(super) fn expect(
        &mut self,
        first: u64,
        start: MediaTime,
        until: Option<MediaTime>,
    ) -> Option<u64> {
        self.known = Some((first, start));
        let unit = self.unit.as_flicks().max(1) as u64;
        let flicks_to = |end: MediaTime| (end - start).as_flicks().max(0) as u64;
        self.ledger.start_at(first + flicks_to(self.from) / unit);
        let last = (first + flicks_to(until?).div_ceil(unit)).saturating_sub(1);
        self.ledger.end_at(last);
        Some(last)
    }

    /// The number of the unit that is played at `position`, and where it begins; `None` before any
    /// is known.
    pub(super) fn unit_at(&self, position: MediaTime) -> Option<(u64, MediaTime)> {
        let (number, media_time) = self.known?;
        let unit = self.unit.as_flicks().max(1);
        let units = (position - media_time).as_flicks().div_euclid(unit);
        let begin = media_time + MediaTime::from_flicks(units.saturating_mul(unit));
        Some((number.checked_add_signed(units)?, begin))
    }

    /// A unit came, or was recovered; it left the sender at `sent`.
    pub(super) fn put(
        &mut self,
        now: MonoTime,
        unit: Unit,
        sent: Option<MonoTime>,
        recovery: Recovery,
    ) -> Arrival {
        let (number, media_time) = (unit.sequence, unit.media_time);
        self.known = Some((number, media_time));
        let is_heard = unit.end() > self.from;
        let arrival = match is_heard {
            true => self.ledger.on_arrival(now, number, media_time, sent, recovery),
            false => Arrival::Stale,
        };
        if arrival == Arrival::Duplicate {
            return arrival;
        }
        if self.buffer.push(unit) == Pushed::Late && is_heard {
            self.ledger.on_late(number);
        }
        arrival
    }

    /// What there is to play at `position`.
    pub(super) fn take(&mut self, position: MediaTime) -> Taken {
        self.buffer.take(position)
    }

    /// The unit that holds `due` is not there: lost, or late.
    pub(super) fn miss(&mut self, due: MediaTime) {
        if let Some((number, _)) = self.unit_at(due) {
            self.ledger.on_late(number);
        }
    }

    /// All units that begin in this stretch and are not there are given up.
    pub(super) fn skip(&mut self, from: MediaTime, to: MediaTime) {
        let mut due = from;
        while due < to {
            self.miss(due);
            due += self.unit;
        }
    }

    /// How much is buffered from `position` on.
    pub(super) fn depth(&self, position: MediaTime) -> MediaTime {
        self.buffer.depth(position)
    }

    /// How much of that comes before the first gap.
    pub(super) fn whole(&self, position: MediaTime) -> MediaTime {
        self.buffer.whole(position)
    }

    /// Where the first unit begins that has anything left to be played at `position`.
    pub(crate) fn next(&self, position: MediaTime) -> Option<MediaTime> {
        self.buffer.next(position).map(|unit| unit.media_time)
    }
}
