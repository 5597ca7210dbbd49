//! Extended reports: more about how a stream arrives than a report block tells (RFC 3611, 7005).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|reserved |   PT=XR=207   |             length            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              SSRC                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  block type   | type-specific |         block length          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   block contents, more blocks                 |
//! ```

mod jitter_buffer;
mod loss_rle;
mod reference_time;
mod statistics;

pub use jitter_buffer::JitterBuffer;
pub use loss_rle::{LossRle, Run};
pub use reference_time::ReferenceEcho;
pub use statistics::{JitterSummary, StatisticsSummary};

use crate::rtp::Ssrc;
use crate::time::NtpTime;

const LOSS_RLE: u8 = 1;
const REFERENCE_TIME: u8 = 4;
const DELAY_SINCE_LAST: u8 = 5;
const STATISTICS: u8 = 6;
const JITTER_BUFFER: u8 = 23;

/// What a participant says beyond its sender or receiver report.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct ExtendedReport {
    /// Who reports.
    pub ssrc: Ssrc,
    /// What it says, in any order.
    pub blocks: Vec<XrBlock>,
}

/// One report block of an extended report.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum XrBlock {
    /// Which packets were lost (section 4.1).
    LossRle(LossRle),
    /// The wall clock of a receiver, so that it can measure the round trip (section 4.4).
    ReferenceTime(NtpTime),
    /// The answer to that, for each receiver (section 4.5).
    DelaySinceLast(Vec<ReferenceEcho>),
    /// Loss, duplicates and jitter over a span of packets (section 4.6).
    Statistics(StatisticsSummary),
    /// How long the receiver buffers what arrives (RFC 7005).
    JitterBuffer(JitterBuffer),
    /// A block that is of no interest here.
    Other {
        /// The block type on the wire.
        block_type: u8,
    },
}

impl ExtendedReport {
    /// Reads the packet behind its common header; `None` where a block does not fit into it.
    /// Blocks that fit and yet cannot be read become [`XrBlock::Other`].
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (ssrc, mut rest) = body.split_first_chunk()?;
        let mut blocks = Vec::new();
        while !rest.is_empty() {
            let (&[block_type, specific, high, low], contents) = rest.split_first_chunk()?;
            let length = 4 * usize::from(u16::from_be_bytes([high, low]));
            let (contents, further) = contents.split_at_checked(length)?;
            let block = XrBlock::parse(block_type, specific, contents);
            blocks.push(block.unwrap_or(XrBlock::Other { block_type }));
            rest = further;
        }
        Some(Self { ssrc: Ssrc(u32::from_be_bytes(*ssrc)), blocks })
    }

    /// Appends the body of the packet.
    pub(super) fn write(&self, body: &mut Vec<u8>) {
        body.extend(self.ssrc.0.to_be_bytes());
        self.blocks.iter().for_each(|block| block.write(body));
    }
}

impl XrBlock {
    fn parse(block_type: u8, specific: u8, contents: &[u8]) -> Option<Self> {
        Some(match block_type {
            LOSS_RLE => Self::LossRle(LossRle::parse(specific, contents)?),
            REFERENCE_TIME => Self::ReferenceTime(NtpTime::from_bits(u64::from_be_bytes(
                contents.try_into().ok()?,
            ))),
            DELAY_SINCE_LAST => Self::DelaySinceLast(ReferenceEcho::parse(contents)?),
            STATISTICS => Self::Statistics(StatisticsSummary::parse(specific, contents)?),
            JITTER_BUFFER => Self::JitterBuffer(JitterBuffer::parse(specific, contents)?),
            _ => return None,
        })
    }

