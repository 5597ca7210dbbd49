//! The figures of all peers: as a table for people, as CSV and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use cantus_qos::quantity::duration_text;
use serde::Serialize;

use super::passage::Passage;

/// What one peer came to on one link with one latency and one seed.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The peer.
    pub peer: &'static str,
    /// Its version, where it tells it.
    pub version: Option<String>,
    /// The link, as the user named it.
    pub link: String,
    /// By when a frame had to be handed over, in milliseconds.
    pub latency_ms: f64,
    /// What the luck of the link followed from.
    pub seed: u64,
    /// How it was measured.
    pub method: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a trial.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was measured.
    Measured(Passage),
    /// It is not on this machine, or cannot be measured; why.
    Absent(String),
    /// It could have been measured, but something went wrong; what.
    Failed(String),
}

const CSV_HEAD: &str = "peer,version,link,latency_ms,seed,method,outcome,frames,missing,late,share,\
                        overhead,feedback,delay_p50_ms,delay_p95_ms,delay_max_ms,lateness_p99_ms\n";

/// One JSON array with an object a row.
pub fn to_json(rows: &[Row]) -> String {
    let mut json = serde_json::to_string_pretty(rows).expect("rows have only names for keys");
    json.push('\n');
    json
}

/// A head, and a line a row. What was not measured has no figures, and the reason as its outcome.
pub fn to_csv(rows: &[Row]) -> String {
    let mut csv = CSV_HEAD.to_owned();
    for row in rows {
        let version = row.version.as_deref().unwrap_or_default();
        let place = [row.peer, version, &row.link].map(quoted).join(",");
        let Row { latency_ms, seed, method, .. } = row;
        let (outcome, figures) = match &row.outcome {
            Outcome::Measured(passage) => ("measured".to_owned(), csv_figures(passage)),
            Outcome::Absent(why) => (quoted(&format!("absent: {why}")), ",".repeat(9)),
            Outcome::Failed(why) => (quoted(&format!("failed: {why}")), ",".repeat(9)),
        };
        let method = quoted(method);
        writeln!(csv, "{place},{latency_ms},{seed},{method},{outcome},{figures}")
            .expect("a String takes what is written");
    }
    csv
}

fn csv_figures(passage: &Passage) -> String {
    let Passage { frames, missing, late, overhead, feedback, .. } = passage;
    let share = passage.share();
    let delays = [
        passage.delay_p50_ms,
        passage.delay_p95_ms,
        passage.delay_max_ms,
        passage.lateness.map(|lateness| lateness.as_secs_f64() * 1e3),
    ];
    let delays = delays.map(|ms| ms.map(|ms| format!("{ms:.3}")).unwrap_or_default()).join(",");
    format!("{frames},{missing},{late},{share:.6},{overhead:.4},{feedback:.4},{delays}")
}

/// A field of CSV (RFC 4180, section 2).
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

/// A table a link and latency, the seeds taken together; the best of the foreign peers is marked.
/// The column `bench` is by how much the bench itself was late for 99 of 100 packets: where that is
/// not small, the figures are not good.
pub fn to_text(rows: &[Row]) -> String {
    let mut settings = Vec::new();
    for row in rows {
        let setting = (row.link.as_str(), row.latency_ms);
        if !settings.contains(&setting) {
            settings.push(setting);
        }
    }
    let mut text = String::new();
    for (link, latency_ms) in settings {
        let latency = duration_text(Duration::from_secs_f64(latency_ms / 1e3));
        let here = rows.iter().filter(|row| row.link == link && row.latency_ms == latency_ms);
        writeln!(text, "\n{link}, frames handed over within {latency}\n").expect(TAKES);
        write_setting(&mut text, &here.collect::<Vec<_>>());
    }
    text
}

const TAKES: &str = "a String takes what is written";

/// What is shown of one peer: all of its seeds.
#[derive(Default)]
struct Line<'a> {
    version: &'a str,
    method: &'a str,
    frames: u64,
    missing: u64,
    late: u64,
    overhead: f64,
    feedback: f64,
    median: f64,
    lateness: Duration,
    measured: u32,
    troubles: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn add(&mut self, row: &'a Row) {
        self.version = row.version.as_deref().unwrap_or("-");
        self.method = row.method;
        match &row.outcome {
            Outcome::Measured(passage) => {
                self.frames += passage.frames;
                self.missing += passage.missing;
                self.late += passage.late;
                self.overhead += passage.overhead;
                self.feedback += passage.feedback;
                self.median += passage.delay_p50_ms.unwrap_or_default();
                self.lateness = self.lateness.max(passage.lateness.unwrap_or_default());
                self.measured += 1;
            }
            Outcome::Absent(why) | Outcome::Failed(why) => self.troubles.push(why),
        }
    }

    fn share(&self) -> Option<f64> {
        let bad = (self.missing + self.late) as f64;
        (self.measured > 0).then(|| bad / self.frames.max(1) as f64)
    }
}

