//! Independent losses, and the chains.
//!
//! Closed forms. A run of losses ends with a step from a lost packet to one that gets through, and
//! in the long run there are as many runs as such steps, so the mean length of a run is
//! P(lost) / P(lost, then through) for any stationary sequence.

use super::*;

#[test]
fn independent_losses_have_the_stated_share_and_runs_of_one_over_the_share_that_gets_through() {
    let count = 200_000;
    let lost = lost(&send(&mut link("loss 20%"), count, TICK, 200), count);
    assert_share(share_of(&lost) as usize, count as usize, 0.2);
    assert_mean(&bursts(&lost), 1.0 / 0.8);
}

#[test]
fn losses_of_everything_and_nothing_are_exact() {
    assert_eq!(send(&mut link("loss 100%"), 10_000, TICK, 200), []);
    assert_eq!(send(&mut link("loss 0%"), 10_000, TICK, 200).len(), 10_000);
}

/// With correlation a number is x' = (1 - ρ) u + ρ x with u uniform, so the distribution function
/// of what it tends to solves F(x) = ∫ F((x - (1 - ρ) u) / ρ) du. Solved here by iteration on a
/// grid, it gives the share below P.
fn share_below(p: f64, correlation: f64) -> f64 {
    const GRID: usize = 2_000;
    let mut below: Vec<f64> = (0..=GRID).map(|i| i as f64 / GRID as f64).collect();
    for _ in 0..60 {
        // The integral of F from 0 on, with F = 1 beyond 1.
        let mut area = vec![0.0; GRID + 1];
        for i in 1..=GRID {
            area[i] = area[i - 1] + (below[i - 1] + below[i]) / 2.0 / GRID as f64;
        }
        let integral = |x: f64| match x.clamp(0.0, 1.0) * GRID as f64 {
            place if place < GRID as f64 => {
                let (i, part) = (place as usize, place.fract());
                area[i] + part * (area[i + 1] - area[i])
            }
            _ => area[GRID] + (x - 1.0),
        };
        for (i, below) in below.iter_mut().enumerate() {
            let x = i as f64 / GRID as f64;
            let from = (x - (1.0 - correlation)) / correlation;
            let width = (1.0 - correlation) / correlation;
            *below = (integral(x / correlation) - integral(from.max(0.0))) / width;
        }
    }
    below[(p * GRID as f64).round() as usize]
}

#[test]
fn correlated_losses_have_the_share_of_an_autoregression() {
    for (words, p, correlation) in [
        ("loss 30% 25%", 0.3, 0.25),
        ("loss 30% 50%", 0.3, 0.5),
        ("loss 45% 75%", 0.45, 0.75),
        ("loss 10% 40%", 0.1, 0.4),
    ] {
        let count = 200_000;
        let lost = lost(&send(&mut link(words), count, TICK, 200), count);
        assert_mean(&batches(&lost), share_below(p, correlation));
    }
}

#[test]
fn correlation_makes_runs_longer_and_small_shares_smaller() {
    let count = 200_000;
    let lost = lost(&send(&mut link("loss 30% 50%"), count, TICK, 200), count);
    let share = share_of(&lost) / count as f64;
    let bursts = bursts(&lost);
    let run = bursts.iter().sum::<f64>() / bursts.len() as f64;
    let independent = 1.0 / (1.0 - share);
    assert!(share < 0.2 && run > 1.3 * independent, "{share}, {run} against {independent}");
}

/// Gilbert 1960, Elliott 1963: the chain is bad a share p / (p + r) of the time. With the losses
/// of the two states that gives the mean, and with one step of the chain in between the share of
/// pairs that are both lost.
struct GilbertElliott {
    p: f64,
    r: f64,
    bad: f64,
    good: f64,
}

impl GilbertElliott {
    fn share(&self) -> f64 {
        let Self { p, r, bad, good } = self;
        (p * bad + r * good) / (p + r)
    }

    fn run(&self) -> f64 {
        let Self { p, r, bad, good } = self;
        let in_bad = p / (p + r) * bad * ((1.0 - r) * bad + r * good);
        let in_good = r / (p + r) * good * ((1.0 - p) * good + p * bad);
        self.share() / (self.share() - in_bad - in_good)
    }
}

#[test]
fn a_gilbert_elliott_chain_has_the_share_and_runs_of_its_closed_form() {
    let simple = GilbertElliott { p: 0.01, r: 0.25, bad: 1.0, good: 0.0 };
    assert_eq!((simple.share(), simple.run()), (0.01 / 0.26, 4.0));
    for (words, chain) in [
        ("loss gemodel 1% 25%", simple),
        ("loss gemodel 3% 20%", GilbertElliott { p: 0.03, r: 0.2, bad: 1.0, good: 0.0 }),
        ("loss gemodel 2% 8% 50% 1%", GilbertElliott { p: 0.02, r: 0.08, bad: 0.5, good: 0.01 }),
        ("loss gemodel 5% 30% 70%", GilbertElliott { p: 0.05, r: 0.3, bad: 0.7, good: 0.0 }),
        ("loss gemodel 10%", GilbertElliott { p: 0.1, r: 0.9, bad: 1.0, good: 0.0 }),
    ] {
        let count = 200_000;
        let lost = lost(&send(&mut link(words), count, TICK, 200), count);
        assert_mean(&batches(&lost), chain.share());
        assert_mean(&bursts(&lost), chain.run());
    }
}

