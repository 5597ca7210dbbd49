//! `cantus-bench matrix`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use crate::matrix::Seeds;

/// `cantus-bench matrix`.
#[derive(Debug, Clone, Args)]
pub struct MatrixOptions {
    /// The plan of the matrix, as TOML, or a directory of such plans
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,

    /// The directory that report.html, results.csv and results.json are written to
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub out: PathBuf,

    /// Other seeds than the plan's: how many, or a list such as 6,7,8
    #[arg(long)]
    pub seeds: Option<Seeds>,

    /// Sessions run at once [default: one a core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Where real delivery traces lie [default: ../shared/traces, if it is there]
    #[arg(long, value_name = "DIR", conflicts_with = "generated_traces")]
    pub real_traces: Option<PathBuf>,

    /// Use generated delivery traces even where real ones are at hand
    #[arg(long)]
    pub generated_traces: bool,
}
