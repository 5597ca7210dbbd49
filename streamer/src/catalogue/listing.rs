//! The list of presentations, as `DESCRIBE /` answers it in JSON.

use super::error::CatalogueError;
use cantus_qos::time::MediaTime;
use serde::{Serialize, Serializer};
use std::fmt::Display;
use std::path::PathBuf;

/// What a media directory holds.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// Everything that can be played, by name.
    pub presentations: Vec<Entry>,
    /// Every file that was left out, by path.
    pub skipped: Vec<Skipped>,
}

/// A presentation in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The name in the URL.
    pub name: String,
    /// The title for people.
    pub title: String,
    /// How long the longest sound lasts; whole milliseconds in JSON.
    #[serde(rename = "duration_ms", serialize_with = "as_millis")]
    pub duration: MediaTime,
    /// Audio tracks in their order, then subtitles by language.
    pub tracks: Vec<TrackSummary>,
}

/// A track in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TrackSummary {
    /// A sound.
    Audio {
        /// The name for people.
        name: String,
        /// Sample rate in Hz.
        rate: u32,
        /// 1 or 2.
        channels: u8,
    },
    /// Subtitles.
    Text {
        /// The name for people.
        name: String,
        /// A language tag (BCP 47).
        language: String,
    },
}

/// A file that was left out.
#[derive(Debug, Serialize)]
pub struct Skipped {
    /// Its path in the media directory.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// Why; one line, which names the path too.
    #[serde(rename = "reason", serialize_with = "as_line")]
    pub error: CatalogueError,
}

impl From<CatalogueError> for Skipped {
    fn from(error: CatalogueError) -> Self {
        Self { path: error.path().to_owned(), error }
    }
}

fn as_millis<S: Serializer>(time: &MediaTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.as_millis())
}

fn as_text<S: Serializer>(path: &std::path::Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

fn as_line<S: Serializer>(line: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(line)
}
