//! The promise, term by term.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::millis;

/// What a promise is about. All terms are upper limits.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Term {
    /// From sending to being heard, in milliseconds.
    Delay,
    /// Delay variation, in milliseconds.
    Jitter,
    /// Units not heard in time, as a fraction.
    Loss,
    /// Subtitles from their sound, either way, in milliseconds.
    Skew,
    /// From the start to the answer to PLAY, in milliseconds.
    Setup,
    /// Bit rate, in bit/s.
    Rate,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Delay => "delay",
            Self::Jitter => "jitter",
            Self::Loss => "loss",
            Self::Skew => "skew",
            Self::Setup => "setup",
            Self::Rate => "rate",
        })
    }
}

/// One term of the promise and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PromiseReport {
    /// What the promise is about; it gives the unit of the two values.
    pub term: Term,
    /// The limit that was promised: delay, jitter, skew and setup in ms, loss as a fraction, rate
    /// in bit/s.
    pub promised: f64,
    /// What was measured, in the same unit.
    pub measured: Option<f64>,
    /// Whether the measured value is within the limit; `null` if it was not measured.
    pub kept: Option<bool>,
    /// For how long the limit was exceeded; `null` if that was not measured.
    pub broken_for_ms: Option<f64>,
    /// When that was, the first times; what was exceeded again within a second stands as one.
    #[serde(default)]
    pub broken: Vec<Broken>,
}

/// A span in which a limit was exceeded, in milliseconds from the start.
#[derive(Copy, Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Broken {
    /// From here …
    pub from_ms: f64,
    /// … to here.
    pub until_ms: f64,
}

/// Terms that were changed while it played.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Renegotiation {
    /// When, in milliseconds from the start.
    pub at_ms: f64,
    /// Who wanted it.
    pub by: Party,
    /// The terms from then on, as `QosSpec` writes them. What was promised
    /// at the beginning is judged all the same.
    pub terms: String,
}

/// One end of a session.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The player, for which a promise cannot be kept.
    Player,
    /// The server, which has less to give, or more again.
    Server,
}

impl PromiseReport {
    /// The judgement on one term. A skew is measured against its limit without its sign.
    pub fn new(term: Term, promised: f64, measured: Option<f64>) -> Self {
        let measured = measured.filter(|measured| measured.is_finite());
        let kept = measured.map(|measured| match term {
            Term::Skew => measured.abs() <= promised,
            _ => measured <= promised,
        });
        let broken_for_ms = if kept == Some(true) { Some(0.0) } else { None };
        Self { term, promised, measured, kept, broken_for_ms, broken: Vec::new() }
    }

    /// The same with the spans in which the limit was exceeded.
    pub fn with_broken(self, broken: Vec<Broken>) -> Self {
        Self { broken, ..self }
    }

    /// The same with the time for which the limit was exceeded.
    pub fn with_broken_for(self, span: Duration) -> Self {
        Self { broken_for_ms: Some(millis(span.into())), ..self }
    }
}
