//! Repair over a sliding window, made at the instant at which it leaves.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::fec::sliding::{Encoder, EncodingWindow, RepairPace};
use cantus_qos::time::{MediaTime, MonoTime};

use super::{Leaving, STORED_START};
use crate::protection::{self, Window};

/// Protects by sliding windows.
#[derive(Debug)]
pub struct SlidingProtection {
    encoder: Encoder,
    pace: RepairPace,
    window: EncodingWindow,
    unit: MediaTime,
    /// Whether the window grows with the room there is, and to which share of repair.
    grows_to: Option<f64>,
}

impl SlidingProtection {
    /// Repair for units `unit` long.
    pub(crate) fn new(encoder: Encoder, window: Window, unit: MediaTime) -> Self {
        let Window { share, covers } = window;
        let pace = RepairPace::new(share);
        Self { encoder, pace, window: covers, unit, grows_to: None }
    }

    /// The window becomes longer as units come to run ahead of their time; the share of repair
    /// never grows.
    pub(crate) fn growing(self) -> Self {
        let share = self.pace.share();
        Self { grows_to: Some(share), ..self }
    }

    pub(super) fn push(&mut self, leaving: Leaving, packet: Bytes) -> Bytes {
        let Leaving { now, gap, ahead } = leaving;
        self.make_use_of(ahead);
        self.pace.push(now, gap);
        self.encoder.push(now, packet)
    }

    fn make_use_of(&mut self, ahead: Duration) {
        let Some(share) = self.grows_to else { return };
        let Some(window) = protection::slide(STORED_START + ahead, self.unit, share) else {
            return;
        };
        self.window = window.covers;
        self.pace.set_share(window.share);
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
