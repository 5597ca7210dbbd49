//! When the frames of the sink's sound were heard, by when they left for the sink.

use std::time::Duration;

use cantus_qos::stats::Distribution;
use cantus_qos::time::{ClockRate, MonoTime, TimeDelta};

/// When a hand-over was due is told by the promptest of its neighbours within this.
const PROMPTEST_OF: Duration = Duration::from_secs(5);

/// The instants at which the sink's sound was heard.
#[derive(Debug)]
pub(super) struct Instants {
    handed: Vec<Handed>,
    rate: ClockRate,
    lead: Duration,
}

/// One hand-over.
#[derive(Debug)]
struct Handed {
    first: u64,
    at: MonoTime,
    /// By how much it came later than the promptest of its neighbours would have it.
    late: TimeDelta,
}

impl Instants {
    /// Of hand-overs, each with the frame that was next, of which the promptest come `lead` before
    /// they are due.
    pub(super) fn new(handed: &[(MonoTime, u64)], rate: ClockRate, lead: Duration) -> Self {
        let steady =
            |(at, first): &(MonoTime, u64)| (*at - MonoTime::ZERO) - span(*first as f64, rate);
        let (mut instants, mut rest) = (Vec::with_capacity(handed.len()), handed);
        while let Some((begin, _)) = rest.first() {
            let end = *begin + PROMPTEST_OF;
            let (now, later) = rest.split_at(rest.partition_point(|(at, _)| *at < end).max(1));
            let promptest = now.iter().map(steady).min().unwrap_or_default();
            instants.extend(now.iter().map(|it| {
                let (at, first) = *it;
                Handed { first, at, late: steady(it) - promptest }
            }));
            rest = later;
        }
        Self { handed: instants, rate, lead }
    }

    /// When a frame was heard: when it was due, or as it left, where that was later. `None` before
    /// the first, and of nothing.
    pub(super) fn at(&self, frame: f64) -> Option<MonoTime> {
        let block = self.block(frame)?;
        Some(self.due(block, frame).max(block.at))
    }

    /// By how much a frame was heard later than it was due.
    pub(super) fn late(&self, frame: f64) -> Option<Duration> {
        let block = self.block(frame)?;
        Some((block.at - self.due(block, frame)).max_zero())
    }

    fn block(&self, frame: f64) -> Option<&Handed> {
        let after = self.handed.partition_point(|block| block.first as f64 <= frame);
        self.handed.get(after.checked_sub(1)?)
    }

    fn due(&self, block: &Handed, frame: f64) -> MonoTime {
        block.at + (span(frame - block.first as f64, self.rate) - block.late) + self.lead
    }

    /// By how much each hand-over came later than the promptest of its neighbours would have it.
    pub(super) fn lateness(&self) -> Distribution {
        self.handed.iter().map(|block| block.late).collect()
    }
}

fn span(frames: f64, rate: ClockRate) -> TimeDelta {
    TimeDelta::from_secs_f64(frames / f64::from(rate.hz()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of 20 ms, of which the third leaves 3 ms late.
    fn instants(lead: u64) -> Instants {
        let ms = MonoTime::from_millis;
        let handed = [(ms(200), 0), (ms(220), 960), (ms(243), 1_920)];
        Instants::new(&handed, ClockRate::OPUS, Duration::from_millis(lead))
    }

    #[test]
    fn a_frame_is_heard_in_its_turn_or_as_it_leaves() {
        let ms = MonoTime::from_millis;
        let instants = instants(0);
        assert_eq!(instants.at(0.0), Some(ms(200)));
        assert_eq!(instants.at(48.0), Some(ms(201)));
        assert_eq!(instants.at(1_920.0), Some(ms(243)));
        assert_eq!(instants.at(1_920.0 + 48.0), Some(ms(243)), "it was due when the first left");
        assert_eq!(instants.at(1_920.0 + 4.0 * 48.0), Some(ms(244)));
        assert_eq!(instants.late(1_920.0 + 48.0), Some(Duration::from_millis(2)));
        assert_eq!(instants.at(-1.0), None);
        let late = instants.lateness();
        assert_eq!(
            (late.min(), late.max()),
            (Some(TimeDelta::ZERO), Some(TimeDelta::from_millis(3)))
        );
    }

    #[test]
    fn what_leaves_late_by_less_than_the_lead_is_heard_in_its_turn() {
        let ms = MonoTime::from_millis;
        assert_eq!(instants(5).at(1_920.0), Some(ms(245)));
        assert_eq!(instants(5).late(1_920.0), Some(Duration::ZERO));
        assert_eq!(instants(2).at(1_920.0), Some(ms(243)));
        assert_eq!(instants(2).late(1_920.0), Some(Duration::from_millis(1)));
    }
}
