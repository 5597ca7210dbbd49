//! How units and cues of many runs were distributed.

use std::collections::BTreeMap;

use cantus_qos::stats::Fate;
use cantus_qos::time::TimeDelta;

use super::Course;

/// How the units and cues of one run or many were distributed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// Whole milliseconds, rounded up, after which a unit was there, by itself or recovered ->
    /// how many.
    pub available: BTreeMap<i64, u64>,
    /// The same of when it was heard.
    pub heard: BTreeMap<i64, u64>,
    /// All units, those that never came too.
    pub units: u64,
    /// By how much cues came after their sound, in whole milliseconds -> how many.
    pub skew: BTreeMap<i64, u64>,
}

impl Spread {
    /// That of one run.
    pub fn of(course: &Course, skews: impl IntoIterator<Item = TimeDelta>) -> Self {
        let mut spread = Self { units: course.units.len() as u64, ..Self::default() };
        for unit in &course.units {
            count(&mut spread.available, unit.transit_ms.map(f64::ceil));
            let heard = unit.heard_ms.filter(|_| unit.fate == Fate::Played);
            count(&mut spread.heard, heard.map(f64::round));
        }
        for skew in skews {
            count(&mut spread.skew, Some(skew.as_millis_f64().round()));
        }
        spread
    }

    /// Counts in what another run has.
    pub fn merge(&mut self, other: &Self) {
        self.units += other.units;
        for (from, to) in [
            (&other.available, &mut self.available),
            (&other.heard, &mut self.heard),
            (&other.skew, &mut self.skew),
        ] {
            for (at, number) in from {
                *to.entry(*at).or_default() += number;
            }
        }
    }

    /// The share of units that were not there so many milliseconds after their sending, at each
    /// millisecond at which it changes.
    pub fn not_yet_available(&self) -> Vec<(i64, f64)> {
        let mut missing = self.units;
        let mut steps = Vec::new();
        for (at, number) in &self.available {
            missing = missing.saturating_sub(*number);
            steps.push((*at, missing as f64 / self.units.max(1) as f64));
        }
        steps
    }
}

fn count(counts: &mut BTreeMap<i64, u64>, at: Option<f64>) {
    if let Some(at) = at {
        *counts.entry(at as i64).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::UnitPoint;
    use cantus_qos::stats::Recovery;

    fn unit(transit_ms: Option<f64>) -> UnitPoint {
        UnitPoint {
            sent_s: 0.0,
            transit_ms,
            heard_ms: transit_ms.map(|_| 200.0),
            recovery: Recovery::None,
            fate: if transit_ms.is_some() { Fate::Played } else { Fate::Lost },
        }
    }

    #[test]
    fn what_is_not_yet_there_falls_to_what_never_came() {
        let units = [Some(40.2), Some(40.9), Some(55.0), None].map(unit).to_vec();
        let course = Course { units, ..Course::default() };
        let mut spread = Spread::of(&course, [TimeDelta::from_micros(-600)]);
        assert_eq!(spread.not_yet_available(), [(41, 0.5), (55, 0.25)]);
        assert_eq!(spread.heard, BTreeMap::from([(200, 3)]));
        assert_eq!(spread.skew, BTreeMap::from([(-1, 1)]));
        spread.merge(&spread.clone());
        assert_eq!(spread.not_yet_available(), [(41, 0.5), (55, 0.25)]);
        assert_eq!((spread.units, spread.skew[&-1]), (8, 2));
    }
}
