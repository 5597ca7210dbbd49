//! Several tracks become one sound.

use cantus_qos::payload::AudioFormat;
use cantus_qos::time::MediaTime;

use super::handed::HandOver;
use super::{Block, Track};

/// Renders all tracks for the same stretch of the media timeline, sample by sample: so they cannot
/// part. Two mono tracks become left and right; other combinations are averaged.
#[derive(Debug)]
pub(super) struct Mix {
    format: AudioFormat,
    unit: MediaTime,
    sides: bool,
}

/// Why tracks cannot be mixed.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum MixError {
    /// There are none.
    Nothing,
    /// Their sample rates differ.
    Rates,
}

impl Mix {
    /// A mix of `tracks`.
    ///
    /// # Errors
    ///
    /// If there are none, or their rates differ.
    pub(super) fn new(tracks: &[Track]) -> Result<Self, MixError> {
        let first = tracks.first().ok_or(MixError::Nothing)?.format();
        if tracks.iter().any(|track| track.format().rate != first.rate) {
            return Err(MixError::Rates);
        }
        let sides = tracks.len() == 2 && tracks.iter().all(|track| track.format().channels == 1);
        let widest = tracks.iter().map(|track| track.format().channels).max().unwrap_or(1);
        let channels = if sides { 2 } else { widest };
        let unit = tracks.iter().map(Track::unit).min().unwrap_or_default();
        Ok(Self { format: AudioFormat { rate: first.rate, channels }, unit, sides })
    }

    /// What the mix is.
    pub(super) fn format(&self) -> AudioFormat {
        self.format
    }

    /// How much is rendered at once: the shortest unit.
    pub(super) fn unit(&self) -> MediaTime {
        self.unit
    }

    /// Nothing, for so many frames.
    pub(super) fn silence(&self, frames: usize) -> Block {
        let samples = vec![0.0; frames * usize::from(self.format.channels)];
        Block { samples, position: None }
    }

    /// What all tracks sound like from `position` to `end`, which is due and leaves at `when`.
    pub(super) fn render(
        &self,
        tracks: &mut [Track],
        position: MediaTime,
        end: MediaTime,
        when: HandOver,
    ) -> Vec<f32> {
        let rate = self.format.rate;
        let frames = (end.ticks(rate) - position.ticks(rate)).max(0) as usize;
        self.mix(tracks, frames, |track, out| track.render(position, frames, when, out))
    }

    /// What all tracks make up for `length`, while playback waits.
    pub(super) fn extend(&self, tracks: &mut [Track], length: MediaTime) -> Vec<f32> {
        let frames = length.ticks(self.format.rate).max(0) as usize;
        self.mix(tracks, frames, |track, out| track.extend(frames, out))
    }

    /// Mixes the `frames` frames that `sound` appends of each track.
    fn mix(
        &self,
        tracks: &mut [Track],
        frames: usize,
        mut sound: impl FnMut(&mut Track, &mut Vec<f32>),
    ) -> Vec<f32> {
        if let [only] = tracks {
            let mut samples = Vec::with_capacity(frames * usize::from(self.format.channels));
            sound(only, &mut samples);
            return samples;
        }
        let channels = usize::from(self.format.channels);
        let mut mixed = vec![0.0; frames * channels];
        let gain = if self.sides { 1.0 } else { 1.0 / tracks.len() as f32 };
        let mut samples = Vec::with_capacity(frames * channels);
        for (side, track) in tracks.iter_mut().enumerate() {
            samples.clear();
            sound(track, &mut samples);
            let width = usize::from(track.format().channels);
            for (frame, out) in mixed.chunks_exact_mut(channels).enumerate() {
                for (channel, out) in out.iter_mut().enumerate() {
                    if self.sides && channel != side {
                        continue;
                    }
                    *out += gain * samples[frame * width + channel.min(width - 1)];
                }
            }
        }
        mixed
    }
}
