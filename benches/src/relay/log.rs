//! What became of every packet that a relay saw.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cantus_qos::time::MonoTime;

use crate::link::DropCause;

/// Packets of which the log keeps the story; later ones are only counted.
const ENTRIES_LIMIT: usize = 1 << 20;

/// Which way a packet goes.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Direction {
    /// From the client to the server: requests and feedback.
    ToServer,
    /// From the server to the client: the media.
    ToClient,
}

/// What became of a packet.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is still on the link.
    InFlight,
    /// It was passed on.
    Delivered,
    /// The link lost it.
    Lost,
    /// A queue of the link was full.
    Overflowed,
}

/// The story of one packet. Times are since the relay's start.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct LogEntry {
    /// Which way it went.
    pub direction: Direction,
    /// Whose it is: the client's number at the UDP relay; at the RTSP relay twice the number of
    /// the SETUP, and one more for RTCP.
    pub route: u32,
    /// Its size in bytes, IP header included.
    pub size: usize,
    /// When it came.
    pub entered: MonoTime,
    /// When it was first passed on.
    pub left: Option<MonoTime>,
    /// How often it was passed on beyond the first time.
    pub copies: u32,
    /// What became of it.
    pub fate: Fate,
}

/// Packets of one direction, counted by what became of them.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct DirectionCounts {
    /// Came in.
    pub entered: u64,
    /// Passed on, copies included.
    pub delivered: u64,
    /// Lost by the link.
    pub lost: u64,
    /// Refused by a full queue of the link.
    pub overflowed: u64,
}

/// What a relay has done so far.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct RelayCounts {
    /// From clients to the server.
    pub to_server: DirectionCounts,
    /// From the server to clients.
    pub to_client: DirectionCounts,
    /// Packets and connections turned away: too many clients, or a peer that is not expected.
    pub refused: u64,
    /// Packets that came through the link but could not be sent on.
    pub unsent: u64,
}

/// The log of a relay.
#[derive(Clone, Debug, Default)]
pub struct RelayLog {
    entries: Vec<LogEntry>,
    numbers: u32,
    counts: RelayCounts,
}

impl RelayLog {
    /// The first million packets, in the order in which they came.
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// All packets, counted.
    pub fn counts(&self) -> RelayCounts {
        self.counts
    }

    /// One line per packet: direction, route, size, the microseconds at which it came and left,
    /// copies and fate. What never left has no time there.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("direction,route,size,entered_us,left_us,copies,fate\n");
        for entry in &self.entries {
            let direction = match entry.direction {
                Direction::ToServer => "to server",
                Direction::ToClient => "to client",
            };
            let fate = match entry.fate {
                Fate::InFlight => "in flight",
                Fate::Delivered => "delivered",
                Fate::Lost => "lost",
                Fate::Overflowed => "overflowed",
            };
            let left = entry.left.map_or(String::new(), |left| left.as_micros().to_string());
            let LogEntry { route, size, copies, .. } = entry;
            let entered = entry.entered.as_micros();
            writeln!(csv, "{direction},{route},{size},{entered},{left},{copies},{fate}")
                .expect("a String takes what is written");
        }
        csv
    }

    /// A packet came; the number is how the log knows it from now on.
    fn on_entered(&mut self, entry: LogEntry) -> u32 {
        let number = self.numbers;
        self.numbers = self.numbers.saturating_add(1);
        self.direction(entry.direction).entered += 1;
        if self.entries.len() < ENTRIES_LIMIT {
            self.entries.push(entry);
        }
        number
    }

    fn on_left(&mut self, now: MonoTime, direction: Direction, number: u32) {
        self.direction(direction).delivered += 1;
        let Some(entry) = self.entries.get_mut(number as usize) else {
            return;
        };
        entry.copies += u32::from(entry.left.is_some());
        entry.left.get_or_insert(now);
        entry.fate = Fate::Delivered;
    }

    fn on_dropped(&mut self, direction: Direction, number: u32, cause: DropCause) {
        let counts = self.direction(direction);
        let fate = match cause {
            DropCause::Loss => {
                counts.lost += 1;
                Fate::Lost
            }
            DropCause::Overflow => {
                counts.overflowed += 1;
                Fate::Overflowed
            }
        };
        // A packet of which a copy went through was delivered, whatever became of the other.
        let entry = self.entries.get_mut(number as usize);
        if let Some(entry) = entry.filter(|entry| entry.fate == Fate::InFlight) {
            entry.fate = fate;
        }
    }

    fn direction(&mut self, direction: Direction) -> &mut DirectionCounts {
        match direction {
            Direction::ToServer => &mut self.counts.to_server,
            Direction::ToClient => &mut self.counts.to_client,
        }
    }
}

/// A log that the tasks of a relay share.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedLog(Arc<Mutex<RelayLog>>);

impl SharedLog {
    pub(super) fn on_entered(&self, entry: LogEntry) -> u32 {
        self.lock().on_entered(entry)
    }

    pub(super) fn on_left(&self, now: MonoTime, direction: Direction, number: u32) {
        self.lock().on_left(now, direction, number);
    }

    pub(super) fn on_dropped(&self, direction: Direction, number: u32, cause: DropCause) {
        self.lock().on_dropped(direction, number, cause);
    }

    pub(super) fn on_refused(&self) {
        self.lock().counts.refused += 1;
    }

    pub(super) fn on_unsent(&self) {
        self.lock().counts.unsent += 1;
    }

    pub(super) fn counts(&self) -> RelayCounts {
        self.lock().counts
    }

    pub(super) fn snapshot(&self) -> RelayLog {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, RelayLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
