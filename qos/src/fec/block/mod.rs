//! Reed-Solomon over blocks of packets.
//!
//! An [`Encoder`] gathers `k` *source packets* into a *source block*, hands each one out at once
//! with a footer that tells its place, and adds `r` *repair packets* when the block is complete.
//! A [`RepairSpread`] keeps those apart in time. A [`Decoder`] takes the footers off, lets source
//! packets through at once, and gives the missing ones back as soon as any `k` of the `k + r`
//! packets of a block are there: recovery costs delay only where there was loss.
//!
//! Two layouts ([`Layout`]) say what a symbol is and which code makes repair symbols. Both carry
//! the same six bytes ([`PayloadId`]), after the source packet and before the repair symbol:
//!
//! ```text
//! source packet:  | RTP packet ...              | payload ID (6 bytes) |
//! repair packet:  | payload ID (6 bytes)        | repair symbol ...    |
//! ```
//!
//! A block may be closed early, with fewer source packets than its shape has. Source packets that
//! have left by then announce the shape's `k`; *the `k` of the repair packets is what counts*.

mod code;
mod decoder;
mod encoder;
mod layout;
mod payload_id;
mod shape;
mod source_block;
mod spread;
#[cfg(test)]
mod tests;

pub use decoder::{Decoder, DecoderCounts};
pub use encoder::{Encoder, EncoderCounts};
pub use layout::Layout;
pub use payload_id::{BlockNumber, PayloadId};
pub use shape::BlockShape;
pub use spread::RepairSpread;

/// Why a shape was refused, or a packet dropped.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum BlockError {
    /// A block needs 1 to 255 packets of which at least one is a source packet.
    #[error(
        "a block of {source_packets}+{repair_packets} packets: needs at least 1+0 and at most 255 together"
    )]
    Shape {
        /// Source packets asked for.
        source_packets: u8,
        /// Repair packets asked for.
        repair_packets: u8,
    },
    /// Text that is no shape.
    #[error("'{text}' is no block shape: expected SOURCE+REPAIR, as in 20+10")]
    ShapeText {
        /// The text.
        text: String,
    },
    /// Packets go round robin to at least one block.
    #[error("an interleaving depth of 0: needs at least 1")]
    Depth,
    /// Block numbers have 24 bits.
    #[error("block number {number} does not fit into 24 bits")]
    BlockNumber {
        /// The number asked for.
        number: u32,
    },
    /// Too short for a payload ID, and for a symbol where there must be one.
    #[error("a packet of {length} bytes, needs at least {least}")]
    Short {
        /// Bytes that came.
        length: usize,
        /// Bytes that must be there.
        least: usize,
    },
    /// A payload ID that no block has: `k` of zero or beyond 255, or a symbol outside its range.
    #[error("block {} announces symbol {} with k = {}", .0.block, .0.symbol, .0.source_length)]
    PayloadId(PayloadId),
    /// A repair packet whose `k` contradicts what its block has already shown.
    #[error("block {block} has k = {known}, a repair packet says {announced}")]
    SourceLength {
        /// The block.
        block: BlockNumber,
        /// What other packets of the block say, or demand at least.
        known: u16,
        /// What this one says.
        announced: u16,
    },
    /// A repair symbol whose length contradicts what its block has already shown.
    #[error("block {block} has symbols of {known} bytes, a repair packet brings {found}")]
    SymbolLength {
        /// The block.
        block: BlockNumber,
        /// What other packets of the block have, or demand at least.
        known: usize,
        /// What this one has.
        found: usize,
    },
}
