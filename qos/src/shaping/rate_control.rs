//! The rate controller.

mod phase;

use std::time::Duration;

use super::loss_share::LossShare;
use super::throughput::Throughput;
use super::{PathRate, QueueDelay};
use crate::quantity::Bitrate;
use crate::time::{MonoTime, TimeDelta};
use phase::{Cause, DRAINING, Drain, Phase};

/// A queue is unusual when it is longer than the usual one by this, and by so many times the
/// spread of the usual one.
const UNUSUAL: Duration = Duration::from_millis(10);
const UNUSUAL_SPREADS: u32 = 4;

/// The more a path loses without any queue, the longer must a queue be to be believed: it does not
/// lose because it is full, and paths that lose tend to have jitter too. At 13 % it is eleven
/// times as long.
const DOUBT: f64 = 80.0;

/// No jitter holds back all packets of a moment by so much more than usual: that is a queue, whatever
/// is lost.
const MOST_DOUBTED: Duration = Duration::from_millis(100);

/// The rate grows only while the queue is no longer than the usual one but for this.
const STEADY: Duration = Duration::from_millis(2);
const STEADY_SPREADS: f64 = 1.5;

/// It is believed when it has been unusual for so long.
const BELIEVED_AFTER: Duration = Duration::from_millis(80);

/// A change of rate is judged by what was sent in so much time after it.
const ROUND: Duration = Duration::from_millis(100);

/// From the start the rate grows by this factor a round, until something stops it.
const RISE: f64 = 1.15;

/// Below a limit that was found, the rate rests for so long; then a little more is tried.
const REST: Duration = Duration::from_millis(2_500);
const TRIAL: Duration = Duration::from_millis(400);
const FIRST_STEP: Bitrate = Bitrate::from_kbps(12);
const LEAST_STEP: Bitrate = Bitrate::from_kbps(6);

/// What is left of the delivered rate when a queue is unusual: after a rise, the limit has just
/// been found; after a rest, somebody else has come, and two who share a queue come to share its
/// rate evenly by giving up a part and taking a constant back (Chiu and Jain, 1989).
const AFTER_RISE: f64 = 0.97;
const AFTER_REST: f64 = 0.85;

/// A trial that fails shows that what was before may have been too much too, but by no more.
const LITTLE_LESS: f64 = 0.98;

/// Somebody whose queue was met while nothing was tried is taken to be there for so long.
const COMPANY: Duration = Duration::from_secs(180);

/// A queue of ours has become shorter so long after it was longest, by this part or by twice what
/// would be unusual; otherwise it is not ours.
const OURS_AFTER: Duration = Duration::from_millis(700);
const OURS_SHORTER: f64 = 0.3;
const LONGER: f64 = 1.1;
const LONGEST_DRAIN: Duration = Duration::from_secs(4);

/// Where no more than this part of what was tried at first is delivered, the path is far narrower
/// than was thought, and what was sent until that was known has made a long queue. It is ours, and
/// goes only if media yields too.
const FAR_LESS: f64 = 0.7;
const LONGEST_LONG_DRAIN: Duration = Duration::from_secs(12);

/// What is lost then while the queue is longer than this has found it full: such loss is no
/// property of the path.
const FULL: Duration = Duration::from_millis(200);

/// The rate may grow to this factor of what is really sent: more was not tried.
const UNTRIED: f64 = 1.25;

/// A trial tells something when this part of what it allows was sent.
const FILLED: f64 = 0.8;

/// Without any report for so long, nobody knows what the path can bear.
const SILENCE: Duration = Duration::from_millis(1_500);

