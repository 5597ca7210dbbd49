//! What the relay itself has cost the packets, beside what its link did to them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::lateness::Lateness;

/// The toll of all couriers of a relay.
#[derive(Clone, Debug, Default)]
pub(super) struct Toll {
    /// How late they sent what the link had let go.
    pub(super) lateness: Lateness,
    /// Datagrams that never reached them, because a socket of theirs was full.
    pub(super) overruns: u64,
}

/// A toll to which every courier adds its own when it ends.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedToll(Arc<Mutex<Toll>>);

impl SharedToll {
    pub(super) fn add(&self, lateness: &Lateness, overruns: u64) {
        let mut toll = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        toll.lateness.merge(lateness);
        toll.overruns += overruns;
    }

    pub(super) fn snapshot(&self) -> Toll {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
