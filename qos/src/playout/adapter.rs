//! When to play a little faster or slower.

use crate::time::{MediaTime, TimeDelta};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// What is to be done with the next block.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Adjustment {
    /// Play it as it is.
    Keep,
    /// Take a period out: playback waits longer than it must.
    Shorten,
    /// Put a period in: playback waits too little.
    Lengthen,
}

/// Brings the delay of playback to the [target](super::TargetDelay), by having blocks shortened
/// and lengthened ([`TimeScale`](super::TimeScale)), as NetEQ's decision logic does.
///
/// *Hysteresis.* Nothing is done while the delay is between 5 ms below the target and 10 ms above
/// it. Once it is outside, adjustment goes on until the target is reached: so it does not hunt, and
/// its work comes in few stretches. The band is as wide as the longest period that is taken out at
/// once, so that none is put back again; it lies above the target, for below it more units are late
/// than were asked for.
///
/// *Bound.* At most a fifth of the sound, in time, is scaled blocks. A block of 20 ms changes by
/// 2.5 to 15 ms, mostly by 5 to 10; in every fifth block that is a change of tempo by 5 to 10 %,
/// about the least that listeners notice in speech, and it makes up for 50 to 100 ms in a second.
/// Where playback is more than 100 ms behind, as after an outage, every second block may be
/// shortened: a tempo up to a quarter faster, which passes within seconds (Liang, Färber and Girod,
/// "Adaptive playout scheduling and loss concealment for voice communication over IP networks", IEEE
/// Transactions on Multimedia 5, 2003, had listeners whom scaling now and then did not disturb). A
/// share that was not used cannot be saved: two scaled blocks never come closer than the share
/// allows.
#[derive(Clone, Debug, Default)]
pub struct Adapter {
    /// What is being done; `Steady` within the band.
    course: Course,
    /// How much sound has come since the last block that was scaled; `None` if none was.
    since: Option<MediaTime>,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
enum Course {
    #[default]
    Steady,
    Faster,
    Slower,
}

impl Adapter {
    /// So far above the target playback is let be.
    const ABOVE: TimeDelta = TimeDelta::from_millis(10);
    /// So far below it.
    const BELOW: TimeDelta = TimeDelta::from_millis(5);
    /// One block in so many may be scaled,
    const SHARE: i64 = 5;
    /// and one in so many shortened, where playback is behind by more than `FAR`.
    const HURRIED_SHARE: i64 = 2;
    const FAR: TimeDelta = TimeDelta::from_millis(100);

    /// An adapter that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is to be done with the next block, which lasts `block`.
    ///
    /// `delay` is how much longer playback waits than the fastest packet takes: for the unit at
    /// the playout position, its playout less its sending less
    /// [`TargetDelay::fastest`](super::TargetDelay::fastest).
    ///
    /// Call it once for each block that is about to be played, concealed ones excepted.
    pub fn decide(&mut self, delay: TimeDelta, target: Duration, block: MediaTime) -> Adjustment {
        self.since = self.since.map(|since| since + block);
        let excess = delay - target.into();
        self.course = self.steer(excess);
        let share = match self.course {
            Course::Faster if excess > Self::FAR => Self::HURRIED_SHARE,
            _ => Self::SHARE,
        };
        let rest = MediaTime::from_flicks(block.as_flicks().saturating_mul(share));
        match self.course {
            _ if self.since.is_some_and(|since| since < rest) => Adjustment::Keep,
            Course::Steady => Adjustment::Keep,
            Course::Faster => Adjustment::Shorten,
            Course::Slower => Adjustment::Lengthen,
        }
    }

    /// The block that [`decide`](Self::decide) was asked about has been scaled. Not to be called
    /// where scaling was refused: then the next block is tried.
    pub fn scaled(&mut self) {
        self.since = Some(MediaTime::ZERO);
    }

    fn steer(&self, excess: TimeDelta) -> Course {
        match self.course {
            Course::Faster if excess > TimeDelta::ZERO => Course::Faster,
            Course::Slower if excess < TimeDelta::ZERO => Course::Slower,
            _ if excess > Self::ABOVE => Course::Faster,
            _ if excess < -Self::BELOW => Course::Slower,
            _ => Course::Steady,
        }
    }
}
