//! The report: what was promised, what came of it, and what it took.
//!
//! A [`QosReport`] is one JSON document, the same from the player and from the bench. Its names
//! are stable, its order is fixed, and what is unknown is `null`. [`QosReport::summary`] is the
//! same for people.
//!
//! Units are in the names (`_ms` milliseconds, `_samples` samples); milliseconds are given to the
//! microsecond. Shares are fractions from 0 to 1.

mod measures;
mod promise;
mod summary;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Ledger;
pub use measures::{
    Buffer, Bytes, Delay, Jitter, Mos, SubtitleSkew, SyncReport, TracksSkew, millis,
};
pub use promise::{Broken, Party, PromiseReport, Renegotiation, Term};

/// Version of the document's layout.
pub const VERSION: u32 = 1;

/// The report on one session.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct QosReport {
    /// Version of this layout, [`VERSION`].
    pub version: u32,
    /// What was played.
    pub url: String,
    /// What carried the media: `quic`, `udp`, or the name of a peer in the bench.
    pub transport: String,
    /// How the latency was chosen.
    pub mode: LatencyMode,
    /// The latency asked for, from a unit's scheduled sending to its being heard; `null` unless
    /// `mode` is `fixed`.
    pub latency_ms: Option<f64>,
    /// From the start to the answer to PLAY.
    pub setup_ms: Option<f64>,
    /// From the start to the first sample heard.
    pub first_sound_ms: Option<f64>,
    /// Estimated listening quality.
    pub mos: Option<Mos>,
    /// The streams, in the order of the presentation.
    pub streams: Vec<StreamReport>,
    /// How well the streams kept together.
    pub sync: SyncReport,
    /// How much media lay in the playout buffer.
    pub buffer_ms: Buffer,
    /// What was promised, term by term, and whether it was kept.
    pub promise: Vec<PromiseReport>,
    /// Terms that were changed while it played.
    #[serde(default)]
    pub renegotiated: Vec<Renegotiation>,
}

/// How the latency of a session was chosen.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatencyMode {
    /// A number was asked for and held constant.
    Fixed,
    /// As small as the path allows, adapted to it.
    #[default]
    Auto,
    /// As deep as it gets: the streamer runs ahead of the media clock.
    Stored,
}

/// How a stream flows.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// A unit for every instant: audio.
    #[default]
    Continuous,
    /// Units now and then: subtitle cues.
    Discrete,
}

/// The report on one stream.
///
/// expected = units heard in time + late + units that never arrived;
/// expected = `received` + `lost_network`;
/// `lost_network` = `recovered_fec` + `recovered_retransmission` + units that never arrived.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StreamReport {
    /// The stream's name.
    pub name: String,
    /// Continuous or discrete.
    pub kind: StreamKind,
    /// Units that should have been heard, or shown.
    pub expected: u64,
    /// Units that came by themselves.
    pub received: u64,
    /// Units that did not.
    pub lost_network: u64,
    /// Lost units brought back by forward error correction.
    pub recovered_fec: u64,
    /// Lost units brought back by a retransmission.
    pub recovered_retransmission: u64,
    /// Further copies of units that were there already.
    pub duplicate: u64,
    /// Units that others had overtaken on the way.
    pub reordered: u64,
    /// Units that came, but were not heard in time.
    pub late: u64,
    /// Units never heard in time / expected, 0 to 1; `null` where nothing was expected.
    pub residual: Option<f64>,
    /// Sound made up in place of missing units.
    pub concealed_ms: Option<f64>,
    /// Sound played, concealment included.
    pub played_ms: Option<f64>,
    /// Sound added by time scaling.
    pub stretched_ms: Option<f64>,
    /// Sound removed by time scaling.
    pub shrunk_ms: Option<f64>,
    /// By how much later everything was heard in the end for having been waited for: the part of
    /// the concealment during which playback stood still, and no unit was given up for it.
    pub waited_ms: Option<f64>,
    /// How often playback stood still.
    pub stalls: Option<u64>,
    /// How unsteadily the units arrived.
    pub jitter_ms: Jitter,
    /// From the sending of a unit to its being heard.
    pub delay_ms: Delay,
    /// Length of a run of units lost on the network, before recovery -> how many such runs.
    pub loss_runs: BTreeMap<u32, u64>,
    /// What it took, in bytes.
    pub bytes: Bytes,
}

impl StreamReport {
    /// What `ledger` knows about a stream; the rest (sound, bytes, [`Jitter::rfc3550`]) is added
    /// by those who know it.
    pub fn new(name: impl Into<String>, kind: StreamKind, ledger: &Ledger) -> Self {
        let totals = ledger.totals();
        Self {
            name: name.into(),
            kind,
            expected: totals.expected,
            received: totals.received,
            lost_network: totals.lost_network,
            recovered_fec: totals.recovered_fec,
            recovered_retransmission: totals.recovered_retransmission,
            duplicate: totals.duplicate,
            reordered: totals.reordered,
            late: totals.late,
            residual: (totals.expected > 0).then_some(totals.residual),
            jitter_ms: ledger.transits().into(),
            delay_ms: ledger.delays().into(),
            loss_runs: ledger.loss_runs().counts(),
            ..Self::default()
        }
    }

    /// Share of the expected units that the network lost, before recovery.
    pub fn network_loss(&self) -> Option<f64> {
        (self.expected > 0).then(|| self.lost_network as f64 / self.expected as f64)
    }

    /// Units that never came, by themselves or by recovery.
    pub fn never_arrived(&self) -> u64 {
        self.lost_network
            .saturating_sub(self.recovered_fec)
            .saturating_sub(self.recovered_retransmission)
    }
}

impl QosReport {
    /// A report on a session of which nothing is known yet but what was asked for.
    pub fn new(url: impl Into<String>, transport: impl Into<String>) -> Self {
        Self {
            version: VERSION,
            url: url.into(),
            transport: transport.into(),
            mode: LatencyMode::default(),
            latency_ms: None,
            setup_ms: None,
            first_sound_ms: None,
            mos: None,
            streams: Vec::new(),
            sync: SyncReport::default(),
            buffer_ms: Buffer::default(),
            promise: Vec::new(),
            renegotiated: Vec::new(),
        }
    }

    /// The document: indented, with a newline at its end.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("text, numbers and maps with whole keys are always JSON");
        json.push('\n');
        json
    }

    /// The report for people, in at most 80 columns: how it went in one line, the session, the
    /// streams side by side, how they kept together, and the promise term by term.
    pub fn summary(&self) -> String {
        summary::write(self)
    }

    /// Whether every term of the promise was kept; `None` if nothing was promised, or a term that
    /// was not broken could not be measured.
    pub fn kept(&self) -> Option<bool> {
        let verdicts = || self.promise.iter().map(|promise| promise.kept);
        if verdicts().any(|kept| kept == Some(false)) {
            return Some(false);
        }
        (!self.promise.is_empty() && verdicts().all(|kept| kept.is_some())).then_some(true)
    }
}

#[cfg(test)]
mod tests;
