//! When playback begins.

use std::time::Duration;

use cantus_qos::time::{MediaTime, MonoTime};

use super::{Pipeline, Track};

/// Stored media begins no later than so long after its first packet. Setting up takes some round
/// trips before that: all in all three seconds are not to be exceeded but where the path is down.
const LONGEST: Duration = Duration::from_millis(2_200);

/// What is known of the beginning of stored media before it is heard.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// When the first packet came.
    first_at: Option<MonoTime>,
    /// Since when playback can be expected not to have to wait soon.
    ready_at: Option<MonoTime>,
}

impl Pipeline {
    /// Something came, or was recovered: stored media may begin as soon as what is missing is far
    /// enough ahead to be repaired before its turn comes. What comes later has more time than that,
    /// for the sender runs ahead.
    pub(super) fn note_beginning(&mut self, now: MonoTime) {
        if self.playout.is_some() {
            return;
        }
        self.beginning.first_at.get_or_insert(now);
        let rest = self.until.map(|until| until - self.position);
        let ready = |track: &Track| {
            let need = MediaTime::from_duration(track.repaired_within());
            track.whole(self.position) >= rest.map_or(need, |rest| rest.min(need))
        };
        let since = self.beginning.ready_at.unwrap_or(now);
        self.beginning.ready_at = self.tracks.iter().all(ready).then_some(since);
    }

    /// When the first sample is to be heard.
    pub(super) fn start_at(&self) -> Option<MonoTime> {
        let sent = self.sender.nominal_at(self.position)?;
        let earliest = sent + self.pace.start_delay();
        if !self.pace.is_stored() {
            return Some(earliest);
        }
        let Beginning { first_at, ready_at } = self.beginning;
        let taken_before = self.lead + self.pace.sink_lead();
        let ready = ready_at.or(first_at.map(|at| at + LONGEST))?;
        Some(earliest.max(ready + taken_before))
    }

    /// When sound is heard that is `due`: the path may have turned out to be faster than it seemed,
    /// so that stored media should have begun already.
    pub(super) fn not_too_soon(&self, now: MonoTime, due: MonoTime) -> MonoTime {
        match self.playout.is_none() && self.pace.is_stored() {
            true => due.max(now),
            false => due,
        }
    }

    /// When the next sample is to be heard.
    pub(super) fn next_sound_at(&self) -> Option<MonoTime> {
        match &self.playout {
            Some(playout) => Some(playout.heard_at(self.position)),
            None => self.start_at(),
        }
    }

    /// Tells the tracks when their units must be there.
    pub(super) fn plan_playout(&mut self) {
        let Some(heard_at) = self.next_sound_at() else { return };
        let hope = self.pace.hope(self.stall.stood());
        let taken_at = heard_at - self.lead - self.pace.sink_lead() + hope;
        let patience = self.pace.patience();
        for track in &mut self.tracks {
            track.plan_playout(self.position, taken_at, patience);
        }
    }
}
