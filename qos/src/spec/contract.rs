//! What was asked for against what is offered.

use std::time::Duration;

use super::QosSpec;
use crate::stats::report::Term;

impl QosSpec {
    /// The terms in which `offered` falls short of what is asked for here: less is promised there,
    /// or nothing. All terms are upper limits, so a smaller one never does; a rate that is not
    /// offered at all is limited by nobody, and whoever asked for a limit falls short of it.
    pub fn shortfall(&self, offered: &Self) -> Vec<Term> {
        let later = |asked: Option<Duration>, offered: Option<Duration>| {
            asked.is_some_and(|asked| offered.is_none_or(|offered| offered > asked))
        };
        let above = |asked: Option<f64>, offered: Option<f64>| {
            asked.is_some_and(|asked| offered.is_none_or(|offered| offered > asked))
        };
        let rate = self.rate.is_some_and(|asked| offered.rate.is_none_or(|it| it > asked));
        let short = [
            (Term::Delay, later(self.delay, offered.delay)),
            (Term::Jitter, later(self.jitter, offered.jitter)),
            (Term::Loss, above(self.loss, offered.loss)),
            (Term::Skew, later(self.skew, offered.skew)),
            (Term::Setup, later(self.setup, offered.setup)),
            (Term::Rate, rate),
        ];
        short.into_iter().filter_map(|(term, short)| short.then_some(term)).collect()
    }

    /// These terms, but those of `offered` where it falls short of them: what is promised once the
    /// offer is taken.
    #[must_use]
    pub fn taking(&self, offered: &Self) -> Self {
        let mut taken = *self;
        for term in self.shortfall(offered) {
            match term {
                Term::Delay => taken.delay = offered.delay,
                Term::Jitter => taken.jitter = offered.jitter,
                Term::Loss => taken.loss = offered.loss,
                Term::Skew => taken.skew = offered.skew,
                Term::Setup => taken.setup = offered.setup,
                Term::Rate => taken.rate = offered.rate,
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> QosSpec {
        text.parse().expect("a spec")
    }

    #[test]
    fn an_offer_falls_short_where_it_promises_less_or_nothing() {
        let asked = spec("delay<=200ms,loss<=1%,rate<=160k");
        let short = |offer: &str| asked.shortfall(&spec(offer));
        assert_eq!(short("delay<=200ms,loss<=1%,rate<=160k"), []);
        assert_eq!(short("delay<=150ms,loss<=0.5%,rate<=83200,jitter<=1ms"), []);
        assert_eq!(short("delay<=201ms,loss<=1%,rate<=160k"), [Term::Delay]);
        assert_eq!(short("delay<=200ms"), [Term::Loss, Term::Rate]);
        assert_eq!(spec("").shortfall(&spec("delay<=9s")), []);
    }

    #[test]
    fn an_offer_that_is_taken_changes_only_the_terms_in_which_it_falls_short() {
        let asked = spec("delay<=200ms,loss<=1%,rate<=160k,mode=live");
        let taken = asked.taking(&spec("delay<=350ms,rate<=96k"));
        assert_eq!(taken.to_string(), "delay<=350ms,rate<=160k,mode=live");
    }
}
