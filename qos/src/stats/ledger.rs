//! The fate of every unit of one stream.

mod settled;
mod totals;
mod unheard;
mod unit;

use std::collections::VecDeque;
use std::time::Duration;

use super::{Distribution, LossRuns, Recovery, UnitRecord};
use crate::time::{MediaTime, MonoTime, TimeDelta};
use settled::Settled;
pub use totals::Totals;
pub use unheard::Unheard;
pub use unit::Outcome;
use unit::{Came, Hearing, Unit};

/// Sequence numbers from here on are no sequence numbers: no unroller gets so far.
const END_OF_NUMBERS: u64 = 1 << 63;

/// What an arrival was to the stream.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Arrival {
    /// The first copy of a unit, in order or recovered.
    First,
    /// The first copy of a unit that others overtook on the way (RFC 4737, section 3).
    Reordered,
    /// One more copy of a unit that had arrived.
    Duplicate,
    /// A unit from before the first expected one; it counts for nothing.
    Stale,
}

/// Keeps account of every unit of one stream, from its arrival to its being heard.
///
/// Units are known by their unrolled sequence numbers. A unit is *expected* once the playout has
/// come to it or passed it, or the stream has ended; what lies ahead of the playout has no fate
/// yet. For the expected units these hold at any time:
///
/// * expected = played in time + late + never arrived
/// * expected = received + lost on the network
/// * lost on the network = recovered by FEC + recovered by retransmission + never arrived
///
/// *Received* are the units that came by themselves. Where a unit was recovered and then came
/// after all, the network had not lost it: it counts as received and its second copy as a
/// duplicate. *Late* are the units that came, but were not heard in time or not at all.
///
/// A window of the last units is kept in memory; what falls out of it is settled for good. A jump
/// of any size costs no more than the window.
///
/// ```
/// use cantus_qos::stats::{Ledger, Recovery};
/// use cantus_qos::time::{MediaTime, MonoTime};
///
/// let mut ledger = Ledger::new();
/// ledger.start_at(100);
/// for unit in [100, 102] {
///     let (sent, now) = (MonoTime::from_millis(0), MonoTime::from_millis(30));
///     ledger.on_arrival(now, unit, MediaTime::ZERO, Some(sent), Recovery::None);
/// }
/// let heard = MonoTime::from_millis(200);
/// ledger.on_played(100, heard, heard);
/// ledger.on_late(101);
/// ledger.on_played(102, heard, heard);
///
/// let totals = ledger.totals();
/// assert_eq!((totals.expected, totals.played, totals.never_arrived), (3, 2, 1));
/// ```
#[derive(Clone, Debug)]
pub struct Ledger {
    window: u64,
    /// Where the first open unit stands, once the stream has begun.
    begun: bool,
    base: u64,
    open: VecDeque<Unit>,
    /// The first expected unit of this part of the stream; not to be moved once announced.
    first: u64,
    announced: bool,
    /// One past the last unit that the playout has come to.
    passed: u64,
    /// One past the announced last unit.
    end: Option<u64>,
    /// The highest sequence number that came by itself.
    highest: Option<u64>,
    settled: Settled,
    outcomes: VecDeque<Outcome>,
    delays: Distribution,
    transits: Distribution,
}

impl Ledger {
    /// Units kept open unless told otherwise: 82 s of 20 ms.
    pub const DEFAULT_WINDOW: usize = 4096;

    /// Fates that wait to be asked for, however large the window is: at the end all that are open
    /// settle at once.
    const UNREAD: usize = Self::DEFAULT_WINDOW;

    /// Outcomes that wait to be asked for.
    const OUTCOMES: usize = 512;

    /// A unit heard this much after the instant wanted is still in time: less than the rounding
    /// of an audio callback.
    pub const TOLERANCE: Duration = Duration::from_millis(1);

    /// A stream that begins with the first unit that arrives, unless
    /// [`start_at`](Self::start_at) says otherwise.
    pub fn new() -> Self {
        Self::with_window(Self::DEFAULT_WINDOW)
    }

    /// The same with a window of `units` (at least one): as many as the sender may run ahead of
    /// the playout, and as a copy may come late and still be known for one.
    pub fn with_window(units: usize) -> Self {
        Self {
            window: units.max(1) as u64,
            begun: false,
            base: 0,
            open: VecDeque::new(),
            first: 0,
            announced: false,
            passed: 0,
            end: None,
            highest: None,
            settled: Settled::new(units.max(1).saturating_mul(2).min(Self::UNREAD)),
            outcomes: VecDeque::new(),
            delays: Distribution::new(),
            transits: Distribution::new(),
        }
    }

