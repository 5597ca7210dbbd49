//! The page of one session.

use cantus_qos::stats::report::{QosReport, StreamKind};

use super::number::number;
use super::{escape, gallery, legend, page, section, table};
use crate::duplex::PacketLog;
use crate::plan::Plan;
use crate::report::plot::{self, Ink};
use crate::report::{Course, FIGURES, Measured, Run, Spread, UNIT, Unit, read_fates};
use crate::sim::{Outcome, Scenario};

/// The page of a session in virtual time that kept fates and packets: its report as for people,
/// plots over time, and every figure.
pub fn simulated(outcome: &Outcome, scenario: &Scenario) -> String {
    let Measured { run, course, spread } = Measured::of(outcome, scenario);
    let Scenario { presentation, latency, seed, path, .. } = scenario;
    let title = format!("{presentation} over '{path}' at {latency}, seed {seed}");
    session(&title, &outcome.report, Some(&run), &course, &spread)
}

/// The page of a session in real time, from the player's report and trace and the relay's log.
pub fn live(plan: &Plan, report: &QosReport, trace: &str, packets: &PacketLog) -> String {
    let audio = report.streams.iter().find(|stream| stream.kind == StreamKind::Continuous);
    let fates = audio.map(|stream| read_fates(trace, &stream.name)).unwrap_or_default();
    let course = Course::new(&fates, UNIT, packets);
    let spread = Spread::of(&course, []);
    let title = format!("{} over '{}' at {}", plan.media.display(), plan.path(), plan.latency);
    session(&title, report, None, &course, &spread)
}

fn session(
    title: &str,
    report: &QosReport,
    run: Option<&Run>,
    course: &Course,
    spread: &Spread,
) -> String {
    let summary = report.summary();
    let mut lines = summary.lines();
    let (url, verdict) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let header = format!(
        "<header>\n<h1>{}</h1>\n<p class=\"lead\"><strong>{}</strong><br/>{}</p>\n</header>\n",
        escape(title),
        escape(verdict),
        escape(url)
    );
    let rest: String = lines.map(|line| format!("{}\n", escape(line))).collect();
    let rest = format!("<div class=\"scroll\" tabindex=\"0\"><pre>{}</pre></div>\n", rest.trim());
    let body = header
        + &over_time(title, course)
        + &distributions(title, report, spread)
        + &section("report", "Report", "As the player wrote it.", &rest)
        + &run.map(figures).unwrap_or_default();
    page(&format!("Cantus bench: {title}"), &body)
}

fn over_time(title: &str, course: &Course) -> String {
    let legend = legend(&[
        (Ink::First, "•", "came by itself; media rate, QUIC rate, buffer"),
        (Ink::Second, "•", "recovered; repair rate"),
        (Ink::Third, "━", "heard"),
        (Ink::Bad, "❘", "not heard in time"),
        (Ink::Other, "━", "rate of the way back"),
    ]);
    let figures = [
        ("delay of every unit", plot::delay(title, course).to_svg()),
        (
            "sound in the playout buffer, and what was sent each second",
            plot::buffer(title, course).to_svg() + &plot::rate(title, course).to_svg(),
        ),
    ];
    let figures = figures.map(|(caption, svg)| (caption.to_owned(), svg));
    let gallery = gallery(figures).replace("class=\"gallery\"", "class=\"gallery wide\"");
    section("time", "Over time", "Each unit by when it was sent.", &(legend + &gallery))
}

fn distributions(title: &str, report: &QosReport, spread: &Spread) -> String {
    let latency: Vec<f64> = report.latency_ms.into_iter().collect();
    let mut plots = vec![(
        "units not there yet".to_owned(),
        plot::available(title, &[(Ink::First, spread)], &latency).to_svg(),
    )];
    if let Some(stream) = report.streams.first().filter(|stream| !stream.loss_runs.is_empty()) {
        let runs = plot::loss_runs(title, &stream.loss_runs, &Default::default());
        plots.push(("lengths of loss runs on the way".to_owned(), runs.to_svg()));
    }
    if !spread.skew.is_empty() {
        plots.push(("skew of the cues".to_owned(), plot::skew(title, &spread.skew).to_svg()));
    }
    let lead =
        "When units were there, what was lost in a row, and how well cues kept to the sound.";
    section("distributions", "Distributions", lead, &gallery(plots))
}

fn figures(run: &Run) -> String {
    let rows = FIGURES.iter().filter_map(|figure| {
        let value = number(figure.of(run)?, figure.unit);
        let unit = match figure.unit {
            Unit::Share => " %",
            Unit::Millis => " ms",
            Unit::Bytes => " bytes",
            Unit::Count | Unit::Ratio => "",
        };
        let (title, name) = (figure.title, figure.name);
        Some(format!(
            "<tr><th scope=\"row\">{title}</th><td>{value}{unit}</td><td><code>{name}</code></td></tr>\n"
        ))
    });
    let head = "<tr><th scope=\"col\">figure</th><th scope=\"col\">value</th>\
                <th scope=\"col\">name</th></tr>";
    let table = table("All figures", head, &rows.collect::<String>());
    section("figures", "All figures", "Under the names that results have.", &table)
}
