//! The repair that goes with an audio track: fec encoder -> interleaver.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::fec::block::{Encoder, RepairSpread};
use cantus_qos::roq::FlowId;
use cantus_qos::time::{MediaTime, MonoTime};

use crate::protection::{self, Blocks};

/// What a player of stored media waits before it begins, at least: room for repair from the first
/// unit on.
const STORED_START: Duration = Duration::from_millis(200);

/// Protects the packets of one track.
#[derive(Debug)]
pub struct Protection {
    flow: FlowId,
    encoder: Encoder,
    spread: RepairSpread,
    unit: MediaTime,
    /// Between two repair packets of a block.
    interval: Duration,
    /// Whether blocks grow with the room there is, and to which share of repair.
    grows_to: Option<f64>,
}

impl Protection {
    /// Repair on `flow` for units `unit` long.
    pub fn new(flow: FlowId, encoder: Encoder, unit: MediaTime) -> Self {
        let interval = protection::repair_interval(unit.to_duration());
        Self { flow, encoder, spread: RepairSpread::new(), unit, interval, grows_to: None }
    }

    /// Blocks become longer, and are interleaved deeper, as units come to run ahead of their time;
    /// the share of repair never grows.
    pub fn growing(self) -> Self {
        let share = self.encoder.shape().overhead();
        Self { grows_to: Some(share), ..self }
    }

    /// The flow that repair leaves on.
    pub fn flow(&self) -> FlowId {
        self.flow
    }

    /// The next unit leaves `ahead` of its nominal instant: from the next block on that room is
    /// used.
    pub fn make_use_of(&mut self, ahead: Duration) {
        let Some(share) = self.grows_to else { return };
        let Some(blocks) = protection::fit(STORED_START + ahead, self.unit, share) else { return };
        let Blocks { shape, depth } = blocks;
        if (shape, depth) != (self.encoder.shape(), self.encoder.depth()) {
            // What fits has a depth of at least one, which is all that could be wrong.
            let _ = self.encoder.set_shape(shape, depth);
        }
    }

    /// A source packet, with its footer, to be sent at once.
    pub fn push(&mut self, now: MonoTime, packet: Bytes) -> Bytes {
        let protected = self.encoder.push(packet);
        self.collect(now);
        protected
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

    /// The next repair packet that is due.
    pub fn pop(&mut self, now: MonoTime) -> Option<Bytes> {
        self.spread.pop(now)
    }

    /// When the next repair packet is due.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        self.spread.next_deadline()
    }

    /// No more source packets: what there is of the open blocks is protected as it stands.
    pub fn end(&mut self, now: MonoTime) {
        self.encoder.flush();
        self.collect(now);
    }

    /// The open blocks end, and repair that still waits goes.
    pub fn forget(&mut self) {
        self.encoder.flush();
        while self.encoder.pop_repair().is_some() {}
        self.spread.clear();
    }
}
