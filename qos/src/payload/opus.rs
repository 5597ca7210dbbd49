//! What an Opus packet says of itself in its first bytes (RFC 6716, section 3.1).
//!
//! An RTP payload is exactly one Opus packet (RFC 7587, section 4.2). It begins with the
//! *table-of-contents* byte:
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! | config  |s| c |
//! +-+-+-+-+-+-+-+-+
//! ```
//!
//! `config` gives mode, bandwidth and frame length, `s` is set for stereo, and `c` tells the
//! number of frames: 0: one; 1: two of the same size; 2: two of different sizes; 3: as many as
//! the low six bits of the next byte say. A packet of this byte alone is silence (DTX).

mod framing;

pub use framing::{frames, join};

use super::PayloadError;
use crate::time::{ClockRate, MediaTime};

/// A packet lasts 120 ms at most (RFC 6716, section 3.4, R5), in ticks of 48 kHz.
const LONGEST: i64 = 5_760;

/// How long the audio of a packet lasts: 2.5 to 120 ms.
///
/// # Errors
///
/// [`PayloadError::Opus`] where the packet breaks one of the requirements R1, R2, R3 and R5 of
/// RFC 6716, section 3.4. The inside of the frames is left to the decoder.
pub fn duration(payload: &[u8]) -> Result<MediaTime, PayloadError> {
    let broken = |reason| PayloadError::Opus { bytes: payload.len(), reason };
    let (&toc, frames) = payload.split_first().ok_or_else(|| broken("it is empty"))?;
    let count = match toc & 0b11 {
        0 => 1,
        1 if frames.len() % 2 != 0 => return Err(broken("its two frames differ in size")),
        1 => 2,
        2 if !first_frame_fits(frames) => return Err(broken("its first frame is cut off")),
        2 => 2,
        _ => match frames.first().map(|byte| byte & 0b11_1111) {
            None => return Err(broken("its frame count is missing")),
            Some(0) => return Err(broken("it counts no frames")),
            Some(count) => i64::from(count),
        },
    };
    let ticks = frame_ticks(toc >> 3) * count;
    if ticks > LONGEST {
        return Err(broken("it lasts longer than 120 ms"));
    }
    Ok(MediaTime::from_ticks(ticks, ClockRate::OPUS))
}

/// Whether a packet is coded in stereo; `None` for an empty one. A decoder may play either as
/// either: `sprop-stereo` is a hint, not a promise (RFC 7587, section 7).
pub fn is_stereo(payload: &[u8]) -> Option<bool> {
    payload.first().map(|toc| toc & 0b100 != 0)
}

/// The length of one frame in ticks of 48 kHz (RFC 6716, table 2).
fn frame_ticks(config: u8) -> i64 {
    match (config, config & 0b11) {
        (0..12, size) => [480, 960, 1_920, 2_880][usize::from(size)],
        (12..16, size) => [480, 960][usize::from(size & 1)],
        (_, size) => [120, 240, 480, 960][usize::from(size)],
    }
}

/// Whether the size before the first of two frames leaves room for that frame (RFC 6716,
/// sections 3.2.1 and 3.2.4): one byte below 252, two from there on.
fn first_frame_fits(frames: &[u8]) -> bool {
    let (size, rest) = match *frames {
        [short @ 0..252, ref rest @ ..] => (usize::from(short), rest),
        [low, high, ref rest @ ..] => (usize::from(high) * 4 + usize::from(low), rest),
        _ => return false,
    };
    size <= rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(payload: &[u8]) -> Option<f64> {
        duration(payload).ok().map(|time| time.as_secs_f64() * 1e3)
    }

    #[test]
    fn every_configuration_has_its_frame_length() {
        let lengths = |configs: std::ops::Range<u8>| -> Vec<f64> {
            configs.map(|config| millis(&[config << 3, 0]).unwrap()).collect()
        };
        for silk in [0..4, 4..8, 8..12] {
            assert_eq!(lengths(silk), [10.0, 20.0, 40.0, 60.0]);
        }
        assert_eq!(lengths(12..16), [10.0, 20.0, 10.0, 20.0]);
        for celt in [16..20, 20..24, 24..28, 28..32] {
            assert_eq!(lengths(celt), [2.5, 5.0, 10.0, 20.0]);
        }
    }

    #[test]
    fn the_code_counts_the_frames() {
        let twenty = 31 << 3;
        assert_eq!(millis(&[twenty]), Some(20.0));
        assert_eq!(millis(&[twenty | 1, 7, 7]), Some(40.0));
        assert_eq!(millis(&[twenty | 2, 1, 7, 7]), Some(40.0));
        assert_eq!(millis(&[twenty | 3, 3, 7, 7, 7]), Some(60.0));
    }

    #[test]
    fn a_packet_lasts_at_most_120_ms() {
        assert_eq!(millis(&[31 << 3 | 3, 6]), Some(120.0));
        assert_eq!(millis(&[31 << 3 | 3, 7]), None);
        assert_eq!(millis(&[16 << 3 | 3, 48]), Some(120.0));
        assert_eq!(millis(&[16 << 3 | 3, 49]), None);
    }

    #[test]
    fn malformed_packets_are_refused() {
        let celt = 31 << 3;
        let empty = PayloadError::Opus { bytes: 0, reason: "it is empty" };
        assert_eq!(duration(&[]), Err(empty));
        assert_eq!(millis(&[celt | 1, 7]), None, "R3");
        assert_eq!(millis(&[celt | 2]), None, "no size");
        assert_eq!(millis(&[celt | 2, 252]), None, "half a size");
        assert_eq!(millis(&[celt | 2, 2, 7]), None, "one byte short");
        assert_eq!(millis(&[celt | 2, 252, 0, 7]), None, "252 bytes announced");
        assert_eq!(millis(&[celt | 3]), None, "no count");
        assert_eq!(millis(&[celt | 3, 0xc0]), None, "a count of zero");
    }

    #[test]
    fn the_stereo_bit_is_the_third_from_the_right() {
        assert_eq!(is_stereo(&[0b100]), Some(true));
        assert_eq!(is_stereo(&[0b1111_1011]), Some(false));
        assert_eq!(is_stereo(&[]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_none_last_longer_than_120_ms(
            payload in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            if let Ok(duration) = duration(&payload) {
                prop_assert!(duration > MediaTime::ZERO);
                prop_assert!(duration <= MediaTime::from_millis(120));
            }
        }
    }
}
