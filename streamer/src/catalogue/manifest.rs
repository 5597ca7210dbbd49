//! `narration.toml`: what people should read instead of file names.
//!
//! ```toml
//! title = "A walk through the old town"
//!
//! [audio]                 # by file name without .wav
//! narration = "Guide"
//!
//! [subtitles]             # by language
//! fr = "Français"
//! ```

use super::error::CatalogueError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The contents of a manifest. Everything in it is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The title of the presentation.
    pub title: Option<String>,
    /// Names of audio tracks, by file name without `.wav`.
    #[serde(default)]
    pub audio: BTreeMap<String, String>,
    /// Names of subtitle tracks, by language.
    #[serde(default)]
    pub subtitles: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads `text`. `path` is its name in errors.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, CatalogueError> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            CatalogueError::BadManifest {
                path: path.to_owned(),
                line: text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1,
                reason: error.message().replace('\n', " "),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(text, Path::new("a.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn titles_and_track_names_are_read() {
        let manifest = parse("title = 'T'\n[audio]\n1 = 'Violin'\n[subtitles]\nfr = 'Français'");
        let manifest = manifest.unwrap();
        assert_eq!(manifest.title.as_deref(), Some("T"));
        assert_eq!(manifest.audio["1"], "Violin");
        assert_eq!(manifest.subtitles["fr"], "Français");
    }

    #[test]
    fn an_empty_manifest_says_nothing() {
        assert_eq!(parse("").unwrap(), Manifest::default());
    }

    #[test]
    fn errors_are_one_line_with_file_and_line_number() {
        for text in ["title = 'T'\ntitel = 'x'\n", "title = 'T'\n[audio\n", "# one\ntitle = 3\n"] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("a.toml, line 2: "), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
