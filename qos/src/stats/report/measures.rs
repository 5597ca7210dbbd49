//! The parts of a report that are measures, each with its constructor from what measured it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stats::Distribution;
use crate::time::TimeDelta;

/// A span in milliseconds, rounded to the microsecond, as reports carry it.
pub fn millis(span: TimeDelta) -> f64 {
    (span.as_nanos() as f64 / 1e3).round() / 1e3
}

fn quantile(distribution: &Distribution, q: f64) -> Option<f64> {
    distribution.quantile(q).map(millis)
}

/// An estimate of the listening quality.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Mos {
    /// Mean opinion score, 1 (bad) to 5 (excellent).
    pub value: f64,
    /// The model behind it, and what it was fed with.
    pub model: String,
}

/// How unsteadily the units of a stream arrived, in milliseconds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Jitter {
    /// Interarrival jitter at the end (RFC 3550, appendix A.8).
    pub rfc3550: Option<f64>,
    /// Its mean over all packets, which Wireshark shows as the mean jitter of a stream.
    #[serde(default)]
    pub rfc3550_mean: Option<f64>,
    /// Median of the delay variation: transit time less the smallest transit time (RFC 5481,
    /// packet delay variation). The clocks of the two ends need not agree for it.
    pub p50: Option<f64>,
    /// Its 95 % quantile.
    pub p95: Option<f64>,
    /// Its 99 % quantile.
    pub p99: Option<f64>,
}

impl Jitter {
    /// The same with the interarrival jitter, at the end and in the mean.
    pub fn with_rfc3550(self, at_end: TimeDelta, mean: TimeDelta) -> Self {
        Self { rfc3550: Some(millis(at_end)), rfc3550_mean: Some(millis(mean)), ..self }
    }
}

impl From<&Distribution> for Jitter {
    /// From the transit times.
    fn from(transits: &Distribution) -> Self {
        let variation = |q| Some(millis(transits.quantile(q)? - transits.min()?));
        let (p50, p95, p99) = (variation(0.5), variation(0.95), variation(0.99));
        Self { p50, p95, p99, ..Self::default() }
    }
}

/// From the sending of a unit to its being heard, in milliseconds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Delay {
    /// Median.
    pub p50: Option<f64>,
    /// 95 % of the units were heard within this.
    pub p95: Option<f64>,
    /// 99 % of the units were heard within this.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// How far off the delays may be either way, because the sender's clock is known only up to
    /// half a round trip; 0 where both ends share a clock.
    pub uncertainty: Option<f64>,
}

impl Delay {
    /// The same with what is known about the sender's clock.
    pub fn with_uncertainty(self, uncertainty: Duration) -> Self {
        Self { uncertainty: Some(millis(uncertainty.into())), ..self }
    }
}

impl From<&Distribution> for Delay {
    fn from(delays: &Distribution) -> Self {
        Self {
            p50: quantile(delays, 0.5),
            p95: quantile(delays, 0.95),
            p99: quantile(delays, 0.99),
            max: delays.max().map(millis),
            uncertainty: None,
        }
    }
}

/// What a stream took on the wire, in bytes.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Bytes {
    /// Payload of the stream itself.
    pub media: u64,
    /// Payload of repair packets.
    pub repair: u64,
    /// Payload of retransmitted packets.
    pub retransmission: u64,
    /// RTCP, both ways.
    pub feedback: u64,
    /// Headers of all the packets that carried it, from IP up.
    pub headers: u64,
}

impl Bytes {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.media + self.repair + self.retransmission + self.feedback + self.headers
    }
}

/// How well the streams of a presentation kept together.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SyncReport {
    /// Subtitles against the sound they belong to.
    pub subtitle_skew_ms: SubtitleSkew,
    /// Audio tracks against each other.
    pub tracks_skew_samples: TracksSkew,
}

/// When cues came, against the sound they belong to, in milliseconds: positive after it, negative
/// before it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SubtitleSkew {
    /// Median.
    pub p50: Option<f64>,
    /// 99 % of the cues were at most this far from their sound, before or after; its sign is that
    /// of the cue which was.
    pub p99: Option<f64>,
    /// The skew of the cue farthest from its sound, before or after.
    pub max: Option<f64>,
    /// Cues that were measured.
    pub count: u64,
}

impl From<&Distribution> for SubtitleSkew {
    fn from(skews: &Distribution) -> Self {
        Self {
            p50: quantile(skews, 0.5),
            p99: skews.farthest(0.99).map(millis),
            max: skews.farthest(1.0).map(millis),
            count: skews.count(),
        }
    }
}

/// How far two audio tracks of one presentation were apart, in samples.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct TracksSkew {
    /// The farthest; `null` with fewer than two tracks.
    pub max: Option<u64>,
}

/// Media in the playout buffer, in milliseconds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Buffer {
    /// What the player aimed at in the end.
    pub target: Option<f64>,
    /// The least there was.
    pub min: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95 % quantile.
    pub p95: Option<f64>,
    /// The most there was.
    pub max: Option<f64>,
}

impl Buffer {
    /// The same with the target.
    pub fn with_target(self, target: Duration) -> Self {
        Self { target: Some(millis(target.into())), ..self }
    }
}

impl From<&Distribution> for Buffer {
    /// From the depths found at each look into the buffer.
    fn from(depths: &Distribution) -> Self {
        Self {
            target: None,
            min: depths.min().map(millis),
            p50: quantile(depths, 0.5),
            p95: quantile(depths, 0.95),
            max: depths.max().map(millis),
        }
    }
}
