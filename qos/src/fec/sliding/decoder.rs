//! The receiver's half.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::equation::Equation;
use super::system::{Solution, System};
use super::{EncodingSymbolId, RepairId, SlidingError};
use crate::fec::adui;
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
    /// Source packets that came after they had been recovered.
    pub belated: u64,
    /// Packets older than the memory reaches; source packets among them were passed on.
    pub late: u64,
    /// Packets whose number is far from the others, before a second one confirmed the jump; source
    /// packets among them were passed on.
    pub astray: u64,
    /// Packets that could not be read, or contradicted others.
    pub rejected: u64,
    /// Recoveries that gave something that is no packet.
    pub corrupt: u64,
    /// Source packets forgotten because too many bytes were held.
    pub evicted: u64,
    /// Jumps of the numbers that were followed.
    pub restarts: u64,
}

/// Passes source packets through, and recovers missing ones as soon as they are determined.
///
/// Packets may come in any order, late, twice, or from an enemy. Memory is bounded: by
/// [`Decoder::MEMORY`] packets and [`Decoder::MAX_HELD`] bytes of source packets, and by 255
/// equations of at most [`Decoder::LONGEST`] bytes and a coefficient for each packet; together
/// less than a megabyte. So is work: a repair packet costs at most 1,022 additions of a packet to
/// another (of 1,200 bytes in some 50 ns), a source packet 510, whoever sends them; where nothing
/// is missing, none. What does not fit together is counted and dropped. After each push,
/// [`pop`](Self::pop) until `None`.
///
/// ```
/// use std::time::Duration;
///
/// use bytes::Bytes;
/// use cantus_qos::fec::sliding::{Decoder, Encoder, EncodingSymbolId, EncodingWindow};
/// use cantus_qos::time::MonoTime;
///
/// let mut encoder = Encoder::new(EncodingSymbolId(0));
/// let first = encoder.push(MonoTime::ZERO, Bytes::from_static(b"arrives"));
/// let _lost = encoder.push(MonoTime::from_millis(20), Bytes::from_static(b"does not arrive"));
/// let window = EncodingWindow::last(Duration::from_millis(100));
/// let repair = encoder.repair(MonoTime::from_millis(30), window).unwrap();
///
/// let mut decoder = Decoder::new();
/// assert_eq!(&decoder.push_source(first)?[..], b"arrives");
/// decoder.push_repair(repair)?;
/// assert_eq!(&decoder.pop().unwrap()[..], b"does not arrive");
/// # Ok::<(), cantus_qos::fec::sliding::SlidingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    most_held: usize,
    recent: Recent<EncodingSymbolId>,
    /// What was before this was forgotten.
    floor: u64,
    known: BTreeMap<u64, Known>,
    /// Bytes of the packets known.
    held: usize,
    system: System,
    recovered: VecDeque<(u64, Bytes)>,
    counts: DecoderCounts,
}

#[derive(Clone, Debug)]
struct Known {
    packet: Bytes,
    arrived: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// Source packets remembered: twice what an [`Encoder`](super::Encoder) of ours covers.
    pub const MEMORY: u16 = 512;

    /// Most bytes of source packets held.
    pub const MAX_HELD: usize = 400_000;

