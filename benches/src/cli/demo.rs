//! `cantus-bench demo`.

use std::path::PathBuf;
use std::time::Duration;

use cantus_player::cli::{Out, Subtitles};
use cantus_player::wish::Latency;
use cantus_qos::quantity::parse_duration;
use cantus_qos::spec::Protection;
use clap::{Args, ValueEnum};

use crate::link::LinkSpec;
use crate::plan::Transport;

/// `cantus-bench demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// The network between streamer and player
    #[arg(long, default_value = "bursty")]
    pub link: LinkSpec,

    /// What carries the media
    #[arg(long, value_enum, default_value_t)]
    pub transport: Carrier,

    /// The presentation to play
    #[arg(long, value_name = "NAME", default_value = "narration")]
    pub media: String,

    /// The directory that it is in
    #[arg(long, value_name = "DIR", default_value = "media-samples")]
    pub dir: PathBuf,

    /// How much to play, such as 20s [default: all of it]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub length: Option<Duration>,

    /// From sending to being heard: auto, stored, or a time (a bare number is milliseconds)
    #[arg(long, default_value = "200")]
    pub latency: Latency,

    /// Forward error correction: auto, off or K+R
    #[arg(long, default_value = "auto")]
    pub fec: Protection,

    /// Where the sound goes [default: the speaker, or wav:demo.wav where there is none]
    #[arg(long, value_name = "SINK")]
    pub out: Option<Out>,

    /// Where the subtitles go: terminal, plain, srt:FILE or none
    #[arg(long, value_name = "SINK", default_value_t)]
    pub subtitles: Subtitles,

    /// Where the report goes
    #[arg(long, value_name = "FILE", default_value = "demo-report.json")]
    pub report: PathBuf,

    /// What the network's luck follows from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What carries the media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Carrier {
    /// RTP over QUIC
    #[default]
    Quic,
    /// RTP over UDP, controlled by RTSP over TCP
    #[value(alias = "rtsp")]
    Udp,
}

impl From<Carrier> for Transport {
    fn from(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Quic => Self::Quic,
            Carrier::Udp => Self::Rtsp,
        }
    }
}
