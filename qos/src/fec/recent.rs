//! Which numbers on the wire are near enough to those seen last.

/// A number that wraps around.
pub(super) trait Wrapping: Copy {
    /// Steps from `earlier` to this one by the shorter way round: negative if it is in fact later.
    fn since(self, earlier: Self) -> i32;
}

/// Where a number stands.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Place {
    /// Among those remembered, as this number, which does not wrap.
    Inside(u64),
    /// Older than all of them.
    Late,
    /// Far from all of them, for the first time.
    Astray,
    /// Far from all of them, and it is not alone there: the sender has started anew, and all that
    /// is remembered is too old now.
    Restarted(u64),
}

/// The last `memory` numbers up to the newest one seen.
///
/// After a jump all begins anew, but only when a second packet confirms it, as RFC 3550, appendix
/// A.1, treats sequence numbers: one stray packet forgets nothing.
#[derive(Clone, Debug)]
pub(super) struct Recent<N> {
    memory: u64,
    newest: Option<(N, u64)>,
    astray: Option<N>,
}

impl<N: Wrapping> Recent<N> {
    /// Beyond so many it is a jump, unless more are remembered; Roc gives up at the same number.
    const MAX_JUMP: u64 = 100;

    /// Later than any memory reaches back, so that no number is negative.
    const FIRST: u64 = 1 << 24;

    pub(super) const fn new(memory: u64) -> Self {
        Self { memory, newest: None, astray: None }
    }

    /// The oldest number that is remembered.
    pub(super) fn oldest(&self) -> u64 {
        self.newest.map_or(0, |(_, newest)| newest + 1 - self.memory)
    }

    pub(super) fn place(&mut self, number: N) -> Place {
        let Some((newest, place)) = self.newest else {
            self.newest = Some((number, Self::FIRST));
            return Place::Inside(Self::FIRST);
        };
        let distance = number.since(newest);
        let place = place.saturating_add_signed(i64::from(distance));
        if u64::from(distance.unsigned_abs()) > Self::MAX_JUMP.max(self.memory) {
            return self.jump(number);
        }
        self.astray = None;
        if distance > 0 {
            self.newest = Some((number, place));
        }
        if place < self.oldest() { Place::Late } else { Place::Inside(place) }
    }

    fn jump(&mut self, number: N) -> Place {
        let confirmed = self
            .astray
            .replace(number)
            .is_some_and(|first| u64::from(number.since(first).unsigned_abs()) <= Self::MAX_JUMP);
        if !confirmed {
            return Place::Astray;
        }
        // Far enough on for all that is remembered to be too old.
        let place = self.newest.map_or(0, |(_, place)| place).saturating_add(Self::FIRST);
        self.newest = Some((number, place));
        self.astray = None;
        Place::Restarted(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::fec::block::BlockNumber;

    type Blocks = Recent<BlockNumber>;

    fn block(number: u32) -> BlockNumber {
        BlockNumber::new(0).unwrap().plus(number)
    }

    #[test]
    fn the_last_ones_are_inside_and_older_ones_late() {
        let mut recent = Blocks::new(4);
        recent.place(block(10));
        assert_eq!(recent.place(block(7)), Place::Inside(Blocks::FIRST - 3));
        assert_eq!(recent.place(block(6)), Place::Late);
        assert_eq!(recent.place(block(11)), Place::Inside(Blocks::FIRST + 1));
        assert_eq!(recent.place(block(7)), Place::Late);
    }

    #[test]
    fn numbers_go_on_across_the_wrap() {
        let mut recent = Blocks::new(4);
        recent.place(block(0xff_ffff));
        assert_eq!(recent.place(block(0)), Place::Inside(Blocks::FIRST + 1));
        assert_eq!(recent.place(block(0xff_ffff)), Place::Inside(Blocks::FIRST));
    }

    #[test]
    fn a_jump_of_100_is_followed_and_one_of_101_needs_a_second_packet() {
        let mut recent = Blocks::new(4);
        recent.place(block(0));
        assert_eq!(recent.place(block(100)), Place::Inside(Blocks::FIRST + 100));
        assert_eq!(recent.place(block(201)), Place::Astray);
        assert_eq!(recent.place(block(201)), Place::Restarted(2 * Blocks::FIRST + 100));
        assert_eq!(recent.place(block(202)), Place::Inside(2 * Blocks::FIRST + 101));
    }

    #[test]
    fn stray_packets_forget_nothing() {
        let mut recent = Blocks::new(4);
        recent.place(block(5));
        for stray in [5_000, 9_000_000, 70_000, 3_000] {
            assert_eq!(recent.place(block(stray)), Place::Astray);
        }
        assert_eq!(recent.place(block(5)), Place::Inside(Blocks::FIRST));
        assert_eq!(recent.place(block(3_000)), Place::Astray);
        assert_eq!(recent.place(block(3_001)), Place::Restarted(2 * Blocks::FIRST));
        assert_eq!(recent.place(block(5)), Place::Astray);
        assert_eq!(recent.place(block(3_001)), Place::Inside(2 * Blocks::FIRST));
        assert_eq!(recent.place(block(5)), Place::Astray);
    }
}
