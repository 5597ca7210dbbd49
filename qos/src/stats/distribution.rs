//! Quantiles of spans of time in bounded memory.

use std::collections::BTreeMap;

use crate::time::TimeDelta;

/// How a signed span (a delay, a skew) is distributed.
///
/// Spans are told apart to the microsecond as long as there are no more than
/// [`MOST`](Self::MOST) different ones; then neighbours are taken together, so that a quantile is
/// too small by no more than a thousandth of the difference between the smallest and the largest,
/// and never too large: a promise that is just kept does not seem broken.
/// Minimum, maximum and mean are exact always. Memory grows with the number of different spans, up
/// to some 80 kB.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// By spans in microseconds, divided by two to the power of `coarseness`.
    buckets: BTreeMap<i64, Bucket>,
    coarseness: u32,
    extremes: Option<(TimeDelta, TimeDelta)>,
    sum_nanos: i128,
    count: u64,
}

/// Spans that are not told apart.
#[derive(Copy, Clone, Debug)]
struct Bucket {
    /// The smallest of them, in microseconds.
    least: i64,
    count: u64,
}

impl Bucket {
    fn with(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), count: self.count + other.count }
    }
}

impl Distribution {
    /// Different spans that are told apart.
    pub const MOST: usize = 2_048;

    /// A distribution of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one span.
    pub fn record(&mut self, span: TimeDelta) {
        // Rounded, away from zero in the middle.
        let half = if span < TimeDelta::ZERO { -500 } else { 500 };
        let micros = (span.as_nanos().saturating_add(half)) / 1_000;
        self.add(Bucket { least: micros, count: 1 });
        let (min, max) = self.extremes.unwrap_or((span, span));
        self.extremes = Some((min.min(span), max.max(span)));
        self.sum_nanos += i128::from(span.as_nanos());
        self.count += 1;
    }

    fn add(&mut self, bucket: Bucket) {
        let place = bucket.least >> self.coarseness;
        let entry = self.buckets.entry(place);
        entry.and_modify(|it| *it = it.with(bucket)).or_insert(bucket);
        while self.buckets.len() > Self::MOST {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        self.coarseness += 1;
        let finer = std::mem::take(&mut self.buckets);
        for bucket in finer.into_values() {
            let entry = self.buckets.entry(bucket.least >> self.coarseness);
            entry.and_modify(|it| *it = it.with(bucket)).or_insert(bucket);
        }
    }

    /// The smallest span that is at least as large as the share `q` (0 to 1) of all; `None` of
    /// nothing. The median is `quantile(0.5)`.
    pub fn quantile(&self, q: f64) -> Option<TimeDelta> {
        let rank = self.rank(q)?;
        if rank == self.count {
            return self.max();
        }
        let span = at(rank, self.buckets.values().map(|bucket| (bucket.least, bucket.count)))?;
        Some(self.within_extremes(TimeDelta::from_micros(span)))
    }

    /// The span whose distance from zero is at least that of the share `q` (0 to 1) of all, with
    /// its sign; `None` of nothing. `farthest(1.0)` is the span farthest from zero.
    pub fn farthest(&self, q: f64) -> Option<TimeDelta> {
        let rank = self.rank(q)?;
        let (min, max) = self.extremes?;
        if rank == self.count {
            return Some(if min.abs() > max.abs() { min } else { max });
        }
        let mut spans: Vec<(i64, u64)> =
            self.buckets.values().map(|bucket| (bucket.least, bucket.count)).collect();
        // Of two as far from zero, the one after it is the farther.
        spans.sort_by_key(|(span, _)| (span.unsigned_abs(), *span > 0));
        Some(self.within_extremes(TimeDelta::from_micros(at(rank, spans)?)))
    }

    /// The place, from 1, of the quantile `q` in ascending order.
    fn rank(&self, q: f64) -> Option<u64> {
        let rank = (q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64;
        (self.count > 0).then(|| rank.clamp(1, self.count))
    }

    fn within_extremes(&self, span: TimeDelta) -> TimeDelta {
        self.extremes.map_or(span, |(min, max)| span.clamp(min, max))
    }

    /// The smallest span.
    pub fn min(&self) -> Option<TimeDelta> {
        self.extremes.map(|(min, _)| min)
    }

    /// The largest span.
    pub fn max(&self) -> Option<TimeDelta> {
        self.extremes.map(|(_, max)| max)
    }

    /// The mean, rounded towards zero to the nanosecond.
    pub fn mean(&self) -> Option<TimeDelta> {
        let mean = self.sum_nanos.checked_div(i128::from(self.count))?;
        i64::try_from(mean).ok().map(TimeDelta::from_nanos)
    }

    /// How many spans were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Counts everything that `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        while self.coarseness < other.coarseness {
            self.coarsen();
        }
        other.buckets.values().for_each(|bucket| self.add(*bucket));
        self.extremes = match (self.extremes, other.extremes) {
            (Some(ours), Some(theirs)) => Some((ours.0.min(theirs.0), ours.1.max(theirs.1))),
            (ours, theirs) => ours.or(theirs),
        };
        self.sum_nanos += other.sum_nanos;
        self.count += other.count;
    }
}