    /// Announces the first expected unit (RTP-Info): units before it are stale, units from it on
    /// that never come are lost, though nothing came before them.
    ///
    /// After [`finish`](Self::finish) or [`stop`](Self::stop) it begins a further part of the
    /// same stream (a seek, the end of a pause); the units between the parts are not expected.
    pub fn start_at(&mut self, sequence: u64) {
        let nothing_settled = self.first == self.base;
        if sequence >= END_OF_NUMBERS || !nothing_settled && sequence < self.base {
            return;
        }
        if self.open.is_empty() {
            (self.first, self.base, self.passed) = (sequence, sequence, sequence);
        } else if nothing_settled {
            self.move_start(sequence);
        } else {
            return;
        }
        (self.begun, self.announced) = (true, true);
    }

    /// Moves the beginning of a stream of which nothing has been settled yet.
    fn move_start(&mut self, sequence: u64) {
        let nothing_played = self.passed == self.base;
        if let Some(stale) = sequence.checked_sub(self.base) {
            self.open.drain(..stale.min(self.open.len() as u64) as usize);
            self.base = sequence;
        } else {
            let missing = self.base - sequence;
            let room = self.window.saturating_sub(self.open.len() as u64).min(missing);
            self.settled.gap(sequence, missing - room);
            self.base -= room;
            (0..room).for_each(|_| self.open.push_front(Unit::default()));
        }
        self.first = sequence;
        self.passed = if nothing_played { self.base } else { self.passed.max(self.base) };
    }

    /// A unit arrived, or was recovered, at `now`; `sent` is its sending time, mapped to the same
    /// clock.
    pub fn on_arrival(
        &mut self,
        now: MonoTime,
        sequence: u64,
        media_time: MediaTime,
        sent: Option<MonoTime>,
        recovery: Recovery,
    ) -> Arrival {
        if sequence >= END_OF_NUMBERS || self.is_stale(sequence) {
            return Arrival::Stale;
        }
        let came = Came { at: now, media_time, sent, recovery };
        let by_itself = recovery == Recovery::None;
        let overtaken = by_itself && self.highest.is_some_and(|highest| sequence < highest);
        if by_itself {
            self.highest = self.highest.max(Some(sequence));
        }
        let Some(unit) = self.reach(sequence) else {
            self.settled.duplicate(sequence, came);
            return Arrival::Duplicate;
        };
        unit.received |= by_itself;
        if unit.came.is_some() {
            self.settled.duplicate(sequence, came);
            return Arrival::Duplicate;
        }
        unit.came = Some(came);
        if overtaken {
            self.settled.reordered();
            return Arrival::Reordered;
        }
        Arrival::First
    }

    /// The first copy of a packet came by itself, so long after it was sent. Several units may
    /// have been in it, and some of them have waited for the others.
    pub fn on_transit(&mut self, transit: TimeDelta) {
        self.transits.record(transit);
    }

    fn is_stale(&self, sequence: u64) -> bool {
        self.begun && sequence < self.first && !self.can_begin_at(sequence)
    }

    /// Whether the stream may turn out to have begun earlier than was thought, because its first
    /// packets overtook each other.
    fn can_begin_at(&self, sequence: u64) -> bool {
        let units = self.base - sequence + self.open.len() as u64;
        !self.announced && self.first == self.base && units <= self.window
    }

    /// The open unit `sequence`, with all before it made room for; `None` if it is settled.
    fn reach(&mut self, sequence: u64) -> Option<&mut Unit> {
        if !self.begun {
            self.begun = true;
            (self.base, self.first, self.passed) = (sequence, sequence, sequence);
        } else if sequence < self.first {
            self.move_start(sequence);
        } else if sequence < self.base {
            return None;
        }
        self.settle_up_to((sequence + 1).saturating_sub(self.window));
        let index = (sequence - self.base) as usize;
        if index >= self.open.len() {
            // Twice as much each time, and never more than the window.
            let room = (2 * index + 2).min(self.window as usize);
            self.open.reserve_exact(room.saturating_sub(self.open.len()));
            self.open.resize(index + 1, Unit::default());
        }
        self.open.get_mut(index)
    }

    /// Settles all units before `floor`; those of which nothing is known all at once.
    fn settle_up_to(&mut self, floor: u64) {
        while self.base < floor {
            if let Some(unit) = self.open.pop_front() {
                self.settled.unit(self.base, &unit);
                self.base += 1;
            } else {
                self.settled.gap(self.base, floor - self.base);
                self.base = floor;
            }
        }
        self.passed = self.passed.max(self.base);
    }

