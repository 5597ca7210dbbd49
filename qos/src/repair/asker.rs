//! The receiver's half: what is missed, and when to ask for it.

mod missing;

use std::collections::BTreeMap;
use std::time::Duration;

use super::Playout;
use super::cadence::Cadence;
use crate::quantity::Bitrate;
use crate::shaping::TokenBucket;
use crate::stats::{Recovery, RoundTrip};
use crate::time::MonoTime;
use missing::{Asked, IN_VAIN, Missing};

/// Bytes of a request on the wire: IPv4, UDP, RTCP header and two sources, and a field.
const REQUEST: usize = 28 + 12 + 4;

/// Requests that fall due so close together travel together.
const TOGETHER: Duration = Duration::from_millis(2);

/// Where playback waits for what is missing, there is no hurry while it is far: this part of the
/// time that is left is waited for an answer. It may be in a queue.
const UNHURRIED: u32 = 16;

/// What has never been measured is taken for this: a path across a continent.
const USUAL_ROUND_TRIP: Duration = Duration::from_millis(100);

/// When a missing unit is asked for. Deviations are mean deviations.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct AskPolicy {
    /// A unit is asked for, without other proof of its loss, when it is overdue by so many
    /// deviations of the delay.
    pub first: f64,
    /// It is asked for again when the answer is overdue by so many deviations of the round trip.
    pub again: f64,
    /// Where there is no time to wait for two answers one after the other, requests overlap: this
    /// share of a round trip apart. Of what is lost in bursts either way, more comes back so than
    /// the same bytes of code would bring.
    pub overlap: f64,
    /// It is asked for only while an answer that takes so many deviations longer than usual can
    /// still be played. Below zero, also where only a fast one can.
    pub hope: f64,
}

impl Default for AskPolicy {
    fn default() -> Self {
        Self { first: 2.5, again: 2.0, overlap: 0.5, hope: -0.5 }
    }
}

/// What an [`Asker`] has done.
#[derive(Copy, Clone, Eq, PartialEq, Default, Debug)]
pub struct AskerCounts {
    /// Requests made: each is one packet.
    pub requests: u64,
    /// Units in them, each as often as it was asked for.
    pub asked: u64,
    /// Units that were sent once more and came.
    pub answered: u64,
    /// Units that came by themselves though they had been asked for.
    pub needless: u64,
}

/// Asks for what does not come, as long as the answer can still be played.
///
/// *Missing* is a unit of which a later one has come (on a path that is known to upset the order,
/// only after the time that it is known to take), and one that is overdue by the measure of the
/// jitter: so the units of a burst are asked for while it lasts. What repair has brought back is
/// not missing. All that is missing at an instant is asked for in one packet. When requests go
/// unanswered and nothing comes, the path is down: then one request a round trip finds out when
/// it is up again.
///
/// ```
/// use std::time::Duration;
/// use cantus_qos::repair::{AskPolicy, Asker, Playout};
/// use cantus_qos::stats::Recovery;
/// use cantus_qos::time::MonoTime;
///
/// let ms = MonoTime::from_millis;
/// let mut asker = Asker::new(AskPolicy::default(), Duration::from_millis(20));
/// asker.on_round_trip(Duration::from_millis(80));
/// let unit = Duration::from_millis(20);
/// asker.set_playout(Playout { number: 7, at: ms(200), unit, patience: Duration::ZERO });
/// asker.on_arrival(ms(40), 7, ms(0), Recovery::None);
/// asker.on_arrival(ms(80), 9, ms(40), Recovery::None);
/// assert_eq!(asker.pop(ms(80)), Some(vec![8]), "it was overtaken, and an answer can make it");
/// assert_eq!(asker.pop(ms(80)), None);
/// ```
#[derive(Clone, Debug)]
pub struct Asker {
    policy: AskPolicy,
    cadence: Cadence,
    round_trip: RoundTrip,
    playout: Option<Playout>,
    missing: BTreeMap<u64, Missing>,
    /// The first unit of which nothing is known, once the stream has begun.
    frontier: Option<u64>,
    /// One past the last unit.
    end: Option<u64>,
    /// When the newest unit left that came by itself.
    left_at: Option<MonoTime>,
    /// The latest first request for anything that was sent once more and came.
    answered: Option<MonoTime>,
    /// Requests since anything was answered, on a path that was not down, and the first of them.
    ignored: Option<(MonoTime, u32)>,
    /// The first request since anything came, and the last one.
    unanswered: Option<(MonoTime, MonoTime)>,
    polled_at: MonoTime,
    budget: TokenBucket,
    counts: AskerCounts,
}