/// Says how much a session may send, of everything and with all headers.
///
/// It goes by the delay that its packets find in queues ([`QueueDelay`]), and not by loss: a path
/// that loses packets at random would starve those who yield to it, and what the loss takes is
/// made good by repair. A queue that grows unusually long while it sends is taken for its own; it
/// sends less, and sees whether the queue goes. If it does, a limit is known, and the rate stays a
/// little below it, where it tries from time to time whether there is room for more. If it does not,
/// the queue is somebody else's or the path has become another one, and the rate is as before.
///
/// Who met somebody's queue while it tried nothing shares the path: [`PathRate::is_shared`].
///
/// The design takes from GCC (that a growing delay counts, not a long one), from NADA (RFC 8698)
/// and SCReAM (RFC 8298) (base delay and queue), from LEDBAT (RFC 6817) (the ages of the base
/// delay) and from BBR (that the limit is what was delivered while there was a queue).
///
/// 1. [`on_sent`](Self::on_sent) tells what leaves.
/// 2. [`on_packet`](Self::on_packet) tells what became of each packet that is known about, in the
///    order of sending, [`on_report`](Self::on_report) that this was all for now.
/// 3. [`target`](Self::target) says what may be sent.
#[derive(Clone, Debug)]
pub struct RateControl {
    queue: QueueDelay,
    throughput: Throughput,
    loss: LossShare,
    wanted: f64,
    least: f64,
    start: f64,
    target: f64,
    phase: Phase,
    /// Whether a limit of the path was found.
    is_found: bool,
    /// By how much more is tried next.
    step: f64,
    /// Until when somebody else is taken to share the path.
    shared_until: Option<MonoTime>,
    /// Since when the queue is unusual.
    unusual_since: Option<MonoTime>,
    newest: MonoTime,
    reported_at: Option<MonoTime>,
    sent_since: Option<MonoTime>,
}

impl RateControl {
    /// Begins at `start`; never asks for less than `least`, nor grows beyond `wanted`.
    pub fn new(start: Bitrate, least: Bitrate, wanted: Bitrate) -> Self {
        Self {
            queue: QueueDelay::new(),
            throughput: Throughput::new(),
            loss: LossShare::new(),
            wanted: bps(wanted).max(bps(least)),
            least: bps(least),
            start: bps(start),
            target: bps(start).max(bps(least)).min(bps(wanted).max(bps(least))),
            phase: Phase::Rising { since: MonoTime::ZERO },
            is_found: false,
            step: bps(FIRST_STEP),
            shared_until: None,
            unusual_since: None,
            newest: MonoTime::ZERO,
            reported_at: None,
            sent_since: None,
        }
    }

    /// What there would be to send if the path bore it.
    pub fn set_wanted(&mut self, wanted: Bitrate) {
        self.wanted = bps(wanted).max(self.least);
        if self.sent_since.is_none() {
            self.target = self.start.max(self.least).min(self.wanted);
        } else if !self.is_found {
            self.target = self.target.min(self.wanted);
        }
    }

    /// A packet of `bytes` leaves, headers included.
    pub fn on_sent(&mut self, now: MonoTime, bytes: usize) {
        self.sent_since.get_or_insert(now);
        self.throughput.on_sent(now, bytes);
    }

    /// A packet that was sent at `sent`, not before the one told before, took `delay`, which may be
    /// wrong by any constant.
    pub fn on_packet(&mut self, sent: MonoTime, delay: TimeDelta) {
        self.newest = self.newest.max(sent);
        self.loss.note(false);
        self.queue.on_packet(sent, delay);
        self.throughput.on_packet(sent, delay);
        let Some(excess) = self.excess() else { return };
        if excess > self.unusual() {
            self.unusual_since.get_or_insert(sent);
        } else {
            self.unusual_since = None;
        }
        if !matches!(self.phase, Phase::Draining(_)) && self.unusual_since.is_none() {
            self.queue.learn(sent);
        }
    }

    /// A packet that was sent at `sent` has not arrived.
    pub fn on_lost(&mut self, sent: MonoTime) {
        self.newest = self.newest.max(sent);
        if self.is_overflowing() {
            self.throughput.on_lost(sent);
        } else {
            self.loss.note(true);
        }
    }

