//! Which blocks are near enough to be remembered.

use super::BlockNumber;

/// Where a packet's block stands.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Place {
    /// Among the blocks remembered, under this number, which does not wrap.
    Inside(u64),
    /// Older than all of them.
    Late,
    /// Far from all of them, for the first time.
    Astray,
    /// Far from all of them, and it is not alone there: the sender has started anew, and all that
    /// is remembered is too old now.
    Restarted(u64),
}

/// The last `memory` blocks up to the newest one seen.
///
/// A jump of the block number restarts the window, but only when a second packet confirms it, as
/// RFC 3550, appendix A.1, treats sequence numbers: one stray packet forgets nothing.
#[derive(Clone, Debug)]
pub(super) struct Window {
    memory: u64,
    newest: Option<(BlockNumber, u64)>,
    astray: Option<BlockNumber>,
}

impl Window {
    /// Beyond so many blocks it is a jump; Roc gives up at the same number.
    const MAX_JUMP: u64 = 100;

    /// Later than 24 bits can reach back, so that no number is negative.
    const FIRST: u64 = 1 << 24;

    pub(super) const fn new(memory: u64) -> Self {
        Self { memory, newest: None, astray: None }
    }

    /// The oldest number that is remembered.
    pub(super) fn oldest(&self) -> u64 {
        self.newest.map_or(0, |(_, newest)| newest + 1 - self.memory)
    }

    pub(super) fn place(&mut self, block: BlockNumber) -> Place {
        let Some((newest, number)) = self.newest else {
            self.newest = Some((block, Self::FIRST));
            return Place::Inside(Self::FIRST);
        };
        let distance = block.since(newest);
        let number = number.saturating_add_signed(i64::from(distance));
        if u64::from(distance.unsigned_abs()) > Self::MAX_JUMP.max(self.memory) {
            return self.jump(block);
        }
        self.astray = None;
        if distance > 0 {
            self.newest = Some((block, number));
        }
        if number < self.oldest() { Place::Late } else { Place::Inside(number) }
    }

    fn jump(&mut self, block: BlockNumber) -> Place {
        let confirmed = self
            .astray
            .replace(block)
            .is_some_and(|first| u64::from(block.since(first).unsigned_abs()) <= Self::MAX_JUMP);
        if !confirmed {
            return Place::Astray;
        }
        // Far enough on for all that is remembered to be too old.
        let number = self.newest.map_or(0, |(_, number)| number).saturating_add(Self::FIRST);
        self.newest = Some((block, number));
        self.astray = None;
        Place::Restarted(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u32) -> BlockNumber {
        BlockNumber::new(0).unwrap().plus(number)
    }

    #[test]
    fn the_last_blocks_are_inside_and_older_ones_late() {
        let mut window = Window::new(4);
        window.place(block(10));
        assert_eq!(window.place(block(7)), Place::Inside(Window::FIRST - 3));
        assert_eq!(window.place(block(6)), Place::Late);
        assert_eq!(window.place(block(11)), Place::Inside(Window::FIRST + 1));
        assert_eq!(window.place(block(7)), Place::Late);
    }

    #[test]
    fn numbers_go_on_across_the_wrap() {
        let mut window = Window::new(4);
        window.place(block(0xff_ffff));
        assert_eq!(window.place(block(0)), Place::Inside(Window::FIRST + 1));
        assert_eq!(window.place(block(0xff_ffff)), Place::Inside(Window::FIRST));
    }

    #[test]
    fn a_jump_of_100_is_followed_and_one_of_101_needs_a_second_packet() {
        let mut window = Window::new(4);
        window.place(block(0));
        assert_eq!(window.place(block(100)), Place::Inside(Window::FIRST + 100));
        assert_eq!(window.place(block(201)), Place::Astray);
        assert_eq!(window.place(block(201)), Place::Restarted(2 * Window::FIRST + 100));
        assert_eq!(window.place(block(202)), Place::Inside(2 * Window::FIRST + 101));
    }

    #[test]
    fn stray_packets_forget_nothing() {
        let mut window = Window::new(4);
        window.place(block(5));
        for stray in [5_000, 9_000_000, 70_000, 3_000] {
            assert_eq!(window.place(block(stray)), Place::Astray);
        }
        assert_eq!(window.place(block(5)), Place::Inside(Window::FIRST));
        assert_eq!(window.place(block(3_000)), Place::Astray);
        assert_eq!(window.place(block(3_001)), Place::Restarted(2 * Window::FIRST));
        assert_eq!(window.place(block(5)), Place::Astray);
        assert_eq!(window.place(block(3_001)), Place::Inside(2 * Window::FIRST));
        assert_eq!(window.place(block(5)), Place::Astray);
    }
}
