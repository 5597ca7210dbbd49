//! How late what works in real time is, beside how late this machine is by itself.
//!
//! A relay on a busy machine is late because of the machine as well as because of itself. So a
//! [`BareForwarder`] works beside it: what both have in common is the machine's.

mod bare;

use std::fmt;
use std::time::Duration;

use cantus_qos::stats::Distribution;
use cantus_qos::time::{MonoTime, TimeDelta};

pub use bare::BareForwarder;

/// The instants at which packets left, against those at which they should have.
#[derive(Clone, Debug, Default)]
pub struct Lateness(Distribution);

/// The quantiles of a [`Lateness`].
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Quantiles {
    /// Half are not later than this.
    pub median: Duration,
    /// 99 % are not later than this.
    pub p99: Duration,
    /// 99.9 % are not later than this.
    pub p999: Duration,
    /// None is later than this.
    pub max: Duration,
    /// How many there were.
    pub count: u64,
}

impl Lateness {
    /// A packet that was to leave at `due` left at `left`.
    pub fn record(&mut self, due: MonoTime, left: MonoTime) {
        self.0.record(TimeDelta::from(left.since(due)));
    }

    /// Adds what `other` has recorded.
    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// Its quantiles; `None` of nothing.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let at = |q| self.0.quantile(q).map(|span| span.max_zero());
        Some(Quantiles {
            median: at(0.5)?,
            p99: at(0.99)?,
            p999: at(0.999)?,
            max: at(1.0)?,
            count: self.0.count(),
        })
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |span: Duration| span.as_secs_f64() * 1e3;
        let Self { median, p99, p999, max, count } = *self;
        write!(
            f,
            "p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, max {:.3} ms ({count} packets)",
            millis(median),
            millis(p99),
            millis(p999),
            millis(max)
        )
    }
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quantiles() {
            Some(quantiles) => quantiles.fmt(f),
            None => f.write_str("no packets"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(micros: impl IntoIterator<Item = u64>) -> Lateness {
        let mut lateness = Lateness::default();
        let due = MonoTime::from_millis(7);
        for late in micros {
            lateness.record(due, due + Duration::from_micros(late));
        }
        lateness
    }

    #[test]
    fn quantiles_are_the_spans_that_so_many_do_not_exceed() {
        let Quantiles { median, p99, p999, max, count } =
            late(1..=10_000).quantiles().expect("there are some");
        assert_eq!((max, count), (Duration::from_millis(10), 10_000));
        for (found, exact) in [(median, 5_000), (p99, 9_900), (p999, 9_990)] {
            let exact = Duration::from_micros(exact);
            assert!(found.abs_diff(exact) <= exact / 1_000, "{found:?} for {exact:?}");
        }
    }

    #[test]
    fn merged_parts_are_as_the_whole() {
        let mut parts = late(1..=400);
        parts.merge(&late(401..=1_000));
        assert_eq!(parts.quantiles(), late(1..=1_000).quantiles());
    }

    #[test]
    fn a_packet_that_left_in_time_was_not_late_and_nothing_has_no_quantiles() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.quantiles(), None);
        assert_eq!(lateness.to_string(), "no packets");
        lateness.record(MonoTime::from_millis(7), MonoTime::from_millis(6));
        assert_eq!(lateness.quantiles().map(|it| it.max), Some(Duration::ZERO));
    }

    #[test]
    fn one_line_says_it_all() {
        assert_eq!(
            late([20, 30, 1_400]).to_string(),
            "p50 0.030 ms, p99 1.400 ms, p99.9 1.400 ms, max 1.400 ms (3 packets)"
        );
    }
}
