//! The sender's half: what was sent, and is sent again to who misses it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::rtx::RtxStream;
use crate::quantity::Bitrate;
use crate::rtcp::Nack;
use crate::rtp::Sequence;
use crate::shaping::TokenBucket;
use crate::stats::RoundTrip;
use crate::time::MonoTime;

/// IPv4 and UDP.
const HEADERS: usize = 28;

/// How answers are given.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct AnswerPolicy {
    /// A packet is not sent once more within this share of a round trip: a request that comes
    /// twice is one request.
    pub again: f64,
    /// Between two answers: a burst of losses is not to be answered by a burst.
    pub apart: Duration,
    /// Whether what the budget does not bear now waits until it does; otherwise it is dropped, for
    /// it would have to wait for what the next request needs too.
    pub waits: bool,
}

impl Default for AnswerPolicy {
    fn default() -> Self {
        Self { again: 1.0 / 16.0, apart: Duration::from_millis(2), waits: false }
    }
}

impl AnswerPolicy {
    /// To who has the time to wait for one answer before asking for the next: what is asked for
    /// sooner is on its way, in a queue.
    pub const UNHURRIED: Self = Self { again: 0.75, apart: Duration::from_millis(2), waits: true };
}

/// What an [`Answerer`] has done, in packets.
#[derive(Copy, Clone, Eq, PartialEq, Default, Debug)]
pub struct AnswererCounts {
    /// Asked for.
    pub asked: u64,
    /// Sent once more.
    pub answered: u64,
    /// Not remembered, or not any more.
    pub unknown: u64,
    /// Too late to be played.
    pub late: u64,
    /// Sent once more just before.
    pub repeated: u64,
    /// More than the budget allows.
    pub unaffordable: u64,
}

/// Remembers what was sent for as long as it is of use, and sends it once more to who asks.
///
/// The first answer of a request leaves at once, the others follow it a little apart. Memory is
/// bounded by the time for which a packet was promised to be of use and by
/// [`MAX_HELD`](Self::MAX_HELD) bytes, the rate of answers by a budget: a listener that asks for
/// everything gets no more than that.
#[derive(Clone, Debug)]
pub struct Answerer {
    policy: AnswerPolicy,
    stream: RtxStream,
    history: VecDeque<Sent>,
    held: usize,
    waiting: VecDeque<Sequence>,
    /// When the last answer left.
    answered_at: Option<MonoTime>,
    round_trip: RoundTrip,
    budget: TokenBucket,
    /// By how much later than was said what was sent is of use.
    later: Duration,
    counts: AnswererCounts,
}

/// A packet that was sent.
#[derive(Clone, Debug)]
struct Sent {
    sequence: Sequence,
    packet: Bytes,
    /// When it must arrive to be of use.
    until: MonoTime,
    answered_at: Option<MonoTime>,
    waits: bool,
}

impl Answerer {
    /// Most bytes of packets remembered: minutes of Opus, but of uncompressed stereo ten seconds,
    /// however much longer that would be of use.
    pub const MAX_HELD: usize = 2 << 20;

    /// Bytes of answers that may leave after a rest.
    const BURST: usize = 8_000;

    /// Answers as `stream`, at no more than `budget`.
    pub fn new(policy: AnswerPolicy, stream: RtxStream, budget: Bitrate) -> Self {
        Self {
            policy,
            stream,
            history: VecDeque::new(),
            held: 0,
            waiting: VecDeque::new(),
            answered_at: None,
            round_trip: RoundTrip::new(),
            budget: TokenBucket::new(budget, Self::BURST).expect("the burst is large enough"),
            later: Duration::ZERO,
            counts: AnswererCounts::default(),
        }
    }

    /// Answers at no more than `budget` from now on.
    pub fn set_budget(&mut self, now: MonoTime, budget: Bitrate) {
        self.budget.set_rate(now, budget);
    }

    /// Playback has fallen behind: what was sent, and what will be, is of use for so much longer than
    /// is said when it leaves.
    pub const fn set_later(&mut self, later: Duration) {
        self.later = later;
    }

    /// The packet with this number, as it was sent, while it is remembered.
    pub fn sent(&self, sequence: Sequence) -> Option<&Bytes> {
        let place = place(&self.history, sequence)?;
        self.history.get(place).map(|sent| &sent.packet)
    }

