//! Data units, and how they lie in the payload of RTP packets.
//!
//! One [`MediaUnit`] is one RTP packet: nothing is split over packets and nothing shares one, so
//! that a lost packet costs one unit and no other (application-level framing).
//!
//! * [`l16`]: linear 16-bit audio (RFC 3551, section 4.5.11)
//! * [`g711`]: logarithmic 8-bit audio, as telephones have it (RFC 3551, section 4.5.14)
//! * [`opus`]: Opus (RFC 7587), of which this room reads only the first bytes
//! * [`cue`]: subtitle cues, in a layout of our own

pub mod cue;
pub mod g711;
pub mod l16;
pub mod opus;

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::time::{ClockRate, MediaTime};

/// The most that an audio or text payload holds, in bytes. With RTP header, header extension and
/// repair footer it stays below the 1162 bytes of a first QUIC datagram and below every MTU.
pub const MAX_PAYLOAD: usize = 1_150;

/// One data unit: what is sent in one packet, lost in one piece and played at one time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaUnit {
    /// Where the unit begins on the timeline of the presentation.
    pub media_time: MediaTime,
    /// How long it lasts.
    pub duration: MediaTime,
    /// The payload as it stands in the RTP packet.
    pub data: Bytes,
}

/// The shape of decoded audio.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub struct AudioFormat {
    /// Frames per second; a frame is one sample of each channel.
    pub rate: ClockRate,
    /// Channels in a frame: 1 or 2, interleaved left before right.
    pub channels: u8,
}

impl AudioFormat {
    /// What Opus decodes to when it is stereo: 48 kHz, two channels.
    pub const OPUS_STEREO: Self = Self { rate: ClockRate::OPUS, channels: 2 };

    /// What Opus decodes to when it is mono: 48 kHz, one channel.
    pub const OPUS_MONO: Self = Self { rate: ClockRate::OPUS, channels: 1 };

    /// The sampling rates that are credible, in Hz.
    pub const CREDIBLE_RATES: RangeInclusive<u32> = 8_000..=192_000;

    /// Bytes of a frame whose samples take `sample` each.
    fn frame_of(self, sample: usize) -> usize {
        sample * usize::from(self.channels.max(1))
    }

    /// How many such frames `payload` holds.
    fn frames_in(self, payload: &[u8], sample: usize) -> Result<usize, PayloadError> {
        let (bytes, frame) = (payload.len(), self.frame_of(sample));
        match bytes.is_multiple_of(frame) {
            true => Ok(bytes / frame),
            false => Err(PayloadError::PartialFrame { bytes, frame }),
        }
    }

    /// How long they last; what holds none is no packet of sound.
    fn duration_of(self, payload: &[u8], sample: usize) -> Result<MediaTime, PayloadError> {
        match self.frames_in(payload, sample)? {
            0 => Err(PayloadError::PartialFrame { bytes: 0, frame: self.frame_of(sample) }),
            frames => Ok(self.duration(frames)),
        }
    }

    /// A format of one or two channels; `None` for any other number, or for a rate of zero.
    pub fn new(hz: u32, channels: u8) -> Option<Self> {
        let rate = ClockRate::new(hz)?;
        matches!(channels, 1 | 2).then_some(Self { rate, channels })
    }

    /// How long `frames` frames last.
    pub const fn duration(self, frames: usize) -> MediaTime {
        MediaTime::from_ticks(frames as i64, self.rate)
    }
}

/// Why a payload cannot be read or written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PayloadError {
    /// L16, G.711: the payload ends inside a frame.
    #[error("{bytes} bytes are not a whole number of {frame}-byte frames")]
    PartialFrame {
        /// Bytes in the payload.
        bytes: usize,
        /// Bytes in a frame.
        frame: usize,
    },
    /// Opus: the payload is not a valid packet (RFC 6716, section 3.4).
    #[error("not an Opus packet of {bytes} bytes: {reason}")]
    Opus {
        /// Bytes in the payload.
        bytes: usize,
        /// The requirement that it breaks.
        reason: &'static str,
    },
    /// A cue ends before its header does, or before the text that the header announces.
    #[error("a cue of {bytes} bytes was announced as {announced}")]
    CueLength {
        /// Bytes in the payload.
        bytes: usize,
        /// Bytes that its header asks for.
        announced: usize,
    },
    /// A cue of a form that does not exist (yet).
    #[error("unknown form of cue {0:#04x}")]
    CueForm(u8),
    /// The text of a cue is not UTF-8.
    #[error("the text of cue {id} is not UTF-8 from byte {valid_up_to}")]
    CueText {
        /// The identifier of the cue.
        id: u32,
        /// Bytes before the first that is wrong.
        valid_up_to: usize,
    },
    /// The text of a cue does not fit into one packet.
    #[error("the text of cue {id} has {bytes} bytes, and {limit} fit into a packet")]
    CueTooLong {
        /// The identifier of the cue.
        id: u32,
        /// Bytes of its text.
        bytes: usize,
        /// The most that fit.
        limit: usize,
    },
    /// The start or the duration of a cue is negative, or beyond 49 days.
    #[error("cue {id} has a time of {millis} ms, which its 32 bits cannot hold")]
    CueTime {
        /// The identifier of the cue.
        id: u32,
        /// The start or the duration.
        millis: i64,
    },
}
