//! Linear audio of 16 bits a sample, in network byte order (RFC 3551, section 4.5.11).
//!
//! Samples of one frame follow each other, left before right; frames follow in time. A payload
//! holds whole frames only.

use bytes::{BufMut, Bytes, BytesMut};

use super::{AudioFormat, MAX_PAYLOAD, PayloadError};
use crate::time::MediaTime;

const BYTES_PER_SAMPLE: usize = 2;

/// How many frames go into one packet: as many as make up the longest of 20, 10, 5, 4, 2 or 1 ms
/// that is a whole number of frames and fits into [`MAX_PAYLOAD`].
///
/// Where no such span divides (stereo at 44.1 kHz), the longest that fits, rounded down to whole
/// frames; where even 1 ms does not fit, all that fits.
pub fn frames_per_packet(format: AudioFormat) -> usize {
    let hz = u64::from(format.rate.hz());
    let most = (MAX_PAYLOAD / format.frame_of(BYTES_PER_SAMPLE)).max(1);
    let frames = |millis: u64| (hz * millis / 1_000) as usize;
    let fits = |millis: &u64| (1..=most).contains(&frames(*millis));
    let divides = |millis: &u64| (hz * millis).is_multiple_of(1_000);

    let spans = [20, 10, 5, 4, 2, 1];
    let mut fitting = spans.into_iter().filter(fits);
    let longest = fitting.clone().next();
    fitting.find(divides).or(longest).map_or(most, frames)
}

/// Writes interleaved samples as a payload.
pub fn encode(samples: &[i16]) -> Bytes {
    let mut payload = BytesMut::with_capacity(samples.len() * BYTES_PER_SAMPLE);
    for sample in samples {
        payload.put_i16(*sample);
    }
    payload.freeze()
}

/// How long the audio of a payload lasts: its senders put as much into a packet as they like, and
/// not always the same (RFC 3551, section 4.2).
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
pub fn decode(payload: &[u8], format: AudioFormat) -> Result<Vec<i16>, PayloadError> {
    format.frames_in(payload, BYTES_PER_SAMPLE)?;
    let samples = payload.chunks_exact(BYTES_PER_SAMPLE);
    Ok(samples.map(|bytes| i16::from_be_bytes([bytes[0], bytes[1]])).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn format(hz: u32, channels: u8) -> AudioFormat {
        AudioFormat::new(hz, channels).unwrap()
    }

    #[test]
    fn packets_hold_a_whole_span_where_it_divides() {
        assert_eq!(frames_per_packet(format(48_000, 1)), 480);
        assert_eq!(frames_per_packet(format(48_000, 2)), 240);
        assert_eq!(frames_per_packet(format(44_100, 1)), 441);
        assert_eq!(frames_per_packet(format(16_000, 1)), 320);
        assert_eq!(frames_per_packet(format(8_000, 1)), 160);
        assert_eq!(frames_per_packet(format(96_000, 2)), 192);
    }

    #[test]
    fn stereo_at_44100_takes_five_milliseconds_rounded_down() {
        assert_eq!(frames_per_packet(format(44_100, 2)), 220);
    }

    #[test]
    fn samples_stand_in_network_byte_order() {
        assert_eq!(encode(&[1, -2]).as_ref(), [0x00, 0x01, 0xff, 0xfe]);
    }

    #[test]
    fn a_payload_that_ends_inside_a_frame_is_refused() {
        let stereo = format(48_000, 2);
        assert_eq!(decode(&[0; 4], stereo), Ok(vec![0, 0]));
        let partial = PayloadError::PartialFrame { bytes: 6, frame: 4 };
        assert_eq!(decode(&[0; 6], stereo), Err(partial));
        assert_eq!(decode(&[0; 6], format(48_000, 1)), Ok(vec![0, 0, 0]));
        assert_eq!(decode(&[], stereo), Ok(vec![]));
    }

    #[test]
    fn a_payload_lasts_as_long_as_its_frames() {
        let stereo = format(44_100, 2);
        assert_eq!(duration(&[0; 1_400], stereo), Ok(stereo.duration(350)));
        assert_eq!(duration(&[0; 1_400], format(48_000, 1)), Ok(format(48_000, 1).duration(700)));
        for bytes in [0, 1, 6] {
            let partial = PayloadError::PartialFrame { bytes, frame: 4 };
            assert_eq!(duration(&vec![0; bytes], stereo), Err(partial));
        }
    }

    proptest! {
        #[test]
        fn samples_survive_the_wire(samples in prop::collection::vec(any::<i16>(), 0..600)) {
            prop_assert_eq!(decode(&encode(&samples), format(48_000, 1)), Ok(samples));
        }

        #[test]
        fn every_format_has_packets_that_fit(hz in 1u32.., channels in 1u8..=2) {
            let format = format(hz, channels);
            let frames = frames_per_packet(format);
            prop_assert!(frames >= 1);
            prop_assert!(frames * format.frame_of(BYTES_PER_SAMPLE) <= MAX_PAYLOAD);
        }
    }
}
