//! Scenario plans: one session across one link, written as TOML.
//!
//! ```
//! use cantus_bench::plan::Plan;
//!
//! let plan: Plan = r#"
//!     seed = 7
//!     link = "bursty"
//!     media = "media-samples/narration"
//!     transport = "quic"
//!     latency = "200ms"
//!     promise = "delay<=200ms,loss<=1%"
//!     fec = "auto"
//!     for = "60s"
//! "#
//! .parse()?;
//! assert_eq!(plan.seed, 7);
//! # Ok::<(), cantus_bench::plan::PlanError>(())
//! ```
//!
//! | key | value | if absent |
//! |---|---|---|
//! | `link` | a standing link, words of tc-netem(8), or both: see [`LinkSpec`] | must be there |
//! | `media` | the presentation: a media directory, then its name | must be there |
//! | `seed` | what the network's luck follows from | 1 |
//! | `back` | as `link`, for the way from player to streamer | as `link` |
//! | `transport` | `quic` or `rtsp` | `quic` |
//! | `latency` | `auto`, `stored` or a time | `auto` |
//! | `promise` | as in `--qos` | nothing is promised |
//! | `fec` | `auto`, `off`, a block such as `20+10`, or a sliding window such as `sliding:80%/150ms` | `auto` |
//! | `for` | how much is played | to the end |
//! | `beside` | who else crosses the path, in virtual time: see [`Company`] | nobody |
//!
//! A link may change while it is crossed; each change stands at the end of the plan:
//!
//! ```toml
//! [[change]]
//! at = "20s"
//! link = "bursty"
//! ```
//!
//! Keys that no plan has are refused: a misspelt one would measure something else.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use cantus_player::wish::Latency;
use cantus_qos::quantity::{duration_text, parse_duration};
use cantus_qos::spec::Protection;
use cantus_qos::spec::QosSpec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::link::{Change, LinkSpec, PathSpec};

mod company;
mod mistake;

#[cfg(test)]
mod tests;

pub use company::{Company, CompanyError, Congestion, Flow, Neighbour};
pub use mistake::Mistake;

/// The longest plan that is read.
const MAX_PLAN_BYTES: u64 = 1 << 20;

/// One session across one link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What the luck of the network follows from.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The network between the two ends, as the media meet it.
    pub link: LinkSpec,
    /// The way from the player to the streamer, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<LinkSpec>,
    /// The presentation: the path of a media directory, and in it the presentation's name.
    pub media: PathBuf,
    /// What carries the media.
    #[serde(default)]
    pub transport: Transport,
    /// From sending to being heard.
    #[serde(default, with = "text")]
    pub latency: Latency,
    /// What is promised.
    #[serde(default, with = "text")]
    pub promise: QosSpec,
    /// Forward error correction.
    #[serde(default, with = "text")]
    pub fec: Protection,
    /// How much is played; `None`: to the end.
    #[serde(
        default,
        rename = "for",
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_span",
        deserialize_with = "read_span"
    )]
    pub length: Option<Duration>,
    /// Who else crosses the path.
    #[serde(default, with = "text", skip_serializing_if = "Company::is_empty")]
    pub beside: Company,
    /// Links that take the place of `link` and `back` later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub change: Vec<Change>,
}

/// What carries the media of a plan.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// RTP over QUIC.
    #[default]
    Quic,
    /// RTP over UDP, controlled by RTSP over TCP.
    Rtsp,
}

/// Why there is no such plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not a plan.
    #[error("not a plan: {0}")]
    Malformed(Mistake),
    /// The text says nothing.
    #[error("the plan is empty: it has at least `link` and `media`")]
    Empty,
    /// The media path does not end in the name of a presentation.
    #[error("`{}` does not name a presentation in a media directory", .0.display())]
    Media(PathBuf),
}

impl Plan {
    /// Reads a plan from a file of at most 1 MiB. Its `media` path stays as it is written,
    /// relative to wherever the bench runs.
    ///
    /// # Errors
    ///
    /// [`PlanError`].
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        let unreadable = |source| PlanError::Unreadable { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_PLAN_BYTES {
            return Err(unreadable(io::Error::other(format!("{size} bytes are too many"))));
        }
        std::fs::read_to_string(path).map_err(unreadable)?.parse()
    }

    /// The media directory and the name of the presentation in it.
    pub fn presentation(&self) -> Option<(&Path, &str)> {
        let name = self.media.file_name()?.to_str()?;
        let directory = self.media.parent()?;
        let here = Path::new(".");
        Some((if directory.as_os_str().is_empty() { here } else { directory }, name))
    }

    /// The two directions of the network, in virtual and in real time.
    pub fn path(&self) -> PathSpec {
        PathSpec { there: self.link.clone(), back: self.back.clone(), changes: self.change.clone() }
    }

    /// The same plan with other luck.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        if text.parse::<toml::Table>().is_ok_and(|table| table.is_empty()) {
            return Err(PlanError::Empty);
        }
        let malformed = |error| PlanError::Malformed(Mistake::of(text, &error));
        let plan: Self = toml::from_str(text).map_err(malformed)?;
        match plan.presentation() {
            Some(_) => Ok(plan),
            None => Err(PlanError::Media(plan.media)),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quic => "quic",
            Self::Rtsp => "rtsp",
        })
    }
}

fn default_seed() -> u64 {
    1
}

fn write_span<S: Serializer>(span: &Option<Duration>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&duration_text(span.unwrap_or_default()))
}

fn read_span<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(input)?;
    parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}

/// What has a text of its own is written as that text.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(input: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(input)?.parse().map_err(de::Error::custom)
    }
}
