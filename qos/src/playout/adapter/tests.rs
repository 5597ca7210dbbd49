use super::*;

const BLOCK: MediaTime = MediaTime::from_millis(20);
const TARGET: Duration = Duration::from_millis(100);

fn decide(adapter: &mut Adapter, delay: i64) -> Adjustment {
    adapter.decide(TimeDelta::from_millis(delay), TARGET, BLOCK)
}

#[test]
fn within_the_band_nothing_is_done_and_beyond_it_something() {
    assert_eq!(decide(&mut Adapter::new(), 110), Adjustment::Keep);
    assert_eq!(decide(&mut Adapter::new(), 111), Adjustment::Shorten);
    assert_eq!(decide(&mut Adapter::new(), 95), Adjustment::Keep);
    assert_eq!(decide(&mut Adapter::new(), 94), Adjustment::Lengthen);
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
        adapter.scaled();
    }
    (acted, delay)
}

#[test]
fn once_begun_it_goes_on_to_the_target() {
    let (acted, left) = settle(TimeDelta::from_millis(200), 8);
    assert_eq!(acted.len(), 13);
    assert_eq!(left, TimeDelta::from_millis(200 - 13 * 8));
    let (acted, left) = settle(TimeDelta::from_millis(20), 8);
    assert_eq!(acted.len(), 10);
    assert_eq!(left, TimeDelta::from_millis(20 + 10 * 8));
}

#[test]
fn the_longest_period_taken_out_is_not_put_back() {
    let (acted, left) = settle(TimeDelta::from_millis(111), 15);
    assert_eq!((acted.len(), left), (1, TimeDelta::from_millis(96)));
}

/// At which of 20 blocks something is done where the delay is `delay` and stays there.
fn pattern(delay: i64) -> Vec<usize> {
    let mut adapter = Adapter::new();
    let mut scaled = Vec::new();
    for block in 0..20 {
        if decide(&mut adapter, delay) != Adjustment::Keep {
            adapter.scaled();
            scaled.push(block);
        }
    }
    scaled
}

#[test]
fn at_most_one_block_in_five_is_scaled() {
    for delay in [-10_000, 50, 200] {
        assert_eq!(pattern(delay), [0, 5, 10, 15], "{delay}");
    }
}

#[test]
fn one_block_in_two_is_shortened_where_playback_is_far_behind() {
    assert_eq!(pattern(201), (0..10).map(|block| 2 * block).collect::<Vec<_>>());
}

#[test]
fn a_block_that_could_not_be_scaled_is_followed_by_another_try() {
    let mut adapter = Adapter::new();
    assert_eq!(decide(&mut adapter, 150), Adjustment::Shorten);
    assert_eq!(decide(&mut adapter, 150), Adjustment::Shorten);
    adapter.scaled();
    assert_eq!(decide(&mut adapter, 150), Adjustment::Keep);
}

#[test]
fn a_raised_target_is_acted_upon_with_the_next_block() {
    let mut adapter = Adapter::new();
    assert_eq!(decide(&mut adapter, 100), Adjustment::Keep);
    let raised = adapter.decide(TimeDelta::from_millis(100), 2 * TARGET, BLOCK);
    assert_eq!(raised, Adjustment::Lengthen);
}