    /// What was done so far.
    pub const fn counts(&self) -> AnswererCounts {
        self.counts
    }

    /// A round trip was measured.
    pub fn on_round_trip(&mut self, round_trip: Duration) {
        self.round_trip.observe(round_trip);
    }

    /// This packet leaves now, with the next number of its stream; it is of use if it arrives
    /// `until` then.
    pub fn push(&mut self, now: MonoTime, sequence: Sequence, packet: Bytes, until: MonoTime) {
        let follows = self.history.back().is_none_or(|last| last.sequence.next() == sequence);
        if !follows {
            self.clear();
        }
        self.held += packet.len();
        self.history.push_back(Sent { sequence, packet, until, answered_at: None, waits: false });
        let over = |sent: &Sent| sent.until + self.later < now;
        while self.held > Self::MAX_HELD || self.history.front().is_some_and(over) {
            let Some(oldest) = self.history.pop_front() else { break };
            self.held -= oldest.packet.len();
        }
    }

    /// A request came.
    pub fn on_nack(&mut self, now: MonoTime, nack: &Nack) {
        for sequence in &nack.sequences {
            self.counts.asked += 1;
            self.on_asked(now, *sequence);
        }
    }

    fn on_asked(&mut self, now: MonoTime, sequence: Sequence) {
        let again = self.round_trip.smoothed().unwrap_or_default().mul_f64(self.policy.again);
        let (arrives, later) = (self.arrives(now), self.later);
        let Some(sent) = find(&mut self.history, sequence) else {
            self.counts.unknown += 1;
            return;
        };
        if sent.until + later < arrives {
            self.counts.late += 1;
        } else if sent.waits || sent.answered_at.is_some_and(|at| now < at + again) {
            self.counts.repeated += 1;
        } else {
            sent.waits = true;
            self.waiting.push_back(sequence);
        }
    }

    /// When what leaves at `at` arrives at the earliest.
    fn arrives(&self, at: MonoTime) -> MonoTime {
        at + self.round_trip.least().unwrap_or_default() / 2
    }

    /// The next answer that is to leave.
    pub fn pop(&mut self, now: MonoTime) -> Option<Bytes> {
        while self.next_deadline().is_some_and(|at| at <= now) {
            let sequence = self.waiting.pop_front()?;
            let (arrives, later) = (self.arrives(now), self.later);
            let Some(sent) = find(&mut self.history, sequence) else { continue };
            sent.waits = false;
            if sent.until + later < arrives {
                self.counts.late += 1;
                continue;
            }
            if !self.budget.take(now, sent.size()) {
                self.counts.unaffordable += 1;
                continue;
            }
            let Some(packet) = self.stream.wrap(&sent.packet) else { continue };
            sent.answered_at = Some(now);
            self.answered_at = Some(now);
            self.counts.answered += 1;
            return Some(packet);
        }
        None
    }

    /// When the next answer is to leave.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        let next = *self.waiting.front()?;
        let at = self.answered_at.map_or(MonoTime::ZERO, |at| at + self.policy.apart);
        let sent = place(&self.history, next).and_then(|place| self.history.get(place));
        match sent.filter(|_| self.policy.waits) {
            Some(sent) => Some(self.budget.ready_at(at, sent.size())),
            None => Some(at),
        }
    }

    /// Forgets everything: after a seek nobody misses what was sent before.
    pub fn clear(&mut self) {
        self.history.clear();
        self.waiting.clear();
        self.held = 0;
        self.later = Duration::ZERO;
    }
}

impl Sent {
    /// What it takes to send it once more.
    fn size(&self) -> usize {
        self.packet.len() + RtxStream::OVERHEAD + HEADERS
    }
}

/// Where the packet with this number is: numbers follow each other.
fn place(history: &VecDeque<Sent>, sequence: Sequence) -> Option<usize> {
    usize::try_from(sequence.distance(history.front()?.sequence)).ok()
}

fn find(history: &mut VecDeque<Sent>, sequence: Sequence) -> Option<&mut Sent> {
    let place = place(history, sequence)?;
    history.get_mut(place)
}

#[cfg(test)]
mod tests;
