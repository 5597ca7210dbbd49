//! The page of a matrix.

use std::collections::BTreeMap;
use std::path::Path;

use super::number::{estimate, percent};
use super::{escape, gallery, legend, page, section, table};
use crate::matrix::Findings;
use crate::report::plot::{self, Curve, Ink};
use crate::report::{CellKey, CellResult, Figure, Spread, Unit, Who, others_on};

/// The figures of the table of everything.
const SHOWN: [&str; 20] = [
    "residual",
    "repair_bound",
    "network_loss",
    "late",
    "overhead",
    "feedback",
    "quic_framing_per_packet",
    "delay_mean_ms",
    "delay_p50_ms",
    "delay_p95_ms",
    "delay_p99_ms",
    "playout_to_constant",
    "playout_to_optimum",
    "skew_p99_ms",
    "skew_max_ms",
    "buffer_p50_ms",
    "setup_ms",
    "first_sound_ms",
    "concealed_ms",
    "mos",
];

/// Cells that differ in transport and latency only: a row of the tables, a plot of each kind.
struct Group<'a> {
    title: String,
    link: &'a str,
    cells: Vec<(&'a CellResult, &'a (crate::report::Course, Spread))>,
}

/// The page: what was run, what came of it at a glance, plots link by link, and every figure.
pub fn matrix(findings: &Findings) -> String {
    let groups = groups(findings);
    let columns = columns(findings);
    let body = [
        summary(findings),
        at_a_glance(&groups, &columns),
        residuals(&groups),
        arrivals(&groups),
        over_time(&groups),
        losses(&groups),
        skews(&groups),
        everything(findings),
        glossary(),
    ];
    page("Cantus bench: matrix", &body.concat())
}