/// Salsano, Ludovici and Ordine 2009. From the balance of the flows between the states
/// (π1 p13 = π3 p31, π2 p23 = π3 p32, π4 = π1 p14) follow the shares of the states; packets of
/// states 3 and 4 are lost; a run ends from 3 with p31 + p32 and from 4 always.
struct FourStates {
    p13: f64,
    p31: f64,
    p32: f64,
    p23: f64,
    p14: f64,
}

impl FourStates {
    fn share_and_run(&self) -> (f64, f64) {
        let Self { p13, p31, p32, p23, p14 } = self;
        let (gap, through, burst) = (p31 / p13, p32 / p23, 1.0);
        let single = gap * p14;
        let all = gap + through + burst + single;
        ((burst + single) / all, (burst + single) / (burst * (p31 + p32) + single))
    }
}

#[test]
fn a_four_state_chain_has_the_share_and_runs_of_its_closed_form() {
    for (words, p13, p31, p32, p23, p14) in [
        ("loss state 2% 20% 10% 30% 1%", 0.02, 0.2, 0.1, 0.3, 0.01),
        ("loss state 1% 10% 20% 50% 3%", 0.01, 0.1, 0.2, 0.5, 0.03),
        ("loss state 5% 40% 60% 25%", 0.05, 0.4, 0.6, 0.25, 0.0),
        ("loss state 3% 50% 50% 50%", 0.03, 0.5, 0.5, 0.5, 0.0),
        ("loss state 2% 30%", 0.02, 0.3, 0.0, 1.0, 0.0),
        ("loss state 10%", 0.1, 0.9, 0.0, 1.0, 0.0),
    ] {
        let count = 200_000;
        let lost = lost(&send(&mut link(words), count, TICK, 200), count);
        let (share, run) = FourStates { p13, p31, p32, p23, p14 }.share_and_run();
        assert_mean(&batches(&lost), share);
        assert_mean(&bursts(&lost), run);
    }
}

#[test]
fn two_states_of_the_four_are_the_simple_gilbert_chain() {
    let chain = FourStates { p13: 0.02, p31: 0.3, p32: 0.0, p23: 1.0, p14: 0.0 };
    let (share, run) = chain.share_and_run();
    assert!((share - 0.02 / 0.32).abs() < 1e-12);
    assert!((run - 1.0 / 0.3).abs() < 1e-12);
}

#[test]
fn a_single_loss_of_the_four_state_chain_stays_single() {
    let count = 200_000;
    let lost = lost(&send(&mut link("loss state 0% 100% 0% 100% 30%"), count, TICK, 200), count);
    assert!(bursts(&lost).iter().all(|&length| length == 1.0));
    // Of the packets in a gap, three of ten are followed by a single loss.
    assert_mean(&batches(&lost), 0.3 / 1.3);
}

#[test]
fn a_packet_stepped_chain_starts_in_the_good_state() {
    for seed in 0..200 {
        let spec = spec("loss gemodel 100% 0%");
        let arrivals = send(&mut Link::new(&spec, seed).unwrap(), 5, TICK, 200);
        assert_eq!(tags(&arrivals), [0]);
    }
}

#[test]
fn a_time_stepped_chain_has_bursts_of_the_same_length_in_time_whoever_sends() {
    let spec = "loss gemodel 1% 25% step 20ms";
    for interval in [Duration::from_millis(5), TICK, Duration::from_millis(10)] {
        let count = (TICK.as_nanos() / interval.as_nanos()) as u64 * 200_000;
        let runs = bursts(&lost(&send(&mut link(spec), count, interval, 200), count));
        let seconds: Vec<f64> = runs.iter().map(|run| run * interval.as_secs_f64()).collect();
        assert_mean(&seconds, 0.080);
    }
}

#[test]
fn a_time_stepped_chain_is_a_matter_of_time_alone() {
    let spec = "loss gemodel 3% 20% step 20ms";
    let sparse = send(&mut link(spec), 5_000, TICK, 200);
    let dense = send(&mut link(spec), 20_000, TICK / 4, 200);
    let through: Vec<_> = dense.iter().filter(|arrival| arrival.tag % 4 == 0).collect();
    assert!(sparse.iter().map(|arrival| arrival.sent).eq(through.iter().map(|a| a.sent)));
}
