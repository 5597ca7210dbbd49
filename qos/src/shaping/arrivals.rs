//! What a receiver tells the sender's rate controller, and how often.

use std::collections::VecDeque;
use std::time::Duration;

use super::QueueDelay;
use crate::rtcp::{Arrived, StreamFeedback};
use crate::rtp::{Sequence, SequenceUnroller, Ssrc};
use crate::time::{MonoTime, NtpTime, TimeDelta};

/// Between reports while all is as usual: with 20 packets each, 1.6 % of a stream of 112 kbit/s.
const USUALLY: Duration = Duration::from_millis(400);

/// Between reports when the sender needs to know: while its rate grows at the start, and while a
/// queue grows.
const QUICKLY: Duration = Duration::from_millis(60);
const START: Duration = Duration::from_secs(2);
const AFTER_QUEUE: Duration = Duration::from_millis(300);

/// A queue grows when it is longer than the usual one by this and by so many times its spread.
const UNUSUAL: Duration = Duration::from_millis(8);
const UNUSUAL_SPREADS: u32 = 4;

/// Packets of which one report tells; what is longer ago is not told.
const MOST: u64 = 512;

/// When the packets of one stream arrived, until the sender was told (RFC 8888).
///
/// Each packet is told of once: reports that are lost leave gaps, of which the sender's controller
/// makes nothing. One that comes after it was told to be missing stays missing.
#[derive(Clone, Debug)]
pub struct ArrivalLog {
    ssrc: Ssrc,
    unroller: SequenceUnroller,
    /// The number of the first packet of `arrivals`.
    begin: Option<u64>,
    arrivals: VecDeque<Option<MonoTime>>,
    queue: QueueDelay,
    /// The first packet: when it came, and was sent.
    first: Option<(MonoTime, NtpTime)>,
    quick_until: MonoTime,
    reported_at: MonoTime,
}

impl ArrivalLog {
    /// The log of a stream whose first packet arrives `now`.
    pub fn new(now: MonoTime, ssrc: Ssrc) -> Self {
        Self {
            ssrc,
            unroller: SequenceUnroller::new(),
            begin: None,
            arrivals: VecDeque::new(),
            queue: QueueDelay::new(),
            first: None,
            quick_until: now + START,
            reported_at: now,
        }
    }

    /// A packet arrived, sent at `sent` by the sender's clock.
    pub fn on_packet(&mut self, now: MonoTime, sequence: Sequence, sent: NtpTime) {
        let number = self.unroller.unroll(sequence);
        let begin = *self.begin.get_or_insert(number);
        let Some(mut place) = number.checked_sub(begin) else { return };
        if place >= MOST {
            let told_no_more = (place + 1 - MOST).min(self.arrivals.len() as u64);
            self.arrivals.drain(..told_no_more as usize);
            place = place.min(MOST - 1);
            self.begin = Some(number - place);
        }
        let place = place as usize;
        if self.arrivals.len() <= place {
            self.arrivals.resize(place + 1, None);
        }
        self.arrivals[place].get_or_insert(now);
        self.watch(now, sent);
    }

    fn watch(&mut self, now: MonoTime, sent: NtpTime) {
        let (first_arrived, first_sent) = *self.first.get_or_insert((now, sent));
        let delay = (now - first_arrived) - sent.since(first_sent);
        self.queue.on_packet(now, delay);
        let excess = self.queue.standing().unwrap_or_default().saturating_sub(self.queue.usual());
        let unusual = UNUSUAL.max(self.queue.spread() * UNUSUAL_SPREADS);
        if excess > unusual {
            self.quick_until = self.quick_until.max(now + AFTER_QUEUE);
        }
        self.queue.learn(now);
    }

    /// When the next report is due; `None` while there is nothing to tell.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        let newest = self.arrivals.iter().rev().flatten().next()?;
        let interval = if *newest < self.quick_until { QUICKLY } else { USUALLY };
        Some(self.reported_at + interval)
    }

    /// The report that is due at `now`.
    pub fn pop(&mut self, now: MonoTime) -> Option<StreamFeedback> {
        self.next_deadline().filter(|at| *at <= now)?;
        let begin = self.begin?;
        let told = |arrived: Option<MonoTime>| {
            arrived.map_or(Arrived::No, |at| Arrived::Before(now.since(at)))
        };
        let packets: Vec<_> = self.arrivals.drain(..).map(told).collect();
        self.begin = Some(begin + packets.len() as u64);
        self.reported_at = now;
        Some(StreamFeedback { ssrc: self.ssrc, begin: Sequence(begin as u16), packets })
    }
}

