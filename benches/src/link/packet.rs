//! [`Packet`], and what can become of one.

use std::ops::AddAssign;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

/// One packet on its way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet {
    /// What it carries; the link looks at it only to corrupt it.
    pub data: Bytes,
    /// Its size on the link in bytes, IP header included.
    pub size: usize,
    /// When it entered the link.
    pub entered: MonoTime,
    /// How long it stood in line behind others at a bottleneck, its own transmission not counted;
    /// the link counts it.
    pub queued: Duration,
    /// The caller's own mark, for example whose packet it is. A duplicate has its original's.
    pub tag: u64,
    /// Whether its IP header can tell of congestion.
    pub ecn: Ecn,
}

/// Explicit congestion notification: what the ECN field of an IP header says (RFC 3168, section 5).
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Ecn {
    /// The ends do not use it (Not-ECT), or nobody knows: what cannot be marked is lost.
    #[default]
    NotCapable,
    /// The ends use it (ECT).
    Capable,
    /// Congestion has been experienced (CE).
    Marked,
}

impl Ecn {
    /// What it says once a router marks the packet; `None` if that cannot be.
    pub(super) fn marked(self) -> Option<Self> {
        (self != Self::NotCapable).then_some(Self::Marked)
    }
}

/// Why a packet went no further.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum DropCause {
    /// The loss model took it.
    Loss,
    /// The queue was full.
    Overflow,
}

/// A packet that will not arrive.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Dropped {
    /// The caller's mark on it.
    pub tag: u64,
    /// When it was dropped.
    pub at: MonoTime,
    /// Why.
    pub cause: DropCause,
}

/// Packets counted by what became of them, at one node or on a whole link.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct NodeCounts {
    /// Pushed.
    pub entered: u64,
    /// Handed on, duplicates included.
    pub left: u64,
    /// Taken by the loss model.
    pub lost: u64,
    /// Marked by the loss model in place of being taken.
    pub marked: u64,
    /// Refused by a full queue.
    pub overflowed: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Of which a bit was flipped.
    pub corrupted: u64,
    /// Left after a packet that had entered later, or by skipping the delay of an earlier one.
    pub reordered: u64,
}

impl AddAssign for NodeCounts {
    fn add_assign(&mut self, other: Self) {
        self.entered += other.entered;
        self.left += other.left;
        self.lost += other.lost;
        self.marked += other.marked;
        self.overflowed += other.overflowed;
        self.duplicated += other.duplicated;
        self.corrupted += other.corrupted;
        self.reordered += other.reordered;
    }
}
