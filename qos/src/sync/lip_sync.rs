//! One stream kept with another by what their sender reports say.

use std::time::Duration;

use super::StreamTimeline;
use crate::time::{MediaTime, NtpTime};

/// What one sender report says: an instant of the sender's wall clock, and the place on a timeline
/// that the RTP timestamp of the same instant stands for (RFC 3550, section 6.4.1).
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Reported {
    /// What the sender's clock showed. Which clock that is does not matter; both streams go by the
    /// same.
    pub ntp: NtpTime,
    /// The place of that instant: of the stream that leads on the timeline of the presentation, of the
    /// other one on its own.
    pub media_time: MediaTime,
}

/// Says where the timeline of a stream lies on that of the presentation, which another stream
/// leads.
///
/// The first pair of reports is believed at once. Later ones repeat it, as exactly as their sender
/// reads its clocks: what they say moves the stream only where it lies farther off than
/// [`TOLERANCE`](Self::TOLERANCE), and two pairs in a row agree on that. For a sender whose clock
/// was set between two reports contradicts itself until both streams have reported again.
#[derive(Clone, Debug, Default)]
pub struct LipSync {
    leader: Option<Reported>,
    follower: Option<Reported>,
    /// Whether any pair has been believed.
    known: bool,
    /// What the last pair said, if that was off.
    doubt: Option<MediaTime>,
}

impl LipSync {
    /// Streams that are no farther apart than this are let be: nobody hears it, and every move is
    /// heard. Reports of senders that take the time while they are busy differ by a millisecond or
    /// two.
    pub const TOLERANCE: Duration = Duration::from_millis(5);

    /// Streams of one session are not farther apart than this: reports that say so are wrong.
    pub const MOST: Duration = Duration::from_secs(5);

    /// Nothing has been reported yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stream that leads was reported on.
    pub fn on_leader(&mut self, report: Reported) {
        self.leader = Some(report);
    }

    /// The other stream was reported on.
    pub fn on_follower(&mut self, report: Reported) {
        self.follower = Some(report);
    }

    /// One of the two begins anew: nothing that was reported holds any more.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Where the stream's own timeline begins on that of the presentation, where that is not at
    /// `present` as it is taken to; asked whenever something was reported.
    pub fn pop(&mut self, present: MediaTime) -> Option<MediaTime> {
        let (leader, follower) = self.leader.zip(self.follower)?;
        // Each pair counts once.
        (self.leader, self.follower) = (None, None);
        let at = StreamTimeline::media_time_at(follower.ntp, leader.ntp, leader.media_time);
        let begin = at - follower.media_time;
        let apart = |one: MediaTime, other: MediaTime| (one - other).to_delta().abs();
        let off = apart(begin, present);
        if off > Self::MOST {
            return None;
        }
        if !std::mem::replace(&mut self.known, true) {
            return (!off.is_zero()).then_some(begin);
        }
        let doubt = self.doubt.take();
        if off <= Self::TOLERANCE {
            return None;
        }
        if doubt.is_some_and(|doubt| apart(begin, doubt) <= Self::TOLERANCE) {
            return Some(begin);
        }
        self.doubt = Some(begin);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimeDelta;
    use proptest::prelude::*;

    const MS: fn(i64) -> MediaTime = MediaTime::from_millis;

    fn report(ntp: i64, media_time: i64) -> Reported {
        let ntp = NtpTime::from_bits(u64::MAX - 7).offset(TimeDelta::from_millis(ntp));
        Reported { ntp, media_time: MS(media_time) }
    }

    /// The stream lies at `present`; both report at `at`, the other one as if it began at `begin`.
    fn told(sync: &mut LipSync, at: i64, begin: i64, present: i64) -> Option<MediaTime> {
        sync.on_leader(report(at, at));
        sync.on_follower(report(at + 13, at + 13 - begin));
        sync.pop(MS(present))
    }

    #[test]
    fn the_first_pair_is_believed_whatever_the_clock_shows_and_only_where_it_says_anything_new() {
        let mut sync = LipSync::new();
        sync.on_leader(report(1_000, 300));
        assert_eq!(sync.pop(MS(80)), None, "the other one has not reported");
        sync.on_follower(report(1_040, 310));
        assert_eq!(sync.pop(MS(80)), Some(MS(30)));
        assert_eq!(told(&mut LipSync::new(), 0, 80, 80), None);
    }

    #[test]
    fn what_differs_by_no_more_than_nobody_hears_is_let_be() {
        let mut sync = LipSync::new();
        assert_eq!(told(&mut sync, 0, 81, 80), Some(MS(81)));
        for begin in [80, 86, 76, 86, 86] {
            assert_eq!(told(&mut sync, 5_000, begin, 81), None);
        }
    }

    #[test]
    fn a_clock_that_was_set_between_two_reports_moves_nothing_and_what_insists_does() {
        let mut sync = LipSync::new();
        assert_eq!(told(&mut sync, 0, 20, 0), Some(MS(20)));
        assert_eq!(told(&mut sync, 5_000, 1_020, 20), None);
        assert_eq!(told(&mut sync, 10_000, 20, 20), None);
        assert_eq!(told(&mut sync, 15_000, 90, 20), None);
        assert_eq!(told(&mut sync, 20_000, 91, 20), Some(MS(91)));
    }

    #[test]
    fn a_pair_counts_once_and_none_after_a_stream_has_begun_anew() {
        let mut sync = LipSync::new();
        assert_eq!(told(&mut sync, 0, 20, 0), Some(MS(20)));
        assert_eq!(told(&mut sync, 5_000, 90, 20), None);
        for _ in 0..3 {
            sync.on_follower(report(5_000, 4_910));
            assert_eq!(sync.pop(MS(20)), None);
        }
        sync.restart();
        sync.on_follower(report(0, 0));
        assert_eq!(sync.pop(MS(20)), None);
        sync.on_leader(report(0, 50));
        assert_eq!(sync.pop(MS(20)), Some(MS(50)), "and then at once");
    }

    proptest! {
        #[test]
        fn reports_of_all_kinds_never_move_a_stream_by_more_than_five_seconds(
            reports in prop::collection::vec((any::<u64>(), any::<i64>(), any::<bool>()), 0..40),
        ) {
            let (mut sync, mut present) = (LipSync::new(), MediaTime::ZERO);
            for (ntp, flicks, leads) in reports {
                let media_time = MediaTime::from_flicks(flicks);
                let report = Reported { ntp: NtpTime::from_bits(ntp), media_time };
                if leads { sync.on_leader(report) } else { sync.on_follower(report) }
                if let Some(begin) = sync.pop(present) {
                    prop_assert!((begin - present).to_delta().abs() <= LipSync::MOST);
                    present = begin;
                }
            }
        }
    }
}
