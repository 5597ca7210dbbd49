//! `cantus-bench lateness`.

use std::num::NonZeroU32;
use std::time::Duration;

use cantus_qos::quantity::parse_duration;
use clap::{Args, value_parser};

/// `cantus-bench lateness`.
#[derive(Debug, Clone, Args)]
pub struct LatenessOptions {
    /// Packets per second; several times for several trials
    #[arg(long = "rate", value_name = "PACKETS", value_parser = rate, default_values = ["5000", "50000"])]
    pub rates: Vec<NonZeroU32>,

    /// How long each trial takes, at most a minute
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration, default_value = "5s")]
    pub length: Duration,

    /// How often the trials are repeated
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=100), default_value_t = 1)]
    pub runs: u32,
}

/// The most packets per second of a trial: what it remembers of them is bounded.
const MAX_RATE: u32 = 200_000;

fn rate(text: &str) -> Result<NonZeroU32, String> {
    let rate = text.parse().ok().filter(|rate: &NonZeroU32| rate.get() <= MAX_RATE);
    rate.ok_or_else(|| format!("a rate is a number of packets per second, 1 to {MAX_RATE}"))
}
