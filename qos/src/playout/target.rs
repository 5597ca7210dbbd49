//! How long playback has to wait for the slower packets.

use super::fastest::SlidingMinimum;
use super::histogram::Histogram;
use super::recent::{Learned, Recent};
use crate::time::{MonoTime, TimeDelta};
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
    /// How much longer one would wait to hear all rather than nothing; `None`: as long as it
    /// takes. With 400 ms, a wait of 4 ms must save one packet in a hundred.
    pub worth: Option<Duration>,
    /// The share of all units sent that may be missing, as a fraction, where one was promised: then
    /// what is repaired is waited for as far as that asks for it.
    pub loss: Option<f64>,
}

impl Default for TargetConfig {
    /// 10 ms to 1 s, starting at 60 ms, 1 % late.
    fn default() -> Self {
        Self {
            minimum: Duration::from_millis(10),
            maximum: Duration::from_secs(1),
            start: Duration::from_millis(60),
            late_share: 0.01,
            worth: None,
            loss: None,
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
/// *Quantile.* The target is a quantile of a histogram of these delays, as Moon, Kurose and Towsley
/// ("Packet audio playout delay adjustment", Multimedia Systems 6, 1998) have it, forgetting
/// exponentially, as WebRTC's NetEQ does. Where the last few packets are rare and very slow, the
/// quantile would let all others wait for them; so, unless a share was promised, a wait must be
/// [worth](TargetConfig::worth) what it saves.
///
/// *Change.* A histogram forgets slowly, or it cannot tell a share of 1 %. When the packets of the
/// last second or so are none that chance would pick from it, the path is another, and what was
/// learned before them is forgotten at once, whether it has become slower or faster. A spike that
/// is over sooner is not learned: playback waits it out where it stands, which takes no longer.
///
/// *Repair.* What is lost and brought back takes a round trip and more, and where nothing was
/// promised nobody waits for it: the target is what jitter asks for, and what comes back within
/// that is a gift. Where it was promised that no more than a [share of the units](TargetConfig::loss)
/// would be missing, every unit counts: with the time at which it became available, by itself or
/// repaired, or as missing. The target then is the least delay at which no more than that is
/// missing, if jitter does not ask for a longer one. Where too much never comes at all, it is the
/// delay beyond which waiting would bring back next to nothing.
#[derive(Clone, Debug)]
pub struct TargetDelay {
    config: TargetConfig,
    fastest: SlidingMinimum,
    arrivals: Histogram,
    /// All units, where a share of them was promised.
    units: Option<Histogram>,
    recent: Recent,
    /// The transit time that playback waits for; `None` while it is too early to say.
    point: Option<TimeDelta>,
    observed: u64,
    last: MonoTime,
}

impl TargetDelay {
    /// The fastest packet is looked for among those of this span: long enough to hold a lull of
    /// the jitter, short enough that clocks 100 ppm apart drift by a millisecond only.
    const MEMORY_OF_FASTEST: Duration = Duration::from_secs(10);
    /// So many packets are enough to know better than at the start: a second of them, at 20 ms.
    const ENOUGH: u64 = 50;
    /// The target is worked out anew with every so manieth packet.
    const EVERY: u64 = 5;
    /// What is aimed at of the loss that was promised: the next seconds may be worse than the last.
    const OF_PROMISE: f64 = 0.75;
    /// Where the promise cannot be kept, so much of it is next to nothing.
    const NEGLIGIBLE: f64 = 0.1;

    /// A target that begins at `config.start`.
    pub fn new(config: TargetConfig) -> Self {
        let maximum = config.maximum.max(config.minimum);
        let late_share = config.late_share.clamp(1e-4, 0.5);
        Self {
            config: TargetConfig { maximum, late_share, ..config },
            fastest: SlidingMinimum::new(Self::MEMORY_OF_FASTEST),
            arrivals: Histogram::new(maximum),
            units: config.loss.map(|_| Histogram::new(maximum)),
            recent: Recent::default(),
            point: None,
            observed: 0,
            last: MonoTime::ZERO,
        }
    }

    /// At `now`, so many more units than before are known to have been sent: the one that is
    /// [observed](Self::observe) next, and those that are missing before it.
    pub fn expect(&mut self, now: MonoTime, units: u64) {
        self.age(now);
        if let Some(all) = &mut self.units {
            all.expect(units);
        }
    }

    /// A packet has arrived at `now`, this long after it was sent.
    ///
    /// `relative_delay` is its arrival less its sending, on any two clocks that run at about the
    /// same rate.
    pub fn observe(&mut self, now: MonoTime, relative_delay: TimeDelta) {
        self.age(now);
        let fastest = self.fastest.push(now, relative_delay);
        self.arrivals.record(relative_delay, fastest);
        if let Some(all) = &mut self.units {
            all.fulfil(relative_delay, fastest);
        }
        self.recent.push(relative_delay);
        self.observed += 1;
        if self.observed >= Self::ENOUGH && self.observed.is_multiple_of(Self::EVERY) {
            self.learn(fastest);
        }
    }

    /// A packet that was lost has become available at `now`, this long after it was sent:
    /// retransmitted, or recovered from others.
    pub fn observe_repaired(&mut self, now: MonoTime, relative_delay: TimeDelta) {
        self.age(now);
        if let Some((all, fastest)) = self.units.as_mut().zip(self.fastest.minimum()) {
            all.fulfil(relative_delay, fastest);
        }
    }

    /// How much longer than the fastest packet takes playout is to wait after a unit's sending.
    pub fn target(&self) -> Duration {
        let Some((point, fastest)) = self.point.zip(self.fastest()) else {
            return self.config.start.clamp(self.config.minimum, self.config.maximum);
        };
        (point - fastest).max_zero().clamp(self.config.minimum, self.config.maximum)
    }

    /// The transit time of the fastest packet of late, on the clocks of
    /// [`observe`](Self::observe): what a delay has to be compared with to be relative.
    pub fn fastest(&self) -> Option<TimeDelta> {
        self.fastest.minimum()
    }

    /// The transit time that half of the packets of late exceed; `None` while it is too early to
    /// say.
    pub fn median(&self) -> Option<TimeDelta> {
        self.point.map(|_| self.arrivals.quantile(0.5))
    }

    fn age(&mut self, now: MonoTime) {
        let elapsed = if self.observed == 0 { Duration::ZERO } else { now.since(self.last) };
        self.last = now;
        self.arrivals.age(elapsed);
        if let Some(all) = &mut self.units {
            all.age(elapsed);
        }
    }

    fn learn(&mut self, fastest: TimeDelta) {
        if let Some(count) =
            self.point.and_then(|target| self.recent.changed(&self.learned(target)))
        {
            self.arrivals.clear();
            self.units.iter_mut().for_each(Histogram::clear);
            for transit in self.recent.keep(count) {
                self.arrivals.record(transit, fastest);
                self.units.iter_mut().for_each(|all| all.record(transit, fastest));
            }
        }
        let of_arrivals = self.of_arrivals();
        self.point = Some(self.of_units().map_or(of_arrivals, |point| point.max(of_arrivals)));
    }

    fn learned(&self, target: TimeDelta) -> Learned {
        Learned {
            median: self.arrivals.quantile(0.5),
            slow: self.arrivals.quantile(0.1),
            target,
            resolution: self.arrivals.width() + self.arrivals.width(),
        }
    }

    fn of_arrivals(&self) -> TimeDelta {
        match self.config.worth {
            Some(worth) => self.arrivals.cheapest(self.config.late_share, worth),
            None => self.arrivals.quantile(self.config.late_share),
        }
    }

    fn of_units(&self) -> Option<TimeDelta> {
        let (all, promised) = self.units.as_ref().zip(self.config.loss)?;
        Some(all.complete_but(Self::OF_PROMISE * promised, Self::NEGLIGIBLE * promised))
    }
}
