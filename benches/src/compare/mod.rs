//! What got better or worse between two results of matrices.
//!
//! Runs of the same cell and seed are paired, because they had the same luck, and the differences
//! of a figure are tested against none. Every figure for which less is better is tested three
//! times: in each cell, over all cells of a link and over all cells there are. Each of these three
//! families may give a false alarm with a probability of a third of 5 %, divided among its tests
//! by Holm's method, so that *the chance of calling anything better or worse by luck alone is at
//! most 5 %*. The price is that a small change shows in a single cell only with many seeds; over
//! all cells it shows with few.
//!
//! A change that is sure but smaller than the figure's grain ([`Figure::grain`]) is left alone.

mod exact;
mod paired;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;

pub use exact::{TOLERANCE, differences};
pub use paired::{FALSE_ALARMS, Paired, holm};

use crate::cli::CompareOptions;
use crate::report::{CellKey, CellResult, FIGURES, Figure, Results, ResultsError, Run, Unit, mean};

/// Where runs are compared: the families of tests.
const SCOPES: f64 = 3.0;
/// Differences that are shown before the rest is counted.
const SHOWN: usize = 40;

/// A figure that changed beyond luck.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub figure: &'static Figure,
    /// Where: a cell, a link, or everywhere.
    pub place: String,
    /// The mean of before.
    pub old: f64,
    /// By how much it changed, and how sure that is.
    pub test: Paired,
}

/// What came of comparing two results.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// What got worse, by figure.
    pub worse: Vec<Change>,
    /// What got better.
    pub better: Vec<Change>,
    /// Sessions that were played to their end before and are not now.
    pub broken: Vec<String>,
    /// Cells that stand in both, with at least two seeds in common.
    pub compared: usize,
    /// Cells that could not be compared, and why not.
    pub apart: Vec<String>,
    /// How many tests were made.
    pub tests: usize,
}

/// Why two results cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// One of them is none.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// They have nothing in common.
    #[error("nothing to compare: no cell stands in both with at least two seeds in common")]
    NothingInCommon,
}

/// Compares two results.
pub fn compare(old: &Results, new: &Results) -> Comparison {
    let theirs: BTreeMap<&CellKey, &CellResult> =
        new.cells.iter().map(|cell| (&cell.key, cell)).collect();
    let mut comparison = Comparison::default();
    let mut pairs: Vec<(&CellKey, Vec<(&Run, &Run)>)> = Vec::new();
    for cell in &old.cells {
        let key = &cell.key;
        let found = theirs.get(key);
        match found.map(|found| pair(cell, found)) {
            None => comparison.apart.push(format!("{key}: only in the old results")),
            Some(Err(reason)) => comparison.apart.push(format!("{key}: {reason}")),
            Some(Ok(paired)) => pairs.push((key, paired)),
        }
    }
    let ours: BTreeSet<&CellKey> = old.cells.iter().map(|cell| &cell.key).collect();
    let added = new.cells.iter().filter(|cell| !ours.contains(&cell.key));
    comparison.apart.extend(added.map(|cell| format!("{}: only in the new results", cell.key)));
    comparison.compared = pairs.len();
    for (key, paired) in &pairs {
        let broken = paired.iter().filter(|(old, new)| old.completed && !new.completed);
        comparison.broken.extend(broken.map(|(run, _)| format!("{key}, seed {}", run.seed)));
    }
    for family in families(&pairs) {
        comparison.judge(family);
    }
    comparison
}

/// The runs of two cells by seed.
fn pair<'a>(
    old: &'a CellResult,
    new: &'a CellResult,
) -> Result<Vec<(&'a Run, &'a Run)>, &'static str> {
    if old.trace != new.trace {
        return Err("driven by another trace");
    }
    let theirs: BTreeMap<u64, &Run> = new.runs.iter().map(|run| (run.seed, run)).collect();
    let common = old.runs.iter().filter_map(|run| Some((run, *theirs.get(&run.seed)?)));
    let common: Vec<_> = common.collect();
    if common.len() < 2 { Err("fewer than two seeds in common") } else { Ok(common) }
}

/// The tests of each scope: every cell, every link, everything.
fn families(pairs: &[(&CellKey, Vec<(&Run, &Run)>)]) -> [Vec<Change>; 3] {
    let mut families = [Vec::new(), Vec::new(), Vec::new()];
    let links: BTreeSet<&str> = pairs.iter().map(|(key, _)| key.link.as_str()).collect();
    for figure in FIGURES.iter().filter(|figure| figure.grain.is_some()) {
        for cell in pairs {
            families[0].extend(test(figure, cell.0.to_string(), &[cell]));
        }
        let many = |chosen: Vec<_>, place: String| {
            (chosen.len() > 1).then(|| test(figure, place, &chosen)).flatten()
        };
        for link in &links {
            let on_link = pairs.iter().filter(|(key, _)| key.link == *link).collect();
            families[1].extend(many(on_link, format!("all of {link}")));
        }
        families[2].extend(many(pairs.iter().collect(), "all cells".to_owned()));
    }
    families
}

