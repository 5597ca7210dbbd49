//! When units come: how far apart they are sent, how long they take, and how much that varies.

use std::time::Duration;

use crate::time::{MonoTime, TimeDelta};

/// How much a new measurement counts, once there are more of them than this is long.
const MEMORY: u32 = 32;

/// No path is taken for so steady that its delay varies by less than this part of a unit.
const STEADIEST: f64 = 20.0;

/// Who joins units does so because the path is narrow: there a report, or an answer, holds up the
/// next packet, by up to what the packet has grown by.
const HELD_UP: f64 = 1.0;

/// Of how much order was upset, half is forgotten in this time.
const FORGETS_DISORDER: Duration = Duration::from_secs(10);

/// The cadence of an isochronous stream, as it arrives.
#[derive(Clone, Debug)]
pub(super) struct Cadence {
    /// How long a unit was announced to play, and how long it does.
    announced: Duration,
    unit: Duration,
    /// The highest number that came by itself, and when it was sent.
    latest: Option<(u64, MonoTime)>,
    /// Between two units, in seconds.
    spacing: f64,
    /// From sending to arrival, in seconds, and its mean deviation.
    delay: f64,
    deviation: f64,
    seen: u32,
    /// How long a unit came after one that was sent later, at most of late.
    disorder: Option<(Duration, MonoTime)>,
}

impl Cadence {
    pub(super) fn new(unit: Duration) -> Self {
        Self {
            announced: unit,
            unit,
            latest: None,
            spacing: unit.as_secs_f64(),
            delay: 0.0,
            deviation: 0.0,
            seen: 0,
            disorder: None,
        }
    }

    /// Units play for `unit` from now on, and are sent as much farther apart, or less.
    pub(super) fn set_unit(&mut self, unit: Duration) {
        if unit != self.unit && !unit.is_zero() {
            self.spacing *= unit.div_duration_f64(self.unit);
            self.unit = unit;
        }
    }

    /// A unit that was sent at `sent` came by itself.
    pub(super) fn on_arrival(&mut self, now: MonoTime, number: u64, sent: MonoTime) {
        self.seen = (self.seen + 1).min(MEMORY);
        let weight = 1.0 / f64::from(self.seen);
        let off = (now - sent).as_secs_f64() - self.delay;
        self.delay += off * weight;
        let deviation = if self.seen == 1 { 0.0 } else { off.abs() };
        self.deviation += (deviation - self.deviation) * weight;
        match self.latest {
            Some((latest, _)) if number <= latest => {}
            Some((latest, latest_sent)) => {
                let apart = (sent - latest_sent).as_secs_f64() / (number - latest) as f64;
                // A stream that is sent faster than it plays catches up; nobody sends it slower.
                let apart = apart.clamp(0.0, self.unit.as_secs_f64());
                self.spacing += (apart - self.spacing) * weight;
                self.latest = Some((number, sent));
            }
            None => self.latest = Some((number, sent)),
        }
    }

    /// A unit came by itself `after` one that was sent later had come.
    pub(super) fn on_disorder(&mut self, now: MonoTime, after: Duration) {
        self.disorder = Some((self.disorder(now).max(after), now));
    }

    /// How long after a gap has shown the missing unit may still come by itself.
    pub(super) fn disorder(&self, now: MonoTime) -> Duration {
        let Some((most, at)) = self.disorder else { return Duration::ZERO };
        let halvings = now.since(at).as_nanos() / FORGETS_DISORDER.as_nanos();
        most / 2u32.saturating_pow(u32::try_from(halvings).unwrap_or(u32::MAX))
    }

    /// When the unit `number` is overdue: `patience` deviations after it was to come. `None`
    /// before any has come.
    pub(super) fn overdue(&self, number: u64, patience: f64) -> Option<MonoTime> {
        let (latest, sent) = self.latest?;
        let ahead = number as f64 - latest as f64;
        let grown = self.unit.saturating_sub(self.announced).as_secs_f64();
        let least = (self.unit.as_secs_f64() / STEADIEST).max(grown * HELD_UP);
        let deviation = self.deviation.max(least);
        let after = ahead * self.spacing + self.delay + patience * deviation;
        Some(sent + TimeDelta::from_secs_f64(after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(20);

    fn ms(millis: u64) -> MonoTime {
        MonoTime::from_millis(millis)
    }

    #[test]
    fn a_steady_stream_is_overdue_soon_after_it_is_due() {
        let mut cadence = Cadence::new(UNIT);
        assert_eq!(cadence.overdue(0, 2.0), None);
        (0..50).for_each(|at| cadence.on_arrival(ms(at * 20 + 40), at, ms(at * 20)));
        let due = cadence.overdue(50, 2.0).unwrap();
        assert!((due - ms(1_042)).abs() < Duration::from_micros(1), "{due:?}");
        assert_eq!(cadence.overdue(49, 2.0), Some(due - UNIT));
    }

    #[test]
    fn jitter_makes_it_wait() {
        let mut cadence = Cadence::new(UNIT);
        for at in 0..200 {
            let jitter = if at % 2 == 0 { 0 } else { 20 };
            cadence.on_arrival(ms(at * 20 + 40 + jitter), at, ms(at * 20));
        }
        let due = cadence.overdue(200, 2.0).unwrap();
        let patience = due - ms(4_000 + 50);
        assert!(
            (patience - TimeDelta::from_millis(20)).abs() < Duration::from_millis(2),
            "{due:?}"
        );
    }

    #[test]
    fn a_stream_that_catches_up_is_due_sooner() {
        let mut cadence = Cadence::new(UNIT);
        (0..50).for_each(|at| cadence.on_arrival(ms(at * 10 + 40), at, ms(at * 10)));
        let due = cadence.overdue(60, 0.0).unwrap();
        assert!((due - ms(640)).abs() < Duration::from_millis(5), "{due:?}");
    }

    #[test]
    fn units_that_become_longer_are_not_overdue_at_the_old_pace() {
        let mut cadence = Cadence::new(UNIT);
        (0..50).for_each(|at| cadence.on_arrival(ms(at * 20 + 40), at, ms(at * 20)));
        cadence.set_unit(3 * UNIT);
        cadence.on_arrival(ms(1_080), 50, ms(1_040));
        let due = cadence.overdue(51, 0.0).unwrap();
        assert!((due - ms(1_140)).abs() < Duration::from_millis(1), "{due:?}");
    }

    #[test]
    fn disorder_is_forgotten_slowly() {
        let mut cadence = Cadence::new(UNIT);
        assert_eq!(cadence.disorder(ms(5)), Duration::ZERO);
        cadence.on_disorder(ms(1_000), Duration::from_millis(16));
        cadence.on_disorder(ms(1_000), Duration::from_millis(4));
        assert_eq!(cadence.disorder(ms(1_000)), Duration::from_millis(16));
        assert_eq!(cadence.disorder(ms(11_000)), Duration::from_millis(8));
        assert_eq!(cadence.disorder(ms(1_000_000)), Duration::ZERO);
    }
}
