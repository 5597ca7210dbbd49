//! How long packets wait in queues on the path, and what of it is only jitter.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{MonoTime, TimeDelta};

/// The least delay of so much time stands for the moment. Jitter is short: some packet of five
/// gets through nearly unhindered, and a queue hinders them all.
const WINDOW: Duration = Duration::from_millis(100);

/// Fewer packets say nothing: where packets are long, a window is as long as so many of them.
const LEAST_PACKETS: usize = 3;

/// The path without queues is the fastest packet of the last two or three of these. Clocks that
/// part by 300 ppm are 9 ms apart after 30 s.
const AGE: Duration = Duration::from_secs(10);
const AGES: usize = 3;

/// By what part of its difference a new window changes what is usual: in about three seconds. The
/// spread takes ten: what grows slowly is not to be taken for spread.
const GAIN: f64 = 1.0 / 32.0;
const SPREAD_GAIN: f64 = 1.0 / 96.0;

/// What is usual creeps up by no more than this from where it once was: else the slowest growing
/// queue would be usual for ever.
const CREEP: f64 = 0.06;

/// So many windows teach faster: nothing is known at first.
const YOUNG: u32 = 16;

/// So long the difference between single packets stands in for the spread.
const UNSURE: u32 = 48;
const ROUGH_GAIN: f64 = 1.0 / 16.0;

/// The delay that queues add, by the delays of single packets.
///
/// [`standing`](Self::standing) is the least delay of the last 100 ms over the least of the last 30 s
/// (the *base delay* of RFC 6817 and RFC 8698). On a path with jitter it is not zero
/// without any queue, and not steady: [`usual`](Self::usual) and [`spread`](Self::spread) follow
/// it, so that an unusual queue can be told from a usual one.
///
/// Delays may be wrong by any constant: clocks need not agree.
#[derive(Clone, Debug, Default)]
pub struct QueueDelay {
    window: VecDeque<(MonoTime, TimeDelta)>,
    ages: VecDeque<(MonoTime, TimeDelta)>,
    standing: Option<Duration>,
    usual: f64,
    /// The least that was usual.
    floor: f64,
    spread: f64,
    /// Of the difference between packets that follow each other, the mean, in seconds.
    rough: f64,
    learnt: u32,
    learn_at: MonoTime,
}

impl QueueDelay {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet that was sent at `sent`, not before the last, took `delay`.
    pub fn on_packet(&mut self, sent: MonoTime, delay: TimeDelta) {
        self.age(sent, delay);
        if let Some((_, before)) = self.window.back() {
            let change = (delay - *before).abs().as_secs_f64();
            self.rough += (change - self.rough) * ROUGH_GAIN;
        }
        self.window.push_back((sent, delay));
        let is_old = |(at, _): &(MonoTime, TimeDelta)| *at + WINDOW <= sent;
        while self.window.len() > LEAST_PACKETS && self.window.front().is_some_and(is_old) {
            self.window.pop_front();
        }
        let least = self.window.iter().map(|(_, delay)| *delay).min();
        let base = self.ages.iter().map(|(_, delay)| *delay).min();
        let enough = self.window.len() >= LEAST_PACKETS;
        if let (true, Some(least), Some(base)) = (enough, least, base) {
            self.standing = Some((least - base).max_zero());
        }
    }

    fn age(&mut self, sent: MonoTime, delay: TimeDelta) {
        match self.ages.back_mut() {
            Some((since, least)) if sent.since(*since) < AGE => *least = delay.min(*least),
            _ => self.ages.push_back((sent, delay)),
        }
        if self.ages.len() > AGES {
            self.ages.pop_front();
        }
    }

    /// What is waited in queues now, jitter included; `None` before the first few packets.
    pub fn standing(&self) -> Option<Duration> {
        self.standing
    }

    /// What is usually waited.
    pub fn usual(&self) -> Duration {
        Duration::from_secs_f64(self.usual)
    }

    /// How far [`standing`](Self::standing) is usually from that, in the mean.
    pub fn spread(&self) -> Duration {
        Duration::from_secs_f64(self.spread)
    }

