//! How an ideal sender parts its bytes, with hindsight.

use std::time::Duration;

use super::ideal::{Asking, Policy, stream};
use super::{Frames, OVERDUE, RepairBound};
use crate::link::{LinkError, LinkSpec};

/// How old the oldest and the newest frame may be that a symbol covers, as shares of the time
/// within which it can be of use.
///
/// All that can be helped is the best while losses are few. Where symbols do not make up for them,
/// frames beyond help stand in the way of younger ones; and in bursts that last their time it is
/// better to wait until they are over and to say little about many frames than much at once.
const WINDOWS: [(f64, f64); 10] = [
    (1.0, 0.0),
    (0.85, 0.0),
    (0.7, 0.0),
    (0.5, 0.0),
    (1.0, 0.5),
    (0.85, 0.25),
    (0.85, 0.5),
    (0.85, 0.7),
    (0.7, 0.35),
    (0.7, 0.55),
];

/// Runs in which the share of the code is sought that uses up what asking leaves.
const ATTEMPTS: usize = 4;

/// The share of the budget that may stay unused.
const UNUSED: f64 = 0.005;

/// What there is to spend, and on what.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    pub(super) link: &'a LinkSpec,
    pub(super) seed: u64,
    pub(super) frames: Frames,
    pub(super) overhead: f64,
    pub(super) latency: Duration,
}

impl Budget<'_> {
    /// The least that is left: over what symbols cover, then over ways to ask, then again over
    /// what symbols cover.
    pub(super) fn least(&self) -> Result<RepairBound, LinkError> {
        let mut window = WINDOWS[0];
        let mut best = self.run(self.code_alone(window))?;
        for other in &WINDOWS[1..] {
            let bound = self.run(self.code_alone(*other))?;
            if bound.missing < best.missing {
                (best, window) = (bound, *other);
            }
        }
        let mut asking = None;
        for way in self.ways_to_ask() {
            let bound = self.spend(window, way, 0.6 * self.overhead)?;
            if let Some(bound) = bound.filter(|bound| bound.missing < best.missing) {
                (best, asking) = (bound, Some(way));
            }
        }
        for (way, other) in asking.into_iter().flat_map(|way| WINDOWS.map(|other| (way, other))) {
            let bound = self.spend(other, way, best.code)?;
            best = bound.filter(|bound| bound.missing < best.missing).unwrap_or(best);
        }
        Ok(best)
    }

    /// Ways to ask for which there is time: once more when the answer is overdue, or with every
    /// frame; answered once or several times; only as long as an answer is expected in time, or
    /// as long as it may be in time if both packets are as fast as jitter makes one in six.
    fn ways_to_ask(&self) -> impl Iterator<Item = Asking> + use<> {
        let (every, latency) = (self.frames.every, self.latency);
        let round_trip = 2 * self.link.delay;
        let first_answer = self.link.delay + OVERDUE + round_trip;
        let luck = self.link.jitter.as_ref().map_or(Duration::ZERO, |jitter| jitter.deviation);
        let manners = [(round_trip + OVERDUE, 1), (every, 1), (every, 2), (3 * every, 3)];
        let hopes = [Duration::ZERO, luck].into_iter();
        let hopes = hopes.filter(move |&hope| first_answer <= latency + hope);
        hopes.flat_map(move |hope| {
            manners.into_iter().map(move |(again, copies)| Asking { again, copies, hope })
        })
    }

    /// What is left with this way to ask and as much code as it leaves room for, sought from
    /// `code` on; `None` where asking alone costs too much.
    fn spend(
        &self,
        window: (f64, f64),
        asking: Asking,
        mut code: f64,
    ) -> Result<Option<RepairBound>, LinkError> {
        let mut best: Option<RepairBound> = None;
        for _ in 0..ATTEMPTS {
            let window = self.window(window);
            let bound = self.run(Policy { code, window, asking: Some(asking) })?;
            // A budget is kept to a packet.
            let left = self.overhead - bound.overhead + 1.0 / bound.frames.max(1) as f64;
            if left >= 0.0 && best.is_none_or(|best| bound.missing < best.missing) {
                best = Some(bound);
            }
            let all_spent = (0.0..UNUSED * self.overhead).contains(&left);
            let whole = best.is_some_and(|best| best.missing == 0);
            if all_spent || whole || left < 0.0 && code == 0.0 {
                break;
            }
            code = (code + left - UNUSED / 2.0 * self.overhead).max(0.0);
        }
        Ok(best)
    }

    fn code_alone(&self, window: (f64, f64)) -> Policy {
        Policy { code: self.overhead, window: self.window(window), asking: None }
    }

    fn window(&self, (oldest, newest): (f64, f64)) -> (Duration, Duration) {
        let time = self.latency.saturating_sub(self.link.delay);
        (time.mul_f64(oldest), time.mul_f64(newest))
    }

    fn run(&self, policy: Policy) -> Result<RepairBound, LinkError> {
        stream(self.link, self.seed, self.frames, self.latency, policy)
    }
}
