//! What a probe found, for people, beside what the player reports.

use std::fmt::Write as _;

use cantus_qos::stats::report::{Delay, QosReport, StreamKind};

use super::{FaultKind, Probe, TrackProbe};

const KINDS: [FaultKind; 4] =
    [FaultKind::Gap, FaultKind::Inserted, FaultKind::Skip, FaultKind::Repeat];

/// A few lines of at most 80 columns: of each figure that both have, what the probe found and what
/// the player reports, and what only the probe can tell.
pub(super) fn write(probe: &Probe, report: &QosReport) -> String {
    let mut text = String::new();
    let streams = report.streams.iter().filter(|it| it.kind == StreamKind::Continuous);
    for (track, stream) in probe.tracks.iter().zip(streams) {
        let lost = stream.residual.map(|residual| residual * stream.expected as f64);
        let _ = writeln!(text, "{:<26}{:>16}{:>16}", stream.name, "probe", "player");
        line(&mut text, "units expected", Some(track.expected as f64), stream.expected as f64, 0);
        let missed = Some((track.lost + track.late) as f64);
        line(&mut text, "units not heard in time", missed, lost, 0);
        line(&mut text, "  or silent either way", Some(track.undecided as f64), None, 0);
        line(&mut text, "  or barely late", Some(track.late_in_doubt as f64), None, 0);
        for (name, of) in QUANTILES {
            line(&mut text, name, of(&track.delay_ms), of(&stream.delay_ms), 3);
        }
        line(&mut text, "drift, ppm", track.drift_ppm, None, 1);
        let _ = writeln!(text, "{}", faults(track));
    }
    let (probed, reported) = (&probe.subtitle_skew_ms, &report.sync.subtitle_skew_ms);
    if probed.count + probe.cues_without_sound > 0 {
        let _ = writeln!(text, "{:<26}{:>16}{:>16}", "subtitles", "probe", "player");
        line(&mut text, "cues measured", Some(probed.count as f64), reported.count as f64, 0);
        line(&mut text, "skew p50, ms", probed.p50, reported.p50, 3);
        line(&mut text, "skew max, ms", probed.max, reported.max, 3);
    }
    let late = &probe.handed_late_ms;
    if let (Some(p50), Some(p99), Some(max)) = (late.p50, late.p99, late.max) {
        let _ = writeln!(
            text,
            "handed over late by       p50 {p50:.3} ms, p99 {p99:.3} ms, max {max:.3} ms"
        );
    }
    text
}

type Quantile = fn(&Delay) -> Option<f64>;

const QUANTILES: [(&str, Quantile); 4] = [
    ("delay p50, ms", |it| it.p50),
    ("delay p95, ms", |it| it.p95),
    ("delay p99, ms", |it| it.p99),
    ("delay max, ms", |it| it.max),
];

fn line(
    text: &mut String,
    name: &str,
    probed: Option<f64>,
    reported: impl Into<Option<f64>>,
    digits: usize,
) {
    let figure = |figure: Option<f64>| match figure {
        Some(figure) => format!("{figure:.digits$}"),
        None => "-".to_owned(),
    };
    let _ = writeln!(text, "{name:<26}{:>16}{:>16}", figure(probed), figure(reported.into()));
}

fn faults(track: &TrackProbe) -> String {
    let told = KINDS.into_iter().filter_map(|kind| {
        let count = track.of(kind).count();
        let total = track.total_ms(kind);
        (count > 0).then(|| format!("{} x{count}, {total:.0} ms", kind.name()))
    });
    let told: Vec<_> = told.collect();
    match told.is_empty() {
        true => "no fault in the sound".to_owned(),
        false => format!("faults in the sound: {}", told.join("; ")),
    }
}
