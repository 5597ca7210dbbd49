//! What a matrix runs, written as TOML.

mod seeds;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use cantus_player::wish::{Carrier, Latency};
use cantus_qos::quantity::parse_duration;
use cantus_qos::spec::{Protection, QosSpec};
use serde::{Deserialize, Deserializer, de};

pub use seeds::Seeds;

use super::cell::Cell;
use crate::link::{LinkError, LinkSpec, TraceSource};
use crate::plan::{Company, Mistake};

/// The longest plan that is read.
const MAX_PLAN_BYTES: u64 = 1 << 20;
/// The most sessions that one matrix runs: days of computing.
const MAX_SESSIONS: usize = 100_000;

/// Everything that is to be combined with everything else.
///
/// ```
/// use cantus_bench::matrix::MatrixPlan;
///
/// let plan: MatrixPlan = r#"
///     links = ["wifi", "bursty"]
///     transports = ["udp", "quic"]
///     media = ["media-samples/narration"]
///     latencies = ["150ms", "200ms"]
///     protection = ["auto"]
///     seeds = 5
///     for = "60s"
/// "#
/// .parse()?;
/// assert_eq!(plan.cells().len(), 8);
/// # Ok::<(), cantus_bench::matrix::MatrixError>(())
/// ```
///
/// | key | value | if absent |
/// |---|---|---|
/// | `links` | standing links or words of tc-netem(8), as in a plan of one session | must be there |
/// | `media` | presentations: a media directory, then the name; `synthetic` is a melody | must be there |
/// | `transports` | `udp`, `quic` | both |
/// | `latencies` | `auto`, `stored` or a time | `200ms` |
/// | `protection` | `auto`, `off`, a block such as `20+10`, or a sliding window such as `sliding:80%/150ms` | `auto` |
/// | `beside` | who else crosses the path, as in a plan of one session: see [`Company`] | nobody |
/// | `promise` | terms such as `loss<=1%`, as in `--qos`, for all sessions | nothing beside the latency |
/// | `seeds` | how many, from 1 on, or a list of them | 5 |
/// | `for` | how much is played | to the end |
///
/// Keys that no matrix has are refused: a misspelt one would measure something else.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatrixPlan {
    /// The networks.
    #[serde(deserialize_with = "texts")]
    pub links: Vec<NamedLink>,
    /// The presentations.
    pub media: Vec<PathBuf>,
    /// What carries the media.
    #[serde(default = "both_transports")]
    pub transports: Vec<Transport>,
    /// From sending to being heard.
    #[serde(default = "usual_latency", deserialize_with = "texts")]
    pub latencies: Vec<Latency>,
    /// Forward error correction.
    #[serde(default = "usual_protection", deserialize_with = "texts")]
    pub protection: Vec<Protection>,
    /// Who else crosses the path.
    #[serde(default = "nobody", deserialize_with = "texts")]
    pub beside: Vec<Company>,
    /// What is promised beside the latency.
    #[serde(default, deserialize_with = "text")]
    pub promise: QosSpec,
    /// What the luck of each run follows from.
    #[serde(default)]
    pub seeds: Seeds,
    /// How much is played; `None`: to the end.
    #[serde(default, rename = "for", deserialize_with = "span")]
    pub length: Option<Duration>,
}

/// A link, and what it is called in the results.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedLink {
    /// As the plan has it: the name of a standing link, words, or both.
    pub name: String,
    /// What it does.
    pub spec: LinkSpec,
}

/// What carries the media.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// RTP over UDP, controlled by RTSP over TCP.
    #[serde(alias = "rtsp")]
    Udp,
    /// RTP over QUIC.
    Quic,
}

/// Why a matrix cannot be run. Nothing has been started when one of these is given.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// The file or directory cannot be read.
    #[error("cannot read the matrix {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory without plans.
    #[error("there is no plan in {}: a matrix is a file `*.toml`", .0.display())]
    NoPlan(PathBuf),
    /// The text is not a matrix.
    #[error("{}not a matrix: {mistake}", place(path))]
    Malformed {
        /// The file, where it is one.
        path: Option<PathBuf>,
        /// What is wrong, and where.
        mistake: Mistake,
    },
    /// The plan says nothing.
    #[error("{}the plan is empty: a matrix has at least `links` and `media`", place(.0))]
    Empty(Option<PathBuf>),
    /// A list without entries: nothing would be run.
    #[error("{}`{key}` is empty: there would be nothing to run", place(path))]
    NoEntries {
        /// The file, where it is one.
        path: Option<PathBuf>,
        /// The key.
        key: &'static str,
    },
    /// The same cell more than once.
    #[error("{0} would be run twice: each value stands once in its list")]
    Twice(Box<Cell>),
    /// More sessions than anybody waits for.
    #[error("{0} sessions are too many: at most {MAX_SESSIONS} are run at once")]
    TooMany(usize),
    /// A link that cannot be.
    #[error("the link `{name}`: {cause}")]
    Link {
        /// As the plan has it.
        name: String,
        /// Why not.
        cause: LinkError,
    },
    /// There is no directory with real traces where one was named.
    #[error("there are no traces in {}: not a directory", .0.display())]
    NoTraces(PathBuf),
}

fn place(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or_else(String::new, |path| format!("{}: ", path.display()))
}

