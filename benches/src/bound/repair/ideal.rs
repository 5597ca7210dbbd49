//! The ideal sender and its receiver across a real link, in virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::decoder::Decoder;
use super::{Frames, OVERDUE, RepairBound};
use crate::link::{Ecn, Link, LinkError, LinkSpec, Packet};

/// Bytes of a request on the wire: RTCP of reduced size that names up to seventeen packets (RFC
/// 4585, section 6.2.1; RFC 5506), UDP and IPv4.
const REQUEST: usize = 16 + 8 + 20;
/// Frames that one request can name.
const NAMED: usize = 17;

/// How an ideal sender spends its bytes.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Policy {
    /// Repair symbols to a frame.
    pub(super) code: f64,
    /// How old the oldest and the newest frame are that a symbol covers.
    pub(super) window: (Duration, Duration),
    /// What the receiver asks for; `None`: nothing.
    pub(super) asking: Option<Asking>,
}

/// How a receiver asks, and how it is answered.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Asking {
    /// After how long it asks again.
    pub(super) again: Duration,
    /// How often each answer is sent, a frame's time apart.
    pub(super) copies: u32,
    /// By how much an answer may be expected too late and yet be tried.
    pub(super) hope: Duration,
}

/// What crosses the links.
#[derive(Clone, Debug)]
enum Item {
    Frame(u64),
    /// Covers frames from the first to before the second.
    Symbol(u64, u64),
    Request(Vec<u64>),
}

/// A stream on its way.
#[derive(Debug)]
struct Session {
    now: MonoTime,
    frames: Frames,
    latency: Duration,
    policy: Policy,
    /// One way, as both ends know it.
    delay: Duration,
    there: Link,
    back: Link,
    /// What was sent, by the mark on its packet.
    items: Vec<Item>,
    decoder: Decoder,
    sent: u64,
    symbols: u64,
    /// When the receiver asks for frames that are still missing then.
    asking: BTreeSet<(MonoTime, u64)>,
    /// When the sender sends frames again.
    answering: BTreeSet<(MonoTime, u64)>,
    answers: u64,
    requests: u64,
    in_time: u64,
}

/// Streams all frames under a policy.
pub(super) fn stream(
    link: &LinkSpec,
    seed: u64,
    frames: Frames,
    latency: Duration,
    policy: Policy,
) -> Result<RepairBound, LinkError> {
    let (there, back) = Link::pair(link, seed)?;
    let mut session = Session {
        now: MonoTime::ZERO,
        frames,
        latency,
        policy,
        delay: link.delay,
        there,
        back,
        items: Vec::new(),
        decoder: Decoder::default(),
        sent: 0,
        symbols: 0,
        asking: BTreeSet::new(),
        answering: BTreeSet::new(),
        answers: 0,
        requests: 0,
        in_time: 0,
    };
    while let Some(next) = session.act() {
        session.now = next;
    }
    Ok(session.bound())
}

impl Session {
    /// Does all that is due now; when there is more to do, or `None` at the end.
    fn act(&mut self) -> Option<MonoTime> {
        self.hear_requests();
        self.send();
        self.receive();
        self.ask();
        let frame = (self.sent < self.frames.count()).then(|| self.sent_at(self.sent));
        let asking = self.asking.first().map(|&(at, _)| at);
        let answering = self.answering.first().map(|&(at, _)| at);
        let links = [self.there.next_deadline(), self.back.next_deadline()];
        let ends = [frame, self.symbol_at(self.symbols), asking, answering];
        links.into_iter().chain(ends).flatten().min()
    }

    fn sent_at(&self, frame: u64) -> MonoTime {
        MonoTime::from_nanos((self.frames.every.as_nanos() as u64).saturating_mul(frame))
    }

    /// The last instant at which a frame is of use.
    fn over_at(&self, frame: u64) -> MonoTime {
        self.sent_at(frame) + self.latency
    }

    /// When this symbol leaves: amid its share of the time in which there are frames.
    fn symbol_at(&self, symbol: u64) -> Option<MonoTime> {
        let place = (symbol as f64 + 0.5) / self.policy.code;
        let at = self.frames.every.as_nanos() as f64 * place;
        (place < self.frames.count() as f64).then(|| MonoTime::from_nanos(at as u64))
    }

