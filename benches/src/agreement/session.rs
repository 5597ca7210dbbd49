//! A session across the kernel's netem, and many of the same plan in virtual time.

use cantus_qos::stats::report::{QosReport, StreamReport};

use super::{Finding, Measure, Trial};
use crate::plan::{Plan, PlanError};
use crate::sim::{self, Media, MediaError, Scenario, ScenarioError, SimError};

/// The seeds in virtual time.
const SEEDS: std::ops::Range<u64> = 1..41;
/// Runs of one length that are looked at: a report from elsewhere may claim anything.
const RUNS_LIMIT: u64 = 1 << 20;

/// Why sessions cannot be compared. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The plan is none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Its media cannot be opened.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// It cannot be played.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// It was not played.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// A report without an audio stream.
    #[error("the report tells of no stream")]
    NoStream,
}

/// Compares the losses of a session with those of forty of the same plan in virtual time.
///
/// # Errors
///
/// If the plan cannot be played, or the report tells of nothing.
pub fn compare_sessions(report: &QosReport, plan: &Plan) -> Result<Vec<Finding>, SessionError> {
    let (directory, _) = plan.presentation().ok_or_else(|| PlanError::Media(plan.media.clone()))?;
    let media = Media::open(directory)?;
    let mut scenario = Scenario::from_plan(plan)?;
    let mut ours = Vec::new();
    for seed in SEEDS {
        scenario.seed = seed;
        let report = sim::run(&media, &scenario)?.report;
        ours.push(report.streams.into_iter().next().ok_or(SessionError::NoStream)?);
    }
    let kernel = report.streams.first().ok_or(SessionError::NoStream)?;
    Ok(findings(kernel, &ours))
}

fn findings(kernel: &StreamReport, ours: &[StreamReport]) -> Vec<Finding> {
    let share = |stream: &StreamReport| stream.network_loss().unwrap_or_default();
    let shares: Vec<_> = ours.iter().map(share).collect();
    let lost = Finding {
        measure: Measure::Lost,
        kernel: share(kernel),
        ours: shares.iter().sum::<f64>() / shares.len().max(1) as f64,
        trial: Trial::among(share(kernel), &shares),
    };
    let one = runs(kernel);
    let other: Vec<_> = ours.iter().flat_map(runs).collect();
    let trial = Trial::lengths(&one, &other);
    vec![lost, super::means(Measure::LossRun, &one, &other, trial)]
}

/// The length of each run of lost units.
fn runs(stream: &StreamReport) -> Vec<usize> {
    let of_length = |(&length, &count): (&u32, &u64)| {
        std::iter::repeat_n(length as usize, count.min(RUNS_LIMIT) as usize)
    };
    stream.loss_runs.iter().flat_map(of_length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(lost: u64, runs: &[(u32, u64)]) -> StreamReport {
        StreamReport {
            expected: 1500,
            lost_network: lost,
            loss_runs: runs.iter().copied().collect(),
            ..StreamReport::default()
        }
    }

    #[test]
    fn a_session_that_lost_as_others_do_agrees_and_one_that_lost_far_more_does_not() {
        let ours: Vec<_> =
            (0..40).map(|run| stream(50 + run % 10, &[(1, 12), (2, 6), (4, 6)])).collect();
        let worst = |kernel: &StreamReport| {
            let found = findings(kernel, &ours);
            found.iter().map(|it| it.trial.probability()).fold(1.0, f64::min)
        };
        assert!(worst(&stream(56, &[(1, 14), (2, 7), (4, 7)])) > 0.01);
        assert!(worst(&stream(400, &[(1, 100), (2, 50), (4, 50)])) < 1e-6);
        assert!(worst(&stream(60, &[(3, 20)])) < 1e-6, "as much, but in runs of three");
    }
}
