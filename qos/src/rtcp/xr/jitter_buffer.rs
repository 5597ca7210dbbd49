//! How long a receiver buffers what arrives, to even out its jitter (RFC 7005).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     BT=23     |I=1|C| reserved|       block length = 3        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                        SSRC of source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          JB nominal           |          JB maximum           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      JB high water mark       |       JB low water mark       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! All delays are in milliseconds.

use std::time::Duration;

use crate::rtp::Ssrc;

/// The interval metric flag: what is told is sampled, not measured over an interval.
const INTERVAL: u8 = 0xC0;
const SAMPLED: u8 = 0x40;
const ADAPTIVE: u8 = 0x20;

/// What stands for a delay that is too long to be told, and for one that is not known.
const TOO_LONG: u16 = 0xFFFE;
const UNKNOWN: u16 = 0xFFFF;

/// The buffer that evens out the jitter of a stream. The marks, between which its delay was of
/// late, are not told: who is told the delay as often as it is adapted knows them.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct JitterBuffer {
    /// The stream that is reported on.
    pub ssrc: Ssrc,
    /// Whether the delay follows the jitter.
    pub adaptive: bool,
    /// How long a packet is buffered that takes as long as packets usually do.
    pub nominal: Option<Duration>,
    /// How long one may be buffered at most.
    pub maximum: Option<Duration>,
}

impl JitterBuffer {
    /// The octet behind the block type.
    pub(super) fn flags(&self) -> u8 {
        if self.adaptive { SAMPLED | ADAPTIVE } else { SAMPLED }
    }

    /// A block that is said to be measured over an interval is none (section 4.1).
    pub(super) fn parse(flags: u8, contents: &[u8]) -> Option<Self> {
        let contents: &[u8; 12] = contents.try_into().ok()?;
        let &[a, b, c, d, e, f, g, h, ..] = contents;
        let delay = |bytes: [u8; 2]| match u16::from_be_bytes(bytes) {
            UNKNOWN => None,
            millis => Some(Duration::from_millis(millis.into())),
        };
        (flags & INTERVAL == SAMPLED).then(|| Self {
            ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
            adaptive: flags & ADAPTIVE != 0,
            nominal: delay([e, f]),
            maximum: delay([g, h]),
        })
    }

    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let millis = |delay: Option<Duration>| {
            let told = |delay: Duration| u16::try_from(delay.as_millis()).unwrap_or(TOO_LONG);
            delay.map_or(UNKNOWN, |delay| told(delay).min(TOO_LONG))
        };
        body.extend(self.ssrc.0.to_be_bytes());
        let marks = [UNKNOWN; 2];
        for told in [millis(self.nominal), millis(self.maximum)].into_iter().chain(marks) {
            body.extend(told.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUFFER: JitterBuffer = JitterBuffer {
        ssrc: Ssrc(9),
        adaptive: true,
        nominal: Some(Duration::from_millis(40)),
        maximum: Some(Duration::from_secs(1)),
    };

    #[test]
    fn delays_are_told_in_milliseconds_and_what_is_not_known_by_all_ones() {
        let mut body = Vec::new();
        BUFFER.write(&mut body);
        assert_eq!(body, [0, 0, 0, 9, 0, 40, 0x03, 0xE8, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(JitterBuffer::parse(BUFFER.flags(), &body), Some(BUFFER));
        body.clear();
        let endless = Some(Duration::from_secs(100));
        JitterBuffer { nominal: endless, maximum: None, ..BUFFER }.write(&mut body);
        assert_eq!(body[4..8], [0xFF, 0xFE, 0xFF, 0xFF]);
    }

    #[test]
    fn only_sampled_delays_are_read() {
        let mut body = Vec::new();
        BUFFER.write(&mut body);
        for flags in [0x00, 0x80, 0xC0] {
            assert_eq!(JitterBuffer::parse(flags, &body), None);
        }
        assert!(JitterBuffer::parse(0x40, &body).is_some_and(|buffer| !buffer.adaptive));
    }
}
