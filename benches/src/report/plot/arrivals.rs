//! When units are there.

use super::{Axis, Ink, Mark, Sheet};
use crate::report::Spread;

/// The share of units that is still missing so long after their sending, by themselves or
/// recovered; a line for each spread, and the latencies as broken lines.
pub(crate) fn available(title: &str, spreads: &[(Ink, &Spread)], latencies: &[f64]) -> Sheet {
    let least =
        1.0 / spreads.iter().map(|(_, spread)| spread.units).max().unwrap_or(1).max(10) as f64;
    let longest = latencies.iter().copied().fold(0.0, f64::max);
    let most = if longest > 0.0 { 1.2 * longest } else { farthest(spreads) };
    let x = Axis::linear("ms after sending", (0.0, most), 6);
    let y = Axis::shares("not there yet", least, 1.0);
    let mut marks: Vec<(Ink, Mark)> = latencies
        .iter()
        .map(|latency| (Ink::Third, Mark::Dashes(vec![(*latency, 0.0), (*latency, 1.0)])))
        .collect();
    for (ink, spread) in spreads {
        let mut line = vec![(0.0, 1.0)];
        let mut before = 1.0;
        for (at, share) in spread.not_yet_available() {
            let at = at as f64;
            if at > most {
                break;
            }
            line.extend([(at, before), (at, share)]);
            before = share;
        }
        line.push((most, before));
        marks.push((*ink, Mark::Line(line)));
    }
    let about = "Share of units not yet there against the time since they were sent; broken lines \
                 are the latencies at which they are due."
        .to_owned();
    Sheet { title: title.to_owned(), about, x, y, marks, flat: false }
}

/// Beyond which only one unit of two hundred comes.
fn farthest(spreads: &[(Ink, &Spread)]) -> f64 {
    let ends = spreads.iter().filter_map(|(_, spread)| {
        let steps = spread.not_yet_available();
        let never = steps.last().map_or(0.0, |(_, share)| *share);
        let end = steps.iter().find(|(_, share)| share - never <= 0.005).copied();
        end.map(|(at, _)| at as f64)
    });
    1.25 * ends.fold(40.0, f64::max)
}
