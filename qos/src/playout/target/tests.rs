use super::*;
use crate::playout::signals::Random;

const PACKET: Duration = Duration::from_millis(20);

fn config(late_share: f64) -> TargetConfig {
    TargetConfig { late_share, ..TargetConfig::default() }
}

/// A path with normal jitter, and playback that keeps to the target.
struct Path {
    random: Random,
    delay: f64,
    jitter: f64,
    now: MonoTime,
    target: TargetDelay,
}

impl Path {
    fn new(late_share: f64, jitter: f64) -> Self {
        let now = MonoTime::from_millis(5_000);
        Self {
            random: Random::new(1),
            delay: 120.0,
            jitter,
            now,
            target: TargetDelay::new(config(late_share)),
        }
    }

    /// Sends a packet; whether it comes too late for the target of that moment.
    fn packet(&mut self) -> bool {
        self.now += PACKET;
        let transit = TimeDelta::from_secs_f64(
            (self.delay + self.jitter * self.random.normal()).max(0.0) / 1e3,
        );
        let fastest = self.target.fastest().unwrap_or(transit);
        let late = transit - fastest > self.target.target().into();
        self.target.observe(self.now, transit);
        late
    }

    fn late_share_over(&mut self, packets: usize) -> f64 {
        (0..packets).filter(|_| self.packet()).count() as f64 / packets as f64
    }

    fn target_ms(&self) -> f64 {
        self.target.target().as_secs_f64() * 1e3
    }

    /// The target as a transit time.
    fn playout_ms(&self) -> f64 {
        self.target_ms() + self.target.fastest().unwrap_or_default().as_millis_f64()
    }
}

#[test]
fn the_late_share_is_near_the_one_asked_for_under_normal_jitter_of_30_ms() {
    for share in [0.005, 0.01, 0.05, 0.1] {
        let mut path = Path::new(share, 30.0);
        path.late_share_over(3_000);
        let late = path.late_share_over(30_000);
        assert!((0.6 * share..=1.4 * share).contains(&late), "asked for {share}, got {late}");
    }
}

#[test]
fn without_jitter_the_target_is_the_minimum() {
    let mut path = Path::new(0.01, 0.0);
    path.late_share_over(1_000);
    assert_eq!(path.target.target(), TargetConfig::default().minimum);
}

#[test]
fn the_target_starts_where_it_is_told_and_stays_until_enough_is_known() {
    let mut path = Path::new(0.01, 0.0);
    path.late_share_over(49);
    assert_eq!(path.target.target(), Duration::from_millis(60));
    path.late_share_over(1);
    assert_eq!(path.target.target(), TargetConfig::default().minimum);
}

/// How many packets it takes until the target is within 20 ms of what a path of this delay and
/// jitter needs.
fn settled_after(path: &mut Path) -> usize {
    let needed = path.delay + 2.33 * path.jitter;
    let settled = |path: &Path| (path.playout_ms() - needed).abs() < 20.0;
    (1..)
        .find(|_| {
            path.packet();
            settled(path)
        })
        .unwrap()
}

#[test]
fn a_path_that_changes_is_followed_within_a_second_and_a_half() {
    for (before, after) in [((20.0, 10.0), (140.0, 30.0)), ((140.0, 30.0), (20.0, 10.0))] {
        let mut path = Path::new(0.01, before.1);
        path.delay = before.0;
        path.late_share_over(2_000);
        (path.delay, path.jitter) = after;
        let packets = settled_after(&mut path);
        assert!(packets <= 75, "{before:?} to {after:?}: {packets} packets");
    }
}

#[test]
fn jitter_that_grows_or_shrinks_around_the_same_delay_is_followed_within_five_seconds() {
    for (before, after) in [(5.0, 40.0), (40.0, 5.0)] {
        let mut path = Path::new(0.01, before);
        path.late_share_over(2_000);
        path.jitter = after;
        let packets = settled_after(&mut path);
        assert!(packets <= 250, "{before} to {after}: {packets} packets");
    }
}

