//! What a link needs from outside: tables, traces and replays.

use std::time::Duration;

use super::distribution::Table;
use super::{DeliveryTrace, LinkError, LinkSpec, Pause, Replay};

/// How far along its delivery trace the way back is.
const TRACE_SHIFT: Duration = Duration::from_secs(60);

/// Everything that a spec refers to, loaded once for both directions.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// The table of the jitter.
    pub(super) jitter: Option<Table>,
    /// The table of the pauses between slots.
    pub(super) slot: Option<Table>,
    /// The delivery trace, and how far into it the link is at instant zero.
    pub(super) trace: Option<(DeliveryTrace, Duration)>,
    /// The replay, and which of its packets the first is.
    pub(super) replay: Option<(Replay, usize)>,
}

impl Sources {
    /// What `spec` refers to; what is generated follows from `seed`.
    pub(super) fn load(spec: &LinkSpec, seed: u64) -> Result<Self, LinkError> {
        let jitter = spec.jitter.as_ref().map(|jitter| &jitter.distribution);
        let slot = spec.slot.as_ref().and_then(|slot| match &slot.pause {
            Pause::Between(..) => None,
            Pause::Drawn { distribution, .. } => Some(distribution),
        });
        let table = |distribution: Option<&super::Distribution>| {
            distribution.map_or(Ok(None), super::Distribution::table)
        };
        let trace = spec.trace.as_ref().map(|source| source.load(seed)).transpose()?;
        let replay = spec.replay.as_ref().map(|path| Replay::read(path)).transpose()?;
        Ok(Self {
            jitter: table(jitter)?,
            slot: table(slot)?,
            trace: trace.map(|trace| (trace, Duration::ZERO)),
            replay: replay.map(|replay| (replay, 0)),
        })
    }

    /// The same for the way back, further on in trace and replay.
    pub(super) fn of_return(mut self) -> Self {
        self.trace = self.trace.map(|(trace, _)| (trace, TRACE_SHIFT));
        self.replay = self.replay.map(|(replay, _)| {
            let half = replay.len() / 2;
            (replay, half)
        });
        self
    }
}
