//! When each unit leaves.

use std::time::Duration;

use cantus_qos::time::{MediaTime, MonoTime};

/// The plan by which media leaves: the nominal presentation timeline, and how far ahead of it
/// units may run.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Schedule {
    start: MonoTime,
    from: MediaTime,
    until: MediaTime,
    lead: MediaTime,
    /// By how much the listener's playback is behind the nominal timeline.
    behind: MediaTime,
}

/// In stored mode the streamer runs this much faster than the media until it has its lead.
const CATCH_UP: i64 = 2;

impl Schedule {
    /// Everything leaves at its nominal instant.
    pub fn live(start: MonoTime, from: MediaTime, until: MediaTime) -> Self {
        Self { start, from, until, lead: MediaTime::ZERO, behind: MediaTime::ZERO }
    }

    /// Units leave up to `lead` before their nominal instant, so that the player can hold that much.
    pub fn stored(start: MonoTime, from: MediaTime, until: MediaTime, lead: Duration) -> Self {
        let lead = MediaTime::from_duration(lead);
        Self { start, from, until, lead, behind: MediaTime::ZERO }
    }

    /// Whether units leave before their nominal instants.
    pub fn runs_ahead(&self) -> bool {
        self.lead > MediaTime::ZERO
    }

    /// Where the range that is played ends.
    pub fn until(&self) -> MediaTime {
        self.until
    }

    /// Where it began.
    pub fn from(&self) -> MediaTime {
        self.from
    }

    /// When `media_time` is presented nominally: what sender reports speak of.
    pub fn nominal(&self, media_time: MediaTime) -> MonoTime {
        self.start + (media_time - self.from).to_delta()
    }

    /// The media time presented nominally at `now`.
    pub fn position(&self, now: MonoTime) -> MediaTime {
        self.from + MediaTime::from_delta(now - self.start)
    }

    /// Playback comes to `position` about `now`: sooner than a listener may tell that it does, which
    /// only lets a little less run ahead. What runs ahead runs ahead of that: a player whose
    /// playback stood still holds no more than others, and waits as long for what it misses.
    pub fn follow(&mut self, now: MonoTime, position: MediaTime) {
        if self.runs_ahead() {
            self.behind = (self.position(now) - position).max(MediaTime::ZERO);
        }
    }

    /// By how much playback is behind the nominal timeline, as far as is known.
    pub fn behind(&self) -> MediaTime {
        self.behind
    }

    /// How much of what was sent, up to `reached`, the listener has still to play at `now`.
    pub fn held(&self, now: MonoTime, reached: MediaTime) -> MediaTime {
        (reached - self.position(now) + self.behind).max(MediaTime::ZERO)
    }

    /// When the unit at `media_time` is to leave.
    pub fn due(&self, media_time: MediaTime) -> MonoTime {
        let ahead = media_time - self.from;
        if !self.runs_ahead() {
            return self.start + ahead.to_delta();
        }
        let run_up = MediaTime::from_flicks(ahead.as_flicks() / CATCH_UP);
        self.start + run_up.max(ahead - self.lead + self.behind).to_delta()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: MonoTime = MonoTime::from_millis(1_000);
    const END: MediaTime = MediaTime::from_millis(60_000);

    fn at(millis: i64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn live_units_leave_when_they_are_presented() {
        let schedule = Schedule::live(START, at(500), END);
        assert_eq!(schedule.due(at(500)), START);
        assert_eq!(schedule.due(at(700)), MonoTime::from_millis(1_200));
        assert_eq!(schedule.nominal(at(700)), MonoTime::from_millis(1_200));
        assert_eq!(schedule.position(MonoTime::from_millis(1_200)), at(700));
    }

    #[test]
    fn stored_units_run_ahead_until_they_have_their_lead_and_keep_it() {
        let schedule = Schedule::stored(START, at(0), END, Duration::from_secs(4));
        assert_eq!(schedule.due(at(2_000)), MonoTime::from_millis(2_000));
        assert_eq!(schedule.due(at(8_000)), MonoTime::from_millis(5_000));
        assert_eq!(schedule.due(at(20_000)), MonoTime::from_millis(17_000));
    }

    #[test]
    fn stored_units_keep_their_lead_before_playback_that_has_fallen_behind_and_live_ones_wait_for_none()
     {
        let now = MonoTime::from_millis(11_000);
        let mut stored = Schedule::stored(START, at(0), END, Duration::from_secs(4));
        for (position, due) in [(7_000, 20_000), (10_000, 17_000), (11_000, 17_000)] {
            stored.follow(now, at(position));
            assert_eq!(stored.due(at(20_000)), MonoTime::from_millis(due), "{position}");
        }
        let mut live = Schedule::live(START, at(0), END);
        live.follow(now, at(7_000));
        assert_eq!(live.due(at(20_000)), MonoTime::from_millis(21_000));
    }
}
