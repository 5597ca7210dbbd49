//! `cantus-bench matrix`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cantus_player::wish::Latency;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Findings, Matrix, MatrixError, MatrixPlan, RunError};
use crate::cli::MatrixOptions;
use crate::report::{CellResult, html, to_csv};

/// Where real traces lie on a machine that has them, from the root of the project.
const REAL_TRACES: &str = "../shared/traces";

/// Why there is no report. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The matrix was not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The plan is none.
    #[error(transparent)]
    Plan(#[from] MatrixError),
    /// The report cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Runs a matrix and writes `report.html`, `results.csv` and `results.json`.
///
/// # Errors
///
/// [`CommandError`]: before anything is run if the plan cannot be, or there is no place for the
/// report.
pub fn run(options: &MatrixOptions) -> Result<(), CommandError> {
    let mut plans = MatrixPlan::read(&options.plan)?;
    if let Some(directory) = traces(options)? {
        plans = plans.into_iter().map(|plan| plan.with_traces_from(&directory)).collect();
    }
    let matrix = Matrix::prepare(&plans, options.seeds.as_ref())?;
    fs::create_dir_all(&options.out).map_err(|source| failed(&options.out, source))?;
    let progress = progress(matrix.sessions());
    let findings = matrix.run(options.jobs, || progress.inc(1))?;
    progress.finish_and_clear();
    write(&options.out, &findings)?;
    print!("{}", summary(&findings, &options.out));
    Ok(())
}

/// The directory of real traces: the one that was named, or the usual one where it is there.
fn traces(options: &MatrixOptions) -> Result<Option<PathBuf>, MatrixError> {
    match &options.real_traces {
        Some(directory) if directory.is_dir() => Ok(Some(directory.clone())),
        Some(directory) => Err(MatrixError::NoTraces(directory.clone())),
        None if options.generated_traces => Ok(None),
        None => Ok(Some(PathBuf::from(REAL_TRACES)).filter(|usual| usual.is_dir())),
    }
}

/// A bar with the time left; silent where nobody watches.
fn progress(sessions: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(sessions as u64), ProgressDrawTarget::stderr());
    let style = "{wide_bar} {pos}/{len} sessions, {eta} left";
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn write(directory: &Path, findings: &Findings) -> Result<(), CommandError> {
    let Findings { results, .. } = findings;
    for (name, text) in [
        ("results.json", results.to_json()),
        ("results.csv", to_csv(results)),
        ("report.html", html::matrix(findings)),
    ] {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|source| failed(&path, source))?;
    }
    Ok(())
}

fn failed(path: &Path, source: io::Error) -> CommandError {
    CommandError::Write { path: path.to_owned(), source }
}

/// How playback waited, where that was its own to choose.
fn playout(cell: &CellResult) -> Option<String> {
    let latency = cell.key.latency.split(' ').next().unwrap_or_default();
    if latency.parse() != Ok(Latency::Auto) {
        return None;
    }
    let mean = |name: &str| cell.figure(name).map(|estimate| estimate.mean);
    let ratio = |name: &str| mean(name).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
    Some(format!(
        "delay {:.1} ms in the median, {:.1} in the mean; late {:.2} %, with waits {:.2} %; \
         {} of the best constant delay as late, {} as interrupted",
        mean("delay_p50_ms")?,
        mean("delay_mean_ms")?,
        100.0 * mean("late")? / mean("expected")?,
        100.0 * mean("late_share")?,
        ratio("playout_to_constant"),
        ratio("playout_to_interrupted"),
    ))
}

/// What packets met at the bottleneck of a cell's link, and what media took of it; `None` where
/// nothing limits the rate.
fn pipe(cell: &CellResult) -> Option<String> {
    let mean = |name: &str| cell.figure(name).map(|estimate| estimate.mean);
    let mut text = format!(
        "queue {:.1} ms in the median, {:.1} for 95 %, {:.1} at the longest",
        mean("queue_p50_ms")?,
        mean("queue_p95_ms")?,
        mean("queue_max_ms")?,
    );
    if let Some((media, used)) = mean("pipe_media").zip(mean("pipe_used")) {
        text += &format!("; media {:.1} % of the pipe, all {:.1} %", 100.0 * media, 100.0 * used);
    }
    Some(text)
}

/// How a cell's session got on with others; `None` where it was alone.
fn sharing(cell: &CellResult) -> Option<String> {
    let mean = |name: &str| cell.figure(name).map(|estimate| estimate.mean);
    let (share, jain) = (mean("fair_share")?, mean("jain")?);
    let mut text =
        format!("media {:.1} % of its fair share; Jain's index {jain:.3}", 100.0 * share);
    if let Some(others) = mean("pipe_others") {
        text += &format!("; others {:.1} % of the pipe", 100.0 * others);
    }
    Some(text)
}

/// One line a cell, for adaptive playout another, and for a bottleneck and who shared it; and where the rest is.
fn summary(findings: &Findings, out: &Path) -> String {
    let Findings { results, .. } = findings;
    let mut text = String::new();
    for cell in &results.cells {
        let percent = |name: &str| match cell.figure(name) {
            Some(estimate) => match estimate.half_width() {
                Some(half) => format!("{:6.2} ± {:4.2} %", 100.0 * estimate.mean, 100.0 * half),
                None => format!("{:6.2} %", 100.0 * estimate.mean),
            },
            None => "     -".to_owned(),
        };
        let (residual, overhead) = (percent("residual"), percent("overhead"));
        let mos = cell.figure("mos").map_or("-".to_owned(), |mos| format!("{:.2}", mos.mean));
        text += &format!("residual {residual}  overhead {overhead}  MOS {mos:>4}  {}\n", cell.key);
        for line in [playout(cell), pipe(cell), sharing(cell)].into_iter().flatten() {
            text += &format!("    {line}\n");
        }
    }
    let incomplete = results.cells.iter().flat_map(|cell| &cell.runs).filter(|run| !run.completed);
    match incomplete.count() {
        0 => {}
        count => text += &format!("{count} sessions were not played to their end.\n"),
    }
    let (sessions, out) = (results.sessions(), out.display());
    text + &format!("{sessions} sessions; the report is {out}/report.html\n")
}
