//! The repair that goes with an audio track: fec encoder -> interleaver, or fec encoder at a pace.

mod blocks;
mod sliding;

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::fec::Path;
use cantus_qos::roq::FlowId;
use cantus_qos::time::MonoTime;

pub use blocks::BlockProtection;
pub use sliding::SlidingProtection;

/// What a player of stored media waits before it begins, at least: room for repair from the first
/// unit on.
const STORED_START: Duration = Duration::from_millis(200);

/// Protects the packets of one track, by one scheme.
#[derive(Debug)]
pub struct Protection {
    flow: FlowId,
    source: RepairSource,
}

/// Where its repair packets come from.
#[derive(Debug)]
pub enum RepairSource {
    /// Over blocks.
    Blocks(BlockProtection),
    /// Over a sliding window.
    Sliding(SlidingProtection),
}

/// When a source packet leaves.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Leaving {
    /// Now.
    pub now: MonoTime,
    /// Until the next source packet.
    pub gap: Duration,
    /// Until its nominal instant: room for repair beyond what was promised.
    pub ahead: Duration,
}

impl Protection {
    /// Repair on `flow`.
    pub fn new(flow: FlowId, source: RepairSource) -> Self {
        Self { flow, source }
    }

    /// The flow that repair leaves on.
    pub fn flow(&self) -> FlowId {
        self.flow
    }

    /// A source packet, with its footer, to be sent at once.
    pub fn push(&mut self, leaving: Leaving, packet: Bytes) -> Bytes {
        match &mut self.source {
            RepairSource::Blocks(blocks) => blocks.push(leaving, packet),
            RepairSource::Sliding(sliding) => sliding.push(leaving, packet),
        }
    }

    /// The path to the listener is known, or has become another one, and perhaps the delay after
    /// which it hears units. Blocks stay as they were granted.
    pub fn on_path(&mut self, path: Path, heard_after: Option<Duration>) {
        match &mut self.source {
            RepairSource::Blocks(_) => {}
            RepairSource::Sliding(sliding) => sliding.on_path(path, heard_after),
        }
    }

    /// The listener asks for what it misses.
    pub fn on_asked(&mut self) {
        match &mut self.source {
            RepairSource::Blocks(_) => {}
            RepairSource::Sliding(sliding) => sliding.on_asked(),
        }
    }

    /// The next repair packet that is due.
    pub fn pop(&mut self, now: MonoTime) -> Option<Bytes> {
        match &mut self.source {
            RepairSource::Blocks(blocks) => blocks.pop(now),
            RepairSource::Sliding(sliding) => sliding.pop(now),
        }
    }

    /// When the next repair packet is due.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        match &self.source {
            RepairSource::Blocks(blocks) => blocks.next_deadline(),
            RepairSource::Sliding(sliding) => sliding.next_deadline(),
        }
    }

    /// No more source packets: the last of them are protected as they stand.
    pub fn end(&mut self, now: MonoTime) {
        match &mut self.source {
            RepairSource::Blocks(blocks) => blocks.end(now),
            RepairSource::Sliding(sliding) => sliding.end(now),
        }
    }

    /// What was sent is repaired no more.
    pub fn forget(&mut self) {
        match &mut self.source {
            RepairSource::Blocks(blocks) => blocks.forget(),
            RepairSource::Sliding(sliding) => sliding.forget(),
        }
    }
}
