//! Discrete with continuous: cues fall due by what is being heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{BeyondTolerance, SkewRule};
use crate::payload::cue::Cue;
use crate::time::{MediaTime, TimeDelta};

/// Cues wait here until the sound they belong to is heard.
///
/// Every cue is handed out once, however often it was sent: the identifier tells copies apart.
#[derive(Clone, Debug)]
pub struct CueSchedule {
    rule: SkewRule,
    waiting: BTreeMap<(MediaTime, u32), Cue>,
    /// Bytes of text that wait.
    bytes: usize,
    seen: BTreeSet<u32>,
}

/// What became of a cue that arrived.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Admitted {
    /// It waits for its instant.
    Waiting,
    /// A copy of it has been here before.
    Duplicate,
    /// There are more cues waiting than any presentation has; it was dropped.
    Full,
}

/// What the application is told.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum CueEvent {
    /// To be shown now.
    Show {
        /// What to show.
        cue: Cue,
        /// Media time by which it comes after the sound it belongs to.
        skew: TimeDelta,
    },
    /// It came too late for the rule and is left out.
    Skipped {
        /// What would have been shown.
        cue: Cue,
        /// Media time by which it came after the sound it belongs to.
        skew: TimeDelta,
    },
}

impl CueSchedule {
    /// More cues than this has no presentation: a sender that sends more is broken or hostile.
    pub const CAPACITY: usize = 8_192;

    /// No more text than this waits, with what is kept beside it: cues are sent seconds early, and
    /// nobody reads so fast.
    pub const MOST_WAITING: usize = 128 << 10;

    /// What is kept of a cue beside its text.
    const OVERHEAD: usize = 128;

    /// The rule for subtitles where the application states none: late by less than the eye and ear
    /// part them is let be, later than that is still shown as long as it lasts.
    pub const SUBTITLES: SkewRule =
        SkewRule { tolerance: Duration::from_millis(80), beyond: BeyondTolerance::Hold };

    /// An empty schedule that follows `rule`.
    pub fn new(rule: SkewRule) -> Self {
        Self { rule, waiting: BTreeMap::new(), bytes: 0, seen: BTreeSet::new() }
    }

    fn weight(cue: &Cue) -> usize {
        cue.text.len() + Self::OVERHEAD
    }

    /// A cue has arrived.
    pub fn push(&mut self, cue: Cue) -> Admitted {
        if self.seen.contains(&cue.id) {
            return Admitted::Duplicate;
        }
        if self.seen.len() >= Self::CAPACITY {
            return Admitted::Full;
        }
        let weight = Self::weight(&cue);
        if self.bytes + weight > Self::MOST_WAITING {
            return Admitted::Full;
        }
        self.bytes += weight;
        self.seen.insert(cue.id);
        self.waiting.insert((cue.start, cue.id), cue);
        Admitted::Waiting
    }

    /// The next cue that is due when `heard` is what is being heard.
    pub fn pop(&mut self, heard: MediaTime) -> Option<CueEvent> {
        let (&key, _) = self.waiting.first_key_value().filter(|((start, _), _)| *start <= heard)?;
        let cue = self.waiting.remove(&key)?;
        self.bytes -= Self::weight(&cue);
        let skew = (heard - cue.start).to_delta();
        let too_late = skew.max_zero() > self.rule.tolerance;
        let over = heard >= cue.start + cue.duration;
        let skipped = too_late && (over || self.rule.beyond == BeyondTolerance::Skip);
        Some(if skipped { CueEvent::Skipped { cue, skew } } else { CueEvent::Show { cue, skew } })
    }

    /// Where on the media timeline the next cue is due.
    pub fn next_start(&self) -> Option<MediaTime> {
        self.waiting.first_key_value().map(|((start, _), _)| *start)
    }

    /// How many different cues have come, and the smallest and largest identifier among them.
    pub fn received(&self) -> (usize, Option<(u32, u32)>) {
        (self.seen.len(), self.seen.first().copied().zip(self.seen.last().copied()))
    }

