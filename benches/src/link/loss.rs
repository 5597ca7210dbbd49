//! Loss: independent, or in bursts.

use std::fmt;
use std::time::Duration;

use cantus_qos::time::MonoTime;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::departures::Departures;
use super::random::{Correlated, Role, stream};
use super::{DropCause, Loss, Node, NodeCounts, Packet, Step};

/// The node that loses packets.
#[derive(Debug)]
pub(super) struct LossNode {
    model: Box<dyn LossModel>,
    passed: Departures,
    lost: u64,
}

impl LossNode {
    /// The node for `loss`, or `None` where nothing is lost.
    pub(super) fn of(loss: &Loss, seed: u64) -> Option<Self> {
        let model: Box<dyn LossModel> = match *loss {
            Loss::None => return None,
            Loss::Random { share, correlation } => {
                let draws = Correlated::new(stream(seed, Role::Loss), correlation);
                Box::new(Independent { share, draws })
            }
            Loss::GilbertElliott { p, r, bad, good, step } => Box::new(Chain {
                p,
                r,
                bad,
                good,
                step,
                in_bad_state: false,
                steps: 0,
                chain_rng: stream(seed, Role::LossChain),
                loss_rng: stream(seed, Role::Loss),
            }),
        };
        Some(Self { model, passed: Departures::default(), lost: 0 })
    }
}

impl Node for LossNode {
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause> {
        if self.model.loses(now) {
            self.lost += 1;
            return Err(DropCause::Loss);
        }
        self.passed.push(now, packet);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.passed.pop(now)
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        self.passed.next()
    }

    fn counts(&self) -> NodeCounts {
        let passed = self.passed.counts();
        NodeCounts { entered: passed.entered + self.lost, lost: self.lost, ..passed }
    }
}

/// Decides for one packet after the other.
trait LossModel: fmt::Debug + Send {
    fn loses(&mut self, now: MonoTime) -> bool;
}

#[derive(Debug)]
struct Independent {
    share: f64,
    draws: Correlated,
}

impl LossModel for Independent {
    fn loses(&mut self, _now: MonoTime) -> bool {
        self.draws.chance(self.share)
    }
}

/// The chain of Gilbert and Elliott (`loss gemodel` of tc-netem(8)): a packet is judged by the
/// state it meets. The chain starts in the good one.
#[derive(Debug)]
struct Chain {
    /// Probability of the step from the good state to the bad one.
    p: f64,
    /// Probability of the step from the bad state to the good one.
    r: f64,
    /// Share lost in the bad state (netem's 1-h).
    bad: f64,
    /// Share lost in the good state (netem's 1-k).
    good: f64,
    step: Step,
    in_bad_state: bool,
    steps: u128,
    chain_rng: ChaCha8Rng,
    loss_rng: ChaCha8Rng,
}

impl LossModel for Chain {
    fn loses(&mut self, now: MonoTime) -> bool {
        match self.step {
            Step::PerPacket => {
                let lost = self.judge();
                self.advance();
                lost
            }
            Step::Every(span) => {
                self.catch_up(now, span);
                self.judge()
            }
        }
    }
}

impl Chain {
    /// Does the steps that fell due up to `now`.
    fn catch_up(&mut self, now: MonoTime, span: Duration) {
        let due = now.since(MonoTime::ZERO).as_nanos() / span.as_nanos();
        for _ in self.steps..due {
            self.advance();
        }
        self.steps = due;
    }

    fn advance(&mut self) {
        let change = if self.in_bad_state { self.r } else { self.p };
        self.in_bad_state ^= self.chain_rng.random::<f64>() < change;
    }

    fn judge(&mut self) -> bool {
        let share = if self.in_bad_state { self.bad } else { self.good };
        self.loss_rng.random::<f64>() < share
    }
}
