//! The command line of `cantus-player`.
//!
//! Everything that a user may ask for is a type here, and what cannot be meant is refused here
//! with exit status 2, before anything is opened or sent.

mod listen;
mod outputs;
mod play;

use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::quantity::parse_duration;
use clap::{Args, Parser, Subcommand};

pub use listen::ListenOptions;
pub use outputs::{Out, Subtitles};
pub use play::{Codec, PlayOptions};

use crate::trust::{Fingerprint, PinError, Pins, Trust};
use crate::url::{StreamUrl, UrlError};

const EXAMPLES: &str = "\
Examples:
  cantus-player list quic://host            what the streamer has
  cantus-player info quic://host/talk       its tracks and their languages
  cantus-player play quic://host/talk       to the speaker, subtitles below
  cantus-player listen 'rtp://0.0.0.0:5004?pt=opus'    what is pushed to this machine

'cantus-player help play' tells all about playing.";

const LIST_EXAMPLES: &str = "\
Examples:
  cantus-player list rtsp://host
  cantus-player list quic://host --trust sha256:HEX";

const INFO_EXAMPLES: &str = "\
Examples:
  cantus-player info rtsp://host/talk
  cantus-player info quic://host/talk --ca authority.pem";

/// The whole command line.
#[derive(Debug, Clone, Parser)]
#[command(name = "cantus-player", version, about = "Plays audio with subtitles from a Cantus streamer or any RTSP server", after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the player can do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Play a presentation: its sound, and its subtitles at the right instant
    #[command(after_help = play::EXAMPLES)]
    Play(Box<PlayOptions>),
    /// Play RTP that is pushed to a port or to a multicast group, and what Roc Toolkit sends
    #[command(after_help = listen::EXAMPLES)]
    Listen(Box<ListenOptions>),
    /// List the presentations of a streamer
    #[command(after_help = LIST_EXAMPLES)]
    List(ListOptions),
    /// Tell the tracks, formats and languages of a presentation
    #[command(after_help = INFO_EXAMPLES)]
    Info(InfoOptions),
}

/// `cantus-player list`.
#[derive(Debug, Clone, Args)]
pub struct ListOptions {
    /// quic://HOST or rtsp://HOST
    pub url: StreamUrl,

    /// How the server is known.
    #[command(flatten)]
    pub trust: TrustOptions,
}

/// `cantus-player info`.
#[derive(Debug, Clone, Args)]
pub struct InfoOptions {
    /// quic://HOST/NAME or rtsp://HOST/NAME
    #[arg(value_parser = presentation)]
    pub url: StreamUrl,

    /// How the server is known.
    #[command(flatten)]
    pub trust: TrustOptions,
}

/// How the server of a `quic://` URL is known.
#[derive(Debug, Clone, Args)]
pub struct TrustOptions {
    /// Believe the server whose certificate has this SHA-256, and touch no pin
    #[arg(long, value_name = "sha256:HEX", conflicts_with = "ca")]
    pub trust: Option<Fingerprint>,

    /// Believe servers that the authorities in this PEM file vouch for, and touch no pin
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl TrustOptions {
    /// The policy asked for: on first use, unless the user knows better. `variable` reads the
    /// environment.
    ///
    /// # Errors
    ///
    /// [`PinError::NoHome`] where pins are needed and have no place.
    pub fn policy(&self, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Trust, PinError> {
        match (self.trust, &self.ca) {
            (Some(fingerprint), _) => Ok(Trust::Fingerprint(fingerprint)),
            (None, Some(file)) => Ok(Trust::Authority(file.clone())),
            (None, None) => Pins::of_user(variable).map(Trust::FirstUse),
        }
    }
}

/// The value of an option that cannot be meant. What was given stands before it already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// `--out`.
    #[error("the sound goes to speaker, wav:FILE or null")]
    Out,
    /// `--subtitles`.
    #[error("the subtitles go to terminal, plain, srt:FILE or none")]
    Subtitles,
    /// `--lang`.
    #[error("a language is a tag such as en or pt-BR")]
    Language,
    /// `--for`.
    #[error("there is nothing to play in no time")]
    Nothing,
    /// A time that is none.
    #[error("{0}")]
    Time(String),
}

fn presentation(text: &str) -> Result<StreamUrl, UrlError> {
    text.parse::<StreamUrl>()?.with_presentation()
}

fn positive(text: &str) -> Result<Duration, OptionError> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err(OptionError::Nothing),
        Ok(span) => Ok(span),
        Err(cause) => Err(OptionError::Time(cause.to_string())),
    }
}

#[cfg(test)]
mod tests;