/// The delays of packets as a sender sees them: from its own clock at sending to the receiver's
/// clock at arrival. Wrong by a constant that nobody knows.
#[derive(Clone, Debug, Default)]
pub struct FarClock {
    /// The last report time, unwrapped.
    last: Option<(u32, i64)>,
}

impl FarClock {
    /// A clock that was not heard of yet.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// The span from the receiver's origin to `at`, across wraps.
    pub fn read(&mut self, at: crate::rtcp::ReportTime) -> TimeDelta {
        let units = match self.last {
            Some((last, units)) => units + i64::from(at.0.wrapping_sub(last) as i32),
            None => i64::from(at.0),
        };
        self.last = Some((at.0, units));
        TimeDelta::from_nanos((i128::from(units) * 1_000_000_000 / 65_536) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::ReportTime;

    fn sent(millis: u64) -> NtpTime {
        NtpTime::from_unix(Duration::from_millis(millis))
    }

    fn log() -> ArrivalLog {
        ArrivalLog::new(MonoTime::ZERO, Ssrc(1))
    }

    /// How often a log reports on a packet every 20 ms, from one second to another, where each has
    /// the delay that `delay` says.
    fn reports(seconds: std::ops::Range<u64>, delay: impl Fn(u64) -> u64) -> usize {
        let (mut log, mut reports) = (log(), 0);
        for n in 0..seconds.end * 50 {
            let now = MonoTime::from_millis(n * 20 + delay(n * 20));
            log.on_packet(now, Sequence(n as u16), sent(n * 20));
            let due = log.pop(now).is_some();
            reports += usize::from(due && n >= seconds.start * 50);
        }
        reports
    }

    #[test]
    fn reports_are_frequent_at_first_and_then_rare() {
        assert_eq!(reports(0..2, |_| 30), 33);
        assert_eq!(reports(10..20, |_| 30), 25);
    }

    #[test]
    fn reports_are_frequent_again_while_a_queue_grows() {
        let grows = |millis: u64| 30 + millis.saturating_sub(10_000) / 20;
        assert!(reports(10..12, grows) > 20);
    }

    #[test]
    fn what_is_missing_is_told_and_each_packet_once() {
        let mut log = log();
        let at = MonoTime::from_millis;
        log.on_packet(at(10), Sequence(65_535), sent(0));
        log.on_packet(at(50), Sequence(1), sent(40));
        let report = log.pop(at(100)).unwrap();
        let before = |millis| Arrived::Before(Duration::from_millis(millis));
        assert_eq!(report.begin, Sequence(65_535));
        assert_eq!(report.packets, [before(90), Arrived::No, before(50)]);
        // Too late: it was told to be missing.
        log.on_packet(at(110), Sequence(0), sent(20));
        assert_eq!(log.next_deadline(), None);
        log.on_packet(at(120), Sequence(2), sent(60));
        assert_eq!(log.pop(at(200)).unwrap().begin, Sequence(2));
    }

    #[test]
    fn a_jump_far_ahead_is_told_in_a_report_of_bounded_length() {
        let mut log = log();
        log.on_packet(MonoTime::ZERO, Sequence(0), sent(0));
        log.on_packet(MonoTime::ZERO, Sequence(30_000), sent(0));
        let report = log.pop(MonoTime::from_millis(500)).unwrap();
        assert_eq!(report.begin, Sequence(30_000 - 511));
        assert_eq!(report.packets.len(), 512);
        assert_eq!(report.packets.iter().filter(|it| **it != Arrived::No).count(), 1);
    }

    #[test]
    fn the_far_clock_goes_on_across_its_wrap_and_back_a_little() {
        let mut clock = FarClock::new();
        let start = clock.read(ReportTime(u32::MAX - 65_535));
        let later = clock.read(ReportTime(65_536));
        assert_eq!(later - start, TimeDelta::from_millis(2_000));
        let overtaken = clock.read(ReportTime(0));
        assert_eq!(overtaken - later, TimeDelta::from_millis(-1_000));
    }
}
