//! The command line of `cantus-bench`.

use std::path::PathBuf;
use std::time::Duration;

use cantus_player::cli::{Out, Subtitles};
use cantus_player::wish::Latency;
use cantus_qos::quantity::parse_duration;
use cantus_qos::spec::Protection;
use clap::{Parser, Subcommand, ValueEnum};

use crate::link::LinkSpec;
use crate::plan::Transport;

const EXAMPLES: &str = "\
Examples:
  cantus-bench demo                                  narration over the bursty link
  cantus-bench demo --link bad --transport udp --media music --for 20s
  cantus-bench sim plan.toml                         a plan in virtual time
  cantus-bench run plan.toml --out wav:out.wav       the same in real time

A link is a standing one (clean, wifi, bursty, bad, heavy, storm, thin, bursty-t, bad-t, umts,
lte), words of tc-netem such as 'delay 40ms 15ms loss gemodel 1% 25%', or both.";

/// The whole command line.
#[derive(Debug, Clone, Parser)]
#[command(name = "cantus-bench", version, about = "Emulates networks and measures what streaming across them comes to", after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Play a sample across an emulated link on this machine, and say how it went
    Demo(Box<DemoOptions>),
    /// Run a plan in virtual time and print its report
    Sim(SimOptions),
    /// Run a plan in real time, through a relay on this machine
    Run(RunOptions),
}

/// `cantus-bench demo`.
#[derive(Debug, Clone, clap::Args)]
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

/// `cantus-bench sim`.
#[derive(Debug, Clone, clap::Args)]
pub struct SimOptions {
    /// The plan, as TOML
    pub plan: PathBuf,

    /// Another seed than the plan's
    #[arg(long)]
    pub seed: Option<u64>,

    /// Write the report to this file instead of the standard output
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// `cantus-bench run`.
#[derive(Debug, Clone, clap::Args)]
pub struct RunOptions {
    /// The plan, as TOML
    pub plan: PathBuf,

    /// Another seed than the plan's
    #[arg(long)]
    pub seed: Option<u64>,

    /// Where the sound goes
    #[arg(long, value_name = "SINK", default_value = "null")]
    pub out: Out,

    /// Write the report to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write what the relay did to every packet, as CSV
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
}