/// One figure over some cells: the mean over the cells for each seed, seed against seed. Cells
/// that do not know the figure with every seed of theirs do not count.
fn test(
    figure: &'static Figure,
    place: String,
    cells: &[&(&CellKey, Vec<(&Run, &Run)>)],
) -> Option<Change> {
    let mut seeds: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for (_, runs) in cells {
        let values = |(old, new): &(&Run, &Run)| Some((figure.of(old)?, figure.of(new)?));
        let known: Option<Vec<_>> = runs.iter().map(values).collect();
        for ((run, _), values) in runs.iter().zip(known.unwrap_or_default()) {
            seeds.entry(run.seed).or_default().push(values);
        }
    }
    // Seeds that only some of the cells have would weigh these cells more.
    let most = seeds.values().map(Vec::len).max()?;
    let whole = seeds.values().filter(|values| values.len() == most);
    let means: Vec<(f64, f64)> = whole
        .filter_map(|values| {
            let (old, new): (Vec<f64>, Vec<f64>) = values.iter().copied().unzip();
            Some((mean(&old)?, mean(&new)?))
        })
        .collect();
    let differences: Vec<f64> = means.iter().map(|(old, new)| new - old).collect();
    let old: Vec<f64> = means.iter().map(|(old, _)| *old).collect();
    Some(Change { figure, place, old: mean(&old)?, test: Paired::of(&differences)? })
}

impl Comparison {
    fn judge(&mut self, family: Vec<Change>) {
        let p: Vec<f64> = family.iter().map(|change| change.test.p).collect();
        self.tests += family.len();
        for (change, told) in family.into_iter().zip(holm(&p, FALSE_ALARMS / SCOPES)) {
            let grain = change.figure.grain.unwrap_or(f64::INFINITY);
            match change.test.mean {
                more if told && more >= grain => self.worse.push(change),
                less if told && less <= -grain => self.better.push(change),
                _ => {}
            }
        }
    }

    /// Whether anything got worse.
    pub fn is_regression(&self) -> bool {
        !self.worse.is_empty() || !self.broken.is_empty()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, changes) in [("Worse", &self.worse), ("Better", &self.better)] {
            if changes.is_empty() {
                continue;
            }
            let [was, change, sure] = ["before", "change", "±"];
            writeln!(f, "{title:22} {was:>12} {change:>12} {sure:>10}  where")?;
            changes.iter().take(SHOWN).try_for_each(|change| writeln!(f, "{change}"))?;
            if let Some(rest) = changes.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
                writeln!(f, "  and {rest} more")?;
            }
            writeln!(f)?;
        }
        for broken in &self.broken {
            writeln!(f, "No longer played to its end: {broken}")?;
        }
        for apart in self.apart.iter().take(SHOWN) {
            writeln!(f, "Not compared: {apart}")?;
        }
        let Self { compared, tests, worse, better, .. } = self;
        let (worse, better) = (worse.len(), better.len());
        write!(
            f,
            "{compared} cells compared by {tests} tests: {worse} worse, {better} better. The chance \
             of any false alarm among them is at most {:.0} %.",
            100.0 * FALSE_ALARMS
        )
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scale, unit, digits) = match self.figure.unit {
            Unit::Share => (100.0, " %", 3),
            Unit::Millis => (1.0, " ms", 1),
            Unit::Bytes => (1.0, " B", 1),
            Unit::Count | Unit::Ratio => (1.0, "", 3),
        };
        let Self { figure, place, old, test } = self;
        let was = format!("{:.digits$}{unit}", old * scale);
        let change = format!("{:+.digits$}{unit}", test.mean * scale);
        let sure = format!("{:.digits$}{unit}", test.half_width * scale);
        write!(f, "  {:20} {was:>12} {change:>12} {sure:>10}  {place}", figure.title)
    }
}

/// `cantus-bench compare`: 0 if nothing got worse, 1 if something did, 2 if they cannot be
/// compared.
pub fn command(options: &CompareOptions) -> ExitCode {
    match tell(options) {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::from(1),
        Err(error) => {
            eprintln!("cantus-bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the comparison; whether it is a regression, or a difference where none may be.
fn tell(options: &CompareOptions) -> Result<bool, CompareError> {
    let (old, new) = (Results::read(&options.old)?, Results::read(&options.new)?);
    if options.exact {
        let lines = differences(&old, &new);
        lines.iter().take(SHOWN).for_each(|line| println!("{line}"));
        let sessions = old.sessions();
        match lines.len() {
            0 => println!("The same: {sessions} sessions in {} cells.", old.cells.len()),
            count => println!("{count} differences in {sessions} sessions."),
        }
        return Ok(!lines.is_empty());
    }
    let comparison = compare(&old, &new);
    if comparison.compared == 0 {
        return Err(CompareError::NothingInCommon);
    }
    println!("{comparison}");
    Ok(comparison.is_regression())
}

#[cfg(test)]
mod tests;
