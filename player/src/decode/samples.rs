//! Sound each sample of which is coded by itself (RFC 3551, section 4.3): linear, or by G.711.

use cantus_qos::payload::g711::{self, Law};
use cantus_qos::payload::{AudioFormat, PayloadError, l16};
use cantus_qos::playout::Concealer;

use super::{DecodeError, Decoder};

/// Decodes 16-bit samples exactly: dividing by 32,768 loses nothing, so a WAV file of what was
/// heard holds the samples that were sent.
#[derive(Debug)]
pub struct SampleDecoder {
    coding: Coding,
    format: AudioFormat,
    concealer: Concealer,
}

#[derive(Copy, Clone, Debug)]
enum Coding {
    L16,
    G711(Law),
}

impl SampleDecoder {
    /// A decoder of linear samples in `format`.
    pub fn l16(format: AudioFormat) -> Self {
        Self::new(Coding::L16, format)
    }

    /// A decoder of samples on the scale of `law` in `format`.
    pub fn g711(law: Law, format: AudioFormat) -> Self {
        Self::new(Coding::G711(law), format)
    }

    fn new(coding: Coding, format: AudioFormat) -> Self {
        Self { coding, format, concealer: Concealer::new(format) }
    }

    fn read(&self, payload: &[u8]) -> Result<Vec<i16>, PayloadError> {
        match self.coding {
            Coding::L16 => l16::decode(payload, self.format),
            Coding::G711(law) => g711::decode(law, payload, self.format),
        }
    }
}

impl Decoder for SampleDecoder {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<usize, DecodeError> {
        let samples = self.read(payload)?;
        let start = out.len();
        out.extend(samples.iter().map(|&sample| f32::from(sample) / 32_768.0));
        self.concealer.heard(&mut out[start..]);
        Ok(samples.len() / usize::from(self.format.channels))
    }

    fn conceal(&mut self, frames: usize, out: &mut Vec<f32>) {
        self.concealer.conceal(frames, out);
    }

    fn reset(&mut self) {
        self.concealer = Concealer::new(self.format);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_qos::time::ClockRate;
    use proptest::prelude::*;

    fn decoder(channels: u8) -> SampleDecoder {
        SampleDecoder::l16(AudioFormat { rate: ClockRate::new(44_100).unwrap(), channels })
    }

    proptest! {
        #[test]
        fn every_sample_comes_back_exactly(samples in prop::collection::vec(any::<i16>(), 1..500)) {
            let mut out = Vec::new();
            let frames = decoder(1).decode(&l16::encode(&samples), &mut out).unwrap();
            prop_assert_eq!(frames, samples.len());
            let back: Vec<i16> = out.iter().map(|sample| (sample * 32_768.0) as i16).collect();
            prop_assert_eq!(back, samples);
        }
    }

    #[test]
    fn half_a_frame_is_an_error_and_leaves_no_samples() {
        let mut out = vec![0.5];
        assert!(decoder(2).decode(&[1, 2, 3, 4, 5, 6], &mut out).is_err());
        assert_eq!(out, [0.5]);
    }

    #[test]
    fn what_g_711_stands_for_comes_back_exactly_by_either_law() {
        for law in [Law::Mu, Law::A] {
            let mut decoder = SampleDecoder::g711(law, AudioFormat::new(8_000, 1).unwrap());
            let octets: Vec<u8> = (0..=u8::MAX).collect();
            let mut out = Vec::new();
            assert_eq!(decoder.decode(&octets, &mut out).unwrap(), 256);
            let back = out.iter().map(|sample| (sample * 32_768.0) as i16);
            assert!(back.eq(octets.iter().map(|octet| law.sample(*octet))), "{law:?}");
        }
    }

    #[test]
    fn a_gap_is_filled_to_the_frame() {
        let mut decoder = decoder(2);
        let mut out = Vec::new();
        let tone: Vec<i16> =
            (0..882).map(|n| ((n / 2) as f32 * 0.1).sin() * 9_000.0).map(|s| s as i16).collect();
        decoder.decode(&l16::encode(&tone), &mut out).unwrap();
        let before = out.len();
        decoder.conceal(441, &mut out);
        assert_eq!(out.len(), before + 882);
        assert!(out[before..].iter().any(|sample| sample.abs() > 0.05));
    }
}
