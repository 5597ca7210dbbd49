//! Encodings: all data units of a sound in one codec and bit rate, made once and shared.
//!
//! Opus is encoded ahead by a thread of its own, many times faster than it is played, and
//! its units appear one after the other; who asks too early is told so and never waits. L16 is
//! made as it is asked for.
//!
//! The Opus encodings of a sound form a ladder: their frames are of 20 ms and aligned, so that a
//! sender can step from one bit rate to another at any unit.

mod codec;
mod ladder;
mod linear;
mod opus;
mod packets;
mod resample;

use crate::catalogue::AudioTrack;
use cantus_qos::payload::{AudioFormat, MediaUnit, l16};
use cantus_qos::quantity::Bitrate;
use cantus_qos::time::{ClockRate, MediaTime};
pub use codec::Codec;
pub use ladder::{EncodingJob, Ladder, Rung};
use linear::LinearFrames;
use packets::{Packet, Packets};
use std::io;
use std::sync::Arc;
use thiserror::Error;

/// Bit rates that the ladder has, lowest first, in kbit/s. The highest makes packets of 640 bytes.
const LADDER_KBPS: [u64; 9] = [16, 24, 32, 48, 64, 96, 128, 192, 256];

/// What to encode into.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EncodingSpec {
    /// Uncompressed, 16 bit (RFC 3551, section 4.5.11), at the rate of the source.
    L16,
    /// The same at 44.1 kHz, in packets of a fixed number of frames, and filled up with silence to
    /// whole blocks of packets: what Roc Toolkit takes.
    L16Blocks {
        /// Frames in each packet, at least one.
        frames: u32,
        /// Packets in a block, at least one.
        packets: u32,
    },
    /// Opus (RFC 6716) at a constant bit rate, 48 kHz, in frames of 20 ms.
    Opus {
        /// The rate of the payload, 6 to 510 kbit/s.
        bitrate: Bitrate,
    },
}

impl EncodingSpec {
    /// Which codec that is.
    pub const fn codec(self) -> Codec {
        match self {
            Self::L16 | Self::L16Blocks { .. } => Codec::L16,
            Self::Opus { .. } => Codec::Opus,
        }
    }

    /// The rungs of the Opus ladder, lowest first.
    pub fn ladder() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        LADDER_KBPS.into_iter().map(|kbps| Self::Opus { bitrate: Bitrate::from_kbps(kbps) })
    }

    /// The highest rung of the Opus ladder that needs at most `limit`; the lowest if none does.
    pub fn opus_within(limit: Bitrate) -> Self {
        let fitting = LADDER_KBPS.into_iter().rev().map(Bitrate::from_kbps).find(|r| *r <= limit);
        Self::Opus { bitrate: fitting.unwrap_or(Bitrate::from_kbps(LADDER_KBPS[0])) }
    }
}

/// Why a sound cannot be encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// A bit rate beyond what Opus has.
    #[error("Opus has no bit rate of {bitrate}, but 6 to 510 kbit/s")]
    Bitrate {
        /// What was asked for.
        bitrate: Bitrate,
    },
    /// libopus refused.
    #[error("the Opus encoder failed: {message}")]
    Opus {
        /// What it said.
        message: &'static str,
    },
    /// The resampler refused.
    #[error("the resampler failed: {message}")]
    Resampler {
        /// What it said.
        message: String,
    },
    /// There is no thread to be had.
    #[error("cannot start the encoder's thread: {0}")]
    Thread(#[source] io::Error),
}

/// What stands at a place of an encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitState {
    /// This unit.
    Ready(MediaUnit),
    /// A unit that is still to be encoded: ask again later.
    Pending,
    /// Nothing: the sound has ended before.
    End,
}

/// All data units of one sound in one codec and bit rate.
#[derive(Debug)]
pub struct Encoding {
    track: Arc<AudioTrack>,
    spec: EncodingSpec,
    format: AudioFormat,
    unit_frames: u64,
    units: u64,
    source: UnitSource,
}

/// Where units come from.
#[derive(Debug)]
enum UnitSource {
    /// Opus, encoded ahead.
    Packets(Arc<Packets>),
    /// L16, as it is asked for.
    Frames(Box<LinearFrames>),
}

impl Encoding {
    /// The encoding of `track` as `spec`: the same one for all who hold it.
    ///
    /// # Errors
    ///
    /// A bit rate that Opus does not have, or a lack of memory or threads.
    pub fn of(track: &Arc<AudioTrack>, spec: EncodingSpec) -> Result<Arc<Self>, EncodingError> {
        track.encodings.get_or_make(
            spec,
            |_| true,
            || match spec {
                EncodingSpec::L16 => Self::l16(track),
                EncodingSpec::L16Blocks { frames, packets } => {
                    Self::l16_blocks(track, frames, packets)
                }
                EncodingSpec::Opus { bitrate } => Self::opus(track, bitrate),
            },
        )
    }

    fn l16(track: &Arc<AudioTrack>) -> Result<Self, EncodingError> {
        let unit_frames = l16::frames_per_packet(track.format) as u64;
        Ok(Self {
            track: Arc::clone(track),
            spec: EncodingSpec::L16,
            format: track.format,
            unit_frames,
            units: track.frames.div_ceil(unit_frames),
            source: UnitSource::Frames(Box::new(LinearFrames::at(track.format.rate, track)?)),
        })
    }

