//! A promised delay that the path does not allow.

use std::collections::VecDeque;
use std::time::Duration;

use cantus_qos::time::{MonoTime, TimeDelta};

use super::Pipeline;
use crate::wish::SinkClock;

/// Where nothing at all has come in time for so long, the path has become slower for good. An
/// outage is not that: what it held up comes within a second, and then units are in time again.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where most of what came was too late in so many of these parts of so much time, the promise is not
/// kept either, though some of it is: somebody else's queue comes and goes. What an outage held up,
/// however long it was, comes at once, in one part or two.
const WINDOW: Duration = Duration::from_secs(10);
const PARTS: usize = 20;
const TOO_MANY: usize = 5;

/// What is asked for then is enough for all parts but so many: those in which an outage ends.
const SPARED: usize = 2;

/// Units that are remembered of that time: those of two tracks.
const REMEMBERED: usize = 1_024;

/// Where everything has come in time for so long that would have to for the promise, it is taken
/// up again.
const RECOVERY: Duration = Duration::from_secs(10);

/// What the slowest of the units that told is given on top: they were few.
const MARGIN: Duration = Duration::from_millis(20);

/// Terms are told in whole steps of this.
const STEP: Duration = Duration::from_millis(10);

/// No delay beyond this is asked for instead: then something else is wrong.
const MOST: Duration = Duration::from_secs(10);

/// Finds the least delay at which there is something to be heard, where the promised one is too
/// short for it, and goes back to that when the path allows.
#[derive(Debug)]
pub(super) struct Bargain {
    promised: Duration,
    current: Duration,
    late: Option<Late>,
    recent: Recent,
    /// Since when the promise could have been kept.
    fit_since: Option<MonoTime>,
}

/// What came lately: when, and how long after its sending it could be heard.
#[derive(Debug, Default)]
struct Recent {
    units: VecDeque<(MonoTime, TimeDelta)>,
}

impl Recent {
    fn note(&mut self, now: MonoTime, delay: TimeDelta) {
        let is_old = |(at, _): &(MonoTime, TimeDelta)| *at + WINDOW < now;
        while self.units.len() == REMEMBERED || self.units.get(1).is_some_and(is_old) {
            self.units.pop_front();
        }
        self.units.push_back((now, delay));
    }

    /// The delay that nearly all could be heard at, if too much cannot at `current`.
    fn asks_for(&self, now: MonoTime, current: Duration) -> Option<TimeDelta> {
        self.units.front().filter(|(at, _)| now.since(*at) >= WINDOW)?;
        let mut parts = [(0u32, 0u32, TimeDelta::ZERO); PARTS];
        for (at, delay) in &self.units {
            let age = now.since(*at).as_secs_f64() / WINDOW.as_secs_f64();
            let (came, late, slowest) = &mut parts[((age * PARTS as f64) as usize).min(PARTS - 1)];
            *came += 1;
            *late += u32::from(*delay > current.into());
            *slowest = (*slowest).max(*delay);
        }
        if parts.iter().filter(|(came, late, _)| late * 2 > *came).count() < TOO_MANY {
            return None;
        }
        let mut slowest = parts.map(|(_, _, slowest)| slowest);
        slowest.sort_unstable();
        Some(slowest[PARTS - 1 - SPARED])
    }
}

/// Units in a row that came too late for the present delay.
#[derive(Copy, Clone, Debug)]
struct Late {
    since: MonoTime,
    slowest: TimeDelta,
}

impl Bargain {
    /// `delay` was promised.
    pub(super) fn new(delay: Duration) -> Self {
        Self {
            promised: delay,
            current: delay,
            late: None,
            recent: Recent::default(),
            fit_since: None,
        }
    }

    /// Whether another delay than the promised one is in force.
    fn is_renewed(&self) -> bool {
        self.current != self.promised
    }

    /// A unit came by itself at `now` and can be heard `delay` after its sending. Before playback
    /// has begun, the first one tells whether the promise can be kept; `feasible` is then the least
    /// delay by what is known of the path. Gives the delay to go on with, if it is another.
    pub(super) fn on_unit(
        &mut self,
        now: MonoTime,
        delay: TimeDelta,
        feasible: Option<Duration>,
    ) -> Option<Duration> {
        self.recent.note(now, delay);
        if delay <= self.current.into() {
            self.late = None;
            return self.recovered(now, delay);
        }
        self.fit_since = None;
        if let Some(feasible) = feasible {
            return self.renew(feasible.max(delay.max_zero() + MARGIN));
        }
        let late = self.late.get_or_insert(Late { since: now, slowest: delay });
        late.slowest = late.slowest.max(delay);
        let Late { since, slowest } = *late;
        let longer = if now.since(since) < PATIENCE {
            self.recent.asks_for(now, self.current)?
        } else {
            slowest
        };
        self.late = None;
        self.recent = Recent::default();
        self.renew(longer.max_zero() + MARGIN)
    }

    fn renew(&mut self, delay: Duration) -> Option<Duration> {
        let steps = delay.as_nanos().div_ceil(STEP.as_nanos()) as u32;
        let delay = (STEP * steps).min(MOST);
        (std::mem::replace(&mut self.current, delay) != delay).then_some(delay)
    }

    fn recovered(&mut self, now: MonoTime, delay: TimeDelta) -> Option<Duration> {
        if !self.is_renewed() || TimeDelta::from(self.promised) - delay < MARGIN.into() {
            self.fit_since = None;
            return None;
        }
        let since = *self.fit_since.get_or_insert(now);
        if now.since(since) < RECOVERY {
            return None;
        }
        self.fit_since = None;
        self.current = self.promised;
        Some(self.promised)
    }
}

