//! Until when a unit is of use.

use std::time::Duration;

use crate::time::MonoTime;

/// The playout of a stream as it is planned now: units follow each other without gaps, so that the
/// instant of one is the instant of all.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Playout {
    /// The number of a unit...
    pub number: u64,
    /// ...and when it must be there to be played.
    pub at: MonoTime,
    /// How long each unit plays.
    pub unit: Duration,
    /// How long after its instant playback waits for a unit that is missing, and does not go on
    /// without it; then `number` is the next to be played, and those before it are over.
    pub patience: Duration,
}

impl Playout {
    /// When the unit `number` must be there; zero for one whose instant was before time began.
    pub fn deadline(&self, number: u64) -> MonoTime {
        let units = number.abs_diff(self.number);
        let span = u64::try_from(self.unit.as_nanos()).unwrap_or(u64::MAX).saturating_mul(units);
        let at = self.at.as_nanos();
        MonoTime::from_nanos(match number >= self.number {
            true => (self.at + self.patience).as_nanos().saturating_add(span),
            false => at.saturating_sub(span),
        })
    }

    /// The first unit that can still be played at `now`.
    pub fn first_open(&self, now: MonoTime) -> u64 {
        let unit = self.unit.as_nanos().max(1);
        let units = |span: Duration| u64::try_from(span.as_nanos() / unit).unwrap_or(u64::MAX);
        let last_call = self.at + self.patience;
        if now > last_call {
            return self.number.saturating_add(units(now.since(last_call))).saturating_add(1);
        }
        match self.patience.is_zero() {
            true => self.number.saturating_sub(units(self.at.since(now))),
            false => self.number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYOUT: Playout = Playout {
        number: 100,
        at: MonoTime::from_millis(1_000),
        unit: Duration::from_millis(20),
        patience: Duration::ZERO,
    };

    #[test]
    fn the_instant_of_one_unit_tells_those_of_all() {
        assert_eq!(PLAYOUT.deadline(103), MonoTime::from_millis(1_060));
        assert_eq!(PLAYOUT.deadline(99), MonoTime::from_millis(980));
        assert_eq!(PLAYOUT.deadline(0), MonoTime::ZERO);
        assert_eq!(PLAYOUT.deadline(u64::MAX), MonoTime::from_nanos(u64::MAX));
    }

    #[test]
    fn a_unit_is_open_until_its_instant() {
        for (now, first) in [(980, 99), (981, 100), (1_000, 100), (1_001, 101), (1_040, 103)] {
            let now = MonoTime::from_millis(now);
            let open = PLAYOUT.first_open(now);
            assert!(open <= first && PLAYOUT.deadline(open) >= now || open == first, "{now:?}");
        }
    }

    #[test]
    fn playback_that_waits_leaves_open_what_is_to_come_and_nothing_that_it_has_passed() {
        let waits = Playout { patience: Duration::from_millis(500), ..PLAYOUT };
        assert_eq!(waits.deadline(100), MonoTime::from_millis(1_500));
        assert_eq!(waits.deadline(103), MonoTime::from_millis(1_560));
        for (now, first) in [(900, 100), (1_000, 100), (1_500, 100), (1_501, 101), (1_540, 103)] {
            assert_eq!(waits.first_open(MonoTime::from_millis(now)), first, "{now}");
        }
    }
}