    /// Playback jumps: what waited is forgotten, and may be sent again.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
        self.seen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(id: u32, start: i64, duration: i64) -> Cue {
        Cue {
            id,
            start: MediaTime::from_millis(start),
            duration: MediaTime::from_millis(duration),
            text: format!("cue {id}"),
        }
    }

    fn at(millis: i64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn a_cue_is_due_exactly_when_its_sound_is_heard() {
        let mut cues = CueSchedule::new(CueSchedule::SUBTITLES);
        cues.push(cue(1, 1_000, 500));
        assert_eq!(cues.pop(at(999)), None);
        assert_eq!(cues.next_start(), Some(at(1_000)));
        let shown = CueEvent::Show { cue: cue(1, 1_000, 500), skew: TimeDelta::ZERO };
        assert_eq!(cues.pop(at(1_000)), Some(shown));
        assert_eq!(cues.pop(at(1_001)), None);
    }

    #[test]
    fn copies_are_shown_once() {
        let mut cues = CueSchedule::new(CueSchedule::SUBTITLES);
        assert_eq!(cues.push(cue(1, 0, 10)), Admitted::Waiting);
        assert_eq!(cues.push(cue(1, 0, 10)), Admitted::Duplicate);
        assert!(cues.pop(at(0)).is_some());
        assert_eq!(cues.push(cue(1, 0, 10)), Admitted::Duplicate);
        assert_eq!(cues.pop(at(0)), None);
    }

    #[test]
    fn cues_come_in_the_order_of_their_start_however_they_arrived() {
        let mut cues = CueSchedule::new(CueSchedule::SUBTITLES);
        for (id, start) in [(3, 30), (1, 10), (2, 20)] {
            cues.push(cue(id, start, 100));
        }
        let mut order = Vec::new();
        while let Some(CueEvent::Show { cue, .. }) = cues.pop(at(50)) {
            order.push(cue.id);
        }
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn a_late_cue_is_held_while_it_lasts_and_skipped_when_it_is_over() {
        let mut cues = CueSchedule::new(CueSchedule::SUBTITLES);
        cues.push(cue(1, 0, 1_000));
        cues.push(cue(2, 0, 400));
        assert!(matches!(cues.pop(at(500)), Some(CueEvent::Show { cue: Cue { id: 1, .. }, .. })));
        assert!(matches!(
            cues.pop(at(500)),
            Some(CueEvent::Skipped { cue: Cue { id: 2, .. }, .. })
        ));
    }

    #[test]
    fn the_rule_decides_on_both_sides_of_the_tolerance() {
        let rule = SkewRule { tolerance: Duration::from_millis(40), beyond: BeyondTolerance::Skip };
        for (heard, shown) in [(40, true), (41, false)] {
            let mut cues = CueSchedule::new(rule);
            cues.push(cue(1, 0, 1_000));
            assert_eq!(matches!(cues.pop(at(heard)), Some(CueEvent::Show { .. })), shown);
        }
    }

    #[test]
    fn a_flood_of_cues_is_bounded() {
        let mut cues = CueSchedule::new(CueSchedule::SUBTITLES);
        for id in 0..CueSchedule::CAPACITY as u32 {
            assert_eq!(cues.push(cue(id, 0, 1)), Admitted::Waiting);
            assert!(cues.pop(at(0)).is_some());
        }
        assert_eq!(cues.push(cue(u32::MAX, 0, 1)), Admitted::Full);
    }

    #[test]
    fn no_more_text_waits_than_may_and_what_was_shown_makes_room() {
        let mut cues = CueSchedule::new(CueSchedule::SUBTITLES);
        let long = |id| Cue { text: "x".repeat(1_000), ..cue(id, 0, 1) };
        let admitted = (0..).take_while(|id| cues.push(long(*id)) == Admitted::Waiting).count();
        assert_eq!(admitted, CueSchedule::MOST_WAITING / (1_000 + CueSchedule::OVERHEAD));
        assert!(cues.pop(at(0)).is_some());
        assert_eq!(cues.push(long(u32::MAX)), Admitted::Waiting);
    }
}
