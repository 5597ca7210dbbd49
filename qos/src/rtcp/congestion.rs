//! Congestion control feedback: which packets of a stream arrived, and when (RFC 8888).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| FMT=11  |   PT = 205    |            length             |
//! |                 SSRC of RTCP packet sender                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     SSRC of 1st RTP stream                    |
//! |           begin_seq           |          num_reports          |
//! |R|ECN|  Arrival time offset    |R|ECN|  Arrival time offset    |
//! .                              ...                              .
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                        Report timestamp                       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! It travels alone, as a reduced-size packet (RFC 5506), between ends that know each other:
//! `a=rtcp-fb:* ack ccfb` announces it. ECN marks are neither sent nor read: what reaches a socket
//! does not show them.

use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use crate::rtp::{Sequence, Ssrc};
use crate::time::MonoTime;

/// Transport layer feedback (RFC 4585, section 6.1).
const RTPFB: u8 = 205;
/// The format of congestion control feedback.
const FORMAT: u8 = 11;

/// Common header and the SSRC of the sender.
const HEADER_LEN: usize = 8;
/// SSRC, first sequence number and count in front of the packets of a stream.
const STREAM_LEN: usize = 8;
/// The report timestamp at the end.
const TIMESTAMP_LEN: usize = 4;

/// The packet has arrived.
const RECEIVED: u16 = 0x8000;
/// The thirteen bits of the arrival time offset, in 1/1024 s.
const OFFSET: u16 = 0x1FFF;
/// It arrived longer ago than the offset can say.
const TOO_LONG_AGO: u16 = 0x1FFE;
/// It arrived at an instant that is not known.
const UNKNOWN: u16 = 0x1FFF;

/// Packets that one stream block may speak of: longer ones than any sender's memory are refused.
const MOST_PACKETS: usize = 1_024;
/// Stream blocks in one packet that are read.
const MOST_STREAMS: usize = 16;

/// Why bytes are no congestion control feedback.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Error)]
pub enum CongestionFeedbackError {
    /// Another packet, or none.
    #[error("not congestion control feedback (RFC 8888)")]
    Other,
    /// It ends before what it announces.
    #[error("congestion control feedback of {actual} bytes, which announces {expected}")]
    Truncated {
        /// Bytes that it must have.
        expected: usize,
        /// Bytes that it has.
        actual: usize,
    },
    /// It speaks of more than anybody remembers.
    #[error("congestion control feedback on {packets} packets of a stream, or {streams} streams")]
    TooLong {
        /// Packets of one stream.
        packets: usize,
        /// Streams.
        streams: usize,
    },
}

/// The receiver's clock when a report left: the middle 32 bits of an NTP timestamp, in 1/65536 s.
/// Only differences mean anything.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct ReportTime(pub u32);

impl ReportTime {
    /// The time by a monotonic clock.
    pub fn from_mono(now: MonoTime) -> Self {
        Self(((u128::from(now.as_nanos()) << 16) / 1_000_000_000) as u32)
    }
}

/// One stream in a [`CongestionFeedback`].
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct StreamFeedback {
    /// The stream.
    pub ssrc: Ssrc,
    /// The sequence number of the first packet that is spoken of.
    pub begin: Sequence,
    /// That packet and those that follow: how long before the report each arrived.
    pub packets: Vec<Arrived>,
}

/// What became of one packet.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Arrived {
    /// It had not arrived.
    No,
    /// It had, but the instant is not known, or was more than eight seconds ago.
    Sometime,
    /// It had, so long before the report, rounded to 1/1024 s.
    Before(Duration),
}

/// A congestion control feedback packet.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct CongestionFeedback {
    /// Who reports.
    pub ssrc: Ssrc,
    /// The streams reported on.
    pub streams: Vec<StreamFeedback>,
    /// When the report left.
    pub at: ReportTime,
}

