//! What is wrong with the sink's sound, where, and for how long.

use serde::{Deserialize, Serialize};

use super::course::{Course, Seam};
use super::echo::Verdict;
use super::follow::EDGE;
use super::wave::{FLOOR, Likeness, Wave};

/// One thing that is wrong.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What it is.
    pub kind: FaultKind,
    /// Where in the sink's sound, from its first sample on.
    pub heard_ms: f64,
    /// Where in the presentation.
    pub source_ms: f64,
    /// How long: of a skip the sound that is missing, of all others the sound that is there.
    pub length_ms: f64,
    /// Whether the sink is silent there; of a skip or a repeat, whether the source is.
    pub silent: bool,
}

/// What can be wrong with a sound.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// Something else in place of the source, which goes on behind it as if nothing had been:
    /// concealment, or silence. It is told in whole units.
    Gap,
    /// Something between two moments of the source that belong together.
    Inserted,
    /// The source jumps forward.
    Skip,
    /// The source jumps back.
    Repeat,
}

impl FaultKind {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Inserted => "inserted",
            Self::Skip => "skip",
            Self::Repeat => "repeat",
        }
    }
}

/// What a track's course through its source tells.
pub(super) struct Listing<'a> {
    pub course: &'a Course,
    pub sink: Wave<'a>,
    pub source: Wave<'a>,
    /// Frames of a unit.
    pub unit: i64,
    /// The frames of the source that were to be heard.
    pub range: (i64, i64),
    pub hz: u32,
}

impl Listing<'_> {
    /// All faults in the order of the sink's sound.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.gaps().collect();
        faults.extend(self.course.seams.iter().flat_map(|seam| self.seam(seam)));
        faults.extend(self.tail());
        faults.sort_by(|a, b| a.heard_ms.total_cmp(&b.heard_ms));
        faults
    }

    fn millis(&self, frames: f64) -> f64 {
        (frames * 1e6 / f64::from(self.hz)).round() / 1e3
    }

    fn fault(&self, kind: FaultKind, heard: i64, source: i64, length: i64, silent: bool) -> Fault {
        Fault {
            kind,
            heard_ms: self.millis(heard as f64),
            source_ms: self.millis(source as f64),
            length_ms: self.millis(length as f64),
            silent,
        }
    }

    /// Runs of units that were not heard at their place.
    fn gaps(&self) -> impl Iterator<Item = Fault> + '_ {
        let verdicts = &self.course.verdicts;
        let lost = |unit: &usize| {
            verdicts[*unit] == Verdict::Lost && self.sink_of(*unit).is_some() && !self.is_cut(*unit)
        };
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for unit in (self.course.first..verdicts.len()).filter(lost) {
            match runs.last_mut() {
                Some((_, end)) if *end == unit => *end += 1,
                _ => runs.push((unit, unit + 1)),
            }
        }
        runs.into_iter().filter_map(|(first, end)| {
            let (from, until) = self.range;
            let begin = (first as i64 * self.unit).max(from);
            let length = (end as i64 * self.unit).min(until) - begin;
            let heard = self.sink_of(first)?;
            let silent = is_silent(self.sink, heard, length.min(self.sink.frames() - heard));
            Some(self.fault(FaultKind::Gap, heard, begin, length, silent))
        })
    }

    /// Whether a unit lies on a seam, which tells what became of it.
    fn is_cut(&self, unit: usize) -> bool {
        let (begin, end) = (unit as i64 * self.unit, (unit as i64 + 1) * self.unit);
        self.course.seams.iter().any(|seam| {
            let (left, met) = (seam.left(), seam.left() + seam.moved());
            end > left.min(met) && begin < left.max(met)
        })
    }

    /// The frame of the sink at which a unit should be.
    fn sink_of(&self, unit: usize) -> Option<i64> {
        let frame = (unit as i64 * self.unit).max(self.range.0);
        Some(self.course.sink_frame(frame)?.round() as i64)
    }

    /// What happened where the source jumps: something may stand in place of what was left out, or
    /// between what was not.
    fn seam(&self, seam: &Seam) -> Vec<Fault> {
        let (filled, moved) = (seam.filled(), seam.moved());
        let left = seam.left();
        // Its edges are found no more exactly than this.
        let margin = if filled > 4 * EDGE { EDGE } else { 0 };
        let silent = is_silent(self.sink, seam.until + margin, filled - 2 * margin);
        let mut faults = Vec::new();
        let replaced = filled.min(moved.max(0));
        if replaced > 0 {
            faults.push(self.fault(FaultKind::Gap, seam.until, left, replaced, silent));
        }
        let at = seam.until + replaced;
        if filled > replaced {
            let inserted = filled - replaced;
            faults.push(self.fault(FaultKind::Inserted, at, left + replaced, inserted, silent));
        }
        if moved > filled {
            let (missing, length) = (left + replaced, moved - filled);
            let silent = is_silent(self.source, missing, length);
            faults.push(self.fault(FaultKind::Skip, at, missing, length, silent));
        }
        if moved < 0 {
            // More silence where there is silence anyway cannot be told from silence twice.
            let silent = is_silent(self.source, left + moved, -moved);
            let kind = if silent { FaultKind::Inserted } else { FaultKind::Repeat };
            faults.push(self.fault(kind, seam.from, left + moved, -moved, silent));
        }
        faults
    }

    /// Sound behind the end.
    fn tail(&self) -> Option<Fault> {
        let until = self.range.1;
        let end = self.course.sink_frame(until)?.round() as i64;
        let more = self.sink.frames() - end;
        let silent = is_silent(self.sink, end, more);
        (more > 1).then(|| self.fault(FaultKind::Inserted, end, until, more, silent))
    }
}

fn is_silent(wave: Wave<'_>, start: i64, frames: i64) -> bool {
    let Some(samples) = wave.stretch(start, frames) else { return false };
    Likeness::of(samples, samples).source <= FLOOR
}
