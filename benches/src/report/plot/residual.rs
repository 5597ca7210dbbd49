//! Residual against latency, with what others reach.

use super::{Axis, Ink, Mark, Shape, Sheet};
use crate::report::{Estimate, Who, others_on};

/// The least residual that has a place of its own: less is drawn as nothing.
const LEAST: f64 = 1e-4;

/// What one transport leaves at each latency.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// Its colour.
    pub ink: Ink,
    /// Latency in milliseconds, residual, and the repair bound where it is known.
    pub points: Vec<(f64, Estimate, Option<f64>)>,
}

/// Residual against latency on the link called `link`.
pub(crate) fn residual(title: &str, link: &str, curves: &[Curve]) -> Sheet {
    let others = others_on(link);
    let ours = curves.iter().flat_map(|curve| curve.points.iter().map(|(at, ..)| *at));
    let all = ours.chain(others.iter().map(|other| other.latency_ms));
    let (first, last) =
        all.fold((f64::MAX, f64::MIN), |(first, last), at| (first.min(at), last.max(at)));
    let (first, last) = if first <= last { (first, last) } else { (0.0, 1.0) };
    let x = Axis::linear("latency, ms", (first - 20.0, last + 20.0), 5);
    let y = Axis::shares("not heard in time", LEAST, 1.0);
    let mut marks = Vec::new();
    for curve in curves {
        let bound = curve.points.iter().filter_map(|(at, _, bound)| Some((*at, (*bound)?)));
        marks.push((Ink::Bound, Mark::Dashes(bound.collect())));
    }
    for (index, curve) in curves.iter().enumerate() {
        let line = curve.points.iter().map(|(at, residual, _)| (*at, residual.mean));
        marks.push((curve.ink, Mark::Line(line.collect())));
        // Beside each other, so that none hides another.
        let aside = 2.0 * index as f64;
        let whiskers = curve.points.iter().map(|(at, residual, _)| {
            let Estimate { mean, low, high, .. } = *residual;
            (*at + aside, mean, low.unwrap_or(mean), high.unwrap_or(mean))
        });
        marks.push((curve.ink, Mark::Whiskers(whiskers.collect())));
    }
    for other in others {
        let (ink, shape) = match other.who {
            Who::BestPeer => (Ink::Other, Shape::Diamond),
            Who::Roc => (Ink::Other, Shape::Square),
            Who::Reference => (Ink::Bound, Shape::Triangle),
        };
        let text = format!(
            "{}: {:.2} % at {} ms, overhead {:.0} %",
            other.who.name(),
            100.0 * other.residual,
            other.latency_ms,
            100.0 * other.overhead
        );
        marks.push((ink, Mark::Shape(shape, other.latency_ms, other.residual, text)));
    }
    let about = format!(
        "Share of units not heard in time on {link} against the latency, with intervals of 95 % \
         over the seeds, the repair bound, and what others reach."
    );
    Sheet { title: title.to_owned(), about, x, y, marks, flat: false }
}