/// The span at `rank`, from 1, of spans and how often each was counted, in order.
fn at(rank: u64, spans: impl IntoIterator<Item = (i64, u64)>) -> Option<i64> {
    let mut counted = 0;
    let reached = |(_, count): &(i64, u64)| {
        counted += count;
        counted >= rank
    };
    spans.into_iter().find(reached).map(|(span, _)| span)
}

impl Extend<TimeDelta> for Distribution {
    fn extend<I: IntoIterator<Item = TimeDelta>>(&mut self, spans: I) {
        spans.into_iter().for_each(|span| self.record(span));
    }
}

impl FromIterator<TimeDelta> for Distribution {
    fn from_iter<I: IntoIterator<Item = TimeDelta>>(spans: I) -> Self {
        let mut distribution = Self::new();
        distribution.extend(spans);
        distribution
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(spans: impl IntoIterator<Item = i64>) -> Distribution {
        spans.into_iter().map(TimeDelta::from_micros).collect()
    }

    #[test]
    fn nothing_has_no_quantiles() {
        let nothing = Distribution::new();
        assert_eq!(nothing.quantile(0.5), None);
        assert_eq!(nothing.farthest(1.0), None);
        assert_eq!((nothing.min(), nothing.max(), nothing.mean()), (None, None, None));
    }

    #[test]
    fn quantiles_run_from_the_minimum_to_the_maximum_across_zero() {
        let spans = micros(-50..=50);
        assert_eq!(spans.quantile(0.0), Some(TimeDelta::from_micros(-50)));
        assert_eq!(spans.quantile(0.5), Some(TimeDelta::ZERO));
        assert_eq!(spans.quantile(0.99), Some(TimeDelta::from_micros(49)));
        assert_eq!(spans.quantile(1.0), Some(TimeDelta::from_micros(50)));
        assert_eq!(spans.mean(), Some(TimeDelta::ZERO));
    }

    #[test]
    fn the_farthest_keeps_its_sign() {
        let spans = micros([-900, 10, 20, 30]);
        assert_eq!(spans.farthest(1.0), Some(TimeDelta::from_micros(-900)));
        assert_eq!(spans.farthest(0.75), Some(TimeDelta::from_micros(30)));
        let spans = micros([-900, -800, 10, 20]);
        assert_eq!(spans.farthest(0.75), Some(TimeDelta::from_micros(-800)));
    }

    #[test]
    fn the_widest_spans_do_not_overflow() {
        let widest = [i64::MIN + 1, i64::MAX].map(TimeDelta::from_nanos);
        let spans: Distribution = widest.into_iter().collect();
        assert_eq!((spans.min(), spans.max()), (Some(widest[0]), Some(widest[1])));
        assert_eq!(spans.mean(), Some(TimeDelta::ZERO));
    }

    #[test]
    fn however_many_spans_there_are_a_quantile_is_little_too_small_and_never_too_large() {
        // 300 ms from -100 ms on, each microsecond once, in no order.
        let spans = 300_000i64;
        let many = micros((0..spans).map(|n| n * 7_919 % spans - 100_000));
        assert!(many.buckets.len() <= Distribution::MOST);
        for percent in 1..100 {
            let found = many.quantile(f64::from(percent) / 100.0).unwrap();
            let exact = TimeDelta::from_micros(i64::from(percent) * spans / 100 - 100_001);
            let error = (exact - found).as_nanos() / 1_000;
            assert!((-1..=spans / 1_000).contains(&error), "{percent} %: {error} us");
        }
        assert_eq!(many.max(), many.quantile(1.0));
    }

    proptest! {
        #[test]
        fn quantiles_of_few_spans_are_those_of_the_sorted_ones(
            mut spans in prop::collection::vec(-2_000_000i64..100_000_000, 1..200),
            q in 0.0..=1.0f64,
        ) {
            let found = micros(spans.clone()).quantile(q).unwrap();
            spans.sort_unstable();
            let rank = ((q * spans.len() as f64).ceil() as usize).max(1);
            prop_assert_eq!(found, TimeDelta::from_micros(spans[rank - 1]));
        }

        #[test]
        fn merging_is_as_good_as_counting_in_one(
            left in prop::collection::vec(-5_000i64..5_000, 0..50),
            right in prop::collection::vec(-5_000i64..5_000, 0..50),
            q in 0.0..=1.0f64,
        ) {
            let mut merged = micros(left.clone());
            merged.merge(&micros(right.clone()));
            let one = micros(left.into_iter().chain(right));
            prop_assert_eq!(merged.quantile(q), one.quantile(q));
            prop_assert_eq!(merged.farthest(q), one.farthest(q));
            prop_assert_eq!((merged.count(), merged.mean()), (one.count(), one.mean()));
            prop_assert_eq!((merged.min(), merged.max()), (one.min(), one.max()));
        }
    }
}
