//! What became of every packet that entered a [`Duplex`](super::Duplex).

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::rtcp;
use cantus_qos::rtp::{RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::time::MonoTime;

use crate::link::DropCause;

/// Packets of which a log keeps the story unless told otherwise; later ones are only counted.
const ENTRIES_LIMIT: usize = 1 << 20;

/// Which way a packet goes.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Direction {
    /// From the client to the server: requests and feedback.
    ToServer,
    /// From the server to the client: the media.
    ToClient,
}

/// What a packet carries, as far as it is known to whom passes it on.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Kind {
    /// A data unit of an audio track, in RTP.
    Media,
    /// A repair packet.
    Repair,
    /// A cue, in RTP.
    Cue,
    /// RTCP, of either end.
    Rtcp,
    /// A UDP packet of QUIC: what is in it cannot be seen.
    Quic,
    /// Anything else, and RTP of which nobody said what it carries.
    Other,
}

/// What an RTP header tells whoever passes the packet on (RFC 3550, section 5.1).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct RtpMark {
    /// Who sent it.
    pub ssrc: Ssrc,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// The sampling instant of the payload.
    pub timestamp: RtpTimestamp,
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

/// The story of one packet. Times are since the start of whatever drives the link.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct LogEntry {
    /// Which way it went.
    pub direction: Direction,
    /// Whose it is: the client's number at the UDP relay; at the RTSP relay twice the number of
    /// the SETUP, and one more for RTCP; in virtual time the player's port, or 0 for QUIC, and above the lower 16 bits which
    /// of those it is who share the path.
    pub route: u32,
    /// What it carries.
    pub kind: Kind,
    /// Its RTP header, where it has one.
    pub rtp: Option<RtpMark>,
    /// Its size in bytes, IP header included.
    pub size: usize,
    /// When it came.
    pub entered: MonoTime,
    /// When the link first let it go: in real time, what drives the link is a little late.
    pub due: Option<MonoTime>,
    /// When it was first passed on.
    pub left: Option<MonoTime>,
    /// How long it stood in the queue of a bottleneck behind others, its own transmission not
    /// counted.
    pub queued: Duration,
    /// How often it was passed on beyond the first time.
    pub copies: u32,
    /// What became of it.
    pub fate: Fate,
}

/// What the link says of a packet that comes out of it.
#[derive(Copy, Clone, Debug)]
pub(super) struct Passed {
    /// When it let it go.
    pub(super) due: MonoTime,
    /// How long it stood in line.
    pub(super) queued: Duration,
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

/// What was passed on so far, and what was not.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct PacketCounts {
    /// From clients to the server.
    pub to_server: DirectionCounts,
    /// From the server to clients.
    pub to_client: DirectionCounts,
    /// Packets and connections turned away: too many clients, or a peer that is not expected.
    pub refused: u64,
    /// Packets that came through the link but could not be sent on.
    pub unsent: u64,
}

/// What became of every packet.
#[derive(Clone, Debug)]
pub struct PacketLog {
    entries: Vec<LogEntry>,
    limit: usize,
    numbers: u32,
    counts: PacketCounts,
}

impl Default for PacketLog {
    fn default() -> Self {
        Self::with_limit(ENTRIES_LIMIT)
    }
}

impl PacketLog {
    /// A log that keeps the stories of the first `limit` packets and counts the others.
    pub fn with_limit(limit: usize) -> Self {
        Self { entries: Vec::new(), limit, numbers: 0, counts: PacketCounts::default() }
    }

    /// The first packets, in the order in which they came; a million unless told otherwise.
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// All packets, counted.
    pub fn counts(&self) -> PacketCounts {
        self.counts
    }

