use std::collections::VecDeque;

use super::*;

const WANTED: Bitrate = Bitrate::from_kbps(210);
const MEDIA_BYTES: usize = 290;
const UNIT: Duration = Duration::from_millis(20);

/// A path with one bottleneck, and a sender who uses whatever it may beyond its media.
struct Path {
    rate: Bitrate,
    delay: Duration,
    /// Each packet may take longer by up to this.
    jitter: Duration,
    loss: f64,
    /// A queue of somebody else, whatever we do.
    foreign: Duration,
    random: Luck,
    free_at: MonoTime,
    queues: Vec<Duration>,
}

/// Numbers from 0 to 1, by Knuth's linear congruential generator.
struct Luck(u64);

impl Luck {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Path {
    fn new(kbps: u64) -> Self {
        Self {
            rate: Bitrate::from_kbps(kbps),
            delay: Duration::from_millis(30),
            jitter: Duration::ZERO,
            loss: 0.0,
            foreign: Duration::ZERO,
            random: Luck(1),
            free_at: MonoTime::ZERO,
            queues: Vec::new(),
        }
    }

    /// When a packet arrives; `None` if it is lost.
    fn carry(&mut self, now: MonoTime, bytes: usize) -> Option<MonoTime> {
        self.free_at = self.free_at.max(now);
        self.queues.push(self.free_at.since(now));
        self.free_at += self.rate.time_for(bytes);
        let jitter = self.jitter.mul_f64(self.random.next());
        let lost = self.random.next() < self.loss;
        (!lost).then(|| self.free_at + self.delay + self.foreign + jitter)
    }

    /// The queue that all but one packet in twenty find no longer.
    fn queue_p95(&mut self) -> Duration {
        self.queues.sort();
        self.queues[self.queues.len() * 95 / 100]
    }
}

/// Who sends over a path: media every 20 ms, and repair as it may.
struct Session {
    control: RateControl,
    now: MonoTime,
    spare: f64,
    reported_at: MonoTime,
    unreported: VecDeque<(MonoTime, Option<MonoTime>)>,
}

impl Session {
    fn new() -> Self {
        let (start, least) = (Bitrate::from_kbps(128), Bitrate::from_kbps(36));
        Self {
            control: RateControl::new(start, least, WANTED),
            now: MonoTime::ZERO,
            spare: 0.0,
            reported_at: MonoTime::ZERO,
            unreported: VecDeque::new(),
        }
    }

    /// Sends for so many seconds; the mean of what was allowed.
    fn run(&mut self, path: &mut Path, seconds: u64) -> Bitrate {
        let units = seconds * 50;
        let total: u64 = (0..units).map(|_| self.unit(path).as_bps()).sum();
        Bitrate::from_bps(total / units)
    }

