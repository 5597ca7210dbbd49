//! `cantus-bench agreement`.

use std::path::PathBuf;

use clap::Args;

/// `cantus-bench agreement`.
#[derive(Debug, Clone, Args)]
pub struct AgreementOptions {
    /// The directory with the logs of `count`: NAME.sent.csv and NAME.received.csv of each set
    pub directory: PathBuf,

    /// The parameters, a name and words of tc-netem(8) on each line
    #[arg(long, value_name = "FILE")]
    pub sets: PathBuf,

    /// The size of each packet where netem sees it, in bytes: with all headers of a veth pair, the
    /// default is what `count` sends
    #[arg(long, value_name = "BYTES", default_value_t = 242)]
    pub size: usize,

    /// The report of a session, to be compared with its plan in virtual time
    #[arg(long, value_name = "FILE.json", requires = "plan")]
    pub session: Option<PathBuf>,

    /// The plan of that session
    #[arg(long, value_name = "FILE.toml", requires = "session")]
    pub plan: Option<PathBuf>,

    /// The kernel's timers were those of an emulated processor: leave out what hangs on them
    #[arg(long)]
    pub coarse_timers: bool,
}
