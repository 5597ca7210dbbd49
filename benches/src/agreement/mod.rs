//! Whether our emulator does what the kernel's netem does.
//!
//! The same parameters go through both. Numbered packets cross the kernel's, in real time
//! ([`count`](crate::count)); then packets of the same size, sent at the very same instants, cross
//! ours in virtual time, ten times with ten seeds. What came of either is compared:
//!
//! * **shares** of packets lost, duplicated and reordered (RFC 4737): Welch's test over blocks of
//!   200 packets, which holds for bursts too;
//! * **lengths of runs** of losses: the chi-square test of homogeneity, rare lengths together;
//! * **gaps** between losses: the test of Kolmogorov and Smirnov.
//!
//! Chance alone lets the whole table, if both are the same, disagree anywhere with a probability of
//! at most [`ALPHA`]: each of its rows is tested at that divided by their number (Bonferroni).
//!
//! What arrives damaged counts as lost: checksums see to that on the way through a kernel.

mod replay;
mod sets;
mod show;
mod table;
mod tail;
mod trial;

use crate::count::{Observation, runs};

pub use replay::replay;
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
}

/// Compares what the kernel did with what several runs of ours did. What neither did is left out,
/// but for losses.
pub fn compare(kernel: &Observation, ours: &[Observation]) -> Vec<Finding> {
    let all = |what: fn(&Observation) -> Vec<bool>| {
        (what(kernel), ours.iter().map(what).collect::<Vec<_>>())
    };
    let (lost, lost_here) = all(Observation::lost);
    let mut findings = vec![shares(Measure::Lost, &lost, &lost_here)];
    if findings[0].kernel + findings[0].ours > 0.0 {
        let lengths = |what| {
            let here: Vec<usize> = lost_here.iter().flat_map(|run| runs(run, what)).collect();
            (runs(&lost, what), here)
        };
        let (one, other) = lengths(true);
        let trial = Trial::lengths(&one, &other);
        findings.push(means(Measure::LossRun, &one, &other, trial));
        let (one, other) = lengths(false);
        let trial = Trial::distributions(&one, &other);
        findings.push(means(Measure::Gap, &one, &other, trial));
    }
    let (duplicated, here) = all(Observation::duplicated);
    findings.push(shares(Measure::Duplicated, &duplicated, &here));
    let (reordered, here) = all(Observation::reordered);
    findings.push(shares(Measure::Reordered, &reordered, &here));
    let happened = |it: &Finding| it.measure == Measure::Lost || it.kernel + it.ours > 0.0;
    findings.retain(happened);
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
        let findings = compare(kernel, &through(other, 100..105));
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
        use Measure::{Duplicated, Gap, LossRun, Reordered};
        let found = disagreements("loss 4%", "loss gemodel 1% 24%");
        assert!(found.contains(&LossRun) && found.contains(&Gap), "{found:?}");
        assert!(disagreements("loss gemodel 1% 25%", "loss gemodel 1% 33%").contains(&LossRun));
        assert_eq!(disagreements("duplicate 5%", "duplicate 6%"), [Duplicated]);
        let jitter = disagreements("delay 40ms 2ms", "delay 40ms 3ms");
        assert_eq!(jitter, [Reordered]);
    }

    #[test]
    fn what_neither_does_is_no_row_but_that_nothing_was_lost_is() {
        let [kernel] = &through("delay 5ms", 0..1)[..] else { panic!("one run") };
        let measures: Vec<_> = compare(kernel, &through("delay 5ms", 1..2))
            .into_iter()
            .map(|finding| finding.measure)
            .collect();
        assert_eq!(measures, [Measure::Lost]);
    }
}
