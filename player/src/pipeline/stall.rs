//! Playback that stands still for want of anything to play.

use std::time::Duration;

use cantus_qos::sync::PlayoutClock;
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use super::handed::HandOver;
use super::{Block, Pipeline, Track};
use crate::wish::SinkClock;

/// Sound is made up in pieces this long, for what comes is to be heard at once: Opus conceals no
/// shorter ones well (RFC 6716, section 4.4: its speech layer works in 10 ms).
const PIECE: MediaTime = MediaTime::from_millis(10);

/// What is made up has faded so far by then that nobody hears when it ends.
const FADED: MediaTime = MediaTime::from_millis(200);

/// Where the latency is playback's own to choose, a unit that has not come in time need not be
/// lost: playback makes up sound, stands still on the timeline, and goes on with the unit when it
/// comes, a little later than before. That is also the fastest way to follow a delay that has
/// grown. Time scaling takes the surplus back.
///
/// Whether a unit is late or lost shows only when the next one comes. If units are missing before
/// that one, the time stood still is theirs: they are skipped, and playback is where it would have
/// been. And where what is made up has faded to silence, so is as much of a gap as playback has
/// waited longer than it must.
#[derive(Debug, Default)]
pub(super) struct Stall {
    /// Sound that was made up since the last unit was heard.
    silence: MediaTime,
    /// The part of it for which playback stood still.
    stood: MediaTime,
    /// By how much everything is heard later for it, all told.
    waited: MediaTime,
    /// How often playback stood still.
    times: u64,
}

impl Stall {
    /// How much later everything was heard for having been waited for, all told.
    pub(super) fn waited(&self) -> MediaTime {
        self.waited
    }

    /// How often playback stood still.
    pub(super) fn times(&self) -> u64 {
        self.times
    }

    /// How long playback has stood still by now.
    pub(super) fn stood(&self) -> MediaTime {
        self.stood
    }

    fn stand(&mut self, length: MediaTime) {
        self.times += u64::from(self.stood == MediaTime::ZERO);
        self.silence += length;
        self.stood += length;
        self.waited += length;
    }

    /// What was to be heard for `length` is missing.
    fn miss(&mut self, length: MediaTime) {
        self.silence += length;
    }

    /// A unit is heard.
    fn end(&mut self) {
        (self.silence, self.stood) = (MediaTime::ZERO, MediaTime::ZERO);
    }

    /// How much of a `gap` in units that play for `unit` is skipped, where playback waits `surplus`
    /// longer than it must.
    fn skip(&mut self, gap: MediaTime, unit: MediaTime, surplus: Duration) -> MediaTime {
        let surplus = MediaTime::from_duration(surplus).as_flicks() / unit.as_flicks().max(1);
        let surplus = MediaTime::from_flicks(surplus.saturating_mul(unit.as_flicks()));
        let spare = if self.silence >= FADED { self.stood.max(surplus) } else { self.stood };
        let skip = gap.min(spare);
        let stood = skip.min(self.stood);
        self.stood -= stood;
        self.waited -= stood;
        skip
    }
}

impl Pipeline {
    /// What is made up while playback stands still, if it does: the sound from here on is due, but
    /// has not come.
    pub(super) fn stand(&mut self, when: HandOver) -> Option<Block> {
        let over = self.closed || self.said_goodbye() && !self.is_awaited();
        if over || !self.misses(when) {
            return None;
        }
        self.stall.stand(PIECE);
        let samples = self.mix.extend(&mut self.tracks, PIECE);
        let waited = PIECE.to_delta();
        if let Some(playout) = &mut self.playout {
            playout.delay(waited);
        }
        match self.sink_clock {
            SinkClock::Sender => self.handed.stand(when, self.position),
            SinkClock::Sink => {
                self.sounded = Some(PlayoutClock::new(when.due + waited, self.position));
            }
        }
        Some(Block { samples, position: Some(self.position) })
    }

    /// Whether something is missing here that playback waits for: all that is to come, or what may
    /// yet be repaired.
    fn misses(&self, when: HandOver) -> bool {
        let (position, stood) = (self.position, self.stall.stood);
        if !self.has_more() {
            return self.pace.waits(self.delay(when.due), stood);
        }
        let gap = |track: &&Track| track.next(position).is_some_and(|at| at > position);
        let waits = |track: &Track| match track.awaits(position) {
            Some(awaits) => awaits && self.pace.waits_for_answer(when.left.since(self.last_heard)),
            None => self.pace.waits_for_repair(self.depth(), stood),
        };
        self.tracks.iter().filter(gap).any(waits)
    }

