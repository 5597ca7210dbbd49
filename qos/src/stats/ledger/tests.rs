use super::*;
use crate::stats::Fate;
use proptest::prelude::*;
use std::collections::BTreeMap;

const START: u64 = 70_000;

fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

/// Unit `n` of a stream of 20 ms units is sent at 20 n ms and arrives 30 ms later.
fn arrive(ledger: &mut Ledger, unit: u64, recovery: Recovery) -> Arrival {
    let sent = at(20 * unit);
    let media_time = MediaTime::from_millis(20 * unit as i64);
    let now = sent + Duration::from_millis(30);
    ledger.on_arrival(now, START + unit, media_time, Some(sent), recovery)
}

/// It is heard 100 ms after it was sent, as wanted.
fn play(ledger: &mut Ledger, unit: u64) {
    let heard = at(20 * unit + 100);
    ledger.on_played(START + unit, heard, heard);
}

fn ledger(arrived: impl IntoIterator<Item = u64>) -> Ledger {
    let mut ledger = Ledger::new();
    ledger.start_at(START);
    arrived.into_iter().for_each(|unit| {
        arrive(&mut ledger, unit, Recovery::None);
    });
    ledger
}

fn assert_sums(totals: &Totals) {
    let Totals { expected, received, lost_network, .. } = *totals;
    assert_eq!(expected, totals.played + totals.late + totals.never_arrived, "{totals:?}");
    assert_eq!(expected, received + lost_network, "{totals:?}");
    let recovered = totals.recovered_fec + totals.recovered_retransmission;
    assert_eq!(lost_network, recovered + totals.never_arrived, "{totals:?}");
}

#[test]
fn units_are_expected_only_once_the_playout_has_come_to_them() {
    let mut ledger = ledger(0..10);
    assert_eq!(ledger.totals(), Totals::default());
    (0..4).for_each(|unit| play(&mut ledger, unit));
    let totals = ledger.totals();
    assert_eq!((totals.expected, totals.played, totals.received), (4, 4, 4));
}

#[test]
fn units_in_a_row_that_are_not_heard_are_one_run_and_what_is_heard_late_ends_it() {
    let mut ledger = ledger([0, 1, 2, 5, 6]);
    play(&mut ledger, 0);
    ledger.on_late(START + 1);
    ledger.on_played(START + 2, at(500), at(140));
    play(&mut ledger, 5);
    let unheard = ledger.unheard();
    assert_eq!((unheard.units, unheard.runs), (3, 2));
    ledger.end_at(START + 9);
    ledger.finish();
    let unheard = ledger.unheard();
    assert_eq!((unheard.units, unheard.runs), (7, 3), "the rest is one run");
}

#[test]
fn a_unit_that_never_comes_is_lost_once_the_playout_has_passed_it() {
    let mut ledger = ledger([0, 2]);
    play(&mut ledger, 0);
    play(&mut ledger, 2);
    let totals = ledger.totals();
    assert_eq!((totals.expected, totals.never_arrived, totals.lost_network), (3, 1, 1));
    assert_eq!(totals.residual, 1.0 / 3.0);
    assert_eq!(ledger.loss_runs().counts(), BTreeMap::from([(1, 1)]));
}

#[test]
fn a_unit_missed_by_the_playout_is_late_if_it_comes_and_lost_if_not() {
    let mut ledger = ledger([0]);
    play(&mut ledger, 0);
    ledger.on_late(START + 1);
    ledger.on_late(START + 2);
    assert_eq!(ledger.totals().never_arrived, 2);
    arrive(&mut ledger, 2, Recovery::None);
    let totals = ledger.totals();
    assert_eq!((totals.late, totals.never_arrived, totals.received), (1, 1, 2));
}

#[test]
fn a_unit_heard_after_it_was_wanted_is_late_beyond_the_tolerance() {
    let mut ledger = ledger([0, 1]);
    let wanted = at(200);
    let last = wanted + Ledger::TOLERANCE;
    ledger.on_played(START, last, wanted);
    assert_eq!((ledger.totals().played, ledger.totals().late), (1, 0));
    ledger.on_played(START + 1, last + Duration::from_nanos(1), wanted);
    assert_eq!((ledger.totals().played, ledger.totals().late), (1, 1));
    assert_eq!(ledger.delays().count(), 2, "late as it is, it was heard");
}

