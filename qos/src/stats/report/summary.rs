//! The report for people: at most 80 columns, aligned, with units.

mod figures;

use std::fmt::{self, Write as _};

use super::{LatencyMode, PromiseReport, QosReport, StreamKind, StreamReport, Term};
use figures::{UNKNOWN, bytes, count, milliseconds, share, span, value};

/// Columns of the label at the left; the figures share the other sixty.
const LABEL: usize = 20;
const FIGURE: usize = 15;
/// Streams side by side.
const ABREAST: usize = 4;
/// Columns of everything.
const WIDTH: usize = LABEL + ABREAST * FIGURE;

pub(super) fn write(report: &QosReport) -> String {
    let mut text = String::new();
    sections(report, &mut text).expect("a string takes everything");
    text
}

fn sections(report: &QosReport, text: &mut String) -> fmt::Result {
    writeln!(text, "{}", clipped(&report.url, WIDTH))?;
    writeln!(text, "{}", clipped(&headline(report), WIDTH))?;
    session(report, text)?;
    for streams in report.streams.chunks(ABREAST) {
        writeln!(text)?;
        table(streams, text)?;
    }
    sync(report, text)?;
    promise(report, text)
}

/// How it went, in one line.
fn headline(report: &QosReport) -> String {
    let verdict = match report.kept() {
        Some(true) => "Promise kept",
        Some(false) => "Promise broken",
        None if report.promise.is_empty() => "No promise",
        None => "Promise unproven",
    };
    let sound = report.streams.iter().find(|stream| stream.kind == StreamKind::Continuous);
    let Some(sound) = sound else {
        return format!("{verdict}.");
    };
    let heard = match sound.residual {
        Some(residual) => format!("{} of the sound heard in time", share(1.0 - residual)),
        None => "no sound was due".to_owned(),
    };
    let delay = match sound.delay_ms.p50 {
        Some(p50) => format!(", {} after sending", milliseconds(p50)),
        None => String::new(),
    };
    format!("{verdict}: {heard}{delay}.")
}

fn session(report: &QosReport, text: &mut String) -> fmt::Result {
    let latency = match (report.mode, report.latency_ms) {
        (LatencyMode::Fixed, Some(latency)) => milliseconds(latency),
        (LatencyMode::Fixed, None) => UNKNOWN.to_owned(),
        (LatencyMode::Auto, _) => "auto".to_owned(),
        (LatencyMode::Stored, _) => "stored".to_owned(),
    };
    writeln!(text)?;
    heading("Session", text)?;
    row("transport", [clipped(&report.transport, FIGURE)], text)?;
    row("latency", [latency], text)?;
    row("set-up", [value(report.setup_ms, milliseconds)], text)?;
    row("first sound after", [value(report.first_sound_ms, milliseconds)], text)?;
    row("buffer, median", [value(report.buffer_ms.p50, milliseconds)], text)?;
    if let Some(mos) = &report.mos {
        let model = clipped(&mos.model, WIDTH - LABEL - FIGURE - 2);
        writeln!(text, "{:<LABEL$}{:>FIGURE$.2}  {model}", "  quality, 1 to 5", mos.value)?;
    }
    Ok(())
}

/// The streams, a column each.
fn table(streams: &[StreamReport], text: &mut String) -> fmt::Result {
    let names = streams.iter().map(|stream| clipped(&stream.name, FIGURE - 1));
    columns("Streams", names, text)?;
    let mut line = |label: &str, figure: &dyn Fn(&StreamReport) -> String| {
        row(label, streams.iter().map(figure), text)
    };
    line("units expected", &|s| count(s.expected))?;
    line("received", &|s| count(s.received))?;
    line("lost on the way", &|s| count(s.lost_network))?;
    line("share lost", &|s| value(s.network_loss(), share))?;
    line("longest run", &|s| s.loss_runs.keys().last().map_or_else(nothing, ToString::to_string))?;
    line("recovered by FEC", &|s| count(s.recovered_fec))?;
    line("recovered, resent", &|s| count(s.recovered_retransmission))?;
    line("never arrived", &|s| count(s.never_arrived()))?;
    line("came too late", &|s| count(s.late))?;
    line("not heard in time", &|s| value(s.residual, share))?;
    line("duplicates", &|s| count(s.duplicate))?;
    line("reordered", &|s| count(s.reordered))?;
    line("delay, median", &|s| value(s.delay_ms.p50, milliseconds))?;
    line("delay, 99 %", &|s| value(s.delay_ms.p99, milliseconds))?;
    line("delay, longest", &|s| value(s.delay_ms.max, milliseconds))?;
    line("known to within", &|s| value(s.delay_ms.uncertainty, milliseconds))?;
    line("jitter, RFC 3550", &|s| value(s.jitter_ms.rfc3550, milliseconds))?;
    line("jitter, 99 %", &|s| value(s.jitter_ms.p99, milliseconds))?;
    line("played", &|s| value(s.played_ms, span))?;
    line("concealed", &|s| value(s.concealed_ms, span))?;
    line("stretched", &|s| value(s.stretched_ms, span))?;
    line("shrunk", &|s| value(s.shrunk_ms, span))?;
    line("media", &|s| bytes(s.bytes.media))?;
    line("repair", &|s| bytes(s.bytes.repair))?;
    line("retransmissions", &|s| bytes(s.bytes.retransmission))?;
    line("feedback", &|s| bytes(s.bytes.feedback))?;
    line("headers", &|s| bytes(s.bytes.headers))
}

