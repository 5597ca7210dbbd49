//! What can be wrong with a media directory, in one line each.

use super::webvtt::VttProblem;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a presentation, or one of its files, cannot be served.
///
/// Paths are relative to the media directory, so that the text can be shown to a client.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// No presentation has this name.
    #[error("there is no presentation {name:?}")]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The name is not one plain path component.
    #[error("{name:?} is not a presentation name: it must be one plain file name")]
    BadName {
        /// The name that was asked for, or found.
        name: String,
    },
    /// A link leads out of the media directory.
    #[error("{}: leads out of the media directory", path.display())]
    Outside {
        /// The link.
        path: PathBuf,
    },
    /// Neither a regular file nor a folder.
    #[error("{}: is not a regular file", path.display())]
    NotAFile {
        /// What it was.
        path: PathBuf,
    },
    /// The media directory is something else.
    #[error("{}: is not a directory", path.display())]
    NotADirectory {
        /// What it was.
        path: PathBuf,
    },
    /// A file that is no sound.
    #[error("{}: is neither a WAV file nor a folder of them", path.display())]
    NotAPresentation {
        /// What was named.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A sound file that cannot be played.
    #[error("{}: {reason}", path.display())]
    BadWav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: WavProblem,
    },
    /// A subtitle file that cannot be shown.
    #[error("{}, line {line}: {reason}", path.display())]
    BadVtt {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: VttProblem,
    },
    /// A manifest that cannot be read.
    #[error("{}, line {line}: {reason}", path.display())]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A text file far bigger than subtitles or a manifest can be.
    #[error("{}: has {bytes} bytes, at most {limit} are read", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The sound does not fit into the memory set aside for it.
    #[error(
        "{}: needs {needed} bytes of memory; of {limit} allowed, {in_use} are in use",
        path.display()
    )]
    OutOfMemory {
        /// The file.
        path: PathBuf,
        /// Bytes that its samples take.
        needed: u64,
        /// Bytes that all samples together may take.
        limit: u64,
        /// Bytes that other samples take now.
        in_use: u64,
    },
    /// A folder without a sound file.
    #[error("{}: has no WAV file", path.display())]
    NoSound {
        /// The folder.
        path: PathBuf,
    },
    /// A subtitle file or manifest beside which there is no sound of that name.
    #[error("{}: no WAV file goes with it", path.display())]
    Orphan {
        /// The file.
        path: PathBuf,
    },
    /// Two files or folders make the same presentation or track.
    #[error("{}: {name:?} is there already", path.display())]
    Taken {
        /// The file that was left out.
        path: PathBuf,
        /// The name or language that another file has.
        name: String,
    },
}

impl CatalogueError {
    /// The file or folder that it is about, or the name that was asked for.
    pub fn path(&self) -> &Path {
        match self {
            Self::Unknown { name } | Self::BadName { name } => Path::new(name),
            Self::Outside { path }
            | Self::NotAFile { path }
            | Self::NotADirectory { path }
            | Self::NotAPresentation { path }
            | Self::Io { path, .. }
            | Self::BadWav { path, .. }
            | Self::BadVtt { path, .. }
            | Self::BadManifest { path, .. }
            | Self::TooLong { path, .. }
            | Self::OutOfMemory { path, .. }
            | Self::NoSound { path }
            | Self::Orphan { path }
            | Self::Taken { path, .. } => path,
        }
    }
}

/// Why a file is not a sound that can be played.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WavProblem {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It does not begin as a WAV file does.
    #[error("not a WAV file")]
    NotWav,
    /// It ends before its samples begin.
    #[error("truncated: the file ends before its samples begin")]
    TruncatedHeader,
    /// It ends before its samples do.
    #[error("truncated: {present} of {promised} bytes of sound are there")]
    Truncated {
        /// Bytes that the header announces.
        promised: u64,
        /// Bytes that follow it.
        present: u64,
    },
    /// It holds no sample.
    #[error("there is no sound in it")]
    NoSamples,
    /// A sample rate that is not served.
    #[error("{hz} Hz is not supported, 44100 and 48000 are")]
    Rate {
        /// The sample rate in Hz.
        hz: u32,
    },
    /// More channels than are served.
    #[error("{channels} channels are not supported, 1 and 2 are")]
    Channels {
        /// The number of channels.
        channels: u16,
    },
    /// A sample format that is not served.
    #[error("{bits} bit {kind} samples are not supported, 16, 24, 32 bit and 32 bit float are")]
    Depth {
        /// Bits in a sample.
        bits: u16,
        /// `integer` or `float`.
        kind: &'static str,
    },
    /// A sample that is infinite or not a number.
    #[error("sample {index} is not a finite number")]
    NotFinite {
        /// Its place among the interleaved samples.
        index: usize,
    },
    /// Anything else that makes the header senseless.
    #[error("{0}")]
    Malformed(String),
}
