//! Sliding-window random linear codes over GF(2^8) (RLC: RFC 8681, framed by RFC 8680).
//!
//! There are no blocks. An [`Encoder`] remembers the source packets sent last, and makes at any
//! time a *repair packet* over any window of them ([`EncodingWindow`]): the sum of what they are,
//! each multiplied with a coefficient that both ends draw from the packet's key. A [`RepairPace`]
//! says when one is due. To a [`Decoder`] a repair packet is an equation over the packets of its
//! window; as soon as those that came determine one that is missing, it is given back.
//!
//! So every repair packet helps wherever something is missing in its window, a burst is repaired
//! by what comes after it, and nothing waits for the end of a block. In exchange the code is not
//! quite MDS: `n` repair packets over the same `n` losses fail once in 255 times.
//!
//! ```text
//! source packet:  | RTP packet ...                      | encoding symbol ID (4 bytes) |
//! repair packet:  | repair key, DT, NSS, FSS_ESI (8 bytes) | repair symbol ...         |
//! ```
//!
//! What differs from the letter of RFC 8681: its symbols are all E bytes long. Here the zeros at
//! the end of a repair symbol, beyond the longest packet of its window, are not sent; who expects
//! them appends them. E is announced as the bound that no packet exceeds.

mod coefficients;
mod decoder;
mod encoder;
mod equation;
mod pace;
mod payload_id;
mod system;
#[cfg(test)]
mod tests;
mod tinymt32;
mod window;

pub use decoder::{Decoder, DecoderCounts};
pub use encoder::{Encoder, EncoderCounts};
pub use pace::RepairPace;
pub use payload_id::{EncodingSymbolId, RepairId};
pub use window::EncodingWindow;

/// Why a packet is of no use to a [`Decoder`].
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum SlidingError {
    /// Too short for a payload ID, and for a symbol where there must be one.
    #[error("a packet of {length} bytes, needs at least {least}")]
    Short {
        /// Bytes that came.
        length: usize,
        /// Bytes that must be there.
        least: usize,
    },
    /// No packet of ours is so long.
    #[error("a symbol of {length} bytes, at most {most} can be repaired")]
    Long {
        /// Bytes of the symbol.
        length: usize,
        /// The most there may be.
        most: usize,
    },
    /// A repair packet over nothing, or over more than is remembered.
    #[error("a repair packet over {count} packets, needs 1 to {most}")]
    Window {
        /// Source packets it covers.
        count: u16,
        /// The most there may be.
        most: u16,
    },
    /// A repair symbol too short for one of the packets that it says it covers.
    #[error("packet {id} takes {known} bytes, a repair packet over it brings {found}")]
    SymbolLength {
        /// The packet.
        id: EncodingSymbolId,
        /// Bytes that it takes as a symbol.
        known: usize,
        /// Bytes of the repair symbol.
        found: usize,
    },
}
