//! A bottleneck that follows a delivery trace.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cantus_qos::time::MonoTime;

use super::departures::Departures;
use super::stored::Stored;
use super::{DropCause, LinkError, Node, NodeCounts, Packet};

/// Bytes that may leave at one opportunity.
const OPPORTUNITY_BYTES: usize = 1500;
const WHAT: &str = "delivery trace";
const NANOS_PER_MILLI: u64 = 1_000_000;

/// The instants at which a real link let packets leave: a delivery trace.
///
/// Each opportunity lets up to 1500 bytes go; unused ones are lost. The trace repeats at its end,
/// that is from its last opportunity on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeliveryTrace {
    millis: Arc<[u32]>,
    period: u64,
}

/// A kind of mobile network that a generated trace resembles.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// The uplink of a UMTS phone in a car: 0.9 Mbit/s, outages of up to six seconds.
    Umts,
    /// The downlink of an LTE phone in a car: 4.5 Mbit/s, outages of up to a second.
    Lte,
}

impl DeliveryTrace {
    /// The trace with an opportunity at each of these milliseconds, which never go back.
    ///
    /// # Errors
    ///
    /// [`LinkError::EmptyTrace`] if there is none after millisecond 0.
    pub(super) fn from_millis(millis: Vec<u32>) -> Result<Self, LinkError> {
        let period = millis.last().copied().filter(|&last| last > 0);
        let period = u64::from(period.ok_or(LinkError::EmptyTrace)?) * NANOS_PER_MILLI;
        Ok(Self { millis: millis.into(), period })
    }

    /// Reads a trace from text: each line is a millisecond at which up to 1500 bytes may leave, in
    /// ascending order. A millisecond that stands on several lines lets as many times 1500 leave.
    ///
    /// # Errors
    ///
    /// [`LinkError::BadLine`], [`LinkError::EmptyTrace`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let mut millis: Vec<u32> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at = line.trim().parse().ok();
            let at = at.filter(|at| millis.last().is_none_or(|last| last <= at));
            millis.push(at.ok_or_else(|| {
                LinkError::bad_line(WHAT, index, line, "a millisecond at or after the line before")
            })?);
        }
        Self::from_millis(millis)
    }

    /// Reads a trace from a file of at most 64 MiB.
    ///
    /// # Errors
    ///
    /// As [`DeliveryTrace::parse`], and [`LinkError::Unreadable`].
    pub fn read(path: &Path) -> Result<Self, LinkError> {
        Self::parse(&Stored { what: WHAT, most_bytes: 64 << 20 }.read(path)?)
    }

    /// The milliseconds of the opportunities.
    pub fn millis(&self) -> &[u32] {
        &self.millis
    }

    /// After how long it repeats.
    pub fn period(&self) -> Duration {
        Duration::from_nanos(self.period)
    }

    /// The first opportunity at or after `instant`, in nanoseconds from the start of the trace.
    ///
    /// The end of a round counts to that round, because its last opportunity lies there.
    fn first_from(&self, instant: u64) -> Opportunity {
        let round = instant.saturating_sub(1) / self.period;
        let within = instant - round * self.period;
        let millis = within.div_ceil(NANOS_PER_MILLI);
        let index = self.millis.partition_point(|&at| u64::from(at) < millis);
        Opportunity { round, index }
    }

    fn after(&self, Opportunity { round, index }: Opportunity) -> Opportunity {
        if index + 1 < self.millis.len() {
            Opportunity { round, index: index + 1 }
        } else {
            Opportunity { round: round + 1, index: 0 }
        }
    }

    fn instant(&self, Opportunity { round, index }: Opportunity) -> u64 {
        round * self.period + u64::from(self.millis[index]) * NANOS_PER_MILLI
    }
}

#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Opportunity {
    round: u64,
    index: usize,
}

/// The node that lets packets leave at the opportunities of a trace.
///
/// Several packets may share an opportunity, and a packet that does not fit into the rest of one
/// takes what is missing from the next. The queue holds `limit` packets.
#[derive(Debug)]
pub(super) struct Opportunities {
    trace: DeliveryTrace,
    shift: u64,
    limit: usize,
    current: Option<Opportunity>,
    bytes_left: usize,
    queue: Departures,
    overflowed: u64,
}

impl Opportunities {
    /// `shift`: how far into the trace the link is at instant zero.
    pub(super) fn new(trace: DeliveryTrace, shift: Duration, limit: usize) -> Self {
        Self {
            shift: shift.as_nanos() as u64 % trace.period,
            trace,
            limit,
            current: None,
            bytes_left: 0,
            queue: Departures::default(),
            overflowed: 0,
        }
    }

    /// When a packet of `size` bytes that comes at `now` has left.
    fn departure(&mut self, now: MonoTime, size: usize) -> MonoTime {
        let first = self.trace.first_from(now.as_nanos() + self.shift);
        let mut at = match self.current {
            Some(current) if current >= first => current,
            _ => {
                self.bytes_left = OPPORTUNITY_BYTES;
                first
            }
        };
        let mut missing = size;
        while missing > self.bytes_left {
            missing -= self.bytes_left;
            self.bytes_left = OPPORTUNITY_BYTES;
            at = self.trace.after(at);
        }
        self.bytes_left -= missing;
        self.current = Some(at);
        MonoTime::from_nanos(self.trace.instant(at) - self.shift)
    }
}

impl Node for Opportunities {
    fn push(&mut self, now: MonoTime, mut packet: Packet) -> Result<(), DropCause> {
        if self.queue.len() >= self.limit {
            self.overflowed += 1;
            return Err(DropCause::Overflow);
        }
        let departure = self.departure(now, packet.size);
        packet.queued += departure.since(now);
        self.queue.push(departure, packet);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.queue.pop(now)
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        self.queue.next()
    }

    fn counts(&self) -> NodeCounts {
        let queue = self.queue.counts();
        let entered = queue.entered + self.overflowed;
        NodeCounts { entered, overflowed: self.overflowed, ..queue }
    }
}

#[cfg(test)]
mod tests;
