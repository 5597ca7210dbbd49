//! How long playback has to wait for the slower packets.

use crate::time::{MonoTime, TimeDelta};
use std::collections::VecDeque;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// What a [`TargetDelay`] has to keep to.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct TargetConfig {
    /// The target never falls below this.
    pub minimum: Duration,
    /// The target never rises above this (and never below `minimum`).
    pub maximum: Duration,
    /// The target until enough has been seen to know better.
    pub start: Duration,
    /// The share of packets that may come too late, as a fraction; kept within 0.01 % to 50 %.
    pub late_share: f64,
}

impl Default for TargetConfig {
    /// 10 ms to 1 s, starting at 60 ms, 1 % late.
    fn default() -> Self {
        Self {
            minimum: Duration::from_millis(10),
            maximum: Duration::from_secs(1),
            start: Duration::from_millis(60),
            late_share: 0.01,
        }
    }
}

/// Learns from the arrivals how long playback has to wait.
///
/// Delay here is relative: a packet's transit time less that of the fastest packet of the last
/// 10 seconds. So any two clocks will do (what they differ by cancels, and their drift is
/// followed), and the target says how much longer than the fastest packet takes a unit's playout
/// is to wait after its sending.
///
/// The target is a quantile of a histogram of these delays, as Moon, Kurose and Towsley
/// ("Packet audio playout delay adjustment", Multimedia Systems 6, 1998) have it, forgetting
/// exponentially, as WebRTC's NetEQ does. A histogram forgets slowly, or it cannot tell a share of
/// 1 %; so, with both that paper and Ramjee et al. ("Adaptive playout mechanisms for packetized
/// audio applications", INFOCOM 1994), a delay spike is followed at once. Packets in a row beyond
/// the target, so many that independent jitter brings them about once in a million (three where
/// 1 % may be late), are a spike: the target rises to the slowest of them, and for the next 10
/// seconds, until it is clear whether the path has become slower for good, to every packet beyond
/// it. Then it comes down, by 20 ms a second at most, which time scaling can follow unheard.
#[derive(Clone, Debug)]
pub struct TargetDelay {
    config: TargetConfig,
    fastest: SlidingMinimum,
    histogram: Histogram,
    /// The target when the last packet came.
    peak: TimeDelta,
    /// What the target comes down to; `None` while it is too early to say.
    quantile: Option<TimeDelta>,
    /// How many packets in a row beyond the target are a spike.
    spike_run: u32,
    /// How many there are at present, and the slowest of them.
    late_run: u32,
    slowest: TimeDelta,
    spike_until: MonoTime,
    observed: u64,
    last: MonoTime,
}

impl TargetDelay {
    /// The fastest packet is looked for among those of this span: long enough to hold a lull of
    /// the jitter, short enough that clocks 100 ppm apart drift by a millisecond only.
    const MEMORY_OF_FASTEST: Duration = Duration::from_secs(10);
    /// A run of late packets is a spike where chance brings it about no more often than this.
    const CHANCE: f64 = 1e-6;
    /// A spike is no shorter than this, however small the share.
    const SHORTEST_RUN: u32 = 3;
    /// How fast the target falls: by one part in so many of real time.
    const DESCENT: i64 = 50;

    /// A target that begins at `config.start`.
    pub fn new(config: TargetConfig) -> Self {
        let maximum = config.maximum.max(config.minimum);
        let late_share = config.late_share.clamp(1e-4, 0.5);
        let mut spike_run = Self::SHORTEST_RUN;
        // A hair above, for 0.01 cubed is not quite a millionth in binary.
        while late_share.powi(spike_run as i32) > Self::CHANCE * (1.0 + 1e-9) {
            spike_run += 1;
        }
        Self {
            config: TargetConfig { maximum, late_share, ..config },
            fastest: SlidingMinimum::new(Self::MEMORY_OF_FASTEST),
            histogram: Histogram::new(maximum),
            peak: config.start.into(),
            quantile: None,
            spike_run,
            late_run: 0,
            slowest: TimeDelta::ZERO,
            spike_until: MonoTime::ZERO,
            observed: 0,
            last: MonoTime::ZERO,
        }
    }

    /// A packet has arrived at `now`, this long after it was sent.
    ///
    /// `relative_delay` is its arrival less its sending, on any two clocks that run at about the
    /// same rate. Packets that were retransmitted or recovered do not belong here: how late they
    /// are says nothing about the path.
    pub fn observe(&mut self, now: MonoTime, relative_delay: TimeDelta) {
        let transit = relative_delay;
        let target = self.descended(now);
        let elapsed = if self.observed == 0 { Duration::ZERO } else { now.since(self.last) };
        self.last = now;
        self.observed += 1;

        let before = self.fastest.minimum();
        let fastest = self.fastest.push(now, transit);
        // The target is a point in time; only its distance from the fastest packet has changed.
        let target = target + (before.unwrap_or(fastest) - fastest);

        self.histogram.record(elapsed, transit, fastest);
        let quantile = self.histogram.quantile(self.config.late_share, fastest);
        // A share is known once as many packets have come as there are such shares in a whole.
        let known = self.observed as f64 * self.config.late_share >= 1.0;
        self.quantile = known.then_some(quantile);
        self.peak = self
            .after_spike(target, transit, fastest)
            .max(quantile)
            .min(self.config.maximum.into());
    }

    /// How much longer than the fastest packet takes playout is to wait after a unit's sending.
    pub fn target(&self, now: MonoTime) -> Duration {
        self.descended(now).max_zero().clamp(self.config.minimum, self.config.maximum)
    }

    /// The transit time of the fastest packet of late, on the clocks of
    /// [`observe`](Self::observe): what a delay has to be compared with to be relative.
    pub fn fastest(&self) -> Option<TimeDelta> {
        self.fastest.minimum()
    }

