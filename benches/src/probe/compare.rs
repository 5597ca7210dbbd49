//! The player's report against what a probe found.

use std::fmt;
use std::time::Duration;

use cantus_qos::stats::report::{QosReport, StreamKind, StreamReport, millis};

use super::{FaultKind, Probe, TrackProbe};

/// One unit in so many of those that are lost may sound as if it had been heard.
const UNITS_IN_DOUBT: u64 = 50;

/// At a jump, as time scaling makes them many times a minute, so many units may not be found though
/// they were heard: one is cut, and one faded into the next.
const UNITS_AT_A_JUMP: u64 = 2;

/// Of time that was cut out or put in, so much may be where it cannot be heard or is heard as
/// something else: a cut within a gap, say.
const SCALED: f64 = 20.0;

/// How exact the instants are that a probe was given.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Accuracy {
    /// Of delays.
    pub delay: Duration,
    /// Of skews.
    pub skew: Duration,
}

impl Accuracy {
    /// In virtual time: a sample at 44.1 kHz is 23 us, sending times are told in steps of 4 us, and
    /// cues in whole milliseconds are shown at their sample.
    pub const VIRTUAL: Self =
        Self { delay: Duration::from_micros(100), skew: Duration::from_micros(100) };

    /// In real time, with every process on one machine: the streamer reads its clock before it
    /// sends, and the relay when it is woken; the player before it decodes what it hands over, and
    /// the recorder when it is handed that. Each time the scheduler may take a millisecond, and on
    /// a busy machine a few.
    pub const REAL: Self = Self { delay: Duration::from_millis(5), skew: Duration::from_millis(5) };
}

/// A figure on which the player's report and the probe do not agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// What of: a track, or the subtitles.
    pub of: String,
    /// What it is, with its unit.
    pub figure: &'static str,
    /// What the player reports.
    pub reported: Option<f64>,
    /// What the probe allows: from, to.
    pub probed: (f64, f64),
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, figure, reported, probed: (from, to) } = self;
        write!(f, "{of}: {figure}: the player reports ")?;
        match reported {
            Some(reported) => write!(f, "{reported:.3}")?,
            None => f.write_str("nothing")?,
        }
        write!(f, ", the probe found {from:.3} to {to:.3}")
    }
}

/// Where the report of a session that was played to its end and the probe's findings part by more
/// than the probe's accuracy.
pub fn compare(probe: &Probe, report: &QosReport, accuracy: Accuracy) -> Vec<Disagreement> {
    let mut found = Vec::new();
    let streams = report.streams.iter().filter(|it| it.kind == StreamKind::Continuous);
    let streams: Vec<&StreamReport> = streams.collect();
    if streams.len() != probe.tracks.len() {
        let tracks = probe.tracks.len() as f64;
        let reported = Some(streams.len() as f64);
        let of = "presentation".to_owned();
        found.push(Disagreement { of, figure: "audio tracks", reported, probed: (tracks, tracks) });
    }
    for (stream, track) in streams.iter().zip(&probe.tracks) {
        let mut check = Check { of: &stream.name, found: &mut found };
        units(&mut check, stream, track);
        scaling(&mut check, stream, track);
        delay(&mut check, stream, track, accuracy);
    }
    skew(&mut Check { of: "subtitles", found: &mut found }, probe, report, accuracy);
    found
}

struct Check<'a> {
    of: &'a str,
    found: &'a mut Vec<Disagreement>,
}

impl Check<'_> {
    /// What was measured must have been reported, as something within `from` to `to`.
    fn within(&mut self, figure: &'static str, reported: Option<f64>, (from, to): (f64, f64)) {
        if !reported.is_some_and(|it| (from..=to).contains(&it)) {
            let of = self.of.to_owned();
            self.found.push(Disagreement { of, figure, reported, probed: (from, to) });
        }
    }

    fn near(&mut self, figure: &'static str, reported: Option<f64>, probed: Option<f64>, by: f64) {
        if let Some(probed) = probed {
            self.within(figure, reported, (probed - by, probed + by));
        }
    }
}

/// Units expected, and units not heard in time.
fn units(check: &mut Check<'_>, stream: &StreamReport, track: &TrackProbe) {
    let expected = Some(stream.expected as f64);
    check.near("units expected", expected, Some(track.expected as f64), 1.0);
    let slack = 1 + track.lost.div_ceil(UNITS_IN_DOUBT);
    let jumps = track.jumps();
    let missed = track.lost + track.late;
    let least = missed.saturating_sub(slack + UNITS_AT_A_JUMP * jumps) as f64;
    let most = (missed + track.late_in_doubt + track.undecided + slack) as f64;
    let lost = stream.residual.map(|residual| residual * stream.expected as f64);
    check.within("units not heard in time", lost, (least, most));
}

/// Sound left out and put in. The player may have scaled more than can be heard, in silence or in
/// a steady tone, but not less.
fn scaling(check: &mut Check<'_>, stream: &StreamReport, track: &TrackProbe) {
    let skipped = track.total_ms(FaultKind::Skip);
    let added = track.total_ms(FaultKind::Repeat) + track.total_ms(FaultKind::Inserted);
    check.within("ms left out", stream.shrunk_ms, (skipped - SCALED, f64::INFINITY));
    check.within("ms put in", stream.stretched_ms, (added - SCALED, f64::INFINITY));
}

fn delay(check: &mut Check<'_>, stream: &StreamReport, track: &TrackProbe, accuracy: Accuracy) {
    let (reported, probed) = (&stream.delay_ms, &track.delay_ms);
    let by = millis(accuracy.delay.into()) + reported.uncertainty.unwrap_or_default();
    // Where the delay changes in the middle, the silence that the probe leaves out moves the median.
    if track.jumps() == 0 {
        check.near("delay p50, ms", reported.p50, probed.p50, by);
    }
    check.near("delay p95, ms", reported.p95, probed.p95, by);
    check.near("delay p99, ms", reported.p99, probed.p99, by);
    check.near("delay max, ms", reported.max, probed.max, by);
}

fn skew(check: &mut Check<'_>, probe: &Probe, report: &QosReport, accuracy: Accuracy) {
    let (reported, probed) = (&report.sync.subtitle_skew_ms, &probe.subtitle_skew_ms);
    let by = millis(accuracy.skew.into());
    let shown = (probed.count + probe.cues_without_sound) as f64;
    if shown > 0.0 {
        check.near("cues shown", Some(reported.count as f64), Some(shown), 0.0);
    }
    check.near("skew p50, ms", reported.p50, probed.p50, by);
    // The farthest cue may be one whose sound was not heard.
    if probe.cues_without_sound == 0 {
        check.near("skew p99, ms", reported.p99, probed.p99, by);
        check.near("skew max, ms", reported.max, probed.max, by);
    }
}
