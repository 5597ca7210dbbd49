//! Whether the path is still the one that was learned.

use crate::time::TimeDelta;
use std::collections::VecDeque;

/// The transit times of the last packets, held against what was learned before them.
///
/// A histogram that forgets slowly enough to tell a share of one percent takes as long to notice
/// that the path has changed. Here it is noticed by what chance would hardly bring about while
/// the path is what it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    transits: VecDeque<TimeDelta>,
}

/// What was learned of a path.
#[derive(Copy, Clone, Debug)]
pub(super) struct Learned {
    /// Half of the packets are slower.
    pub median: TimeDelta,
    /// A tenth of them are.
    pub slow: TimeDelta,
    /// What playback waits for.
    pub target: TimeDelta,
    /// Differences up to this are none.
    pub resolution: TimeDelta,
}

impl Recent {
    /// So many packets are remembered: 4 s of them, at 20 ms.
    pub(super) const MOST: usize = 200;
    /// So many tell that all delays have moved. Neighbours are alike on a path that keeps its
    /// order, so they count as a third as many.
    const SHORT: usize = 64;
    /// So many of them on one side of the median, and it has moved: of 21 that are independent, 19
    /// are one time in 5,000.
    const ONE_SIDED: usize = 58;
    /// The oldest of them may have come before the path changed.
    const SINCE: usize = 48;
    /// Each time that packets begin to be late is one excursion; so many of them among the last
    /// few, and it is not chance.
    const EXCURSIONS: usize = 6;

    /// A packet came.
    pub(super) fn push(&mut self, transit: TimeDelta) {
        if self.transits.len() == Self::MOST {
            self.transits.pop_front();
        }
        self.transits.push_back(transit);
    }

    /// How many packets came since the path changed, if it has.
    pub(super) fn changed(&self, learned: &Learned) -> Option<usize> {
        let short = self.transits.len().checked_sub(Self::SHORT)?;
        let last = || self.transits.range(short..);
        let count = |slower: fn(TimeDelta, &Learned) -> bool| {
            last().filter(|transit| slower(**transit, learned)).count()
        };
        let above = count(|transit, path| transit > path.median + path.resolution);
        let below = count(|transit, path| transit < path.median - path.resolution);
        if above.max(below) >= Self::ONE_SIDED {
            return Some(Self::SINCE);
        }
        let late = |transit: &TimeDelta| *transit > learned.target + learned.resolution;
        let pairs = last().zip(last().skip(1));
        if pairs.filter(|(one, next)| !late(one) && late(next)).count() >= Self::EXCURSIONS {
            return Some(Self::SINCE);
        }
        // A tenth of the packets should be slow, and of all that are remembered none is.
        let slowest = self.transits.iter().copied().max()?;
        let calm = slowest + learned.resolution < learned.slow;
        (calm && self.transits.len() == Self::MOST).then_some(Self::MOST)
    }

    /// Forgets all but the last `count` packets, and gives those.
    pub(super) fn keep(&mut self, count: usize) -> impl Iterator<Item = TimeDelta> + '_ {
        let old = self.transits.len().saturating_sub(count);
        self.transits.drain(..old);
        self.transits.iter().copied()
    }
}
