//! `cantus-bench compare`.

use std::path::PathBuf;

use clap::Args;

/// `cantus-bench compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareOptions {
    /// results.json of before
    pub old: PathBuf,

    /// results.json of now
    pub new: PathBuf,

    /// Every figure must be the same: whole numbers exactly, others to 1e-6
    #[arg(long)]
    pub exact: bool,
}
