//! The round trip, from measurements that vary.

use std::time::Duration;

/// The smoothed round trip and its mean deviation, as RFC 6298, section 2, has them.
///
/// Measurements come from RTCP (LSR and DLSR at the sender, RRTR and DLRR at the receiver), from
/// requests that were answered, and from QUIC.
///
/// ```
/// use std::time::Duration;
/// use cantus_qos::stats::RoundTrip;
///
/// let mut round_trip = RoundTrip::new();
/// round_trip.observe(Duration::from_millis(80));
/// assert_eq!(round_trip.smoothed(), Some(Duration::from_millis(80)));
/// assert_eq!(round_trip.deviation(), Duration::from_millis(40), "nothing is known of it yet");
/// ```
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct RoundTrip {
    /// Mean and deviation, in seconds.
    smoothed: Option<(f64, f64)>,
    least: Option<Duration>,
}

impl RoundTrip {
    /// How much a measurement counts for the mean and for the deviation: alpha and beta.
    const ALPHA: f64 = 1.0 / 8.0;
    const BETA: f64 = 1.0 / 4.0;

    /// Nothing is known.
    pub const fn new() -> Self {
        Self { smoothed: None, least: None }
    }

    /// A round trip took so long.
    pub fn observe(&mut self, sample: Duration) {
        self.least = Some(self.least.map_or(sample, |least| least.min(sample)));
        let sample = sample.as_secs_f64();
        self.smoothed = Some(match self.smoothed {
            None => (sample, sample / 2.0),
            Some((mean, deviation)) => {
                let off = (sample - mean).abs();
                let deviation = deviation + (off - deviation) * Self::BETA;
                (mean + (sample - mean) * Self::ALPHA, deviation)
            }
        });
    }

    /// The mean; `None` before any measurement.
    pub fn smoothed(&self) -> Option<Duration> {
        self.smoothed.map(|(mean, _)| Duration::from_secs_f64(mean))
    }

    /// The mean deviation; zero before any measurement.
    pub fn deviation(&self) -> Duration {
        self.smoothed.map_or(Duration::ZERO, |(_, deviation)| Duration::from_secs_f64(deviation))
    }

    /// The shortest: the path with empty queues; `None` before any measurement.
    pub const fn least(&self) -> Option<Duration> {
        self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_round_trip_comes_to_vary_by_nothing() {
        let mut round_trip = RoundTrip::new();
        (0..40).for_each(|_| round_trip.observe(Duration::from_millis(60)));
        assert_eq!(round_trip.smoothed(), Some(Duration::from_millis(60)));
        assert!(round_trip.deviation() < Duration::from_micros(10));
    }

    #[test]
    fn mean_and_deviation_follow_what_is_measured() {
        let mut round_trip = RoundTrip::new();
        for at in 0..200 {
            round_trip.observe(Duration::from_millis(if at % 2 == 0 { 80 } else { 120 }));
        }
        let mean = round_trip.smoothed().unwrap();
        assert!(mean.abs_diff(Duration::from_millis(100)) < Duration::from_millis(3), "{mean:?}");
        let deviation = round_trip.deviation();
        assert!(deviation.abs_diff(Duration::from_millis(20)) < Duration::from_millis(3));
        assert_eq!(round_trip.least(), Some(Duration::from_millis(80)));
    }
}
