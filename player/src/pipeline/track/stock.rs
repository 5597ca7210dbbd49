//! The units of a track that are there, and the fate of every one.

use cantus_qos::playout::{Buffer, Pushed, Taken, Unit};
use cantus_qos::stats::{Arrival, Ledger, Recovery};
use cantus_qos::time::{MediaTime, MonoTime};

use super::numbering::Numbering;

/// No track holds more than this: a sender that runs further ahead is not one of ours.
const CAPACITY: MediaTime = MediaTime::from_millis(60_000);

/// Nor do all tracks together hold more bytes than this: five seconds of linear stereo, half a
/// minute of the best Opus. Our streamers run no further ahead (`streamer/src/session.rs`).
const MOST_BYTES: usize = 1_280 << 10;

/// No sender's first packet, which may be the short rest of a block, makes units shorter than this.
const SHORTEST_ADOPTED: MediaTime = MediaTime::from_flicks(MediaTime::FLICKS_PER_SEC / 400);

/// What lies between taking in and rendering: the playout buffer, and the book that is kept of it.
#[derive(Debug)]
pub(crate) struct Stock {
    /// The fate of every unit.
    pub ledger: Ledger,
    unit: MediaTime,
    buffer: Buffer,
    numbering: Numbering,
    /// What was announced of the first unit: its number, its beginning, and the end of all.
    announced: Option<(u64, MediaTime, Option<MediaTime>)>,
    /// Whether any packet has come.
    begun: bool,
    /// The newest unit that came.
    newest: Option<u64>,
    /// Where the sound begins.
    from: MediaTime,
}

impl Stock {
    /// No units yet, of one of `tracks` tracks. Each plays for `unit`; the sound begins at `from`.
    pub(super) fn new(unit: MediaTime, from: MediaTime, tracks: usize) -> Self {
        let buffer = Buffer::new(unit, CAPACITY).with_most_bytes(MOST_BYTES / tracks.max(1));
        let numbering = Numbering::new(unit);
        Self {
            ledger: Ledger::new(),
            unit,
            buffer,
            numbering,
            announced: None,
            begun: false,
            newest: None,
            from,
        }
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
        self.announced = Some((first, start, until));
        self.numbering.begin(first, start, until);
        let unit = self.unit.as_flicks().max(1) as u64;
        let before = (self.from - start).as_flicks().max(0) as u64 / unit;
        self.ledger.start_at(first + before);
        let last = (first + self.numbering.units(until? - start)).saturating_sub(1);
        self.ledger.end_at(last);
        Some(last)
    }

    /// A packet came, or was recovered: `unit`, numbered as packets are, which holds one unit of
    /// ours or several. It left the sender at `sent`.
    ///
    /// The last whole unit in it was there at that instant; those before it have waited in the packet,
    /// and one that ends in the next packet could not have left yet. The delay of each counts from
    /// when it could have.
    pub(super) fn put(
        &mut self,
        now: MonoTime,
        unit: Unit,
        sent: Option<MonoTime>,
        recovery: Recovery,
    ) -> Arrival {
        self.numbering.on_packet(unit.sequence, unit.media_time, unit.end());
        let mut first = None;
        for (number, media_time) in self.parts(&unit) {
            self.newest = self.newest.max(Some(number));
            let complete = unit.end() - self.unit;
            let begin = media_time.max(unit.media_time);
            let sent = sent.map(|sent| sent + (begin - complete).to_delta());
            let arrival = match media_time + self.unit > self.from {
                true => self.ledger.on_arrival(now, number, media_time, sent, recovery),
                false => Arrival::Stale,
            };
            // A packet is what the first of it that counts is.
            match first {
                None | Some(Arrival::Stale) => first = Some(arrival),
                Some(_) => {}
            }
        }
        let arrival = first.unwrap_or(match unit.end() > self.from {
            // None of ours begins in it; it is sound all the same.
            true => Arrival::First,
            false => Arrival::Stale,
        });
        let by_itself = recovery == Recovery::None;
        if matches!(arrival, Arrival::First | Arrival::Reordered) && by_itself {
            sent.into_iter().for_each(|sent| self.ledger.on_transit(now - sent));
        }
        let parts = self.parts(&unit);
        if self.buffer.push(unit) == Pushed::Late {
            for (number, media_time) in parts {
                if media_time + self.unit > self.from {
                    self.ledger.on_late(number);
                }
            }
        }
        arrival
    }