impl MatrixPlan {
    /// Reads the plan in a file of at most 1 MiB, or all plans `*.toml` in a directory, in the
    /// order of their names.
    ///
    /// # Errors
    ///
    /// [`MatrixError`].
    pub fn read(path: &Path) -> Result<Vec<Self>, MatrixError> {
        let unreadable = |source| MatrixError::Unreadable { path: path.to_owned(), source };
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Ok(vec![Self::read_file(path)?]);
        }
        let entries = std::fs::read_dir(path).map_err(unreadable)?;
        let entries: Result<Vec<_>, _> = entries.collect();
        let paths = entries.map_err(unreadable)?.into_iter().map(|entry| entry.path());
        let mut plans: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
        plans.sort();
        if plans.is_empty() {
            return Err(MatrixError::NoPlan(path.to_owned()));
        }
        plans.iter().map(|path| Self::read_file(path)).collect()
    }

    fn read_file(path: &Path) -> Result<Self, MatrixError> {
        let unreadable = |source| MatrixError::Unreadable { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_PLAN_BYTES {
            return Err(unreadable(io::Error::other(format!("{size} bytes are too many"))));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?, Some(path))
    }

    fn parse(text: &str, path: Option<&Path>) -> Result<Self, MatrixError> {
        let path = path.map(Path::to_owned);
        if text.parse::<toml::Table>().is_ok_and(|table| table.is_empty()) {
            return Err(MatrixError::Empty(path));
        }
        let plan: Self = match toml::from_str(text) {
            Ok(plan) => plan,
            Err(error) => {
                let mistake = Mistake::of(text, &error);
                return Err(MatrixError::Malformed { path, mistake });
            }
        };
        let lists = [
            ("links", plan.links.is_empty()),
            ("media", plan.media.is_empty()),
            ("transports", plan.transports.is_empty()),
            ("latencies", plan.latencies.is_empty()),
            ("protection", plan.protection.is_empty()),
            ("beside", plan.beside.is_empty()),
            ("seeds", matches!(&plan.seeds, Seeds::Count(0)) || plan.seeds.is_empty()),
        ];
        match lists.into_iter().find(|(_, empty)| *empty) {
            Some((key, _)) => Err(MatrixError::NoEntries { path, key }),
            None => Ok(plan),
        }
    }

    /// The same, with the real delivery traces where `directory` has them.
    #[must_use]
    pub fn with_traces_from(mut self, directory: &Path) -> Self {
        for link in &mut self.links {
            link.spec = link.spec.clone().with_traces_from(directory);
        }
        self
    }

    /// Every combination, without seeds: media, then link, transport, latency, protection and who
    /// is beside, the last of them changing fastest.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for media in &self.media {
            for link in &self.links {
                for &transport in &self.transports {
                    for &latency in &self.latencies {
                        for &protection in &self.protection {
                            cells.extend(self.beside.iter().map(|company| Cell {
                                media: media.clone(),
                                link: link.clone(),
                                transport,
                                latency,
                                protection,
                                company: company.clone(),
                                promise: self.promise,
                                length: self.length,
                            }));
                        }
                    }
                }
            }
        }
        cells
    }
}

/// Every cell of all plans with its seeds, or why they cannot be run together.
///
/// # Errors
///
/// [`MatrixError::Twice`], [`MatrixError::TooMany`], [`MatrixError::Link`].
pub(super) fn lay_out(
    plans: &[MatrixPlan],
    seeds: Option<&Seeds>,
) -> Result<Vec<(Cell, Vec<u64>)>, MatrixError> {
    let mut all: Vec<(Cell, Vec<u64>)> = Vec::new();
    let mut known = BTreeSet::new();
    let mut sessions = 0usize;
    for plan in plans {
        let seeds = seeds.unwrap_or(&plan.seeds);
        let cells = plan.cells();
        sessions = sessions.saturating_add(cells.len().saturating_mul(seeds.len()));
        if sessions > MAX_SESSIONS {
            return Err(MatrixError::TooMany(sessions));
        }
        for cell in cells {
            if !known.insert(cell.key()) {
                return Err(MatrixError::Twice(Box::new(cell)));
            }
            all.push((cell, seeds.list()));
        }
    }
    for link in plans.iter().flat_map(|plan| &plan.links) {
        link.check()?;
    }
    Ok(all)
}

impl NamedLink {
    /// Whether it can be: numbers in their range, and a trace that can be read.
    fn check(&self) -> Result<(), MatrixError> {
        let built = crate::link::Link::new(&self.spec, 1);
        built.map(drop).map_err(|cause| MatrixError::Link { name: self.name.clone(), cause })
    }

    /// The delivery trace that drives it: `generated`, or the name of the file.
    pub fn trace(&self) -> Option<String> {
        match self.spec.trace.as_ref()? {
            TraceSource::Generated(_) => Some("generated".to_owned()),
            TraceSource::File(path) => Some(path.file_name()?.to_string_lossy().into_owned()),
        }
    }
}

impl FromStr for MatrixPlan {
    type Err = MatrixError;

    fn from_str(text: &str) -> Result<Self, MatrixError> {
        Self::parse(text, None)
    }
}

impl FromStr for NamedLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        Ok(Self { name: text.trim().to_owned(), spec: text.parse()? })
    }
}

impl Transport {
    /// As results name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Quic => "quic",
        }
    }
}

impl From<Transport> for Carrier {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Quic => Self::Quic,
        }
    }
}

fn both_transports() -> Vec<Transport> {
    vec![Transport::Udp, Transport::Quic]
}

fn usual_latency() -> Vec<Latency> {
    vec![Latency::Fixed(Duration::from_millis(200))]
}

fn usual_protection() -> Vec<Protection> {
    vec![Protection::Auto]
}

fn nobody() -> Vec<Company> {
    vec![Company::none()]
}

fn texts<'de, T, D>(input: D) -> Result<Vec<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let texts = Vec::<String>::deserialize(input)?;
    texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
}

fn text<'de, T, D>(input: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    String::deserialize(input)?.parse().map_err(de::Error::custom)
}

fn span<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(input)?;
    parse_duration(&text).map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests;
