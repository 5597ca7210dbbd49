//! The plots of a matrix, link by link.

use super::Group;
use crate::matrix::Picture;
use crate::report::Spread;
use crate::report::html::{escape, gallery, legend, section};
use crate::report::plot::{self, Curve, Ink};

/// The latency of a cell in milliseconds, where it is a number.
pub(super) fn millis(latency: &str) -> Option<f64> {
    cantus_qos::quantity::parse_duration(latency).ok().map(|span| span.as_secs_f64() * 1e3)
}

fn ink(transport: &str) -> Ink {
    match transport {
        "udp" => Ink::First,
        "quic" => Ink::Second,
        _ => Ink::Other,
    }
}

/// What is left at each latency, beside what others leave.
pub(super) fn residuals(groups: &[Group<'_>]) -> String {
    let plot = |group: &Group<'_>| {
        let curves: Vec<Curve> = group
            .transports()
            .into_iter()
            .map(|transport| {
                let cells = group.cells.iter().filter(|(cell, _)| cell.key.transport == transport);
                let mut points: Vec<_> = cells
                    .filter_map(|(cell, _)| {
                        let residual = *cell.figure("residual")?;
                        Some((millis(&cell.key.latency)?, residual, cell.mean("repair_bound")))
                    })
                    .collect();
                points.sort_by(|one, other| one.0.total_cmp(&other.0));
                Curve { ink: ink(transport), points }
            })
            .collect();
        let any = curves.iter().any(|curve| !curve.points.is_empty());
        any.then(|| {
            let sheet = plot::residual(&group.title, group.link, &curves);
            (group.title.clone(), sheet.to_svg())
        })
    };
    let plots: Vec<_> = groups.iter().filter_map(plot).collect();
    if plots.is_empty() {
        return String::new();
    }
    let legend = legend(&[
        (Ink::First, "●", "udp"),
        (Ink::Second, "●", "quic"),
        (Ink::Bound, "┄", "repair bound, same overhead"),
        (Ink::Bound, "▲", "reference"),
        (Ink::Other, "◆", "best peer"),
        (Ink::Other, "■", "Roc, path + 200 ms"),
    ]);
    section(
        "latency",
        "Residual against latency",
        "The axis is logarithmic and nothing at all lies on its lowest line. Point at a mark of \
         others for its figures.",
        &(legend + &gallery(plots)),
    )
}

/// The distribution of delay.
pub(super) fn arrivals(groups: &[Group<'_>]) -> String {
    let plots = groups.iter().map(|group| {
        let mut latencies: Vec<f64> =
            group.cells.iter().filter_map(|(cell, _)| millis(&cell.key.latency)).collect();
        latencies.sort_by(f64::total_cmp);
        latencies.dedup();
        let spreads: Vec<(Ink, &Spread)> = group
            .transports()
            .into_iter()
            .filter_map(|transport| Some((ink(transport), &group.middle(transport)?.1.spread)))
            .collect();
        (group.title.clone(), plot::available(&group.title, &spreads, &latencies).to_svg())
    });
    let legend = legend(&[
        (Ink::First, "━", "udp"),
        (Ink::Second, "━", "quic"),
        (Ink::Third, "┄", "latencies"),
    ]);
    section(
        "arrivals",
        "When units are there",
        "Share of units still missing so many milliseconds after their sending, whether they came by \
         themselves or were recovered: the distribution of delay seen from its end. Where the line \
         meets a latency, that is the residual. At the middle latency, over all seeds.",
        &(legend + &gallery(plots.collect::<Vec<_>>())),
    )
}

/// One session of each group from beginning to end.
pub(super) fn over_time(groups: &[Group<'_>]) -> String {
    let mut known: Vec<&str> = Vec::new();
    for transport in groups.iter().flat_map(Group::transports) {
        if !known.contains(&transport) {
            known.push(transport);
        }
    }
    let galleries = known.iter().enumerate().map(|(index, transport)| {
        let plots = groups.iter().filter_map(|group| {
            let (cell, Picture { course, .. }) = group.middle(transport)?;
            let title = format!("{}, {transport}, {}", group.title, cell.key.latency);
            let svg = plot::delay(&title, course).to_svg()
                + &plot::buffer(&format!("{title}: buffer"), course).to_svg()
                + &plot::rate(&format!("{title}: rate"), course).to_svg();
            Some((title, svg))
        });
        let gallery = gallery(plots.collect::<Vec<_>>());
        let open = if index == 0 { " open=\"open\"" } else { "" };
        format!("<details{open}><summary>{}</summary>\n{gallery}</details>\n", escape(transport))
    });
    let legend = legend(&[
        (Ink::First, "•", "came by itself; media rate, QUIC rate, buffer"),
        (Ink::Second, "•", "recovered; repair rate"),
        (Ink::Third, "━", "heard"),
        (Ink::Bad, "❘", "not heard in time"),
        (Ink::Other, "━", "rate of the way back"),
    ]);
    let galleries: String = galleries.collect();
    section(
        "time",
        "Delay, buffer and rate over time",
        "One session of each link, the one with the first seed at the middle latency. Above, the \
         delay of every unit and the playout line; then the sound in the playout buffer; then what \
         was sent each second.",
        &(legend + &galleries),
    )
}

/// How many units were lost in a row.
pub(super) fn losses(groups: &[Group<'_>]) -> String {
    let plots = groups.iter().filter_map(|group| {
        let transport = *group.transports().first()?;
        let (cell, _) = group.middle(transport)?;
        let (before, after) = cell.runs_of_losses();
        let title = format!("{}, {transport}, {}", group.title, cell.key.latency);
        let svg = plot::loss_runs(&title, &before, &after).to_svg();
        (!before.is_empty() || !after.is_empty()).then_some((title, svg))
    });
    let plots: Vec<_> = plots.collect();
    if plots.is_empty() {
        return String::new();
    }
    let legend =
        legend(&[(Ink::First, "■", "lost on the way"), (Ink::Bad, "■", "not heard, after repair")]);
    section(
        "runs",
        "Lengths of loss runs",
        "How many units in a row were missing, over all seeds, before and after repair. A run of one \
         unit is easily concealed; one of ten is a hole of 200 ms.",
        &(legend + &gallery(plots)),
    )
}

/// How well cues kept to their sound.
pub(super) fn skews(groups: &[Group<'_>]) -> String {
    let plots = groups.iter().filter_map(|group| {
        let mut all = Spread::default();
        group.cells.iter().for_each(|(_, picture)| all.merge(&picture.spread));
        let svg = plot::skew(&group.title, &all.skew).to_svg();
        (!all.skew.is_empty()).then(|| (group.title.clone(), svg))
    });
    let plots: Vec<_> = plots.collect();
    if plots.is_empty() {
        return String::new();
    }
    section(
        "skew",
        "Skew of the cues",
        "How long after the sound they belong to subtitles appeared, over all cells and seeds of a \
         link.",
        &gallery(plots),
    )
}
