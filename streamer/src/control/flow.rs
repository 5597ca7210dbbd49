//! What feeds a flow: the part of a session's chain that a SETUP adds.

use cantus_qos::fec::block::{Encoder, Layout};
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::Ssrc;
use cantus_qos::time::ClockRate;

use super::describe::{Payload, clock_rate, payload_type, send_time_id};
use crate::pipeline::{
    AudioChain, Carriage, CueChain, Packetizer, Pipeline, Protection, StreamSeed,
};
use crate::programme::Programme;
use crate::protection::Blocks;
use crate::session::Route;

/// One source, or the repair of one.
#[derive(Debug)]
pub(super) enum Feed {
    Audio(Box<AudioChain>),
    /// The flow that it protects, and how.
    Repair(FlowId, Box<Protection>),
    Text(CueChain),
}

impl Feed {
    /// An audio track; `None` where there is no such one.
    pub(super) fn audio(
        programme: &Programme,
        index: usize,
        flow: FlowId,
        cantus: bool,
        seed: StreamSeed,
    ) -> Option<Self> {
        let source = programme.audio.get(index)?.clone();
        let rate = clock_rate(programme.codec, source.format());
        let payload = payload_type(programme.codec.into());
        let send_time = cantus.then(send_time_id);
        let packetizer = Packetizer::new(payload, rate, seed, send_time);
        Some(Self::Audio(Box::new(AudioChain::new(flow, source, packetizer))))
    }

    /// The repair of the audio track on `protects`; its packets leave between those of the media.
    pub(super) fn repair(
        programme: &Programme,
        index: usize,
        (flow, protects): (FlowId, FlowId),
        blocks: Blocks,
        grows: bool,
        seed: StreamSeed,
    ) -> Option<Self> {
        let unit = programme.audio.get(index)?.unit_duration();
        // Block numbers have 24 bits.
        let first_block = seed.timestamp.0 >> 8;
        let encoder = Encoder::new(Layout::Adu, blocks.shape, blocks.depth, first_block).ok()?;
        let protection = Protection::new(flow, encoder, unit);
        let protection = if grows { protection.growing() } else { protection };
        Some(Self::Repair(protects, Box::new(protection)))
    }

    /// A subtitle track; `None` where there is no such one.
    pub(super) fn text(
        programme: &Programme,
        language: &str,
        flow: FlowId,
        route: Route,
        cantus: bool,
        seed: StreamSeed,
    ) -> Option<Self> {
        let texts = &programme.presentation.texts;
        let text = texts.iter().find(|text| text.language == language)?;
        let payload = payload_type(Payload::Cue);
        let send_time = cantus.then(send_time_id);
        let rate = ClockRate::MILLISECONDS;
        let packetizer = Packetizer::new(payload, rate, seed, send_time);
        let carriage = match route {
            Route::Udp { .. } => Carriage::Lossy,
            Route::Quic(_) => Carriage::Reliable,
        };
        Some(Self::Text(CueChain::new(flow, text.cues.clone(), packetizer, carriage)))
    }

    /// The source identifier of its packets; repair packets have none.
    pub(super) fn ssrc(&self) -> Option<Ssrc> {
        match self {
            Self::Audio(chain) => Some(chain.packetizer().ssrc()),
            Self::Repair(..) => None,
            Self::Text(chain) => Some(chain.packetizer().ssrc()),
        }
    }

    /// Becomes part of a chain.
    pub(super) fn join(self, pipeline: &mut Pipeline) {
        match self {
            Self::Audio(chain) => pipeline.add_audio(*chain),
            Self::Repair(protects, protection) => {
                if let Some(chain) = pipeline.audio_on(protects) {
                    chain.protect(*protection);
                }
            }
            Self::Text(chain) => pipeline.add_cues(chain),
        }
    }
}