    /// A sender whose packets are shorter than was announced tells so with its first one. Of very
    /// short ones several make a unit, which so ends with a sample.
    /// Gives how long units are.
    pub(super) fn adopt(&mut self, duration: MediaTime) -> MediaTime {
        let begun = std::mem::replace(&mut self.begun, true);
        if begun || duration <= MediaTime::ZERO {
            return self.unit;
        }
        let (length, shortest) = (duration.as_flicks(), SHORTEST_ADOPTED.as_flicks());
        let packets = (shortest + length - 1).div_euclid(length).max(1);
        let unit = MediaTime::from_flicks(length.saturating_mul(packets));
        if unit >= self.unit {
            return self.unit;
        }
        self.unit = unit;
        self.buffer = Buffer::new(unit, CAPACITY).with_most_bytes(self.buffer.room());
        self.numbering = Numbering::new(unit);
        if let Some((first, start, until)) = self.announced {
            self.expect(first, start, until);
        }
        self.unit
    }

    /// The sound begins at `from`, and not where it was said to.
    pub(super) fn begin_at(&mut self, from: MediaTime) {
        self.from = from;
        let cut = self.numbering.begins().is_some_and(|begin| begin < from);
        let first = self.numbering.at(from).filter(|_| cut);
        first.into_iter().for_each(|(first, _)| self.ledger.start_at(first));
    }

    /// The numbers of the units in a packet, and where each begins.
    fn parts(&self, packet: &Unit) -> impl Iterator<Item = (u64, MediaTime)> + use<> {
        self.numbering.in_packet(packet.media_time, packet.end())
    }

    /// The packet is decoded for what is due at `due`: its units are heard at `at` and after it, and
    /// were wanted at `wanted`. Those that end before are over already.
    pub(super) fn on_played(
        &mut self,
        unit: &Unit,
        due: MediaTime,
        (at, wanted): (MonoTime, MonoTime),
    ) {
        for (number, begin) in self.parts(unit) {
            if begin + self.unit > due {
                let later = (begin - due).max(MediaTime::ZERO).to_delta();
                self.ledger.on_played(number, at + later, wanted + later);
            }
        }
    }

    /// The packet cannot be decoded.
    pub(super) fn on_damaged(&mut self, unit: &Unit) {
        self.parts(unit).for_each(|(number, _)| self.ledger.on_late(number));
    }

    /// It is over, with the last unit that came.
    pub(crate) fn finish_with_what_came(&mut self) {
        self.newest.into_iter().for_each(|newest| self.ledger.end_at(newest));
        self.ledger.finish();
    }

    /// What there is to play at `position`.
    pub(super) fn take(&mut self, position: MediaTime) -> Taken {
        self.buffer.take(position)
    }

    /// The units of this stretch are not there: lost, or late.
    pub(super) fn miss(&mut self, from: MediaTime, to: MediaTime) {
        self.numbering.in_gap(from, to).for_each(|number| self.ledger.on_late(number));
    }

    /// How many bytes more there is room for.
    pub(super) const fn room(&self) -> usize {
        self.buffer.room()
    }

    /// How much is buffered from `position` on.
    pub(super) fn depth(&self, position: MediaTime) -> MediaTime {
        self.buffer.depth(position)
    }

    /// How much of that comes before the first gap.
    pub(super) fn whole(&self, position: MediaTime) -> MediaTime {
        self.buffer.whole(position)
    }

    /// How long it takes from `position` on to the end of the packet that is there, or to the next one
    /// where that is `least` away; a unit where there is none.
    pub(super) fn piece(&self, position: MediaTime, least: MediaTime) -> MediaTime {
        match self.buffer.next(position) {
            Some(next) if next.media_time >= position + least => next.media_time - position,
            Some(next) => next.end() - position,
            None => self.unit,
        }
    }

    /// Where the first unit begins that has anything left to be played at `position`.
    pub(crate) fn next(&self, position: MediaTime) -> Option<MediaTime> {
        self.buffer.next(position).map(|unit| unit.media_time)
    }
}