    /// What all this comes to at `now`.
    pub fn path(&self, now: MonoTime) -> PathRate {
        let lost_thousandths = (self.loss.share() * 1_000.0).round() as u16;
        let is_trying = matches!(self.phase, Phase::Trying { .. });
        let is_shared = self.shared_until.is_some_and(|until| now < until);
        let (target, limit) = (self.target(now), self.limit());
        PathRate { target, limit, is_trying, is_shared, lost_thousandths }
    }

    /// All that is known at `now` was told.
    pub fn on_report(&mut self, now: MonoTime) {
        self.reported_at = Some(now);
        match self.phase {
            Phase::Draining(drain) => self.drain(now, drain),
            Phase::Rising { .. } | Phase::Resting { .. } if self.is_overused() => {
                self.give_way(now);
            }
            Phase::Rising { since } => self.rise(now, since),
            Phase::Trying { since, from } => self.trial(now, since, from),
            Phase::Resting { since } if now >= since + REST => self.try_more(now),
            Phase::Resting { .. } => {}
        }
    }

    /// What may be sent at `now`.
    pub fn target(&self, now: MonoTime) -> Bitrate {
        let heard = self.reported_at.max(self.sent_since);
        let silent = heard.is_some_and(|heard| now.since(heard) > SILENCE);
        let target = match self.phase {
            Phase::Draining(drain) => self.target * drain.cause.part(),
            _ if silent => self.target * DRAINING,
            _ => self.target,
        };
        rate(target.max(self.least))
    }

    /// The rate that the path was found to bear; `None` where nothing has limited it. Unlike
    /// [`target`](Self::target) it does not go up for a trial, nor down while a queue drains, except
    /// for the long one of a session that began with far too much.
    pub fn limit(&self) -> Option<Bitrate> {
        let found = match self.phase {
            Phase::Trying { from, .. } => from,
            Phase::Draining(drain) if drain.cause == Cause::TooMuch => {
                (self.target * drain.cause.part()).max(self.least)
            }
            _ => self.target,
        };
        self.is_found.then(|| rate(found))
    }

    /// What is waited in queues.
    pub fn queue(&self) -> &QueueDelay {
        &self.queue
    }

    fn excess(&self) -> Option<Duration> {
        Some(self.queue.standing()?.saturating_sub(self.queue.usual()))
    }

    fn unusual(&self) -> Duration {
        let unusual =
            UNUSUAL.max(self.queue.spread() * UNUSUAL_SPREADS).max(self.queue.roughness() * 2);
        unusual.mul_f64(1.0 + DOUBT * self.loss.share()).min(MOST_DOUBTED.max(unusual))
    }

    fn is_overused(&self) -> bool {
        self.unusual_since.is_some_and(|since| self.newest.since(since) >= BELIEVED_AFTER)
    }

    /// Whether what is lost is lost in a queue of ours.
    fn is_overflowing(&self) -> bool {
        let is_ours = match self.phase {
            Phase::Rising { .. } => true,
            Phase::Draining(drain) => drain.cause == Cause::TooMuch,
            _ => false,
        };
        is_ours && self.queue.standing().is_some_and(|standing| standing > FULL)
    }

    fn is_steady(&self) -> bool {
        let excess = self.excess().unwrap_or_default();
        excess <= STEADY.max(self.queue.spread().mul_f64(STEADY_SPREADS))
    }

    /// What was delivered since the queue is unusual.
    fn delivered_rate(&self) -> f64 {
        self.throughput.delivered_since(self.unusual_since.unwrap_or(self.newest), self.newest)
    }

    fn give_way(&mut self, now: MonoTime) {
        let delivered = self.delivered_rate().min(self.target);
        let before = self.target;
        let is_rising = matches!(self.phase, Phase::Rising { .. });
        let is_long = is_rising && delivered < before * FAR_LESS;
        self.target = match self.phase {
            Phase::Rising { .. } => delivered * AFTER_RISE,
            _ => {
                // Where no limit was known the path may as well have become narrow.
                self.shared_until = self.is_found.then_some(now + COMPANY).or(self.shared_until);
                delivered * AFTER_REST
            }
        }
        .max(self.least);
        self.is_found = true;
        self.step = bps(FIRST_STEP);
        self.begin_drain(now, before, if is_long { Cause::TooMuch } else { Cause::Met });
    }

