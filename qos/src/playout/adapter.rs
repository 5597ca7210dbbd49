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
/// *Hysteresis.* Nothing is done while the delay is between the target and a margin above it, the
/// larger of 20 ms and a quarter of the target. Once it is outside, adjustment goes on until the
/// middle is reached: so it does not hunt, and its work comes in few stretches. The whole band
/// lies above the target, for below it more units are late than were asked for.
///
/// *Smoothing.* The delay is smoothed over 500 ms, for what is in a buffer goes up and down with
/// the jitter. The target is not: a spike is acted upon with the next block. What scaling itself
/// changes counts at once.
///
/// *Bound.* At most a fifth of the sound, in time, is scaled blocks. A block of 20 ms changes by
/// 2.5 to 15 ms, mostly by 5 to 10; in every fifth block that is a change of tempo by 5 to 10 %,
/// about the least that listeners notice in speech, and it makes up for 50 to 100 ms in a second.
/// A share that was not used cannot be saved: two scaled blocks never come closer than the share
/// allows.
#[derive(Clone, Debug, Default)]
pub struct Adapter {
    smoothed: Option<TimeDelta>,
    /// What is being done; `Steady` within the margin.
    course: Course,
    /// How much sound has to pass unscaled before the next block may be scaled.
    rest: MediaTime,
    /// The duration of the block that was decided upon last.
    block: MediaTime,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
enum Course {
    #[default]
    Steady,
    Faster,
    Slower,
}

impl Adapter {
    /// The smallest margin above the target.
    const MARGIN: Duration = Duration::from_millis(20);
    /// The margin as a part of the target.
    const MARGIN_PARTS: u32 = 4;
    /// How long the delay is smoothed.
    const SMOOTHING: MediaTime = MediaTime::from_millis(500);
    /// One block in so many may be scaled.
    const SHARE: i64 = 5;

    /// An adapter that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is to be done with the next block, which lasts `block`.
    ///
    /// `delay` is how much longer playback waits than the fastest packet takes: for the unit at
    /// the playout position, its playout less its sending less
    /// [`TargetDelay::fastest`](super::TargetDelay::fastest). The depth of the buffer does as
    /// well, though it swings with the jitter and is too small by the mean of it.
    ///
    /// Call it once for each block that is about to be played, concealed ones excepted.
    pub fn decide(&mut self, delay: TimeDelta, target: Duration, block: MediaTime) -> Adjustment {
        self.rest = (self.rest - block).max(MediaTime::ZERO);
        self.block = block;
        let delay = self.smooth(delay, block);
        self.course = self.steer(delay, target);
        match self.course {
            _ if self.rest > MediaTime::ZERO => Adjustment::Keep,
            Course::Steady => Adjustment::Keep,
            Course::Faster => Adjustment::Shorten,
            Course::Slower => Adjustment::Lengthen,
        }
    }

    /// The block that [`decide`](Self::decide) was asked about has become longer by `change`
    /// (shorter where it is negative). Not to be called where scaling was refused: then the next
    /// block is tried.
    pub fn scaled(&mut self, change: TimeDelta) {
        self.smoothed = self.smoothed.map(|delay| delay + change);
        self.rest = MediaTime::from_flicks(self.block.as_flicks().saturating_mul(Self::SHARE));
    }

    /// Forgets the delay, as after a seek, a pause or a jump of the playout position.
    pub fn reset(&mut self) {
        self.smoothed = None;
        self.course = Course::Steady;
    }

    fn smooth(&mut self, delay: TimeDelta, block: MediaTime) -> TimeDelta {
        let block = block.max(MediaTime::ZERO);
        let share = block.as_secs_f64() / (block + Self::SMOOTHING).as_secs_f64();
        let before = self.smoothed.unwrap_or(delay);
        let step = (delay - before).as_nanos() as f64 * share;
        let smoothed = before + TimeDelta::from_nanos(step as i64);
        self.smoothed = Some(smoothed);
        smoothed
    }

    fn steer(&self, delay: TimeDelta, target: Duration) -> Course {
        let margin = Self::MARGIN.max(target / Self::MARGIN_PARTS);
        let excess = delay - target.into();
        match self.course {
            Course::Faster if excess > (margin / 2).into() => Course::Faster,
            Course::Slower if excess < (margin / 2).into() => Course::Slower,
            _ if excess > margin.into() => Course::Faster,
            _ if excess < TimeDelta::ZERO => Course::Slower,
            _ => Course::Steady,
        }
    }
}