    /// The first frame sent at `at` or later.
    fn first_since(&self, at: MonoTime) -> u64 {
        at.as_nanos().div_ceil(self.frames.every.as_nanos() as u64)
    }

    fn send(&mut self) {
        while self.sent < self.frames.count() && self.sent_at(self.sent) <= self.now {
            self.decoder.on_sent(self.sent);
            self.transmit(Item::Frame(self.sent));
            if self.policy.asking.is_some() {
                self.asking.insert((self.now + self.delay + OVERDUE, self.sent));
            }
            self.sent += 1;
        }
        while self.symbol_at(self.symbols).is_some_and(|at| at <= self.now) {
            let (oldest, newest) = self.policy.window;
            let end = (self.now - newest).as_nanos() / self.frames.every.as_nanos() as u64 + 1;
            let end = if self.now - newest > MonoTime::ZERO { end.min(self.sent) } else { 0 };
            let first = self.first_since(self.now - oldest).min(end);
            self.transmit(Item::Symbol(first, end));
            self.symbols += 1;
        }
        while let Some(&(at, frame)) = self.answering.first().filter(|&&(at, _)| at <= self.now) {
            self.answering.remove(&(at, frame));
            self.transmit(Item::Frame(frame));
            self.answers += 1;
        }
    }

    fn transmit(&mut self, item: Item) {
        let tag = self.items.len() as u64;
        let (link, size) = match item {
            Item::Request(_) => (&mut self.back, REQUEST),
            Item::Frame(_) | Item::Symbol(..) => (&mut self.there, self.frames.size),
        };
        let (data, entered, ecn) = (Bytes::new(), self.now, Ecn::NotCapable);
        link.push(entered, Packet { data, size, entered, tag, ecn, queued: Duration::ZERO });
        self.items.push(item);
    }

    fn receive(&mut self) {
        while let Some(packet) = self.there.pop(self.now) {
            let known = match self.items[packet.tag as usize] {
                Item::Frame(frame) => self.decoder.on_frame(frame),
                Item::Symbol(first, end) => self.decoder.on_symbol(first..end),
                Item::Request(_) => continue,
            };
            let in_time = known.iter().filter(|&&frame| self.now <= self.over_at(frame));
            self.in_time += in_time.count() as u64;
            // A symbol that is still to come may cover frames that are already over.
            self.decoder.forget_before(self.first_since(self.now - 2 * self.latency));
        }
    }

    /// The receiver asks for what is overdue and can still come.
    fn ask(&mut self) {
        let Some(asking) = self.policy.asking else { return };
        let mut missing = Vec::new();
        while let Some(&(at, frame)) = self.asking.first().filter(|&&(at, _)| at <= self.now) {
            self.asking.remove(&(at, frame));
            let answered_at = self.now + 2 * self.delay;
            if self.decoder.is_unknown(frame) && answered_at <= self.over_at(frame) + asking.hope {
                missing.push(frame);
                self.asking.insert((self.now + asking.again, frame));
            }
        }
        for named in missing.chunks(NAMED) {
            self.transmit(Item::Request(named.to_vec()));
            self.requests += 1;
        }
    }

    /// The sender plans the answers that can still be in time.
    fn hear_requests(&mut self) {
        while let Some((packet, asking)) = self.back.pop(self.now).zip(self.policy.asking) {
            let Item::Request(frames) = &self.items[packet.tag as usize] else { continue };
            for &frame in frames {
                let times = (0..asking.copies).map(|copy| self.now + copy * self.frames.every);
                let last = self.over_at(frame) + asking.hope;
                let useful = times.take_while(|&at| at + self.delay <= last);
                self.answering.extend(useful.map(|at| (at, frame)));
            }
        }
    }

    fn bound(&self) -> RepairBound {
        let missing = self.sent - self.in_time;
        let all = self.sent.max(1);
        let share = |packets: u64, size: usize| {
            (packets as usize * size) as f64 / (all as usize * self.frames.size.max(1)) as f64
        };
        let code = share(self.symbols, self.frames.size);
        let answers = share(self.answers, self.frames.size);
        let requests = share(self.requests, REQUEST);
        RepairBound {
            frames: self.sent,
            missing,
            residual: missing as f64 / all as f64,
            overhead: code + answers + requests,
            code,
            answers,
            requests,
            outage: None,
        }
    }
}