impl Asker {
    /// Most units that are known to be missing at a time: more than anybody can ask for who still
    /// hears anything.
    const MOST_MISSING: u64 = 2_048;

    /// Who has answered none of as many requests, though other units left so long after the first of
    /// them and came, answers nothing.
    const SILENCE: Duration = Duration::from_secs(4);

    /// An asker for units that play for `unit` each. On average it asks no more than once a unit.
    pub fn new(policy: AskPolicy, unit: Duration) -> Self {
        let bits = (REQUEST * 8) as u128 * 1_000_000_000 / unit.as_nanos().max(1);
        let rate = Bitrate::from_bps(u64::try_from(bits).unwrap_or(u64::MAX));
        Self {
            policy,
            cadence: Cadence::new(unit),
            round_trip: RoundTrip::new(),
            playout: None,
            missing: BTreeMap::new(),
            frontier: None,
            end: None,
            left_at: None,
            answered: None,
            ignored: None,
            unanswered: None,
            polled_at: MonoTime::ZERO,
            budget: TokenBucket::new(rate, TokenBucket::LEAST_BURST)
                .expect("the least burst is enough for a bucket"),
            counts: AskerCounts::default(),
        }
    }

    /// Units play for `unit` from now on: a sender may join what was in several packets.
    pub fn set_unit(&mut self, unit: Duration) {
        self.cadence.set_unit(unit);
    }

    /// The stream begins with `number`: units from there on that do not come are missing, though
    /// nothing came before them.
    pub fn begin_at(&mut self, number: u64) {
        self.frontier.get_or_insert(number);
    }

    /// The stream ends with `number`: nothing is missing behind it.
    pub fn end_at(&mut self, number: u64) {
        self.end = Some(number.saturating_add(1));
    }

    /// No unit is sent any more beyond those that are known of, be it by their announced end.
    pub fn end(&mut self) {
        self.end = self.end.or(self.frontier).or(Some(0));
    }

    /// Until when units are of use, from now on.
    pub const fn set_playout(&mut self, playout: Playout) {
        self.playout = Some(playout);
    }

    /// Until when units are of use, as it was told last.
    pub const fn playout(&self) -> Option<Playout> {
        self.playout
    }

    /// A round trip was measured.
    pub fn on_round_trip(&mut self, round_trip: Duration) {
        self.round_trip.observe(round_trip);
    }

    /// What is known of the round trip.
    pub const fn round_trip(&self) -> RoundTrip {
        self.round_trip
    }

    /// What was done so far.
    pub const fn counts(&self) -> AskerCounts {
        self.counts
    }

    /// A unit that was sent at `sent` came, or was recovered.
    pub fn on_arrival(&mut self, now: MonoTime, number: u64, sent: MonoTime, how: Recovery) {
        self.on_sent_before(now, number);
        let known = self.frontier.unwrap_or_default();
        self.frontier = Some(known.max(number.saturating_add(1)));
        let missing = self.missing.remove(&number);
        match how {
            Recovery::None => {
                self.left_at = self.left_at.max(Some(sent));
                self.unanswered = None;
                self.cadence.on_arrival(now, number, sent);
                let overtaken = missing.and_then(|missing| missing.overtaken_at);
                if let Some(at) = overtaken {
                    self.cadence.on_disorder(now, now.since(at));
                }
                let asked = missing.is_some_and(|missing| missing.asked.is_some());
                self.counts.needless += u64::from(asked);
            }
            Recovery::Retransmission => {
                self.unanswered = None;
                self.counts.answered += u64::from(missing.is_some());
                // Of several requests nobody knows which one was answered (Karn).
                let asked = missing.and_then(|missing| missing.asked);
                self.ignored = None;
                self.answered = self.answered.max(asked.map(|asked| asked.first));
                if let Some(Asked { first, times: 1, .. }) = asked {
                    self.round_trip.observe(now.since(first));
                }
            }
            Recovery::Fec => {}
        }
    }

