//! When a frame is heard.
//!
//! A callback says when it was called and when the first of its frames will be played. From this
//! follows the *origin*, the instant at which frame 0 was heard or would have been; and from the
//! origin, at any instant, the frame that is being heard. One number is all that the two threads
//! have to share.

use cantus_qos::time::ClockRate;
use cpal::StreamInstant;

/// No callback has taken a frame yet.
pub(super) const UNKNOWN: i64 = i64::MIN;

/// The first callbacks fill the buffers of the system and report no lead, or a wrong one.
const UNSETTLED: u32 = 3;
/// An origin that moves farther than this has jumped (an underrun, another device); what moves
/// less is the jitter of the time stamps.
const JUMP: i64 = 5_000_000;
/// Weight of one time stamp against those before it.
const SMOOTHING: i64 = 16;

/// Follows the time stamps of the callbacks. Instants are ns of the stream's clock.
#[derive(Debug)]
pub(super) struct Clock {
    rate: ClockRate,
    callbacks: u32,
    origin: i64,
}

impl Clock {
    pub(super) fn new(rate: ClockRate) -> Self {
        Self { rate, callbacks: 0, origin: UNKNOWN }
    }

    /// A callback at `called` takes `frames` frames, the first of which is the `first`-th of all
    /// and will be played at `played`. Returns the origin.
    pub(super) fn on_callback(&mut self, called: i64, played: i64, first: u64, frames: u64) -> i64 {
        self.callbacks = self.callbacks.saturating_add(1);
        let settled = self.callbacks > UNSETTLED;
        // Until the system reports its lead, it is at least the buffer that is being filled.
        let played = if settled { played } else { played.max(called + self.nanos(frames)) };
        let origin = played - self.nanos(first);
        let anchor = self.callbacks == UNSETTLED + 1;
        if !settled || anchor || self.origin.abs_diff(origin) > JUMP as u64 {
            self.origin = origin;
        } else {
            self.origin += (origin - self.origin) / SMOOTHING;
        }
        self.origin
    }

    fn nanos(&self, frames: u64) -> i64 {
        (i128::from(frames) * 1_000_000_000 / i128::from(self.rate.hz())) as i64
    }
}

/// How many frames have been heard at `now`.
pub(super) fn heard(origin: i64, now: i64, rate: ClockRate) -> u64 {
    if origin == UNKNOWN {
        return 0;
    }
    let played = i128::from(now.saturating_sub(origin).max(0));
    (played * i128::from(rate.hz()) / 1_000_000_000) as u64
}

/// An instant of the stream's clock in ns.
pub(super) fn nanos(instant: StreamInstant) -> i64 {
    i64::try_from(instant.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const RATE: ClockRate = ClockRate::OPUS;
    const PERIOD: u64 = 480;

    /// A clock that has seen `callbacks` callbacks every 10 ms, each with a lead of `lead` but
    /// for the first three.
    fn clock_after(callbacks: u64, lead: i64) -> Clock {
        let mut clock = Clock::new(RATE);
        for n in 0..callbacks {
            let called = n as i64 * 10 * MS;
            let played = if n < 3 { called } else { called + lead };
            clock.on_callback(called, played, n * PERIOD, PERIOD);
        }
        clock
    }

    #[test]
    fn nothing_is_heard_before_the_first_callback() {
        assert_eq!(heard(UNKNOWN, i64::MAX, RATE), 0);
        assert_eq!(heard(5 * MS, 4 * MS, RATE), 0);
    }

    #[test]
    fn a_frame_is_heard_when_its_time_has_come() {
        assert_eq!(heard(20 * MS, 30 * MS, RATE), 480);
        assert_eq!(heard(20 * MS, 30 * MS - 1, RATE), 479);
    }

    #[test]
    fn the_first_callbacks_without_a_lead_are_taken_for_one_buffer() {
        assert_eq!(clock_after(1, 40 * MS).origin, 10 * MS);
        assert_eq!(clock_after(3, 40 * MS).origin, 10 * MS);
    }

    #[test]
    fn the_fourth_callback_sets_the_anchor_in_one_step() {
        assert_eq!(clock_after(4, 40 * MS).origin, 40 * MS);
        assert_eq!(clock_after(4, 12 * MS).origin, 12 * MS, "a small step is one as well");
    }

    #[test]
    fn jitter_of_the_time_stamps_is_smoothed_and_a_jump_is_followed() {
        let mut clock = clock_after(10, 40 * MS);
        let later = |clock: &mut Clock, by: i64| {
            clock.on_callback(100 * MS, 140 * MS + by, 10 * PERIOD, PERIOD)
        };
        assert_eq!(later(&mut clock, 4 * MS), 40 * MS + 4 * MS / 16);
        let mut clock = clock_after(10, 40 * MS);
        assert_eq!(later(&mut clock, 5 * MS + 1), 45 * MS + 1);
    }

    #[test]
    fn an_underrun_moves_the_origin_by_its_silence() {
        let mut clock = clock_after(10, 40 * MS);
        let origin = clock.on_callback(130 * MS, 170 * MS, 10 * PERIOD, PERIOD);
        assert_eq!(origin, 70 * MS);
    }
}
