use super::*;

const UNIT: MediaTime = MediaTime::from_millis(20);

fn ms(millis: i64) -> Option<TimeDelta> {
    Some(TimeDelta::from_millis(millis))
}

fn known(ppm: f64) -> Option<Drift> {
    Some(Drift { rate: ppm * 1e-6, error: 1e-6 })
}

#[test]
fn nothing_is_stretched_before_the_drift_is_known_to_be_worth_it() {
    let mut correction = DriftCorrection::default();
    let unsure = Some(Drift { rate: 300e-6, error: 100e-6 });
    for drift in [None, known(0.0), known(19.0), known(-22.0), unsure] {
        assert_eq!(correction.steer(drift, ms(100), None, UNIT), None, "{drift:?}");
    }
    assert!(correction.steer(known(24.0), ms(100), None, UNIT).is_some());
}

#[test]
fn a_slow_drift_that_is_sure_is_corrected_once_it_has_moved_the_sound_by_5_ms() {
    let mut correction = DriftCorrection::default();
    assert_eq!(correction.steer(known(-10.0), ms(100), None, UNIT), None);
    assert_eq!(correction.steer(known(-10.0), ms(104), None, UNIT), None);
    assert_eq!(correction.steer(known(2.0), ms(105), None, UNIT), None, "2 may be none");
    assert!(correction.steer(known(-10.0), ms(105), None, UNIT).is_some());
}

#[test]
fn the_stretch_glides_to_the_drift_and_stays_there() {
    let mut correction = DriftCorrection::default();
    let mut last = 0.0;
    for block in 0..2_000 {
        let stretch = correction.steer(known(300.0), ms(100), None, UNIT).unwrap();
        assert!(stretch - last <= 1.2001e-6, "{block}: {stretch}");
        last = stretch;
    }
    assert!((last - 300e-6).abs() < 1e-9, "{last}");
    // Whoever has begun goes on, however slow the drift becomes.
    for _ in 0..2_000 {
        last = correction.steer(known(0.0), ms(100), None, UNIT).unwrap();
    }
    assert!(last.abs() < 1e-9, "{last}");
}

/// The delay after `seconds` at a true drift of `ppm`, begun at 100 ms, where the drift that is
/// measured is 5 parts in a million less.
fn held(ppm: f64, seconds: usize, promised: Option<Duration>) -> f64 {
    let mut correction = DriftCorrection::default();
    let mut delay = 0.1;
    for _ in 0..seconds * 50 {
        let heard = Some(TimeDelta::from_secs_f64(delay));
        let stretch = correction.steer(known(ppm - 5.0), heard, promised, UNIT);
        delay += 0.02 * (stretch.unwrap_or_default() - ppm * 1e-6);
    }
    delay
}

#[test]
fn an_estimate_that_is_off_moves_the_sound_by_half_a_millisecond_and_no_further() {
    for ppm in [-300.0, 300.0] {
        let delay = held(ppm, 3_600, None);
        assert!((delay - 0.1).abs() < 0.0006, "{ppm}: {delay}");
    }
}

#[test]
fn a_promised_delay_is_brought_back_to_what_was_promised() {
    let delay = held(100.0, 3_600, Some(Duration::from_millis(104)));
    assert!((delay - 0.104).abs() < 0.0006, "{delay}");
}

#[test]
fn what_was_moved_on_purpose_or_has_jumped_is_not_brought_back() {
    let mut correction = DriftCorrection::default();
    let settled = |correction: &mut DriftCorrection, delay| {
        (0..2_000).fold(0.0, |_, _| {
            correction.steer(known(100.0), ms(delay), None, UNIT).unwrap_or_default()
        })
    };
    assert!((settled(&mut correction, 100) - 100e-6).abs() < 1e-9);
    correction.moved(TimeDelta::from_millis(-8));
    assert!((settled(&mut correction, 92) - 100e-6).abs() < 1e-9, "scaled");
    assert!((settled(&mut correction, 150) - 100e-6).abs() < 1e-9, "broken off");
    assert!((settled(&mut correction, 152) - 80e-6).abs() < 1e-9, "it has drifted by 2 ms");
}

#[test]
fn what_no_quartz_does_is_not_believed() {
    let mut correction = DriftCorrection::default();
    for _ in 0..10_000 {
        let stretch = correction.steer(known(50_000.0), ms(100), None, UNIT).unwrap();
        assert!(stretch <= 1e-3);
    }
}

#[test]
fn it_copes_with_20_ms_while_it_corrects_or_does_not_know_yet() {
    let unsure = Some(Drift { rate: 50e-6, error: 7e-6 });
    for (drift, delay, copes) in [
        (None, 120, true),
        (None, 121, false),
        (unsure, 80, true),
        (unsure, 79, false),
        (known(10.0), 104, false),
        (known(100.0), 104, true),
    ] {
        let mut correction = DriftCorrection::default();
        let promised = Some(Duration::from_millis(100));
        correction.steer(drift, ms(100), promised, UNIT);
        correction.steer(drift, ms(delay), promised, UNIT);
        assert_eq!(correction.copes(), copes, "{drift:?} at {delay}");
    }
}
