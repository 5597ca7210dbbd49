//! `cantus-bench peers`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use cantus_qos::quantity::{parse_duration, parse_latency_millis};
use clap::{Args, value_parser};

use crate::link::{LinkError, LinkSpec};
use crate::peers::roster::Choice;

const EXAMPLES: &str = "\
Examples:
  cantus-bench peers --list                        who is here, in which version
  cantus-bench peers --link bursty --link heavy --latency 200 --for 60s --json peers.json
  cantus-bench peers --only srt --only cantus-udp --link 'delay 50ms loss 5%' --seed 1 --seed 2

Each peer is two programs of another project, as Debian ships them, that carry numbered frames of
240 bytes every 20 ms across the link. Counted are the frames that were not handed over within the
latency of their sending, and the bytes beyond those of the bare stream, both ways.";

/// `cantus-bench peers`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct PeersOptions {
    /// Say which peers are here and which package brings the others, and run nothing
    #[arg(long)]
    pub list: bool,

    /// A network between the two ends; may be given several times
    #[arg(long, value_name = "LINK", default_values = ["wifi", "bursty", "heavy"])]
    pub link: Vec<NamedLink>,

    /// From sending to handing over (a bare number is milliseconds); may be given several times
    #[arg(long, value_name = "TIME", value_parser = parse_latency_millis, default_values = ["200"])]
    pub latency: Vec<Duration>,

    /// How long frames count
    #[arg(long = "for", value_name = "TIME", value_parser = length, default_value = "30s")]
    pub length: Duration,

    /// Only this peer, or this family such as gst or srt-fec; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<Choice>,

    /// What the network's luck follows from; may be given several times
    #[arg(long, value_name = "SEED", default_values_t = [1])]
    pub seed: Vec<u64>,

    /// Trials at once
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(1..=32), default_value_t = 4)]
    pub jobs: u8,

    /// What Cantus plays: a media directory, then the name of a presentation
    #[arg(long, value_name = "PATH", default_value = "media-samples/narration")]
    pub media: PathBuf,

    /// Write all figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write all figures to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

/// A link that is still called as it was called.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedLink {
    words: String,
    /// What it does.
    pub spec: LinkSpec,
}

impl FromStr for NamedLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let words: Vec<_> = text.split_whitespace().collect();
        Ok(Self { words: words.join(" "), spec: text.parse()? })
    }
}

impl fmt::Display for NamedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// At least a frame, and at most what an hour has.
fn length(text: &str) -> Result<Duration, String> {
    let length = parse_duration(text).map_err(|error| error.to_string())?;
    let possible = Duration::from_millis(20)..=Duration::from_secs(3600);
    match possible.contains(&length) {
        true => Ok(length),
        false => Err(format!("`{text}` is not between 20ms and 1h")),
    }
}
