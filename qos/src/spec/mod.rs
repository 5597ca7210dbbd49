//! What is promised: the terms of a session, who may have them, and how streams are described.
//!
//! A [`QosSpec`] says what a user wants or a streamer grants. [`admission`] decides whether there
//! is room for it, [`sdp`] describes the streams that it is about. A [`PromiseWatch`] follows it
//! while it lasts; what came of it is told by [`stats::report`](crate::stats::report).

pub mod admission;
mod contract;
mod protection;
pub mod sdp;
#[cfg(test)]
mod tests;
mod watch;

pub use protection::{Protection, ProtectionError, Sliding};
pub use watch::{Breach, Breaches, PromiseWatch};

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::quantity::{
    Bitrate, QuantityError, duration_text, excerpt, parse_duration, parse_share, share_text,
};

/// How a presentation is delivered.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum Mode {
    /// The end-to-end delay is the promise; units leave when their time has come.
    Live,
    /// The streamer runs ahead of the media clock, and losses have seconds to be repaired.
    Stored,
    /// Whatever the network gives; nothing is promised.
    BestEffort,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Stored => "stored",
            Self::BestEffort => "best-effort",
        })
    }
}

impl FromStr for Mode {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        match text {
            "live" => Ok(Self::Live),
            "stored" => Ok(Self::Stored),
            "best-effort" => Ok(Self::BestEffort),
            _ => Err(SpecError::Mode { text: excerpt(text) }),
        }
    }
}

/// The terms of a session, as wished or as granted; a term that is absent is not promised.
///
/// Written, it is the value of `--qos` and of the `Cantus-QoS` header:
///
/// ```
/// use cantus_qos::spec::QosSpec;
///
/// let spec: QosSpec = "delay<=200ms,jitter<=30ms,loss<=1%,rate<=160k".parse()?;
/// assert_eq!(spec.loss, Some(0.01));
/// assert_eq!(spec.to_string(), "delay<=200ms,jitter<=30ms,loss<=1%,rate<=160k");
/// # Ok::<(), cantus_qos::spec::SpecError>(())
/// ```
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct QosSpec {
    /// From the scheduled sending of a unit to its first sample leaving the sink, at most.
    pub delay: Option<Duration>,
    /// How far apart the delays of units may lie.
    pub jitter: Option<Duration>,
    /// The share of units, 0 to 1, that may not be played.
    pub loss: Option<f64>,
    /// How far related streams may be apart, either way.
    pub skew: Option<Duration>,
    /// From the request for a presentation to its first sound, at most.
    pub setup: Option<Duration>,
    /// What all streams of the session may take together, repair included.
    pub rate: Option<Bitrate>,
    /// How the presentation is to be delivered.
    pub mode: Option<Mode>,
}

/// Why a text is no [`QosSpec`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// A term is not of the form `name<=quantity`, or `mode=name`.
    #[error("`{term}` is not a term (write it like delay<=200ms or mode=stored)")]
    Malformed {
        /// The term, cut to its first characters.
        term: String,
    },
    /// There is no such term.
    #[error("unknown term `{name}` (known: delay, jitter, loss, skew, setup, rate, mode)")]
    Unknown {
        /// Its name, cut to its first characters.
        name: String,
    },
    /// A term stands twice.
    #[error("`{name}` stands twice")]
    Repeated {
        /// Its name.
        name: String,
    },
    /// There is no such mode.
    #[error("unknown mode `{text}` (known: live, stored, best-effort)")]
    Mode {
        /// What was read, cut to its first characters.
        text: String,
    },
    /// The quantity of a term cannot be read.
    #[error("{name}: {error}")]
    Quantity {
        /// The name of the term.
        name: String,
        /// What is wrong with its quantity.
        error: QuantityError,
    },
}

impl FromStr for QosSpec {
    type Err = SpecError;

    /// Reads terms separated by commas, in any order, each at most once; an empty text promises
    /// nothing.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut spec = Self::default();
        for term in text.split(',').map(str::trim).filter(|term| !term.is_empty()) {
            spec.read_term(term)?;
        }
        Ok(spec)
    }
}

impl QosSpec {
    fn read_term(&mut self, term: &str) -> Result<(), SpecError> {
        let malformed = || SpecError::Malformed { term: excerpt(term) };
        let (name, value) = match term.split_once("<=") {
            Some(pair) => pair,
            None => term.split_once('=').ok_or_else(malformed)?,
        };
        let (name, value) = (name.trim_end(), value.trim_start());
        if (name == "mode") == term.contains("<=") {
            return Err(malformed());
        }
        let wrong = |error| SpecError::Quantity { name: name.to_owned(), error };
        let duration = || parse_duration(value).map_err(wrong);
        match name {
            "delay" => set(&mut self.delay, name, duration()?),
            "jitter" => set(&mut self.jitter, name, duration()?),
            "loss" => set(&mut self.loss, name, parse_share(value).map_err(wrong)?),
            "skew" => set(&mut self.skew, name, duration()?),
            "setup" => set(&mut self.setup, name, duration()?),
            "rate" => set(&mut self.rate, name, value.parse().map_err(wrong)?),
            "mode" => set(&mut self.mode, name, value.parse()?),
            _ => Err(SpecError::Unknown { name: excerpt(name) }),
        }
    }
}

fn set<T>(term: &mut Option<T>, name: &str, value: T) -> Result<(), SpecError> {
    match term.replace(value) {
        Some(_) => Err(SpecError::Repeated { name: name.to_owned() }),
        None => Ok(()),
    }
}

impl fmt::Display for QosSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_most = |name, text: Option<String>| text.map(|text| format!("{name}<={text}"));
        let terms = [
            at_most("delay", self.delay.map(duration_text)),
            at_most("jitter", self.jitter.map(duration_text)),
            at_most("loss", self.loss.map(share_text)),
            at_most("skew", self.skew.map(duration_text)),
            at_most("setup", self.setup.map(duration_text)),
            at_most("rate", self.rate.map(rate_text)),
            self.mode.map(|mode| format!("mode={mode}")),
        ];
        f.write_str(&terms.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

fn rate_text(rate: Bitrate) -> String {
    match rate.as_bps() {
        bps if bps > 0 && bps.is_multiple_of(1_000) => format!("{}k", bps / 1_000),
        bps => bps.to_string(),
    }
}
