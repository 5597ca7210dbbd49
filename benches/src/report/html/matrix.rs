//! The page of a matrix.

mod galleries;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use galleries::millis;

use super::number::{estimate, percent};
use super::{escape, page, section, table};
use crate::matrix::{Findings, Picture};
use crate::report::{CellKey, CellResult, Figure, Other, Unit, Who, others_on};

/// The figures of the table of everything.
const SHOWN: [&str; 25] = [
    "residual",
    "repair_bound",
    "network_loss",
    "late",
    "overhead",
    "feedback",
    "quic_framing_per_packet",
    "queue_p95_ms",
    "pipe_media",
    "pipe_used",
    "fair_share",
    "jain",
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
    cells: Vec<(&'a CellResult, &'a Picture)>,
}

impl<'a> Group<'a> {
    /// What carries it, in the order of the plan.
    fn transports(&self) -> Vec<&'a str> {
        let mut transports: Vec<&str> = Vec::new();
        for (cell, _) in &self.cells {
            if !transports.contains(&cell.key.transport.as_str()) {
                transports.push(&cell.key.transport);
            }
        }
        transports
    }

    /// The cell of the middle latency of a transport.
    fn middle(&self, transport: &str) -> Option<(&'a CellResult, &'a Picture)> {
        let of_it = self.cells.iter().filter(|(cell, _)| cell.key.transport == transport);
        let of_it: Vec<_> = of_it.collect();
        of_it.get(of_it.len().saturating_sub(1) / 2).map(|found| **found)
    }
}

/// The page: what was run, what came of it at a glance, plots link by link, and every figure.
pub fn matrix(findings: &Findings) -> String {
    let groups = groups(findings);
    let columns = columns(findings);
    let body = [
        summary(findings),
        at_a_glance(&groups, &columns),
        galleries::residuals(&groups),
        galleries::arrivals(&groups),
        galleries::over_time(&groups),
        galleries::losses(&groups),
        galleries::skews(&groups),
        everything(findings),
        glossary(),
    ];
    page("Cantus bench: matrix", &body.concat())
}

