//! When the frames of the sink's sound left for the sink.

use std::time::Duration;

use cantus_qos::stats::Distribution;
use cantus_qos::time::{ClockRate, MonoTime, TimeDelta};

/// How long the player may take to wake up is seen against the promptest hand-over within this.
const PROMPTEST_OF: Duration = Duration::from_secs(5);

/// The instants at which the sink's sound left.
#[derive(Debug)]
pub(super) struct Instants<'a> {
    /// The instant at which a frame left, and those behind it in their turn.
    handed: &'a [(MonoTime, u64)],
    rate: ClockRate,
}

impl<'a> Instants<'a> {
    pub(super) fn new(handed: &'a [(MonoTime, u64)], rate: ClockRate) -> Self {
        Self { handed, rate }
    }

    /// When a frame left; `None` before the first, and of nothing.
    pub(super) fn at(&self, frame: f64) -> Option<MonoTime> {
        let after = self.handed.partition_point(|(_, first)| *first as f64 <= frame);
        let (at, first) = self.handed.get(after.checked_sub(1)?)?;
        Some(*at + self.span(frame - *first as f64))
    }

    fn span(&self, frames: f64) -> TimeDelta {
        TimeDelta::from_secs_f64(frames / f64::from(self.rate.hz()))
    }

    /// By how much each hand-over came later than the promptest of its neighbours would have it.
    pub(super) fn lateness(&self) -> Distribution {
        let steady =
            |(at, first): &(MonoTime, u64)| (*at - MonoTime::ZERO) - self.span(*first as f64);
        let mut late = Distribution::new();
        let mut rest = self.handed;
        while let Some((begin, _)) = rest.first() {
            let end = *begin + PROMPTEST_OF;
            let (now, later) = rest.split_at(rest.partition_point(|(at, _)| *at < end).max(1));
            if let Some(promptest) = now.iter().map(steady).min() {
                late.extend(now.iter().map(|it| steady(it) - promptest));
            }
            rest = later;
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_leaves_in_its_turn_after_the_first_of_its_block() {
        let ms = MonoTime::from_millis;
        let handed = [(ms(200), 0), (ms(220), 960), (ms(243), 1_920)];
        let instants = Instants::new(&handed, ClockRate::OPUS);
        assert_eq!(instants.at(0.0), Some(ms(200)));
        assert_eq!(instants.at(48.0), Some(ms(201)));
        assert_eq!(instants.at(1_920.0), Some(ms(243)));
        assert_eq!(instants.at(-1.0), None);
        let late = instants.lateness();
        assert_eq!(
            (late.min(), late.max()),
            (Some(TimeDelta::ZERO), Some(TimeDelta::from_millis(3)))
        );
    }
}
