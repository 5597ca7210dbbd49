//! Quantiles of spans of time in constant memory.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::time::TimeDelta;

/// Spans beyond this are counted as this in quantiles: 100 s.
const LIMIT_MICROS: u64 = 100_000_000;
/// Five significant digits: exact to the microsecond up to 262 ms, so that a promise which is
/// just kept does not seem broken by the rounding of a bucket.
const DIGITS: u8 = 5;
const HALF_A_MICROSECOND: Duration = Duration::from_nanos(500);

/// How a signed span (a delay, a skew) is distributed.
///
/// Quantiles are exact to 1 us up to 262 ms and within 0.001 % beyond, for spans up to 100 s
/// either way; minimum, maximum and mean are exact always. Memory is taken with the first span:
/// 1 MB for spans up to 262 ms, and at most 6 MB on either side of zero.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    negative: Magnitudes,
    positive: Magnitudes,
    extremes: Option<(TimeDelta, TimeDelta)>,
    sum_nanos: i128,
}

impl Distribution {
    /// A distribution of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one span.
    pub fn record(&mut self, span: TimeDelta) {
        let below = span < TimeDelta::ZERO;
        let side = if below { &mut self.negative } else { &mut self.positive };
        side.record(span);
        let (min, max) = self.extremes.unwrap_or((span, span));
        self.extremes = Some((min.min(span), max.max(span)));
        self.sum_nanos += i128::from(span.as_nanos());
    }

    /// The smallest span that is at least as large as the share `q` (0 to 1) of all; `None` of
    /// nothing. The median is `quantile(0.5)`.
    pub fn quantile(&self, q: f64) -> Option<TimeDelta> {
        let below = self.negative.len();
        let rank = self.rank(q)?;
        let span = match rank.checked_sub(below) {
            // The smallest span is the largest magnitude below zero.
            None | Some(0) => -self.negative.at(below - rank + 1),
            Some(rank) => self.positive.at(rank),
        };
        Some(self.within_extremes(span))
    }

    /// The span whose distance from zero is at least that of the share `q` (0 to 1) of all, with
    /// its sign; `None` of nothing. `farthest(1.0)` is the span farthest from zero.
    pub fn farthest(&self, q: f64) -> Option<TimeDelta> {
        let rank = self.rank(q)?;
        let (min, max) = self.extremes?;
        if rank == self.count() {
            return Some(if min.abs() > max.abs() { min } else { max });
        }
        let mut both = self.negative.clone();
        both.add(&self.positive);
        let span = both.at(rank);
        let above = self.positive.contains(span);
        Some(self.within_extremes(if above { span } else { -span }))
    }

    /// The place, from 1, of the quantile `q` in ascending order.
    fn rank(&self, q: f64) -> Option<u64> {
        let count = self.count();
        let rank = (q.clamp(0.0, 1.0) * count as f64).ceil() as u64;
        (count > 0).then(|| rank.clamp(1, count))
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
        let mean = self.sum_nanos.checked_div(i128::from(self.count()))?;
        i64::try_from(mean).ok().map(TimeDelta::from_nanos)
    }

    /// How many spans were counted.
    pub fn count(&self) -> u64 {
        self.negative.len() + self.positive.len()
    }

    /// Counts everything that `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        self.negative.add(&other.negative);
        self.positive.add(&other.positive);
        self.extremes = match (self.extremes, other.extremes) {
            (Some(ours), Some(theirs)) => Some((ours.0.min(theirs.0), ours.1.max(theirs.1))),
            (ours, theirs) => ours.or(theirs),
        };
        self.sum_nanos += other.sum_nanos;
    }
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

/// Spans without their sign, in microseconds; nothing is allocated before the first.
#[derive(Clone, Debug, Default)]
struct Magnitudes(Option<Histogram<u32>>);

impl Magnitudes {
    fn histogram(&mut self) -> &mut Histogram<u32> {
        self.0.get_or_insert_with(|| Histogram::new(DIGITS).expect("five digits are allowed"))
    }

    fn record(&mut self, span: TimeDelta) {
        let micros = (span.abs() + HALF_A_MICROSECOND).as_micros() as u64;
        let recorded = self.histogram().record(micros.min(LIMIT_MICROS));
        recorded.expect("the histogram grows up to the limit");
    }

    fn len(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// The magnitude at `rank`, from 1, in ascending order: the middle of its bucket.
    fn at(&self, rank: u64) -> TimeDelta {
        let Some(histogram) = &self.0 else {
            return TimeDelta::ZERO;
        };
        let mut counted = 0;
        let bucket = histogram.iter_recorded().find(|bucket| {
            counted += u64::from(bucket.count_at_value());
            counted >= rank
        });
        let value = bucket.map_or(0, |bucket| bucket.value_iterated_to());
        TimeDelta::from_micros(histogram.median_equivalent(value) as i64)
    }

    /// Whether any magnitude was counted in the bucket of `span`.
    fn contains(&self, span: TimeDelta) -> bool {
        let micros = span.abs().as_micros() as u64;
        self.0
            .as_ref()
            .is_some_and(|histogram| micros <= histogram.max() && histogram.count_at(micros) > 0)
    }

    fn add(&mut self, other: &Self) {
        if let Some(other) = &other.0 {
            self.histogram().add(other).expect("the histogram grows up to the limit");
        }
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
    fn beyond_100_seconds_only_the_extremes_stay_exact() {
        let far = TimeDelta::from_millis(3_600_000);
        let spans: Distribution = [TimeDelta::ZERO, far, far].into_iter().collect();
        assert_eq!(spans.max(), Some(far));
        let limit = spans.quantile(0.5).unwrap().as_secs_f64();
        assert!((99.9..=100.2).contains(&limit), "{limit} s");
    }

    #[test]
    fn the_widest_spans_do_not_overflow() {
        let widest = [i64::MIN + 1, i64::MAX].map(TimeDelta::from_nanos);
        let spans: Distribution = widest.into_iter().collect();
        assert_eq!((spans.min(), spans.max()), (Some(widest[0]), Some(widest[1])));
        assert_eq!(spans.mean(), Some(TimeDelta::ZERO));
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_spans_to_five_digits(
            mut spans in prop::collection::vec(-2_000_000i64..100_000_000, 1..200),
            q in 0.0..=1.0f64,
        ) {
            let found = micros(spans.clone()).quantile(q).unwrap();
            spans.sort_unstable();
            let rank = ((q * spans.len() as f64).ceil() as usize).max(1);
            let exact = spans[rank - 1];
            let error = (found - TimeDelta::from_micros(exact)).abs().as_micros();
            prop_assert!(error <= u128::from(exact.unsigned_abs() / 100_000), "{:?} {}", found, exact);
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
