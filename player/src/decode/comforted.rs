//! Any decoder, with noise in long outages.

use cantus_qos::payload::AudioFormat;
use cantus_qos::playout::ComfortNoise;

use super::{DecodeError, Decoder};

/// A decoder whose concealment, where it fades, gives way to noise as low as the background was.
pub struct Comforted<D> {
    inner: D,
    noise: ComfortNoise,
}

impl<D: Decoder> Comforted<D> {
    /// The same of `inner`, which decodes to `format`.
    pub fn new(inner: D, format: AudioFormat) -> Self {
        Self { inner, noise: ComfortNoise::new(format) }
    }
}

impl<D: Decoder> Decoder for Comforted<D> {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<usize, DecodeError> {
        let start = out.len();
        let frames = self.inner.decode(payload, out)?;
        self.noise.heard(&mut out[start..]);
        Ok(frames)
    }

    fn conceal(&mut self, frames: usize, out: &mut Vec<f32>) {
        let start = out.len();
        self.inner.conceal(frames, out);
        self.noise.made_up(&mut out[start..]);
    }

    fn reset(&mut self) {
        self.inner.reset();
        self.noise.reset();
    }
}
