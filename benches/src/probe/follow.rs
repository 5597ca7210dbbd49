//! Follows the sink's sound through the source, unit by unit.

mod sewing;

use super::course::{Course, Piece};
use super::echo::{Echo, Verdict};
use super::reference::Source;
use super::search::Search;
use super::wave::{Likeness, Wave};

/// A unit whose sound differs by less than -40 dB from what it should be was heard: the same
/// decoder gives the same samples, and of 340 concealed ones none came nearer than -30 dB.
const SAME: f64 = 1e-4;
/// L16 comes to the bit; concealment of a steady tone may be near.
const EXACT: f64 = 1e-8;
/// With a lag between two samples the probe's own interpolation adds to that.
const SAME_BETWEEN: f64 = 1e-3;
/// Alike enough to say that the source goes on where it was, or to find the edge of a seam.
const ALIKE: f64 = 1e-2;
/// As much for sound a long stretch of which is looked for anywhere: the wake of a loss and the
/// fading of a concealment may be in it.
const RECOGNISED: f64 = 0.03;

/// More like the source than nothing at all: after a loss, most units that came are, and few that
/// did not.
const LIKELY: f64 = 0.7;

/// A source clock and a sink clock that part by less than this, in frames from unit to unit, and in
/// frames for each frame of silence, drift: more is a jump. 100 parts in a million are twice what
/// sound cards do.
const DRIFT: f64 = 0.5;
const MOST_DRIFT: f64 = 1e-4;

/// What has not moved for so many milliseconds does not drift.
const STEADY: i64 = 500;

/// Longer than libopus and the concealment of L16 make up sound: if the source does not go on
/// within so many milliseconds where it was, it may have jumped.
const RESUMES_WITHIN: i64 = 240;
/// A near jump, as time scaling makes them: within so many milliseconds, to be recognised within
/// so many.
const NEAR_REACH: i64 = 25;
const NEAR_WINDOW: i64 = 40;
/// Any other jump.
const FAR_REACH: i64 = 5_000;
const FAR_WINDOW: i64 = 200;
const FAR_BLOCKS: i64 = 4;
/// Between two looks for a far jump.
const FAR_EVERY: i64 = 100;
/// After a loss a unit may begin with the end of its concealment.
const SETTLES: i64 = 5;

/// The edge of a seam is found to so many frames.
pub(super) const EDGE: i64 = 32;

/// The way of `sink` through `source` from its frame `from` to `until`.
pub(super) fn follow(sink: Wave<'_>, source: &Source, from: i64, until: i64) -> Course {
    let unit = source.unit;
    let first = (from.div_euclid(unit)).max(0) as usize;
    let end = until.div_euclid(unit) + i64::from(until.rem_euclid(unit) > 0);
    let mut verdicts = vec![Verdict::Heard; first];
    verdicts.resize((end.max(0) as usize).max(first), Verdict::Lost);
    let follower = Follower {
        sink,
        wave: source.wave(),
        source,
        range: (from, until),
        same: if source.payloads.is_empty() { EXACT } else { SAME },
        echo: Echo::new(source),
        search: Search::default(),
        lag: from as f64,
        drifts: false,
        steady: 0,
        settled: 0,
        looked_at: i64::MIN / 2,
        course: Course {
            pieces: vec![Piece::new(from, from as f64)],
            seams: Vec::new(),
            verdicts,
            first,
        },
    };
    follower.run()
}

struct Follower<'a> {
    sink: Wave<'a>,
    wave: Wave<'a>,
    source: &'a Source,
    /// The frames of the source that were to be heard.
    range: (i64, i64),
    /// What a unit that was heard may be off by.
    same: f64,
    echo: Echo<'a>,
    search: Search,
    lag: f64,
    /// Whether the lag moves by parts of a sample, and how many units it has not moved.
    drifts: bool,
    steady: usize,
    /// The frame of the sink up to which everything is settled.
    settled: i64,
    /// Where a far jump was last looked for.
    looked_at: i64,
    course: Course,
}

