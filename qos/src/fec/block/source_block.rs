//! One source block at the receiver: what has arrived of it, and what can be made of that.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::code::Codes;
use super::{BlockError, Layout, PayloadId};

/// What became of a source packet.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Arrival {
    /// It is part of the block.
    New,
    /// The same symbol has arrived before.
    Duplicate,
    /// It had been recovered, or given up, before it came.
    Belated,
    /// It contradicts what the block has already shown; it can neither help nor be helped.
    Misfit,
}

/// What recovery gave.
#[derive(Debug)]
pub(super) enum Recovery {
    /// Too little has arrived yet, or nothing is missing.
    Nothing,
    /// The missing source packets with their symbols, in order.
    Packets(Vec<(u8, Bytes)>),
    /// The packets were not of one block: what came out of them is none of ours.
    Corrupt,
}

/// What a packet takes beside its bytes: its place in the tree, and the allocation behind it.
const OVERHEAD: usize = 96;

/// The packets of a block, until it is settled: complete, recovered or given up. Then only the
/// memory of what has arrived remains.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    source: BTreeMap<u8, Bytes>,
    repair: BTreeMap<u8, Bytes>,
    arrived: BTreeSet<u8>,
    /// The `k` that source packets announce: at least the true one.
    announced: Option<u16>,
    /// The true `k`, known from repair packets.
    source_length: Option<u8>,
    symbol_length: Option<usize>,
    held: usize,
    settled: bool,
}

impl Block {
    /// Bytes of packets held, and what each takes beside.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Lets go of the packets.
    pub(super) fn settle(&mut self) {
        self.source.clear();
        self.repair.clear();
        self.held = 0;
        self.settled = true;
    }

    /// `id` is that of a source packet: its symbol is below its `k`.
    pub(super) fn on_source(&mut self, layout: Layout, id: PayloadId, packet: &Bytes) -> Arrival {
        if self.arrived.contains(&id.symbol) {
            return Arrival::Duplicate;
        }
        if !self.welcomes(layout, id, packet) {
            return Arrival::Misfit;
        }
        self.arrived.insert(id.symbol);
        if self.settled {
            return Arrival::Belated;
        }
        self.announced = Some(id.source_length);
        self.held += packet.len() + OVERHEAD;
        self.source.insert(id.symbol, packet.clone());
        if self.source.len() == usize::from(id.source_length) {
            self.settle();
        }
        Arrival::New
    }

    fn welcomes(&self, layout: Layout, id: PayloadId, packet: &Bytes) -> bool {
        self.announced.is_none_or(|known| known == id.source_length)
            && self.source_length.is_none_or(|k| id.symbol < k && u16::from(k) <= id.source_length)
            && self.symbol_length.is_none_or(|length| layout.fits(packet.len(), length))
    }

    /// `id` is that of a repair packet: its symbol is from its `k`, at least 1, to 254. Repair
    /// packets that come twice, or too late to help, are ignored.
    pub(super) fn on_repair(
        &mut self,
        layout: Layout,
        id: PayloadId,
        symbol: Bytes,
    ) -> Result<(), BlockError> {
        if self.settled || self.repair.contains_key(&id.symbol) {
            return Ok(());
        }
        self.check_repair(layout, id, symbol.len())?;
        self.source_length = Some(id.source_length as u8);
        self.symbol_length = Some(symbol.len());
        self.held += symbol.len() + OVERHEAD;
        self.repair.insert(id.symbol, symbol);
        if self.losses() == Some(0) {
            self.settle();
        }
        Ok(())
    }

    fn check_repair(&self, layout: Layout, id: PayloadId, found: usize) -> Result<(), BlockError> {
        let PayloadId { block, source_length: announced, .. } = id;
        let contradiction = |known| Err(BlockError::SourceLength { block, known, announced });
        match (self.source_length, self.announced, self.source.keys().next_back()) {
            (Some(k), _, _) if announced != u16::from(k) => return contradiction(k.into()),
            (_, Some(known), _) if announced > known => return contradiction(known),
            (_, _, Some(&last)) if announced <= u16::from(last) => {
                return contradiction(u16::from(last) + 1);
            }
            _ => {}
        }
        if let Some(known) = self.symbol_length.filter(|&known| known != found) {
            return Err(BlockError::SymbolLength { block, known, found });
        }
        match self.source.values().find(|packet| !layout.fits(packet.len(), found)) {
            None => Ok(()),
            Some(packet) => {
                let known = layout.symbol_length(packet.len());
                Err(BlockError::SymbolLength { block, known, found })
            }
        }
    }

    /// How many source packets are missing, once `k` is known.
    fn losses(&self) -> Option<usize> {
        self.source_length.map(|k| usize::from(k) - self.source.len())
    }

    /// Recovers what is missing, as soon as that is possible, and settles the block.
    pub(super) fn recover(&mut self, layout: Layout, codes: &mut Codes) -> Recovery {
        let (Some(source_length), Some(losses)) = (self.source_length, self.losses()) else {
            return Recovery::Nothing;
        };
        if self.settled || losses > self.repair.len() {
            return Recovery::Nothing;
        }
        let symbols = codes.of(source_length).decode(&self.source, &self.repair);
        self.settle();
        symbols
            .into_iter()
            .map(|(index, symbol)| layout.packet(symbol).map(|packet| (index, packet)))
            .collect::<Option<_>>()
            .map_or(Recovery::Corrupt, Recovery::Packets)
    }
}
