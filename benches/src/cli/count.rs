//! `cantus-bench count`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::quantity::parse_duration;
use clap::{Args, Subcommand};

/// `cantus-bench count`: which end.
#[derive(Debug, Clone, Subcommand)]
pub enum CountEnd {
    /// Send packets at a steady rate, and note when each was sent
    Send(CountSend),
    /// Note what arrives, and when
    Receive(CountReceive),
}

/// `cantus-bench count send`.
#[derive(Debug, Clone, Args)]
pub struct CountSend {
    /// Where to
    #[arg(long, value_name = "ADDR")]
    pub to: SocketAddr,

    /// How many
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub count: u32,

    /// How many a second
    #[arg(long, value_name = "N", default_value = "500")]
    pub rate: NonZeroU32,

    /// The UDP payload of each, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    pub size: usize,

    /// Where the instants go, as CSV
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
}

/// `cantus-bench count receive`.
#[derive(Debug, Clone, Args)]
pub struct CountReceive {
    /// Where to listen
    #[arg(long, value_name = "ADDR")]
    pub listen: SocketAddr,

    /// When nothing has come for so long, it is over
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "3s")]
    pub idle: Duration,

    /// Where the arrivals go, as CSV; the file is there as soon as packets may come
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
}
