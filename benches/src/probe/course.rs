//! Which frame of the sink's sound carries which frame of the source.

use super::echo::Verdict;

/// The way that the sink's sound took through the source.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Stretches within which the source goes on frame by frame, in the order of the sink.
    pub pieces: Vec<Piece>,
    /// Between them.
    pub seams: Vec<Seam>,
    /// What became of each unit of the source, from its very beginning.
    pub verdicts: Vec<Verdict>,
    /// The first unit that was to be heard.
    pub first: usize,
}

/// A stretch of the source without a jump.
#[derive(Debug)]
pub(super) struct Piece {
    /// The frame of the source with which it begins, and the one after its last.
    pub begins: i64,
    pub ends: Option<i64>,
    /// The lag that holds until a unit tells a better one.
    pub lag: f64,
    /// A frame of the source, and the lag of the sink behind it: sink + lag = source. One for each
    /// unit that was heard.
    pub anchors: Vec<(i64, f64)>,
}

/// A place in the sink's sound at which the source jumps.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Seam {
    /// The frame of the sink up to which the sound before it goes.
    pub until: i64,
    /// The frame of the sink from which the sound after it goes.
    pub from: i64,
    /// The lags before and after it.
    pub before: f64,
    pub after: f64,
}

impl Piece {
    pub(super) fn new(begins: i64, lag: f64) -> Self {
        Self { begins, ends: None, lag, anchors: Vec::new() }
    }

    fn holds(&self, frame: i64) -> bool {
        frame >= self.begins && self.ends.is_none_or(|ends| frame < ends)
    }

    /// The lag at a frame of the source: that of the last unit that was heard before it.
    pub(super) fn lag_at(&self, frame: i64) -> f64 {
        let after = self.anchors.partition_point(|(at, _)| *at <= frame);
        let anchor = self.anchors.get(after.saturating_sub(1));
        anchor.map_or(self.lag, |(_, lag)| *lag)
    }
}

impl Seam {
    /// Frames of the sink between the two sounds.
    pub(super) fn filled(&self) -> i64 {
        self.from - self.until
    }

    /// The frame of the source up to which the sound before it goes.
    pub(super) fn left(&self) -> i64 {
        self.until + self.before.round() as i64
    }

    /// Frames of the source between the two sounds; negative where it jumps back.
    pub(super) fn moved(&self) -> i64 {
        self.filled() + (self.after - self.before).round() as i64
    }
}

impl Course {
    /// The frame of the sink that first carries `frame` of the source; `None` where that was left
    /// out.
    pub(super) fn sink_frame(&self, frame: i64) -> Option<f64> {
        let piece = self.pieces.iter().find(|piece| piece.holds(frame))?;
        Some(frame as f64 - piece.lag_at(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_frame_of_the_source_is_found_where_it_is_first_heard() {
        let mut first = Piece::new(0, 0.0);
        first.ends = Some(1_000);
        let mut second = Piece::new(900, -300.0);
        second.anchors = vec![(1_000, -300.0), (2_000, -301.5)];
        second.ends = Some(3_000);
        let third = Piece::new(4_000, 200.0);
        let course = Course { pieces: vec![first, second, third], ..Course::default() };
        assert_eq!(course.sink_frame(950), Some(950.0), "not where it is repeated");
        assert_eq!(course.sink_frame(1_500), Some(1_800.0));
        assert_eq!(course.sink_frame(2_500), Some(2_801.5));
        assert_eq!(course.sink_frame(3_500), None, "left out");
        assert_eq!(course.sink_frame(4_100), Some(3_900.0));
    }
}
