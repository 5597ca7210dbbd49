//! Probes of whole sessions, in virtual and in real time.

use std::time::Duration;

use cantus_player::decode::OpusDecoder;
use cantus_player::drive::SINK_LEAD;
use cantus_qos::stats::report::QosReport;
use cantus_qos::time::MediaTime;
use cantus_streamer::encoding::Codec;
use cantus_streamer::programme::{ProgrammeError, ProgrammeKey};

use super::{
    Accuracy, Disagreement, Evidence, Probe, Record, Reference, ReferenceError, Twin, compare,
    listen,
};
use crate::duplex::PacketLog;
use crate::sim::{Capture, Media, Outcome, Scenario};

/// Why a session cannot be probed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is nothing to compare with.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The presentation cannot be encoded again.
    #[error(transparent)]
    Programme(#[from] ProgrammeError),
    /// The player handed nothing to its sink.
    #[error("there is nothing to probe: no sound was handed to the sink")]
    Silent,
}

/// The player's report and a probe, or real and virtual time, that do not agree.
#[derive(Debug, thiserror::Error)]
pub enum Apart {
    /// The player reports what the probe did not find: one line each.
    #[error("the player's report and the probe disagree{}", lines(.0))]
    Report(Vec<Disagreement>),
    /// In real time another share was lost than in virtual time.
    #[error("real and virtual time do not agree: {0}")]
    Twin(Twin),
}

fn lines(apart: &[Disagreement]) -> String {
    apart.iter().map(|it| format!("\n  {it}")).collect()
}

/// Holds the report of a session that was played to its end against the probe.
///
/// # Errors
///
/// [`Apart::Report`] where they part by more than the probe's accuracy.
pub fn agreed(probe: &Probe, report: &QosReport, accuracy: Accuracy) -> Result<(), Apart> {
    let apart = compare(probe, report, accuracy);
    if apart.is_empty() { Ok(()) } else { Err(Apart::Report(apart)) }
}

/// What a session in virtual time must keep for its probe.
pub const NEEDED: Capture = Capture { sound: true, fates: false, packets: true };

/// Probes a session in virtual time that kept what is [`NEEDED`].
///
/// # Errors
///
/// [`ProbeError`].
pub fn probe_outcome(
    outcome: &Outcome,
    media: &Media,
    scenario: &Scenario,
) -> Result<Probe, ProbeError> {
    let cues: Vec<_> = outcome.cues.iter().map(|it| (it.at, it.cue.clone())).collect();
    let evidence = Evidence {
        sound: outcome.sound.as_ref().ok_or(ProbeError::Silent)?,
        lead: Duration::ZERO,
        cues: &cues,
        packets: &outcome.packets,
        sent_from: sent_from(scenario),
        until: scenario.length.map(|length| scenario.from + length),
    };
    Ok(listen(&evidence, &reference(media, scenario)?))
}

/// Probes a session in real time that was to be as `scenario` says.
///
/// # Errors
///
/// [`ProbeError`].
pub fn probe_record(
    record: &Record,
    packets: &PacketLog,
    media: &Media,
    scenario: &Scenario,
) -> Result<Probe, ProbeError> {
    let evidence = Evidence {
        sound: record.sound.as_ref().ok_or(ProbeError::Silent)?,
        lead: SINK_LEAD,
        cues: &record.cues,
        packets,
        sent_from: sent_from(scenario),
        until: scenario.length.map(|length| scenario.from + length),
    };
    Ok(listen(&evidence, &reference(media, scenario)?))
}

fn reference(media: &Media, scenario: &Scenario) -> Result<Reference, ProbeError> {
    let key = ProgrammeKey::new(&scenario.presentation, scenario.codec);
    let programme = media.programme(&key)?;
    Ok(Reference::of(&programme)?)
}

/// Opus is sent a little before the place where the sound begins.
fn sent_from(scenario: &Scenario) -> MediaTime {
    let early = match scenario.codec {
        Codec::Opus => OpusDecoder::PRE_ROLL,
        Codec::L16 => MediaTime::ZERO,
    };
    (scenario.from - early).max(MediaTime::ZERO)
}