impl CongestionFeedback {
    /// The packet in bytes. Streams and packets beyond what [`parse`](Self::parse) reads are left
    /// out.
    pub fn write(&self) -> Bytes {
        let mut data = vec![0x80 | FORMAT, RTPFB, 0, 0];
        data.extend(self.ssrc.0.to_be_bytes());
        for stream in self.streams.iter().take(MOST_STREAMS) {
            let packets = &stream.packets[..stream.packets.len().min(MOST_PACKETS)];
            data.extend(stream.ssrc.0.to_be_bytes());
            data.extend(stream.begin.0.to_be_bytes());
            data.extend((packets.len() as u16).to_be_bytes());
            data.extend(packets.iter().flat_map(|packet| packet.to_wire().to_be_bytes()));
            if packets.len() % 2 == 1 {
                data.extend([0, 0]);
            }
        }
        data.extend(self.at.0.to_be_bytes());
        let words = (data.len() / 4 - 1) as u16;
        data[2..4].copy_from_slice(&words.to_be_bytes());
        data.into()
    }

    /// Reads a packet that travels alone.
    ///
    /// # Errors
    ///
    /// Another packet, one that is cut off, or one that is longer than any of ours can be.
    pub fn parse(data: &[u8]) -> Result<Self, CongestionFeedbackError> {
        let [first, RTPFB, high, low, ..] = *data else {
            return Err(CongestionFeedbackError::Other);
        };
        if first != 0x80 | FORMAT {
            return Err(CongestionFeedbackError::Other);
        }
        let expected = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        let truncated = CongestionFeedbackError::Truncated { expected, actual: data.len() };
        let data = data.get(..expected).filter(|data| data.len() >= HEADER_LEN + TIMESTAMP_LEN);
        let data = data.ok_or(truncated)?;
        let (mut blocks, at) = data[HEADER_LEN..].split_at(expected - HEADER_LEN - TIMESTAMP_LEN);
        let mut streams = Vec::new();
        while !blocks.is_empty() {
            let (stream, rest) = StreamFeedback::parse(blocks).ok_or(truncated)?;
            let packets = stream.packets.len();
            streams.push(stream);
            if packets > MOST_PACKETS || streams.len() > MOST_STREAMS {
                let streams = streams.len();
                return Err(CongestionFeedbackError::TooLong { packets, streams });
            }
            blocks = rest;
        }
        Ok(Self { ssrc: Ssrc(word(&data[4..8])), streams, at: ReportTime(word(at)) })
    }
}

impl StreamFeedback {
    /// The first block of `data`, and what is behind it; `None` if it is cut off.
    fn parse(data: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = data.split_at_checked(STREAM_LEN)?;
        let count = usize::from(u16::from_be_bytes([head[6], head[7]]));
        let (packets, rest) = rest.split_at_checked((2 * count).next_multiple_of(4))?;
        let packets = packets.chunks_exact(2).take(count);
        let packets = packets.map(|it| Arrived::from_wire(u16::from_be_bytes([it[0], it[1]])));
        let begin = Sequence(u16::from_be_bytes([head[4], head[5]]));
        Some((Self { ssrc: Ssrc(word(head)), begin, packets: packets.collect() }, rest))
    }
}

impl Arrived {
    fn to_wire(self) -> u16 {
        match self {
            Self::No => 0,
            Self::Sometime => RECEIVED | UNKNOWN,
            Self::Before(span) => {
                let offset = (span.as_nanos() * 1_024 + 500_000_000) / 1_000_000_000;
                RECEIVED | u16::try_from(offset).unwrap_or(TOO_LONG_AGO).min(TOO_LONG_AGO)
            }
        }
    }

