//! Generic negative acknowledgement: these packets have not come (RFC 4585, section 6.2.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=1  |  PT=RTPFB=205 |             length            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |       packet identifier       |  bitmask of the 16 after it   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              ...                              |
//! ```

use crate::rtp::{Sequence, Ssrc};

/// Feedback message type of the generic NACK.
pub(super) const FORMAT: u8 = 1;

/// A packet identifier and the bitmask that follows it tell of this many packets.
const SPAN: u16 = 17;

/// Asks for packets again.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Nack {
    /// Who misses them.
    pub sender: Ssrc,
    /// Whose packets they are.
    pub media: Ssrc,
    /// Their sequence numbers, in the order of the stream.
    pub sequences: Vec<Sequence>,
}

impl Nack {
    /// Most identifiers in one packet, and as many bitmasks: more than anybody misses who still
    /// hears anything.
    pub const MAX_FIELDS: usize = 64;

    /// Reads the packet behind its common header. Fields beyond [`MAX_FIELDS`](Self::MAX_FIELDS)
    /// are not read.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (sender, body) = body.split_first_chunk()?;
        let (media, fields) = body.split_first_chunk()?;
        let fields = fields.as_chunks::<4>().0.iter().take(Self::MAX_FIELDS);
        let sequences = fields.flat_map(|&[high, low, mask_high, mask_low]| {
            let first = u16::from_be_bytes([high, low]);
            // The lowest bit of the mask stands for the packet that follows the identifier.
            let mask = u32::from(u16::from_be_bytes([mask_high, mask_low])) << 1 | 1;
            (0..SPAN).filter(move |at| mask >> at & 1 == 1).map(move |at| first.wrapping_add(at))
        });
        Some(Self {
            sender: Ssrc(u32::from_be_bytes(*sender)),
            media: Ssrc(u32::from_be_bytes(*media)),
            sequences: sequences.map(Sequence).collect(),
        })
    }

    /// Appends the body of the packet. What does not fit into
    /// [`MAX_FIELDS`](Self::MAX_FIELDS) is left out.
    pub(super) fn write(&self, body: &mut Vec<u8>) {
        body.extend(self.sender.0.to_be_bytes());
        body.extend(self.media.0.to_be_bytes());
        let mut fields: Vec<(u16, u16)> = Vec::new();
        for Sequence(sequence) in &self.sequences {
            let has_room = fields.len() < Self::MAX_FIELDS;
            match fields.last_mut() {
                Some((first, mask)) if (1..SPAN).contains(&sequence.wrapping_sub(*first)) => {
                    *mask |= 1 << (sequence.wrapping_sub(*first) - 1);
                }
                Some((first, _)) if first == sequence => {}
                _ if has_room => fields.push((*sequence, 0)),
                _ => break,
            }
        }
        for (first, mask) in fields {
            body.extend(first.to_be_bytes());
            body.extend(mask.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(sequences: impl IntoIterator<Item = u16>) -> Vec<u8> {
        let sequences = sequences.into_iter().map(Sequence).collect();
        let mut body = Vec::new();
        Nack { sender: Ssrc(1), media: Ssrc(2), sequences }.write(&mut body);
        body
    }

    #[test]
    fn seventeen_packets_in_a_row_take_one_field() {
        assert_eq!(written(100..117)[8..], [0, 100, 0xFF, 0xFF]);
        assert_eq!(written(100..118).len(), 8 + 2 * 4);
        assert_eq!(written([7, 9])[8..], [0, 7, 0, 0b10]);
    }

    #[test]
    fn a_field_goes_on_across_the_wrap() {
        assert_eq!(written([65_535, 0, 2])[8..], [0xFF, 0xFF, 0, 0b101]);
    }

    #[test]
    fn no_more_fields_are_written_or_read_than_anybody_needs() {
        let far_apart = (0..100).map(|at| at * 20);
        let body = written(far_apart);
        assert_eq!(body.len(), 8 + 4 * Nack::MAX_FIELDS);
        let many = [&body[..8], &[0xFF; 4 * 300]].concat();
        let read = Nack::parse(&many).unwrap().sequences.len();
        assert_eq!(read, Nack::MAX_FIELDS * usize::from(SPAN));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(first: u16, gaps in prop::collection::vec(1u16..60, 0..60)) {
            let mut sequence = first;
            let sequences: Vec<_> = gaps.iter().map(|gap| {
                sequence = sequence.wrapping_add(*gap);
                Sequence(sequence)
            }).collect();
            let nack = Nack { sender: Ssrc(3), media: Ssrc(4), sequences };
            let mut body = Vec::new();
            nack.write(&mut body);
            prop_assert_eq!(Nack::parse(&body), Some(nack));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(body: Vec<u8>) {
            let read = Nack::parse(&body);
            prop_assert_eq!(read.is_some(), body.len() >= 8);
        }
    }
}
