//! `cantus-bench run`.

use std::path::PathBuf;

use cantus_player::cli::Out;
use clap::Args;

/// `cantus-bench run`.
#[derive(Debug, Clone, Args)]
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

    /// Write a page with plots to this file, and the fate of every unit beside it (.trace.csv)
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}
