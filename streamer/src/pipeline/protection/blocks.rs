//! Repair over blocks, spread over the time after each.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::fec::block::{Encoder, RepairSpread};
use cantus_qos::time::{MediaTime, MonoTime};

use super::{Leaving, STORED_START};
use crate::protection::{self, Blocks};

/// Protects by blocks.
#[derive(Debug)]
pub struct BlockProtection {
    encoder: Encoder,
    spread: RepairSpread,
    unit: MediaTime,
    /// Between two repair packets of a block.
    interval: Duration,
    /// Whether blocks grow with the room there is, and to which share of repair.
    grows_to: Option<f64>,
}

impl BlockProtection {
    /// Repair for units `unit` long.
    pub fn new(encoder: Encoder, unit: MediaTime) -> Self {
        let interval = protection::repair_interval(unit.to_duration());
        Self { encoder, spread: RepairSpread::new(), unit, interval, grows_to: None }
    }

    /// Blocks become longer, and are interleaved deeper, as units come to run ahead of their time;
    /// the share of repair never grows.
    pub fn growing(self) -> Self {
        let share = self.encoder.shape().overhead();
        Self { grows_to: Some(share), ..self }
    }

    pub(super) fn push(&mut self, leaving: Leaving, packet: Bytes) -> Bytes {
        self.make_use_of(leaving.ahead);
        let protected = self.encoder.push(packet);
        self.collect(leaving.now);
        protected
    }

    /// The next unit leaves `ahead` of its nominal instant: from the next block on that room is
    /// used.
    fn make_use_of(&mut self, ahead: Duration) {
        let Some(share) = self.grows_to else { return };
        let Some(blocks) = protection::fit(STORED_START + ahead, self.unit, share) else { return };
        let Blocks { shape, depth } = blocks;
        if (shape, depth) != (self.encoder.shape(), self.encoder.depth()) {
            // What fits has a depth of at least one, which is all that could be wrong.
            let _ = self.encoder.set_shape(shape, depth);
        }
    }

    /// Blocks that are complete hand their repair packets to the interleaver, which spreads them
    /// between the source packets that follow.
    fn collect(&mut self, now: MonoTime) {
        let repair: Vec<Bytes> = std::iter::from_fn(|| self.encoder.pop_repair()).collect();
        if !repair.is_empty() {
            let over = self.interval * (repair.len() as u32 + 1);
            self.spread.push(now, repair, over);
        }
    }

    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Bytes> {
        self.spread.pop(now)
    }

    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        self.spread.next_deadline()
    }

    pub(super) fn end(&mut self, now: MonoTime) {
        self.encoder.flush();
        self.collect(now);
    }

    /// The open blocks end, and repair that still waits goes.
    pub(super) fn forget(&mut self) {
        self.encoder.flush();
        while self.encoder.pop_repair().is_some() {}
        self.spread.clear();
    }
}