    fn begin_drain(&mut self, now: MonoTime, before: f64, cause: Cause) {
        let longest = self.excess().unwrap_or_default().as_secs_f64();
        let drain = Drain { since: now, longest, longest_at: now, before, cause };
        self.phase = Phase::Draining(drain);
    }

    fn drain(&mut self, now: MonoTime, drain: Drain) {
        let left = self.excess().unwrap_or_default().as_secs_f64();
        let unusual = self.unusual().as_secs_f64();
        if left <= unusual / 2.0 {
            return self.rest(now);
        }
        if drain.cause == Cause::TooMuch {
            if self.newest >= drain.since + LONGEST_LONG_DRAIN {
                self.queue.accept();
                self.rest(now);
            }
            return;
        }
        if left > drain.longest * LONGER {
            self.phase = Phase::Draining(Drain { longest: left, longest_at: now, ..drain });
        }
        let shorter = (drain.longest * OURS_SHORTER).min(unusual * 2.0);
        let after_trial = drain.cause == Cause::Trial;
        let longest_at = if after_trial { drain.since } else { drain.longest_at };
        let judged = self.newest >= longest_at + OURS_AFTER;
        let foreign = judged && left > drain.longest - shorter;
        if foreign && after_trial {
            // It was no trial that has filled it, or not ours alone.
            self.phase = Phase::Resting { since: now };
            self.give_way(now);
        } else if foreign || self.newest >= drain.since + LONGEST_DRAIN {
            self.queue.accept();
            self.target = drain.before;
            self.rest(now);
        }
    }

    fn rest(&mut self, now: MonoTime) {
        self.unusual_since = None;
        self.phase = Phase::Resting { since: now };
    }

    fn rise(&mut self, now: MonoTime, since: MonoTime) {
        if self.newest < since + ROUND || !self.is_steady() {
            return;
        }
        let tried = (self.throughput.sent() * UNTRIED).max(self.target);
        self.phase = Phase::Rising { since: now };
        self.grow(now, self.target * RISE, tried);
    }

    fn trial(&mut self, now: MonoTime, since: MonoTime, from: f64) {
        // What was known before the trial says nothing about it.
        if self.newest < since + ROUND {
            return;
        }
        let over = self.newest >= since + TRIAL;
        if self.excess().unwrap_or_default() * 2 > self.unusual() || over && !self.is_steady() {
            self.target = from.min(self.delivered_rate()).max(from * LITTLE_LESS).max(self.least);
            self.step = (self.step / 2.0).max(bps(LEAST_STEP));
            self.begin_drain(now, from, Cause::Trial);
        } else if over && self.throughput.sent() < self.target * FILLED {
            // As far as it went, it went well.
            self.target = self.throughput.sent().max(from);
            self.step = (self.step / 2.0).max(bps(LEAST_STEP));
            self.rest(now);
        } else if over {
            self.step *= 2.0;
            let from = self.target;
            self.phase = Phase::Trying { since: now, from };
            self.grow(now, from + self.step, f64::MAX);
        }
    }

    fn try_more(&mut self, now: MonoTime) {
        if !self.is_found || !self.is_steady() {
            return;
        }
        let from = self.target;
        self.phase = Phase::Trying { since: now, from };
        self.grow(now, from + self.step, f64::MAX);
    }

    fn grow(&mut self, now: MonoTime, to: f64, most: f64) {
        self.target = to.min(most).min(self.wanted);
        if self.target >= self.wanted {
            self.is_found = false;
            self.step = bps(FIRST_STEP);
            self.rest(now);
        }
    }
}

fn bps(rate: Bitrate) -> f64 {
    rate.as_bps() as f64
}

fn rate(bps: f64) -> Bitrate {
    Bitrate::from_bps(bps.round() as u64)
}

#[cfg(test)]
mod tests;