fn write_setting(text: &mut String, rows: &[&Row]) {
    let mut lines: Vec<(&str, Line<'_>)> = Vec::new();
    let mut places = BTreeMap::new();
    for row in rows {
        let place = *places.entry(row.peer).or_insert_with(|| {
            lines.push((row.peer, Line::default()));
            lines.len() - 1
        });
        lines[place].1.add(row);
    }
    let ours = |peer: &str| peer == "bare" || peer.starts_with("cantus");
    let foreign = lines.iter().filter(|(peer, _)| !ours(peer));
    let best = foreign.filter_map(|(_, line)| line.share()).min_by(f64::total_cmp);
    writeln!(
        text,
        "  {:<15} {:>8} {:>7} {:>8} {:>6} {:>9} {:>9} {:>9} {:>9} {:>8}  measured",
        "peer",
        "version",
        "frames",
        "missing",
        "late",
        "not in",
        "overhead",
        "feedback",
        "median",
        "bench"
    )
    .expect(TAKES);
    for (peer, line) in &lines {
        write_line(text, peer, line, !ours(peer) && line.share() == best);
    }
}

fn write_line(text: &mut String, peer: &str, line: &Line<'_>, best: bool) {
    let Line { version, method, frames, missing, late, .. } = line;
    if let Some(share) = line.share() {
        let mean = |sum: f64| sum / f64::from(line.measured);
        let (overhead, feedback) = (mean(line.overhead) * 100.0, mean(line.feedback) * 100.0);
        let bench = line.lateness.as_secs_f64() * 1e3;
        let (mark, share, median) =
            (if best { '*' } else { ' ' }, share * 100.0, mean(line.median));
        writeln!(
            text,
            "{mark} {peer:<15} {version:>8} {frames:>7} {missing:>8} {late:>6} {share:>7.2} % \
             {overhead:>7.1} % {feedback:>7.1} % {median:>6.1} ms {bench:>5.1} ms  {method}"
        )
        .expect(TAKES);
    }
    for trouble in &line.troubles {
        writeln!(text, "  {peer:<15} {version:>8} NOT RUN: {trouble}").expect(TAKES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(peer: &'static str, seed: u64, missing: u64) -> Row {
        let passage = Passage {
            frames: 1000,
            missing,
            late: 5,
            overhead: 0.5,
            feedback: 0.1,
            delay_p50_ms: Some(40.25),
            lateness: Some(Duration::from_micros(125)),
            ..Passage::default()
        };
        Row {
            peer,
            version: Some("1.5.1".to_owned()),
            link: "delay 40ms, twice".to_owned(),
            latency_ms: 200.0,
            seed,
            method: "by its frames",
            outcome: Outcome::Measured(passage),
        }
    }

    fn trouble(peer: &'static str, outcome: Outcome) -> Row {
        Row { version: None, outcome, ..row(peer, 1, 0) }
    }

    #[test]
    fn seeds_are_taken_together_and_the_best_of_the_others_is_marked() {
        let rows = [
            row("cantus-udp", 1, 0),
            row("srt-arq", 1, 5),
            row("srt-arq", 2, 25),
            row("gst-plain", 1, 95),
            trouble("roc", Outcome::Absent("no roc-send".to_owned())),
        ];
        let text = to_text(&rows);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "delay 40ms, twice, frames handed over within 200ms");
        assert_eq!(
            lines[5].trim_end(),
            "* srt-arq            1.5.1    2000       30     10    2.00 %    50.0 %    10.0 %   \
             40.2 ms   0.1 ms  by its frames"
        );
        assert!(lines[4].starts_with("  cantus-udp "));
        assert!(lines[6].starts_with("  gst-plain "));
        assert_eq!(lines[7], "  roc                    - NOT RUN: no roc-send");
    }

    #[test]
    fn every_line_of_the_csv_has_as_many_fields_as_its_head() {
        let rows = [
            row("srt-arq", 1, 5),
            trouble("roc", Outcome::Absent("no roc-send".to_owned())),
            trouble("gst-rtx", Outcome::Failed("it said \"no\"".to_owned())),
        ];
        let csv = to_csv(&rows);
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(
            lines[1],
            "srt-arq,1.5.1,\"delay 40ms, twice\",200,1,by its frames,measured,1000,5,5,0.010000,\
             0.5000,0.1000,40.250,,,0.125"
        );
        assert!(lines[3].contains("\"failed: it said \"\"no\"\"\""));
        let fields = |line: &str| line.replace("40ms, twice", "").matches(',').count();
        assert!(lines.iter().all(|line| fields(line) == fields(lines[0])), "{csv}");
    }

    #[test]
    fn the_json_tells_of_each_row_what_became_of_it() {
        let rows = [row("srt-arq", 1, 5), trouble("roc", Outcome::Absent("gone".to_owned()))];
        let json: serde_json::Value = serde_json::from_str(&to_json(&rows)).unwrap();
        assert_eq!(json[0]["outcome"]["measured"]["missing"], 5);
        assert_eq!(json[0]["outcome"]["measured"]["lateness_p99_ms"], 0.125);
        assert_eq!(json[1]["outcome"]["absent"], "gone");
        assert_eq!(json[1]["version"], serde_json::Value::Null);
    }
}
