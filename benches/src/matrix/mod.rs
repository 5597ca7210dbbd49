//! Many sessions in virtual time: links x transports x media x latencies x protection, each with
//! several seeds, on all cores.
//!
//! A [`MatrixPlan`] says what is combined with what; [`Matrix::prepare`] refuses what cannot be run
//! before anything is; [`Matrix::run`] runs it and gives the [`Findings`], the same whatever the
//! number of cores. [`command`] is `cantus-bench matrix`.

mod cell;
pub mod command;
mod crew;
mod plan;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use cantus_streamer::encoding::Codec;
use cantus_streamer::programme::{ProgrammeError, ProgrammeKey};

pub use cell::Cell;
pub use plan::{MatrixError, MatrixPlan, NamedLink, Seeds, Transport};

use crate::report::{CellResult, Course, Measured, Results, Spread};
use crate::sim::{self, Media, MediaError, SimError};

/// How long synthetic media is where a plan does not say how much is played.
const SYNTHETIC_LENGTH: std::time::Duration = std::time::Duration::from_secs(60);

/// Why a matrix was not run, or came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] MatrixError),
    /// A media directory.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A presentation.
    #[error("cannot play {}: {source}", media.display())]
    Programme {
        /// Which.
        media: PathBuf,
        /// Why not.
        source: ProgrammeError,
    },
    /// A session that cannot be played at all.
    #[error("{cell}: {source}")]
    Session {
        /// Which.
        cell: Box<Cell>,
        /// Why not.
        source: Box<SimError>,
    },
}

/// A matrix that can be run: its media are open and encoded, its links are good.
#[derive(Debug)]
pub struct Matrix {
    cells: Vec<(Cell, Vec<u64>)>,
    media: BTreeMap<PathBuf, Arc<Media>>,
}

/// What a matrix came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// The figures.
    pub results: Results,
    /// Beside each cell of the results, what its plots show.
    pub pictures: Vec<Picture>,
}

/// What the plots of a cell show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// What happened when in the run with the first seed.
    pub course: Course,
    /// How units and cues were distributed over all seeds.
    pub spread: Spread,
}

impl Matrix {
    /// Lays out all plans, with other seeds if they are given, and opens what they play.
    ///
    /// # Errors
    ///
    /// [`RunError`], before any session has been started.
    pub fn prepare(plans: &[MatrixPlan], seeds: Option<&Seeds>) -> Result<Self, RunError> {
        let cells = plan::lay_out(plans, seeds)?;
        let mut media: BTreeMap<PathBuf, Arc<Media>> = BTreeMap::new();
        for (cell, _) in &cells {
            if media.contains_key(&cell.media) {
                continue;
            }
            let opened = Arc::new(open(cell, &cells)?);
            let key = ProgrammeKey::new(&cell.presentation(), Codec::Opus);
            opened.programme(&key).map_err(|source| {
                let media = cell.media.clone();
                RunError::Programme { media, source }
            })?;
            media.insert(cell.media.clone(), opened);
        }
        Ok(Self { cells, media })
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.cells.iter().map(|(_, seeds)| seeds.len()).sum()
    }

    /// Runs every session, on so many cores (`None`: all of them); `done` is told after each.
    ///
    /// # Errors
    ///
    /// [`RunError::Session`].
    pub fn run(
        &self,
        cores: Option<NonZeroUsize>,
        done: impl FnMut(),
    ) -> Result<Findings, RunError> {
        let sessions: Vec<(&Cell, u64)> = self
            .cells
            .iter()
            .flat_map(|(cell, seeds)| seeds.iter().map(move |seed| (cell, *seed)))
            .collect();
        let cores = cores.unwrap_or_else(crew::cores);
        let work = |job: usize| {
            let (cell, seed) = sessions[job];
            self.session(cell, seed)
        };
        let mut measured = crew::run(sessions.len(), cores, work, done).into_iter();
        let mut findings = Findings { results: Results::new(Vec::new()), pictures: Vec::new() };
        for (cell, seeds) in &self.cells {
            let of_cell = measured.by_ref().take(seeds.len()).collect::<Result<Vec<_>, _>>()?;
            findings.add(cell, of_cell);
        }
        Ok(findings)
    }

    fn session(&self, cell: &Cell, seed: u64) -> Result<Measured, RunError> {
        let media = &self.media[&cell.media];
        let scenario = cell.scenario(seed);
        let outcome = sim::run(media, &scenario).map_err(|source| RunError::Session {
            cell: Box::new(cell.clone()),
            source: Box::new(source),
        })?;
        Ok(Measured::of(&outcome, &scenario))
    }
}

impl Findings {
    fn add(&mut self, cell: &Cell, measured: Vec<Measured>) {
        let mut spread = Spread::default();
        measured.iter().for_each(|measured| spread.merge(&measured.spread));
        let course = measured.first().map(|first| first.course.clone()).unwrap_or_default();
        let runs = measured.into_iter().map(|measured| measured.run).collect();
        self.results.cells.push(CellResult::new(cell.key(), cell.link.trace(), runs));
        self.pictures.push(Picture { course, spread });
    }
}

/// The media of a cell. What is made up is as long as the longest cell plays of it.
fn open(cell: &Cell, cells: &[(Cell, Vec<u64>)]) -> Result<Media, MediaError> {
    if cell.is_synthetic() {
        let lengths = cells.iter().filter(|(other, _)| other.is_synthetic());
        let longest = lengths.map(|(other, _)| other.length.unwrap_or(SYNTHETIC_LENGTH)).max();
        return Media::synthetic(longest.unwrap_or(SYNTHETIC_LENGTH));
    }
    let directory = cell.media.parent().filter(|parent| !parent.as_os_str().is_empty());
    Media::open(directory.unwrap_or_else(|| std::path::Path::new(".")))
}

#[cfg(test)]
mod tests;
