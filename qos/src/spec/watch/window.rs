//! What was lately.

use std::collections::VecDeque;
use std::time::Duration;

use crate::quantity::Bitrate;
use crate::time::MonoTime;

/// Which of the last units were bad.
#[derive(Clone, Debug)]
pub(super) struct LastUnits {
    units: VecDeque<bool>,
    capacity: usize,
    bad: usize,
}

impl LastUnits {
    /// A share is told by so many units that it allows for as many bad ones as this: with fewer,
    /// one by chance would break it.
    const ALLOWED: f64 = 5.0;
    const FEWEST: f64 = 100.0;
    const MOST: f64 = 10_000.0;

    /// To be held against `share`.
    pub(super) fn allowing(share: f64) -> Self {
        let capacity = (Self::ALLOWED / share.max(1e-9)).clamp(Self::FEWEST, Self::MOST) as usize;
        Self { units: VecDeque::new(), capacity, bad: 0 }
    }

    /// One more. Whether more are bad than `share` allows of as many as are looked at.
    pub(super) fn push(&mut self, bad: bool, share: f64) -> bool {
        if self.units.len() == self.capacity {
            self.bad -= usize::from(self.units.pop_front().unwrap_or_default());
        }
        self.units.push_back(bad);
        self.bad += usize::from(bad);
        self.bad as f64 > share * self.capacity as f64
    }
}

/// How much came in the last seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct LastBytes {
    /// By the half second in which they came.
    halves: VecDeque<(u64, u64)>,
}

impl LastBytes {
    const SPAN: Duration = Duration::from_secs(5);
    const HALF: u64 = 500_000_000;

    /// So many more. The rate of the last five seconds.
    pub(super) fn push(&mut self, now: MonoTime, bytes: usize) -> Bitrate {
        let half = now.as_nanos() / Self::HALF;
        match self.halves.back_mut() {
            Some((last, sum)) if *last >= half => *sum += bytes as u64,
            _ => self.halves.push_back((half, bytes as u64)),
        }
        let halves = Self::SPAN.as_nanos() as u64 / Self::HALF;
        while self.halves.front().is_some_and(|(first, _)| first + halves <= half) {
            self.halves.pop_front();
        }
        Bitrate::over(self.halves.iter().map(|(_, bytes)| bytes).sum(), Self::SPAN)
    }
}