    fn write(&self, body: &mut Vec<u8>) {
        let start = body.len();
        let (block_type, specific) = match self {
            Self::LossRle(_) => (LOSS_RLE, 0),
            Self::ReferenceTime(_) => (REFERENCE_TIME, 0),
            Self::DelaySinceLast(_) => (DELAY_SINCE_LAST, 0),
            Self::Statistics(statistics) => (STATISTICS, statistics.flags()),
            Self::JitterBuffer(buffer) => (JITTER_BUFFER, buffer.flags()),
            Self::Other { .. } => return,
        };
        body.extend([block_type, specific, 0, 0]);
        match self {
            Self::LossRle(losses) => losses.write(body),
            Self::ReferenceTime(ntp) => body.extend(ntp.to_bits().to_be_bytes()),
            Self::DelaySinceLast(echoes) => ReferenceEcho::write(echoes, body),
            Self::Statistics(statistics) => statistics.write(body),
            Self::JitterBuffer(buffer) => buffer.write(body),
            Self::Other { .. } => {}
        }
        let words = ((body.len() - start) / 4 - 1) as u16;
        body[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::Sequence;
    use proptest::prelude::*;
    use std::time::Duration;

    fn block() -> impl Strategy<Value = XrBlock> {
        let runs = prop::collection::vec((any::<bool>(), 1u16..400), 0..20);
        let losses = (any::<u32>(), any::<u16>(), runs).prop_map(|(ssrc, begin, runs)| {
            let packets =
                runs.into_iter().flat_map(|(came, length)| (0..length).map(move |_| came));
            XrBlock::LossRle(LossRle::new(Ssrc(ssrc), Sequence(begin), packets))
        });
        let reference =
            any::<u64>().prop_map(|ntp| XrBlock::ReferenceTime(NtpTime::from_bits(ntp)));
        let echo = any::<[u32; 3]>().prop_map(|[ssrc, last_rr, delay_since_rr]| ReferenceEcho {
            ssrc: Ssrc(ssrc),
            last_rr,
            delay_since_rr,
        });
        let echoes = prop::collection::vec(echo, 0..4).prop_map(XrBlock::DelaySinceLast);
        let jitter = any::<[u32; 4]>().prop_map(|[least, most, mean, deviation]| JitterSummary {
            least,
            most,
            mean,
            deviation,
        });
        let numbers = (any::<u32>(), any::<[u16; 2]>());
        let statistics = (numbers, any::<[u32; 2]>(), proptest::option::of(jitter)).prop_map(
            |((ssrc, [begin, end]), [lost, duplicate], jitter)| {
                XrBlock::Statistics(StatisticsSummary {
                    ssrc: Ssrc(ssrc),
                    begin: Sequence(begin),
                    end: Sequence(end),
                    lost: Some(lost),
                    duplicate: Some(duplicate),
                    jitter,
                })
            },
        );
        let delay = || proptest::option::of((0u64..0xFFFF).prop_map(Duration::from_millis));
        let buffer = (any::<u32>(), any::<bool>(), delay(), delay()).prop_map(
            |(ssrc, adaptive, nominal, maximum)| {
                let ssrc = Ssrc(ssrc);
                XrBlock::JitterBuffer(JitterBuffer { ssrc, adaptive, nominal, maximum })
            },
        );
        prop_oneof![losses, reference, echoes, statistics, buffer]
    }

    #[test]
    fn a_reference_time_has_the_bytes_of_the_rfc() {
        let block = XrBlock::ReferenceTime(NtpTime::from_bits(0x0102_0304_0506_0708));
        let mut body = Vec::new();
        ExtendedReport { ssrc: Ssrc(9), blocks: vec![block] }.write(&mut body);
        assert_eq!(body, [0, 0, 0, 9, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn blocks_of_other_types_are_passed_over_unread() {
        let body = [0, 0, 0, 9, 7, 0, 0, 1, 1, 2, 3, 4, 4, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1];
        let report = ExtendedReport::parse(&body).unwrap();
        let reference = XrBlock::ReferenceTime(NtpTime::from_bits(1));
        assert_eq!(report.blocks, [XrBlock::Other { block_type: 7 }, reference]);
    }

    #[test]
    fn a_block_longer_than_the_packet_is_refused() {
        assert_eq!(ExtendedReport::parse(&[0, 0, 0, 9, 4, 0, 0, 2, 1, 2, 3, 4]), None);
        assert_eq!(ExtendedReport::parse(&[0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            ssrc: u32,
            blocks in prop::collection::vec(block(), 0..5),
        ) {
            let report = ExtendedReport { ssrc: Ssrc(ssrc), blocks };
            let mut body = Vec::new();
            report.write(&mut body);
            prop_assert_eq!(ExtendedReport::parse(&body), Some(report));
        }

        #[test]
        fn no_bytes_make_the_parser_panic_or_grow(
            block_type in prop_oneof![1u8..8, Just(23)],
            specific: u8,
            contents in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let words = contents.len() / 4;
            let header = [0, 0, 0, 9, block_type, specific, 0, words as u8];
            let body = [&header[..], &contents[..words * 4]].concat();
            let report = ExtendedReport::parse(&body).unwrap();
            if let [XrBlock::LossRle(losses)] = &report.blocks[..] {
                prop_assert!(losses.runs().len() <= contents.len() * 8);
            }
            let _ = ExtendedReport::parse(&contents);
        }
    }
}