fn sync(report: &QosReport, text: &mut String) -> fmt::Result {
    let skew = &report.sync.subtitle_skew_ms;
    let tracks = report.sync.tracks_skew_samples.max;
    writeln!(text)?;
    columns("Sync", ["median", "99 %", "farthest", "measured"].map(str::to_owned), text)?;
    let cues = [skew.p50, skew.p99, skew.max].map(|skew| value(skew, figures::signed));
    row("subtitle skew", cues.into_iter().chain([format!("{} cues", count(skew.count))]), text)?;
    let apart = tracks.map_or_else(nothing, |samples| format!("{} samples", count(samples)));
    row("tracks apart", [nothing(), nothing(), apart], text)
}

fn promise(report: &QosReport, text: &mut String) -> fmt::Result {
    writeln!(text)?;
    if report.promise.is_empty() {
        return heading("Promise: none was asked for", text);
    }
    columns("Promise", ["at most", "measured"].map(str::to_owned), text)?;
    report.promise.iter().try_for_each(|promise| promise_row(promise, text))
}

fn promise_row(promise: &PromiseReport, text: &mut String) -> fmt::Result {
    let figure = |amount| match promise.term {
        Term::Loss => share(amount),
        Term::Rate => figures::bit_rate(amount),
        Term::Skew => figures::signed(amount),
        Term::Delay | Term::Jitter | Term::Setup => milliseconds(amount),
    };
    let limit = match promise.term {
        Term::Skew => milliseconds(promise.promised),
        _ => figure(promise.promised),
    };
    let verdict = match (promise.kept, promise.broken_for_ms) {
        (Some(true), None | Some(0.0)) => "✓ kept".to_owned(),
        (Some(true), Some(broken)) => format!("✓ kept, save for {}", span(broken)),
        (Some(false), Some(broken)) => format!("✗ BROKEN, for {}", span(broken)),
        (Some(false), None) => "✗ BROKEN".to_owned(),
        (None, _) => "? not measured".to_owned(),
    };
    let label = format!("  {}", promise.term);
    let measured = value(promise.measured, figure);
    writeln!(text, "{label:<LABEL$}{limit:>FIGURE$}{measured:>FIGURE$}  {verdict}")
}

fn heading(title: &str, text: &mut String) -> fmt::Result {
    writeln!(text, "{title}")
}

/// A heading with the names of the columns below it.
fn columns(title: &str, names: impl IntoIterator<Item = String>, text: &mut String) -> fmt::Result {
    write!(text, "{title:<LABEL$}")?;
    figures_of(names, text)
}

fn row(label: &str, figures: impl IntoIterator<Item = String>, text: &mut String) -> fmt::Result {
    write!(text, "  {label:<width$}", width = LABEL - 2)?;
    figures_of(figures, text)
}

fn figures_of(figures: impl IntoIterator<Item = String>, text: &mut String) -> fmt::Result {
    for figure in figures {
        write!(text, "{figure:>FIGURE$}")?;
    }
    writeln!(text)
}

fn nothing() -> String {
    UNKNOWN.to_owned()
}

/// At most `width` characters of a text that may come from the network: control characters, which
/// could speak to the terminal, become question marks.
fn clipped(text: &str, width: usize) -> String {
    let printable = |c: char| if c.is_control() { '?' } else { c };
    if text.chars().count() <= width {
        text.chars().map(printable).collect()
    } else {
        text.chars().map(printable).take(width - 1).chain(['…']).collect()
    }
}
