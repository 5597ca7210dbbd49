//! Delay and jitter.

use std::time::Duration;

use cantus_qos::time::{MonoTime, TimeDelta};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::departures::Departures;
use super::{Distribution, DropCause, Jitter, LinkSpec, Node, NodeCounts, Packet};

/// Packets that a delay line holds at most: far more than any sane path, but not without end.
const LINE_LIMIT: usize = 1 << 16;

/// The tables of netem hold 16-bit multiples of the deviation, so nothing is further out than this.
const FURTHEST: f64 = 4.0;

/// The node that delays packets.
#[derive(Debug)]
pub(super) struct Delay {
    base: Duration,
    jitter: Option<Jitter>,
    keep_order: bool,
    rng: ChaCha8Rng,
    previous: MonoTime,
    line: Departures,
    overflowed: u64,
}

impl Delay {
    pub(super) fn new(spec: &LinkSpec, rng: ChaCha8Rng) -> Self {
        Self {
            base: spec.delay,
            jitter: spec.jitter,
            keep_order: spec.keep_order,
            rng,
            previous: MonoTime::ZERO,
            line: Departures::default(),
            overflowed: 0,
        }
    }

    /// How many packets are on the way.
    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    /// The delay of one packet, never negative.
    fn draw(&mut self) -> Duration {
        let Some(jitter) = self.jitter else {
            return self.base;
        };
        let deviations = jitter.distribution.draw(&mut self.rng);
        let offset = TimeDelta::from_secs_f64(jitter.deviation.as_secs_f64() * deviations);
        (TimeDelta::from(self.base) + offset).max_zero()
    }
}

impl Distribution {
    /// A number of deviations from the mean.
    ///
    /// * Uniform: between -1 and 1.
    /// * Normal: mean 0, deviation 1.
    /// * Pareto: as the table `pareto.dist` that comes with netem, (x - 3/2) · 4/3 where x is
    ///   Pareto with scale 1 and shape 3, which has mean 3/2 and variance 3/4. The mean is 0, the
    ///   least value -2/3, and since netem divides by the variance, the deviation is 2/√3.
    ///
    /// The last two are cut off at 4 deviations, as in netem's tables.
    fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        let drawn: f64 = match self {
            Self::Uniform => rng.random_range(-1.0..=1.0),
            Self::Normal => StandardNormal.sample(rng),
            Self::Pareto => {
                let left = 1.0 - rng.random::<f64>();
                (left.powf(-1.0 / 3.0) - 1.5) * 4.0 / 3.0
            }
        };
        drawn.clamp(-FURTHEST, FURTHEST)
    }
}

impl Node for Delay {
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause> {
        let mut departure = now + self.draw();
        if self.line.len() >= LINE_LIMIT {
            self.overflowed += 1;
            return Err(DropCause::Overflow);
        }
        if self.keep_order {
            departure = departure.max(self.previous);
            self.previous = departure;
        }
        self.line.push(departure, packet);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.line.pop(now)
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        self.line.next()
    }

    fn counts(&self) -> NodeCounts {
        let line = self.line.counts();
        let entered = line.entered + self.overflowed;
        NodeCounts { entered, overflowed: self.overflowed, ..line }
    }
}
