//! One combination of a matrix.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use cantus_player::wish::Latency;
use cantus_qos::quantity::duration_text;
use cantus_qos::spec::{Protection, QosSpec};
use cantus_qos::time::MediaTime;

use super::plan::{NamedLink, Transport};
use crate::plan::Company;
use crate::report::CellKey;
use crate::sim::{Capture, Media, Scenario};

/// One combination of a matrix: a session for each seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// A media directory, then the name of the presentation; `synthetic` is a melody.
    pub media: PathBuf,
    /// The network.
    pub link: NamedLink,
    /// What carries the media.
    pub transport: Transport,
    /// From sending to being heard.
    pub latency: Latency,
    /// Forward error correction.
    pub protection: Protection,
    /// Who else crosses the path.
    pub company: Company,
    /// What is promised beside the latency.
    pub promise: QosSpec,
    /// How much is played; `None`: to the end.
    pub length: Option<Duration>,
}

impl Cell {
    /// By what it is known in the results.
    pub fn key(&self) -> CellKey {
        CellKey {
            link: self.link.name.clone(),
            transport: self.transport.name().to_owned(),
            media: self.media.display().to_string(),
            latency: self.terms(),
            protection: self.protection.to_string(),
            beside: (!self.company.is_empty()).then(|| self.company.to_string()),
            length: self.length.map(duration_text),
        }
    }

    /// The latency, and what is promised beside it.
    fn terms(&self) -> String {
        match self.promise == QosSpec::default() {
            true => self.latency.to_string(),
            false => format!("{} {}", self.latency, self.promise),
        }
    }

    /// The name of the presentation in its directory.
    pub(super) fn presentation(&self) -> String {
        let name = self.media.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Whether the media is made up.
    pub(super) fn is_synthetic(&self) -> bool {
        self.media.as_os_str() == Media::SYNTHETIC
    }

    /// The session of this cell with the luck of `seed`.
    pub fn scenario(&self, seed: u64) -> Scenario {
        let spec = self.link.spec.clone();
        Scenario {
            seed,
            latency: self.latency,
            protection: self.protection,
            promise: self.promise,
            length: self.length.map(MediaTime::from_duration),
            company: self.company.clone(),
            capture: Capture { fates: true, packets: true, sound: false },
            ..Scenario::new(spec, &self.presentation(), self.transport.into())
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().fmt(f)
    }
}
