//! The receiver's half.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::code::Codes;
use super::source_block::{Arrival, Block, Recovery};
use super::{BlockError, BlockNumber, Layout, PayloadId};
use crate::fec::recent::{Place, Recent};

/// What a [`Decoder`] has seen and done, in packets.
#[derive(Copy, Clone, Eq, PartialEq, Default, Debug)]
pub struct DecoderCounts {
    /// Source packets passed on, whatever else became of them.
    pub source: u64,
    /// Repair packets that could be read.
    pub repair: u64,
    /// Source packets recovered from repair packets.
    pub recovered: u64,
    /// Source packets that had arrived before.
    pub duplicate: u64,
    /// Source packets that came after they had been recovered, or their block given up.
    pub belated: u64,
    /// Packets of blocks older than the memory reaches; source packets among them were passed on.
    pub late: u64,
    /// Packets whose block is far from the others, before a second one confirmed the jump; source
    /// packets among them were passed on.
    pub astray: u64,
    /// Packets that could not be read, or contradicted others of their block.
    pub rejected: u64,
    /// Blocks whose recovery gave something that is no packet.
    pub corrupt_blocks: u64,
    /// Blocks given up because too many bytes were held.
    pub evicted_blocks: u64,
    /// Jumps of the block number that were followed.
    pub restarts: u64,
}

/// Passes source packets through and recovers missing ones from repair packets.
///
/// Source and repair packets may come in any order, late, twice, or from an enemy: memory is
/// bounded by the number of blocks and by [`Decoder::MAX_HELD`] bytes, and what does not fit
/// together is counted and dropped. After each push, [`pop`](Self::pop) until `None`.
///
/// ```
/// use bytes::Bytes;
/// use cantus_qos::fec::block::{BlockShape, Decoder, Encoder, Layout};
///
/// let mut encoder = Encoder::new(Layout::Adu, BlockShape::new(2, 1)?, 1, 0)?;
/// let first = encoder.push(Bytes::from_static(b"arrives"));
/// let _lost = encoder.push(Bytes::from_static(b"does not arrive"));
/// let repair = encoder.pop_repair().unwrap();
///
/// let mut decoder = Decoder::new(Layout::Adu, 8);
/// assert_eq!(&decoder.push_source(first)?[..], b"arrives");
/// decoder.push_repair(repair)?;
/// assert_eq!(&decoder.pop().unwrap()[..], b"does not arrive");
/// # Ok::<(), cantus_qos::fec::block::BlockError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    layout: Layout,
    recent: Recent<BlockNumber>,
    blocks: BTreeMap<u64, Block>,
    codes: Codes,
    recovered: VecDeque<Recovered>,
    most_held: usize,
    counts: DecoderCounts,
}

#[derive(Clone, Debug)]
struct Recovered {
    block: u64,
    symbol: u8,
    packet: Bytes,
}

impl Decoder {
    /// Most bytes of packets held for recovery: four interleaved blocks of the longest of linear
    /// stereo, and a limit for an enemy.
    pub const MAX_HELD: usize = 448 << 10;

    /// A decoder that remembers the last `memory_blocks` blocks (taken as 1 to 256): at least
    /// the interleaving depth, and as many as may arrive while repair packets are on their way.
    pub fn new(layout: Layout, memory_blocks: usize) -> Self {
        Self {
            layout,
            recent: Recent::new(memory_blocks.clamp(1, 256) as u64),
            blocks: BTreeMap::new(),
            codes: Codes::new(layout),
            recovered: VecDeque::new(),
            most_held: Self::MAX_HELD,
            counts: DecoderCounts::default(),
        }
    }

    /// The same with no more than `bytes` of packets held, and never more than
    /// [`MAX_HELD`](Self::MAX_HELD).
    #[must_use]
    pub fn with_most_held(self, bytes: usize) -> Self {
        Self { most_held: bytes.min(Self::MAX_HELD), ..self }
    }

    /// Takes a source packet and gives it back without its footer, to be passed on at once.
    ///
    /// Duplicates and packets too late for their block are passed on too: to know a packet by its
    /// sequence number is the business of who plays it. An error means that there is no footer.
    pub fn push_source(&mut self, packet: Bytes) -> Result<Bytes, BlockError> {
        let (id, packet) = PayloadId::split_source(packet).inspect_err(|_| self.reject())?;
        self.counts.source += 1;
        let Some(number) = self.find(id.block) else {
            return Ok(packet);
        };
        let block = self.blocks.entry(number).or_default();
        match block.on_source(self.layout, id, &packet) {
            Arrival::New => self.recover(number),
            Arrival::Duplicate => self.counts.duplicate += 1,
            Arrival::Misfit => self.counts.rejected += 1,
            Arrival::Belated => {
                self.counts.belated += 1;
                self.recovered.retain(|it| (it.block, it.symbol) != (number, id.symbol));
            }
        }
        Ok(packet)
    }

    /// Takes a repair packet. An error says why it is of no use; ones that are merely late, double
    /// or no longer needed are none.
    pub fn push_repair(&mut self, packet: Bytes) -> Result<(), BlockError> {
        let (id, symbol) = PayloadId::split_repair(packet, self.layout.least_symbol())
            .inspect_err(|_| self.reject())?;
        self.counts.repair += 1;
        let Some(number) = self.find(id.block) else {
            return Ok(());
        };
        let block = self.blocks.entry(number).or_default();
        block.on_repair(self.layout, id, symbol).inspect_err(|_| self.counts.rejected += 1)?;
        self.recover(number);
        Ok(())
    }

    /// The next recovered source packet: each once, and none that has arrived by itself before
    /// this call.
    pub fn pop(&mut self) -> Option<Bytes> {
        self.recovered.pop_front().map(|recovered| recovered.packet)
    }

    /// What has been seen and done so far.
    pub const fn counts(&self) -> DecoderCounts {
        self.counts
    }

    fn reject(&mut self) {
        self.counts.rejected += 1;
    }

    /// Where the block is remembered, if it is; makes room for it.
    fn find(&mut self, block: BlockNumber) -> Option<u64> {
        let place = self.recent.place(block);
        let oldest = self.recent.oldest();
        while let Some(entry) = self.blocks.first_entry().filter(|entry| *entry.key() < oldest) {
            entry.remove();
        }
        match place {
            Place::Inside(number) => return Some(number),
            Place::Restarted(number) => {
                self.counts.restarts += 1;
                return Some(number);
            }
            Place::Late => self.counts.late += 1,
            Place::Astray => self.counts.astray += 1,
        }
        None
    }

    fn recover(&mut self, number: u64) {
        let Some(block) = self.blocks.get_mut(&number) else {
            return;
        };
        match block.recover(self.layout, &mut self.codes) {
            Recovery::Nothing => self.limit_memory(),
            Recovery::Corrupt => self.counts.corrupt_blocks += 1,
            Recovery::Packets(packets) => {
                self.counts.recovered += packets.len() as u64;
                self.recovered.extend(packets.into_iter().map(|(symbol, packet)| Recovered {
                    block: number,
                    symbol,
                    packet,
                }));
            }
        }
    }

    fn limit_memory(&mut self) {
        let mut held: usize = self.blocks.values().map(Block::held).sum();
        for block in self.blocks.values_mut().filter(|block| block.held() > 0) {
            if held <= self.most_held {
                break;
            }
            held -= block.held();
            block.settle();
            self.counts.evicted_blocks += 1;
        }
    }
}

#[cfg(test)]
mod tests;
