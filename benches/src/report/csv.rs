//! `results.csv`: a line a run.

use std::fmt::Write as _;

use cantus_qos::stats::trace::quoted;

use super::{CellKey, FIGURES, Results, Run};

/// The columns before the figures: which run it is.
const PLACE: [&str; 10] = [
    "link",
    "transport",
    "media",
    "latency",
    "protection",
    "beside",
    "for",
    "trace",
    "seed",
    "completed",
];

/// Every run as a line (RFC 4180): which cell and seed it was, whether it was played to its end,
/// then the figures under the names of the fields of [`Run`]. What is unknown is empty.
pub fn write(results: &Results) -> String {
    let names = PLACE.into_iter().chain(FIGURES.iter().map(|figure| figure.name));
    let mut csv = names.collect::<Vec<_>>().join(",") + "\n";
    for cell in &results.cells {
        for run in &cell.runs {
            csv += &line(&cell.key, cell.trace.as_deref(), run);
        }
    }
    csv
}

fn line(key: &CellKey, trace: Option<&str>, run: &Run) -> String {
    let CellKey { link, transport, media, latency, protection, beside, length } = key;
    let [beside, length, trace] =
        [beside.as_deref(), length.as_deref(), trace].map(Option::unwrap_or_default);
    let place = [link, transport, media, latency, protection, beside, length, trace];
    let mut line = place.map(quoted).join(",");
    let _ = write!(line, ",{},{}", run.seed, run.completed);
    for figure in FIGURES {
        line.push(',');
        if let Some(value) = figure.of(run) {
            let _ = write!(line, "{value}");
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CellResult;

    /// The cells of one line, read as RFC 4180 has it.
    fn cells(line: &str) -> Vec<String> {
        let (mut cells, mut cell, mut inside) = (Vec::new(), String::new(), false);
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if inside && letters.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => inside = !inside,
                ',' if !inside => cells.push(std::mem::take(&mut cell)),
                letter => cell.push(letter),
            }
        }
        cells.push(cell);
        cells
    }

    #[test]
    fn every_run_is_a_line_and_every_figure_comes_back_to_the_last_bit() {
        let link = "delay 1ms, \"odd\"";
        let key = CellKey {
            link: link.to_owned(),
            transport: "quic".to_owned(),
            media: "tone".to_owned(),
            latency: "auto".to_owned(),
            protection: "20+10".to_owned(),
            beside: Some("udp, cubic".to_owned()),
            length: Some("1m".to_owned()),
        };
        let runs: Vec<Run> = (1..=2)
            .map(|seed| Run {
                seed,
                expected: 3_000 + seed,
                residual: Some(0.1 + 0.2 / seed as f64),
                skew_max_ms: Some(-0.001),
                quic_framing_bytes: Some(-3),
                ..Run::default()
            })
            .collect();
        let results = Results::new(vec![CellResult::new(key, None, runs.clone())]);
        let csv = write(&results);
        let lines: Vec<Vec<String>> = csv.lines().map(cells).collect();
        assert_eq!(lines.len(), 3);
        for (cells, run) in lines[1..].iter().zip(&runs) {
            assert_eq!(cells.len(), lines[0].len());
            assert_eq!(cells[0], link);
            let (place, figures) = cells.split_at(PLACE.len());
            assert_eq!(place[5..], ["udp, cubic", "1m", "", &run.seed.to_string(), "false"]);
            for (cell, figure) in figures.iter().zip(FIGURES) {
                let value = (!cell.is_empty()).then(|| cell.parse().unwrap());
                assert_eq!(value, figure.of(run), "{}", figure.name);
            }
        }
    }
}
