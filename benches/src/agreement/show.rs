//! `cantus-bench agreement`, from its options to its exit status.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cantus_qos::stats::report::QosReport;

use super::{
    LEAST_PACKETS, ParameterSet, SessionError, SetsError, Table, Timers, compare, compare_sessions,
    parse_sets, replay,
};
use crate::cli::AgreementOptions;
use crate::count::{Observation, ObservationError};
use crate::link::{LinkError, LinkSpec};
use crate::plan::{Plan, PlanError};

/// The seeds of ours: ten, so that what is left of chance is nearly all the kernel's.
const SEEDS: std::ops::Range<u64> = 1..11;

/// Why there is nothing to compare. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum AgreementError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It is no file of sets.
    #[error("{}: {cause}", file.display())]
    Sets {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: SetsError,
    },
    /// We have no such link.
    #[error("the set {name}: {cause}")]
    Link {
        /// The name of the set.
        name: String,
        /// What is wrong with it.
        cause: LinkError,
    },
    /// What was counted cannot be read.
    #[error(transparent)]
    Observation(#[from] ObservationError),
    /// Too little was counted.
    #[error("the set {name}: {sent} packets are too few to compare, {LEAST_PACKETS} are enough")]
    TooFew {
        /// The name of the set.
        name: String,
        /// How many were sent.
        sent: usize,
    },
    /// There is no such plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The report is none.
    #[error("{} is no report: {cause}", file.display())]
    Report {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// Sessions cannot be compared.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Compares what was counted with what our emulator does, prints the table, and fails where the
/// two disagree.
///
/// # Errors
///
/// [`AgreementError`].
pub fn agreement(options: &AgreementOptions) -> Result<ExitCode, AgreementError> {
    let mut table = Table::default();
    if let Some((report, plan)) = options.session.as_ref().zip(options.plan.as_ref()) {
        let text = read(report)?;
        let parsed = serde_json::from_str::<QosReport>(&text);
        let parsed =
            parsed.map_err(|cause| AgreementError::Report { file: report.clone(), cause })?;
        table.extend("session", compare_sessions(&parsed, &Plan::read(plan)?)?);
    }
    let file = &options.sets;
    let sets = parse_sets(&read(file)?)
        .map_err(|cause| AgreementError::Sets { file: file.clone(), cause })?;
    for ParameterSet { name, words } in sets {
        let log = |end| options.directory.join(format!("{name}.{end}.csv"));
        let kernel = Observation::read(&log("sent"), &log("received"))?;
        let sent = kernel.sent().len();
        if sent < LEAST_PACKETS {
            return Err(AgreementError::TooFew { name, sent });
        }
        let timers = if options.coarse_timers { Timers::Coarse } else { Timers::Exact };
        let findings = words.parse().and_then(|spec: LinkSpec| {
            let replayed = |seed| replay(&spec, seed, kernel.sent(), options.size);
            let ours = SEEDS.map(replayed).collect::<Result<Vec<_>, _>>()?;
            Ok(compare(&spec, &kernel, &ours, timers))
        });
        let wrong = |cause| AgreementError::Link { name: name.clone(), cause };
        table.extend(&name, findings.map_err(wrong)?);
    }
    print!("{table}");
    Ok(if table.disagreements() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> Result<String, AgreementError> {
    fs::read_to_string(file)
        .map_err(|cause| AgreementError::Unreadable { file: file.to_owned(), cause })
}
