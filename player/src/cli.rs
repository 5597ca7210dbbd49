//! The command line of `cantus-player`.
//!
//! Everything that a user may ask for is a type here, and what cannot be meant is refused here
//! with exit status 2, before anything is opened or sent.

mod listen;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use cantus_qos::payload::AudioFormat;
use cantus_qos::quantity::parse_duration;
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::spec::{Protection, QosSpec};
use cantus_qos::time::MediaTime;
use clap::{Args, Parser, Subcommand, ValueEnum};
use rtsp_types::Url;

pub use listen::ListenOptions;

use crate::sink::{AudioSink, Null, SinkError, Speaker, Wav};
use crate::subtitles::{Plain, Silent, Srt, SubtitleError, SubtitleSink, Terminal};
use crate::trust::{Fingerprint, PinError, Pins, Trust};
use crate::url::{Scheme, Source, StreamUrl, UrlError};
use crate::wish::{Carrier, Language, Latency, Less, SinkClock, Wish};

const EXAMPLES: &str = "\
Examples:
  cantus-player list quic://host            what the streamer has
  cantus-player info quic://host/talk       its tracks and their languages
  cantus-player play quic://host/talk       to the speaker, subtitles below
  cantus-player listen 'rtp://0.0.0.0:5004?pt=opus'    what is pushed to this machine

'cantus-player help play' tells all about playing.";

const PLAY_EXAMPLES: &str = "\
Examples:
  Listen, with French subtitles:
    cantus-player play quic://host/talk --lang fr

  Live, a fifth of a second behind, and a report on whether the promise was kept:
    cantus-player play quic://host/talk --latency 200 \\
        --qos 'delay<=200ms,jitter<=30ms,loss<=1%' --report talk.json

  As soon as can be with at most one unit in a hundred missing:
    cantus-player play quic://host/talk --latency auto --qos 'delay<=400ms,loss<=1%'

  Ten seconds from the middle, as exact samples, into files:
    cantus-player play rtsp://host/talk --from 30s --for 10s --codec l16 \\
        --out wav:talk.wav --subtitles srt:talk.srt

  What a lossy network does to a stream, unit by unit, with a repair packet for every two:
    cantus-player play rtsp://host/talk --fec 20+10 --latency stored \\
        --out null --subtitles none --trace talk.csv

  What somebody pushes to this machine, as ffmpeg -f rtp ... -sdp_file talk.sdp describes it:
    cantus-player play talk.sdp

  A streamer whose certificate, or whose authority, is known beforehand:
    cantus-player play quic://host/talk --trust sha256:HEX
    cantus-player play quic://host/talk --ca authority.pem --subtitles plain

The certificate of a quic:// server is pinned when it is first met, in
$XDG_STATE_HOME/cantus/known_servers or ~/.local/state/cantus/known_servers.

Exit status: 0 played to the end, 1 failed, 2 wrong usage, 130 or 143 interrupted.";

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
    #[command(after_help = PLAY_EXAMPLES)]
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

/// `cantus-player play`.
#[derive(Debug, Clone, Args)]
pub struct PlayOptions {
    /// quic://HOST/NAME (encrypted; port 4433), rtsp://HOST/NAME (media over UDP; port 8554), either
    /// with NAME:PASSWORD@ before the host where the server wants to know who listens; or an
    /// SDP file (file.sdp) that describes RTP which is pushed to this machine, or to a group
    pub url: Source,

    /// Where the sound goes: speaker, wav:FILE or null
    #[arg(long, value_name = "SINK", default_value_t)]
    pub out: Out,

    /// Where the subtitles go: terminal (with a live status line), plain, srt:FILE or none
    #[arg(long, value_name = "SINK", default_value_t)]
    pub subtitles: Subtitles,

    /// Language of the subtitles, such as en or pt-BR [default: the first that there is]
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub lang: Option<String>,

    /// How the sound is encoded on the way
    #[arg(long, value_enum, default_value_t)]
    pub codec: Codec,