    /// The target at `now`, on its slow way down to the quantile.
    fn descended(&self, now: MonoTime) -> TimeDelta {
        let Some(quantile) = self.quantile else {
            return self.peak;
        };
        let elapsed = TimeDelta::from(now.since(self.last.max(self.spike_until)));
        let descent = TimeDelta::from_nanos(elapsed.as_nanos() / Self::DESCENT);
        quantile.max(self.peak - descent)
    }

    /// The target, or within a spike the slowest packet of the run if that was beyond it.
    fn after_spike(
        &mut self,
        target: TimeDelta,
        transit: TimeDelta,
        fastest: TimeDelta,
    ) -> TimeDelta {
        if transit - fastest <= target {
            self.late_run = 0;
            return target;
        }
        self.slowest = if self.late_run == 0 { transit } else { self.slowest.max(transit) };
        self.late_run = self.late_run.saturating_add(1);
        if self.late_run >= self.spike_run {
            self.spike_until = self.last + Self::MEMORY_OF_FASTEST;
        }
        if self.last < self.spike_until { self.slowest - fastest } else { target }
    }
}

/// The smallest value of a span of time, in constant time per value on average.
#[derive(Clone, Debug)]
struct SlidingMinimum {
    span: Duration,
    /// Each smaller than all that came after it would make it useless: rising from front to back.
    rising: VecDeque<(MonoTime, TimeDelta)>,
}

impl SlidingMinimum {
    /// Values of the same span that are kept at most; the oldest go first.
    const MOST: usize = 4_096;

    fn new(span: Duration) -> Self {
        Self { span, rising: VecDeque::new() }
    }

    fn minimum(&self) -> Option<TimeDelta> {
        self.rising.front().map(|&(_, value)| value)
    }

    /// Takes in `value` and gives the minimum including it.
    fn push(&mut self, now: MonoTime, value: TimeDelta) -> TimeDelta {
        while self.rising.back().is_some_and(|&(_, last)| last >= value) {
            self.rising.pop_back();
        }
        self.rising.push_back((now, value));
        while self.rising.len() > Self::MOST
            || self.rising.front().is_some_and(|&(then, _)| now.since(then) > self.span)
        {
            self.rising.pop_front();
        }
        self.minimum().unwrap_or(value)
    }
}

/// Weights of delays, in bins of equal width above a base that follows the fastest packet.
#[derive(Clone, Debug)]
struct Histogram {
    width: i64,
    /// The bin of transit times in which `weights` begins; `None` before the first record.
    base: Option<i64>,
    weights: VecDeque<f64>,
    total: f64,
    /// The weight of the next record. Instead of all others shrinking, it grows.
    unit: f64,
}

impl Histogram {
    const NARROWEST: i64 = 1_000_000;
    const MOST_BINS: i64 = 1_000;
    /// A packet that came this long ago counts about a third of one that comes now. The decay is
    /// a product and not `exp`, so that it is the same to the bit on every machine.
    const MEMORY: Duration = Duration::from_secs(20);
    /// Weights are brought back to the scale of 1 before they lose precision.
    const LARGEST_UNIT: f64 = 1e9;

    fn new(maximum: Duration) -> Self {
        let maximum = TimeDelta::from(maximum).as_nanos();
        let width = (maximum / Self::MOST_BINS).max(Self::NARROWEST);
        let bins = maximum / width + 2;
        Self {
            width,
            base: None,
            weights: std::iter::repeat_n(0.0, bins as usize).collect(),
            total: 0.0,
            unit: 1.0,
        }
    }

    /// What lies beyond the last bin counts there.
    fn record(&mut self, elapsed: Duration, transit: TimeDelta, fastest: TimeDelta) {
        let base = self.rebase(fastest);
        self.unit *= 1.0 + elapsed.as_secs_f64() / Self::MEMORY.as_secs_f64();
        let above = self.bin(transit).saturating_sub(base).max(0) as usize;
        let bin = above.min(self.weights.len() - 1);
        self.weights[bin] += self.unit;
        self.total += self.unit;
        if self.unit > Self::LARGEST_UNIT {
            for weight in &mut self.weights {
                *weight /= self.unit;
            }
            self.total = self.weights.iter().sum();
            self.unit = 1.0;
        }
    }

    /// The delay that no more than `share` of the weight exceeds, relative to `fastest`.
    fn quantile(&self, share: f64, fastest: TimeDelta) -> TimeDelta {
        let allowed = self.total * share;
        let mut beyond = 0.0;
        let mut bin = self.weights.len();
        while bin > 1 && beyond + self.weights[bin - 1] <= allowed {
            bin -= 1;
            beyond += self.weights[bin];
        }
        let upper_edge = (self.base.unwrap_or(0) + bin as i64).saturating_mul(self.width);
        TimeDelta::from_nanos(upper_edge) - fastest
    }

    /// Moves the bins so that the first is that of the fastest packet.
    fn rebase(&mut self, fastest: TimeDelta) -> i64 {
        let base = self.bin(fastest);
        let shift = base.saturating_sub(self.base.unwrap_or(base));
        let last = self.weights.len() - 1;
        for _ in 0..shift.unsigned_abs().min(self.weights.len() as u64) {
            if shift > 0 {
                let slower = self.weights.pop_front().unwrap_or(0.0);
                self.weights[0] += slower;
                self.weights.push_back(0.0);
            } else {
                let faster = self.weights.pop_back().unwrap_or(0.0);
                self.weights[last - 1] += faster;
                self.weights.push_front(0.0);
            }
        }
        self.base = Some(base);
        base
    }

    fn bin(&self, transit: TimeDelta) -> i64 {
        transit.as_nanos().div_euclid(self.width)
    }
}
