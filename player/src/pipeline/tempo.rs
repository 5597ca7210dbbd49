//! How long what is rendered lasts: scaled to the latency, stretched to the sender's pace.

use std::time::Duration;

use cantus_qos::sync::Drift;
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use super::Pipeline;
use crate::wish::SinkClock;

impl Pipeline {
    /// Changes what `samples` last, which are heard `delay` after their sending and are a `unit` of
    /// media, so that what follows is heard when it should be.
    pub(super) fn keep_pace(
        &mut self,
        delay: Option<TimeDelta>,
        unit: MediaTime,
        samples: &mut Vec<f32>,
    ) {
        let left_to_drift = self.sink_clock == SinkClock::Sender || self.drift.copes();
        let change = match left_to_drift && !self.bargained {
            true => self.pace.adapt(delay, unit, samples),
            false => self.pace.hold(delay, unit, samples),
        };
        self.drift.moved(change);
        let promised = self.pace.promised();
        let stretch = self.drift.steer(self.parting(), delay, promised, unit);
        let mut later = change;
        match self.sink_clock {
            SinkClock::Sender => {
                let stretch = stretch.unwrap_or_default() * unit.as_secs_f64();
                later = later + TimeDelta::from_secs_f64(stretch);
            }
            SinkClock::Sink => {
                *samples = self.resampler.pass(std::mem::take(samples), stretch);
                if self.is_rendered() {
                    self.resampler.finish(samples);
                }
            }
        }
        if let Some(playout) = &mut self.playout {
            playout.delay(later);
        }
    }

    /// Playback, which had `waited` so long before, waits once more and makes up `samples`.
    pub(super) fn keep_waiting(&mut self, waited: MediaTime, samples: &mut Vec<f32>) {
        self.drift.moved((self.stall.waited() - waited).to_delta());
        if self.sink_clock == SinkClock::Sink {
            *samples = self.resampler.pass(std::mem::take(samples), self.drift.stretch());
        }
    }

    /// How fast the sender's clock parts from the one that plays: ours, where the sink has none.
    fn parting(&self) -> Option<Drift> {
        let sender = self.sender.drift()?;
        match self.sink_clock {
            SinkClock::Sender => Some(sender),
            SinkClock::Sink => Some(sender.above(self.sink.drift()?)),
        }
    }

    /// When a sink with a clock lets the next sample that is rendered be heard.
    pub(super) fn next_heard(&self) -> Option<MonoTime> {
        Some(self.sink.next_heard()? + self.held())
    }

    /// How much was rendered and not handed over.
    pub(super) fn held(&self) -> Duration {
        self.format().duration(self.resampler.held()).to_duration()
    }
}
