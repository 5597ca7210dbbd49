//! Sinks without a clock, and a player that does not wake when it should.
//!
//! Unit `n` is sent at `20 n` ms and due 210 ms later, 200 of them after it came.

use cantus_qos::stats::Fate;

use super::*;
use crate::stand_in::words;

const LEAD: Duration = Duration::from_millis(5);

fn leading() -> Wish {
    let mut wish = fixed();
    wish.lead = LEAD;
    wish
}

/// Two seconds, with cues at `cues`, played by a thread that does not run in `stall`.
fn stalled(wish: Wish, stall: std::ops::Range<u64>, cues: &[i64]) -> House {
    let mut house = House::new(wish, StandIn::new(100));
    house.stalls.push(ms(stall.start)..ms(stall.end));
    house.stream(0..100);
    for (id, start) in (1..).zip(cues) {
        house.arrive(ms(20), TEXT, Channel::Rtp, words(id, *start, 100));
    }
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    house.assert_heard(&sent(0..100 * FRAMES));
    house
}

/// How many units were late, and the delays in the middle, and of the last to come.
fn delays(house: &House) -> (u64, Option<f64>, Option<f64>) {
    let audio = house.audio();
    (audio.late, audio.delay_ms.p50, audio.delay_ms.max)
}

/// The cues by how much, in milliseconds, they came after their sound.
fn skews(house: &House) -> Vec<f64> {
    house.shown.iter().map(|(_, _, skew)| skew.as_millis_f64()).collect()
}

#[test]
fn units_that_leave_late_are_heard_and_reported_late_and_those_after_them_are_not() {
    let mut house = stalled(fixed(), 1_005..1_052, &[]);
    // Those of 1,010, 1,030 and 1,050 ms.
    assert_eq!(delays(&house), (3, Some(200.0), Some(242.0)));
    let mut played = Vec::new();
    house.player.drain_fates(|_, record| played.push((record.played, record.fate)));
    let at = |at, fate| (Some(ms(at)), fate);
    let expected = [
        at(990, Fate::Played),
        at(1_052, Fate::Late),
        at(1_052, Fate::Late),
        at(1_052, Fate::Late),
        at(1_070, Fate::Played),
    ];
    assert_eq!(played[39..44], expected);
    assert_eq!(house.audio().residual, Some(0.03));
}

#[test]
fn what_a_busy_machine_hands_over_late_is_no_jitter_of_the_network() {
    let house = stalled(fixed(), 1_005..1_072, &[]);
    let jitter = &house.audio().jitter_ms;
    assert_eq!((jitter.rfc3550, jitter.p99), (Some(0.0), Some(0.0)));
}

#[test]
fn a_promise_that_the_machine_broke_is_not_called_kept() {
    let kept = stalled(fixed(), 0..1, &[]).report().promise.remove(0);
    assert_eq!((kept.measured, kept.kept), (Some(200.0), Some(true)));
    let broken = stalled(fixed(), 1_005..1_072, &[]).report().promise.remove(0);
    assert_eq!((broken.promised, broken.kept), (200.0, Some(false)), "{:?}", broken.measured);
}

#[test]
fn cues_are_held_against_sound_that_was_heard_late_with_them() {
    let house = stalled(fixed(), 1_005..1_052, &[780, 800, 815, 845, 870]);
    let at: Vec<MonoTime> = house.shown.iter().map(|(at, ..)| *at).collect();
    assert_eq!(at, [990, 1_052, 1_052, 1_055, 1_080].map(ms));
    assert_eq!(skews(&house), [0.0; 5], "with their sound, as late as it was");
}

#[test]
fn a_cue_that_comes_late_is_late_against_sound_that_was_in_time() {
    let mut house = House::new(leading(), StandIn::new(100));
    house.stream(0..100);
    house.arrive(ms(1_040), TEXT, Channel::Rtp, words(1, 800, 100));
    house.run(ms(60_000));
    assert_eq!(skews(&house), [30.0]);
}

