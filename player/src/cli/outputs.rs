//! Where the sound goes, and where the subtitles go.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use cantus_qos::payload::AudioFormat;
use cantus_qos::time::MediaTime;

use super::OptionError;
use crate::sink::{AudioSink, Null, SinkError, Speaker, Wav};
use crate::subtitles::{Plain, Silent, Srt, SubtitleError, SubtitleSink, Terminal};
use crate::wish::SinkClock;

/// Where the sound goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Out {
    /// The default output of the system.
    #[default]
    Speaker,
    /// A WAV file.
    Wav(PathBuf),
    /// Nowhere.
    Null,
}

impl Out {
    /// Whose clock playback follows.
    pub(super) fn clock(&self) -> SinkClock {
        match self {
            Self::Speaker => SinkClock::Sink,
            Self::Wav(_) | Self::Null => SinkClock::Sender,
        }
    }

    /// How long before it is due it takes sound that is there: so much may the machine make us wait.
    pub(crate) fn ahead(&self) -> Duration {
        match self {
            Self::Speaker => Duration::ZERO,
            Self::Wav(_) | Self::Null => Duration::from_millis(200),
        }
    }

    /// Opens the sink for sound in `format`.
    ///
    /// # Errors
    ///
    /// As [`Speaker::open`] and [`Wav::create`].
    pub fn open(&self, format: AudioFormat) -> Result<Box<dyn AudioSink>, SinkError> {
        Ok(match self {
            Self::Speaker => Box::new(Speaker::open(format)?),
            Self::Wav(file) => Box::new(Wav::create(file, format)?),
            Self::Null => Box::new(Null::new(format)),
        })
    }
}

impl fmt::Display for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speaker => f.write_str("speaker"),
            Self::Wav(file) => write!(f, "wav:{}", file.display()),
            Self::Null => f.write_str("null"),
        }
    }
}

impl FromStr for Out {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "speaker" => Ok(Self::Speaker),
            None if text == "null" => Ok(Self::Null),
            Some(("wav", file)) if !file.is_empty() => Ok(Self::Wav(file.into())),
            _ => Err(OptionError::Out),
        }
    }
}

/// Where the subtitles go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Subtitles {
    /// The terminal, above a live line of status.
    #[default]
    Terminal,
    /// The standard output, one line a cue.
    Plain,
    /// A SubRip file.
    Srt(PathBuf),
    /// Nowhere: the subtitles are not asked for.
    None,
}

impl Subtitles {
    /// Opens the sink of a presentation whose sound begins at `origin`.
    ///
    /// # Errors
    ///
    /// As [`Srt::create`].
    pub fn open(&self, origin: MediaTime) -> Result<Box<dyn SubtitleSink>, SubtitleError> {
        Ok(match self {
            Self::Terminal => Box::new(Terminal::stdout()),
            Self::Plain => Box::new(Plain::new(std::io::stdout())),
            Self::Srt(file) => Box::new(Srt::create(file, origin)?),
            Self::None => Box::new(Silent),
        })
    }
}

impl fmt::Display for Subtitles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal => f.write_str("terminal"),
            Self::Plain => f.write_str("plain"),
            Self::Srt(file) => write!(f, "srt:{}", file.display()),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for Subtitles {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "terminal" => Ok(Self::Terminal),
            None if text == "plain" => Ok(Self::Plain),
            None if text == "none" => Ok(Self::None),
            Some(("srt", file)) if !file.is_empty() => Ok(Self::Srt(file.into())),
            _ => Err(OptionError::Subtitles),
        }
    }
}
