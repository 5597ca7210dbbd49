//! Continuous with continuous: two tracks of one piece, sample by sample.

use super::{BeyondTolerance, SkewRule};
use crate::time::{ClockRate, MediaTime};

/// Compares where a track *is* with where the presentation is, and says what to do about it.
///
/// Tracks are rendered against one media timeline. A track whose next decoded sample is not the
/// one that is due (its sender skipped, its timestamps jumped) has parted from the others by the
/// difference.
#[derive(Copy, Clone, Debug)]
pub struct TrackAlignment {
    rule: SkewRule,
    largest: i64,
}

/// What a renderer must do before it goes on.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Correction {
    /// The track is where it should be, or near enough.
    None,
    /// The track's next samples belong to the past: leave out so many frames.
    Drop(usize),
    /// The track's next samples belong to the future: fill so many frames first.
    Fill(usize),
}

impl TrackAlignment {
    /// Tracks that must not part by a single sample.
    pub const EXACT: SkewRule =
        SkewRule { tolerance: std::time::Duration::ZERO, beyond: BeyondTolerance::Skip };

    /// A track that follows `rule`.
    pub fn new(rule: SkewRule) -> Self {
        Self { rule, largest: 0 }
    }

    /// The next sample of the track belongs at `has`, the presentation is at `due`.
    pub fn correct(&mut self, due: MediaTime, has: MediaTime, rate: ClockRate) -> Correction {
        let ahead = (has - due).ticks(rate);
        let tolerated = (has - due).to_delta().abs() <= self.rule.tolerance;
        if tolerated || self.rule.beyond == BeyondTolerance::Hold {
            self.largest = self.largest.max(ahead.abs());
            return Correction::None;
        }
        match ahead {
            0 => Correction::None,
            ahead if ahead > 0 => Correction::Fill(ahead as usize),
            behind => Correction::Drop(behind.unsigned_abs() as usize),
        }
    }

    /// The largest skew that was left standing, in samples.
    pub fn largest(&self) -> i64 {
        self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATE: ClockRate = ClockRate::OPUS;

    fn samples(count: i64) -> MediaTime {
        MediaTime::from_ticks(count, RATE)
    }

    #[test]
    fn exact_tracks_are_corrected_by_a_single_sample() {
        let mut track = TrackAlignment::new(TrackAlignment::EXACT);
        assert_eq!(track.correct(samples(100), samples(100), RATE), Correction::None);
        assert_eq!(track.correct(samples(100), samples(101), RATE), Correction::Fill(1));
        assert_eq!(track.correct(samples(100), samples(97), RATE), Correction::Drop(3));
        assert_eq!(track.largest(), 0);
    }

    #[test]
    fn a_tolerated_skew_stands_and_is_reported() {
        let rule = SkewRule { tolerance: Duration::from_millis(1), beyond: BeyondTolerance::Skip };
        let mut track = TrackAlignment::new(rule);
        assert_eq!(track.correct(samples(0), samples(48), RATE), Correction::None);
        assert_eq!(track.correct(samples(0), samples(49), RATE), Correction::Fill(49));
        assert_eq!(track.largest(), 48);
    }
}
