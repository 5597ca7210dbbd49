//! When a place on the media timeline is heard.

use crate::time::{MediaTime, MonoTime, TimeDelta};

/// The line that playback follows: the media position heard at each local instant, at normal
/// speed, from one anchor on. Time scaling and sinks with a clock of their own move the anchor.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct PlayoutClock {
    at: MonoTime,
    position: MediaTime,
}

impl PlayoutClock {
    /// `position` is heard at `at`.
    pub fn new(at: MonoTime, position: MediaTime) -> Self {
        Self { at, position }
    }

    /// When `position` is heard.
    pub fn heard_at(&self, position: MediaTime) -> MonoTime {
        self.at + (position - self.position).to_delta()
    }

    /// What is heard at `now`.
    pub fn position(&self, now: MonoTime) -> MediaTime {
        self.position + MediaTime::from_delta(now - self.at)
    }

    /// From now on everything is heard `by` later (or earlier, where negative).
    pub fn delay(&mut self, by: TimeDelta) {
        self.at = self.at + by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_and_instant_are_inverse() {
        let mut clock = PlayoutClock::new(MonoTime::from_millis(500), MediaTime::from_millis(20));
        assert_eq!(clock.heard_at(MediaTime::from_millis(120)), MonoTime::from_millis(600));
        assert_eq!(clock.position(MonoTime::from_millis(600)), MediaTime::from_millis(120));
        assert_eq!(clock.heard_at(MediaTime::ZERO), MonoTime::from_millis(480));
        clock.delay(TimeDelta::from_millis(10));
        assert_eq!(clock.heard_at(MediaTime::from_millis(120)), MonoTime::from_millis(610));
    }
}
