//! The fastest packet of late.

use crate::time::{MonoTime, TimeDelta};
use std::collections::VecDeque;
use std::time::Duration;

/// The smallest value of a span of time, in constant time per value on average.
#[derive(Clone, Debug)]
pub(super) struct SlidingMinimum {
    span: Duration,
    /// Each smaller than all that came after it would make it useless: rising from front to back.
    rising: VecDeque<(MonoTime, TimeDelta)>,
}

impl SlidingMinimum {
    /// Values of the same span that are kept at most; the oldest go first.
    const MOST: usize = 4_096;

    /// No value yet; each is forgotten after `span`.
    pub(super) fn new(span: Duration) -> Self {
        Self { span, rising: VecDeque::new() }
    }

    /// The smallest.
    pub(super) fn minimum(&self) -> Option<TimeDelta> {
        self.rising.front().map(|&(_, value)| value)
    }

    /// Takes in `value` and gives the minimum including it.
    pub(super) fn push(&mut self, now: MonoTime, value: TimeDelta) -> TimeDelta {
        while self.rising.back().is_some_and(|&(_, last)| last >= value) {
            self.rising.pop_back();
        }
        self.rising.push_back((now, value));
        while self.rising.len() > Self::MOST
            || self.rising.front().is_some_and(|&(then, _)| now.since(then) > self.span)
        {
            self.rising.pop_front();
        }
        self.minimum().unwrap_or(value)
    }
}
