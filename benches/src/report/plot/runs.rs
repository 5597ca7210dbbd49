//! Lengths of runs of lost units, and the skew of cues.

use std::collections::BTreeMap;

use super::{Axis, Ink, Mark, Sheet};

/// How many runs of how many units were lost on the way, and how many were not heard in the end.
pub(crate) fn loss_runs(
    title: &str,
    before: &BTreeMap<u32, u64>,
    after: &BTreeMap<u32, u64>,
) -> Sheet {
    let longest = before.keys().chain(after.keys()).copied().max().unwrap_or(1);
    // Where runs are very long they are gathered, so that bars stay bars.
    let width = longest.div_ceil(40).max(1);
    let bars = |runs: &BTreeMap<u32, u64>, from: f64, to: f64| -> Vec<(f64, f64, f64)> {
        let mut gathered: BTreeMap<u32, u64> = BTreeMap::new();
        for (length, count) in runs {
            *gathered.entry((length - 1) / width).or_default() += count;
        }
        let width = f64::from(width);
        let bar = |(place, count): (&u32, &u64)| {
            let left = f64::from(*place) * width + 0.5;
            (left + from * width, left + to * width, *count as f64)
        };
        gathered.iter().map(bar).collect()
    };
    let most = before.values().chain(after.values()).copied().max().unwrap_or(1);
    let total = |runs: &BTreeMap<u32, u64>| runs.values().sum::<u64>();
    let about = format!(
        "Lengths of runs of lost units: {} runs on the way, {} after repair; the longest is {longest} \
         units.",
        total(before),
        total(after)
    );
    let x = Axis::linear("units in a row", (0.5, f64::from(longest.max(5)) + 0.5), 6);
    let marks = vec![
        (Ink::First, Mark::Bars(bars(before, 0.08, 0.5))),
        (Ink::Bad, Mark::Bars(bars(after, 0.5, 0.92))),
    ];
    let y = Axis::counts("runs", most as f64);
    Sheet { title: title.to_owned(), about, x, y, marks, flat: false }
}

/// How many cues came how long after their sound.
pub(crate) fn skew(title: &str, skew: &BTreeMap<i64, u64>) -> Sheet {
    let farthest = skew.keys().map(|at| at.unsigned_abs()).max().unwrap_or(0).max(10) as f64;
    let width = (farthest / 40.0).ceil().max(1.0);
    let mut gathered: BTreeMap<i64, u64> = BTreeMap::new();
    for (at, count) in skew {
        *gathered.entry((*at as f64 / width).round() as i64).or_default() += count;
    }
    let bars = gathered.iter().map(|(place, count)| {
        let middle = *place as f64 * width;
        (middle - 0.42 * width, middle + 0.42 * width, *count as f64)
    });
    let most = gathered.values().copied().max().unwrap_or(1);
    let cues: u64 = skew.values().sum();
    let about =
        format!("Skew of {cues} cues against the sound they belong to; positive is after it.");
    let x = Axis::linear("ms after the sound", (-1.1 * farthest, 1.1 * farthest), 6);
    let y = Axis::counts("cues", most as f64);
    let marks = vec![(Ink::First, Mark::Bars(bars.collect()))];
    Sheet { title: title.to_owned(), about, x, y, marks, flat: true }
}
