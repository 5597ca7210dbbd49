//! What a sender sends and what of it is delivered, in bits per second.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{MonoTime, TimeDelta};

/// What was sent is remembered for so long: as long as reports may take.
const REMEMBERED: Duration = Duration::from_secs(5);

/// The rate that is sent at is measured over this, and so is at least what is delivered.
const METER: Duration = Duration::from_millis(400);
const DELIVERY: Duration = Duration::from_millis(200);

/// What is sent, and how much of it comes through in which time.
#[derive(Clone, Debug)]
pub(super) struct Throughput {
    /// When each packet left, and the bytes up to it.
    sent: VecDeque<(MonoTime, u64)>,
    bytes: u64,
    /// What became known of packets lately.
    known: VecDeque<(MonoTime, TimeDelta)>,
    /// When those left that found a queue full.
    lost: VecDeque<MonoTime>,
}

impl Throughput {
    /// Nothing was sent yet.
    pub(super) fn new() -> Self {
        Self { sent: VecDeque::new(), bytes: 0, known: VecDeque::new(), lost: VecDeque::new() }
    }

    /// A packet of `bytes` leaves.
    pub(super) fn on_sent(&mut self, now: MonoTime, bytes: usize) {
        self.bytes += bytes as u64;
        self.sent.push_back((now, self.bytes));
        while self.sent.front().is_some_and(|(at, _)| *at + REMEMBERED < now) {
            self.sent.pop_front();
        }
    }

    /// A packet that was sent at `sent` took `delay`.
    pub(super) fn on_packet(&mut self, sent: MonoTime, delay: TimeDelta) {
        self.known.push_back((sent, delay));
        while self.known.front().is_some_and(|(at, _)| *at + REMEMBERED < sent) {
            self.known.pop_front();
        }
    }

    /// A packet that was sent at `sent` found a queue full.
    pub(super) fn on_lost(&mut self, sent: MonoTime) {
        self.lost.push_back(sent);
        while self.lost.front().is_some_and(|at| *at + REMEMBERED < sent) {
            self.lost.pop_front();
        }
    }

    /// What is sent at present.
    pub(super) fn sent(&self) -> f64 {
        let Some((now, _)) = self.sent.back() else { return 0.0 };
        self.sent_between(*now - METER, *now) / METER.as_secs_f64()
    }

    /// What was delivered of what was sent since `since`, or in a short while up to `newest` if that
    /// is longer: what was sent and found no queue full, over the time in which it arrived.
    pub(super) fn delivered_since(&self, since: MonoTime, newest: MonoTime) -> f64 {
        let since = since.min(newest - DELIVERY);
        let first = self.known.iter().find(|(sent, _)| *sent >= since);
        let Some((first, last)) = first.zip(self.known.back()) else { return self.sent() };
        let span = last.0 - first.0 + (last.1 - first.1);
        let span = span.max_zero().max(DELIVERY / 2);
        let came = self.known.iter().filter(|(sent, _)| *sent >= first.0).count() as f64;
        let lost = self.lost.iter().filter(|sent| (first.0..last.0).contains(sent)).count() as f64;
        self.sent_between(first.0, last.0) * came / (came + lost) / span.as_secs_f64()
    }

    /// What left in a span of time, in bits.
    fn sent_between(&self, from: MonoTime, until: MonoTime) -> f64 {
        let before = |instant: MonoTime| {
            let index = self.sent.partition_point(|(at, _)| *at < instant);
            index.checked_sub(1).and_then(|index| self.sent.get(index)).map(|(_, bytes)| *bytes)
        };
        let first = before(from).or_else(|| self.sent.front().map(|(_, bytes)| *bytes));
        let bytes = before(until).unwrap_or_default().saturating_sub(first.unwrap_or_default());
        bytes as f64 * 8.0
    }
}
