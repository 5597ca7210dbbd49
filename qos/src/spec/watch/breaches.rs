//! When a term was broken.

use std::time::Duration;

use crate::time::MonoTime;

/// A span in which a term was broken, with gaps of less than a second in between.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Breach {
    /// From here …
    pub since: MonoTime,
    /// … to here.
    pub until: MonoTime,
}

/// All spans in which one term was broken.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Breaches {
    listed: Vec<Breach>,
    total: Duration,
    open: Option<MonoTime>,
}

impl Breaches {
    /// Spans that are listed; later ones are only added up.
    pub const LISTED: usize = 32;

    /// What is broken again within this is listed as one.
    const APART: Duration = Duration::from_secs(1);

    /// The term is broken, or not, as of `now`.
    pub(super) fn note(&mut self, now: MonoTime, broken: bool) {
        match self.open {
            None if broken => self.open = Some(now),
            Some(since) if !broken => {
                self.open = None;
                self.close(Breach { since, until: now.max(since) });
            }
            _ => {}
        }
    }

    fn close(&mut self, breach: Breach) {
        self.total += breach.until.since(breach.since);
        let full = self.listed.len() == Self::LISTED;
        match self.listed.last_mut() {
            Some(last) if breach.since < last.until + Self::APART => last.until = breach.until,
            _ if full => {}
            _ => self.listed.push(breach),
        }
    }

    /// Since when it is broken, if it is.
    pub fn since(&self) -> Option<MonoTime> {
        self.open
    }

    /// For how long it was broken, in sum.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The first of the spans that are over.
    pub fn listed(&self) -> &[Breach] {
        &self.listed
    }
}
