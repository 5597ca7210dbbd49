//! What feeds a flow: the part of a session's chain that a SETUP adds.

use std::time::Duration;

use cantus_qos::delivery::DeliveryClass;
use cantus_qos::fec::block::{self, Layout};
use cantus_qos::fec::sliding::{self, EncodingSymbolId};
use cantus_qos::repair::rtx::RtxStream;
use cantus_qos::repair::{AnswerPolicy, Answerer};
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::{Sequence, Ssrc};
use cantus_qos::time::ClockRate;

use super::describe::{Payload, payload_type, send_time_id};
use crate::pipeline::{
    AudioChain, BlockProtection, Carriage, CueChain, LONGEST_USE, Packetizer, Pipeline, Protection,
    RepairSource, STORED_USE, SlidingProtection, StreamSeed,
};
use crate::programme::Programme;
use crate::protection::Granted;
use crate::session::Route;

/// One source, or the repair of one.
#[derive(Debug)]
pub(super) enum Feed {
    Audio(Box<AudioChain>),
    /// The flow that it protects, and how.
    Repair(FlowId, Box<Protection>),
    Text(CueChain),
}

/// Until when a listener has use for a unit.
#[derive(Copy, Clone, Debug)]
pub(super) struct Needs {
    /// The delay that was promised.
    pub delay: Option<Duration>,
    /// Whether media runs ahead of its time, and playback waits for what is missing.
    pub runs_ahead: bool,
}

impl Needs {
    /// How long after its nominal instant.
    fn useful_for(self) -> Duration {
        match (self.runs_ahead, self.delay) {
            (true, _) => STORED_USE,
            (false, delay) => delay.unwrap_or(LONGEST_USE),
        }
    }
}

/// Repair that follows what comes to be known while it plays.
#[derive(Copy, Clone, Debug)]
pub(super) struct Follows {
    /// How long after its nominal instant a unit is heard.
    pub delay: Duration,
    /// Whether media runs ahead of its time, which leaves more room.
    pub runs_ahead: bool,
}

impl Feed {
    /// An audio track for who `needs` it so; `None` where there is no such one.
    pub(super) fn audio(
        programme: &Programme,
        index: usize,
        flow: FlowId,
        cantus: bool,
        needs: Needs,
        seed: StreamSeed,
    ) -> Option<Self> {
        let source = programme.audio.get(index)?.clone();
        let rate = programme.codec.clock_rate(source.format());
        let payload = payload_type(programme.codec.into());
        let send_time = cantus.then(send_time_id);
        let packetizer = Packetizer::new(payload, rate, seed, send_time);
        // Whoever asks for everything gets everything twice.
        let budget = programme.audio_rate(index)?;
        let policy =
            if needs.runs_ahead { AnswerPolicy::UNHURRIED } else { AnswerPolicy::default() };
        let answerer = Answerer::new(policy, retransmissions(seed), budget);
        let chain =
            AudioChain::new(flow, source, packetizer).answering(answerer, needs.useful_for());
        let chain = chain.joining(programme.joined);
        Some(Self::Audio(Box::new(chain)))
    }

    /// The repair of the audio track on `protects`; its packets leave between those of the media.
    pub(super) fn repair(
        programme: &Programme,
        index: usize,
        (flow, protects): (FlowId, FlowId),
        granted: Granted,
        follows: Option<Follows>,
        seed: StreamSeed,
    ) -> Option<Self> {
        let unit = programme.audio.get(index)?.unit_duration();
        let source = match granted {
            Granted::Blocks(blocks) => {
                // Block numbers have 24 bits.
                let first = seed.timestamp.0 >> 8;
                let (shape, depth) = (blocks.shape, blocks.depth);
                let encoder = block::Encoder::new(Layout::Adu, shape, depth, first).ok()?;
                let blocks = BlockProtection::new(encoder, unit);
                let grows = follows.is_some_and(|it| it.runs_ahead);
                RepairSource::Blocks(if grows { blocks.growing() } else { blocks })
            }
            Granted::Sliding(window) => {
                let encoder = sliding::Encoder::new(EncodingSymbolId(seed.timestamp.0));
                let sliding = SlidingProtection::new(encoder, window, unit);
                RepairSource::Sliding(match follows {
                    Some(Follows { delay, .. }) => sliding.fitting(delay),
                    None => sliding,
                })
            }
        };
        Some(Self::Repair(protects, Box::new(Protection::new(flow, source))))
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
        let carriage = match route.is_reliable(DeliveryClass::Synchronous) {
            true => Carriage::Reliable,
            false => Carriage::Lossy,
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

/// The stream that sends again what `media` has sent: a source beside it, with numbers as random.
fn retransmissions(media: StreamSeed) -> RtxStream {
    let first = Sequence((media.timestamp.0 >> 16) as u16);
    RtxStream::new(payload_type(Payload::Retransmission), Ssrc(!media.ssrc.0), first)
}
