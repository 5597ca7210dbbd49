//! Which packets of a span were lost, run by run (RFC 3611, section 4.1).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     BT=1      | rsvd. |  T=0  |         block length          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                        SSRC of source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          begin_seq            |     end_seq (not of the span) |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          chunk 1              |             chunk 2           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!
//! run length: |0|R|   14 bits: how many   |    R: they came
//! bit vector: |1|   15 bits, first on top |    a bit: it came
//! null:       |0|0|           0           |    fills the block up
//! ```

use crate::rtp::{Sequence, Ssrc};

/// The longest run that one chunk can tell.
const LONGEST_RUN: u16 = (1 << 14) - 1;
/// Packets in a bit vector.
const VECTOR: u16 = 15;

/// Packets in a row that had the same fate.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Run {
    /// Whether they came.
    pub came: bool,
    /// How many they are.
    pub length: u16,
}

/// The losses in a span of packets.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct LossRle {
    /// The stream that is reported on.
    pub ssrc: Ssrc,
    /// The first packet of the span.
    pub begin: Sequence,
    runs: Vec<Run>,
}

impl LossRle {
    /// The longest span: more could not be told from less by sequence numbers.
    const LONGEST_SPAN: usize = 1 << 15;

    /// What became of the `packets` from `begin` on: for each whether it came. Of more than 2^15
    /// only so many are told.
    pub fn new(ssrc: Ssrc, begin: Sequence, packets: impl IntoIterator<Item = bool>) -> Self {
        let mut runs = Vec::new();
        packets.into_iter().take(Self::LONGEST_SPAN).for_each(|came| push(&mut runs, came, 1));
        Self { ssrc, begin, runs }
    }

    /// The runs, which take turns: no two that follow each other had the same fate.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// How many packets the span has.
    pub fn span(&self) -> u16 {
        self.runs.iter().map(|run| run.length).sum()
    }

    /// `specific` is the octet behind the block type: its lower half tells of thinning, which
    /// leaves packets out; such a block is not read.
    pub(super) fn parse(specific: u8, contents: &[u8]) -> Option<Self> {
        let (&[ssrc @ .., begin_high, begin_low, end_high, end_low], chunks) =
            contents.split_first_chunk::<8>()?;
        let begin = u16::from_be_bytes([begin_high, begin_low]);
        let mut left = u16::from_be_bytes([end_high, end_low]).wrapping_sub(begin);
        if specific & 0x0F != 0 || usize::from(left) > Self::LONGEST_SPAN {
            return None;
        }
        let mut runs = Vec::new();
        for chunk in chunks.as_chunks().0.iter().map(|chunk| u16::from_be_bytes(*chunk)) {
            match chunk >> 14 {
                0 | 1 => {
                    let length = (chunk & LONGEST_RUN).min(left);
                    push(&mut runs, chunk >> 14 == 1, length);
                    left -= length;
                }
                _ => {
                    let length = VECTOR.min(left);
                    (0..length).for_each(|at| push(&mut runs, chunk >> (14 - at) & 1 == 1, 1));
                    left -= length;
                }
            }
        }
        let [a, b, c, d] = ssrc;
        let ssrc = Ssrc(u32::from_be_bytes([a, b, c, d]));
        (left == 0).then_some(Self { ssrc, begin: Sequence(begin), runs })
    }

    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let end = self.begin.0.wrapping_add(self.span());
        body.extend(self.ssrc.0.to_be_bytes());
        body.extend(self.begin.0.to_be_bytes());
        body.extend(end.to_be_bytes());
        let chunks = self.chunks();
        body.extend(chunks.iter().flat_map(|chunk| chunk.to_be_bytes()));
        // A null chunk fills the last word up.
        if !chunks.len().is_multiple_of(2) {
            body.extend([0, 0]);
        }
    }

    /// A run that is longer than a bit vector has a chunk of its own.
    fn chunks(&self) -> Vec<u16> {
        let mut runs = self.runs.iter().copied();
        let mut run = runs.next();
        let mut chunks = Vec::new();
        while let Some(Run { came, length }) = run {
            if length > VECTOR {
                let told = length.min(LONGEST_RUN);
                chunks.push(u16::from(came) << 14 | told);
                run = Some(Run { came, length: length - told });
                run = run.filter(|run| run.length > 0).or_else(|| runs.next());
                continue;
            }
            let mut vector = 1 << 15;
            for bit in (0..VECTOR).rev() {
                let Some(Run { came, length }) = run else { break };
                vector |= u16::from(came) << bit;
                run = Some(Run { came, length: length - 1 });
                run = run.filter(|run| run.length > 0).or_else(|| runs.next());
            }
            chunks.push(vector);
        }
        chunks
    }
}

/// Goes on with the last run, or begins another.
fn push(runs: &mut Vec<Run>, came: bool, length: u16) {
    match runs.last_mut() {
        Some(last) if last.came == came => last.length += length,
        _ if length > 0 => runs.push(Run { came, length }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(packets: impl IntoIterator<Item = bool>) -> Vec<u16> {
        LossRle::new(Ssrc(1), Sequence(0), packets).chunks()
    }

    #[test]
    fn short_runs_share_a_bit_vector_and_long_ones_have_a_chunk_each() {
        assert_eq!(chunks((0..15).map(|at| at != 2)), [0b1110_1111_1111_1111]);
        assert_eq!(chunks((0..500).map(|_| true)), [0x4000 | 500]);
        assert_eq!(chunks((0..20_000).map(|_| false)), [0x3FFF, 20_000 - 0x3FFF]);
        let second_by_second = chunks((0..50).map(|at| at != 30));
        assert_eq!(second_by_second, [0x4000 | 30, 0xBFFF, 0x8000 | 0b1_1111 << 10]);
    }

    #[test]
    fn the_runs_take_turns() {
        let losses = LossRle::new(Ssrc(1), Sequence(65_530), (0..10).map(|at| at % 5 > 1));
        let lengths: Vec<_> = losses.runs().iter().map(|run| (run.came, run.length)).collect();
        assert_eq!(lengths, [(false, 2), (true, 3), (false, 2), (true, 3)]);
        assert_eq!(losses.span(), 10);
    }

    #[test]
    fn a_thinned_report_and_one_that_ends_early_are_not_read() {
        let contents = [0, 0, 0, 1, 0, 0, 0, 10, 0x40, 10, 0, 0];
        assert!(LossRle::parse(0, &contents).is_some());
        assert_eq!(LossRle::parse(1, &contents), None);
        let short = [0, 0, 0, 1, 0, 0, 0, 10, 0x40, 9, 0, 0];
        assert_eq!(LossRle::parse(0, &short), None);
    }
}
