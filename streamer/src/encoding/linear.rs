//! Samples of 16 bits, made as they are asked for, at the rate of the source or at another.
//!
//! At another rate they are made from where those that were asked for last ended, as is right for who
//! plays from beginning to end: no more of the source is resampled than is needed, and nothing kept.
//! Whoever asks for another place waits for a new resampler.

use super::EncodingError;
use super::resample::FramesAt;
use crate::catalogue::{AudioTrack, to_i16};
use cantus_qos::time::ClockRate;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The frames of one sound at one rate.
pub(super) struct LinearFrames {
    track: Arc<AudioTrack>,
    rate: ClockRate,
    resampled: Option<Mutex<Reading>>,
}

/// Where the resampler stands.
struct Reading {
    next: u64,
    frames: FramesAt,
    block: Vec<f32>,
}

impl LinearFrames {
    /// The frames of `track` at `rate`.
    pub(super) fn at(rate: ClockRate, track: &Arc<AudioTrack>) -> Result<Self, EncodingError> {
        let resampled = (track.format.rate != rate).then(|| Reading::begin(rate, track, 0));
        let resampled = resampled.transpose()?.map(Mutex::new);
        Ok(Self { track: Arc::clone(track), rate, resampled })
    }

    /// Fills `out`, interleaved, with the frames from `first` on. Returns how many of them there are;
    /// a resampled sound has silence after its end.
    pub(super) fn read(&self, first: u64, out: &mut [i16]) -> Result<usize, EncodingError> {
        let Some(reading) = &self.resampled else { return Ok(self.track.copy_i16(first, out)) };
        let frames = out.len() / usize::from(self.track.format.channels);
        // Whoever has panicked in the middle of it leaves a place that is not the one asked for.
        let mut reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
        if reading.next != first {
            *reading = Reading::begin(self.rate, &self.track, first)?;
        }
        reading.next = u64::MAX;
        reading.fill(out)?;
        reading.next = first + frames as u64;
        Ok(frames)
    }
}

impl Reading {
    fn begin(rate: ClockRate, track: &Arc<AudioTrack>, first: u64) -> Result<Self, EncodingError> {
        let frames = FramesAt::begin(rate, Arc::clone(track), first)?;
        Ok(Self { next: first, frames, block: Vec::new() })
    }

    fn fill(&mut self, out: &mut [i16]) -> Result<(), EncodingError> {
        self.block.resize(out.len(), 0.0);
        self.frames.read(&mut self.block)?;
        for (place, sample) in out.iter_mut().zip(&self.block) {
            *place = to_i16(*sample);
        }
        Ok(())
    }
}

impl fmt::Debug for LinearFrames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinearFrames")
            .field("track", &self.track)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{noise, track};
    use super::*;

    /// Frames of the source that were read.
    fn consumed(frames: &LinearFrames) -> u64 {
        frames.resampled.as_ref().unwrap().lock().unwrap().frames.position()
    }

    #[test]
    fn no_more_of_the_source_is_resampled_than_is_asked_for() {
        let track = track("lazy", 48_000, 1, &noise(48_000 * 60));
        let frames = LinearFrames::at(ClockRate::CD, &track).unwrap();
        assert!(consumed(&frames) < 4_800, "{} before the first packet", consumed(&frames));
        let mut packet = [0; 221];
        for index in 0..200 {
            frames.read(221 * index, &mut packet).unwrap();
            let reached = 221 * (index + 1) * 48_000 / 44_100;
            assert!(consumed(&frames) < reached + 4_800, "packet {index}: {}", consumed(&frames));
        }
    }

    #[test]
    fn frames_are_the_same_from_wherever_they_are_read_and_silence_after_the_end() {
        let track = track("anywhere", 48_000, 2, &noise(2 * 48_000));
        let frames = LinearFrames::at(ClockRate::CD, &track).unwrap();
        let mut whole = vec![0; 2 * 45_000];
        assert_eq!(frames.read(0, &mut whole).unwrap(), 45_000);
        let mut part = [0; 2 * 221];
        for first in [30_000, 0, 221, 44_000] {
            frames.read(first, &mut part).unwrap();
            let expected = &whole[2 * first as usize..][..part.len()];
            let close = |(a, b): (&i16, &i16)| a.abs_diff(*b) <= 1;
            assert!(part.iter().zip(expected).all(close), "from {first} on");
        }
        assert!(whole[2 * 44_900..].iter().all(|sample| *sample == 0));
    }
}
