//! The comparison, as people read it.

use std::fmt;

use super::{ALPHA, Finding, Measure, Trial};

/// The findings of all parameter sets.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<(String, Finding)>,
}

impl Table {
    /// Adds what was found with one set.
    pub fn extend(&mut self, set: &str, findings: Vec<Finding>) {
        self.rows.extend(findings.into_iter().map(|finding| (set.to_owned(), finding)));
    }

    /// The probability at which each row is judged.
    pub fn alpha(&self) -> f64 {
        ALPHA / self.rows.len().max(1) as f64
    }

    /// How many rows disagree.
    pub fn disagreements(&self) -> usize {
        self.rows.iter().filter(|(_, finding)| !self.agrees(finding)).count()
    }

    fn agrees(&self, finding: &Finding) -> bool {
        finding.trial.probability() >= self.alpha()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["set", "measure", "kernel", "ours", "apart", "bound", "verdict"];
        let mut lines = vec![columns.map(str::to_owned)];
        let mut previous = "";
        for (set, finding) in &self.rows {
            let set = if std::mem::replace(&mut previous, set) == set { "" } else { set };
            let verdict = if self.agrees(finding) { "agree" } else { "DISAGREE" };
            let (apart, bound) = distance(finding, self.alpha());
            let (kernel, ours) = (value(finding, finding.kernel), value(finding, finding.ours));
            let measure = finding.measure.name();
            lines.push([set, &measure, &kernel, &ours, &apart, &bound, verdict].map(str::to_owned));
        }
        for line in &lines {
            for (column, cell) in line.iter().enumerate() {
                let width = lines.iter().map(|line| line[column].chars().count()).max();
                let width = width.unwrap_or(0);
                match column {
                    0 | 1 => write!(f, "{cell:<width$}  ")?,
                    6 => writeln!(f, "{cell}")?,
                    _ => write!(f, "{cell:>width$}  ")?,
                }
            }
        }
        let (rows, alpha) = (self.rows.len(), self.alpha());
        let (disagree, blocks) = (self.disagreements(), super::trial::BLOCK);
        writeln!(
            f,
            "\n{rows} rows, {disagree} of which disagree. Two equal emulators disagree somewhere \
             with probability {ALPHA}:\neach row is tested at {alpha:.1e}. Shares: Welch's test \
             over blocks of {blocks} packets; runs: chi-square (degrees\nof freedom); gaps: \
             Kolmogorov and Smirnov; delays: normal."
        )
    }
}

impl Measure {
    fn name(self) -> String {
        match self {
            Self::Lost => "lost",
            Self::LossRun => "loss run",
            Self::Gap => "gap",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Delay { percent } => return format!("delay p{percent}"),
            Self::Correlation => "delay, lag 1",
        }
        .to_owned()
    }
}

fn value(finding: &Finding, value: f64) -> String {
    match finding.measure {
        Measure::LossRun | Measure::Gap | Measure::Correlation => format!("{value:.2}"),
        Measure::Delay { .. } => format!("{value:.2} ms"),
        _ => format!("{:.2} %", 100.0 * value),
    }
}

/// How far the two are apart, and how far they may be.
fn distance(finding: &Finding, alpha: f64) -> (String, String) {
    let bound = finding.trial.bound(alpha);
    match finding.trial {
        Trial::Difference { difference, .. } => {
            let sign = if difference < 0.0 { '-' } else { '+' };
            let apart = value(finding, difference.abs());
            (format!("{sign}{apart}"), format!("±{}", value(finding, bound)))
        }
        Trial::Lengths { statistic, freedom } => {
            (format!("χ² {statistic:.1}"), format!("{bound:.1} ({freedom})"))
        }
        Trial::Distribution { distance, .. } => (format!("D {distance:.4}"), format!("{bound:.4}")),
    }
}
