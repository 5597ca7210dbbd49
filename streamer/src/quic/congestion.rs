//! A congestion window for media at a known rate, and the rate that the path bears.
//!
//! A loss-based window falls to two packets at the loss rates that forward error correction is
//! made for, and QUIC then drops datagrams before they are sent. What a session may send is
//! already limited: by admission, by its token bucket, by what media needs. So the window is that
//! rate times the round trip, and a margin; and it counts the *smallest* round trip, so that it
//! does not grow with the queue that it fills.
//!
//! What the path bears is found by the same controller as over UDP ([`RateControl`]), from the
//! acknowledgements: how long each packet and its acknowledgement took. The sessions of the
//! connection go by it; the window does not shut on what they have sent already.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cantus_qos::quantity::Bitrate;
use cantus_qos::shaping::{PathRate, RateControl};
use cantus_qos::time::{MonoTime, TimeDelta};
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

/// IPv4 and UDP, which quinn does not count.
const HEADERS: usize = 28;

/// The least that is ever sent: a low rung of the ladder of encodings, in packets of 60 ms. On a
/// pipe of 48 kbit/s it leaves room for a queue to drain.
const LEAST: Bitrate = Bitrate::from_kbps(36);

/// The granted rate has half as much again for catching up, and what QUIC puts around a datagram is
/// not in it; more than a third is media, with which a connection begins: on a narrow path, what is
/// more would be a queue before anything is known of it.
const WANTED: f64 = 0.78;
const START: f64 = 0.36;

/// What a connection's sessions were granted, which the server changes while the connection lives;
/// and what its path was found to bear, which its congestion controller tells.
#[derive(Clone, Debug, Default)]
pub struct GrantedRate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    granted: AtomicU64,
    path: Mutex<News>,
}

#[derive(Debug, Default)]
struct News {
    path: Option<PathRate>,
    is_told: bool,
}

impl GrantedRate {
    /// Sets the rate.
    pub fn set(&self, rate: Bitrate) {
        self.0.granted.store(rate.as_bps(), Ordering::Relaxed);
    }

    /// The rate.
    pub fn get(&self) -> Bitrate {
        Bitrate::from_bps(self.0.granted.load(Ordering::Relaxed))
    }

    /// What the path bears, if that is news.
    pub fn take_path(&self) -> Option<PathRate> {
        let mut news = self.0.path.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut news.is_told, true) { None } else { news.path }
    }

    fn tell(&self, path: PathRate) {
        let mut news = self.0.path.lock().unwrap_or_else(PoisonError::into_inner);
        if news.path != Some(path) {
            *news = News { path: Some(path), is_told: false };
        }
    }
}

/// The congestion controller.
#[derive(Clone, Debug)]
pub struct MediaWindow {
    rate: GrantedRate,
    smallest_round_trip: Option<Duration>,
    mtu: u16,
    /// When the connection first told anything: the origin of the controller's time.
    began: Option<Instant>,
    control: Option<RateControl>,
}

impl MediaWindow {
    /// Makes controllers for connections that are granted `rate`.
    pub fn factory(rate: GrantedRate) -> Factory {
        Factory { rate }
    }

    fn new(rate: GrantedRate, mtu: u16) -> Self {
        Self { rate, smallest_round_trip: None, mtu, began: None, control: None }
    }

    fn time(&mut self, at: Instant) -> MonoTime {
        MonoTime::ZERO + at.saturating_duration_since(*self.began.get_or_insert(at))
    }

    /// The rate controller, once there is anything to send.
    fn control(&mut self) -> Option<&mut RateControl> {
        let granted = self.rate.get();
        if granted == Bitrate::ZERO {
            return None;
        }
        let wanted = granted.mul_f64(WANTED);
        let new = || RateControl::new(granted.mul_f64(START), LEAST, wanted);
        let control = self.control.get_or_insert_with(new);
        control.set_wanted(wanted);
        Some(control)
    }
}

/// Makes [`MediaWindow`]s.
#[derive(Clone, Debug)]
pub struct Factory {
    rate: GrantedRate,
}

impl ControllerFactory for Factory {
    fn build(self: Arc<Self>, _now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(MediaWindow::new(self.rate.clone(), current_mtu))
    }
}

impl Controller for MediaWindow {
    fn on_sent(&mut self, now: Instant, bytes: u64, _last_packet_number: u64) {
        let now = self.time(now);
        if let Some(control) = self.control() {
            control.on_sent(now, bytes as usize + HEADERS);
        }
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        _bytes: u64,
        _app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.smallest_round_trip = Some(rtt.min());
        // The earlier one first: it may be the first of all.
        let (sent, now) = (self.time(sent), self.time(now));
        if let Some(control) = self.control() {
            // Of the packets that one acknowledgement speaks of only the last was answered at once:
            // it is the fastest, and the fastest count.
            control.on_packet(sent, TimeDelta::from(now.since(sent)));
        }
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        _in_flight: u64,
        _app_limited: bool,
        _largest_packet_num_acked: Option<u64>,
    ) {
        let now = self.time(now);
        let Some(control) = self.control() else { return };
        control.on_report(now);
        let path = control.path(now);
        self.rate.tell(path);
    }

    fn on_congestion_event(
        &mut self,
        _now: Instant,
        sent: Instant,
        _is_persistent_congestion: bool,
        _lost_bytes: u64,
    ) {
        // Loss is what the repair share is for, and no sign of congestion.
        let sent = self.time(sent);
        if let Some(control) = self.control() {
            control.on_lost(sent);
        }
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
        let mut window = MediaWindow::new(rate.clone(), 1_200);
        assert_eq!(window.window(), 12_000);
        rate.set(Bitrate::from_kbps(1_600));
        window.smallest_round_trip = Some(Duration::from_millis(100));
        assert_eq!(window.window(), 120_000);
    }

    #[test]
    fn what_the_path_bears_is_told_once_and_again_when_it_changes() {
        let rate = GrantedRate::default();
        let window = MediaWindow::new(rate.clone(), 1_200);
        assert_eq!(rate.take_path(), None);
        let path = |kbps| PathRate::unlimited(Bitrate::from_kbps(kbps));
        for told in [path(130), path(150)] {
            window.rate.tell(told);
            assert_eq!(rate.take_path(), Some(told));
            window.rate.tell(told);
            assert_eq!(rate.take_path(), None);
        }
    }

    #[test]
    fn a_connection_begins_with_what_its_media_needs() {
        let rate = GrantedRate::default();
        let mut window = MediaWindow::new(rate.clone(), 1_200);
        assert!(window.control().is_none());
        rate.set(Bitrate::from_kbps(300));
        let path = window.control().map(|control| control.path(MonoTime::ZERO));
        assert_eq!(path.map(|path| path.target), Some(Bitrate::from_kbps(108)));
    }
}
