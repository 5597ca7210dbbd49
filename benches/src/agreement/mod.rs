//! Whether our emulator does what the kernel's netem does.
//!
//! The same parameters go through both. Numbered packets cross the kernel's, in real time
//! ([`count`](crate::count)); then packets of the same size, sent at the very same instants, cross
//! ours in virtual time, ten times with ten seeds. What came of either is compared:
//!
//! * **shares** of packets lost, duplicated and reordered (RFC 4737): Welch's test over blocks of
//!   200 packets, which holds for bursts too;
//! * **lengths of runs** of losses: the chi-square test of homogeneity, rare lengths together;
//! * **gaps** between losses: the test of Kolmogorov and Smirnov;
//! * **delays**, where the kernel keeps time: two quantiles and the correlation from packet to
//!   packet, with half a millisecond allowed for the way through the kernel.
//!
//! A whole session of streamer and player is compared likewise, by its report: its share of lost
//! units and the lengths of their runs with those of forty sessions in virtual time.
//!
//! The timers of a processor that is emulated come tens of milliseconds late ([`Timers::Coarse`]).
//! Then neither delays are compared nor what hangs on the instant at which a queue has room again.
//!
//! Chance alone lets the whole table, if both are the same, disagree anywhere with a probability of
//! at most [`ALPHA`]: each of its rows is tested at that divided by their number (Bonferroni).
//!
//! What arrives damaged counts as lost: checksums see to that on the way through a kernel.

mod replay;
mod session;
mod sets;
mod show;
mod table;
mod tail;
mod trial;

use crate::count::{Observation, runs};
use crate::link::LinkSpec;

pub use replay::replay;
pub use session::{SessionError, compare_sessions};
pub use sets::{ParameterSet, SetsError, parse_sets};
pub use show::{AgreementError, agreement};
pub use table::Table;
pub use trial::{LEAST_PACKETS, Trial};

/// Probability that a table of two equal emulators shows a disagreement.
pub const ALPHA: f64 = 0.001;

/// One measure of both, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What was measured.
    pub measure: Measure,
    /// It, at the kernel's.
    pub kernel: f64,
    /// It, at ours.
    pub ours: f64,
    /// How far they are apart, and how far they may be.
    pub trial: Trial,
}

/// What is measured.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Measure {
    /// Share of packets that never arrived.
    Lost,
    /// Mean length of a run of losses, in packets.
    LossRun,
    /// Mean number of packets that arrived between two losses.
    Gap,
    /// Share of packets that arrived more than once.
    Duplicated,
    /// Share of packets that arrived behind a later one.
    Reordered,
    /// A quantile of the one-way delay, in milliseconds.
    Delay {
        /// Which one.
        percent: u32,
    },
    /// How much the delay of a packet resembles that of the one before.
    Correlation,
}

/// Whether the kernel's timers can be believed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Timers {
    /// To a fraction of a millisecond.
    Exact,
    /// They come tens of milliseconds late.
    Coarse,
}

/// Runs of losses of which the lengths can be compared.
const LEAST_RUNS: usize = 20;
/// What the way through a kernel may add to a delay, in milliseconds.
const KERNEL_MILLIS: f64 = 0.5;

/// Compares what the kernel did under `spec` with what several runs of ours did. What neither did
/// is left out, but for losses.
pub fn compare(
    spec: &LinkSpec,
    kernel: &Observation,
    ours: &[Observation],
    timers: Timers,
) -> Vec<Finding> {
    let all = |what: fn(&Observation) -> Vec<bool>| {
        (what(kernel), ours.iter().map(what).collect::<Vec<_>>())
    };
    let (lost, lost_here) = all(Observation::lost);
    let (duplicated, duplicated_here) = all(Observation::duplicated);
    let (reordered, reordered_here) = all(Observation::reordered);
    let mut findings = vec![shares(Measure::Lost, &lost, &lost_here)];
    let overflows = spec.rate.is_some() || spec.trace.is_some();
    if timers == Timers::Exact || !overflows {
        findings.extend(losses(&lost, &lost_here));
    }
    findings.push(shares(Measure::Duplicated, &duplicated, &duplicated_here));
    findings.push(shares(Measure::Reordered, &reordered, &reordered_here));
    findings.retain(|it| it.measure == Measure::Lost || it.kernel + it.ours > 0.0);
    if timers == Timers::Exact {
        findings.extend(delays(kernel, ours));
    }
    findings
}

/// How losses follow each other, where there are enough of them.
fn losses(lost: &[bool], lost_here: &[Vec<bool>]) -> Vec<Finding> {
    let lengths = |what| {
        let here: Vec<usize> = lost_here.iter().flat_map(|run| runs(run, what)).collect();
        (runs(lost, what), here)
    };
    let (one, other) = lengths(true);
    if one.len() < LEAST_RUNS || other.len() < LEAST_RUNS {
        return Vec::new();
    }
    let trial = Trial::lengths(&one, &other);
    let run = means(Measure::LossRun, &one, &other, trial);
    let (one, other) = lengths(false);
    let trial = Trial::distributions(&one, &other);
    vec![run, means(Measure::Gap, &one, &other, trial)]
}

