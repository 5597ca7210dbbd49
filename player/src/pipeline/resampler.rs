//! A little more or a little less of the same sound, at another pitch that nobody hears.

use cantus_qos::payload::AudioFormat;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, Resampler as _, Resizable, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};

#[cfg(test)]
mod tests;

/// Taps of the filter: it lets through what Opus codes (20 kHz of 48), and takes 2 % of a core at
/// most.
const TAPS: usize = 128;
/// Between two points of the filter there are so many more, and a straight line between those: what
/// that does not meet is 94 dB below the sound.
const POINTS: usize = 256;
/// The filter sees so much of what comes after a frame.
const LOOK_AHEAD: usize = TAPS / 2 - 1;
/// Frames that went in and have not come out: the look-ahead, and two that rubato keeps.
const HELD: usize = LOOK_AHEAD + 2;
/// Sound before the first resampled frame that the filter sees.
const HISTORY: usize = 2 * TAPS;
/// Frames that are converted at once at most.
const CHUNK: usize = 4_096;
/// The ratio stays within 1 % of one, far beyond any quartz.
const MOST: f64 = 1.01;

/// Copies blocks until it is told to change their length, and then resamples them.
///
/// The change is seamless: the filter is primed with what was copied, and its first frame is the
/// one after the last that was copied. From then on it holds back what its filter has to see of the
/// sound to come, 1.4 ms at 48 kHz. The ratio glides from block to block.
pub(super) struct Resampler {
    channels: usize,
    /// What was last copied, interleaved; only as long as nothing is resampled.
    history: Vec<f32>,
    converter: Option<Async<f32>>,
    /// Frames that the converter still gives of what was heard already.
    heard: usize,
}

impl Resampler {
    /// A resampler that copies.
    pub(super) fn new(format: AudioFormat) -> Self {
        let channels = usize::from(format.channels.max(1));
        Self { channels, history: vec![0.0; HISTORY * channels], converter: None, heard: 0 }
    }

    /// Frames that went in and have not come out.
    pub(super) fn held(&self) -> usize {
        if self.converter.is_some() { HELD } else { 0 }
    }

    /// The next block, of `1 + stretch` times as many frames.
    ///
    /// With `None` before anything was ever stretched it is left as it is, to the bit.
    pub(super) fn pass(&mut self, block: Vec<f32>, stretch: Option<f64>) -> Vec<f32> {
        if self.converter.is_none() {
            match stretch {
                None => {
                    self.remember(&block);
                    return block;
                }
                Some(_) => self.start(),
            }
        }
        let ratio = (1.0 + stretch.unwrap_or_default()).clamp(1.0 / MOST, MOST);
        let mut out = Vec::with_capacity(block.len() + 16 * self.channels);
        for chunk in block.chunks(CHUNK * self.channels) {
            self.convert(chunk, ratio, &mut out);
        }
        out
    }

    /// Appends what is held back: no block follows.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) {
        if self.converter.is_some() {
            self.convert(&vec![0.0; HELD * self.channels], 1.0, out);
            self.converter = None;
        }
    }

    fn remember(&mut self, block: &[f32]) {
        self.history.extend_from_slice(block);
        let beyond = self.history.len().saturating_sub(HISTORY * self.channels);
        self.history.drain(..beyond);
    }

    fn start(&mut self) {
        let filter = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris)
            .oversampling_factor(POINTS)
            .interpolation(SincInterpolationType::Linear);
        let converter =
            Async::new_sinc(1.0, MOST, &filter, CHUNK, self.channels, FixedAsync::Input);
        self.converter = Some(converter.expect("constants that rubato takes"));
        let history = std::mem::take(&mut self.history);
        let mut primed = Vec::new();
        self.convert(&history, 1.0, &mut primed);
        // The filter is late by its look-ahead: this much of the history is still to come.
        self.heard = HISTORY + LOOK_AHEAD - primed.len() / self.channels;
    }

    fn convert(&mut self, chunk: &[f32], ratio: f64, out: &mut Vec<f32>) {
        let Some(converter) = &mut self.converter else { return };
        let (channels, frames) = (self.channels, chunk.len() / self.channels);
        if frames == 0 {
            return;
        }
        let start = out.len();
        // Sizes and ratios are within what it was made for: a refusal is a bug of ours.
        converter.set_chunk_size(frames).expect("a chunk that it was made for");
        converter.set_resample_ratio(ratio, true).expect("a ratio that it was made for");
        let next = converter.output_frames_next();
        out.resize(start + next * channels, 0.0);
        let input = InterleavedSlice::new(chunk, channels, frames).expect("whole frames");
        let mut output =
            InterleavedSlice::new_mut(&mut out[start..], channels, next).expect("whole frames");
        converter.process_into_buffer(&input, &mut output, None).expect("buffers that fit");
        let heard = self.heard.min(next);
        self.heard -= heard;
        out.drain(start..start + heard * channels);
    }
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler")
            .field("channels", &self.channels)
            .field("ratio", &self.converter.as_ref().map(|it| it.resample_ratio()))
            .finish_non_exhaustive()
    }
}
