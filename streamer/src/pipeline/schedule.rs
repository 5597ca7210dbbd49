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
}

/// In stored mode the streamer runs this much faster than the media until it has its lead.
const CATCH_UP: i64 = 2;

impl Schedule {
    /// Everything leaves at its nominal instant.
    pub fn live(start: MonoTime, from: MediaTime, until: MediaTime) -> Self {
        Self { start, from, until, lead: MediaTime::ZERO }
    }

    /// Units leave up to `lead` before their nominal instant, so that the player can hold that much.
    pub fn stored(start: MonoTime, from: MediaTime, until: MediaTime, lead: Duration) -> Self {
        Self { start, from, until, lead: MediaTime::from_duration(lead) }
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

    /// When the unit at `media_time` is to leave.
    pub fn due(&self, media_time: MediaTime) -> MonoTime {
        let ahead = media_time - self.from;
        let run_up = MediaTime::from_flicks(ahead.as_flicks() / CATCH_UP);
        self.start + run_up.max(ahead - self.lead).min(ahead).to_delta()
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
}
