//! Admission: a session is let in only while its rate can be granted beside all the others.
//!
//! A promise that everybody gets is a promise to nobody: rather than degrade those who were
//! promised something, a streamer refuses the one too many, and tells what would have been
//! possible (RTSP: 453 Not Enough Bandwidth). Those who were promised nothing share what the others
//! leave, and it is they who get less when one more is let in.

use std::collections::BTreeMap;

use super::Mode;
use crate::quantity::Bitrate;

/// How much a streamer may give away; `None` is no limit.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The sum of all granted rates.
    pub rate: Option<Bitrate>,
    /// The number of sessions.
    pub sessions: Option<usize>,
}

/// What a session's rate is worth.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum Class {
    /// It is kept until the session ends.
    Reserved,
    /// It is a share of what is not reserved, and changes with that.
    BestEffort,
}

impl Mode {
    /// How a session that is delivered so is admitted.
    pub fn class(self) -> Class {
        match self {
            Self::Live | Self::Stored => Class::Reserved,
            Self::BestEffort => Class::BestEffort,
        }
    }
}

/// The books of a streamer: who was granted which rate.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    entries: BTreeMap<u64, Entry>,
    next: u64,
}

#[derive(Copy, Clone, Debug)]
struct Entry {
    class: Class,
    wanted: Bitrate,
    granted: Bitrate,
}

/// The right to use a rate until it is [released](Admission::release). It cannot be copied, so
/// that it cannot be given back twice. One of [best effort](Class::BestEffort) has to be
/// [looked up](Admission::renew) whenever the books have changed.
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
    /// Who gets less than this share of what it wants of best effort has nothing from it.
    const LEAST_SHARE: u64 = 4;

    /// Empty books.
    pub fn new(limits: Limits) -> Self {
        Self { limits, entries: BTreeMap::new(), next: 0 }
    }

    /// Asks for a rate for a new session.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where it exceeds a limit; nothing changes.
    pub fn request(&mut self, class: Class, rate: Bitrate) -> Result<Grant, Refusal> {
        if let Some(limit) = self.limits.sessions
            && self.entries.len() >= limit
        {
            return Err(Refusal::Sessions { limit });
        }
        let id = self.next;
        self.enter(id, class, rate)?;
        self.next += 1;
        Ok(Grant { id, rate: self.granted(id) })
    }

    /// Changes the rate that a session wants that is already in.
    ///
    /// # Errors
    ///
    /// [`Refusal::Rate`] where the new rate does not fit; the old one stays granted.
    pub fn change(&mut self, grant: &mut Grant, rate: Bitrate) -> Result<(), Refusal> {
        let class = self.entries.get(&grant.id).map_or(Class::Reserved, |entry| entry.class);
        self.enter(grant.id, class, rate)?;
        self.renew(grant);
        Ok(())
    }

    /// Brings a grant up to date with the books; whether it has changed.
    pub fn renew(&self, grant: &mut Grant) -> bool {
        let before = std::mem::replace(&mut grant.rate, self.granted(grant.id));
        before != grant.rate
    }

    /// Takes a rate back.
    pub fn release(&mut self, grant: Grant) {
        self.entries.remove(&grant.id);
        self.share_out();
    }

    /// The sum of all granted rates.
    pub fn in_use(&self) -> Bitrate {
        self.entries.values().map(|entry| entry.granted).sum()
    }

    /// The number of sessions that are in.
    pub fn sessions(&self) -> usize {
        self.entries.len()
    }

    /// What a further session of `class` could be granted; `None` is no limit.
    pub fn possible(&self, class: Class) -> Option<Bitrate> {
        let left = self.limits.rate?.saturating_sub(self.reserved_beside(None));
        Some(match class {
            Class::Reserved => left,
            Class::BestEffort => {
                Bitrate::from_bps(left.as_bps() / (self.sharers().count() as u64 + 1))
            }
        })
    }

    /// What sessions that are promised their rate have, but for one.
    fn reserved_beside(&self, id: Option<u64>) -> Bitrate {
        let reserved = |(other, entry): (&u64, &Entry)| {
            (Some(*other) != id && entry.class == Class::Reserved).then_some(entry.granted)
        };
        self.entries.iter().filter_map(reserved).sum()
    }

    fn sharers(&self) -> impl Iterator<Item = (u64, Entry)> + '_ {
        let shares = |(_, entry): &(&u64, &Entry)| entry.class == Class::BestEffort;
        self.entries.iter().filter(shares).map(|(id, entry)| (*id, *entry))
    }

    fn granted(&self, id: u64) -> Bitrate {
        self.entries.get(&id).map_or(Bitrate::ZERO, |entry| entry.granted)
    }

    fn enter(&mut self, id: u64, class: Class, wanted: Bitrate) -> Result<(), Refusal> {
        if class == Class::Reserved {
            self.check(wanted, self.reserved_beside(Some(id)))?;
        }
        let before = self.entries.insert(id, Entry { class, wanted, granted: wanted });
        self.share_out();
        let granted = self.granted(id);
        let least = Bitrate::from_bps(wanted.as_bps() / Self::LEAST_SHARE);
        if granted < least {
            let (limit, in_use) = (self.limits.rate.unwrap_or_default(), self.in_use());
            match before {
                Some(entry) => self.entries.insert(id, entry),
                None => self.entries.remove(&id),
            };
            self.share_out();
            let in_use = in_use.saturating_sub(granted);
            return Err(Refusal::Rate { limit, in_use, possible: granted });
        }
        Ok(())
    }

    /// What is not reserved goes to those of best effort in equal shares, and to none of them more
    /// than it wants (max-min fairness).
    fn share_out(&mut self) {
        let Some(limit) = self.limits.rate else { return };
        let mut left = limit.saturating_sub(self.reserved_beside(None));
        let mut sharers: Vec<(u64, Entry)> = self.sharers().collect();
        sharers.sort_by_key(|(id, entry)| (entry.wanted, *id));
        let mut waiting = sharers.len() as u64;
        for (id, entry) in sharers {
            let share = Bitrate::from_bps(left.as_bps() / waiting).min(entry.wanted);
            left = left.saturating_sub(share);
            waiting -= 1;
            self.entries.insert(id, Entry { granted: share, ..entry });
        }
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
