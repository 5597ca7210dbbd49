//! When it is over, and when it cannot go on.

use std::time::Duration;

use cantus_qos::time::{MediaTime, MonoTime};

use super::{Pipeline, Track};
use crate::error::{PlayError, in_one_line};

/// Where nothing has come for this long, nothing gets through at all.
const SILENCE: Duration = Duration::from_secs(10);

/// Nothing to play for this long, where there was something before, means that the server, or the
/// way to it, is gone. A streamer's circuit breakers take 15 s: what they say is worth hearing.
const OUTAGE: Duration = Duration::from_secs(18);

/// What is pushed has no end, and its sender need not say goodbye: where nothing has come for this
/// long, there is none.
const PUSH_ENDED: Duration = Duration::from_secs(5);

/// Where nothing has come for this long, a file is not filled any more with what is made up.
const DESERTED: Duration = Duration::from_secs(1);

/// What was under way when the server said goodbye arrives within this.
const STRAGGLERS: Duration = Duration::from_millis(500);

impl Pipeline {
    /// Whether the whole range was rendered.
    pub fn is_rendered(&self) -> bool {
        self.until.is_some_and(|until| self.position >= until)
    }

    /// Whether all there is was heard. What is pushed is over when its sender says goodbye, whatever
    /// the reason and however much was wanted; a server has promised the whole range.
    pub fn is_over(&self, now: MonoTime) -> bool {
        if self.is_rendered() {
            return self.over_at().is_none_or(|over_at| over_at <= now);
        }
        let is_end = self.pushed || self.until.is_none() && self.farewell().is_none();
        is_end && self.said_goodbye() && !self.has_more() && self.starved_at() <= now
    }

    /// When the last sample that was rendered has been heard.
    pub(super) fn over_at(&self) -> Option<MonoTime> {
        self.playout.map(|playout| playout.heard_at(self.position))
    }

    /// How long nothing has come of what was pushed, where that is its end.
    pub fn fell_silent(&self, now: MonoTime) -> Option<Duration> {
        let silent = self.pushed && self.has_received() && !self.said_goodbye();
        (silent && !self.has_more() && self.starved_at() <= now).then_some(PUSH_ENDED)
    }

    /// Whether nobody seems to push anything any more: there is nothing to be heard, and nothing has
    /// been for a while.
    pub(super) fn is_deserted(&self, now: MonoTime) -> bool {
        let silent = self.said_goodbye() || self.last_fed + DESERTED <= now;
        self.pushed && silent && !self.has_more()
    }

    /// Why it cannot go on, if it cannot. What is pushed is waited for, whenever it comes.
    pub fn broken(&self, now: MonoTime) -> Option<PlayError> {
        if self.pushed && !self.has_received() {
            return None;
        }
        if now < self.starved_at() || self.is_rendered() || self.has_more() {
            return None;
        }
        let played = self.tracks.first().map(|track| track.voice.played - track.voice.concealed);
        let played = played.unwrap_or_default().max(MediaTime::ZERO).as_secs_f64();
        let wanted = self.until.map(|until| (until - self.from).as_secs_f64());
        if let Some(reason) = self.farewell() {
            return Some(PlayError::Ended { reason: in_one_line(reason), played, wanted });
        }
        if !self.has_received() && !self.closed {
            return Some(PlayError::NoMedia { after: SILENCE, carrier: self.carrier });
        }
        Some(PlayError::ServerGone { played, wanted })
    }

    /// Why the server has ended the session before its time, where it has said so.
    fn farewell(&self) -> Option<&str> {
        let mut said = self.tracks.iter().filter_map(|track| track.intake.receiver.farewell());
        self.farewell.as_deref().or_else(|| said.next())
    }

    /// Whether anything is left to be played.
    pub(super) fn has_more(&self) -> bool {
        self.tracks.iter().any(|track| track.has_more(self.position))
    }

    pub(super) fn said_goodbye(&self) -> bool {
        self.tracks.iter().all(Track::has_left)
    }

    /// Until when something more may come.
    pub(super) fn starved_at(&self) -> MonoTime {
        let over = self.closed || self.said_goodbye() && !self.is_awaited();
        // Of what is pushed, others go on where one has said why it leaves.
        let over = over || !self.pushed && self.farewell().is_some();
        self.last_fed
            + match over {
                true => STRAGGLERS,
                false if self.pushed => PUSH_ENDED,
                false if self.has_received() => OUTAGE,
                false => SILENCE,
            }
    }

    fn has_received(&self) -> bool {
        self.tracks.iter().any(Track::has_received)
    }
}
