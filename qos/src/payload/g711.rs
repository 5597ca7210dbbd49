//! Logarithmic audio of 8 bits a sample (ITU-T G.711; RFC 3551, section 4.5.14).
//!
//! An octet is a sign, three bits of exponent and four of mantissa, stored with some of its bits
//! inverted, so that silence is not all zeros on a telephone line:
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! |s| exp |  man  |
//! +-+-+-+-+-+-+-+-+
//! ```
//!
//! What it stands for has 14 bits (mu-law) or 13 (A-law), here the upper ones of 16.

use super::{AudioFormat, PayloadError};
use crate::time::MediaTime;

/// One octet.
const BYTES_PER_SAMPLE: usize = 1;

/// The scale on which samples are written.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Law {
    /// Of North America and Japan: PCMU.
    Mu,
    /// Of the rest of the world: PCMA.
    A,
}

/// How long the audio of a payload lasts.
///
/// # Errors
///
/// [`PayloadError::PartialFrame`] where the payload ends inside a frame, or holds none.
pub fn duration(payload: &[u8], format: AudioFormat) -> Result<MediaTime, PayloadError> {
    format.duration_of(payload, BYTES_PER_SAMPLE)
}

/// Reads a payload as interleaved samples.
///
/// # Errors
///
/// [`PayloadError::PartialFrame`] where the payload ends inside a frame.
pub fn decode(law: Law, payload: &[u8], format: AudioFormat) -> Result<Vec<i16>, PayloadError> {
    format.frames_in(payload, BYTES_PER_SAMPLE)?;
    Ok(payload.iter().map(|octet| law.sample(*octet)).collect())
}

impl Law {
    /// What an octet stands for.
    pub const fn sample(self, octet: u8) -> i16 {
        let bits = match self {
            Self::Mu => !octet,
            Self::A => octet ^ 0x55,
        };
        let (exponent, mantissa) = ((bits >> 4) & 0b111, (bits & 0b1111) as i16);
        match self {
            // Steps double from one exponent to the next, and all are 33 * 4 too high.
            Self::Mu => {
                let magnitude = (((mantissa << 3) | 0x84) << exponent) - 0x84;
                if bits & 0x80 != 0 { -magnitude } else { magnitude }
            }
            // The first two exponents have the same steps.
            Self::A => {
                let magnitude = match exponent {
                    0 => (mantissa << 4) | 8,
                    _ => ((mantissa << 4) | 0x108) << (exponent - 1),
                };
                if bits & 0x80 != 0 { magnitude } else { -magnitude }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All octets in the order of what they stand for.
    fn scale(law: Law) -> Vec<i16> {
        let mut scale: Vec<i16> = (0..=u8::MAX).map(|octet| law.sample(octet)).collect();
        scale.sort_unstable();
        scale
    }

    #[test]
    fn the_octets_of_the_tables_of_g_711_stand_for_their_values() {
        // G.711, tables 2a and 2b (mu-law), 1a and 1b (A-law), in 16 bits.
        let mu = [(0x80, 32_124), (0x8f, 16_764), (0x9f, 8_316), (0xff, 0), (0xfe, 8), (0xef, 132)];
        for (octet, value) in mu {
            assert_eq!(Law::Mu.sample(octet), value, "{octet:#x}");
            assert_eq!(Law::Mu.sample(octet & 0x7f), -value, "{octet:#x}");
        }
        let a = [(0xaa, 32_256), (0xa5, 16_896), (0xb5, 8_448), (0xd5, 8), (0xd4, 24), (0xc5, 264)];
        for (octet, value) in a {
            assert_eq!(Law::A.sample(octet), value, "{octet:#x}");
            assert_eq!(Law::A.sample(octet & 0x7f), -value, "{octet:#x}");
        }
    }

    #[test]
    fn scales_are_as_long_below_zero_as_above() {
        for law in [Law::Mu, Law::A] {
            let scale = scale(law);
            let mirrored: Vec<i16> = scale.iter().rev().map(|sample| -sample).collect();
            assert_eq!(scale, mirrored, "{law:?}");
        }
    }

    #[test]
    fn every_octet_stands_for_another_value_but_for_the_two_zeros_of_the_mu_law() {
        for (law, values) in [(Law::Mu, 255), (Law::A, 256)] {
            let mut scale = scale(law);
            scale.dedup();
            assert_eq!(scale.len(), values, "{law:?}");
        }
    }

    #[test]
    fn a_payload_is_as_long_as_it_has_frames() {
        let telephone = AudioFormat::new(8_000, 1).unwrap();
        let stereo = AudioFormat::new(8_000, 2).unwrap();
        assert_eq!(duration(&[0xff; 160], telephone), Ok(MediaTime::from_millis(20)));
        assert_eq!(duration(&[0xff; 160], stereo), Ok(MediaTime::from_millis(10)));
        assert!(duration(&[], telephone).is_err());
        assert_eq!(decode(Law::Mu, &[0xff, 0x80], stereo), Ok(vec![0, 32_124]));
        let partial = PayloadError::PartialFrame { bytes: 3, frame: 2 };
        assert_eq!(decode(Law::A, &[0; 3], stereo), Err(partial.clone()));
        assert_eq!(duration(&[0; 3], stereo), Err(partial));
    }
}
