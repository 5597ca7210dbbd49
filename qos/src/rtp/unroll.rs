//! Numbers that wrap, made into numbers that do not.

use super::{RtpTimestamp, Sequence};

/// Turns the 16-bit sequence numbers of one stream into 64-bit ones.
///
/// The first packet becomes 65,536 + its sequence number, so that packets which were overtaken by
/// it stay positive. Every other becomes the number closest to the highest so far that has its
/// sixteen bits; at exactly half a circle the earlier one.
#[derive(Clone, Debug, Default)]
pub struct SequenceUnroller {
    highest: Option<u64>,
}

impl SequenceUnroller {
    /// An unroller that has seen nothing yet.
    pub const fn new() -> Self {
        Self { highest: None }
    }

    /// The unrolled number of `sequence`.
    pub fn unroll(&mut self, sequence: Sequence) -> u64 {
        let unrolled = match self.highest {
            None => (1 << 16) + u64::from(sequence.0),
            // The highest is at least 2^16 and the distance at least -2^15.
            Some(highest) => {
                highest.wrapping_add_signed(i64::from(sequence.distance(Sequence(highest as u16))))
            }
        };
        self.highest = self.highest.max(Some(unrolled));
        unrolled
    }
}

/// Turns the 32-bit timestamps of one stream into 64-bit ones.
///
/// The first becomes its own value, every other the number closest to the one before that has its
/// 32 bits; at exactly half a circle the earlier one.
#[derive(Clone, Debug, Default)]
pub struct TimestampUnroller {
    latest: Option<i64>,
}

impl TimestampUnroller {
    /// An unroller that has seen nothing yet.
    pub const fn new() -> Self {
        Self { latest: None }
    }

    /// The unrolled number of `timestamp`; negative only if a timestamp came that is earlier than
    /// the first by more than the first's own value.
    pub fn unroll(&mut self, timestamp: RtpTimestamp) -> i64 {
        let unrolled = self.peek(timestamp);
        self.latest = Some(unrolled);
        unrolled
    }

    /// What [`unroll`](Self::unroll) would give for it, of which the next one is to know nothing.
    pub fn peek(&self, timestamp: RtpTimestamp) -> i64 {
        match self.latest {
            None => i64::from(timestamp.0),
            Some(latest) => {
                latest.wrapping_add(i64::from(timestamp.distance(RtpTimestamp(latest as u32))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_sequence_leaves_room_below_it() {
        let mut unroller = SequenceUnroller::new();
        assert_eq!(unroller.unroll(Sequence(3)), 65_539);
        assert_eq!(unroller.unroll(Sequence(65_535)), 65_535);
        assert_eq!(unroller.unroll(Sequence(4)), 65_540);
    }

    #[test]
    fn half_a_circle_ahead_is_taken_as_behind() {
        let mut unroller = SequenceUnroller::new();
        unroller.unroll(Sequence(0));
        assert_eq!(unroller.unroll(Sequence(32_767)), 65_536 + 32_767);
        let mut unroller = SequenceUnroller::new();
        unroller.unroll(Sequence(0));
        assert_eq!(unroller.unroll(Sequence(32_768)), 32_768);
    }

    #[test]
    fn timestamps_go_on_past_the_wrap_and_back() {
        let mut unroller = TimestampUnroller::new();
        assert_eq!(unroller.unroll(RtpTimestamp(u32::MAX)), (1 << 32) - 1);
        assert_eq!(unroller.unroll(RtpTimestamp(959)), (1 << 32) + 959);
        assert_eq!(unroller.unroll(RtpTimestamp(u32::MAX)), (1 << 32) - 1);
    }

    proptest! {
        #[test]
        fn a_stream_keeps_its_distances_whatever_is_lost_or_reordered(
            first: u16,
            steps in prop::collection::vec(-10_000i64..20_000, 0..200),
        ) {
            let mut unroller = SequenceUnroller::new();
            let origin = unroller.unroll(Sequence(first)) as i64;
            let mut highest = 0;
            for step in steps {
                // A step is taken from the highest, as the network takes it: late or lost packets.
                let position = (highest + step).max(-30_000);
                let sequence = Sequence(first.wrapping_add(position as u16));
                prop_assert_eq!(unroller.unroll(sequence) as i64 - origin, position);
                highest = highest.max(position);
            }
        }

        #[test]
        fn any_sequences_unroll_to_numbers_with_their_bits_that_never_go_below_2_to_the_15(
            sequences: Vec<u16>,
        ) {
            let mut unroller = SequenceUnroller::new();
            for sequence in sequences {
                let unrolled = unroller.unroll(Sequence(sequence));
                prop_assert_eq!(unrolled as u16, sequence);
                prop_assert!(unrolled >= 1 << 15);
            }
        }

        #[test]
        fn timestamps_keep_their_distances(
            first: u32,
            steps in prop::collection::vec(-(1i64 << 31) + 1..1 << 31, 0..100),
        ) {
            let mut unroller = TimestampUnroller::new();
            let mut position = i64::from(first);
            prop_assert_eq!(unroller.unroll(RtpTimestamp(first)), position);
            for step in steps {
                position += step;
                prop_assert_eq!(unroller.unroll(RtpTimestamp(position as u32)), position);
            }
        }
    }
}
