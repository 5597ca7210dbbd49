//! `cantus-player play`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cantus_qos::quantity::parse_duration;
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::spec::{Protection, QosSpec};
use cantus_qos::time::MediaTime;
use clap::{Args, ValueEnum};
use rtsp_types::Url;

use super::{OptionError, Out, Subtitles, TrustOptions, positive};
use crate::url::{Scheme, Source};
use crate::wish::{Carrier, Language, Latency, Less, Wish};

pub(super) const EXAMPLES: &str = "\
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
        wish.sink_clock = self.out.clock();
        wish.seed = seed;
        wish
    }
}

/// How the report names a file.
fn url_of(file: &Path) -> Url {
    let absolute = std::path::absolute(file).ok();
    let url = absolute.and_then(|file| Url::from_file_path(file).ok());
    url.unwrap_or_else(|| Url::parse("file:///").expect("a URL"))
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
