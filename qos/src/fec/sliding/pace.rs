//! When repair packets leave.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MonoTime;

/// Says when a repair packet is due, so that they leave evenly between the source packets.
///
/// At a share of 0.8 four leave in the time of five source packets. None leaves at the instant of
/// a source packet, nor near it: what leaves together shares a burst of losses, and on QUIC a UDP
/// packet. No two leave together, not after a late call either: who is late catches up at twice
/// the pace. The share may change with every source packet.
#[derive(Clone, Debug)]
pub struct RepairPace {
    share: f64,
    /// Repair packets that were due so far, in fractions: one is due whenever it passes a half.
    phase: f64,
    due: VecDeque<MonoTime>,
    last: Option<Departure>,
}

#[derive(Copy, Clone, Debug)]
struct Departure {
    planned: MonoTime,
    left: MonoTime,
}

impl RepairPace {
    /// The most repair packets that there may be to a source packet.
    pub const MOST: f64 = 8.0;

    /// The part of the time between two source packets at its beginning, and at its end, in which
    /// no repair packet leaves.
    const ASIDE: f64 = 0.125;

    /// So many repair packets to a source packet; more than [`RepairPace::MOST`] are taken as that.
    pub fn new(share: f64) -> Self {
        let mut pace = Self { share: 0.0, phase: 0.0, due: VecDeque::new(), last: None };
        pace.set_share(share);
        pace
    }

    /// So many repair packets to a source packet from the next one on.
    pub fn set_share(&mut self, share: f64) {
        // What is no number is none.
        self.share = if share > 0.0 { share.min(Self::MOST) } else { 0.0 };
    }

    /// Repair packets to a source packet.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// A source packet leaves `now`, and the next one `gap` later.
    pub fn push(&mut self, now: MonoTime, gap: Duration) {
        let end = self.phase + self.share;
        let mut half = 0.5;
        while half <= end {
            if half > self.phase {
                let part = (half - self.phase) / self.share;
                let place = Self::ASIDE + part * (1.0 - 2.0 * Self::ASIDE);
                self.due.push_back(now + gap.mul_f64(place));
            }
            half += 1.0;
        }
        self.phase = end - end.floor();
    }

    /// Whether a repair packet is due: then it is to leave at once, and is not due any more.
    pub fn pop(&mut self, now: MonoTime) -> bool {
        let is_due = self.next_deadline().is_some_and(|due| due <= now);
        if is_due {
            let planned = self.due.pop_front();
            self.last = planned.map(|planned| Departure { planned, left: now });
        }
        is_due
    }

    /// When the next repair packet is due.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        let planned = *self.due.front()?;
        let Some(last) = self.last else { return Some(planned) };
        let distance = planned.since(last.planned) / 2;
        Some(planned.max(last.left + distance.max(Duration::from_nanos(1))))
    }

    /// Nothing is due any more.
    pub fn clear(&mut self) {
        self.due.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GAP: Duration = Duration::from_millis(20);

    /// When repair packets leave beside `count` source packets, called at every deadline.
    fn departures(pace: &mut RepairPace, count: u64) -> Vec<MonoTime> {
        let mut departures = Vec::new();
        for packet in 0..count {
            pace.push(MonoTime::from_millis(20 * packet), GAP);
            while let Some(due) = pace.next_deadline() {
                assert!(!pace.pop(due - Duration::from_nanos(1)));
                assert!(pace.pop(due));
                departures.push(due);
            }
        }
        departures
    }

    #[test]
    fn at_a_share_of_four_fifths_they_leave_some_25_ms_apart() {
        let departures = departures(&mut RepairPace::new(0.8), 500);
        assert_eq!(departures.len(), 400);
        for pair in departures.windows(2) {
            let distance = pair[1].since(pair[0]).as_secs_f64();
            assert!((0.02..0.03).contains(&distance), "{distance}");
        }
    }

    #[test]
    fn the_share_holds_from_the_packet_on_at_which_it_changes() {
        let mut pace = RepairPace::new(1.0);
        assert_eq!(departures(&mut pace, 10).len(), 10);
        pace.set_share(0.25);
        assert_eq!(departures(&mut pace, 100).len(), 25);
        pace.set_share(0.0);
        assert_eq!(departures(&mut pace, 100).len(), 0);
    }

    #[test]
    fn a_share_that_is_none_or_too_large_does_no_harm() {
        assert_eq!(RepairPace::new(f64::NAN).share(), 0.0);
        assert_eq!(RepairPace::new(-1.0).share(), 0.0);
        assert_eq!(RepairPace::new(f64::INFINITY).share(), RepairPace::MOST);
    }

    #[test]
    fn a_late_call_lets_no_clump_out() {
        let mut pace = RepairPace::new(1.0);
        (0..5).for_each(|packet| pace.push(MonoTime::from_millis(20 * packet), GAP));
        let mut now = MonoTime::from_millis(200);
        let mut left = Vec::new();
        while let Some(due) = pace.next_deadline() {
            now = now.max(due);
            assert!(pace.pop(now));
            assert!(!pace.pop(now));
            left.push(now);
        }
        assert_eq!(left.len(), 5);
        for pair in left.windows(2) {
            assert_eq!(pair[1].since(pair[0]), Duration::from_millis(10));
        }
    }

    #[test]
    fn what_is_cleared_never_leaves() {
        let mut pace = RepairPace::new(2.0);
        pace.push(MonoTime::ZERO, GAP);
        pace.clear();
        assert_eq!(pace.next_deadline(), None);
    }

    proptest! {
        #[test]
        fn none_leaves_near_a_source_packet_and_no_two_together(
            shares in prop::collection::vec(0.0..4.0f64, 1..20),
        ) {
            let mut pace = RepairPace::new(0.0);
            let mut last = None;
            for (packet, share) in (0u64..).zip(shares) {
                let sent = MonoTime::from_millis(20 * packet);
                pace.set_share(share);
                pace.push(sent, GAP);
                while let Some(due) = pace.next_deadline() {
                    prop_assert!(due >= sent + Duration::from_micros(2_499));
                    prop_assert!(due <= sent + Duration::from_micros(17_501));
                    prop_assert!(last.is_none_or(|last| due > last));
                    pace.pop(due);
                    last = Some(due);
                }
            }
        }
    }
}