#[test]
fn a_unit_given_up_stays_late_though_it_is_heard_after_all() {
    let mut ledger = ledger([0]);
    ledger.on_late(START);
    play(&mut ledger, 0);
    assert_eq!((ledger.totals().played, ledger.totals().late), (0, 1));
    assert_eq!(ledger.delays().max(), Some(TimeDelta::from_millis(100)));
}

#[test]
fn what_never_came_cannot_be_heard() {
    let mut ledger = ledger([0]);
    play(&mut ledger, 5);
    assert_eq!(ledger.totals(), Totals::default());
}

#[test]
fn recovered_units_are_lost_on_the_network_but_heard() {
    let mut ledger = ledger([0]);
    assert_eq!(arrive(&mut ledger, 1, Recovery::Fec), Arrival::First);
    assert_eq!(arrive(&mut ledger, 2, Recovery::Retransmission), Arrival::First);
    (0..3).for_each(|unit| play(&mut ledger, unit));
    let totals = ledger.totals();
    assert_eq!((totals.expected, totals.received, totals.lost_network), (3, 1, 2));
    assert_eq!((totals.recovered_fec, totals.recovered_retransmission), (1, 1));
    assert_eq!((totals.played, totals.residual), (3, 0.0));
}

#[test]
fn a_unit_that_comes_after_its_recovery_was_not_lost_on_the_network() {
    let mut ledger = ledger([0]);
    arrive(&mut ledger, 1, Recovery::Fec);
    assert_eq!(arrive(&mut ledger, 1, Recovery::None), Arrival::Duplicate);
    (0..2).for_each(|unit| play(&mut ledger, unit));
    let totals = ledger.totals();
    assert_eq!((totals.received, totals.lost_network, totals.recovered_fec), (2, 0, 0));
    assert_eq!(totals.duplicate, 1);
    assert!(ledger.loss_runs().counts().is_empty());
}

#[test]
fn an_overtaken_unit_is_reordered_but_a_recovered_one_is_not() {
    let mut ledger = ledger([0, 3]);
    assert_eq!(arrive(&mut ledger, 1, Recovery::None), Arrival::Reordered);
    assert_eq!(arrive(&mut ledger, 2, Recovery::Fec), Arrival::First);
    assert_eq!(arrive(&mut ledger, 1, Recovery::None), Arrival::Duplicate);
    assert_eq!(ledger.totals().reordered, 1);
}

#[test]
fn units_before_the_announced_start_count_for_nothing() {
    let mut ledger = ledger([0]);
    let early = ledger.on_arrival(at(0), START - 1, MediaTime::ZERO, None, Recovery::None);
    assert_eq!(early, Arrival::Stale);
    ledger.finish();
    assert_eq!((ledger.totals().expected, ledger.totals().duplicate), (1, 0));
}

#[test]
fn without_an_announcement_the_stream_begins_with_the_earliest_arrival() {
    let mut ledger = Ledger::new();
    for unit in [2, 0, 3] {
        arrive(&mut ledger, unit, Recovery::None);
    }
    ledger.finish();
    let totals = ledger.totals();
    assert_eq!((totals.expected, totals.never_arrived, totals.reordered), (4, 1, 1));
}

#[test]
fn an_announcement_after_the_first_arrivals_moves_the_start_either_way() {
    for (start, expected, never_arrived) in [(START, 10, 5), (START + 7, 3, 0)] {
        let mut ledger = Ledger::new();
        (5..10).for_each(|unit| {
            arrive(&mut ledger, unit, Recovery::None);
        });
        ledger.start_at(start);
        assert_eq!(ledger.totals().expected, 0, "nothing has been played");
        ledger.finish();
        let totals = ledger.totals();
        assert_eq!((totals.expected, totals.never_arrived), (expected, never_arrived), "{start}");
    }
}

#[test]
fn the_announced_end_makes_the_missing_tail_lost() {
    let mut ledger = ledger(0..5);
    (0..5).for_each(|unit| play(&mut ledger, unit));
    ledger.end_at(START + 9);
    ledger.finish();
    let totals = ledger.totals();
    assert_eq!((totals.expected, totals.played, totals.never_arrived), (10, 5, 5));
    assert_eq!(ledger.loss_runs().counts(), BTreeMap::from([(5, 1)]));
}