#[test]
fn what_leaves_ahead_is_heard_when_it_is_due() {
    let house = stalled(leading(), 0..1, &[0, 500, 1_990]);
    assert_eq!(house.first(), (ms(205), media(0)), "it leaves");
    assert_eq!(house.report().first_sound_ms, Some(210.0), "it is heard");
    assert_eq!(delays(&house), (0, Some(200.0), Some(200.0)));
    let exact = |at, id| (ms(at), id, TimeDelta::ZERO);
    assert_eq!(house.shown, [exact(210, 1), exact(710, 2), exact(2_200, 3)]);
    assert_eq!(house.now, ms(2_210), "the end is heard");
}

#[test]
fn who_wakes_no_later_than_the_lead_is_not_late() {
    // That of 1,010 ms is to leave at 1,005 ms.
    for (woken, late, farthest) in [(1_009, 0, 200.0), (1_010, 0, 200.0), (1_013, 1, 203.0)] {
        let house = stalled(leading(), 1_004..woken, &[800]);
        assert_eq!(delays(&house), (late, Some(200.0), Some(farthest)), "{woken}");
        assert_eq!(skews(&house), [0.0], "{woken}");
    }
}

#[test]
fn what_left_ahead_makes_a_cue_no_later_than_its_own_waking() {
    // The sound of 840 ms has left at 1,045 ms, and is heard while the cue waits.
    let house = stalled(leading(), 1_046..1_053, &[840]);
    assert_eq!(skews(&house), [3.0]);
    assert_eq!(delays(&house), (0, Some(200.0), Some(200.0)));
}

#[test]
fn what_is_there_may_leave_long_before_and_a_machine_that_stands_still_makes_nothing_late() {
    let wish = Wish { ahead: Duration::from_millis(150), ..leading() };
    let house = stalled(wish, 1_005..1_150, &[0, 500, 780, 1_990]);
    assert_eq!(delays(&house), (0, Some(200.0), Some(200.0)));
    assert_eq!(house.first(), (ms(205), media(0)), "the first one leaves when all is known");
    let left = |at: i64| house.sound.iter().find(|(_, position, _)| *position == Some(media(at)));
    assert_eq!(left(400).unwrap().0, ms(460), "150 ms before it is due");
    assert_eq!(house.now, ms(2_210), "the end is heard");
    let exact = |at, id| (ms(at), id, TimeDelta::ZERO);
    assert_eq!(house.shown[..2], [exact(210, 1), exact(710, 2)]);
    let buffered = |house: &House| house.report().buffer_ms.p50.unwrap();
    let apart = buffered(&house) - buffered(&stalled(leading(), 0..1, &[]));
    assert!(apart.abs() <= 10.0, "what waits in the sink is buffered too: {apart} ms");
}

#[test]
fn what_is_missing_is_waited_for_as_if_nothing_could_leave_ahead() {
    for (arrives, late) in [(1_004, 0), (1_006, 1)] {
        let wish = Wish { ahead: Duration::from_millis(150), ..leading() };
        let mut house = House::new(wish, StandIn::new(100));
        house.stream(0..40);
        house.send(ms(arrives), &unit(40));
        (41..100).for_each(|index| house.send(ms(10 + index as u64 * 20), &unit(index)));
        house.run(ms(60_000));
        assert_eq!(house.audio().late, late, "{arrives}");
    }
}

#[test]
fn units_must_have_come_by_when_they_leave() {
    for (arrives, late) in [(1_004, 0), (1_006, 1)] {
        let mut house = House::new(leading(), StandIn::new(100));
        house.stream(0..40);
        house.send(ms(arrives), &unit(40));
        (41..100).for_each(|index| house.send(ms(10 + index as u64 * 20), &unit(index)));
        house.run(ms(60_000));
        assert_eq!(house.audio().late, late, "{arrives}");
    }
}
