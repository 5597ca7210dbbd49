//! The frames of a sound at 48 or 44.1 kHz, whichever of them it has itself.
//!
//! One is brought to the other by `rubato`'s FFT resampler. Its filter is symmetric, with its
//! middle on a frame of both rates, so that its group delay is a whole number of frames and is
//! taken away exactly: frame 160 n at 48 kHz lies on frame 147 n at 44.1 kHz.

use super::EncodingError;
use crate::catalogue::AudioTrack;
use cantus_qos::time::ClockRate;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};
use std::fmt::Display;
use std::sync::Arc;

/// Frames of the source that are transformed at a time, as a multiple of the smallest number that
/// gives whole frames (147 for 44.1 kHz, 160 for 48 kHz). Even, so that half of it gives whole frames too; large
/// enough for a cut-off near 21.8 kHz.
const BLOCKS: usize = 8;

/// The number of frames that `track` has at `rate`, the last one possibly begun only.
pub(super) fn frames_at(rate: ClockRate, track: &AudioTrack) -> u64 {
    let (source, target) = (u64::from(track.format.rate.hz()), u64::from(rate.hz()));
    (track.frames * target).div_ceil(source)
}

/// Reads a sound from a place in it to its end, and silence after it, at one rate.
pub(super) struct FramesAt {
    track: Arc<AudioTrack>,
    /// The next frame of the source.
    position: u64,
    converter: Option<Converter>,
}

struct Converter {
    resampler: Fft<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    /// Samples of `output` that have been handed out.
    taken: usize,
}

impl FramesAt {
    /// Reads at `rate` from the frame `begin`, counted at that rate.
    pub(super) fn begin(
        rate: ClockRate,
        track: Arc<AudioTrack>,
        begin: u64,
    ) -> Result<Self, EncodingError> {
        let mut frames = Self { track, position: begin, converter: None };
        if frames.track.format.rate != rate {
            let converter = Converter::new(&frames.track, rate)?;
            // Whole transforms: two before, since each reaches into the next.
            let channels = usize::from(frames.track.format.channels);
            let (source, result) = converter.frames(channels);
            let transforms = (begin / result).saturating_sub(2);
            frames.position = transforms * source;
            frames.converter = Some(converter);
            frames.skip_delay()?;
            frames.skip((begin - transforms * result) as usize)?;
        }
        Ok(frames)
    }

    /// Frames of the source that were read.
    #[cfg(test)]
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Fills `out` with the next frames, interleaved.
    pub(super) fn read(&mut self, out: &mut [f32]) -> Result<(), EncodingError> {
        let Some(converter) = &mut self.converter else {
            read_source(&self.track, &mut self.position, out);
            return Ok(());
        };
        let mut filled = 0;
        while filled < out.len() {
            if converter.taken == converter.output.len() {
                read_source(&self.track, &mut self.position, &mut converter.input);
                converter.convert()?;
            }
            let ready = &converter.output[converter.taken..];
            let count = ready.len().min(out.len() - filled);
            out[filled..filled + count].copy_from_slice(&ready[..count]);
            converter.taken += count;
            filled += count;
        }
        Ok(())
    }

    /// Reads over what the resampler gives before the first frame of the source.
    fn skip_delay(&mut self) -> Result<(), EncodingError> {
        let delay =
            self.converter.as_ref().map_or(0, |converter| converter.resampler.output_delay());
        self.skip(delay)
    }

    fn skip(&mut self, frames: usize) -> Result<(), EncodingError> {
        self.read(&mut vec![0.0; frames * usize::from(self.track.format.channels)])
    }
}

fn read_source(track: &AudioTrack, position: &mut u64, out: &mut [f32]) {
    let frames = track.copy_f32(*position, out);
    out[frames * usize::from(track.format.channels)..].fill(0.0);
    *position += frames as u64;
}

impl Converter {
    fn new(track: &AudioTrack, target: ClockRate) -> Result<Self, EncodingError> {
        let rate = track.format.rate.hz() as usize;
        let target = target.hz() as usize;
        let channels = usize::from(track.format.channels);
        let chunk = BLOCKS * rate / greatest_common_divisor(rate, target);
        let resampler =
            Fft::new(rate, target, chunk, channels, FixedSync::Both).map_err(refused)?;
        let input = vec![0.0; resampler.input_frames_next() * channels];
        let output = vec![0.0; resampler.output_frames_next() * channels];
        Ok(Self { resampler, input, taken: output.len(), output })
    }

    /// Frames of the source and of the result that one transform takes and gives.
    fn frames(&self, channels: usize) -> (u64, u64) {
        ((self.input.len() / channels) as u64, (self.output.len() / channels) as u64)
    }

    fn convert(&mut self) -> Result<(), EncodingError> {
        let channels = self.resampler.nbr_channels();
        let (frames_in, frames_out) = (self.input.len() / channels, self.output.len() / channels);
        let input = InterleavedSlice::new(&self.input, channels, frames_in).map_err(refused)?;
        let mut output =
            InterleavedSlice::new_mut(&mut self.output, channels, frames_out).map_err(refused)?;
        self.resampler.process_into_buffer(&input, &mut output, None).map_err(refused)?;
        self.taken = 0;
        Ok(())
    }
}

fn refused(error: impl Display) -> EncodingError {
    EncodingError::Resampler { message: error.to_string() }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