#[test]
fn units_beyond_the_announced_end_count_only_if_they_come() {
    let mut ledger = ledger(0..3);
    (0..3).for_each(|unit| play(&mut ledger, unit));
    ledger.on_late(START + 3);
    ledger.on_late(START + 4);
    ledger.end_at(START + 1);
    ledger.on_late(START + 5);
    ledger.finish();
    assert_eq!((ledger.totals().expected, ledger.totals().played), (3, 3));
}

#[test]
fn a_stream_of_which_nothing_came_is_lost_as_a_whole() {
    let mut ledger = ledger([]);
    ledger.end_at(START + 99);
    ledger.finish();
    assert_eq!((ledger.totals().expected, ledger.totals().residual), (100, 1.0));
}

#[test]
fn stopping_forgets_what_lies_ahead_and_a_further_part_begins_where_announced() {
    let mut ledger = ledger(0..50);
    (0..10).for_each(|unit| play(&mut ledger, unit));
    ledger.stop();
    assert_eq!((ledger.totals().expected, ledger.totals().late), (10, 0));
    ledger.start_at(START + 80);
    assert_eq!(arrive(&mut ledger, 40, Recovery::None), Arrival::Stale);
    assert_eq!(arrive(&mut ledger, 81, Recovery::None), Arrival::First);
    play(&mut ledger, 81);
    let totals = ledger.totals();
    assert_eq!((totals.expected, totals.played, totals.never_arrived), (12, 11, 1));
}

#[test]
fn finishing_makes_late_what_was_not_heard_and_twice_is_once() {
    let mut ledger = ledger(0..5);
    play(&mut ledger, 0);
    ledger.finish();
    ledger.finish();
    let totals = ledger.totals();
    assert_eq!((totals.expected, totals.played, totals.late), (5, 1, 4));
}

#[test]
fn a_unit_that_leaves_the_window_is_settled() {
    let mut ledger = Ledger::with_window(4);
    (0..4).for_each(|unit| {
        arrive(&mut ledger, unit, Recovery::None);
    });
    assert_eq!(ledger.drain().count(), 0);
    arrive(&mut ledger, 4, Recovery::None);
    assert_eq!(ledger.drain().map(|unit| unit.sequence).collect::<Vec<_>>(), [START]);
    assert_eq!(arrive(&mut ledger, 0, Recovery::None), Arrival::Duplicate);
}

#[test]
fn a_jump_of_2_to_the_40_costs_no_more_than_the_window() {
    let mut ledger = ledger(0..3);
    let far = START + (1 << 40);
    ledger.on_arrival(at(0), far, MediaTime::ZERO, None, Recovery::None);
    assert!(ledger.open.len() <= Ledger::DEFAULT_WINDOW);
    ledger.finish();
    let totals = ledger.totals();
    assert_sums(&totals);
    assert_eq!((totals.expected, totals.received), ((1 << 40) + 1, 4));
    assert!(ledger.drain().count() < 80_000);
}

#[test]
fn numbers_that_no_unroller_gives_are_refused() {
    let mut ledger = ledger([0]);
    ledger.end_at(u64::MAX);
    ledger.start_at(u64::MAX);
    ledger.on_late(u64::MAX);
    let refused = ledger.on_arrival(at(0), u64::MAX, MediaTime::ZERO, None, Recovery::None);
    assert_eq!(refused, Arrival::Stale);
    ledger.finish();
    assert_sums(&ledger.totals());
}

#[test]
fn records_tell_the_life_of_each_unit_in_order() {
    let mut ledger = ledger([0, 2]);
    arrive(&mut ledger, 2, Recovery::None);
    arrive(&mut ledger, 3, Recovery::Fec);
    play(&mut ledger, 0);
    play(&mut ledger, 3);
    ledger.finish();
    let fates: Vec<_> = ledger.drain().map(|unit| (unit.sequence - START, unit.fate)).collect();
    let expected = [
        (2, Fate::Duplicate),
        (0, Fate::Played),
        (1, Fate::Lost),
        (2, Fate::Late),
        (3, Fate::Played),
    ];
    assert_eq!(fates, expected);
    assert_eq!(ledger.drain().count(), 0);
}

#[test]
fn unread_records_are_bounded() {
    let mut ledger = Ledger::with_window(4);
    (0..1_000).for_each(|unit| {
        arrive(&mut ledger, unit, Recovery::None);
        arrive(&mut ledger, unit, Recovery::None);
    });
    assert_eq!(ledger.drain().count(), 8);
}