    /// All units before `number` have been sent, and those among them that have not come are
    /// missing: a later packet, or a repair packet that was made of them, has come.
    pub fn on_sent_before(&mut self, now: MonoTime, number: u64) {
        let first = *self.frontier.get_or_insert(number);
        // Those that were overdue are now known to be lost.
        for missing in self.missing.range_mut(..number).map(|(_, missing)| missing) {
            missing.overtaken_at.get_or_insert(now);
        }
        let ask_at = now + self.cadence.disorder(now);
        for number in first.max(number.saturating_sub(Self::MOST_MISSING))..number {
            self.missing.insert(number, Missing::new(Some(now), ask_at));
        }
        self.frontier = Some(first.max(number));
        while self.missing.len() as u64 > Self::MOST_MISSING {
            self.missing.pop_first();
        }
    }

    /// What to ask for now: the numbers of units in ascending order, for one packet.
    pub fn pop(&mut self, now: MonoTime) -> Option<Vec<u64>> {
        self.polled_at = now;
        self.forget(now);
        self.notice(now);
        if self.not_before(now) > now {
            return None;
        }
        if !self.missing.values().any(|missing| missing.is_due(now)) {
            return None;
        }
        let down = self.is_down(now);
        let numbers: Vec<u64> = self
            .missing
            .iter()
            .filter(|(_, missing)| down || missing.is_due(now + TOGETHER))
            .map(|(number, _)| *number)
            .filter(|number| self.has_hope(now, *number))
            .collect();
        for missing in self.missing.values_mut().filter(|missing| missing.is_due(now + TOGETHER)) {
            missing.ask_at = None;
        }
        if numbers.is_empty() || !self.budget.take(now, REQUEST) {
            return None;
        }
        numbers.iter().for_each(|number| self.on_asked(now, *number, down));
        let (first, _) = self.unanswered.unwrap_or((now, now));
        self.unanswered = Some((first, now));
        if !down {
            self.ignored.get_or_insert((now, 0)).1 += 1;
        }
        self.counts.requests += 1;
        self.counts.asked += numbers.len() as u64;
        Some(numbers)
    }

    /// Whether the unit `number`, which is not there, may still come: nothing shows yet that it was
    /// sent, or it is asked for, and not in vain.
    pub fn awaits(&self, number: u64) -> bool {
        if self.end.is_some_and(|end| number >= end) {
            return false;
        }
        match self.missing.get(&number) {
            Some(missing) => {
                missing.ask_at.is_some() && !missing.is_in_vain() && !self.is_ignored()
            }
            None => self.frontier.is_none_or(|frontier| number >= frontier),
        }
    }

    /// Whether nobody answers, though answers could come.
    fn is_ignored(&self) -> bool {
        self.ignored.is_some_and(|(since, requests)| {
            let within = Self::SILENCE + self.answer_within(self.policy.again);
            requests >= IN_VAIN && self.left_at.is_some_and(|at| at.since(since) >= within)
        })
    }

    /// How long it takes until a unit that was lost is there, if `share` of all packets are lost
    /// each way: so long that all but one in ten thousand are.
    pub fn repaired_within(&self, share: f64) -> Duration {
        let fails = 1.0 - (1.0 - share.clamp(0.0, 0.9)).powi(2);
        let times = if fails > 0.0 { (0.000_1_f64.ln() / fails.ln()).max(1.0) } else { 1.0 };
        self.answer_within(self.policy.again).mul_f64(times)
    }

