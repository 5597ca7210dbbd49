//! Whether a promise is being kept, term by term, while it lasts.
//!
//! A [`PromiseWatch`] is fed what is measured, with the time, and knows of each term since when it
//! is broken and for how long it was in sum:
//!
//! | term | is broken |
//! |---|---|
//! | delay | from a unit that is heard too long after its sending to one that is not |
//! | jitter | while of the last 500 packets more than 1 % took that much longer than the fastest ever |
//! | loss | while more units were not heard than the share allows, of the last so many that it allows five |
//! | skew | from a cue that is shown too far from its sound to one that is not |
//! | setup | from the promised instant to that of the answer to PLAY |
//! | rate | while more came within the last five seconds than the rate allows |

mod breaches;
mod window;

#[cfg(test)]
mod tests;

use super::QosSpec;
use crate::stats::report::Term;
use crate::time::{MonoTime, TimeDelta};

pub use breaches::{Breach, Breaches};
use window::{LastBytes, LastUnits};

/// The share of packets that may exceed the jitter that was promised.
const JITTER_SHARE: f64 = 0.01;

/// Watches one promise.
#[derive(Clone, Debug)]
pub struct PromiseWatch {
    spec: QosSpec,
    /// In the order of [`TERMS`].
    breaches: [Breaches; TERMS.len()],
    fastest: Option<TimeDelta>,
    jitter: LastUnits,
    loss: LastUnits,
    bytes: LastBytes,
    last: MonoTime,
    accuracy: TimeDelta,
}

/// The terms, in the order in which they are told.
const TERMS: [Term; 6] =
    [Term::Delay, Term::Jitter, Term::Loss, Term::Skew, Term::Setup, Term::Rate];

impl PromiseWatch {
    /// A unit that is heard this much later than was promised is not called late: sending times are
    /// told in steps of 4 us (abs-send-time).
    pub const ACCURACY: TimeDelta = TimeDelta::from_micros(5);

    /// The same of a sender that does not tell when anything left: what is known of that comes from the
    /// fastest packet so far, and the next may be faster by as much as a machine lets packets wait.
    pub const ACCURACY_UNTOLD: TimeDelta = TimeDelta::from_millis(1);

    /// Watches what `spec` promises; what is not promised cannot be broken.
    pub fn new(spec: &QosSpec) -> Self {
        Self {
            spec: *spec,
            breaches: std::array::from_fn(|_| Breaches::default()),
            fastest: None,
            jitter: LastUnits::allowing(JITTER_SHARE),
            loss: LastUnits::allowing(spec.loss.unwrap_or(1.0)),
            bytes: LastBytes::default(),
            last: MonoTime::ZERO,
            accuracy: Self::ACCURACY,
        }
    }

    /// The same where delays are known no better than to `accuracy`.
    #[must_use]
    pub fn with_accuracy(self, accuracy: TimeDelta) -> Self {
        Self { accuracy, ..self }
    }

    /// How well delays are known.
    pub fn accuracy(&self) -> TimeDelta {
        self.accuracy
    }

    /// What is promised.
    pub fn spec(&self) -> &QosSpec {
        &self.spec
    }

    /// A unit was heard at `now`, and left its sender `delay` before; or it was not heard when its
    /// turn came.
    pub fn on_unit(&mut self, now: MonoTime, heard: bool, delay: Option<TimeDelta>) {
        if let Some((promised, delay)) = self.spec.delay.zip(delay) {
            let broken = delay > TimeDelta::from(promised) + self.accuracy;
            self.note(now, Term::Delay, broken);
        }
        if let Some(share) = self.spec.loss {
            let broken = self.loss.push(!heard, share);
            self.note(now, Term::Loss, broken);
        }
    }

    /// A packet came by itself, `transit` after its sending, by any two clocks.
    pub fn on_transit(&mut self, now: MonoTime, transit: TimeDelta) {
        let fastest = self.fastest.map_or(transit, |fastest| fastest.min(transit));
        self.fastest = Some(fastest);
        if let Some(promised) = self.spec.jitter {
            let beyond = transit - fastest > promised.into();
            let broken = self.jitter.push(beyond, JITTER_SHARE);
            self.note(now, Term::Jitter, broken);
        }
    }

    /// A cue was shown so much after its sound.
    pub fn on_skew(&mut self, now: MonoTime, skew: TimeDelta) {
        if let Some(promised) = self.spec.skew {
            self.note(now, Term::Skew, skew.abs() > promised);
        }
    }

    /// What was asked for at `asked` plays as of `now`.
    pub fn on_setup(&mut self, asked: MonoTime, now: MonoTime) {
        if let Some(promised) = self.spec.setup {
            let due = asked + promised;
            self.note(due, Term::Setup, now > due);
            self.note(now.max(due), Term::Setup, false);
        }
    }

    /// So many bytes of the session crossed the network, headers included.
    pub fn on_bytes(&mut self, now: MonoTime, bytes: usize) {
        if let Some(promised) = self.spec.rate {
            let broken = self.bytes.push(now, bytes) > promised;
            self.note(now, Term::Rate, broken);
        }
    }

    /// It is over: what is broken is so up to `now`.
    pub fn finish(&mut self, now: MonoTime) {
        self.last = self.last.max(now);
        for breaches in &mut self.breaches {
            breaches.note(self.last, false);
        }
    }

    /// The terms that are broken at present.
    pub fn broken(&self) -> impl Iterator<Item = Term> + '_ {
        let open = |(term, breaches): (Term, &Breaches)| breaches.since().map(|_| term);
        TERMS.into_iter().zip(&self.breaches).filter_map(open)
    }

    /// When `term` was broken, up to the latest measurement.
    pub fn breaches(&self, term: Term) -> Breaches {
        let mut breaches = self.breaches[place(term)].clone();
        breaches.note(self.last, false);
        breaches
    }

    fn note(&mut self, now: MonoTime, term: Term, broken: bool) {
        self.last = self.last.max(now);
        self.breaches[place(term)].note(now, broken);
    }
}

fn place(term: Term) -> usize {
    TERMS.iter().position(|it| *it == term).unwrap_or_default()
}
