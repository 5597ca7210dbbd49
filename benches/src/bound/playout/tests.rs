use super::*;

use proptest::collection::vec;
use proptest::prelude::*;

/// Units every 20 ms that take so many milliseconds each; `None`: lost.
fn units(delays: &[Option<u64>]) -> Vec<Unit> {
    (0..)
        .zip(delays)
        .map(|(number, delay)| {
            let sent = MonoTime::from_millis(20 * number);
            Unit { sent, available: delay.map(|delay| sent + Duration::from_millis(delay)) }
        })
        .collect()
}

/// The least mean over all ways to choose a delay for each window, with at most `late` late.
fn by_trying_all(windows: &[Vec<u64>], late: usize) -> Option<f64> {
    fn choose(windows: &[Vec<u64>], late: usize, played: usize, sum: u64) -> Option<f64> {
        let Some((window, rest)) = windows.split_first() else {
            return (played > 0).then(|| sum as f64 / played as f64);
        };
        // No delay at all gives the whole window up.
        let choices = window.iter().copied().map(Some).chain([None]);
        let means = choices.filter_map(|delay| {
            let heard = window.iter().filter(|&&one| Some(one) <= delay).count();
            let late = late.checked_sub(window.len() - heard)?;
            choose(rest, late, played + heard, sum + heard as u64 * delay.unwrap_or(0))
        });
        means.min_by(f64::total_cmp)
    }
    choose(windows, late, 0, 0)
}

proptest! {
    #[test]
    fn no_choice_of_delays_beats_the_optimum_and_one_reaches_it(
        delays in vec(proptest::option::weighted(0.8, 1u64..60), 1..12),
        late in 0usize..6,
    ) {
        let window = Duration::from_millis(60);
        let units = units(&delays);
        let by_window: Vec<Vec<u64>> =
            delays.chunks(3).map(|chunk| chunk.iter().flatten().copied().collect()).collect();
        let expected = by_trying_all(&by_window, late);
        let bound = playout_within(&units, late, window).map(|bound| bound.optimum_mean);
        // With all given up, there is nothing to play.
        let arrived = delays.iter().flatten().count();
        prop_assert_eq!(bound.is_some(), late < arrived);
        if let Some(bound) = bound {
            let expected = expected.expect("something is played");
            prop_assert!((bound.as_secs_f64() * 1e3 - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn the_constant_delay_is_the_least_that_makes_no_more_late(
        delays in vec(proptest::option::weighted(0.8, 1u64..60), 1..40),
        late in 0usize..10,
    ) {
        let Some(bound) = playout_within(&units(&delays), late, WINDOW) else { return Ok(()) };
        let late_at = |delay: u128| {
            delays.iter().flatten().filter(|one| u128::from(**one) > delay).count()
        };
        prop_assert!(late_at(bound.constant.as_millis()) <= late);
        prop_assert!(late_at(bound.constant.as_millis() - 1) > late);
        prop_assert!(bound.optimum_mean <= bound.constant);
    }
}

#[test]
fn what_the_network_lost_counts_for_nothing() {
    let with_losses = units(&[Some(40), None, None, Some(50)]);
    let bound = playout(&with_losses, 0.5).expect("two came");
    assert_eq!((bound.arrived, bound.late), (2, 1));
    assert_eq!(bound.constant, Duration::from_millis(40));
}

#[test]
fn where_nothing_came_or_nothing_need_be_played_there_is_no_bound() {
    assert_eq!(playout(&[], 0.0), None);
    assert_eq!(playout(&units(&[None, None]), 0.0), None);
    assert_eq!(playout(&units(&[Some(10)]), 1.0), None);
}

#[test]
fn a_share_computed_from_a_count_gives_the_count_back() {
    for arrived in 1..300usize {
        let all = units(&vec![Some(40); arrived]);
        for late in 0..arrived {
            let bound = playout(&all, late as f64 / arrived as f64).expect("some are played");
            assert_eq!((bound.arrived, bound.late), (arrived, late));
        }
    }
}
