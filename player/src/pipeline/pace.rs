//! How long playback waits, and how it is brought nearer to what the network asks for.

use std::time::Duration;

use cantus_qos::payload::AudioFormat;
use cantus_qos::playout::{Adapter, Adjustment, TargetConfig, TargetDelay, TimeScale};
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use crate::wish::Latency;

/// Stored media starts with this much: the streamer runs ahead, and soon there is more.
const STORED_START: Duration = Duration::from_millis(300);

/// With `auto`, one unit in two hundred may be late; recovered ones count from when they were
/// recovered, so the target leaves room for repair where there is loss.
const AUTO: TargetConfig = TargetConfig {
    minimum: Duration::from_millis(20),
    maximum: Duration::from_secs(2),
    start: Duration::from_millis(120),
    late_share: 0.005,
};

/// The latency of playback: held constant where it is promised, adapted where it is `auto`.
#[derive(Debug)]
pub(crate) struct Pace {
    latency: Latency,
    target: TargetDelay,
    adapter: Adapter,
    scale: TimeScale,
    rate: cantus_qos::time::ClockRate,
    channels: usize,
}

impl Pace {
    /// The pace that `latency` asks for, of sound in `format`.
    pub(crate) fn new(latency: Latency, format: AudioFormat) -> Self {
        Self {
            latency,
            target: TargetDelay::new(AUTO),
            adapter: Adapter::new(),
            scale: TimeScale::new(format),
            rate: format.rate,
            channels: usize::from(format.channels),
        }
    }

    /// A unit could be played `delay` after it was sent.
    pub(crate) fn observe(&mut self, now: MonoTime, delay: TimeDelta) {
        self.target.observe(now, delay);
    }

    /// How long after its nominal sending the first unit is heard.
    pub(crate) fn start_delay(&self, now: MonoTime) -> Duration {
        match self.latency {
            Latency::Fixed(delay) => delay,
            Latency::Stored => self.fastest() + STORED_START,
            Latency::Auto => self.fastest() + self.target.target(now),
        }
    }

    fn fastest(&self) -> Duration {
        self.target.fastest().unwrap_or_default().max_zero()
    }

    /// Shortens or lengthens a block that is heard `delay` after its nominal sending, where the
    /// latency is ours to choose. Gives by how much later everything after it is heard.
    pub(crate) fn adapt(
        &mut self,
        now: MonoTime,
        delay: Option<TimeDelta>,
        block: MediaTime,
        samples: &mut Vec<f32>,
    ) -> TimeDelta {
        let (Latency::Auto, Some(delay)) = (self.latency, delay) else { return TimeDelta::ZERO };
        let excess = delay - TimeDelta::from(self.fastest());
        let scaled = match self.adapter.decide(excess, self.target.target(now), block) {
            Adjustment::Keep => None,
            Adjustment::Shorten => self.scale.shorten(samples),
            Adjustment::Lengthen => self.scale.lengthen(samples),
        };
        let Some(scaled) = scaled else { return TimeDelta::ZERO };
        let more = (scaled.len() / self.channels) as i64 - (samples.len() / self.channels) as i64;
        *samples = scaled;
        let change = MediaTime::from_ticks(more, self.rate).to_delta();
        self.adapter.scaled(change);
        change
    }

    /// Media time that was left out and put in.
    pub(crate) fn scaled(&self) -> (MediaTime, MediaTime) {
        let time = |frames: u64| MediaTime::from_ticks(frames as i64, self.rate);
        (time(self.scale.removed()), time(self.scale.added()))
    }
}