#[test]
fn a_spike_that_is_soon_over_moves_nothing() {
    let mut path = Path::new(0.01, 3.0);
    path.late_share_over(2_000);
    let before = path.target_ms();
    for late in 0..5 {
        path.target.observe(path.now, TimeDelta::from_millis(400 - 20 * late));
    }
    path.late_share_over(5);
    assert!((path.target_ms() - before).abs() < 5.0, "{before} -> {}", path.target_ms());
}

/// A path on which `stragglers` of a hundred packets take 200 ms longer than all others.
fn with_stragglers(stragglers: u64, worth: Option<Duration>) -> f64 {
    let config = TargetConfig { late_share: 0.001, worth, ..TargetConfig::default() };
    let mut target = TargetDelay::new(config);
    for packet in 0..2_000 {
        let late = packet * stragglers % 100 < stragglers;
        let transit = TimeDelta::from_millis(if late { 300 } else { 100 });
        target.observe(MonoTime::from_millis(20 * packet), transit);
    }
    target.target().as_secs_f64() * 1e3
}

#[test]
fn a_wait_must_be_worth_what_it_saves() {
    // 200 ms for so many packets in a hundred: at 300 ms for all, up to 66 are not worth it.
    let worth = Some(Duration::from_millis(300));
    for stragglers in [1, 10, 60] {
        assert_eq!(with_stragglers(stragglers, worth), 10.0, "{stragglers}");
    }
    assert_eq!(with_stragglers(70, worth), 201.0);
    assert_eq!(with_stragglers(1, None), 201.0, "where a share is promised it is kept");
}

/// What a path asks for that loses `lost` of a hundred packets, of which `repaired` come back after
/// 169 ms; all others take 50 ms.
fn with_losses((lost, repaired): (u64, u64), loss: Option<f64>) -> f64 {
    let worth = Some(Duration::from_millis(300));
    let mut target = TargetDelay::new(TargetConfig { worth, loss, ..TargetConfig::default() });
    for packet in 0..3_000 {
        let now = MonoTime::from_millis(20 * packet);
        let place = packet * 37 % 100;
        // What is lost is known to have been sent when a later one comes.
        match place {
            _ if place < repaired => {
                target.expect(now, 1);
                target.observe_repaired(now, TimeDelta::from_millis(169));
            }
            _ if place < lost => target.expect(now, 1),
            _ => {
                target.expect(now, 1);
                target.observe(now, TimeDelta::from_millis(50));
            }
        }
    }
    target.target().as_secs_f64() * 1e3
}

#[test]
fn what_is_brought_back_is_waited_for_where_it_was_promised_and_only_there() {
    assert_eq!(with_losses((5, 5), None), 10.0);
    assert_eq!(with_losses((5, 5), Some(0.01)), 120.0);
    assert_eq!(with_losses((5, 5), Some(0.1)), 10.0, "nothing of it is needed");
}

#[test]
fn what_comes_back_is_waited_for_though_it_is_not_enough_for_the_promise() {
    assert_eq!(with_losses((10, 5), Some(0.01)), 120.0);
    assert_eq!(with_losses((10, 0), Some(0.01)), 10.0, "nothing comes back");
    assert_eq!(with_losses((20, 1), Some(0.2)), 10.0, "next to nothing does");
}

#[test]
fn where_no_loss_was_promised_what_never_came_counts_for_nothing() {
    let mut whole = TargetDelay::new(TargetConfig::default());
    let mut holed = whole.clone();
    let mut random = Random::new(3);
    for packet in 0..3_000u64 {
        let transit = TimeDelta::from_secs_f64(0.1 + 0.01 * random.normal().abs());
        let now = MonoTime::from_millis(20 * packet);
        whole.observe(now, transit);
        if packet % 10 < 7 {
            holed.observe(now, transit);
        }
    }
    let (whole, holed) = (whole.target(), holed.target());
    assert!(whole.abs_diff(holed) <= Duration::from_millis(4), "{whole:?} {holed:?}");
}
