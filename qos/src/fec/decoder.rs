//! What the decoders of both schemes have in common.

use bytes::Bytes;

use super::Scheme;
use super::block::{self, BlockError};
use super::sliding::{self, SlidingError};

/// Passes source packets through, and recovers what is missing, by whichever scheme.
#[derive(Clone, Debug)]
pub enum Decoder {
    /// Over blocks.
    Block(block::Decoder),
    /// Over a sliding window.
    Sliding(sliding::Decoder),
}

/// Why a packet was of no use.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum FecError {
    /// To a decoder of blocks.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// To one of sliding windows.
    #[error(transparent)]
    Sliding(#[from] SlidingError),
}

impl Decoder {
    /// Blocks that may be open at once before the oldest is given up.
    const BLOCKS: usize = 64;

    /// Bytes of packets that may be held for recovery: seconds of any audio.
    pub const MAX_HELD: usize = block::Decoder::MAX_HELD;

    /// A decoder of this scheme that has seen nothing and holds at most so many `bytes` of packets.
    pub fn new(scheme: Scheme, bytes: usize) -> Self {
        match scheme {
            Scheme::Block(layout) => {
                let decoder = block::Decoder::new(layout, Self::BLOCKS);
                Self::Block(decoder.with_most_held(bytes))
            }
            Scheme::Sliding => Self::Sliding(sliding::Decoder::new().with_most_held(bytes)),
        }
    }

    /// Takes a source packet and gives it back without its footer, to be passed on at once. An
    /// error means that there is no footer.
    pub fn push_source(&mut self, packet: Bytes) -> Result<Bytes, FecError> {
        match self {
            Self::Block(decoder) => Ok(decoder.push_source(packet)?),
            Self::Sliding(decoder) => Ok(decoder.push_source(packet)?),
        }
    }

    /// Takes a repair packet. An error says why it is of no use.
    pub fn push_repair(&mut self, packet: Bytes) -> Result<(), FecError> {
        match self {
            Self::Block(decoder) => Ok(decoder.push_repair(packet)?),
            Self::Sliding(decoder) => Ok(decoder.push_repair(packet)?),
        }
    }

    /// The next recovered source packet: each once, and none that has arrived by itself before
    /// this call.
    pub fn pop(&mut self) -> Option<Bytes> {
        match self {
            Self::Block(decoder) => decoder.pop(),
            Self::Sliding(decoder) => decoder.pop(),
        }
    }
}