impl Follower<'_> {
    fn run(mut self) -> Course {
        let mut unit = self.course.first;
        while unit < self.course.verdicts.len() {
            match self.judge(unit) {
                (Verdict::Heard, lag) => self.heard(unit, lag),
                (silence @ Verdict::Silence { .. }, _) => self.settle(unit, silence),
                (Verdict::Lost, _) => {
                    if !self.resumes_after(unit)
                        && let Some((lag, window)) = self.jump_after(unit)
                    {
                        match self.is_drift(unit, lag) {
                            true => self.lag = lag,
                            false => unit = self.sew(lag, window),
                        }
                        continue;
                    }
                }
            }
            unit += 1;
        }
        self.course
    }

    fn millis(&self, millis: i64) -> i64 {
        millis * i64::from(self.source.format.rate.hz()) / 1_000
    }

    fn sink_frame(&self, frame: i64) -> i64 {
        (frame as f64 - self.lag).round() as i64
    }

    /// The frames of a unit by which it is judged: all, or without the first after a loss.
    fn span(&self, unit: usize, settled: bool) -> (i64, i64) {
        let (from, until) = self.range;
        let start = unit as i64 * self.source.unit;
        let unsettled = self.millis(SETTLES).min(self.source.unit * 4 / 5);
        let skip = if settled { 0 } else { unsettled };
        let end = (start + self.source.unit).min(until);
        let begin = if start + skip < end { start + skip } else { start };
        (begin.max(from), end - begin.max(from))
    }

    fn source_likeness(&self, span: (i64, i64), lag: f64) -> Option<Likeness> {
        likeness(self.sink, (self.wave, 0), span, lag)
    }

    /// Whether the unit was heard at the place where it should be, and with which lag.
    fn judge(&mut self, unit: usize) -> (Verdict, f64) {
        let settled = unit == self.course.first || self.course.verdicts[unit - 1] != Verdict::Lost;
        let span = self.span(unit, settled);
        let Some(likeness) = self.source_likeness(span, self.lag) else {
            return (Verdict::Lost, self.lag);
        };
        if likeness.is_silent() {
            let lost = !likeness.is_same(self.same) && self.echo(unit) == Some(Verdict::Lost);
            return (Verdict::Silence { came: !lost }, self.lag);
        }
        let same = if settled { self.same } else { self.same_unsettled() };
        if likeness.is_same(same) {
            return (Verdict::Heard, self.lag);
        }
        let whole = self.lag.round();
        if whole != self.lag && self.source_likeness(span, whole).is_some_and(|it| it.is_same(same))
        {
            return (Verdict::Heard, whole);
        }
        match self.drifted(unit, span) {
            Some(lag) => (Verdict::Heard, lag),
            None => (self.echo(unit).unwrap_or_default(), self.lag),
        }
    }

    /// What a unit after a loss may be off by: where units are so short that concealment fades
    /// into the end of one, more.
    fn same_unsettled(&self) -> f64 {
        let fades = self.source.unit * 4 / 5 < self.millis(SETTLES);
        if fades { ALIKE } else { self.same }
    }

    /// The lag with which the unit was heard, if it is a little off that before.
    fn drifted(&self, unit: usize, span: (i64, i64)) -> Option<f64> {
        let lag = self.refined(span, self.lag)?;
        let same = |span, lag| {
            let likeness = self.source_likeness(span, lag)?;
            Some(likeness.is_within(SAME_BETWEEN) && !likeness.is_silent())
        };
        if !same(span, lag)? {
            return None;
        }
        if self.drifts {
            return Some(lag);
        }
        // Concealment of a steady tone may lead away from a whole lag, but not for long.
        let mut on = lag;
        for next in unit + 1..=unit + self.units(RESUMES_WITHIN) {
            let span = self.span(next, true);
            let stayed = self.source_likeness(span, self.lag)?;
            if stayed.is_silent() {
                continue;
            }
            if stayed.is_within(self.same) {
                return None;
            }
            on = self.refined(span, on).filter(|lag| same(span, *lag) == Some(true))?;
        }
        Some(lag)
    }

    /// How far the lag may have moved since a unit was last heard.
    fn drift_since_heard(&self, (start, _): (i64, i64)) -> f64 {
        let silent = self.sink_frame(start) - self.settled;
        DRIFT + MOST_DRIFT * silent.max(0) as f64
    }

    /// Whether a sound that drifts has come to `lag` while it could not be heard.
    fn is_drift(&self, unit: usize, lag: f64) -> bool {
        let most = self.drift_since_heard(self.span(unit, true));
        self.drifts && (lag - self.lag).abs() <= most
    }

    /// How many units make up so many milliseconds: at least one.
    fn units(&self, millis: i64) -> usize {
        (self.millis(millis) / self.source.unit).max(1) as usize
    }

    /// The lag nearby at which the sound is most like the source, between two samples too: the top
    /// of a parabola through three correlations.
    fn refined(&self, span: (i64, i64), lag: f64) -> Option<f64> {
        let mut best = lag;
        for step in [1.0, 1.0, 0.25] {
            let at = |offset: f64| {
                let it = self.source_likeness(span, best + offset)?;
                (it.heard * it.source > 0.0).then(|| it.correlation())
            };
            let (before, here, after) = (at(-step)?, at(0.0)?, at(step)?);
            let bend = before - 2.0 * here + after;
            if here < 0.5 || bend >= 0.0 {
                return None;
            }
            best += step * (0.5 * (before - after) / bend).clamp(-1.0, 1.0);
        }
        ((best - lag).abs() <= self.drift_since_heard(span)).then_some(best)
    }

    /// What became of the unit, by what a decoder that met the losses before it makes of it.
    fn echo(&mut self, unit: usize) -> Option<Verdict> {
        let history = &self.course.verdicts[..unit];
        if !self.echo.is_in_wake(history) {
            return None;
        }
        // Between two samples the interpolation needs a little on either side.
        let (margin, same) = match self.lag.fract() == 0.0 {
            true => (0, self.same),
            false => (16, SAME_BETWEEN),
        };
        let origin = unit as i64 * self.source.unit;
        let (start, frames) = self.span(unit, false);
        let (sink, lag, channels) = (self.sink, self.lag, self.source.side.len());
        let near = self.source_likeness((start, frames), lag);
        let is_likely = near.is_some_and(|it| it.correlation() > LIKELY);
        let first = if is_likely { Verdict::Heard } else { Verdict::Lost };
        let compare = |sound: &[f32]| {
            let wave = Wave::new(sound, channels);
            likeness(sink, (wave, origin), (start, frames - margin), lag)
        };
        self.echo.judge(history, first, compare, same)
    }

    fn heard(&mut self, unit: usize, lag: f64) {
        self.steady = if lag == self.lag { self.steady + 1 } else { 0 };
        self.drifts = lag.fract() != 0.0 || self.drifts && self.steady < self.units(STEADY);
        self.lag = lag;
        let frame = self.span(unit, true).0;
        if let Some(piece) = self.course.pieces.last_mut() {
            piece.anchors.push((frame, lag));
        }
        self.settle(unit, Verdict::Heard);
    }

    fn settle(&mut self, unit: usize, verdict: Verdict) {
        let known = &mut self.course.verdicts[unit];
        *known = verdict.max(*known);
        if verdict == Verdict::Heard {
            let (start, frames) = self.span(unit, true);
            self.settled = self.settled.max(self.sink_frame(start + frames));
        }
    }

    /// Whether the source goes on where it was, soon after `unit`.
    fn resumes_after(&self, unit: usize) -> bool {
        let mut silent = true;
        for next in unit + 1..=unit + self.units(RESUMES_WITHIN) {
            // Where there is no more of either, there is nothing to be looked for.
            let Some(likeness) = self.source_likeness(self.span(next, false), self.lag) else {
                return silent;
            };
            if !likeness.is_silent() {
                silent = false;
                if likeness.is_within(ALIKE) {
                    return true;
                }
            }
        }
        silent
    }

    /// The lag with which the source goes on after `unit`, if it is another, and where in the sink
    /// it was recognised.
    fn jump_after(&mut self, unit: usize) -> Option<(f64, i64)> {
        let window = self.sink_frame((unit as i64 + 1) * self.source.unit);
        self.near_jump(window).or_else(|| self.far_jump(window)).map(|lag| (lag, window))
    }

    fn near_jump(&mut self, window: i64) -> Option<f64> {
        let frames = self.millis(NEAR_WINDOW);
        let reach = self.millis(NEAR_REACH);
        let lag = self.lag_of((window, frames), reach)?;
        let likeness = self.source_likeness((window + lag as i64, frames), lag)?;
        (likeness.is_within(SAME_BETWEEN) && !likeness.is_silent()).then_some(lag)
    }

    fn far_jump(&mut self, window: i64) -> Option<f64> {
        if window - self.looked_at < self.millis(FAR_EVERY) {
            return None;
        }
        self.looked_at = window;
        let frames = self.millis(FAR_WINDOW);
        let lag = self.lag_of((window, frames), self.millis(FAR_REACH))?;
        let start = window + lag as i64;
        let block = frames / FAR_BLOCKS;
        let blocks = (0..FAR_BLOCKS)
            .map(|index| self.source_likeness((start + index * block, block), lag))
            .collect::<Option<Vec<_>>>()?;
        // A click in silence is little to go by: then it must be the very same.
        let sounding = blocks.iter().filter(|it| !it.is_silent()).count() as i64;
        let recognised = match sounding + 1 >= FAR_BLOCKS {
            true => blocks.iter().all(|it| it.is_within(RECOGNISED)),
            false => self.source_likeness((start, frames), lag)?.is_within(SAME_BETWEEN),
        };
        recognised.then_some(lag)
    }

    fn lag_of(&mut self, (window, frames): (i64, i64), reach: i64) -> Option<f64> {
        let expected = self.lag.round() as i64;
        let found = self.search.lag(self.sink, (window, frames), self.wave, expected, reach)?;
        (found != expected).then_some(found as f64)
    }
}

/// How like the sink is to `wave`, whose first frame is the source's frame `origin`, with this lag,
/// for `frames` frames of the source from `start` on.
fn likeness(
    sink: Wave<'_>,
    (wave, origin): (Wave<'_>, i64),
    (start, frames): (i64, i64),
    lag: f64,
) -> Option<Likeness> {
    let at = (start as f64 - lag).round();
    let heard = sink.stretch(at as i64, frames)?;
    let place = at + lag - origin as f64;
    Some(match place.fract() == 0.0 {
        true => Likeness::of(heard, wave.stretch(place as i64, frames)?),
        false => Likeness::of(heard, &wave.stretch_at(place, frames)?),
    })
}
