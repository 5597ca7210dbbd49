//! The catalogue: a media directory as a list of presentations.
//!
//! `narration.wav` with `narration.en.vtt` and `narration.fr.vtt` beside it is the presentation
//! `narration`; a folder `duet` with `1.wav` and `2.wav` is one with two audio tracks. The
//! directory is looked through anew each time, so that files may come, change and go.
//!
//! One bad file never hides the others: it is left out and named with its reason, in the list and
//! in the presentation it belongs to. Only a presentation without any sound cannot be opened.
//!
//! Everything here reads files and may take a while: call it where waiting is allowed.

mod contents;
mod directory;
mod error;
mod listing;
mod manifest;
mod memory;
mod presentation;
mod shelf;
mod wav;
pub mod webvtt;

pub use error::{CatalogueError, WavProblem};
pub use listing::{Entry, Listing, Skipped, TrackSummary};
pub use manifest::Manifest;
pub(crate) use presentation::to_i16;
pub use presentation::{AudioTrack, Presentation, Samples, TextTrack};
pub(crate) use shelf::Shelf;

use contents::Contents;
use directory::Directory;
use memory::Memory;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Bytes that the samples of all presentations in use may take together: three hours of stereo
/// at 48 kHz and 16 bit.
pub const DEFAULT_MEMORY: u64 = 2 << 30;

/// Bytes in a presentation name: what file systems allow.
const MAX_NAME_BYTES: usize = 255;

/// The presentations in a media directory.
#[derive(Debug)]
pub struct Catalogue {
    root: PathBuf,
    memory: Memory,
    in_use: Shelf<String, Presentation>,
}

impl Catalogue {
    /// The catalogue of the directory `dir`. Nothing in it is read yet.
    ///
    /// # Errors
    ///
    /// [`Io`](CatalogueError::Io) and [`NotADirectory`](CatalogueError::NotADirectory).
    pub fn open(dir: &Path) -> Result<Self, CatalogueError> {
        let root = std::fs::canonicalize(dir)
            .map_err(|source| CatalogueError::Io { path: dir.to_owned(), source })?;
        if !root.is_dir() {
            return Err(CatalogueError::NotADirectory { path: dir.to_owned() });
        }
        Ok(Self { root, memory: Memory::new(DEFAULT_MEMORY), in_use: Shelf::default() })
    }

    /// The catalogue around one presentation, and its name: a WAV file, or a folder of them.
    /// Subtitles and manifest are looked for beside it.
    ///
    /// # Errors
    ///
    /// [`Io`](CatalogueError::Io) where there is no such file,
    /// [`NotAPresentation`](CatalogueError::NotAPresentation) where it is neither.
    pub fn around(path: &Path) -> Result<(Self, String), CatalogueError> {
        let real = std::fs::canonicalize(path)
            .map_err(|source| CatalogueError::Io { path: path.to_owned(), source })?;
        let is_wav =
            real.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav"));
        let name = if real.is_dir() { real.file_name() } else { real.file_stem() };
        match (real.parent(), name.and_then(|name| name.to_str())) {
            (Some(parent), Some(name)) if is_wav || real.is_dir() => {
                Ok((Self::open(parent)?, name.to_owned()))
            }
            _ => Err(CatalogueError::NotAPresentation { path: path.to_owned() }),
        }
    }

    /// The same with `bytes` of memory for samples instead of [`DEFAULT_MEMORY`].
    #[must_use]
    pub fn with_memory(self, bytes: u64) -> Self {
        Self { memory: Memory::new(bytes), ..self }
    }

    /// All presentations by name, and all files that were left out. Reads headers and subtitles,
    /// no samples.
    ///
    /// # Errors
    ///
    /// [`Io`](CatalogueError::Io), if the directory itself cannot be read.
    pub fn list(&self) -> Result<Listing, CatalogueError> {
        let mut directory = Directory::scan(&self.root)?;
        let (mut presentations, mut skipped) = (Vec::new(), Vec::new());
        for name in directory.names() {
            match directory.take(&self.root, &name).and_then(Contents::read) {
                Ok(contents) => {
                    presentations.push(contents.entry(name));
                    skipped.extend(contents.skipped);
                }
                Err(error) => skipped.push(error.into()),
            }
        }
        skipped.append(&mut directory.skipped);
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Listing { presentations, skipped })
    }

    /// The presentation `name`, with all its samples in memory: the same one for all who hold it
    /// while its files do not change.
    ///
    /// # Errors
    ///
    /// [`BadName`](CatalogueError::BadName), [`Unknown`](CatalogueError::Unknown),
    /// [`OutOfMemory`](CatalogueError::OutOfMemory), and whatever keeps its only sound from being
    /// read.
    pub fn presentation(&self, name: &str) -> Result<Arc<Presentation>, CatalogueError> {
        check_name(name)?;
        let sources = Directory::scan(&self.root)?.take(&self.root, name)?;
        let stamp = sources.stamp();
        self.in_use.get_or_make(
            name.to_owned(),
            |presentation| presentation.stamp == stamp,
            || Contents::read(sources)?.load(name, stamp.clone(), &self.memory),
        )
    }
}

/// Whether `name` is one plain path component that is not hidden.
fn check_name(name: &str) -> Result<(), CatalogueError> {
    let mut components = Path::new(name).components();
    let single = matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(component)), None) if component == name
    );
    let plain = !name.starts_with('.')
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control)
        && name.len() <= MAX_NAME_BYTES;
    if single && plain { Ok(()) } else { Err(CatalogueError::BadName { name: name.to_owned() }) }
}

#[cfg(test)]
mod tests;