fn groups(findings: &Findings) -> Vec<Group<'_>> {
    let cells = || findings.results.cells.iter();
    let differ = |of: fn(&CellKey) -> &str| {
        let mut values: Vec<&str> = cells().map(|cell| of(&cell.key)).collect();
        values.sort_unstable();
        values.dedup();
        values.len() > 1
    };
    let media = differ(|key| &key.media);
    let protection = differ(|key| &key.protection);
    let length = differ(|key| key.length.as_deref().unwrap_or("all"));
    let mut groups: Vec<(CellKey, Group<'_>)> = Vec::new();
    for (cell, plots) in cells().zip(&findings.plots) {
        let key = CellKey { transport: String::new(), latency: String::new(), ..cell.key.clone() };
        if groups.last().is_none_or(|(last, _)| *last != key) {
            let mut title = key.link.clone();
            if media {
                title += &format!(" · {}", name(&key.media));
            }
            if protection {
                title += &format!(" · repair {}", key.protection);
            }
            if let Some(length) = key.length.as_deref().filter(|_| length) {
                title += &format!(" · {length}");
            }
            groups.push((key, Group { title, link: &cell.key.link, cells: Vec::new() }));
        }
        if let Some((_, group)) = groups.last_mut() {
            group.cells.push((cell, plots));
        }
    }
    // What stands apart in the plan (transport changes faster than protection) is brought together.
    let mut merged: Vec<(CellKey, Group<'_>)> = Vec::new();
    for (key, group) in groups {
        match merged.iter_mut().find(|(other, _)| *other == key) {
            Some((_, known)) => known.cells.extend(group.cells),
            None => merged.push((key, group)),
        }
    }
    merged.into_iter().map(|(_, group)| group).collect()
}

fn name(media: &str) -> String {
    Path::new(media).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Transport and latency of every column, in the order of the plan.
fn columns(findings: &Findings) -> Vec<(&str, &str)> {
    let mut columns: Vec<(&str, &str)> = Vec::new();
    for cell in &findings.results.cells {
        let column = (cell.key.transport.as_str(), cell.key.latency.as_str());
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// The latency of a cell in milliseconds, where it is a number.
fn millis(latency: &str) -> Option<f64> {
    cantus_qos::quantity::parse_duration(latency).ok().map(|span| span.as_secs_f64() * 1e3)
}

fn ink(transport: &str) -> Ink {
    match transport {
        "udp" => Ink::First,
        "quic" => Ink::Second,
        _ => Ink::Other,
    }
}

fn summary(findings: &Findings) -> String {
    let cells = &findings.results.cells;
    let count = |of: fn(&CellKey) -> &str, one: &str, many: &str| {
        let mut values: Vec<&str> = cells.iter().map(|cell| of(&cell.key)).collect();
        values.sort_unstable();
        values.dedup();
        match values.len() {
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        }
    };
    let product = [
        count(|key| &key.link, "link", "links"),
        count(|key| &key.transport, "transport", "transports"),
        count(|key| &key.media, "presentation", "presentations"),
        count(|key| &key.latency, "latency", "latencies"),
        count(|key| &key.protection, "protection", "protections"),
    ];
    let sessions = findings.results.sessions();
    let runs = || cells.iter().flat_map(|cell| &cell.runs);
    let played: f64 = runs().map(|run| run.expected as f64 * 0.02).sum();
    let seeds = cells.iter().map(|cell| cell.runs.len()).max().unwrap_or(0);
    let broken = runs().filter(|run| !run.completed).count();
    let verdict = match broken {
        0 => "All of them were played to their end.".to_owned(),
        broken => format!("<strong>{broken} of them were not played to their end.</strong>"),
    };
    let mut traces: BTreeMap<&str, &str> = BTreeMap::new();
    for cell in cells {
        if let Some(trace) = &cell.trace {
            traces.insert(&cell.key.link, trace);
        }
    }
    let traces = traces.iter().map(|(link, trace)| match *trace {
        "generated" => format!(" <b>{}</b> follows a generated delivery trace.", escape(link)),
        file => format!(" <b>{}</b> follows the real drive {}.", escape(link), escape(file)),
    });
    let traces: String = traces.collect();
    format!(
        "<header>\n<h1>Cantus bench</h1>\n<p class=\"lead\">{} × {seeds} seeds: {sessions} sessions, \
         {:.1} hours of sound in virtual time. {verdict}{traces}</p>\n</header>\n",
        product.join(" × "),
        played / 3600.0
    )
}

fn at_a_glance(groups: &[Group<'_>], columns: &[(&str, &str)]) -> String {
    let heads = columns.iter().map(|(transport, latency)| {
        format!(
            "<th scope=\"col\">{}<br/><small>{}</small></th>",
            escape(transport),
            escape(latency)
        )
    });
    let heads: String = heads.collect();
    let head = format!(
        "<tr><th scope=\"col\">link</th><th scope=\"col\">lost on<br/><small>the way</small></th>{heads}\
         <th scope=\"col\">best peer<br/><small>200ms</small></th></tr>"
    );
    let rows = |name: &str, heat: bool| {
        let row = |group: &Group<'_>| {
            let cells = columns.iter().map(|column| {
                let of = |(cell, _): &&(&CellResult, _)| {
                    (cell.key.transport.as_str(), cell.key.latency.as_str()) == *column
                };
                let found = group.cells.iter().find(of).and_then(|(cell, _)| cell.figure(name));
                match found {
                    Some(found) => {
                        let class = if heat { warmth(found.mean) } else { "" };
                        format!("<td class=\"{class}\">{}</td>", estimate(found, Unit::Share))
                    }
                    None => "<td>–</td>".to_owned(),
                }
            });
            let lost = group.cells.iter().filter_map(|(cell, _)| cell.mean("network_loss"));
            let lost = crate::report::mean(&lost.collect::<Vec<_>>());
            let peer = others_on(group.link).into_iter();
            let peer = peer.filter(|other| other.who == Who::BestPeer && other.latency_ms == 200.0);
            let peer = peer.map(|peer| if heat { peer.residual } else { peer.overhead }).next();
            let text = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td>{}<td class=\"peer\">{}</td></tr>\n",
                escape(&group.title),
                text(lost),
                cells.collect::<String>(),
                text(peer)
            )
        };
        groups.iter().map(row).collect::<String>()
    };
    let residual = table("Residual by link", &head, &rows("residual", true));
    let overhead = table("Overhead by link", &head, &rows("overhead", false));
    section(
        "residual",
        "Not heard in time, %",
        "Share of 20 ms units that did not reach the ear in time, after all repair: mean over the \
         seeds and half of its 95 % interval. This is what listeners suffer.",
        &residual,
    ) + &section(
        "overhead",
        "Overhead and feedback, %",
        "Bytes both ways beyond the unprotected stream of 280 bytes every 20 ms, headers included. \
         QUIC's own framing and the cues are apart, below.",
        &overhead,
    )
}

/// How much a residual hurts.
fn warmth(residual: f64) -> &'static str {
    match residual {
        0.0 => "h0",
        r if r <= 0.001 => "h1",
        r if r <= 0.005 => "h2",
        r if r <= 0.02 => "h3",
        r if r <= 0.08 => "h4",
        _ => "h5",
    }
}

fn transports<'a>(group: &Group<'a>) -> Vec<&'a str> {
    let mut transports: Vec<&str> = Vec::new();
    for (cell, _) in &group.cells {
        if !transports.contains(&cell.key.transport.as_str()) {
            transports.push(&cell.key.transport);
        }
    }
    transports
}