    fn from_wire(bits: u16) -> Self {
        match bits & OFFSET {
            _ if bits & RECEIVED == 0 => Self::No,
            TOO_LONG_AGO | UNKNOWN => Self::Sometime,
            offset => Self::Before(Duration::from_nanos(u64::from(offset) * 1_000_000_000 / 1_024)),
        }
    }
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |word, byte| word << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feedback(packets: Vec<Arrived>) -> CongestionFeedback {
        let stream = StreamFeedback { ssrc: Ssrc(7), begin: Sequence(65_535), packets };
        CongestionFeedback { ssrc: Ssrc(1), streams: vec![stream], at: ReportTime(0x0102_0304) }
    }

    #[test]
    fn the_bits_lie_as_the_rfc_draws_them() {
        let packets = vec![Arrived::Before(Duration::from_secs(1)), Arrived::No, Arrived::Sometime];
        #[rustfmt::skip]
        let expected = [
            0x8B, 205, 0, 6, 0, 0, 0, 1,
            0, 0, 0, 7, 0xFF, 0xFF, 0, 3,
            0x84, 0x00, 0, 0, 0x9F, 0xFF, 0, 0,
            1, 2, 3, 4,
        ];
        assert_eq!(&feedback(packets).write()[..], expected);
    }

    #[test]
    fn the_report_time_is_the_middle_of_the_clock() {
        assert_eq!(ReportTime::from_mono(MonoTime::from_millis(1_500)), ReportTime(0x1_8000));
        let wrapped = MonoTime::from_millis(65_536_000);
        assert_eq!(ReportTime::from_mono(wrapped), ReportTime(0));
    }

    #[test]
    fn what_is_cut_off_or_another_packet_is_refused() {
        let data = feedback(vec![Arrived::No; 4]).write();
        let cut = CongestionFeedback::parse(&data[..data.len() - 4]);
        assert!(matches!(cut, Err(CongestionFeedbackError::Truncated { .. })), "{cut:?}");
        let mut nack = data.to_vec();
        nack[0] = 0x81;
        assert_eq!(CongestionFeedback::parse(&nack), Err(CongestionFeedbackError::Other));
        let mut long = data.to_vec();
        long[15] = 200;
        let long = CongestionFeedback::parse(&long);
        assert!(matches!(long, Err(CongestionFeedbackError::Truncated { .. })), "{long:?}");
    }

    #[test]
    fn more_packets_than_anybody_remembers_are_refused() {
        let mut data = feedback(vec![Arrived::No; 2_000]).write().to_vec();
        assert_eq!(CongestionFeedback::parse(&data).unwrap().streams[0].packets.len(), 1_024);
        data[2..4].copy_from_slice(&1_006u16.to_be_bytes());
        data.resize(4 * 1_007, 0);
        data[14..16].copy_from_slice(&2_000u16.to_be_bytes());
        let parsed = CongestionFeedback::parse(&data);
        let expected = CongestionFeedbackError::TooLong { packets: 2_000, streams: 1 };
        assert_eq!(parsed, Err(expected));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_within_half_a_millisecond(
            millis in prop::collection::vec(prop::option::of(0u64..7_900), 0..40),
        ) {
            let before = |at: Option<u64>| {
                at.map_or(Arrived::No, |at| Arrived::Before(Duration::from_millis(at)))
            };
            let sent = feedback(millis.into_iter().map(before).collect());
            let read = CongestionFeedback::parse(&sent.write()).unwrap();
            prop_assert_eq!((read.ssrc, read.at), (sent.ssrc, sent.at));
            let pairs = read.streams[0].packets.iter().zip(&sent.streams[0].packets);
            for (read, sent) in pairs {
                match (read, sent) {
                    (Arrived::Before(read), Arrived::Before(sent)) => {
                        prop_assert!(read.abs_diff(*sent) < Duration::from_micros(489));
                    }
                    pair => prop_assert_eq!(pair.0, pair.1),
                }
            }
        }

        #[test]
        fn noise_is_never_more_than_refused(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = CongestionFeedback::parse(&data);
            let mut data = data;
            if data.len() >= 2 {
                data[..2].copy_from_slice(&[0x8B, 205]);
                let _ = CongestionFeedback::parse(&data);
            }
        }
    }
}