    /// From sending to being heard: auto (as the jitter of the network needs, and with --qos
    /// 'loss<=1%' as repair needs to keep that), stored (start soon, buffer deep, and stand still
    /// rather than lose anything), or a constant such as 200ms; a bare number is milliseconds
    #[arg(long, value_name = "DELAY", default_value_t)]
    pub latency: Latency,

    /// The promise to ask for and to check, such as 'delay<=200ms,jitter<=30ms,loss<=1%'; also
    /// skew<=40ms, rate<=160k, setup<=2s
    #[arg(long, value_name = "TERMS")]
    pub qos: Option<QosSpec>,

    /// Where the server offers less than was asked for with --qos and --latency
    #[arg(long, value_enum, default_value_t)]
    pub less: Less,

    /// Write what the network did and whether the promise was kept, as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write the fate of every data unit, as CSV
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Where to begin, such as 30s or 1m30s [default: the beginning]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub from: Option<Duration>,

    /// How much to play, such as 10s [default: to the end]
    #[arg(long = "for", value_name = "TIME", value_parser = positive)]
    pub length: Option<Duration>,

    /// Forward error correction: auto (what fits the delay), off, K+R (R repair packets for every
    /// K), or sliding:SHARE/WINDOW, such as sliding:80%/150ms: 80 repair packets to 100 packets,
    /// each over those of the last 150 ms
    #[arg(long, value_name = "FEC", default_value_t)]
    pub fec: Protection,

    /// How the server is known.
    #[command(flatten)]
    pub trust: TrustOptions,
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

/// How the sound is encoded on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Codec {
    /// Compressed, about 96 kbit/s
    #[default]
    Opus,
    /// Linear 16 bit, exact, about 1.5 Mbit/s
    L16,
}

impl PlayOptions {
    /// What the pure player is told. `seed` begins its own identifiers.
    pub fn wish(&self, seed: u64) -> Wish {
        let mut wish = match &self.url {
            Source::Server(url) => {
                let carrier = match url.scheme() {
                    Scheme::Quic => Carrier::Quic,
                    Scheme::Rtsp => Carrier::Udp,
                };
                Wish { user: url.user().cloned(), ..Wish::new(url.as_url().clone(), carrier) }
            }
            Source::Described(file) => Wish::new(url_of(file), Carrier::Udp),
        };
        wish.codec = match self.codec {
            Codec::Opus => AudioCodec::Opus,
            Codec::L16 => AudioCodec::L16,
        };
        wish.language = match (&self.subtitles, &self.lang) {
            (Subtitles::None, _) => Language::None,
            (_, Some(tag)) => Language::Tag(tag.clone()),
            (_, None) => Language::First,
        };
        wish.latency = self.latency;
        wish.protection = self.fec;
        wish.spec = self.qos.unwrap_or_default();
        wish.less = self.less;
        wish.from = self.from.map_or(MediaTime::ZERO, MediaTime::from_duration);
        wish.length = self.length.map(MediaTime::from_duration);
        wish.sink_clock = sink_clock(&self.out);
        wish.seed = seed;
        wish
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

fn sink_clock(out: &Out) -> SinkClock {
    match out {
        Out::Speaker => SinkClock::Sink,
        Out::Wav(_) | Out::Null => SinkClock::Sender,
    }
}

/// How the report names a file.
fn url_of(file: &Path) -> Url {
    let absolute = std::path::absolute(file).ok();
    let url = absolute.and_then(|file| Url::from_file_path(file).ok());
    url.unwrap_or_else(|| Url::parse("file:///").expect("a URL"))
}

fn presentation(text: &str) -> Result<StreamUrl, UrlError> {
    text.parse::<StreamUrl>()?.with_presentation()
}

/// A tag of letters, digits and hyphens (RFC 5646, section 2.1, loosely).
fn language(text: &str) -> Result<String, OptionError> {
    let word = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if text.len() <= 35 && text.split('-').all(word) {
        Ok(text.to_owned())
    } else {
        Err(OptionError::Language)
    }
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
