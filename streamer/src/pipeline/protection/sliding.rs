//! Repair over a sliding window, made at the instant at which it leaves.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::fec::sliding::{Encoder, EncodingWindow, RepairPace};
use cantus_qos::fec::{Fit, Path};
use cantus_qos::time::{MediaTime, MonoTime};

use super::Leaving;
use crate::protection::Window;

/// Until the path is known, there is so much repair, over all that was sent.
const START_SHARE: f64 = 0.5;

/// If nothing is told of the path for so many packets, nothing will be: who does not report does not
/// ask either, and repair has to do everything.
const PATIENCE: u32 = 400;
const UNTOLD_SHARE: f64 = 0.7;

/// Who asks gets what is missing in this time, however often that gets lost: no code is needed. For
/// who does not ask it has to do everything.
const ASKING_DOES_ALL: Duration = Duration::from_secs(2);

/// When units have come to run ahead by so much more, or less, repair is fitted anew.
const NOTABLE: Duration = Duration::from_millis(100);

/// Protects by sliding windows.
#[derive(Debug)]
pub struct SlidingProtection {
    encoder: Encoder,
    pace: RepairPace,
    window: EncodingWindow,
    unit: MediaTime,
    fitting: Option<Fitting>,
}

/// Repair that follows what the path loses.
#[derive(Debug)]
struct Fitting {
    /// The share of repair that was granted.
    most: f64,
    /// When units are heard after their nominal instant, at the latest.
    delay: Duration,
    path: Option<Path>,
    /// Whether the listener asks for what it misses.
    asks: bool,
    /// Packets sent while nothing was known of the path.
    untold: u32,
    /// How far units ran ahead when repair was last fitted.
    ahead: Duration,
}

impl SlidingProtection {
    /// Repair for units `unit` long.
    pub(crate) fn new(encoder: Encoder, window: Window, unit: MediaTime) -> Self {
        let Window { share, covers } = window;
        let pace = RepairPace::new(share);
        Self { encoder, pace, window: covers, unit, fitting: None }
    }

    /// The share of repair and its window come to fit the losses of the path, for units that are
    /// to be heard `delay` after their nominal instant; the share never exceeds what was granted.
    pub(crate) fn fitting(mut self, delay: Duration) -> Self {
        let most = self.pace.share();
        let (path, ahead) = (None, Duration::ZERO);
        self.fitting = Some(Fitting { most, delay, path, asks: false, untold: 0, ahead });
        self.pace.set_share(most.min(START_SHARE));
        self
    }

    /// The path is known, or has become another one; so has the delay after which units are heard,
    /// where the listener chooses it and tells.
    pub(super) fn on_path(&mut self, path: Path, heard_after: Option<Duration>) {
        if let Some(fitting) = &mut self.fitting {
            fitting.path = Some(path);
            fitting.delay = heard_after.unwrap_or(fitting.delay);
            self.fit();
        }
    }

    /// The listener asks for what it misses.
    pub(super) fn on_asked(&mut self) {
        if let Some(fitting) = self.fitting.as_mut().filter(|it| !it.asks) {
            fitting.asks = true;
            self.fit();
        }
    }

    fn fit(&mut self) {
        let Some(Fitting { most, delay, path: Some(path), asks, ahead, .. }) = &self.fitting else {
            return;
        };
        let (unit, latency) = (self.unit.to_duration(), *delay + *ahead);
        let fit = match *ahead >= ASKING_DOES_ALL {
            true if *asks => return self.pace.set_share(0.0),
            true => Fit::for_path(&unanswered(path, latency), latency, unit),
            false => Fit::for_path(path, latency, unit),
        };
        let Fit { share, oldest, newest } = fit;
        self.window = EncodingWindow { oldest, newest };
        self.pace.set_share(share.min(*most));
    }

    pub(super) fn push(&mut self, leaving: Leaving, packet: Bytes) -> Bytes {
        let Leaving { now, gap, ahead } = leaving;
        if let Some(fitting) = self.fitting.as_mut().filter(|it| it.ahead.abs_diff(ahead) > NOTABLE)
        {
            fitting.ahead = ahead;
            self.fit();
        }
        self.wait_for_path();
        self.pace.push(now, gap);
        self.encoder.push(now, packet)
    }

    fn wait_for_path(&mut self) {
        let Some(fitting) = self.fitting.as_mut().filter(|it| it.path.is_none()) else { return };
        fitting.untold = fitting.untold.saturating_add(1);
        if fitting.untold == PATIENCE {
            self.pace.set_share(fitting.most.min(UNTOLD_SHARE));
        }
    }

    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Bytes> {
        while self.pace.pop(now) {
            if let Some(repair) = self.encoder.repair(now, self.window) {
                return Some(repair);
            }
        }
        None
    }

    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        self.pace.next_deadline()
    }

    /// Repair goes on as if packets did, until none is in the window any more.
    pub(super) fn end(&mut self, now: MonoTime) {
        let unit = self.unit.to_duration();
        let mut at = now;
        while at.since(now) < self.window.oldest && !unit.is_zero() {
            self.pace.push(at, unit);
            at += unit;
        }
    }

    pub(super) fn forget(&mut self) {
        self.encoder.forget();
        self.pace.clear();
    }
}

/// The path as it is for who asks for nothing and has all the time: there are no answers, and over
/// seconds a burst is a few losses more.
fn unanswered(path: &Path, latency: Duration) -> Path {
    let loss = path.loss * path.run.clamp(1.0, 2.0);
    Path { round_trip: 2 * latency, loss, run: 1.0, ..*path }
}
