//! By the sections of RFC 8083.

use super::*;
use crate::rtp::Ssrc;

const TERMS: BreakerTerms = BreakerTerms {
    framing: Duration::from_millis(20),
    interval: Duration::from_secs(1),
    reports: true,
    patience: Duration::ZERO,
    congestion: true,
};

const SIZE: usize = 280;

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

/// A stream of `per_second` packets of which the listener tells, once a second, what arrived.
struct Course {
    breaker: CircuitBreaker,
    now: u64,
    per_second: u64,
    round_trip: Duration,
    highest: u32,
    lost: i32,
}

impl Course {
    fn new(terms: BreakerTerms) -> Self {
        let round_trip = Duration::from_millis(80);
        let breaker = CircuitBreaker::new(terms);
        Self { breaker, now: 0, per_second: 50, round_trip, highest: 0, lost: 0 }
    }

    fn block(&self) -> ReportBlock {
        ReportBlock {
            ssrc: Ssrc(7),
            fraction_lost: 0,
            cumulative_lost: self.lost,
            highest_sequence: self.highest,
            jitter: 0,
            last_sr: 0,
            delay_since_sr: 0,
        }
    }

    fn report(&mut self) {
        let block = self.block();
        self.breaker.on_report(ms(self.now), &block, Some(self.round_trip));
    }

    fn send(&mut self, seconds: u64) {
        for _ in 0..seconds * self.per_second {
            self.now += 1_000 / self.per_second;
            self.breaker.on_sent(ms(self.now), SIZE);
        }
    }

    /// Seconds in which everything goes on but `loss` of it; when it trips, if it does.
    fn lose(&mut self, seconds: u64, loss: f64) -> Option<u64> {
        for second in 1..=seconds {
            self.send(1);
            self.highest = self.highest.wrapping_add(self.per_second as u32);
            self.lost += (self.per_second as f64 * loss).round() as i32;
            self.report();
            if self.breaker.tripped().is_some() {
                return Some(second);
            }
        }
        None
    }

    /// Seconds in which reports come and say that nothing else does.
    fn swallow(&mut self, seconds: u64) -> Option<u64> {
        (1..=seconds).find(|_| {
            self.send(1);
            self.report();
            self.breaker.tripped().is_some()
        })
    }
}

// The RTCP timeout.

#[test]
fn three_intervals_of_the_fixed_minimum_without_a_report_end_it_though_reports_are_quicker() {
    let mut course = Course::new(TERMS);
    assert_eq!(course.lose(30, 0.0), None);
    course.send(15);
    assert_eq!(course.breaker.tripped(), None);
    course.send(1);
    let silence = Duration::from_millis(15_020);
    assert_eq!(course.breaker.tripped(), Some(Tripped::RtcpTimeout { silence }));
}

#[test]
fn intervals_that_are_longer_than_the_minimum_take_longer() {
    let mut course = Course::new(BreakerTerms { interval: Duration::from_secs(8), ..TERMS });
    course.send(24);
    assert_eq!(course.breaker.tripped(), None);
    course.send(1);
    assert!(matches!(course.breaker.tripped(), Some(Tripped::RtcpTimeout { .. })));
}

#[test]
fn a_listener_who_never_says_anything_is_not_missed_until_it_has() {
    let mut silent = Course::new(BreakerTerms { reports: false, ..TERMS });
    silent.send(100);
    assert_eq!(silent.breaker.tripped(), None);
    let mut course = Course::new(BreakerTerms { reports: false, ..TERMS });
    course.send(5);
    course.report();
    course.send(15);
    assert_eq!(course.breaker.tripped(), None);
    course.send(1);
    assert!(matches!(course.breaker.tripped(), Some(Tripped::RtcpTimeout { .. })));
}

#[test]
fn a_listener_who_reports_seldom_is_missed_after_three_intervals_as_long_as_its_longest() {
    let mut course = Course::new(BreakerTerms { reports: false, ..TERMS });
    course.send(30);
    course.report();
    course.send(10);
    course.report();
    course.send(89);
    assert_eq!(course.breaker.tripped(), None);
    course.send(1);
    assert!(matches!(course.breaker.tripped(), Some(Tripped::RtcpTimeout { .. })));
}

#[test]
fn a_pause_of_any_length_is_no_silence() {
    let mut course = Course::new(TERMS);
    course.lose(5, 0.0);
    course.breaker.rest();
    course.now += 3_600_000;
    course.send(15);
    assert_eq!(course.breaker.tripped(), None);
}

// The media timeout.

#[test]
fn five_reports_in_a_row_that_nothing_arrives_end_it() {
    let mut course = Course::new(TERMS);
    assert_eq!(course.lose(10, 0.0), None);
    assert_eq!(course.swallow(20), Some(5));
    let span = Duration::from_secs(5);
    assert_eq!(course.breaker.tripped(), Some(Tripped::MediaTimeout { reports: 5, span }));
}

#[test]
fn a_round_trip_longer_than_the_interval_takes_more_reports() {
    let mut course = Course::new(TERMS);
    course.round_trip = Duration::from_millis(2_500);
    course.lose(10, 0.0);
    assert_eq!(course.swallow(20), Some(13), "5 x 2.5 / 1");
}

