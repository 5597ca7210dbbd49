use super::*;
use std::time::Duration;

const MS: fn(u64) -> MonoTime = MonoTime::from_millis;

fn watch(spec: &str) -> PromiseWatch {
    PromiseWatch::new(&spec.parse().expect("a spec"))
}

/// From when to when, in milliseconds.
fn listed(watch: &PromiseWatch, term: Term) -> Vec<(u64, u64)> {
    let millis = |at: MonoTime| at.as_nanos() / 1_000_000;
    let breaches = watch.breaches(term);
    breaches.listed().iter().map(|it| (millis(it.since), millis(it.until))).collect()
}

fn total(watch: &PromiseWatch, term: Term) -> u128 {
    watch.breaches(term).total().as_millis()
}

/// Units 20 ms apart from `from` up to `to`, each heard `delay` after its sending.
fn hear(watch: &mut PromiseWatch, from: u64, to: u64, delay: i64) {
    for at in (from..to).step_by(20) {
        watch.on_unit(MS(at), true, Some(TimeDelta::from_millis(delay)));
    }
}

#[test]
fn a_delay_is_broken_from_the_first_late_unit_to_the_next_that_is_not() {
    let mut watch = watch("delay<=200ms");
    hear(&mut watch, 0, 1_000, 200);
    assert_eq!(watch.broken().count(), 0);
    hear(&mut watch, 1_000, 1_500, 201);
    assert_eq!(watch.broken().collect::<Vec<_>>(), [Term::Delay]);
    hear(&mut watch, 1_500, 5_000, 200);
    hear(&mut watch, 5_000, 5_100, 300);
    assert_eq!(listed(&watch, Term::Delay), [(1_000, 1_500), (5_000, 5_080)], "so far");
    watch.finish(MS(5_200));
    assert_eq!(listed(&watch, Term::Delay), [(1_000, 1_500), (5_000, 5_200)]);
    assert_eq!(total(&watch, Term::Delay), 700);
    assert_eq!(watch.broken().count(), 0);
}

#[test]
fn what_is_broken_again_within_a_second_is_listed_as_one_and_summed_apart() {
    let mut watch = watch("delay<=200ms");
    for begin in [0, 500, 1_000, 4_000] {
        hear(&mut watch, begin, begin + 100, 300);
        hear(&mut watch, begin + 100, begin + 200, 100);
    }
    assert_eq!(listed(&watch, Term::Delay), [(0, 1_100), (4_000, 4_100)]);
    assert_eq!(total(&watch, Term::Delay), 400);
}

#[test]
fn more_breaches_than_are_listed_are_summed_all_the_same() {
    let mut watch = watch("skew<=40ms");
    for minute in 0..100 {
        watch.on_skew(MS(60_000 * minute), TimeDelta::from_millis(-41));
        watch.on_skew(MS(60_000 * minute + 10), TimeDelta::from_millis(40));
    }
    assert_eq!(listed(&watch, Term::Skew).len(), Breaches::LISTED);
    assert_eq!(total(&watch, Term::Skew), 1_000);
}

#[test]
fn a_share_of_losses_is_broken_while_the_last_units_hold_too_many() {
    let mut watch = watch("loss<=1%");
    let mut unit = 0;
    let mut push = |watch: &mut PromiseWatch, heard: bool, count: u64| {
        for _ in 0..count {
            watch.on_unit(MS(20 * unit), heard, None);
            unit += 1;
        }
    };
    push(&mut watch, true, 100);
    push(&mut watch, false, 5);
    assert_eq!(watch.broken().count(), 0, "five of five hundred");
    push(&mut watch, false, 1);
    assert_eq!(watch.broken().collect::<Vec<_>>(), [Term::Loss]);
    push(&mut watch, true, 1_000);
    // Until the first of the six is no longer among the last five hundred.
    assert_eq!(listed(&watch, Term::Loss), [(20 * 105, 20 * 600)]);
}

#[test]
fn no_loss_at_all_is_broken_by_the_first() {
    let mut watch = watch("loss<=0%");
    watch.on_unit(MS(0), true, None);
    assert_eq!(watch.broken().count(), 0);
    watch.on_unit(MS(20), false, None);
    assert_eq!(watch.broken().count(), 1);
}

#[test]
fn jitter_is_taken_above_the_fastest_packet_whatever_the_clocks_say() {
    let mut watch = watch("jitter<=30ms");
    for packet in 0..500 {
        let transit = -1_000 + if packet % 50 == 49 { 31 } else { 30 * (packet % 2) };
        watch.on_transit(MS(20 * packet as u64), TimeDelta::from_millis(transit));
    }
    assert_eq!(listed(&watch, Term::Jitter), [(20 * 299, 20 * 499)], "the sixth of ten");
}

#[test]
fn a_set_up_is_broken_from_the_promised_instant_to_when_it_plays() {
    let mut late = watch("setup<=2s");
    late.on_setup(MS(500), MS(3_000));
    assert_eq!(listed(&late, Term::Setup), [(2_500, 3_000)]);
    let mut prompt = watch("setup<=2s");
    prompt.on_setup(MS(500), MS(2_500));
    assert!(listed(&prompt, Term::Setup).is_empty());
}

#[test]
fn a_rate_is_that_of_five_seconds() {
    // 100 bytes every 10 ms are 80 kbit/s; then twice that for 3 s.
    let mut watch = watch("rate<=100k");
    for step in 0..2_000u64 {
        let bytes = if (1_000..1_300).contains(&step) { 200 } else { 100 };
        watch.on_bytes(MS(10 * step), bytes);
    }
    let spans = listed(&watch, Term::Rate);
    let [(since, until)] = spans[..] else { panic!("{spans:?}") };
    assert!((11_200..11_800).contains(&since) && (16_000..17_500).contains(&until), "{spans:?}");
}

#[test]
fn what_was_not_promised_is_not_broken() {
    let mut watch = watch("");
    watch.on_unit(MS(0), false, Some(TimeDelta::from_millis(9_000)));
    watch.on_skew(MS(0), TimeDelta::from_millis(9_000));
    watch.on_bytes(MS(0), 1 << 30);
    watch.on_setup(MS(0), MS(60_000));
    watch.finish(MS(60_000));
    assert!(TERMS.iter().all(|term| watch.breaches(*term).total() == Duration::ZERO));
}
