//! What Roc Toolkit takes, as its version 0.4 sends it: L16 at 44.1 kHz in packets of 5 ms, blocks of
//! 18 of them with 10 repair packets, a report every 200 ms; source packets, repair packets and reports
//! go to three ports, and all from one.
//!
//! What Roc put on the wire for a tone is held against ours in the tests. The first packet is marked
//! here (RFC 3551, section 4.1), which Roc leaves out and does not look at.

use std::net::SocketAddr;
use std::time::Duration;

use cantus_qos::fec::block::{BlockShape, Encoder, Layout};
use cantus_qos::roq::FlowId;
use cantus_qos::time::MediaTime;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{PushError, TrackRoute, Way};
use crate::encoding::EncodingSpec;
use crate::pipeline::{BlockProtection, Protection, RepairSource};

/// Source packets of a block.
const SOURCE: u8 = 18;

/// Repair packets of a block.
const REPAIR: u8 = 10;

/// 5 ms, rounded up to whole frames.
const FRAMES: u32 = 221;

/// Between two reports.
pub(super) const REPORT_INTERVAL: Duration = Duration::from_millis(200);

/// Where what Roc needs beside the media goes.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct RocWay {
    /// Repair packets.
    pub repair: SocketAddr,
    /// Reports, if to anywhere.
    pub control: Option<SocketAddr>,
}

/// How the sound is to be encoded for Roc: the last block is filled up with silence, and so has all
/// of its repair.
pub const ENCODING: EncodingSpec =
    EncodingSpec::L16Blocks { frames: FRAMES, packets: SOURCE as u32 };

/// Media and repair, each on a flow of its own.
pub(super) fn routes(
    way: Way,
    roc: RocWay,
    tracks: usize,
) -> Result<(Vec<TrackRoute>, FlowId), PushError> {
    let flows = FlowId::new(1).zip(FlowId::new(2)).filter(|_| tracks == 1);
    let (media, repair) = flows.ok_or(PushError::Tracks { tracks })?;
    let media = TrackRoute { flow: media, rtp: way.target, rtcp: roc.control };
    let repaired = TrackRoute { flow: repair, rtp: roc.repair, rtcp: None };
    Ok((vec![media, repaired], repair))
}

/// The repair of units `unit` long, on `flow`.
pub(super) fn protection(flow: FlowId, unit: MediaTime, random: &mut ChaCha8Rng) -> Protection {
    let shape = BlockShape::new(SOURCE, REPAIR).expect("a block of 28 packets");
    // Block numbers have 24 bits.
    let first = random.next_u32() >> 8;
    let encoder = Encoder::new(Layout::Rs8m, shape, 1, first).expect("a depth of one");
    Protection::new(flow, RepairSource::Blocks(BlockProtection::new(encoder, unit)))
}