    /// The longest symbol: no packet of ours is longer than the 1,500 bytes of an Ethernet.
    pub const LONGEST: usize = 1_500;

    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self {
            most_held: Self::MAX_HELD,
            recent: Recent::new(Self::MEMORY.into()),
            floor: 0,
            known: BTreeMap::new(),
            held: 0,
            system: System::default(),
            recovered: VecDeque::new(),
            counts: DecoderCounts::default(),
        }
    }

    /// The same, holding at most so many bytes of source packets; no more than
    /// [`MAX_HELD`](Self::MAX_HELD).
    #[must_use]
    pub fn with_most_held(self, bytes: usize) -> Self {
        Self { most_held: bytes.min(Self::MAX_HELD), ..self }
    }

    /// Takes a source packet and gives it back without its footer, to be passed on at once.
    ///
    /// Duplicates and packets too late are passed on too: to know a packet by its sequence number
    /// is the business of who plays it. An error means that there is no footer.
    pub fn push_source(&mut self, packet: Bytes) -> Result<Bytes, SlidingError> {
        let (id, packet) =
            EncodingSymbolId::split_from(packet).inspect_err(|_| self.counts.rejected += 1)?;
        self.counts.source += 1;
        self.learn(id, packet.clone());
        Ok(packet)
    }

    /// Takes a source packet that came without a footer, such as one that was sent again, byte for
    /// byte as it was first.
    pub fn learn(&mut self, id: EncodingSymbolId, packet: Bytes) {
        let Some(place) = self.find(id) else { return };
        match self.known.get_mut(&place) {
            Some(known) if known.arrived => self.counts.duplicate += 1,
            Some(known) => {
                known.arrived = true;
                self.counts.belated += 1;
                self.recovered.retain(|(recovered, _)| *recovered != place);
            }
            None if adui::PREFIX + packet.len() > Self::LONGEST => self.counts.rejected += 1,
            None => {
                let solved = match self.system.is_empty() {
                    true => Vec::new(),
                    false => self.system.know(place, &packet),
                };
                self.keep(place, Known { packet, arrived: true });
                self.recover(solved);
            }
        }
    }

    /// Takes a repair packet. An error says why it is of no use; ones that are merely late, or say
    /// nothing new, are none.
    pub fn push_repair(&mut self, packet: Bytes) -> Result<(), SlidingError> {
        let reject = |counts: &mut DecoderCounts| counts.rejected += 1;
        let (id, symbol) =
            RepairId::split_from(packet).inspect_err(|_| reject(&mut self.counts))?;
        check(id, &symbol).inspect_err(|_| reject(&mut self.counts))?;
        self.counts.repair += 1;
        let others = u32::from(id.count) - 1;
        let Some(last) = self.find(id.first.plus(others)) else { return Ok(()) };
        let first = last - u64::from(others);
        if first < self.floor {
            self.counts.late += 1;
            return Ok(());
        }
        let known = self.known.range(first..=last).count();
        if known < usize::from(id.count) {
            let equation =
                self.equation(id, first, &symbol).inspect_err(|_| reject(&mut self.counts))?;
            let solved = equation.map_or(Vec::new(), |equation| self.system.insert(equation));
            self.recover(solved);
        }
        Ok(())
    }

    /// The next recovered source packet: each once, and none that has arrived by itself before
    /// this call.
    pub fn pop(&mut self) -> Option<Bytes> {
        self.recovered.pop_front().map(|(_, packet)| packet)
    }

    /// What has been seen and done so far.
    pub const fn counts(&self) -> DecoderCounts {
        self.counts
    }

    /// What a repair packet says of the packets that are missing from `first` on.
    fn equation(
        &self,
        id: RepairId,
        first: u64,
        symbol: &[u8],
    ) -> Result<Option<Equation>, SlidingError> {
        let mut sum = symbol.to_vec();
        let mut coefficients: Vec<u8> = id.coefficients().collect();
        for (&place, Known { packet, .. }) in self.known.range(first..first + u64::from(id.count)) {
            let known = adui::PREFIX + packet.len();
            let index = (place - first) as usize;
            if known > sum.len() {
                let id = id.first.plus(index as u32);
                return Err(SlidingError::SymbolLength { id, known, found: sum.len() });
            }
            adui::add(std::mem::take(&mut coefficients[index]), packet, &mut sum);
        }
        Ok(Equation::new(first, coefficients, sum))
    }

    /// The place of a number, if it is remembered; makes room for it.
    fn find(&mut self, id: EncodingSymbolId) -> Option<u64> {
        let place = match self.recent.place(id) {
            Place::Inside(place) => place,
            Place::Restarted(place) => {
                self.counts.restarts += 1;
                place
            }
            Place::Late => {
                self.counts.late += 1;
                return None;
            }
            Place::Astray => {
                self.counts.astray += 1;
                return None;
            }
        };
        self.forget_before(self.recent.oldest());
        if place < self.floor {
            self.counts.late += 1;
            return None;
        }
        Some(place)
    }

    fn forget_before(&mut self, floor: u64) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        while let Some(entry) = self.known.first_entry().filter(|entry| *entry.key() < floor) {
            self.held -= entry.remove().packet.len();
        }
        self.system.forget_before(floor);
    }

    fn keep(&mut self, place: u64, known: Known) {
        self.held += known.packet.len();
        self.known.insert(place, known);
        while self.held > self.most_held {
            let Some((&oldest, _)) = self.known.first_key_value() else { return };
            self.counts.evicted += 1;
            self.forget_before(oldest + 1);
        }
    }

    /// Takes in what was determined.
    fn recover(&mut self, solved: Vec<Solution>) {
        for (place, symbol) in solved {
            let Some(packet) = adui::packet(&Bytes::from(symbol)) else {
                self.counts.corrupt += 1;
                continue;
            };
            self.counts.recovered += 1;
            self.recovered.push_back((place, packet.clone()));
            self.keep(place, Known { packet, arrived: false });
        }
    }

    /// Bytes held, but for what is to be popped.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.held + self.system.held()
    }
}

fn check(id: RepairId, symbol: &[u8]) -> Result<(), SlidingError> {
    let most = Decoder::MEMORY;
    if !(1..=most).contains(&id.count) {
        return Err(SlidingError::Window { count: id.count, most });
    }
    if symbol.len() > Decoder::LONGEST {
        let (length, most) = (symbol.len(), Decoder::LONGEST);
        return Err(SlidingError::Long { length, most });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
