//! Where sound with one lag ends and that with another begins.

use super::super::course::{Piece, Seam};
use super::super::echo::Verdict;
use super::{ALIKE, EDGE, Follower};

impl Follower<'_> {
    /// Joins the sound so far to that with another lag, which was recognised at `window`; the unit
    /// to go on with.
    pub(super) fn sew(&mut self, lag: f64, window: i64) -> usize {
        let seam = self.seam(lag, window);
        let (left, met) = (seam.until + self.lag.round() as i64, seam.from + lag as i64);
        if let Some(piece) = self.course.pieces.last_mut() {
            piece.ends = Some(left);
        }
        self.course.pieces.push(Piece::new(met, lag));
        self.course.seams.push(seam);
        let at = |frame: i64| (frame.div_euclid(self.source.unit)).max(0) as usize;
        let (last, next) = (at(left - 1), at(met));
        for (unit, lag) in [(last, self.lag), (last, lag), (next, self.lag), (next, lag)] {
            if unit >= self.course.first && self.is_glimpsed(unit, lag) {
                self.settle_at(unit, Verdict::Heard);
            }
        }
        self.lag = lag;
        self.settled = seam.from;
        self.echo.forget();
        let whole = next + usize::from(met.rem_euclid(self.source.unit) > 0);
        whole.max(self.course.first)
    }

    fn settle_at(&mut self, unit: usize, verdict: Verdict) {
        if let Some(known) = self.course.verdicts.get_mut(unit) {
            *known = verdict.max(*known);
        }
    }

    /// Where the sound so far ends and that with the new lag begins.
    fn seam(&self, lag: f64, window: i64) -> Seam {
        let alike = |at: i64, lag: f64| {
            let span = (at + lag.round() as i64, EDGE);
            self.source_likeness(span, lag).is_some_and(|it| it.is_within(ALIKE))
        };
        let mut until = self.settled;
        while until < window && alike(until, self.lag) {
            until += EDGE;
        }
        let mut from = window;
        while from - EDGE >= self.settled && alike(from - EDGE, lag) {
            from -= EDGE;
        }
        let before = self.lag;
        let seam = Seam { until, from: from.max(until), before, after: lag };
        // What the edges leave unsure is not there.
        match seam.moved().abs() < 2 * EDGE && seam.filled() >= 2 * EDGE {
            true => Seam { from: seam.from - seam.moved(), ..seam },
            false if seam.filled() < 2 * EDGE => Seam { from: seam.until, ..seam },
            false => seam,
        }
    }

    /// Whether at least a quarter of the unit was heard with this lag.
    fn is_glimpsed(&self, unit: usize, lag: f64) -> bool {
        let (start, frames) = self.span(unit, true);
        let quarter = frames / 4;
        quarter > 0
            && (0..4).any(|index| {
                let likeness = self.source_likeness((start + index * quarter, quarter), lag);
                likeness.is_some_and(|it| it.is_within(ALIKE) && !it.is_silent())
            })
    }
}
