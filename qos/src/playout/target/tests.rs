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
        let late = transit - fastest > self.target.target(self.now).into();
        self.target.observe(self.now, transit);
        late
    }

    fn late_share_over(&mut self, packets: usize) -> f64 {
        (0..packets).filter(|_| self.packet()).count() as f64 / packets as f64
    }

    fn target_ms(&self) -> f64 {
        self.target.target(self.now).as_secs_f64() * 1e3
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
    assert_eq!(path.target.target(path.now), TargetConfig::default().minimum);
}

#[test]
fn the_target_starts_where_it_is_told_and_stays_until_the_share_can_be_known() {
    let mut path = Path::new(0.01, 0.0);
    assert_eq!(path.target.target(path.now), Duration::from_millis(60));
    path.late_share_over(99);
    assert_eq!(path.target.target(path.now), Duration::from_millis(60));
    path.late_share_over(2);
    assert!(path.target.target(path.now) < Duration::from_millis(60));
}

#[test]
fn a_step_up_of_the_delay_is_followed_within_three_packets() {
    let mut path = Path::new(0.01, 3.0);
    path.late_share_over(1_000);
    path.delay += 100.0;
    path.late_share_over(3);
    assert!(path.playout_ms() > 120.0 + 100.0 - 6.0, "{}", path.playout_ms());
    let late = path.late_share_over(500);
    assert!(late < 0.02, "{late}");
}

#[test]
fn after_a_step_up_the_target_is_relative_to_the_new_fastest_packet() {
    let mut path = Path::new(0.01, 3.0);
    path.late_share_over(1_000);
    let before = path.target_ms();
    path.delay += 100.0;
    path.late_share_over(3_000);
    assert!((path.target_ms() - before).abs() < 8.0, "{before} -> {}", path.target_ms());
}

#[test]
fn a_step_down_is_followed_slowly_and_playback_does_not_jump() {
    let mut path = Path::new(0.01, 3.0);
    path.late_share_over(3_000);
    let before = path.playout_ms();
    path.delay -= 80.0;
    let mut last = before;
    for _ in 0..50 {
        path.packet();
        let next = path.playout_ms();
        assert!(next > last - 0.5, "{last} -> {next} within a packet");
        last = next;
    }
    assert!(last > before - 25.0, "after a second: {before} -> {last}");
    path.late_share_over(10_000);
    assert!(path.playout_ms() < 40.0 + 3.0 * 3.0 + 3.0, "{}", path.playout_ms());
}

#[test]
fn a_lone_straggler_does_not_move_the_target_but_a_burst_of_them_does() {
    let mut path = Path::new(0.01, 0.0);
    path.late_share_over(1_000);
    let mut burst = path.target.clone();
    let before = burst.target(path.now);
    path.target.observe(path.now, TimeDelta::from_millis(400));
    assert_eq!(path.target.target(path.now), before);
    for step in 0..3 {
        burst.observe(path.now, TimeDelta::from_millis(400 - 20 * step));
    }
    assert_eq!(burst.target(path.now), Duration::from_millis(280));
}

#[test]
fn a_run_is_a_spike_only_where_chance_would_hardly_bring_it_about() {
    for (share, run) in [(0.01, 3), (0.05, 5), (0.1, 6)] {
        let mut path = Path::new(share, 0.0);
        path.late_share_over(2_000);
        let before = path.target_ms();
        // So few out of so many are within the share: only a spike raises the target.
        for late in 1..=run {
            assert_eq!(path.target_ms(), before, "{late} of {run} at {share}");
            path.target.observe(path.now, TimeDelta::from_millis(320));
        }
        assert_eq!(path.target_ms(), 200.0, "{run} at {share}");
    }
}

#[test]
fn after_a_spike_the_target_stays_for_10_seconds_and_comes_down_by_20_ms_a_second() {
    let mut path = Path::new(0.01, 0.0);
    path.late_share_over(1_000);
    for _ in 0..3 {
        path.target.observe(path.now, TimeDelta::from_millis(320));
    }
    assert_eq!(path.target_ms(), 200.0);
    path.late_share_over(500);
    assert_eq!(path.target_ms(), 200.0);
    path.late_share_over(50);
    assert!((path.target_ms() - 180.0).abs() < 0.1, "{}", path.target_ms());
    path.late_share_over(500);
    assert_eq!(path.target_ms(), 10.0);
}

#[test]
fn between_packets_the_target_goes_on_falling() {
    let mut path = Path::new(0.01, 0.0);
    path.late_share_over(1_000);
    for _ in 0..3 {
        path.target.observe(path.now, TimeDelta::from_millis(320));
    }
    let later = path.now + Duration::from_secs(11);
    assert_eq!(path.target.target(later), Duration::from_millis(180));
}

#[test]
fn the_target_stays_between_its_bounds_whatever_arrives() {
    let bounds = TargetConfig {
        minimum: Duration::from_millis(40),
        maximum: Duration::from_millis(150),
        ..TargetConfig::default()
    };
    let mut target = TargetDelay::new(bounds);
    let mut random = Random::new(3);
    let mut now = MonoTime::ZERO;
    let extremes = [i64::MIN, i64::MAX, 0, -1, 5_000_000_000];
    for round in 0..2_000 {
        now += Duration::from_millis((random.uniform() * 30.0) as u64);
        let transit = match extremes.get(round % 40) {
            Some(&nanos) => TimeDelta::from_nanos(nanos),
            None => TimeDelta::from_secs_f64(random.normal()),
        };
        target.observe(now, transit);
        let held = target.target(now);
        assert!(bounds.minimum <= held && held <= bounds.maximum, "{held:?}");
    }
}

#[test]
fn drifting_clocks_do_not_move_the_target() {
    let mut path = Path::new(0.01, 5.0);
    path.late_share_over(2_000);
    let before = path.target_ms();
    for _ in 0..30_000 {
        path.delay += 20.0 * 100e-6;
        path.packet();
    }
    assert!((path.target_ms() - before).abs() < 10.0, "{before} -> {}", path.target_ms());
}

#[test]
fn an_hour_of_silence_leaves_the_histogram_sound() {
    let mut path = Path::new(0.01, 30.0);
    path.late_share_over(1_000);
    path.now += Duration::from_secs(3_600);
    path.late_share_over(2_000);
    let late = path.late_share_over(10_000);
    assert!((0.005..0.016).contains(&late), "{late}");
}

#[test]
fn the_smallest_of_a_sliding_window_is_that_of_the_plain_definition() {
    let mut random = Random::new(11);
    let mut window = SlidingMinimum::new(Duration::from_millis(500));
    let mut all: Vec<(MonoTime, TimeDelta)> = Vec::new();
    let mut now = MonoTime::ZERO;
    for _ in 0..2_000 {
        now += Duration::from_millis((random.uniform() * 20.0) as u64);
        all.push((now, TimeDelta::from_millis((random.uniform() * 100.0) as i64)));
        let plain = all
            .iter()
            .filter(|(then, _)| now.since(*then) <= Duration::from_millis(500))
            .map(|&(_, value)| value)
            .min();
        assert_eq!(Some(window.push(now, all[all.len() - 1].1)), plain);
    }
}