impl Pipeline {
    /// A unit that came by itself tells what delay can be kept.
    pub(super) fn bargain(&mut self, now: MonoTime, delay: TimeDelta) {
        let Some(bargain) = &mut self.bargain else { return };
        let feasible = self.playout.is_none().then(|| self.pace.feasible());
        let lead = TimeDelta::from(self.lead);
        let Some(renewed) = bargain.on_unit(now, delay + lead, feasible) else { return };
        self.pace.renew(renewed);
        self.renewed = Some(renewed);
        self.bargained = true;
        // Later at once, for there is nothing to be heard before; sooner as time scaling brings it.
        if let (Some(playout), SinkClock::Sender) = (&mut self.playout, self.sink_clock) {
            let sent = self.sender.nominal_at(self.position);
            let later = sent.map(|sent| sent + renewed - playout.heard_at(self.position));
            playout.delay(later.unwrap_or(TimeDelta::ZERO).max(TimeDelta::ZERO));
        }
    }

    /// The delay that is in force as of now, once for each.
    pub fn pop_renewed(&mut self) -> Option<Duration> {
        self.renewed.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> MonoTime = MonoTime::from_millis;

    /// Units every 20 ms from `from` up to `to`, `delay` after their sending; what comes of it.
    fn come(bargain: &mut Bargain, from: u64, to: u64, delay: i64) -> Vec<(u64, u64)> {
        let told = (from..to).step_by(20).filter_map(|at| {
            let renewed = bargain.on_unit(MS(at), TimeDelta::from_millis(delay), None)?;
            Some((at, renewed.as_millis() as u64))
        });
        told.collect()
    }

    fn promised(millis: u64) -> Bargain {
        Bargain::new(Duration::from_millis(millis))
    }

    #[test]
    fn what_cannot_be_kept_from_the_start_is_not_begun() {
        let mut bargain = promised(40);
        let feasible = Some(Duration::from_millis(183));
        let renewed = bargain.on_unit(MS(0), TimeDelta::from_millis(63), feasible);
        assert_eq!(renewed, Some(Duration::from_millis(190)));
        assert_eq!(bargain.on_unit(MS(0), TimeDelta::from_millis(63), feasible), None);
    }

    #[test]
    fn a_path_that_has_become_slower_is_followed_after_three_seconds() {
        let mut bargain = promised(200);
        assert_eq!(come(&mut bargain, 0, 5_000, 150), []);
        assert_eq!(come(&mut bargain, 5_000, 9_000, 285), [(8_000, 310)]);
        assert!(bargain.is_renewed());
    }

    #[test]
    fn outages_do_not_break_a_promise_for_good_however_much_they_hold_up() {
        let mut bargain = promised(200);
        for begin in (0..120_000).step_by(10_000) {
            assert_eq!(come(&mut bargain, begin, begin + 5_000, 150), []);
            let held_up = (0..250).filter_map(|n| {
                let delay = TimeDelta::from_millis(5_000 - 18 * n);
                bargain.on_unit(MS(begin + 9_500 + n as u64), delay, None)
            });
            assert_eq!(held_up.count(), 0);
        }
        assert!(!bargain.is_renewed());
    }

    #[test]
    fn a_queue_that_comes_and_goes_is_followed_up_to_nearly_its_length() {
        let mut bargain = promised(200);
        let mut told = Vec::new();
        for begin in (0..20_000).step_by(1_000) {
            told.extend(come(&mut bargain, begin, begin + 600, 350));
            told.extend(come(&mut bargain, begin + 600, begin + 1_000, 150));
        }
        assert_eq!(told, [(10_000, 370)]);
    }

    #[test]
    fn an_outage_among_what_is_late_is_not_what_is_asked_for() {
        let mut bargain = promised(200);
        assert_eq!(come(&mut bargain, 0, 500, 5_000), []);
        let mut told = Vec::new();
        for begin in (500..12_000).step_by(1_000) {
            told.extend(come(&mut bargain, begin, begin + 600, 350));
            told.extend(come(&mut bargain, begin + 600, begin + 1_000, 150));
        }
        assert_eq!(told, [(10_000, 370)]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut recent = Recent::default();
        (0..10_000).for_each(|n| recent.note(MS(n / 8), TimeDelta::ZERO));
        assert_eq!(recent.units.len(), REMEMBERED);
        recent.note(MS(20_000), TimeDelta::ZERO);
        (0..REMEMBERED).for_each(|_| recent.note(MS(40_000), TimeDelta::ZERO));
        assert!(recent.units.iter().all(|(at, _)| *at == MS(40_000)));
    }

    #[test]
    fn the_promise_is_taken_up_again_after_ten_seconds_in_which_all_could_have_kept_it() {
        let mut bargain = promised(200);
        come(&mut bargain, 0, 4_000, 285);
        assert_eq!(come(&mut bargain, 4_000, 20_000, 190), [], "too close");
        assert_eq!(come(&mut bargain, 20_000, 29_000, 100), []);
        assert_eq!(come(&mut bargain, 29_000, 29_020, 250), []);
        assert_eq!(come(&mut bargain, 29_020, 40_000, 100), [(39_020, 200)]);
        assert!(!bargain.is_renewed());
    }

    #[test]
    fn no_delay_is_asked_for_that_nobody_would_wait_for() {
        let mut bargain = promised(200);
        assert_eq!(come(&mut bargain, 0, 4_000, 60_000), [(3_000, 10_000)]);
    }
}
