//! The ideal sender and its receiver across a real link, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::decoder::Decoder;
use super::{Frames, OVERDUE, RepairBound};
use crate::link::{Ecn, Link, LinkError, LinkSpec, Packet};

/// A request in RTCP of reduced size (RFC 4585, section 6.2.1; RFC 5506): header, two sources,
/// one entry of 17 packets; with UDP and IPv4.
const REQUEST: usize = 8 + 20 + 16;
/// Frames that one request can name.
const NAMED: usize = 17;

/// How the ideal sender spends its bytes.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Policy {
    /// Repair symbols to a frame.
    pub(super) code: f64,
    /// Whether what is overdue is asked for.
    pub(super) asks: bool,
}

/// What crosses the links.
#[derive(Clone, Debug)]
enum Item {
    Frame(u64),
    /// Covers frames from the first to before the last.
    Symbol(u64, u64),
    Request(Vec<u64>),
}

/// A stream on its way.
#[derive(Debug)]
struct Session {
    now: MonoTime,
    frames: Frames,
    policy: Policy,
    latency: Duration,
    /// One way, as both ends know it.
    delay: Duration,
    there: Link,
    back: Link,
    items: Vec<Item>,
    decoder: Decoder,
    sent: u64,
    symbols: u64,
    /// When frames are to be asked for.
    asking: BTreeMap<(MonoTime, u64), ()>,
    answered: BTreeMap<u64, MonoTime>,
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
        policy,
        latency,
        delay: link.delay,
        there,
        back,
        items: Vec::new(),
        decoder: Decoder::default(),
        sent: 0,
        symbols: 0,
        asking: BTreeMap::new(),
        answered: BTreeMap::new(),
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
    /// Does all that is due; when there is more, or `None` at the end.
    fn act(&mut self) -> Option<MonoTime> {
        self.receive();
        self.send();
        self.ask();
        let links = [self.there.next_deadline(), self.back.next_deadline()];
        let frame = (self.sent < self.frames.count()).then(|| self.sent_at(self.sent));
        let symbol = self.symbol_at(self.symbols);
        let asking = self.asking.first_key_value().map(|(&(at, _), ())| at);
        links.into_iter().chain([frame, symbol, asking]).flatten().min()
    }

    fn sent_at(&self, frame: u64) -> MonoTime {
        MonoTime::from_nanos((self.frames.every.as_nanos() as u64).saturating_mul(frame))
    }

    /// When this symbol leaves: in the middle of its share of time, as long as there are frames.
    fn symbol_at(&self, symbol: u64) -> Option<MonoTime> {
        let place = (symbol as f64 + 0.5) / self.policy.code;
        let at = (self.frames.every.as_nanos() as f64 * place) as u64;
        (place < self.frames.count() as f64).then(|| MonoTime::from_nanos(at))
    }

    fn send(&mut self) {
        while self.sent < self.frames.count() && self.sent_at(self.sent) <= self.now {
            self.decoder.on_sent(self.sent);
            self.transmit(Item::Frame(self.sent));
            if self.policy.asks {
                self.asking.insert((self.now + self.delay + OVERDUE, self.sent), ());
            }
            self.sent += 1;
        }
        while self.symbol_at(self.symbols).is_some_and(|at| at <= self.now) {
            let first = self.first_open(self.now + self.delay);
            self.transmit(Item::Symbol(first, self.sent));
            self.symbols += 1;
        }
    }

    /// The first frame whose time is not over at `at`.
    fn first_open(&self, at: MonoTime) -> u64 {
        let over = at.since(MonoTime::ZERO + self.latency).as_nanos();
        u64::try_from(over.div_ceil(self.frames.every.as_nanos()))
            .unwrap_or(u64::MAX)
            .min(self.sent)
    }

    fn transmit(&mut self, item: Item) {
        let tag = self.items.len() as u64;
        let request = matches!(item, Item::Request(_));
        self.items.push(item);
        let (link, size) =
            if request { (&mut self.back, REQUEST) } else { (&mut self.there, self.frames.size) };
        let (data, entered, ecn) = (Bytes::new(), self.now, Ecn::NotCapable);
        link.push(entered, Packet { data, size, entered, tag, ecn });
    }

    fn receive(&mut self) {
        while let Some(packet) = self.back.pop(self.now) {
            if let Item::Request(frames) = self.items[packet.tag as usize].clone() {
                self.answer(&frames);
            }
        }
        while let Some(packet) = self.there.pop(self.now) {
            let known = match self.items[packet.tag as usize] {
                Item::Frame(frame) => self.decoder.on_frame(frame),
                Item::Symbol(first, end) => self.decoder.on_symbol(first..end),
                Item::Request(_) => continue,
            };
            let in_time = |frame: &&u64| self.now <= self.sent_at(**frame) + self.latency;
            self.in_time += known.iter().filter(in_time).count() as u64;
            self.decoder.forget_before(self.first_open(self.now));
        }
    }

    /// Sends again what is asked for, unless it has just been sent again.
    fn answer(&mut self, frames: &[u64]) {
        for &frame in frames {
            let last = self.answered.get(&frame);
            if last.is_none_or(|&last| self.now >= last + 2 * self.delay) {
                self.answered.insert(frame, self.now);
                self.answers += 1;
                self.transmit(Item::Frame(frame));
            }
        }
    }

    /// Asks for all that is overdue and can still come, when one frame's time to ask has come.
    fn ask(&mut self) {
        let mut due = false;
        while let Some((&(at, frame), ())) = self.asking.first_key_value() {
            if at > self.now {
                break;
            }
            self.asking.pop_first();
            if self.decoder.is_unknown(frame) && self.can_come(frame) {
                due = true;
                self.asking.insert((self.now + 2 * self.delay + OVERDUE, frame), ());
            }
        }
        if due {
            let missing: Vec<u64> = (0..self.sent)
                .rev()
                .skip_while(|&frame| self.now < self.sent_at(frame) + self.delay + OVERDUE)
                .take_while(|&frame| self.can_come(frame))
                .filter(|&frame| self.decoder.is_unknown(frame))
                .take(NAMED)
                .collect();
            self.requests += 1;
            self.transmit(Item::Request(missing));
        }
    }

    /// Whether an answer to a request of now is expected in time.
    fn can_come(&self, frame: u64) -> bool {
        self.now + 2 * self.delay <= self.sent_at(frame) + self.latency
    }

    fn bound(&self) -> RepairBound {
        let frames = self.sent;
        let missing = frames - self.in_time;
        let media = (frames.max(1) as usize * self.frames.size) as f64;
        let share = |packets: u64, size: usize| (packets as usize * size) as f64 / media;
        let code = share(self.symbols, self.frames.size);
        let answers = share(self.answers, self.frames.size);
        let requests = share(self.requests, REQUEST);
        RepairBound {
            frames,
            missing,
            residual: missing as f64 / frames.max(1) as f64,
            overhead: code + answers + requests,
            code,
            answers,
            requests,
        }
    }
}
