//! What should have been heard.

use std::ops::Range;

use bytes::Bytes;
use cantus_player::decode::{DecodeError, Decoder, OpusDecoder};
use cantus_qos::payload::{AudioFormat, PayloadError, l16};
use cantus_streamer::encoding::Codec;
use cantus_streamer::encoding::{Encoding, UnitState};
use cantus_streamer::programme::Programme;

use super::wave::Wave;

/// The sound of a presentation as it sounds when nothing is lost: every unit of the streamer's
/// encoding, decoded in order. L16 gives the WAV itself, to the bit.
#[derive(Debug)]
pub struct Reference {
    tracks: Vec<Source>,
}

/// One track of it.
#[derive(Debug)]
pub(super) struct Source {
    /// Which channels of the sink it is heard on.
    pub side: Range<usize>,
    /// What its samples are.
    pub format: AudioFormat,
    /// Frames of a unit.
    pub unit: i64,
    /// Interleaved.
    pub samples: Vec<f32>,
    /// Frames of the presentation: the last unit of Opus may be filled up beyond.
    pub length: i64,
    /// The units, where what is heard of one depends on those before it (Opus).
    pub payloads: Vec<Bytes>,
}

/// Why a presentation cannot be compared with.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// Tracks that the player mixes into one sound cannot be told apart in it.
    #[error(
        "the probe tells one track, or two in mono, from each other; this presentation has {0} that are mixed"
    )]
    Mixed(usize),
    /// A unit of the streamer's encoding cannot be decoded.
    #[error(transparent)]
    Opus(#[from] DecodeError),
    /// The same for L16.
    #[error(transparent)]
    L16(#[from] PayloadError),
}

impl Reference {
    /// Decodes all of `programme`; waits until it is encoded.
    ///
    /// # Errors
    ///
    /// If its tracks are more than can be told apart, or cannot be decoded: that is a bug of ours.
    pub fn of(programme: &Programme) -> Result<Self, ReferenceError> {
        let channels = programme.audio.iter().map(|it| usize::from(it.format().channels));
        let sides = match channels.collect::<Vec<_>>().as_slice() {
            [only] => [0..*only, 0..0],
            [1, 1] => [0..1, 1..2],
            several => return Err(ReferenceError::Mixed(several.len())),
        };
        programme.wait();
        let tracks = programme.audio.iter().zip(sides);
        let length = programme.presentation.duration;
        let tracks = tracks.map(|(encoding, side)| {
            let length = length.ticks(encoding.format().rate);
            Source::of(encoding, side, programme.codec, length)
        });
        Ok(Self { tracks: tracks.collect::<Result<_, _>>()? })
    }

    /// One track that is exactly `samples`, interleaved, in units of `unit` frames.
    pub fn exact(format: AudioFormat, unit: usize, samples: Vec<f32>) -> Self {
        let side = 0..usize::from(format.channels);
        let unit = unit.max(1) as i64;
        let length = (samples.len() / side.len().max(1)) as i64;
        let payloads = Vec::new();
        Self { tracks: vec![Source { side, format, unit, samples, length, payloads }] }
    }

    pub(super) fn tracks(&self) -> &[Source] {
        &self.tracks
    }

    /// Channels of the sink's sound.
    pub(super) fn channels(&self) -> usize {
        self.tracks.iter().map(|track| track.side.end).max().unwrap_or(1)
    }
}

impl Source {
    /// Its sound.
    pub(super) fn wave(&self) -> Wave<'_> {
        Wave::new(&self.samples, self.side.len())
    }

    fn of(
        encoding: &Encoding,
        side: Range<usize>,
        codec: Codec,
        length: i64,
    ) -> Result<Self, ReferenceError> {
        let format = encoding.format();
        let units = (0..encoding.unit_count()).map_while(|index| match encoding.unit(index) {
            UnitState::Ready(unit) => Some(unit.data),
            UnitState::Pending | UnitState::End => None,
        });
        let mut samples = Vec::new();
        let mut payloads = Vec::new();
        match codec {
            Codec::L16 => {
                for unit in units {
                    let decoded = l16::decode(&unit, format)?;
                    samples.extend(decoded.iter().map(|sample| f32::from(*sample) / 32_768.0));
                }
            }
            Codec::Opus => {
                let mut decoder = OpusDecoder::new(format)?;
                for unit in units {
                    decoder.decode(&unit, &mut samples)?;
                    payloads.push(unit);
                }
            }
        }
        let unit = encoding.unit_duration().ticks(format.rate).max(1);
        Ok(Self { side, format, unit, samples, length, payloads })
    }
}
