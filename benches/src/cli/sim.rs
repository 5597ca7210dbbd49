//! `cantus-bench sim`.

use std::path::PathBuf;

use clap::Args;

/// `cantus-bench sim`.
#[derive(Debug, Clone, Args)]
pub struct SimOptions {
    /// The plan, as TOML
    pub plan: PathBuf,

    /// Another seed than the plan's
    #[arg(long)]
    pub seed: Option<u64>,

    /// Write the report to this file instead of the standard output
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write a page with plots to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Write the sound that was heard to this WAV file
    #[arg(long, value_name = "FILE")]
    pub wav: Option<PathBuf>,

    /// Write what a probe heard, without asking the player, to this file; fail if they disagree
    #[arg(long, value_name = "FILE")]
    pub probe: Option<PathBuf>,
}
