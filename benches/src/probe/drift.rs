//! How fast the sink's sound runs, against the source.

use super::course::Course;

/// Shorter than this, in seconds of sound that was heard, there is no telling.
const SHORTEST: f64 = 5.0;

/// Parts in a million by which the source moves faster through the sink's sound than it should:
/// the slope of the lag over the whole length, by least squares. Jumps are no drift, so each piece
/// between them has an offset of its own. `None` where too little was heard.
pub(super) fn drift(course: &Course, hz: u32) -> Option<f64> {
    let (mut squares, mut products, mut spanned) = (0.0, 0.0, 0.0);
    for piece in &course.pieces {
        let count = piece.anchors.len() as f64;
        let at = |(frame, lag): &(i64, f64)| (*frame as f64 - lag, *lag);
        let (times, lags) = piece
            .anchors
            .iter()
            .map(at)
            .fold((0.0, 0.0), |sum, (time, lag)| (sum.0 + time / count, sum.1 + lag / count));
        for (time, lag) in piece.anchors.iter().map(at) {
            squares += (time - times) * (time - times);
            products += (time - times) * (lag - lags);
        }
        if let (Some(first), Some(last)) = (piece.anchors.first(), piece.anchors.last()) {
            spanned += (last.0 - first.0) as f64;
        }
    }
    (spanned >= SHORTEST * f64::from(hz)).then(|| (products / squares * 1e9).round() / 1e3)
}
