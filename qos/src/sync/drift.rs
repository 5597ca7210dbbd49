//! How much faster one clock runs than another.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{MonoTime, TimeDelta};

#[cfg(test)]
mod tests;

/// A minimum is taken over so long.
const BUCKET: Duration = Duration::from_secs(2);
/// So many of them are remembered: ten minutes, for the drift of a quartz follows its temperature.
const BUCKETS: usize = 300;
/// Below this there is no line to speak of.
const FEWEST: usize = 10;
/// So many standard errors make sure. For a single look two would be 95 %; but it is looked at every
/// two seconds, and of a hundred pairs of clocks that do not part no more than five are to seem to
/// in the whole time.
const CONFIDENCE: f64 = 3.0;
/// Minima farther from the line than so many deviations of the others ...
const OUTLYING: f64 = 4.0;
/// ... and farther than this lie apart: no clock moves so from one bucket to the next.
const APART: f64 = 1e-3;
/// So many of them in a row above the line, 30 s, and the path has become longer. Before, it may be
/// a queue.
const LONGER: usize = 15;
/// So many below it, and the path has become shorter: nothing else can make a packet early.
const SHORTER: usize = 3;

/// How fast two clocks part, as a ratio: 20e-6 is 20 parts in a million.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Drift {
    /// By how much the offset between the two grows in a second, in seconds.
    pub rate: f64,
    /// The standard error of that.
    pub error: f64,
}

impl Drift {
    /// Two clocks that are one.
    pub const NONE: Self = Self { rate: 0.0, error: 0.0 };

    /// What is worth a correction: 20 parts in a million move the sound by a millisecond in 50 s.
    pub const WORTH: f64 = 20e-6;

    /// Whether the drift is beyond `threshold`, in either direction, with 95 % confidence.
    pub fn exceeds(self, threshold: f64) -> bool {
        self.rate.abs() - CONFIDENCE * self.error > threshold
    }

    /// Whether it is known well enough to tell whether it is [worth](Self::WORTH) a correction.
    pub fn is_sure(self) -> bool {
        CONFIDENCE * self.error < Self::WORTH
    }

    /// What this drift is above another that was measured against the same clock.
    pub fn above(self, other: Self) -> Self {
        Self { rate: self.rate - other.rate, error: self.error.hypot(other.error) }
    }
}

/// Measures the drift between two clocks from what lies between their readings: the transit of
/// packets, or the lead of a sound card.
///
/// Such offsets are never too small, and seldom much too large: what keeps the sound or the
/// packet waiting adds to them. So of every two seconds only the smallest counts, and a line is
/// laid through the minima of the last ten minutes by least squares. (Moon, Skelly and Towsley,
/// INFOCOM 1999, lay it below all points; least squares tell how far the slope can be trusted.)
///
/// *Confidence.* Queues last: what is off in one bucket is off in the next. So the standard error
/// of the slope counts only as many minima as are independent, `n (1 - r) / (1 + r)` where `r` is
/// the correlation of neighbours: exact for noise of first order.
///
/// *Path changes.* Minima that lie apart from the line are left out. If they insist, they begin a
/// new stretch, with an offset of its own; the slope is common to all stretches.
#[derive(Clone, Debug, Default)]
pub struct DriftMeter {
    filling: Option<Minimum>,
    minima: VecDeque<Minimum>,
    /// How many of the last minima lie above the line, or below it, and apart from it.
    above: usize,
    below: usize,
    stretch: u32,
    line: Option<Line>,
}

/// The smallest offset of a bucket, and when it was.
#[derive(Copy, Clone, Debug)]
struct Minimum {
    begins: MonoTime,
    /// Seconds.
    at: f64,
    /// Seconds.
    offset: f64,
    stretch: u32,
    outlying: bool,
}

/// What was laid through the minima.
#[derive(Copy, Clone, Debug)]
struct Line {
    drift: Drift,
    /// The spread of the minima around it, in seconds.
    deviation: f64,
    /// The last stretch, and its middle.
    stretch: u32,
    at: f64,
    offset: f64,
}

impl Line {
    fn offset_at(&self, at: f64) -> f64 {
        self.offset + self.drift.rate * (at - self.at)
    }
}