    /// By how much packets that follow each other differ, in the mean, while the spread is still
    /// unsure; then zero.
    pub fn roughness(&self) -> Duration {
        Duration::from_secs_f64(if self.learnt < UNSURE { self.rough } else { 0.0 })
    }

    /// What is waited at `sent` is as it should be: it counts for what is usual, once a window.
    pub fn learn(&mut self, sent: MonoTime) {
        let Some(standing) = self.standing.filter(|_| self.learn_at <= sent) else { return };
        self.learn_at = sent + WINDOW;
        let standing = standing.as_secs_f64();
        if self.learnt == 0 {
            self.usual = standing;
        }
        self.learnt = self.learnt.saturating_add(1);
        let young = 1.0 / f64::from(self.learnt + 1);
        let young = if self.learnt < YOUNG { young } else { 0.0 };
        self.spread += ((standing - self.usual).abs() - self.spread) * young.max(SPREAD_GAIN);
        self.usual += (standing - self.usual) * young.max(GAIN);
        self.floor = self.floor.min(self.usual);
        self.usual = self.usual.min(self.floor + CREEP);
    }

    /// What is waited now is usual from now on: the path is another one, or others fill its queue.
    pub fn accept(&mut self) {
        if let Some(standing) = self.standing {
            self.usual = standing.as_secs_f64();
            self.floor = self.usual;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets every 20 ms with these delays in milliseconds.
    fn after(delays: impl IntoIterator<Item = i64>) -> QueueDelay {
        let mut queue = QueueDelay::new();
        for (n, delay) in delays.into_iter().enumerate() {
            let sent = MonoTime::from_millis(20 * n as u64);
            queue.on_packet(sent, TimeDelta::from_millis(delay));
            queue.learn(sent);
        }
        queue
    }

    #[test]
    fn nothing_is_known_before_the_third_packet() {
        assert_eq!(after([30, 30]).standing(), None);
        assert_eq!(after([30, 30, 30]).standing(), Some(Duration::ZERO));
    }

    #[test]
    fn one_fast_packet_in_five_tells_that_there_is_no_queue() {
        assert_eq!(
            after([30, 90, 70, 80, 31, 75, 90, 66, 80]).standing(),
            Some(Duration::from_millis(1))
        );
        assert_eq!(after([30, 90, 70, 80, 66, 75]).standing(), Some(Duration::from_millis(36)));
    }

    #[test]
    fn packets_of_60_ms_tell_of_a_queue_too() {
        let mut queue = QueueDelay::new();
        for (n, delay) in [30, 400, 400, 400, 90, 30].into_iter().enumerate() {
            queue.on_packet(MonoTime::from_millis(60 * n as u64), TimeDelta::from_millis(delay));
            let expected = match n {
                0 | 1 => None,
                3 => Some(Duration::from_millis(370)),
                4 => Some(Duration::from_millis(60)),
                _ => Some(Duration::ZERO),
            };
            assert_eq!(queue.standing(), expected, "packet {n}");
        }
    }

    #[test]
    fn delays_may_be_wrong_by_a_constant() {
        assert_eq!(
            after([-5_000, -4_960, -4_960, -4_960, -4_960, -4_960]).standing(),
            Some(Duration::from_millis(40))
        );
    }

    #[test]
    fn a_steady_queue_becomes_usual() {
        let queue = after([30].into_iter().chain([55; 1_000]));
        assert!(queue.usual().abs_diff(Duration::from_millis(25)) < Duration::from_millis(1));
        assert!(queue.spread() < Duration::from_millis(4), "{:?}", queue.spread());
    }

    #[test]
    fn what_was_accepted_is_usual_at_once() {
        let mut queue = after([30; 50]);
        for n in 50..60 {
            queue.on_packet(MonoTime::from_millis(20 * n), TimeDelta::from_millis(90));
        }
        assert_eq!(queue.usual(), Duration::ZERO);
        queue.accept();
        assert_eq!(queue.usual(), Duration::from_millis(60));
    }

    #[test]
    fn a_path_that_has_become_longer_is_known_as_such_after_half_a_minute() {
        let queue = after([30; 50].into_iter().chain([80; 1_600]));
        assert_eq!(queue.standing(), Some(Duration::ZERO));
    }
}