fn delays(kernel: &Observation, ours: &[Observation]) -> Vec<Finding> {
    let millis = |seen: &Observation| {
        seen.delays().into_iter().map(|delay| 1e3 * delay.as_secs_f64()).collect::<Vec<_>>()
    };
    let (there, each) = (millis(kernel), ours.iter().map(millis).collect::<Vec<_>>());
    let here = each.concat();
    let quantile = |percent: u32| {
        let q = f64::from(percent) / 100.0;
        Finding {
            measure: Measure::Delay { percent },
            kernel: trial::quantile(&there, q).0,
            ours: trial::quantile(&here, q).0,
            trial: Trial::quantiles(&there, &here, q, KERNEL_MILLIS),
        }
    };
    let mut findings = vec![quantile(50), quantile(95)];
    let (low, high) = (trial::quantile(&here, 0.05).0, trial::quantile(&here, 0.95).0);
    // Where the delay is constant, all that varies is the kernel's own.
    if high - low > 2.0 * KERNEL_MILLIS {
        findings.push(Finding {
            measure: Measure::Correlation,
            kernel: trial::correlation(&there),
            ours: trial::correlation(&here),
            trial: Trial::correlations(&there, &here),
        });
    }
    findings
}

fn shares(measure: Measure, kernel: &[bool], ours: &[Vec<bool>]) -> Finding {
    let count = |happened: &[bool]| happened.iter().filter(|&&it| it).count() as f64;
    let sum: f64 = ours.iter().map(|run| count(run)).sum();
    let packets: usize = ours.iter().map(Vec::len).sum();
    Finding {
        measure,
        kernel: count(kernel) / kernel.len().max(1) as f64,
        ours: sum / packets.max(1) as f64,
        trial: Trial::shares(kernel, ours),
    }
}

fn means(measure: Measure, kernel: &[usize], ours: &[usize], trial: Trial) -> Finding {
    let mean =
        |lengths: &[usize]| lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64;
    Finding { measure, kernel: mean(kernel), ours: mean(ours), trial }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_qos::time::MonoTime;

    /// 20,000 packets at 500 a second.
    fn instants() -> Vec<MonoTime> {
        (0..20_000).map(|number| MonoTime::from_millis(2 * number)).collect()
    }

    fn through(words: &str, seeds: std::ops::Range<u64>) -> Vec<Observation> {
        let spec = words.parse().unwrap();
        seeds.map(|seed| replay(&spec, seed, &instants(), 228).unwrap()).collect()
    }

    /// The rows of a comparison in which the two disagree, each at one in ten thousand.
    fn disagreements(one: &str, other: &str) -> Vec<Measure> {
        let [kernel] = &through(one, 0..1)[..] else { panic!("one run") };
        let spec = other.parse().unwrap();
        let findings = compare(&spec, kernel, &through(other, 100..105), Timers::Exact);
        let disagree = findings.iter().filter(|it| it.trial.probability() < 1e-4);
        disagree.map(|it| it.measure).collect()
    }

    #[test]
    fn a_link_agrees_with_itself() {
        for words in [
            "loss 5%",
            "loss 10% 25%",
            "loss gemodel 1% 25%",
            "loss gemodel 2% 20% 70% 1%",
            "duplicate 5%",
            "delay 20ms reorder 75% gap 5",
            "delay 40ms 20ms distribution normal",
            "rate 600kbit limit 20",
        ] {
            assert_eq!(disagreements(words, words), [], "{words}");
        }
    }

    #[test]
    fn links_that_differ_a_little_disagree_in_what_differs() {
        use Measure::{Delay, Duplicated, Gap, LossRun, Reordered};
        let found = disagreements("loss 4%", "loss gemodel 1% 24%");
        assert!(found.contains(&LossRun) && found.contains(&Gap), "{found:?}");
        assert!(disagreements("loss gemodel 1% 25%", "loss gemodel 1% 33%").contains(&LossRun));
        assert_eq!(disagreements("duplicate 5%", "duplicate 6%"), [Duplicated]);
        let jitter = disagreements("delay 40ms 2ms", "delay 40ms 4ms");
        assert_eq!(jitter, [Reordered, Delay { percent: 95 }]);
    }

    #[test]
    fn what_neither_does_is_no_row_but_that_nothing_was_lost_is() {
        let [kernel] = &through("delay 5ms", 0..1)[..] else { panic!("one run") };
        let (spec, ours) = ("delay 5ms".parse().unwrap(), through("delay 5ms", 1..2));
        let findings = compare(&spec, kernel, &ours, Timers::Coarse);
        let measures: Vec<_> = findings.iter().map(|finding| finding.measure).collect();
        assert_eq!(measures, [Measure::Lost]);
    }

    #[test]
    fn coarse_timers_leave_out_delays_and_the_runs_of_a_queue_that_overflows() {
        let words = "rate 600kbit limit 20";
        let spec = words.parse().unwrap();
        let [kernel] = &through(words, 0..1)[..] else { panic!("one run") };
        let ours = through(words, 1..3);
        let measures = |timers| {
            let findings = compare(&spec, kernel, &ours, timers);
            findings.iter().map(|finding| finding.measure).collect::<Vec<_>>()
        };
        assert_eq!(measures(Timers::Coarse), [Measure::Lost]);
        let exact = measures(Timers::Exact);
        assert!(exact.contains(&Measure::LossRun) && exact.contains(&Measure::Correlation));
    }
}