    fn unit(&mut self, path: &mut Path) -> Bitrate {
        let target = self.control.target(self.now);
        self.control.on_sent(self.now, MEDIA_BYTES);
        self.unreported.push_back((self.now, path.carry(self.now, MEDIA_BYTES)));
        self.spare += target.bytes_in(UNIT) as f64 - MEDIA_BYTES as f64;
        self.spare = self.spare.clamp(0.0, 600.0);
        if self.spare >= 300.0 {
            self.spare -= 300.0;
            self.control.on_sent(self.now, 300);
            path.carry(self.now, 300);
        }
        self.now += UNIT;
        // What has arrived is known after the way back.
        let known_until = self.now - path.delay;
        if self.now >= self.reported_at + Duration::from_millis(80) {
            self.reported_at = self.now;
            while let Some((sent, arrived)) = self.unreported.front().copied() {
                match arrived {
                    Some(arrived) if arrived > known_until => break,
                    Some(arrived) => self.control.on_packet(sent, arrived - sent),
                    None => self.control.on_lost(sent),
                }
                self.unreported.pop_front();
            }
            self.control.on_report(self.now);
        }
        target
    }
}

#[test]
fn a_wide_path_gives_all_that_is_wanted_within_two_seconds() {
    let (mut session, mut path) = (Session::new(), Path::new(10_000));
    session.run(&mut path, 2);
    assert_eq!(session.control.target(session.now), WANTED);
    assert_eq!(session.control.limit(), None);
}

#[test]
fn a_thin_path_is_filled_and_its_queue_stays_short() {
    let (mut session, mut path) = (Session::new(), Path::new(160));
    session.run(&mut path, 5);
    let mean = session.run(&mut path, 60);
    assert!((142..160).contains(&(mean.as_bps() / 1_000)), "{mean:?}");
    assert!(
        path.queues.iter().max() < Some(&Duration::from_millis(75)),
        "{:?}",
        path.queues.iter().max()
    );
    assert!(path.queue_p95() < Duration::from_millis(40), "{:?}", path.queue_p95());
}

#[test]
fn a_path_that_widens_is_used_again_within_ten_seconds() {
    let (mut session, mut path) = (Session::new(), Path::new(160));
    session.run(&mut path, 20);
    path.rate = Bitrate::from_kbps(1_000);
    session.run(&mut path, 10);
    assert_eq!(session.control.target(session.now), WANTED);
}

#[test]
fn a_path_that_narrows_is_followed_until_its_queue_is_short() {
    let (mut session, mut path) = (Session::new(), Path::new(1_000));
    session.run(&mut path, 10);
    path.rate = Bitrate::from_kbps(140);
    session.run(&mut path, 6);
    path.queues.clear();
    let mean = session.run(&mut path, 30);
    assert!((110..140).contains(&(mean.as_bps() / 1_000)), "{mean:?}");
    assert!(path.queue_p95() < Duration::from_millis(60), "{:?}", path.queue_p95());
}

#[test]
fn loss_without_a_queue_is_not_congestion() {
    let (mut session, mut path) = (Session::new(), Path::new(10_000));
    path.loss = 0.2;
    session.run(&mut path, 5);
    assert_eq!(session.run(&mut path, 60), WANTED);
    let loss = session.control.path(session.now).loss();
    assert!((loss - 0.2).abs() < 0.08, "{loss}");
}

#[test]
fn a_queue_that_no_jitter_makes_is_believed_on_a_path_that_loses_too() {
    let mut path = Path::new(1_000);
    (path.loss, path.jitter) = (0.13, Duration::from_millis(60));
    let mut session = Session::new();
    session.run(&mut path, 20);
    path.rate = Bitrate::from_kbps(160);
    path.queues.clear();
    session.run(&mut path, 20);
    assert!(path.queue_p95() < Duration::from_millis(200), "{:?}", path.queue_p95());
}

#[test]
fn jitter_is_not_congestion() {
    let (mut session, mut path) = (Session::new(), Path::new(10_000));
    path.jitter = Duration::from_millis(60);
    session.run(&mut path, 5);
    let mean = session.run(&mut path, 120);
    assert!(mean.as_bps() >= WANTED.as_bps() * 97 / 100, "{mean:?}");
}

#[test]
fn a_queue_that_does_not_go_when_less_is_sent_is_somebody_elses() {
    let (mut session, mut path) = (Session::new(), Path::new(10_000));
    session.run(&mut path, 10);
    path.foreign = Duration::from_millis(80);
    session.run(&mut path, 3);
    assert_eq!(session.run(&mut path, 10), WANTED);
}

#[test]
fn without_reports_less_is_sent() {
    let mut session = Session::new();
    session.run(&mut Path::new(10_000), 5);
    let later = session.now + Duration::from_secs(2);
    assert!(session.control.target(later) < WANTED);
    assert!(session.control.path(later).is_limited(WANTED));
}

#[test]
fn never_less_than_the_least_is_asked_for() {
    let (mut session, mut path) = (Session::new(), Path::new(20));
    let mean = session.run(&mut path, 30);
    assert!(mean >= Bitrate::from_kbps(36), "{mean:?}");
    assert_eq!(session.control.target(session.now), Bitrate::from_kbps(36));
}

#[test]
fn what_is_not_tried_is_not_allowed() {
    // Nothing but media is sent: of what more the path would bear nothing is known.
    let mut control =
        RateControl::new(Bitrate::from_kbps(60), Bitrate::from_kbps(36), Bitrate::from_kbps(500));
    for n in 0..500u64 {
        let now = MonoTime::from_millis(n * 20);
        control.on_sent(now, 125);
        control.on_packet(now, TimeDelta::from_millis(30));
        control.on_report(now);
    }
    assert!(control.target(MonoTime::from_millis(10_000)) <= Bitrate::from_kbps(63));
}

#[test]
fn sessions_that_share_a_path_come_to_share_it_evenly() {
    let mut path = Path::new(300);
    let (mut first, mut second) = (Session::new(), Session::new());
    first.run(&mut path, 10);
    second.now = first.now;
    let mut sums = [0.0; 2];
    for unit in 0..120 * 50 {
        for (sum, session) in sums.iter_mut().zip([&mut first, &mut second]) {
            let rate = session.unit(&mut path).as_bps() as f64;
            *sum += if unit >= 20 * 50 { rate } else { 0.0 };
        }
    }
    // Jain's index.
    let [a, b] = sums;
    let index = (a + b).powi(2) / (2.0 * (a * a + b * b));
    assert!(index >= 0.95, "{index}: {sums:?}");
    assert!(path.queue_p95() < Duration::from_millis(60), "{:?}", path.queue_p95());
}
