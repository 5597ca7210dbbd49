//! `cantus-bench netem`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::quantity::parse_duration;
use clap::Args;

use crate::link::LinkSpec;

const EXAMPLES: &str = "\
Examples:
  cantus-bench netem --listen 127.0.0.1:4434 --to 127.0.0.1:4433 -- delay 40ms 15ms loss gemodel 1% 25%
  cantus-bench netem --rtsp --listen 127.0.0.1:8555 --to 127.0.0.1:8554 -- bursty
  cantus-bench netem --listen 127.0.0.1:5004 --to 127.0.0.1:6004 \\
      --listen 127.0.0.1:5005 --to 127.0.0.1:6005 --log packets.csv --for 60s -- wifi
  cantus-bench netem --listen 127.0.0.1:4434 --to 127.0.0.1:4433 --back 'rate 64kbit' -- lte

Clients send to --listen what they would send to --to. Answers come back the same way, and meet the
same network with luck of its own.";

/// `cantus-bench netem`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct NetemOptions {
    /// Where clients reach the network; several times for several ports that share it
    #[arg(long, value_name = "ADDR", required = true)]
    pub listen: Vec<SocketAddr>,

    /// The server behind it, one for each --listen, in their order
    #[arg(long, value_name = "ADDR", required = true)]
    pub to: Vec<SocketAddr>,

    /// Pass on RTSP over TCP with its media, not any UDP protocol
    #[arg(long)]
    pub rtsp: bool,

    /// A file of delivery opportunities that the network follows: a millisecond a line
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// What the network does on the way from clients to the server, where that is another
    #[arg(long, value_name = "WORDS")]
    pub back: Option<LinkSpec>,

    /// What the network's luck follows from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Write what became of every packet, as CSV
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// When it is over, such as 60s [default: at Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub length: Option<Duration>,

    /// What the network does, both ways unless there is --back, in the words of tc-netem(8)
    #[arg(last = true, value_name = "TC-NETEM-ARGUMENTS")]
    pub words: Vec<String>,
}
