//! Tracks that somebody else sends are kept together by what their senders report.

use cantus_qos::time::TimeDelta;

use super::Pipeline;

impl Pipeline {
    /// Something came: the first track leads, and the others move to where their reports say that
    /// they belong. Servers that tell the time of every packet keep their tracks together themselves.
    ///
    /// Before a track is heard it moves unnoticed. Then it is broken off, as where units are
    /// missing, and goes on elsewhere: made-up sound joins the two.
    pub(super) fn keep_together(&mut self) {
        let Some((leader, others)) = self.tracks.split_first_mut() else { return };
        if others.is_empty() || self.sender.is_told() {
            return;
        }
        let Some(told) = leader.take_told() else { return };
        let mut moved = false;
        for track in others {
            let Some(later) = track.follow(&told) else { continue };
            let bears = |delay: Option<TimeDelta>, later| {
                delay.is_none_or(|delay| self.pace.bears(delay + later))
            };
            // What is too late to be heard would not be together with anything.
            let (earlier, later_than) = (TimeDelta::ZERO - later.to_delta(), later.to_delta());
            if bears(track.delay(), earlier) && bears(leader.delay(), later_than) {
                track.move_by(later, self.position);
                moved = true;
            }
        }
        if moved {
            self.sender.on_moved();
        }
    }
}