    /// The unit was heard, or shown, at `at`; it is in time up to [`TOLERANCE`](Self::TOLERANCE)
    /// after `wanted`. Without a promise to keep, `wanted` is `at`.
    ///
    /// A unit that never arrived, that was given up by [`on_late`](Self::on_late) or that was
    /// heard before is not heard in time by this.
    pub fn on_played(&mut self, sequence: u64, at: MonoTime, wanted: MonoTime) {
        let Some(unit) = self.open_unit(sequence) else {
            return;
        };
        let Some(came) = unit.came else { return };
        unit.hearing = match unit.hearing {
            Hearing::Pending if at <= wanted + Self::TOLERANCE => Hearing::InTime(at),
            Hearing::Pending | Hearing::Missed => Hearing::TooLate(at),
            Hearing::InTime(_) | Hearing::TooLate(_) => return,
        };
        let delay = came.sent.map(|sent| at - sent);
        self.delays.extend(delay);
        self.tell(Outcome::Heard { at, delay });
        self.passed = self.passed.max(sequence + 1);
    }

    /// The playout came to the unit and had to go on without it. If it has arrived, or arrives
    /// yet, it is late; otherwise it never arrived.
    pub fn on_late(&mut self, sequence: u64) {
        let beyond = sequence >= self.end.unwrap_or(END_OF_NUMBERS);
        if !self.begun || beyond || sequence < self.base {
            return;
        }
        if let Some(unit @ Unit { hearing: Hearing::Pending, .. }) = self.reach(sequence) {
            unit.hearing = Hearing::Missed;
            self.tell(Outcome::Missed);
        }
        self.passed = self.passed.max(sequence + 1);
    }

    /// What became of units when their turn came, since the last call.
    pub fn outcomes(&mut self) -> impl Iterator<Item = Outcome> + '_ {
        self.outcomes.drain(..)
    }

    /// Where nobody asks, the oldest are forgotten.
    fn tell(&mut self, outcome: Outcome) {
        if self.outcomes.len() == Self::OUTCOMES {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back(outcome);
    }

    fn open_unit(&mut self, sequence: u64) -> Option<&mut Unit> {
        let index = sequence.checked_sub(self.base)?;
        self.open.get_mut(usize::try_from(index).ok()?)
    }

    /// Announces the last expected unit (the end of the range, BYE). Units up to it that never
    /// come are lost; if others come after it, the announcement was wrong and they count.
    pub fn end_at(&mut self, last_sequence: u64) {
        self.end = Some(last_sequence.min(END_OF_NUMBERS - 1) + 1);
    }

    /// The stream, or this part of it, is over: every unit gets its fate.
    pub fn finish(&mut self) {
        if !self.begun {
            return;
        }
        let reached = self.base + self.open.len() as u64;
        let end = self.end.take().unwrap_or(reached);
        // Units that the playout waited for beyond the announced end were never sent.
        while self.base + self.open.len() as u64 > end
            && self.open.back().is_some_and(|unit| unit.came.is_none())
        {
            self.open.pop_back();
        }
        self.settle_up_to(end.max(self.base + self.open.len() as u64));
        self.passed = self.base;
    }

    /// The listener stopped, or went elsewhere: the units that the playout has not come to are not
    /// expected any more, all others get their fate.
    pub fn stop(&mut self) {
        self.end = None;
        self.settle_up_to(self.passed);
        self.open.clear();
    }

    /// The fates settled since the last call, in order of sequence, duplicates where they came;
    /// for [`trace`](super::trace).
    ///
    /// As many as twice the window, and no more than 4,096, wait here; of more, the oldest are
    /// forgotten. Of a gap longer than 65,536 units only so many are listed.
    pub fn drain(&mut self) -> impl Iterator<Item = UnitRecord> + '_ {
        self.settled.drain()
    }

    /// The account up to the playout's position.
    pub fn totals(&self) -> Totals {
        self.expected_units().fold(self.settled.totals(), Totals::with).summed()
    }

    /// Runs of units that the network lost, before recovery, up to the playout's position.
    pub fn loss_runs(&self) -> LossRuns {
        let mut runs = self.settled.loss_runs().clone();
        self.expected_units().for_each(|unit| runs.push(!unit.received));
        runs
    }

    /// Units that were not heard at all, up to the playout's position.
    pub fn unheard(&self) -> Unheard {
        let mut unheard = self.settled.unheard();
        self.expected_units().for_each(|unit| unheard.push(unit));
        unheard
    }

    /// Open units that the playout has come to.
    fn expected_units(&self) -> impl Iterator<Item = &Unit> {
        self.open.iter().take(self.passed.saturating_sub(self.base) as usize)
    }

    /// Delays from sending to being heard, of units whose sending time is known.
    pub fn delays(&self) -> &Distribution {
        &self.delays
    }

    /// Delays from sending to arrival, of units that came by themselves and whose sending time is
    /// known.
    pub fn transits(&self) -> &Distribution {
        &self.transits
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
