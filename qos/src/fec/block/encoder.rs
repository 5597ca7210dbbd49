//! The sender's half.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::code::Codes;
use super::{BlockError, BlockNumber, BlockShape, Layout, PayloadId};

/// What an [`Encoder`] has made.
#[derive(Copy, Clone, Eq, PartialEq, Default, Debug)]
pub struct EncoderCounts {
    /// Source packets handed out.
    pub source: u64,
    /// Repair packets made.
    pub repair: u64,
    /// Bytes of repair packets made, payload IDs included.
    pub repair_bytes: u64,
    /// Times that blocks were closed because a packet had another length ([`Layout::Rs8m`]).
    pub length_changes: u64,
}

/// Frames source packets and makes repair packets.
///
/// With an interleaving depth of `d`, consecutive packets go round robin to a *group* of `d` open
/// blocks, so that a burst of losses is shared by all of them.
///
/// A source packet is copied at most once, and not at all where its buffer is unshared and has six
/// bytes of room at its end; the block keeps a reference to it. The repair packets of a block share
/// one allocation.
#[derive(Clone, Debug)]
pub struct Encoder {
    layout: Layout,
    shape: BlockShape,
    depth: u8,
    /// Shape and depth of the next group.
    next: (BlockShape, u8),
    /// Number of the first block of the open group.
    first: BlockNumber,
    /// The source packets of the blocks of the open group.
    open: Vec<Vec<Bytes>>,
    /// Source packets that have gone to the open group.
    pushed: usize,
    codes: Codes,
    repair: VecDeque<Bytes>,
    counts: EncoderCounts,
}

impl Encoder {
    /// An encoder whose blocks have the given shape, `depth` (at least 1) of them open at a time,
    /// numbered from `first_block` (below 2^24) on.
    pub fn new(
        layout: Layout,
        shape: BlockShape,
        depth: u8,
        first_block: u32,
    ) -> Result<Self, BlockError> {
        let mut encoder = Self {
            layout,
            shape,
            depth: 1,
            next: (shape, 1),
            first: BlockNumber::new(first_block)?,
            open: vec![Vec::new()],
            pushed: 0,
            codes: Codes::new(layout),
            repair: VecDeque::new(),
            counts: EncoderCounts::default(),
        };
        encoder.set_shape(shape, depth)?;
        Ok(encoder)
    }

    /// The shape of the blocks now open.
    pub const fn shape(&self) -> BlockShape {
        self.shape
    }

    /// The interleaving depth of the blocks now open.
    pub const fn depth(&self) -> u8 {
        self.depth
    }

    /// The shape and depth of the blocks after those now open. An error for a depth of 0.
    pub fn set_shape(&mut self, shape: BlockShape, depth: u8) -> Result<(), BlockError> {
        if depth == 0 {
            return Err(BlockError::Depth);
        }
        self.next = (shape, depth);
        if self.pushed == 0 {
            self.open_group();
        }
        Ok(())
    }

    /// Takes a source packet (at most 65,535 bytes) and gives it back with its footer, to be sent
    /// at once.
    ///
    /// With [`Layout::Rs8m`], a packet of another length than those before it closes the open
    /// blocks and begins new ones.
    pub fn push(&mut self, packet: Bytes) -> Bytes {
        if self.layout == Layout::Rs8m && !self.fits_open_group(&packet) {
            self.counts.length_changes += 1;
            self.flush();
        }
        let depth = usize::from(self.depth);
        let (index, symbol) = (self.pushed % depth, self.pushed / depth);
        let source_length = self.shape.source();
        let id = PayloadId {
            block: self.first.plus(index as u32),
            symbol: symbol as u8,
            source_length: source_length.into(),
        };
        let length = packet.len();
        let framed = id.append_to(packet);
        if self.shape.repair() > 0 {
            self.open[index].push(framed.slice(..length));
        }
        self.pushed += 1;
        self.counts.source += 1;
        if symbol + 1 == usize::from(source_length) {
            self.close(index);
        }
        if self.pushed == depth * usize::from(source_length) {
            self.open_group();
        }
        framed
    }

    /// The next repair packet of a block that is complete.
    pub fn pop_repair(&mut self) -> Option<Bytes> {
        self.repair.pop_front()
    }

    /// Closes the open blocks early, with the `k` that they have and their share of repair packets,
    /// rounded up: at the end of a presentation, and before a pause.
    pub fn flush(&mut self) {
        if self.pushed > 0 {
            (0..self.open.len()).for_each(|index| self.close(index));
            self.open_group();
        }
    }

    /// What has been made so far.
    pub const fn counts(&self) -> EncoderCounts {
        self.counts
    }

    fn fits_open_group(&self, packet: &Bytes) -> bool {
        self.open.iter().flatten().next().is_none_or(|other| other.len() == packet.len())
    }

    /// Goes on to the next group, whose numbers follow those used.
    fn open_group(&mut self) {
        self.first = self.first.plus(self.pushed.min(usize::from(self.depth)) as u32);
        self.pushed = 0;
        (self.shape, self.depth) = self.next;
        self.open.resize(usize::from(self.depth), Vec::new());
    }

    /// Makes the repair packets of one open block, and empties it.
    fn close(&mut self, index: usize) {
        let source = &mut self.open[index];
        let source_length = source.len() as u8;
        let repair = self.shape.repair_for(source_length);
        if repair == 0 {
            return source.clear();
        }
        let longest = source.iter().map(Bytes::len).max().unwrap_or(0);
        let length = PayloadId::LENGTH + self.layout.symbol_length(longest);
        let mut packets = BytesMut::zeroed(length * usize::from(repair));
        let code = self.codes.of(source_length);
        for symbol in source_length..source_length + repair {
            let mut packet = packets.split_to(length);
            let (header, sum) = packet.split_at_mut(PayloadId::LENGTH);
            let block = self.first.plus(index as u32);
            let id = PayloadId { block, symbol, source_length: source_length.into() };
            header.copy_from_slice(&id.to_bytes());
            code.encode(symbol, source, sum);
            self.repair.push_back(packet.freeze());
        }
        source.clear();
        self.counts.repair += u64::from(repair);
        self.counts.repair_bytes += u64::from(repair) * length as u64;
    }
}

#[cfg(test)]
mod tests;
