//! When that which was handed to a sink without a clock is heard.

use std::collections::VecDeque;
use std::time::Duration;

use cantus_qos::sync::PlayoutClock;
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use super::{Pipeline, Track};

/// Blocks that are remembered: more than a second of the shortest that Opus is sent in here, and
/// the sound of a cue that is shown is younger.
const REMEMBERED: usize = 128;

/// When a block is due, and when it leaves.
///
/// What leaves before it is due waits in the sink; what leaves later is heard as it leaves.
#[derive(Copy, Clone, Debug)]
pub(super) struct HandOver {
    /// When its first sample is due.
    pub due: MonoTime,
    /// When all of it leaves.
    pub left: MonoTime,
}

impl HandOver {
    /// A block that a sink with a clock takes when it wants it, and lets be heard from `at` on.
    pub(super) fn heard(at: MonoTime) -> Self {
        Self { due: at, left: at }
    }

    /// When a sample that is due at `due` is heard.
    pub(super) fn heard_at(self, due: MonoTime) -> MonoTime {
        due.max(self.left)
    }
}

impl Pipeline {
    /// How long before it is due the next sound leaves for a sink without a clock. When it all begins
    /// is decided as late as can be, by all that is known.
    pub(super) fn leaves_before(&self) -> Duration {
        let (from, piece) = (self.position, self.piece());
        let is_there = |track: &Track| track.is_there(from, piece);
        match self.playout.is_some() && self.ahead > self.lead && self.tracks.iter().all(is_there) {
            true => self.ahead,
            false => self.lead,
        }
    }
}

/// The blocks that were last handed to a sink without a clock.
///
/// Each sample is due by the sender's clock whatever happened to those before it: a block that
/// left late delays none of its successors.
#[derive(Debug, Default)]
pub(super) struct Handed {
    blocks: VecDeque<Block>,
}

#[derive(Copy, Clone, Debug)]
struct Block {
    when: HandOver,
    from: MediaTime,
    end: MediaTime,
}

impl Block {
    fn line(&self) -> PlayoutClock {
        PlayoutClock::new(self.when.due, self.from)
    }
}

impl Handed {
    /// The sound from `from` up to `end` leaves.
    pub(super) fn push(&mut self, when: HandOver, from: MediaTime, end: MediaTime) {
        if self.blocks.len() == REMEMBERED {
            self.blocks.pop_front();
        }
        self.blocks.push_back(Block { when, from, end });
    }

    /// Playback stands still at `position`, which is due no earlier.
    pub(super) fn stand(&mut self, when: HandOver, position: MediaTime) {
        let stands = |block: &Block| (block.from, block.end) == (position, position);
        if self.blocks.back().is_some_and(stands) {
            self.blocks.pop_back();
        }
        self.push(when, position, position);
    }

    /// What is due at `now`; `None` before anything was handed over.
    pub(super) fn due(&self, now: MonoTime) -> Option<MediaTime> {
        let begun = self.blocks.iter().rev().find(|block| block.when.due <= now);
        match begun {
            Some(block) => Some(block.line().position(now)),
            None => self.blocks.front().map(|block| block.from),
        }
    }

    /// By how much the sample at `position` left later than it was due.
    pub(super) fn late_by(&self, position: MediaTime) -> TimeDelta {
        let holds = |block: &&Block| (block.from..block.end).contains(&position);
        let late = self.blocks.iter().rev().find(holds).map(|block| {
            let due = block.line().heard_at(position);
            block.when.heard_at(due) - due
        });
        late.unwrap_or(TimeDelta::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> MonoTime = MonoTime::from_millis;
    const AT: fn(i64) -> MediaTime = MediaTime::from_millis;

    /// Three blocks of 20 ms, due from 200 ms on: one leaves early, two leave at 245 ms.
    fn handed() -> Handed {
        let mut handed = Handed::default();
        for (block, left) in [(0, 195), (1, 245), (2, 245)] {
            let when = HandOver { due: MS(200 + 20 * block), left: MS(left) };
            handed.push(when, AT(20 * block as i64), AT(20 * block as i64 + 20));
        }
        handed
    }

    #[test]
    fn what_left_early_is_heard_when_it_is_due() {
        let handed = handed();
        assert_eq!(handed.due(MS(195)), Some(AT(0)), "not before it");
        assert_eq!(handed.due(MS(207)), Some(AT(7)));
        assert_eq!(handed.late_by(AT(7)), TimeDelta::ZERO);
    }

    #[test]
    fn each_sample_is_late_by_as_much_as_it_left_after_it_was_due() {
        let handed = handed();
        let late = [20, 25, 40, 44, 45, 59].map(|at| handed.late_by(AT(at)));
        let expected = [25, 20, 5, 1, 0, 0].map(TimeDelta::from_millis);
        assert_eq!(late, expected);
        assert_eq!(handed.due(MS(250)), Some(AT(50)));
    }

    #[test]
    fn only_the_last_blocks_are_remembered() {
        let mut handed = Handed::default();
        assert_eq!(handed.due(MS(0)), None);
        for block in 0..=REMEMBERED as u64 {
            let when = HandOver { due: MS(10 * block), left: MS(10 * block + 1) };
            handed.push(when, AT(10 * block as i64), AT(10 * block as i64 + 10));
        }
        assert_eq!(handed.late_by(AT(0)), TimeDelta::ZERO, "forgotten");
        assert_eq!(handed.late_by(AT(10)), TimeDelta::from_millis(1));
    }
}