    /// The same with those packets only that are to be kept, of those whose stories are known.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&LogEntry) -> bool) -> Self {
        let mut log = Self::with_limit(self.limit);
        for entry in self.entries.iter().filter(|entry| keep(entry)) {
            log.on_entered(*entry);
            let counts = log.direction(entry.direction);
            match entry.fate {
                Fate::InFlight => {}
                Fate::Delivered => counts.delivered += 1 + u64::from(entry.copies),
                Fate::Lost => counts.lost += 1,
                Fate::Overflowed => counts.overflowed += 1,
            }
        }
        log
    }

    /// One line per packet: direction, route, what it carries, size, the microseconds at which it
    /// came and left, copies, fate, when it should have left, and how many it stood in line. What never left has no time there.
    pub fn to_csv(&self) -> String {
        let micros =
            |at: Option<MonoTime>| at.map_or(String::new(), |at| at.as_micros().to_string());
        let mut csv = String::from(
            "direction,route,kind,size,entered_us,left_us,copies,fate,due_us,queued_us\n",
        );
        for entry in &self.entries {
            let LogEntry { route, size, copies, .. } = entry;
            let queued = entry.queued.as_micros();
            let (direction, kind, fate) =
                (entry.direction.name(), entry.kind.name(), entry.fate.name());
            let (entered, left, due) =
                (entry.entered.as_micros(), micros(entry.left), micros(entry.due));
            writeln!(
                csv,
                "{direction},{route},{kind},{size},{entered},{left},{copies},{fate},{due},{queued}"
            )
            .expect("a String takes what is written");
        }
        csv
    }

    /// A packet came; the number is how the log knows it from now on.
    fn on_entered(&mut self, entry: LogEntry) -> u32 {
        let number = self.numbers;
        self.numbers = self.numbers.saturating_add(1);
        self.direction(entry.direction).entered += 1;
        if self.entries.len() < self.limit {
            self.entries.push(entry);
        }
        number
    }

    fn on_left(&mut self, now: MonoTime, passed: Passed, direction: Direction, number: u32) {
        self.direction(direction).delivered += 1;
        let Some(entry) = self.entries.get_mut(number as usize) else {
            return;
        };
        entry.copies += u32::from(entry.left.is_some());
        if entry.due.is_none() {
            entry.queued = passed.queued;
        }
        entry.due.get_or_insert(passed.due);
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

impl Direction {
    /// As it stands in a log.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToServer => "to server",
            Self::ToClient => "to client",
        }
    }
}

impl Kind {
    /// As it stands in a log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Repair => "repair",
            Self::Cue => "cue",
            Self::Rtcp => "rtcp",
            Self::Quic => "quic",
            Self::Other => "other",
        }
    }

    /// What the streamer sends, to whom knows its class and channel.
    pub fn of_delivery(channel: Channel, class: DeliveryClass) -> Self {
        match (channel, class) {
            (Channel::Rtcp, _) => Self::Rtcp,
            (Channel::Rtp, DeliveryClass::Repair) => Self::Repair,
            (Channel::Rtp, DeliveryClass::Isochronous) => Self::Media,
            (Channel::Rtp, _) => Self::Cue,
        }
    }

    /// What a stranger can tell from the payload of a UDP packet of an RTP session.
    pub fn of_rtp_session(data: &[u8]) -> Self {
        if rtcp::is_rtcp(data) { Self::Rtcp } else { Self::Other }
    }

    /// What a stranger can tell from the payload of any UDP packet, by its first byte (RFC 9443,
    /// section 3).
    pub fn of_datagram(data: &[u8]) -> Self {
        match data.first() {
            Some(64..=127 | 192..=255) => Self::Quic,
            _ => Self::of_rtp_session(data),
        }
    }
}

impl RtpMark {
    /// The header of `data`, if it is an RTP packet.
    pub fn of(data: &Bytes) -> Option<Self> {
        let RtpPacket { ssrc, sequence, timestamp, .. } =
            RtpPacket::parse(data.clone(), None).ok()?;
        Some(Self { ssrc, sequence, timestamp })
    }
}

impl Fate {
    /// As it stands in a log.
    pub fn name(self) -> &'static str {
        match self {
            Self::InFlight => "in flight",
            Self::Delivered => "delivered",
            Self::Lost => "lost",
            Self::Overflowed => "overflowed",
        }
    }
}

/// A log that several links and their driver share.
#[derive(Clone, Debug, Default)]
pub struct SharedLog(Arc<Mutex<PacketLog>>);

impl From<PacketLog> for SharedLog {
    fn from(log: PacketLog) -> Self {
        Self(Arc::new(Mutex::new(log)))
    }
}

impl SharedLog {
    pub(super) fn on_entered(&self, entry: LogEntry) -> u32 {
        self.lock().on_entered(entry)
    }

    pub(super) fn on_left(&self, now: MonoTime, passed: Passed, direction: Direction, number: u32) {
        self.lock().on_left(now, passed, direction, number);
    }

    pub(super) fn on_dropped(&self, direction: Direction, number: u32, cause: DropCause) {
        self.lock().on_dropped(direction, number, cause);
    }

    /// Somebody was turned away.
    pub fn on_refused(&self) {
        self.lock().counts.refused += 1;
    }

    /// A packet came through, but could not be sent on.
    pub fn on_unsent(&self) {
        self.lock().counts.unsent += 1;
    }

    /// All packets so far, counted.
    pub fn counts(&self) -> PacketCounts {
        self.lock().counts
    }

    /// The log as it is now.
    pub fn snapshot(&self) -> PacketLog {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, PacketLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
