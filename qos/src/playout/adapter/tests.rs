use super::*;

const BLOCK: MediaTime = MediaTime::from_millis(20);
const TARGET: Duration = Duration::from_millis(100);
/// A quarter of the target.
const MARGIN: i64 = 25;

fn decide(adapter: &mut Adapter, delay: i64) -> Adjustment {
    adapter.decide(TimeDelta::from_millis(delay), TARGET, BLOCK)
}

#[test]
fn within_the_margin_nothing_is_done_and_beyond_it_something() {
    assert_eq!(decide(&mut Adapter::new(), 100 + MARGIN), Adjustment::Keep);
    assert_eq!(decide(&mut Adapter::new(), 101 + MARGIN), Adjustment::Shorten);
    assert_eq!(decide(&mut Adapter::new(), 100), Adjustment::Keep);
    assert_eq!(decide(&mut Adapter::new(), 99), Adjustment::Lengthen);
}

#[test]
fn the_margin_of_a_small_target_is_20_ms() {
    let target = Duration::from_millis(40);
    let at = |delay| Adapter::new().decide(TimeDelta::from_millis(delay), target, BLOCK);
    assert_eq!(at(60), Adjustment::Keep);
    assert_eq!(at(61), Adjustment::Shorten);
}

/// Plays blocks until nothing has been done for a second; the delays at which it was.
fn settle(mut delay: TimeDelta, change: i64) -> (Vec<TimeDelta>, TimeDelta) {
    let mut adapter = Adapter::new();
    let (mut acted, mut idle) = (Vec::new(), 0);
    while idle < 50 {
        idle += 1;
        let change = match adapter.decide(delay, TARGET, BLOCK) {
            Adjustment::Keep => continue,
            Adjustment::Shorten => TimeDelta::from_millis(-change),
            Adjustment::Lengthen => TimeDelta::from_millis(change),
        };
        acted.push(delay);
        idle = 0;
        delay = delay + change;
        adapter.scaled(change);
    }
    (acted, delay)
}

#[test]
fn once_begun_it_goes_on_to_the_middle_of_the_margin() {
    let (acted, left) = settle(TimeDelta::from_millis(200), 8);
    assert_eq!(acted.len(), 11);
    assert_eq!(left, TimeDelta::from_millis(200 - 11 * 8));
    let (acted, left) = settle(TimeDelta::from_millis(20), 8);
    assert_eq!(acted.len(), 12);
    assert_eq!(left, TimeDelta::from_millis(20 + 12 * 8));
}

#[test]
fn at_most_one_block_in_five_is_scaled() {
    let mut adapter = Adapter::new();
    let pattern: Vec<bool> = (0..20)
        .map(|_| {
            let scaled = decide(&mut adapter, 10_000) == Adjustment::Shorten;
            if scaled {
                adapter.scaled(TimeDelta::from_millis(-5));
            }
            scaled
        })
        .collect();
    assert!(pattern.iter().enumerate().all(|(n, &scaled)| scaled == (n % 5 == 0)), "{pattern:?}");
}

#[test]
fn a_block_that_could_not_be_scaled_is_followed_by_another_try() {
    let mut adapter = Adapter::new();
    assert_eq!(decide(&mut adapter, 300), Adjustment::Shorten);
    assert_eq!(decide(&mut adapter, 300), Adjustment::Shorten);
    adapter.scaled(TimeDelta::from_millis(-5));
    assert_eq!(decide(&mut adapter, 300), Adjustment::Keep);
}

#[test]
fn jitter_around_the_middle_is_not_acted_upon() {
    let mut adapter = Adapter::new();
    assert_eq!(decide(&mut adapter, 112), Adjustment::Keep);
    for round in 0..1_000 {
        let swing = if round % 2 == 0 { 60 } else { -60 };
        assert_eq!(decide(&mut adapter, 112 + swing), Adjustment::Keep);
    }
}

#[test]
fn a_raised_target_is_acted_upon_with_the_next_block() {
    let mut adapter = Adapter::new();
    assert_eq!(decide(&mut adapter, 100), Adjustment::Keep);
    let raised = adapter.decide(TimeDelta::from_millis(100), 2 * TARGET, BLOCK);
    assert_eq!(raised, Adjustment::Lengthen);
}

#[test]
fn a_reset_forgets_the_delay_but_not_the_bound() {
    let mut adapter = Adapter::new();
    assert_eq!(decide(&mut adapter, 500), Adjustment::Shorten);
    adapter.scaled(TimeDelta::from_millis(-5));
    adapter.reset();
    assert_eq!(decide(&mut adapter, 20), Adjustment::Keep);
    assert!((0..4).any(|_| decide(&mut adapter, 20) == Adjustment::Lengthen));
}
