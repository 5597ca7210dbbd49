//! `cantus-bench agreement`, from its options to its exit status.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{LEAST_PACKETS, ParameterSet, SetsError, Table, compare, parse_sets, replay};
use crate::cli::AgreementOptions;
use crate::count::{Observation, ObservationError};
use crate::link::LinkError;

/// The seeds of ours: ten, so that what is left of chance is nearly all the kernel's.
const SEEDS: std::ops::Range<u64> = 1..11;

/// Why there is nothing to compare. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum AgreementError {
    /// The file of sets cannot be read.
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
}

/// Compares what was counted with what our emulator does, prints the table, and fails where the
/// two disagree.
///
/// # Errors
///
/// [`AgreementError`].
pub fn agreement(options: &AgreementOptions) -> Result<ExitCode, AgreementError> {
    let file = &options.sets;
    let text = fs::read_to_string(file)
        .map_err(|cause| AgreementError::Unreadable { file: file.clone(), cause })?;
    let sets =
        parse_sets(&text).map_err(|cause| AgreementError::Sets { file: file.clone(), cause })?;
    let mut table = Table::default();
    for ParameterSet { name, words } in sets {
        let log = |end| options.directory.join(format!("{name}.{end}.csv"));
        let kernel = Observation::read(&log("sent"), &log("received"))?;
        let sent = kernel.sent().len();
        if sent < LEAST_PACKETS {
            return Err(AgreementError::TooFew { name, sent });
        }
        let replayed = words.parse().and_then(|spec| {
            SEEDS.map(|seed| replay(&spec, seed, kernel.sent(), options.size)).collect()
        });
        let ours: Vec<_> =
            replayed.map_err(|cause| AgreementError::Link { name: name.clone(), cause })?;
        table.extend(&name, compare(&kernel, &ours));
    }
    print!("{table}");
    Ok(if table.disagreements() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
