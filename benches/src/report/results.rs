//! `results.json`: what a matrix came to.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Estimate, FIGURES, Figure, Run};

/// Version of the document's layout.
pub const VERSION: u32 = 1;
/// The largest document that is read.
const MAX_BYTES: u64 = 256 << 20;

/// The results of a matrix: one JSON document, the same to the last byte however many cores
/// computed it.
///
/// ```text
/// { "version": 1,
///   "cells": [ { "link": "bursty", "transport": "udp", "media": "media-samples/narration",
///                "latency": "200ms", "protection": "auto", "for": "1m", "trace": null,
///                "figures": { "residual": {"mean": 0.0123, "low": 0.01, "high": 0.014, "runs": 5}, ... },
///                "runs": [ {"seed": 1, "completed": true, "expected": 3000, ...}, ... ] }, ... ] }
/// ```
///
/// The figures of a cell and of a run have the names of the fields of [`Run`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Version of this layout, [`VERSION`].
    pub version: u32,
    /// The cells, in the order of the plan.
    pub cells: Vec<CellResult>,
}

/// One combination of a matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// Which one.
    #[serde(flatten)]
    pub key: CellKey,
    /// The delivery trace that drove the link: `generated`, or the name of the file of a real
    /// one; `null` where there was none.
    pub trace: Option<String>,
    /// Each figure that is known of any run, over the seeds.
    pub figures: BTreeMap<String, Estimate>,
    /// The runs, in the order of the seeds.
    pub runs: Vec<Run>,
}

/// By what a cell is known.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
pub struct CellKey {
    /// A standing link, words of tc-netem(8), or both.
    pub link: String,
    /// `udp`, `quic`, or the name of a peer.
    pub transport: String,
    /// What was played.
    pub media: String,
    /// `auto`, `stored` or a time; then what was promised beside it, if anything was.
    pub latency: String,
    /// `auto`, `off` or a block.
    pub protection: String,
    /// Who else crossed the path; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// How much was played; `null`: all of it.
    #[serde(rename = "for")]
    pub length: Option<String>,
}

/// Why there are no results.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The file cannot be read.
    #[error("cannot read the results {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} holds no results of a matrix: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// A layout of another time.
    #[error("{} has version {version} of results.json; this is version {VERSION}: run the matrix again", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

impl Results {
    /// The results of these cells.
    pub fn new(cells: Vec<CellResult>) -> Self {
        Self { version: VERSION, cells }
    }

    /// Reads a document of at most 256 MiB.
    ///
    /// # Errors
    ///
    /// [`ResultsError`].
    pub fn read(path: &Path) -> Result<Self, ResultsError> {
        let unreadable = |source| ResultsError::Unreadable { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_BYTES {
            return Err(unreadable(io::Error::other(format!("{size} bytes are too many"))));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let results: Self = serde_json::from_str(&text)
            .map_err(|source| ResultsError::Malformed { path: path.to_owned(), source })?;
        match results.version {
            VERSION => Ok(results),
            version => Err(ResultsError::Version { path: path.to_owned(), version }),
        }
    }

    /// The document, with a line for each cell's figures and each run, so that two of them can be
    /// told apart line by line.
    pub fn to_json(&self) -> String {
        let mut json = format!("{{\n\"version\": {},\n\"cells\": [\n", self.version);
        for (index, cell) in self.cells.iter().enumerate() {
            json += if index == 0 { "" } else { ",\n" };
            let bare = CellResult { runs: Vec::new(), ..cell.clone() };
            let head = line(&bare);
            json += head.strip_suffix("[]}").expect("a cell ends in its runs");
            for (index, run) in cell.runs.iter().enumerate() {
                json += if index == 0 { "[\n" } else { ",\n" };
                json += &line(run);
            }
            json += if cell.runs.is_empty() { "[]}" } else { "\n]}" };
        }
        json += "\n]\n}\n";
        json
    }

    /// How many sessions it took.
    pub fn sessions(&self) -> usize {
        self.cells.iter().map(|cell| cell.runs.len()).sum()
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text, numbers and maps with whole keys are always JSON")
}

impl CellResult {
    /// The result of these runs.
    pub fn new(key: CellKey, trace: Option<String>, runs: Vec<Run>) -> Self {
        let estimate = |figure: &Figure| {
            let values: Vec<f64> = runs.iter().filter_map(|run| figure.of(run)).collect();
            let estimate = Estimate::of(&values)?;
            // Cues may come before their sound, and what QUIC dropped before sending it saved.
            let signed = figure.name.starts_with("skew") || figure.name.starts_with("quic");
            Some(if signed { estimate } else { estimate.at_least_zero() })
        };
        let figures = FIGURES
            .iter()
            .filter_map(|figure| Some((figure.name.to_owned(), estimate(figure)?)))
            .collect();
        Self { key, trace, figures, runs }
    }

    /// A figure of it over the seeds.
    pub fn figure(&self, name: &str) -> Option<&Estimate> {
        self.figures.get(name)
    }

    /// The mean of a figure.
    pub fn mean(&self, name: &str) -> Option<f64> {
        self.figure(name).map(|estimate| estimate.mean)
    }

    /// Runs of lost units over all seeds: as the network lost them, and as they were not heard.
    pub fn runs_of_losses(&self) -> (BTreeMap<u32, u64>, BTreeMap<u32, u64>) {
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        for run in &self.runs {
            for (from, to) in [(&run.loss_runs, &mut before), (&run.residual_runs, &mut after)] {
                for (length, count) in from {
                    *to.entry(*length).or_default() += count;
                }
            }
        }
        (before, after)
    }
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { link, transport, media, latency, protection, beside, length } = self;
        let name = Path::new(media).file_name().unwrap_or_default().to_string_lossy();
        write!(f, "{link}, {transport}, {name}, {latency}, repair {protection}")?;
        beside.iter().try_for_each(|beside| write!(f, ", beside {beside}"))?;
        length.iter().try_for_each(|length| write!(f, ", {length}"))
    }
}

#[cfg(test)]
mod tests;
