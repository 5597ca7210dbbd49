//! What a client can ask to hear and read.

use super::directory::Stamp;
use super::listing::Skipped;
use super::memory::Reservation;
use super::shelf::Shelf;
use crate::encoding::{Encoding, EncodingSpec, Ladder};
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::cue::Cue;
use cantus_qos::time::MediaTime;
use std::fmt;
use std::sync::Arc;

/// Related tracks on one timeline that begins at [`MediaTime::ZERO`].
#[derive(Debug)]
pub struct Presentation {
    /// The name in the URL.
    pub name: String,
    /// The title for people: the manifest's, or else the name.
    pub title: String,
    /// How long the longest sound lasts.
    pub duration: MediaTime,
    /// The sounds, at least one.
    pub audio: Vec<Arc<AudioTrack>>,
    /// The subtitles, at most one track a language.
    pub texts: Vec<TextTrack>,
    /// Files that belong to it and were left out, and why.
    pub skipped: Vec<Skipped>,
    /// The state of its files when they were read.
    pub(super) stamp: Stamp,
}

/// A sound, whole in memory for as long as anybody plays it.
pub struct AudioTrack {
    /// The name for people: the manifest's, or else the file's without `.wav`.
    pub name: String,
    /// 44.1 or 48 kHz, mono or stereo.
    pub format: AudioFormat,
    /// Sample frames.
    pub frames: u64,
    /// The samples themselves.
    pub samples: Samples,
    pub(crate) encodings: Shelf<EncodingSpec, Encoding>,
    pub(crate) ladder: Shelf<(), Ladder>,
    pub(super) _memory: Arc<Reservation>,
}

impl AudioTrack {
    /// How long it lasts.
    pub fn duration(&self) -> MediaTime {
        MediaTime::from_ticks(i64::try_from(self.frames).unwrap_or(i64::MAX), self.format.rate)
    }

    /// The samples of the frames from `first` on as floats, full scale 1, interleaved: as many
    /// whole frames as there are and as fit into `out`. Returns the number of frames.
    pub fn copy_f32(&self, first: u64, out: &mut [f32]) -> usize {
        self.copy(first, out, |sample| f32::from(sample) / 32_768.0, |sample| sample)
    }

    /// The same as 16-bit integers: exact where the file has 16 bits, otherwise rounded to the
    /// nearest and clipped.
    pub fn copy_i16(&self, first: u64, out: &mut [i16]) -> usize {
        self.copy(first, out, |sample| sample, to_i16)
    }

    fn copy<T>(
        &self,
        first: u64,
        out: &mut [T],
        from_int: impl Fn(i16) -> T,
        from_float: impl Fn(f32) -> T,
    ) -> usize {
        let channels = usize::from(self.format.channels);
        let left = usize::try_from(self.frames.saturating_sub(first)).unwrap_or(usize::MAX);
        let frames = left.min(out.len() / channels);
        let start = (self.frames - left as u64) as usize * channels;
        let range = start..start + frames * channels;
        match &self.samples {
            Samples::Int16(samples) => fill(out, &samples[range], from_int),
            Samples::Float(samples) => fill(out, &samples[range], from_float),
        }
        frames
    }
}

/// The nearest of 16 bits, or the outermost.
pub(crate) fn to_i16(sample: f32) -> i16 {
    // The conversion saturates.
    (sample * 32_768.0).round() as i16
}

fn fill<S: Copy, T>(out: &mut [T], samples: &[S], convert: impl Fn(S) -> T) {
    for (place, sample) in out.iter_mut().zip(samples) {
        *place = convert(*sample);
    }
}

impl fmt::Debug for AudioTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioTrack")
            .field("name", &self.name)
            .field("format", &self.format)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

/// Interleaved samples as the file has them.
#[derive(Clone)]
pub enum Samples {
    /// From a 16-bit file.
    Int16(Arc<[i16]>),
    /// From any other; full scale is 1.
    Float(Arc<[f32]>),
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int16(samples) => write!(f, "Int16({} samples)", samples.len()),
            Self::Float(samples) => write!(f, "Float({} samples)", samples.len()),
        }
    }
}

/// Subtitles in one language.
#[derive(Debug, Clone)]
pub struct TextTrack {
    /// The name for people: the manifest's, or else the language tag.
    pub name: String,
    /// A language tag (BCP 47); `und` where the file name has none.
    pub language: String,
    /// The cues by their start; identifiers count from 1 in that order.
    pub cues: Arc<[Cue]>,
}