    /// When [`pop`](Self::pop) may have something again.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        let asked = self.missing.values().filter_map(|missing| missing.ask_at).min();
        let noticed = self.next_overdue();
        let next = asked.into_iter().chain(noticed).min()?;
        Some(self.not_before(next.max(self.polled_at)))
    }

    /// When the first unit of which nothing is known becomes missing.
    fn next_overdue(&self) -> Option<MonoTime> {
        let number = self.frontier.filter(|number| self.end.is_none_or(|end| *number < end))?;
        if self.missing.len() as u64 >= Self::MOST_MISSING {
            return None;
        }
        let at = self.cadence.overdue(number, self.policy.first)?;
        // Who is in no hurry waits for proof: the sender may have slowed down.
        Some(at + self.unhurried(at, number))
    }

    /// Units that are overdue become missing.
    fn notice(&mut self, now: MonoTime) {
        while let Some(at) = self.next_overdue().filter(|at| *at <= now) {
            let Some(number) = self.frontier else { return };
            self.missing.insert(number, Missing::new(None, at));
            self.frontier = Some(number + 1);
        }
    }

    /// Units that cannot be played any more are not missed any more.
    fn forget(&mut self, now: MonoTime) {
        if let Some(playout) = &self.playout {
            self.missing = self.missing.split_off(&playout.first_open(now));
        }
    }

    /// How long an answer takes that takes `deviations` longer than usual.
    fn answer_within(&self, deviations: f64) -> Duration {
        let usual = self.round_trip.smoothed().unwrap_or(USUAL_ROUND_TRIP).as_secs_f64();
        let within = usual + deviations * self.round_trip.deviation().as_secs_f64();
        Duration::try_from_secs_f64(within).unwrap_or_default()
    }

    /// The last instant at which it is worth asking for a unit; `None` before playback is planned.
    fn last_call(&self, number: u64) -> Option<MonoTime> {
        Some(self.playout?.deadline(number) - self.answer_within(self.policy.hope))
    }

    /// How long what is to come may take at `now` where playback waits for it.
    fn unhurried(&self, now: MonoTime, number: u64) -> Duration {
        let Some(playout) = self.playout.filter(|it| !it.patience.is_zero()) else {
            return Duration::ZERO;
        };
        playout.deadline(number).since(now).saturating_sub(playout.patience) / UNHURRIED
    }

    fn has_hope(&self, now: MonoTime, number: u64) -> bool {
        let in_vain = self.missing.get(&number).is_some_and(Missing::is_in_vain);
        !in_vain && self.last_call(number).is_none_or(|last| now <= last)
    }

    /// Plans when a unit that is asked for now is asked for again: when its answer is overdue; or
    /// where there is no time for that twice, sooner, so that requests overlap.
    fn on_asked(&mut self, now: MonoTime, number: u64, down: bool) {
        let overdue = self.answer_within(self.policy.again).max(self.unhurried(now, number));
        let apart = now + self.answer_within(0.0).mul_f64(self.policy.overlap);
        let last = self.last_call(number);
        let answered = self.answered;
        let Some(missing) = self.missing.get_mut(&number) else { return };
        missing.on_asked(now, answered, down);
        missing.ask_at = match last {
            Some(last) if now + 2 * overdue > last => Some(apart).filter(|at| *at <= last),
            _ => Some(now + overdue),
        };
    }

    /// Whether requests have gone unanswered for so long, with nothing else coming, that the path
    /// is down.
    fn is_down(&self, now: MonoTime) -> bool {
        self.down_from().is_some_and(|from| from <= now)
    }

    fn down_from(&self) -> Option<MonoTime> {
        self.unanswered.map(|(first, _)| first + self.answer_within(self.policy.again))
    }

    /// The first instant from `at` on at which a request may be made: while the path is down there
    /// is one a round trip, and never are there more than the budget allows.
    fn not_before(&self, at: MonoTime) -> MonoTime {
        let at = match self.unanswered {
            Some((_, last)) if self.is_down(at) => at.max(last + self.answer_within(0.0)),
            _ => at,
        };
        self.budget.ready_at(at, REQUEST)
    }
}

#[cfg(test)]
mod tests;
