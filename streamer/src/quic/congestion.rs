//! A congestion window for media at a known rate.
//!
//! A loss-based window falls to two packets at the loss rates that forward error correction is
//! made for, and QUIC then drops datagrams before they are sent. What a session may send is
//! already limited: by admission, by its token bucket, by what media needs. So the window is that
//! rate times the round trip, and a margin; and it counts the *smallest* round trip, so that it
//! does not grow with the queue that it fills.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cantus_qos::quantity::Bitrate;
use quinn_proto::RttEstimator;
use quinn_proto::congestion::{Controller, ControllerFactory};

/// What the margin covers: acknowledgements that are late, or lost in bursts on their way back.
///
/// Where it is too short, a burst of lost acknowledgements shuts the window, and then nothing but
/// probes at growing distances opens it again: with 100 ms, sessions stood still for seconds on a
/// path that loses 13 % in bursts either way.
const MARGIN: Duration = Duration::from_millis(500);

/// A window never holds fewer packets than this (RFC 9002, section 7.2, has the same to begin with).
const LEAST_PACKETS: u64 = 10;

/// What a connection's sessions were granted; the server changes it while the connection lives.
#[derive(Clone, Debug, Default)]
pub struct GrantedRate(Arc<AtomicU64>);

impl GrantedRate {
    /// Sets the rate.
    pub fn set(&self, rate: Bitrate) {
        self.0.store(rate.as_bps(), Ordering::Relaxed);
    }

    /// The rate.
    pub fn get(&self) -> Bitrate {
        Bitrate::from_bps(self.0.load(Ordering::Relaxed))
    }
}

/// The congestion controller.
#[derive(Clone, Debug)]
pub struct MediaWindow {
    rate: GrantedRate,
    smallest_round_trip: Option<Duration>,
    mtu: u16,
}

impl MediaWindow {
    /// Makes controllers for connections that are granted `rate`.
    pub fn factory(rate: GrantedRate) -> Factory {
        Factory { rate }
    }
}

/// Makes [`MediaWindow`]s.
#[derive(Clone, Debug)]
pub struct Factory {
    rate: GrantedRate,
}

impl ControllerFactory for Factory {
    fn build(self: Arc<Self>, _now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        let rate = self.rate.clone();
        Box::new(MediaWindow { rate, smallest_round_trip: None, mtu: current_mtu })
    }
}

impl Controller for MediaWindow {
    fn on_ack(
        &mut self,
        _now: Instant,
        _sent: Instant,
        _bytes: u64,
        _app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.smallest_round_trip = Some(rtt.min());
    }

    fn on_congestion_event(
        &mut self,
        _now: Instant,
        _sent: Instant,
        _is_persistent_congestion: bool,
        _lost_bytes: u64,
    ) {
        // Loss is what the repair share is for; the rate is the admission's business.
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu;
    }

    fn window(&self) -> u64 {
        let round_trip = self.smallest_round_trip.unwrap_or(Duration::from_millis(333));
        let flight = self.rate.get().bytes_in(round_trip + MARGIN);
        flight.max(LEAST_PACKETS * u64::from(self.mtu))
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        LEAST_PACKETS * u64::from(self.mtu)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_the_granted_rate_over_the_round_trip_and_its_margin() {
        let rate = GrantedRate::default();
        let mut window = MediaWindow { rate: rate.clone(), smallest_round_trip: None, mtu: 1_200 };
        assert_eq!(window.window(), 12_000);
        rate.set(Bitrate::from_kbps(1_600));
        window.smallest_round_trip = Some(Duration::from_millis(100));
        assert_eq!(window.window(), 120_000);
    }
}