#[derive(Clone, Debug)]
enum Step {
    Arrive(u64, Recovery),
    Play(u64),
    Late(u64),
    Start(u64),
    End(u64),
    Finish,
    Stop,
}

fn unit() -> impl Strategy<Value = u64> {
    prop_oneof![20 => 0..60u64, 2 => 0..40_000u64, 1 => Just(1 << 40), 1 => any::<u64>()]
}

fn recovery() -> impl Strategy<Value = Recovery> {
    prop_oneof![
        4 => Just(Recovery::None),
        1 => Just(Recovery::Fec),
        1 => Just(Recovery::Retransmission),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (unit(), recovery()).prop_map(|(unit, recovery)| Step::Arrive(unit, recovery)),
        10 => unit().prop_map(Step::Play),
        5 => unit().prop_map(Step::Late),
        1 => unit().prop_map(Step::Start),
        1 => unit().prop_map(Step::End),
        1 => Just(Step::Finish),
        1 => Just(Step::Stop),
    ]
}

proptest! {
    #[test]
    fn the_sums_hold_after_every_step_however_wild(
        window in 1usize..64,
        steps in prop::collection::vec(step(), 0..150),
    ) {
        let mut ledger = Ledger::with_window(window);
        let mut before = 0;
        for step in steps {
            match step {
                Step::Arrive(unit, recovery) => {
                    ledger.on_arrival(at(unit & 0xFFFF), unit, MediaTime::ZERO, None, recovery);
                }
                Step::Play(unit) => ledger.on_played(unit, at(0), at(0)),
                Step::Late(unit) => ledger.on_late(unit),
                Step::Start(unit) => ledger.start_at(unit),
                Step::End(unit) => ledger.end_at(unit),
                Step::Finish => ledger.finish(),
                Step::Stop => ledger.stop(),
            }
            let totals = ledger.totals();
            assert_sums(&totals);
            prop_assert!((0.0..=1.0).contains(&totals.residual));
            prop_assert!(ledger.open.len() <= window);
            prop_assert!(ledger.passed <= ledger.base + ledger.open.len() as u64);
            let runs = ledger.loss_runs().counts();
            let in_runs: u64 = runs.iter().map(|(length, runs)| u64::from(*length) * runs).sum();
            let capped = runs.contains_key(&LossRuns::LONGEST);
            prop_assert!(capped || in_runs == totals.lost_network, "{:?} {:?}", runs, totals);
            before = before.max(ledger.settled.totals().summed().expected);
            prop_assert_eq!(before, ledger.settled.totals().summed().expected);
        }
    }

    #[test]
    fn a_finished_stream_is_counted_as_one_would_count_it_by_hand(
        units in prop::collection::vec(
            (proptest::option::weighted(0.8, recovery()), any::<bool>(), 0usize..4), 1..200,
        ),
    ) {
        let mut ledger = ledger([]);
        // Copies leave their order by a few places.
        let mut order: Vec<_> = (0..units.len()).collect();
        order.sort_by_key(|&unit| unit + units[unit].2);
        for unit in order {
            if let Some(recovery) = units[unit].0 {
                arrive(&mut ledger, unit as u64, recovery);
            }
        }
        for (unit, &(_, played, _)) in units.iter().enumerate() {
            if played {
                play(&mut ledger, unit as u64);
            } else {
                ledger.on_late(START + unit as u64);
            }
        }
        ledger.end_at(START + units.len() as u64 - 1);
        ledger.finish();

        let count = |wanted: &dyn Fn(Option<Recovery>, bool) -> bool| {
            units.iter().filter(|(came, played, _)| wanted(*came, *played)).count() as u64
        };
        let totals = ledger.totals();
        assert_sums(&totals);
        prop_assert_eq!(totals.expected, units.len() as u64);
        prop_assert_eq!(totals.played, count(&|came, played| came.is_some() && played));
        prop_assert_eq!(totals.late, count(&|came, played| came.is_some() && !played));
        prop_assert_eq!(totals.never_arrived, count(&|came, _| came.is_none()));
        prop_assert_eq!(totals.received, count(&|came, _| came == Some(Recovery::None)));
        prop_assert_eq!(totals.recovered_fec, count(&|came, _| came == Some(Recovery::Fec)));
        let records: Vec<_> = ledger.drain().map(|unit| unit.sequence - START).collect();
        prop_assert!(records.iter().copied().eq(0..units.len() as u64), "{:?}", records);
    }
}
