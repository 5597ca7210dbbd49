//! One session over time.

use cantus_qos::stats::{Fate, Recovery};

use super::{Axis, Ink, Mark, Sheet};
use crate::report::{Course, RatePoint};

fn seconds(course: &Course) -> Axis {
    Axis::linear("seconds", (0.0, course.length_s().max(1.0)), 6)
}

/// How long each unit took, when it was heard, and what was missing.
pub(crate) fn delay(title: &str, course: &Course) -> Sheet {
    let dots = |recovered: bool| -> Vec<(f64, f64)> {
        let units = course.units.iter();
        let such = units.filter(|unit| (unit.recovery != Recovery::None) == recovered);
        such.filter_map(|unit| Some((unit.sent_s, unit.transit_ms?))).collect()
    };
    let heard = course.units.iter().filter(|unit| unit.fate == Fate::Played);
    let line: Vec<(f64, f64)> =
        heard.filter_map(|unit| Some((unit.sent_s, unit.heard_ms?))).collect();
    let highest = line.iter().map(|(_, delay)| *delay).fold(0.0, f64::max);
    let transits: Vec<f64> = course.units.iter().filter_map(|unit| unit.transit_ms).collect();
    let transits = quantile(&transits);
    let y = Axis::linear("delay, ms", (0.0, 1.25 * highest.max(transits).max(20.0)), 4);
    let missing: Vec<f64> = course.missing().map(|unit| unit.sent_s).collect();
    let about = format!(
        "Delay of each unit against its sending time: {} came by themselves, {} were recovered, {} \
         were not heard in time, marked at the upper edge. The line is when units were heard.",
        dots(false).len(),
        dots(true).len(),
        missing.len()
    );
    let marks = vec![
        (Ink::First, Mark::Dots(dots(false))),
        (Ink::Second, Mark::Spots(dots(true))),
        (Ink::Third, Mark::Line(line)),
        (Ink::Bad, Mark::Rug(missing)),
    ];
    Sheet { title: title.to_owned(), about, x: seconds(course), y, marks, flat: false }
}

/// All but the slowest half percent.
fn quantile(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * 0.995) as usize;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Sound in the playout buffer.
pub(crate) fn buffer(title: &str, course: &Course) -> Sheet {
    // Twice a pixel is enough: of each stretch the least and the most.
    let stretch = course.length_s().max(1.0) / 400.0;
    let mut line: Vec<(f64, f64)> = Vec::new();
    let mut depth = 0.0;
    let stretch_of = |at: f64| (at / stretch) as i64;
    for part in course.buffer.chunk_by(|one, other| stretch_of(one.0) == stretch_of(other.0)) {
        let depths = part.iter().map(|(_, depth)| *depth);
        let (least, most) = depths
            .fold((f64::MAX, 0.0f64), |(least, most), depth| (least.min(depth), most.max(depth)));
        // Between its changes the buffer stays as it is.
        let (begin, end) = (part[0], part[part.len() - 1]);
        line.extend([(begin.0, depth), (begin.0, most), (begin.0, least), (begin.0, end.1)]);
        depth = end.1;
    }
    let most = line.iter().map(|(_, depth)| *depth).fold(20.0, f64::max);
    let about = "Sound that had come and was not yet due, over time.".to_owned();
    let y = Axis::linear("buffer, ms", (0.0, 1.15 * most), 3);
    let marks = vec![(Ink::First, Mark::Area(line.clone())), (Ink::First, Mark::Line(line))];
    Sheet { title: title.to_owned(), about, x: seconds(course), y, marks, flat: true }
}

/// What was sent, second by second.
pub(crate) fn rate(title: &str, course: &Course) -> Sheet {
    let steps = |rate: fn(&RatePoint) -> f64| -> Vec<(f64, f64)> {
        let points = course.rate.iter();
        points
            .flat_map(|point| [(point.at_s, rate(point)), (point.at_s + 1.0, rate(point))])
            .collect()
    };
    let lines = [
        (Ink::First, steps(|point| point.media)),
        (Ink::Second, steps(|point| point.repair)),
        (Ink::First, steps(|point| point.quic)),
        (Ink::Other, steps(|point| point.back)),
    ];
    let used = lines.into_iter().filter(|(_, line)| line.iter().any(|(_, rate)| *rate > 0.0));
    let lines: Vec<_> = used.collect();
    let most = lines.iter().flat_map(|(_, line)| line).map(|(_, rate)| *rate).fold(10.0, f64::max);
    let about = "What was sent in each second, headers included: audio packets or all of QUIC, \
                 repair, and the way back."
        .to_owned();
    let y = Axis::linear("kbit/s", (0.0, 1.15 * most), 3);
    let marks = lines.into_iter().map(|(ink, line)| (ink, Mark::Line(line))).collect();
    Sheet { title: title.to_owned(), about, x: seconds(course), y, marks, flat: true }
}