/// The cells in groups, which are called after their links and whatever else differs.
fn groups(findings: &Findings) -> Vec<Group<'_>> {
    let cells = &findings.results.cells;
    let differ = |of: fn(&CellKey) -> &str| count(cells, of) > 1;
    let media = differ(|key| &key.media);
    let protection = differ(|key| &key.protection);
    let beside = differ(|key| key.beside.as_deref().unwrap_or_default());
    let length = differ(|key| key.length.as_deref().unwrap_or_default());
    let mut groups: Vec<(CellKey, Group<'_>)> = Vec::new();
    for pair in cells.iter().zip(&findings.pictures) {
        let key = &pair.0.key;
        let shared = CellKey { transport: String::new(), latency: String::new(), ..key.clone() };
        if let Some((_, group)) = groups.iter_mut().find(|(other, _)| *other == shared) {
            group.cells.push(pair);
            continue;
        }
        let mut title = key.link.clone();
        if media {
            title += &format!(" · {}", name(&key.media));
        }
        if protection {
            title += &format!(" · repair {}", key.protection);
        }
        if let Some(company) = key.beside.as_deref().filter(|_| beside) {
            title += &format!(" · beside {company}");
        }
        if let Some(length) = key.length.as_deref().filter(|_| length) {
            title += &format!(" · {length}");
        }
        groups.push((shared, Group { title, link: &key.link, cells: vec![pair] }));
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// How many values something of the keys has.
fn count(cells: &[CellResult], of: fn(&CellKey) -> &str) -> usize {
    cells.iter().map(|cell| of(&cell.key)).collect::<BTreeSet<_>>().len()
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

fn summary(findings: &Findings) -> String {
    let cells = &findings.results.cells;
    let some = |of: fn(&CellKey) -> &str, one: &str, many: &str| match count(cells, of) {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let product = [
        some(|key| &key.link, "link", "links"),
        some(|key| &key.transport, "transport", "transports"),
        some(|key| &key.media, "presentation", "presentations"),
        some(|key| &key.latency, "latency", "latencies"),
        some(|key| &key.protection, "protection", "protections"),
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
            let peer = best_peer(group.link);
            let peer = peer.map(|peer| if heat { peer.residual } else { peer.overhead });
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
        &format!(
            "Share of 20 ms units that did not reach the ear in time, after all repair: mean over \
             the seeds and half of its 95 % interval. This is what listeners suffer.{}",
            standing(groups)
        ),
        &residual,
    ) + &section(
        "overhead",
        "Overhead and feedback, %",
        "Bytes both ways beyond the unprotected stream of 280 bytes every 20 ms, headers included. \
         QUIC's own framing and the cues are apart, below.",
        &overhead,
    )
}

/// The latency at which others are set beside us, in the table.
const BESIDE: f64 = 200.0;

/// What the best peer leaves on a link, and at which overhead.
fn best_peer(link: &str) -> Option<Other> {
    let others = others_on(link).into_iter();
    others.rev().find(|other| other.who == Who::BestPeer && other.latency_ms == BESIDE)
}

/// On which links we leave less than the best peer, and on which more, in a sentence.
fn standing(groups: &[Group<'_>]) -> String {
    let (mut less, mut more): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
    for (cell, _) in groups.iter().flat_map(|group| &group.cells) {
        let key = &cell.key;
        let comparable = key.protection == "auto" && millis(&key.latency) == Some(BESIDE);
        let Some(peer) = best_peer(&key.link).filter(|_| comparable) else { continue };
        match cell.figure("residual").map(|ours| (ours.low, ours.high)) {
            Some((_, Some(high))) if high < peer.residual => less.insert(&key.link),
            Some((Some(low), _)) if low > peer.residual => more.insert(&key.link),
            _ => continue,
        };
    }
    // What is so over one transport only is neither.
    let both: BTreeSet<&str> = less.intersection(&more).copied().collect();
    let list = |links: &BTreeSet<&str>| {
        let links = links.difference(&both).map(|link| format!("<b>{}</b>", escape(link)));
        links.collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    for (links, word) in [(list(&less), "less"), (list(&more), "more")] {
        if !links.is_empty() {
            text += &format!(" Surely {word} than the best peer at 200 ms: {links}.");
        }
    }
    text
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
    let CellKey { link, transport, media, latency, protection, beside, .. } = key;
    let mut rest = format!("{transport} · {latency} · {} · {protection}", name(media));
    if let Some(beside) = beside {
        rest += &format!(" · beside {beside}");
    }
    format!("{}<br/><small>{}</small>", escape(link), escape(&rest))
}

fn glossary() -> String {
    "<section id=\"words\">\n<h2>What the words mean</h2>\n<dl>\n\
     <dt>residual</dt><dd>units not heard in time, of those expected; late and never arrived \
     count alike</dd>\n\
     <dt>interval</dt><dd>where the true mean lies with a confidence of 95 %, by Student's t \
     distribution over the seeds</dd>\n\
     <dt>repair bound</dt><dd>what an ideal sender with as many bytes to spend, on a \
     sliding-window code and on answers to requests, would have left on the same link with the same \
     luck</dd>\n\
     <dt>delay / best constant, delay / optimum</dt><dd>our mean playout delay against the best \
     constant delay chosen with hindsight for as many late units, and against the best one chosen \
     for every second (Moon, Kurose and Towsley 1998)</dd>\n\
     <dt>overhead + feedback</dt><dd>audio, repair and RTCP packets both ways, beyond 280 bytes a \
     unit: 20 ms of Opus at 96 kbit/s with IP, UDP and RTP headers</dd>\n\
     <dt>QUIC framing a packet</dt><dd>what the same session took more over QUIC than its packets \
     would take over UDP, handshake, control and acknowledgements included, for each packet that \
     the ends gave to QUIC</dd>\n\
     <dt>queue</dt><dd>how long a packet stood in line at the bottleneck, its own transmission not \
     counted</dd>\n\
     <dt>of the pipe, media; all</dt><dd>audio packets with their headers, and everything sent to the \
     player, of what the bottleneck could have carried in that time</dd>\n\
     <dt>of its fair share</dt><dd>audio packets with their headers, of what the session would have if \
     all who share the bottleneck had the same, or of what audio needs where that is less; over the \
     last two thirds of the time in which all were there</dd>\n\
     <dt>Jain's index</dt><dd>how evenly all who share the bottleneck had it in that time: 1 is \
     evenly</dd>\n\
     <dt>skew</dt><dd>how long after its sound a cue was shown; negative is before it</dd>\n\
     <dt>best peer, Roc, reference</dt><dd>measured once through the same emulator: the best of \
     GStreamer (RTX, RED, ULPFEC, ST 2022-1), SRT and RIST; Roc 0.4 at 200 ms on top of the path; \
     and an unlimited sliding-window code with isochronous NACK</dd>\n\
     </dl>\n</section>\n"
        .to_owned()
}
