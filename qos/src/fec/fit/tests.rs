use super::*;

use proptest::prelude::*;

const UNIT: Duration = Duration::from_millis(20);
const MS: fn(u64) -> Duration = Duration::from_millis;

fn path(one_way: u64, jitter: u64, loss: f64, run: f64) -> Path {
    Path { one_way: MS(one_way), jitter: MS(jitter), round_trip: MS(2 * one_way), loss, run }
}

fn fit(path: Path, latency: u64) -> Fit {
    Fit::for_path(&path, MS(latency), UNIT)
}

#[test]
fn nothing_is_spent_where_nothing_is_lost_or_no_symbol_could_be_in_time() {
    assert_eq!(fit(path(20, 10, 0.0, 1.0), 150), Fit::NONE);
    assert_eq!(fit(path(60, 30, 0.13, 5.0), 130), Fit::NONE);
    assert_eq!(fit(path(60, 30, 0.2, 1.25), 80), Fit::NONE);
}

#[test]
fn where_several_round_trips_fit_and_losses_are_few_asking_is_enough() {
    assert_eq!(fit(path(20, 10, 0.01, 1.0), 150).share, 0.0);
    assert_eq!(fit(path(40, 15, 0.001, 4.0), 2_000).share, 0.0);
    assert!(fit(path(40, 15, 0.04, 4.0), 2_000).share <= LEAST_DISTANT);
}

#[test]
fn where_no_answer_can_be_in_time_the_code_carries_all() {
    let (alone, helped) = (fit(path(80, 40, 0.04, 1.0), 200), fit(path(20, 10, 0.04, 1.0), 200));
    assert!(alone.share > 0.4 && helped.share < alone.share / 3.0, "{alone:?} {helped:?}");
}

#[test]
fn losses_one_by_one_are_covered_together_and_bursts_from_a_distance() {
    let dense = fit(path(40, 10, 0.2, 1.25), 200);
    assert_eq!((dense.oldest, dense.newest), (MS(155), MS(0)));
    let distant = fit(path(60, 30, 0.13, 5.0), 250);
    assert_eq!((distant.oldest, distant.newest.as_millis()), (MS(130), 110));
    assert!(distant.oldest - distant.newest < UNIT, "one unit, never two");
}

#[test]
fn where_only_the_newest_unit_can_be_repaired_copies_of_it_are_as_many_as_the_losses_are_worth() {
    let copies = |loss| fit(path(40, 10, loss, 1.0 + loss), 72);
    assert_eq!((copies(0.2).share, copies(0.2).oldest), (MOST_DENSE, UNIT));
    assert!((0.1..0.12).contains(&copies(0.01).share), "{:?}", copies(0.01));
    assert_eq!(fit(path(40, 10, 0.2, 1.2), 54), Fit::NONE, "half of them would come too late");
}

#[test]
fn heavy_losses_in_bursts_are_worth_what_a_listener_may_be_expected_to_pay_and_no_more() {
    assert_eq!(fit(path(60, 30, 0.13, 5.0), 200).share, MOST_DISTANT);
    assert_eq!(fit(path(60, 30, 0.3, 9.0), 200).share, MOST_DISTANT);
    assert_eq!(fit(path(40, 10, 0.4, 1.7), 150).share, MOST_DENSE);
}

proptest! {
    #[test]
    fn whatever_the_path_shares_are_bounded_and_windows_in_time(
        (one_way, jitter, latency) in (0_u64..500, 0_u64..200, 0_u64..12_000),
        (loss, run) in (0.0..0.99_f64, 1.0..50.0_f64),
    ) {
        let path = path(one_way, jitter, loss, run);
        let fit = Fit::for_path(&path, MS(latency), UNIT);
        prop_assert!((0.0..=MOST_DISTANT).contains(&fit.share));
        prop_assert!(fit.newest <= fit.oldest);
        prop_assert!(fit.share == 0.0 || path.one_way + fit.oldest <= MS(latency));
    }

    #[test]
    fn more_loss_never_gets_less_repair(
        (one_way, latency) in (1_u64..150, 100_u64..500),
        (loss, more, run) in (0.001..0.4_f64, 1.0..2.0_f64, 1.0..8.0_f64),
    ) {
        // Bursts or not is told by the run and the loss together: here it is the same for both.
        let run = if run < 2.0 { 1.0 } else { run + 6.0 };
        let fit = |loss| fit(path(one_way, 10, loss, run), latency).share;
        prop_assert!(fit(loss) <= fit(loss * more) + MOST_DENSE / f64::from(STEPS));
    }
}