fn residuals(groups: &[Group<'_>]) -> String {
    let plot = |group: &Group<'_>| {
        let curves: Vec<Curve> = transports(group)
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

fn arrivals(groups: &[Group<'_>]) -> String {
    let plots = groups.iter().map(|group| {
        let mut latencies: Vec<f64> =
            group.cells.iter().filter_map(|(cell, _)| millis(&cell.key.latency)).collect();
        latencies.sort_by(f64::total_cmp);
        latencies.dedup();
        let spreads: Vec<(Ink, &Spread)> = transports(group)
            .into_iter()
            .filter_map(|transport| Some((ink(transport), &middle(group, transport)?.1.1)))
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

/// The cell of the middle latency of a transport.
fn middle<'a, 'b>(
    group: &'b Group<'a>,
    transport: &str,
) -> Option<&'b (&'a CellResult, &'a (crate::report::Course, Spread))> {
    let of_it = group.cells.iter().filter(|(cell, _)| cell.key.transport == transport);
    let of_it: Vec<_> = of_it.collect();
    of_it.get((of_it.len().saturating_sub(1)) / 2).copied()
}

fn over_time(groups: &[Group<'_>]) -> String {
    let mut known: Vec<&str> = Vec::new();
    for transport in groups.iter().flat_map(transports) {
        if !known.contains(&transport) {
            known.push(transport);
        }
    }
    let galleries = known.iter().enumerate().map(|(index, transport)| {
        let plots = groups.iter().filter_map(|group| {
            let (cell, (course, _)) = middle(group, transport)?;
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

fn losses(groups: &[Group<'_>]) -> String {
    let plots = groups.iter().filter_map(|group| {
        let transport = *transports(group).first()?;
        let (cell, _) = middle(group, transport)?;
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

fn skews(groups: &[Group<'_>]) -> String {
    let plots = groups.iter().filter_map(|group| {
        let mut all = Spread::default();
        group.cells.iter().for_each(|(_, (_, spread))| all.merge(spread));
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

fn everything(findings: &Findings) -> String {
    let figures: Vec<&Figure> = SHOWN
        .iter()
        .filter_map(|name| Figure::named(name))
        .filter(|figure| {
            let known = |cell: &CellResult| cell.figure(figure.name).is_some();
            findings.results.cells.iter().any(known)
        })
        .collect();
    let unit = |unit: Unit| match unit {
        Unit::Share => "%",
        Unit::Millis => "ms",
        Unit::Bytes => "bytes",
        Unit::Count => "units",
        Unit::Ratio => "ratio",
    };
    let heads = figures.iter().map(|figure| {
        let (title, unit) = (figure.title, unit(figure.unit));
        format!("<th scope=\"col\">{title}<br/><small>{unit}</small></th>")
    });
    let head = format!("<tr><th scope=\"col\">session</th>{}</tr>", heads.collect::<String>());
    let rows = findings.results.cells.iter().map(|cell| {
        let values = figures.iter().map(|figure| match cell.figure(figure.name) {
            Some(found) => format!("<td>{}</td>", estimate(found, figure.unit)),
            None => "<td>–</td>".to_owned(),
        });
        let key = escape_key(&cell.key);
        format!("<tr><th scope=\"row\">{key}</th>{}</tr>\n", values.collect::<String>())
    });
    section(
        "figures",
        "All figures",
        "Means over the seeds with half of their 95 % intervals; every run by itself stands in \
         <code>results.csv</code> and <code>results.json</code>.",
        &table("All figures of every cell", &head, &rows.collect::<String>()),
    )
}

fn escape_key(key: &CellKey) -> String {
    let CellKey { link, transport, media, latency, protection, .. } = key;
    let rest = format!("{transport} · {latency} · {} · {protection}", name(media));
    format!("{}<br/><small>{}</small>", escape(link), escape(&rest))
}

fn glossary() -> String {
    "<section id=\"words\">\n<h2>What the words mean</h2>\n<dl>\n\
     <dt>residual</dt><dd>units not heard in time, of those expected; late and never arrived \
     count alike</dd>\n\
     <dt>interval</dt><dd>where the true mean lies with a confidence of 95 %, by Student's t \
     distribution over the seeds</dd>\n\
     <dt>repair bound</dt><dd>what an ideal sliding-window code would have left on the same link \
     with the same luck at the same overhead</dd>\n\
     <dt>delay / best constant, delay / optimum</dt><dd>our mean playout delay against the best \
     constant delay chosen with hindsight for as many late units, and against the best one chosen \
     for every second (Moon, Kurose and Towsley 1998)</dd>\n\
     <dt>overhead + feedback</dt><dd>audio, repair and RTCP packets both ways, beyond 280 bytes a \
     unit: 20 ms of Opus at 96 kbit/s with IP, UDP and RTP headers</dd>\n\
     <dt>QUIC framing a packet</dt><dd>what the same session took more over QUIC than its packets \
     would take over UDP, handshake, control and acknowledgements included, for each packet that \
     the ends gave to QUIC</dd>\n\
     <dt>skew</dt><dd>how long after its sound a cue was shown; negative is before it</dd>\n\
     <dt>best peer, Roc, reference</dt><dd>measured once through the same emulator: the best of \
     GStreamer (RTX, RED, ULPFEC, ST 2022-1), SRT and RIST; Roc 0.4 at 200 ms on top of the path; \
     and an unlimited sliding-window code with isochronous NACK</dd>\n\
     </dl>\n</section>\n"
        .to_owned()
}