    /// Whether something is missing here that was asked for and may yet come, though no more is
    /// sent.
    pub(super) fn is_awaited(&self) -> bool {
        let position = self.position;
        let missing = |track: &&Track| track.next(position).is_none_or(|at| at > position);
        let awaits = |track: &Track| track.awaits(position) == Some(true);
        self.pace.is_stored() && self.tracks.iter().filter(missing).any(awaits)
    }

    /// Skips what is missing here and was waited for, or was to be silence while playback waits
    /// longer than it must.
    pub(super) fn skip_gap(&mut self, heard_at: MonoTime) {
        let position = self.position;
        let Some(next) = self.tracks.iter().filter_map(|track| track.next(position)).min() else {
            return self.stall.miss(self.mix.unit());
        };
        if next <= position {
            return self.stall.end();
        }
        let surplus = self.pace.surplus(self.delay(heard_at));
        let skip = self.stall.skip(next - position, self.mix.unit(), surplus);
        if skip > MediaTime::ZERO {
            self.position += skip;
            self.tracks.iter_mut().for_each(|track| track.skip(position, position + skip));
            if let Some(playout) = &mut self.playout {
                *playout = PlayoutClock::new(heard_at, self.position);
            }
        }
        match self.position < next {
            true => self.stall.miss(self.mix.unit()),
            false => self.stall.end(),
        }
    }

    /// How much is rendered at once: no more than a unit, nor than what needs no other packet, for
    /// the next one is not due before its first sample is.
    pub(super) fn piece(&self) -> MediaTime {
        let pieces = self.tracks.iter().map(|track| track.piece(self.position, PIECE));
        let unit = self.mix.unit();
        let mut piece = pieces.min().unwrap_or_default().min(unit);
        // Packets of two tracks need not begin together: of what is there no less is taken than can be
        // scaled.
        let is_there = |track: &Track| track.ready(self.position) >= unit;
        if piece < unit && self.tracks.len() > 1 && self.tracks.iter().all(is_there) {
            piece = unit;
        }
        self.until.map_or(piece, |until| piece.min(until - self.position))
    }

    /// How long after its nominal sending the sound from here on is heard.
    pub(super) fn delay(&self, heard_at: MonoTime) -> Option<TimeDelta> {
        self.sender.nominal_at(self.position).map(|sent| heard_at - sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: MediaTime = MediaTime::from_millis(20);
    const MS: fn(i64) -> MediaTime = MediaTime::from_millis;

    fn stood(pieces: i64) -> Stall {
        let mut stall = Stall::default();
        (0..pieces).for_each(|_| stall.stand(PIECE));
        stall
    }

    #[test]
    fn what_was_waited_for_and_lost_is_skipped_and_playback_is_where_it_would_have_been() {
        let mut stall = stood(6);
        assert_eq!(stall.waited(), MS(60));
        assert_eq!(stall.skip(MS(60), UNIT, Duration::ZERO), MS(60));
        assert_eq!(stall.waited(), MediaTime::ZERO);
    }

    #[test]
    fn what_came_late_and_whole_is_heard_later() {
        let mut stall = stood(6);
        stall.end();
        assert_eq!(stall.waited(), MS(60));
        assert_eq!(stall.skip(MS(60), UNIT, Duration::ZERO), MediaTime::ZERO);
    }

    #[test]
    fn of_a_gap_that_is_longer_than_the_wait_the_rest_is_missed() {
        let mut stall = stood(3);
        assert_eq!(stall.skip(MS(100), UNIT, Duration::ZERO), MS(30));
        assert_eq!(stall.waited(), MediaTime::ZERO);
    }

    #[test]
    fn silence_is_cut_short_by_what_playback_waits_too_long_and_sound_is_not() {
        let surplus = Duration::from_millis(500);
        for (missed, skipped) in [(9, 0), (10, 500)] {
            let mut stall = Stall::default();
            (0..missed).for_each(|_| stall.miss(UNIT));
            assert_eq!(stall.skip(MS(2_000), UNIT, surplus), MS(skipped), "{missed}");
        }
    }
}
