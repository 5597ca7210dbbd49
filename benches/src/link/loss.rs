//! Loss: independent, or in bursts.

use std::fmt;
use std::time::Duration;

use cantus_qos::time::MonoTime;
use rand_chacha::ChaCha8Rng;

use super::random::{Luck, Role, stream, uniform};
use super::{Crossing, Impairment, LinkSpec, Loss, NodeCounts, Share, Step};

/// The impairment that loses packets, or marks those that can be marked.
///
/// Of a packet that was doubled it takes one of the two, as netem does.
#[derive(Debug)]
pub(super) struct Losses {
    model: Box<dyn LossModel>,
    ecn: bool,
}

impl Losses {
    /// What `spec` loses, or `None` if that is nothing.
    pub(super) fn of(spec: &LinkSpec, seed: u64) -> Option<Self> {
        let chain_rng = stream(seed, Role::LossChain);
        let loss_rng = stream(seed, Role::Loss);
        let model: Box<dyn LossModel> = match spec.loss {
            Loss::None => return None,
            Loss::Random(chance) => Box::new(Luck::new(chance, loss_rng)),
            Loss::State { p13, p31, p32, p23, p14 } => {
                Box::new(FourStates { p13, p31, p32, p23, p14, state: State::Gap, rng: chain_rng })
            }
            Loss::GilbertElliott { p, r, bad, good, step } => Box::new(GilbertElliott {
                p,
                r,
                bad,
                good,
                step,
                in_bad_state: false,
                steps: 0,
                chain_rng,
                loss_rng,
            }),
        };
        Some(Self { model, ecn: spec.ecn })
    }
}

impl Impairment for Losses {
    fn meet(&mut self, now: MonoTime, crossing: &mut Crossing, counts: &mut NodeCounts) {
        if !self.model.loses(now) {
            return;
        }
        match crossing.packet.ecn.marked().filter(|_| self.ecn) {
            Some(marked) => {
                crossing.packet.ecn = marked;
                counts.marked += 1;
            }
            None => crossing.times -= 1,
        }
    }
}

/// Decides for one packet after the other.
trait LossModel: fmt::Debug + Send {
    fn loses(&mut self, now: MonoTime) -> bool;
}

impl LossModel for Luck {
    fn loses(&mut self, _now: MonoTime) -> bool {
        self.strikes()
    }
}

/// Where the four-state chain stands.
#[derive(Copy, Clone, Debug)]
enum State {
    /// 1: a packet got through, in a gap between bursts.
    Gap,
    /// 2: a packet got through, in a burst.
    BurstThrough,
    /// 3: a packet was lost, in a burst.
    BurstLost,
    /// 4: a packet was lost, in a gap.
    GapLost,
}

/// `loss_4state` of `sch_netem.c`: each packet is a step, and its lot is the state that the step
/// leads to. The chain starts in a gap.
///
/// The kernel adds p31 to p32, and p13 to p14, in 32 bits: where rounding makes the sum a step more
/// than the whole, as it does of two halves, it takes that for nothing. Here it is the whole.
#[derive(Debug)]
struct FourStates {
    p13: Share,
    p31: Share,
    p32: Share,
    p23: Share,
    p14: Share,
    state: State,
    rng: ChaCha8Rng,
}

impl LossModel for FourStates {
    fn loses(&mut self, _now: MonoTime) -> bool {
        let number = u64::from(uniform(&mut self.rng));
        let below = |share: Share| number < u64::from(share.steps());
        let between = |share: Share, further: Share| {
            let from = u64::from(share.steps());
            from < number && number < from + u64::from(further.steps())
        };
        self.state = match self.state {
            State::Gap if below(self.p14) => State::GapLost,
            State::Gap if between(self.p14, self.p13) => State::BurstLost,
            State::BurstThrough if below(self.p23) => State::BurstLost,
            State::BurstLost if below(self.p32) => State::BurstThrough,
            State::BurstLost if between(self.p32, self.p31) => State::Gap,
            State::GapLost => State::Gap,
            unchanged => unchanged,
        };
        matches!(self.state, State::BurstLost | State::GapLost)
    }
}

/// `loss_gilb_ell` of `sch_netem.c`: a packet is judged by the state it meets, and then the chain
/// steps, unless it steps with time. It starts in the good state.
#[derive(Debug)]
struct GilbertElliott {
    /// Probability of the step from the good state to the bad one.
    p: Share,
    /// Probability of the step from the bad state to the good one.
    r: Share,
    /// Share lost in the bad state (netem's 1-h).
    bad: Share,
    /// Share lost in the good state (netem's 1-k).
    good: Share,
    step: Step,
    in_bad_state: bool,
    steps: u128,
    chain_rng: ChaCha8Rng,
    loss_rng: ChaCha8Rng,
}

impl LossModel for GilbertElliott {
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

impl GilbertElliott {
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
        self.in_bad_state ^= uniform(&mut self.chain_rng) < change.steps();
    }

    fn judge(&mut self) -> bool {
        let number = uniform(&mut self.loss_rng);
        match self.in_bad_state {
            true => number > self.bad.rest().steps(),
            false => number < self.good.steps(),
        }
    }
}
