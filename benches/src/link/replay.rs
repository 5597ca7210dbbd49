//! A delay or a loss for each packet, from a file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cantus_qos::quantity::parse_latency_millis;
use cantus_qos::time::MonoTime;

use super::departures::Departures;
use super::stored::Stored;
use super::{DropCause, LinkError, MOST_HELD, Node, NodeCounts, Packet};

const WHAT: &str = "replay";
/// The longest replay that is read: a month of 20 ms packets does not fit, a day does.
const MOST_LINES: usize = 8 << 20;

/// What became of the packets of a real path, one after the other. It repeats at its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Replay {
    /// Nanoseconds, or [`LOST`].
    delays: Arc<[u64]>,
}

/// In place of a delay: the packet is lost.
const LOST: u64 = u64::MAX;

impl Replay {
    /// Reads a replay from text: a packet a line, which is its delay (`12.5ms`; a bare number is
    /// in milliseconds) or `lost`. Empty lines and those that begin with `#` are left out.
    ///
    /// # Errors
    ///
    /// [`LinkError::BadLine`], [`LinkError::TooLong`], [`LinkError::Empty`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let lines = text.lines().enumerate().map(|(index, line)| (index, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let mut delays = Vec::new();
        for (index, line) in lines {
            if delays.len() == MOST_LINES {
                return Err(LinkError::TooLong { what: WHAT, most: MOST_LINES });
            }
            delays.push(delay(line).ok_or_else(|| {
                LinkError::bad_line(WHAT, index, line, "a delay such as 12.5ms, or `lost`")
            })?);
        }
        if delays.is_empty() {
            return Err(LinkError::Empty { what: WHAT });
        }
        Ok(Self { delays: delays.into() })
    }

    /// Reads a replay from a file of at most 128 MiB.
    ///
    /// # Errors
    ///
    /// As [`Replay::parse`], and [`LinkError::Unreadable`].
    pub fn read(path: &Path) -> Result<Self, LinkError> {
        Self::parse(&Stored { what: WHAT, most_bytes: 128 << 20 }.read(path)?)
    }

    /// How many packets it tells of.
    pub fn len(&self) -> usize {
        self.delays.len()
    }

    /// Whether it tells of none, which no replay does.
    pub fn is_empty(&self) -> bool {
        self.delays.is_empty()
    }
}

fn delay(line: &str) -> Option<u64> {
    if line == "lost" {
        return Some(LOST);
    }
    let delay = parse_latency_millis(line).ok().filter(|&delay| delay <= super::spec::MAX_DELAY)?;
    u64::try_from(delay.as_nanos()).ok()
}

/// The node that does to each packet what the next line of a replay says.
#[derive(Debug)]
pub(super) struct Replaying {
    replay: Replay,
    next: usize,
    keep_order: bool,
    latest: MonoTime,
    line: Departures,
    lost: u64,
    overflowed: u64,
}

impl Replaying {
    /// `first`: which packet of the replay the first is, counted from 0.
    pub(super) fn new(replay: Replay, first: usize, keep_order: bool) -> Self {
        Self {
            next: first % replay.len(),
            replay,
            keep_order,
            latest: MonoTime::ZERO,
            line: Departures::default(),
            lost: 0,
            overflowed: 0,
        }
    }
}

impl Node for Replaying {
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause> {
        let delay = self.replay.delays[self.next];
        self.next = (self.next + 1) % self.replay.len();
        if delay == LOST {
            self.lost += 1;
            return Err(DropCause::Loss);
        }
        if self.line.len() >= MOST_HELD {
            self.overflowed += 1;
            return Err(DropCause::Overflow);
        }
        let mut departure = now + Duration::from_nanos(delay);
        if self.keep_order {
            departure = departure.max(self.latest);
        }
        self.latest = departure;
        self.line.push(departure, packet);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.line.pop(now)
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        self.line.next()
    }

    fn counts(&self) -> NodeCounts {
        let line = self.line.counts();
        let entered = line.entered + self.lost + self.overflowed;
        NodeCounts { entered, lost: self.lost, overflowed: self.overflowed, ..line }
    }
}

#[cfg(test)]
mod tests;
