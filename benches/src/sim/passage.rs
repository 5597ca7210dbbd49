//! Laying hands on packets on their way, for tests.

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use crate::duplex::{Direction, Kind};

/// A packet about to enter its link.
#[derive(Clone, Debug)]
pub struct Passing {
    /// When.
    pub now: MonoTime,
    /// Which way it goes.
    pub direction: Direction,
    /// What it is.
    pub kind: Kind,
    /// How many of its kind have gone this way before it.
    pub index: u64,
    /// The UDP payload.
    pub data: Bytes,
}

/// What is to become of it.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Verdict {
    /// It enters the link as it is.
    Pass,
    /// It is gone.
    Drop,
    /// These enter in its place, to and from the same ports: a changed packet, a copy, noise.
    Replace(Vec<Bytes>),
}
