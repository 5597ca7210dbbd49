//! Admission: a session is let in only while its rate can be granted beside all the others.
//!
//! A promise that everybody gets is a promise to nobody: rather than degrade those who are
//! already listening, a streamer refuses the one too many, and tells what would have been
//! possible (RTSP: 453 Not Enough Bandwidth).

use std::collections::BTreeMap;

use crate::quantity::Bitrate;

/// How much a streamer may give away; `None` is no limit.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The sum of all granted rates.
    pub rate: Option<Bitrate>,
    /// The number of sessions.
    pub sessions: Option<usize>,
}

/// The books of a streamer: who was granted which rate.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    granted: BTreeMap<u64, Bitrate>,
    next: u64,
}

/// The right to use a rate until it is [released](Admission::release). It cannot be copied, so
/// that it cannot be given back twice.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "a grant counts against the limits until it is released"]
pub struct Grant {
    id: u64,
    rate: Bitrate,
}

impl Grant {
    /// The granted rate.
    pub fn rate(&self) -> Bitrate {
        self.rate
    }
}

/// Why a rate was not granted.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It does not fit beside the others.
    #[error("{in_use} of {limit} are in use: at most {possible} can be granted")]
    Rate {
        /// The limit of all rates together.
        limit: Bitrate,
        /// What the others have.
        in_use: Bitrate,
        /// What could be granted now.
        possible: Bitrate,
    },
    /// There are as many sessions as there may be.
    #[error("all {limit} sessions are in use")]
    Sessions {
        /// The limit.
        limit: usize,
    },
}

impl Admission {
    /// Empty books.
    pub fn new(limits: Limits) -> Self {
        Self { limits, granted: BTreeMap::new(), next: 0 }
    }

    /// Asks for a rate for a new session.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where it exceeds a limit; nothing changes.
    pub fn request(&mut self, rate: Bitrate) -> Result<Grant, Refusal> {
        if let Some(limit) = self.limits.sessions
            && self.granted.len() >= limit
        {
            return Err(Refusal::Sessions { limit });
        }
        self.check(rate, self.in_use())?;
        let id = self.next;
        self.next += 1;
        self.granted.insert(id, rate);
        Ok(Grant { id, rate })
    }

    /// Changes the rate of a session that is already in.
    ///
    /// # Errors
    ///
    /// [`Refusal::Rate`] where the new rate does not fit; the old one stays granted.
    pub fn change(&mut self, grant: &mut Grant, rate: Bitrate) -> Result<(), Refusal> {
        self.check(rate, self.in_use().saturating_sub(grant.rate))?;
        self.granted.insert(grant.id, rate);
        grant.rate = rate;
        Ok(())
    }

    /// Takes a rate back.
    pub fn release(&mut self, grant: Grant) {
        self.granted.remove(&grant.id);
    }

    /// The sum of all granted rates.
    pub fn in_use(&self) -> Bitrate {
        self.granted.values().copied().sum()
    }

    /// The number of sessions that are in.
    pub fn sessions(&self) -> usize {
        self.granted.len()
    }

    fn check(&self, rate: Bitrate, in_use: Bitrate) -> Result<(), Refusal> {
        let Some(limit) = self.limits.rate else {
            return Ok(());
        };
        let possible = limit.saturating_sub(in_use);
        if rate > possible {
            return Err(Refusal::Rate { limit, in_use, possible });
        }
        Ok(())
    }
}