#[test]
fn an_outage_within_patience_does_not_end_it_and_what_arrives_after_it_begins_anew() {
    let mut course = Course::new(BreakerTerms { patience: Duration::from_secs(8), ..TERMS });
    for _ in 0..5 {
        assert_eq!(course.lose(1, 0.0), None);
        assert_eq!(course.swallow(7), None);
    }
    course.lose(1, 0.0);
    assert_eq!(course.swallow(20), Some(8));
}

#[test]
fn what_was_not_sent_is_not_missed() {
    let mut course = Course::new(TERMS);
    course.lose(5, 0.0);
    for _ in 0..60 {
        course.now += 1_000;
        course.report();
    }
    assert_eq!(course.breaker.tripped(), None);
}

#[test]
fn the_highest_number_may_wrap() {
    let mut course = Course::new(TERMS);
    course.highest = u32::MAX - 60;
    assert_eq!(course.lose(20, 0.0), None);
}

#[test]
fn reports_that_come_early_do_not_hurry_it() {
    let mut course = Course::new(TERMS);
    course.lose(5, 0.0);
    for _ in 0..40 {
        for _ in 0..5 {
            course.now += 20;
            course.breaker.on_sent(ms(course.now), SIZE);
        }
        course.report();
    }
    assert_eq!(course.breaker.tripped(), None, "forty reports in four seconds");
    assert!(course.swallow(2).is_some());
}

// 4.3: congestion.

/// By the same equation, the other way round.
fn loss_at_the_limit(per_second: u64, round_trip: Duration) -> f64 {
    1.5 * (TIMES_TCP / (per_second as f64 * round_trip.as_secs_f64())).powi(2)
}

#[test]
fn ten_times_what_tcp_would_send_ends_it_after_cb_interval_and_a_little_less_does_not() {
    let at = |factor: f64| {
        let mut course = Course::new(TERMS);
        (course.per_second, course.round_trip) = (500, Duration::from_millis(100));
        let loss = loss_at_the_limit(500, course.round_trip) * factor;
        course.lose(30, loss)
    };
    assert_eq!(at(0.95), None);
    assert_eq!(at(1.05), Some(4), "three intervals between four reports");
}

#[test]
fn losses_that_come_together_are_averaged_over_the_time_that_patience_gives() {
    let at = |patience| {
        let mut course = Course::new(BreakerTerms { patience, ..TERMS });
        (course.per_second, course.round_trip) = (200, Duration::from_millis(150));
        for _ in 0..10 {
            course.lose(12, 0.01);
            if course.lose(4, 0.3).is_some() {
                return true;
            }
        }
        false
    };
    assert!(at(Duration::ZERO));
    assert!(!at(Duration::from_secs(15)));
}

#[test]
fn what_is_bearable_is_ten_times_the_equation_and_nothing_where_nothing_is_lost() {
    let mut course = Course::new(TERMS);
    course.round_trip = Duration::from_millis(100);
    course.lose(5, 0.0);
    assert_eq!(course.breaker.bearable(), None);
    course.lose(10, 0.06);
    // 280 bytes / (0.1 s x sqrt(2 x 0.06 / 3)): 112 kbit/s.
    assert_eq!(course.breaker.bearable(), Some(Bitrate::from_kbps(1_120)));
}

#[test]
fn congestion_that_lets_up_in_between_ends_nothing() {
    let mut course = Course::new(TERMS);
    (course.per_second, course.round_trip) = (500, Duration::from_millis(100));
    for _ in 0..20 {
        assert_eq!(course.lose(2, 0.5), None);
        assert_eq!(course.lose(1, 0.0), None);
    }
}

#[test]
fn a_longer_round_trip_takes_more_reports() {
    let mut course = Course::new(TERMS);
    (course.per_second, course.round_trip) = (500, Duration::from_millis(800));
    assert_eq!(course.lose(30, 0.2), Some(9), "max(10 x 0.8, 3) = 8 intervals");
}

#[test]
fn the_links_that_lose_most_are_far_from_the_limit_with_all_their_repair() {
    for (loss, round_trip) in [(0.2, 80), (0.13, 120), (0.2, 100)] {
        let mut course = Course::new(TERMS);
        (course.per_second, course.round_trip) = (125, Duration::from_millis(round_trip));
        assert_eq!(course.lose(600, loss), None, "{loss} {round_trip}");
        let limit = loss_at_the_limit(125, course.round_trip);
        assert!(limit > 4.0 * loss, "{limit}");
    }
}

#[test]
fn who_sends_less_than_twelve_packets_a_round_trip_is_never_too_much() {
    let mut course = Course::new(TERMS);
    (course.per_second, course.round_trip) = (10, Duration::from_secs(1));
    assert_eq!(course.lose(120, 0.9), None);
}

#[test]
fn where_the_transport_controls_congestion_it_is_left_to_it() {
    let mut course = Course::new(BreakerTerms { congestion: false, ..TERMS });
    (course.per_second, course.round_trip) = (500, Duration::from_millis(500));
    assert_eq!(course.lose(60, 0.5), None);
}

#[test]
fn nonsense_in_reports_neither_panics_nor_is_kept() {
    let mut course = Course::new(TERMS);
    for step in 0..100_000_u32 {
        course.now += 1;
        course.breaker.on_sent(ms(course.now), SIZE);
        course.highest = step.wrapping_mul(2_654_435_761);
        course.lost = course.highest.rotate_left(7) as i32;
        course.round_trip = Duration::from_millis(u64::from(step % 40_000));
        course.report();
    }
    assert!(course.breaker.marks.len() <= 15 * 8 + 1);
}