    fn l16_blocks(
        track: &Arc<AudioTrack>,
        frames: u32,
        packets: u32,
    ) -> Result<Self, EncodingError> {
        let unit_frames = u64::from(frames);
        let all = resample::frames_at(ClockRate::CD, track);
        Ok(Self {
            track: Arc::clone(track),
            spec: EncodingSpec::L16Blocks { frames, packets },
            format: AudioFormat { rate: ClockRate::CD, ..track.format },
            unit_frames,
            units: all.div_ceil(unit_frames).next_multiple_of(packets.into()),
            source: UnitSource::Frames(Box::new(LinearFrames::at(ClockRate::CD, track)?)),
        })
    }

    fn opus(track: &Arc<AudioTrack>, bitrate: Bitrate) -> Result<Self, EncodingError> {
        let format = AudioFormat { rate: ClockRate::OPUS, ..track.format };
        let units = resample::frames_at(ClockRate::OPUS, track).div_ceil(opus::FRAMES);
        let packets = opus::encode_in_background(track, bitrate, units)?;
        Ok(Self {
            track: Arc::clone(track),
            spec: EncodingSpec::Opus { bitrate },
            format,
            unit_frames: opus::FRAMES,
            units,
            source: UnitSource::Packets(packets),
        })
    }

    /// The unit at `index`, from 0. Never waits.
    ///
    /// The last unit of Opus is filled up with silence, as are blocks of L16; the last of L16 without
    /// blocks is as long as it is.
    pub fn unit(&self, index: u64) -> UnitState {
        match &self.source {
            UnitSource::Frames(_) if index >= self.units => UnitState::End,
            UnitSource::Frames(source) => self.l16_unit(index, source),
            UnitSource::Packets(packets) => match packets.get(index) {
                Packet::Ready(data) => {
                    UnitState::Ready(self.media_unit(index, self.unit_frames, data))
                }
                Packet::Pending => UnitState::Pending,
                Packet::End => UnitState::End,
            },
        }
    }

    fn l16_unit(&self, index: u64, source: &LinearFrames) -> UnitState {
        let mut samples = vec![0; self.unit_frames as usize * usize::from(self.format.channels)];
        let mut frames = match source.read(index * self.unit_frames, &mut samples) {
            Ok(frames) => frames,
            Err(error) => {
                tracing::error!(track = self.track.name, %error, "encoding ends early");
                return UnitState::End;
            }
        };
        if matches!(self.spec, EncodingSpec::L16Blocks { .. }) {
            frames = self.unit_frames as usize;
        }
        samples.truncate(frames * usize::from(self.format.channels));
        UnitState::Ready(self.media_unit(index, frames as u64, l16::encode(&samples)))
    }

    fn media_unit(&self, index: u64, frames: u64, data: bytes::Bytes) -> MediaUnit {
        MediaUnit {
            media_time: self.media_time(index * self.unit_frames),
            duration: self.media_time(frames),
            data,
        }
    }

    fn media_time(&self, frames: u64) -> MediaTime {
        MediaTime::from_ticks(frames as i64, self.format.rate)
    }

    /// The index of the unit that plays at `time`: 0 before the beginning,
    /// [`unit_count`](Self::unit_count) after the end.
    pub fn index_at(&self, time: MediaTime) -> u64 {
        let unit = self.unit_duration().as_flicks();
        let index = time.as_flicks().div_euclid(unit);
        u64::try_from(index).unwrap_or(0).min(self.units)
    }

    /// Units in the whole encoding.
    pub fn unit_count(&self) -> u64 {
        self.units
    }

    /// How long every unit lasts, except perhaps the last.
    pub fn unit_duration(&self) -> MediaTime {
        self.media_time(self.unit_frames)
    }

    /// How long all units last together, which is more than the sound where that is filled up.
    pub fn duration(&self) -> MediaTime {
        self.media_time(self.units * self.unit_frames)
    }

    /// Rate and channels of what a decoder gives.
    pub fn format(&self) -> AudioFormat {
        self.format
    }

    /// The sound itself.
    pub fn track(&self) -> &Arc<AudioTrack> {
        &self.track
    }

    /// What it is encoded into.
    pub fn spec(&self) -> EncodingSpec {
        self.spec
    }

    /// The bit rate of the payload.
    pub fn bitrate(&self) -> Bitrate {
        match self.spec {
            EncodingSpec::L16 | EncodingSpec::L16Blocks { .. } => {
                let bits = u64::from(self.format.rate.hz()) * u64::from(self.format.channels) * 16;
                Bitrate::from_bps(bits)
            }
            EncodingSpec::Opus { bitrate } => bitrate,
        }
    }

    /// Whether every unit is there.
    pub fn is_complete(&self) -> bool {
        match &self.source {
            UnitSource::Packets(packets) => packets.is_complete(),
            UnitSource::Frames(_) => true,
        }
    }

    /// Waits until every unit is there. For tests and simulations.
    pub fn wait(&self) {
        if let UnitSource::Packets(packets) = &self.source {
            packets.wait();
        }
    }
}

#[cfg(test)]
mod tests;