impl DriftMeter {
    /// A meter that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// At `now` the reading of one clock less that of the other was `offset`.
    pub fn observe(&mut self, now: MonoTime, offset: TimeDelta) {
        let (at, offset) = (now.as_secs_f64(), offset.as_secs_f64());
        match &mut self.filling {
            Some(filling) if now.since(filling.begins) < BUCKET => {
                if offset < filling.offset {
                    (filling.at, filling.offset) = (at, offset);
                }
            }
            filling => {
                let stretch = self.stretch;
                let begun = Minimum { begins: now, at, offset, stretch, outlying: false };
                if let Some(full) = filling.replace(begun) {
                    self.settle(full);
                }
            }
        }
    }

    /// The offset is about to jump, as where the sound broke off: what comes is another stretch.
    pub fn interrupt(&mut self) {
        self.filling = None;
        (self.above, self.below) = (0, 0);
        // Without a minimum the stretch has not begun.
        let begun = self.minima.back().is_some_and(|minimum| minimum.stretch == self.stretch);
        self.stretch += u32::from(begun);
    }

    /// The drift, once there is enough to lay a line through: after some 20 s.
    pub fn drift(&self) -> Option<Drift> {
        self.line.map(|line| line.drift)
    }

    /// A bucket is full.
    fn settle(&mut self, mut minimum: Minimum) {
        minimum.stretch = self.stretch;
        let line = self.line.filter(|line| line.stretch == self.stretch);
        let off = line.map_or(0.0, |line| {
            let off = minimum.offset - line.offset_at(minimum.at);
            if off.abs() > APART.max(OUTLYING * line.deviation) { off } else { 0.0 }
        });
        minimum.outlying = off != 0.0;
        self.above = if off > 0.0 { self.above + 1 } else { 0 };
        self.below = if off < 0.0 { self.below + 1 } else { 0 };
        self.minima.push_back(minimum);
        if self.above == LONGER || self.below == SHORTER {
            self.begin_stretch(self.above + self.below);
        }
        if self.minima.len() > BUCKETS {
            self.minima.pop_front();
        }
        self.line = self.lay();
    }

    /// The last `minima` belong to a path of another length.
    fn begin_stretch(&mut self, minima: usize) {
        (self.above, self.below) = (0, 0);
        self.stretch += 1;
        for minimum in self.minima.iter_mut().rev().take(minima) {
            (minimum.stretch, minimum.outlying) = (self.stretch, false);
        }
    }

    /// Least squares with one slope for all stretches and an offset for each.
    fn lay(&self) -> Option<Line> {
        let (mut count, mut stretches) = (0usize, 0usize);
        let (mut spread, mut product) = (0.0, 0.0);
        let mut last = (0, 0.0, 0.0);
        let of = |stretch: u32| {
            self.minima.iter().filter(move |it| it.stretch == stretch && !it.outlying)
        };
        let first = self.minima.front()?.stretch;
        let mut middles = Vec::with_capacity((self.stretch - first + 1) as usize);
        for stretch in first..=self.stretch {
            let points = of(stretch).count();
            let mean = |value: fn(&Minimum) -> f64| {
                of(stretch).map(value).sum::<f64>() / points.max(1) as f64
            };
            let (at, offset) = (mean(|it| it.at), mean(|it| it.offset));
            middles.push((at, offset));
            if points == 0 {
                continue;
            }
            last = (stretch, at, offset);
            (count, stretches) = (count + points, stretches + 1);
            for point in of(stretch) {
                spread += (point.at - at).powi(2);
                product += (point.at - at) * (point.offset - offset);
            }
        }
        if count < FEWEST + stretches - 1 || spread <= 0.0 {
            return None;
        }
        let rate = product / spread;
        let residuals: Vec<f64> = self
            .minima
            .iter()
            .filter(|it| !it.outlying)
            .map(|it| {
                let (at, offset) = middles[(it.stretch - first) as usize];
                it.offset - offset - rate * (it.at - at)
            })
            .collect();
        let (deviation, independent) = scatter(&residuals, stretches + 1);
        let error = deviation / (spread * independent).sqrt();
        let (stretch, at, offset) = last;
        Some(Line { drift: Drift { rate, error }, deviation, stretch, at, offset })
    }
}

/// The standard deviation of what is left when `fitted` numbers have been fitted, and the share of
/// it that is independent.
fn scatter(residuals: &[f64], fitted: usize) -> (f64, f64) {
    let squares: f64 = residuals.iter().map(|it| it * it).sum();
    let neighbours: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let degrees = residuals.len().saturating_sub(fitted).max(1) as f64;
    let alike = if squares > 0.0 { (neighbours / squares).clamp(0.0, 0.95) } else { 0.0 };
    ((squares / degrees).sqrt(), (1.0 - alike) / (1.0 + alike))
}
