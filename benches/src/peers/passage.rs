//! What came of carrying frames: how many were not handed over in time, and what it cost.

use std::time::Duration;

use cantus_qos::time::MonoTime;
use serde::Serialize;

use super::frame::BARE;
use super::trial::Tally;
use crate::duplex::{Direction, PacketLog};

/// Bytes that entered the link, IP headers included.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// On the way of the frames.
    pub there: u64,
    /// On the way of the feedback.
    pub back: u64,
}

/// How frames fared on one link with one peer, once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Passage {
    /// Frames that counted.
    pub frames: u64,
    /// Were never handed over.
    pub missing: u64,
    /// Were handed over more than the latency after they were sent.
    pub late: u64,
    /// Bytes on the way of the frames beyond those of the bare stream, which has 280 a frame, as a
    /// share of it.
    pub overhead: f64,
    /// Bytes on the way of the feedback, as a share of the bare stream.
    pub feedback: f64,
    /// Half of the frames that were handed over took at most this long, in milliseconds.
    pub delay_p50_ms: Option<f64>,
    /// As much for 95 of 100.
    pub delay_p95_ms: Option<f64>,
    /// The longest that one took.
    pub delay_max_ms: Option<f64>,
    /// By how much the bench itself was late in passing on 99 of 100 packets.
    #[serde(rename = "lateness_p99_ms", serialize_with = "in_millis")]
    pub lateness: Option<Duration>,
    /// How often the peer had to be started until frames came in time on a link that only delays.
    pub starts: u32,
}

impl Traffic {
    /// What entered before `end`, by the log of the link.
    pub fn of(log: &PacketLog, end: MonoTime) -> Self {
        let mut traffic = Self::default();
        for entry in log.entries().iter().filter(|entry| entry.entered < end) {
            match entry.direction {
                Direction::ToClient => traffic.there += entry.size as u64,
                Direction::ToServer => traffic.back += entry.size as u64,
            }
        }
        traffic
    }
}

impl Passage {
    /// What frames came to that took this traffic.
    pub fn of(tally: &Tally, traffic: Traffic) -> Self {
        let bare = (u64::from(tally.frames) * BARE as u64).max(1) as f64;
        let delay = |q| tally.delays.quantile(q).map(|delay| delay.as_millis_f64());
        Self {
            frames: tally.frames.into(),
            missing: tally.missing.into(),
            late: tally.late.into(),
            overhead: traffic.there as f64 / bare - 1.0,
            feedback: traffic.back as f64 / bare,
            delay_p50_ms: delay(0.5),
            delay_p95_ms: delay(0.95),
            delay_max_ms: delay(1.0),
            lateness: None,
            starts: 1,
        }
    }

    /// The share of frames that were not handed over in time.
    pub fn share(&self) -> f64 {
        (self.missing + self.late) as f64 / self.frames.max(1) as f64
    }
}

fn in_millis<S: serde::Serializer>(span: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    Serialize::serialize(&span.map(|span| span.as_secs_f64() * 1e3), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_counted_beyond_the_bare_stream_and_both_ways() {
        let delays = [Some(Duration::from_millis(40)), None, Some(Duration::from_millis(300))];
        let tally = Tally::of(Duration::from_millis(200), delays);
        let passage = Passage::of(&tally, Traffic { there: 3 * 420, back: 84 });
        assert_eq!((passage.frames, passage.missing, passage.late), (3, 1, 1));
        assert!((passage.overhead - 0.5).abs() < 1e-12);
        assert!((passage.feedback - 0.1).abs() < 1e-12);
        assert!((passage.share() - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_sent_is_nothing_lost() {
        let passage = Passage::of(&Tally::default(), Traffic::default());
        assert_eq!((passage.share(), passage.delay_p50_ms), (0.0, None));
    }
}
