//! The sender's half.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::coefficients::Coefficients;
use super::{EncodingSymbolId, EncodingWindow, RepairId};
use crate::fec::adui;
use crate::time::MonoTime;

/// What an [`Encoder`] has made.
#[derive(Copy, Clone, Eq, PartialEq, Default, Debug)]
pub struct EncoderCounts {
    /// Source packets handed out.
    pub source: u64,
    /// Repair packets made.
    pub repair: u64,
    /// Bytes of repair packets made, payload IDs included.
    pub repair_bytes: u64,
}

/// Numbers source packets, and makes repair packets over the last of them.
///
/// It remembers source packets of the last [`Encoder::LONGEST`], at most [`Encoder::MOST`]. A
/// source packet is copied at most once, and not at all where its buffer is unshared and has four
/// bytes of room at its end.
#[derive(Clone, Debug)]
pub struct Encoder {
    next: EncodingSymbolId,
    key: u16,
    /// What was sent and when, the newest last; its number is the one before `next`.
    recent: VecDeque<(MonoTime, Bytes)>,
    counts: EncoderCounts,
}

impl Encoder {
    /// Source packets that are remembered, and that a repair packet covers, at most. Making one
    /// costs as many additions of a packet.
    pub const MOST: usize = 255;

    /// Repair keys have fifteen bits: a repair packet begins with its key, and one whose first bit
    /// is set could be taken for RTCP where that shares its flow (RFC 5761, section 4).
    const KEYS: u16 = 0x7fff;

    /// How long a source packet is remembered at most.
    pub const LONGEST: Duration = Duration::from_secs(10);

    /// An encoder whose first source packet is numbered `first`.
    pub const fn new(first: EncodingSymbolId) -> Self {
        Self {
            next: first,
            key: first.0 as u16 & Self::KEYS,
            recent: VecDeque::new(),
            counts: EncoderCounts { source: 0, repair: 0, repair_bytes: 0 },
        }
    }

    /// Takes a source packet (at most 65,535 bytes) that is sent `now`, and gives it back with its
    /// footer.
    pub fn push(&mut self, now: MonoTime, packet: Bytes) -> Bytes {
        let length = packet.len();
        let framed = self.next.append_to(packet);
        if self.recent.len() == Self::MOST {
            self.recent.pop_front();
        }
        while self.recent.front().is_some_and(|(sent, _)| now.since(*sent) > Self::LONGEST) {
            self.recent.pop_front();
        }
        self.recent.push_back((now, framed.slice(..length)));
        self.next = self.next.plus(1);
        self.counts.source += 1;
        framed
    }

    /// A repair packet over the source packets that `window` covers `now`; `None` where there are
    /// none.
    pub fn repair(&mut self, now: MonoTime, window: EncodingWindow) -> Option<Bytes> {
        // Packets are remembered in the order in which they were sent.
        let older = |age: Duration| self.recent.partition_point(|(sent, _)| now.since(*sent) > age);
        let begin = older(window.oldest);
        let end = self.recent.partition_point(|(sent, _)| now.since(*sent) >= window.newest);
        let covered = || self.recent.iter().take(end).skip(begin).map(|(_, packet)| packet);
        let longest = covered().map(Bytes::len).max()?;
        let id = RepairId {
            key: self.key,
            density: Coefficients::DENSE,
            count: (end - begin) as u16,
            first: EncodingSymbolId(self.next.0.wrapping_sub((self.recent.len() - begin) as u32)),
        };
        let mut packet = BytesMut::zeroed(RepairId::LENGTH + adui::PREFIX + longest);
        let (header, sum) = packet.split_at_mut(RepairId::LENGTH);
        header.copy_from_slice(&id.to_bytes());
        for (coefficient, source) in id.coefficients().zip(covered()) {
            adui::add(coefficient, source, sum);
        }
        self.key = self.key.wrapping_add(1) & Self::KEYS;
        self.counts.repair += 1;
        self.counts.repair_bytes += packet.len() as u64;
        Some(packet.freeze())
    }

    /// Forgets what was sent: after a pause or a seek it is not repaired any more.
    pub fn forget(&mut self) {
        self.recent.clear();
    }

    /// What has been made so far.
    pub const fn counts(&self) -> EncoderCounts {
        self.counts
    }
}
