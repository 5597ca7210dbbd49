//! The round trip as a receiver measures it (RFC 3611, sections 4.4 and 4.5).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     BT=5      |   reserved    |         block length          |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                   SSRC of the receiver                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         last RR (LRR)                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   delay since last RR (DLRR)                  |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! ```

use std::time::Duration;

use crate::rtp::Ssrc;
use crate::time::{MonoTime, NtpTime};

/// The echo of a receiver's reference time.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct ReferenceEcho {
    /// The receiver that it is for.
    pub ssrc: Ssrc,
    /// The middle 32 bits of its last reference time; 0 if there was none.
    pub last_rr: u32,
    /// Time from that one's arrival to this echo's departure, in 1/65536 s.
    pub delay_since_rr: u32,
}

impl ReferenceEcho {
    /// The echo that leaves at `now` for `ssrc`, whose `reference` came at `arrived`.
    pub fn new(now: MonoTime, ssrc: Ssrc, reference: NtpTime, arrived: MonoTime) -> Self {
        let held = (now.since(arrived).as_nanos() << 16) / 1_000_000_000;
        let delay_since_rr = u32::try_from(held).unwrap_or(u32::MAX);
        Self { ssrc, last_rr: reference.middle(), delay_since_rr }
    }

    /// The round trip, when this echo reaches the receiver at `now`: A - LRR - DLRR.
    ///
    /// `None` if there was no reference time, and if the result would be negative or beyond nine
    /// hours, which only a stepped clock or a broken peer can bring about.
    pub fn round_trip(&self, now: NtpTime) -> Option<Duration> {
        super::super::report::round_trip(now, self.last_rr, self.delay_since_rr)
    }

    pub(super) fn parse(contents: &[u8]) -> Option<Vec<Self>> {
        let (echoes, rest) = contents.as_chunks::<12>();
        let word = |echo: &[u8; 12], at: usize| {
            u32::from_be_bytes([echo[at], echo[at + 1], echo[at + 2], echo[at + 3]])
        };
        let read = |echo: &[u8; 12]| Self {
            ssrc: Ssrc(word(echo, 0)),
            last_rr: word(echo, 4),
            delay_since_rr: word(echo, 8),
        };
        rest.is_empty().then(|| echoes.iter().map(read).collect())
    }

    pub(super) fn write(echoes: &[Self], body: &mut Vec<u8>) {
        for echo in echoes {
            let words = [echo.ssrc.0, echo.last_rr, echo.delay_since_rr];
            body.extend(words.into_iter().flat_map(u32::to_be_bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_an_echo_was_held_is_no_part_of_the_round_trip() {
        let reference = NtpTime::from_unix(Duration::from_secs(1_700_000_000));
        let arrived = MonoTime::from_millis(5_000);
        let echo = ReferenceEcho::new(MonoTime::from_millis(5_400), Ssrc(1), reference, arrived);
        let back = reference.offset(Duration::from_millis(480).into());
        let trip = echo.round_trip(back).unwrap();
        assert!(trip.abs_diff(Duration::from_millis(80)) < Duration::from_micros(50), "{trip:?}");
    }

    #[test]
    fn without_a_reference_time_there_is_no_round_trip() {
        let echo = ReferenceEcho { ssrc: Ssrc(1), last_rr: 0, delay_since_rr: 0 };
        assert_eq!(echo.round_trip(NtpTime::from_bits(1 << 40)), None);
    }
}
