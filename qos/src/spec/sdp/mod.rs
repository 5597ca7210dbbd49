//! Session descriptions: what streams a presentation has, and how they lie on the wire
//! (SDP, RFC 8866).
//!
//! One [`Track`] is one `m=` block:
//!
//! | track | written as |
//! |---|---|
//! | Opus | `m=audio 0 RTP/AVP 96`, `rtpmap:96 opus/48000/2` always, `sprop-stereo` tells mono (RFC 7587) |
//! | L16 | `m=audio 0 RTP/AVP 97`, `rtpmap:97 L16/44100/2` (RFC 3551) |
//! | G.711 | `m=audio 0 RTP/AVP 0`, `rtpmap:0 PCMU/8000/1`; 8 for `PCMA` (RFC 3551) |
//! | any of them, sent again to who asks | `m=audio 0 RTP/AVPF 96 97`, `rtpmap:97 rtx/48000/2`, `fmtp:97 apt=96;rtx-time=...` (RFC 4588), `rtcp-fb:96 nack` (RFC 4585), `b=RS`, `b=RR` (RFC 3556) |
//! | cues | `m=text 0 RTP/AVP 98`, `rtpmap:98 x-cantus-cue/1000`, `a=lang` |
//! | repair | `m=application 0 UDP/FEC 99`, `a=fec-repair-flow` (RFC 6364), grouped by `FEC-FR` with the audio that it protects (RFC 5956) |
//!
//! Ports are 0, as RTSP has it (RFC 2326, section C.1.2): SETUP negotiates them. What is sent without
//! being asked for stands where it is sent to ([`Placement`]). A plain client
//! is not shown text and repair at all, but passes over them where it is.
//!
//! Descriptions of others are read as far as they speak of the same things: unknown media are
//! skipped, the static payload types 0, 8, 10 and 11 are known.

mod destination;
mod placed;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::time::Duration;

use crate::fec::Scheme;
use crate::payload::AudioFormat;
use crate::rtp::{ExtensionId, PayloadType};
use crate::rtsp::Profile;
use crate::time::{ClockRate, MediaTime};

pub use destination::Destination;
pub use placed::Placement;
pub use read::MAX_SDP;

/// The URI of the header extension that carries the sending time.
pub const ABS_SEND_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

/// The feedback by which congestion is controlled (RFC 8888, section 6), for every payload type.
const CONGESTION_FEEDBACK: &str = "* ack ccfb";

/// The encoding name of our cues.
const CUE: &str = "x-cantus-cue";

/// The FEC encoding ID of blocks laid out as `Adu`: Simple Reed-Solomon (RFC 6865, section 8).
const ADU_ENCODING_ID: u8 = 8;

/// The FEC encoding ID of sliding windows: RLC over GF(2^8) (RFC 8681, section 4.1.1).
const SLIDING_ENCODING_ID: u8 = 10;

/// The FEC encoding ID of blocks laid out as `Rs8m`. Roc has registered none; this is the last that the
/// registry could give away, and the information beside it tells what is meant.
const RS8M_ENCODING_ID: u8 = 255;

/// What streams a presentation has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Description {
    /// The title; empty where there is none.
    pub title: String,
    /// How long the presentation lasts; `None` for a live one.
    pub duration: Option<MediaTime>,
    /// The streams.
    pub tracks: Vec<Track>,
}

/// One stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Track {
    /// The control URL for SETUP, absolute or relative; empty where there is none.
    pub control: String,
    /// What the track is called; empty where it has no name.
    pub name: String,
    /// What it carries.
    pub medium: Medium,
    /// The payload type of its packets. Repair packets have none on the wire.
    pub payload_type: PayloadType,
    /// The identifier of the header extension with the sending time, where packets carry it.
    pub send_time_id: Option<ExtensionId>,
    /// The RTP profile that is spoken: feedback leaves early where it is `RTP/AVPF`. Repair has none.
    pub profile: Profile,
    /// How lost packets of it are sent again, where they are.
    pub retransmission: Option<Retransmission>,
    /// Whether the sender wants to be told which packets arrive, and when: `a=rtcp-fb:* ack ccfb`
    /// (RFC 8888, section 6).
    pub congestion_feedback: bool,
}

/// Packets are sent again to who asks for them (RFC 4588), in the same RTP session.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Retransmission {
    /// The payload type of retransmission packets.
    pub payload_type: PayloadType,
    /// How long a packet is remembered, in whole milliseconds; zero where that is not told.
    pub time: Duration,
    /// Whether requests may travel without a report (RFC 5506).
    pub reduced_size: bool,
}

/// What a stream carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Medium {
    /// Sound.
    Audio {
        /// How it is encoded.
        codec: AudioCodec,
        /// What it decodes to.
        format: AudioFormat,
        /// How much of it one packet holds.
        packet_time: MediaTime,
        /// The most that one may hold (`a=maxptime`), where that is told: a sender may join what is
        /// in several packets where headers cost more than sound.
        longest: Option<MediaTime>,
    },
    /// Subtitle cues.
    Text {
        /// The language, as a tag of BCP 47; `und` where it is not told.
        language: String,
    },
    /// Repair packets for an audio track.
    Repair {
        /// The control URL of the track that they protect.
        protects: String,
        /// How they are made.
        scheme: Scheme,
    },
}

/// How sound is encoded.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum AudioCodec {
    /// Opus (RFC 6716, RFC 7587).
    Opus,
    /// Linear 16-bit samples (RFC 3551, section 4.5.11).
    L16,
    /// Samples of 8 bits on the mu-law scale of G.711 (RFC 3551, section 4.5.14).
    Pcmu,
    /// Samples of 8 bits on the A-law scale of G.711 (RFC 3551, section 4.5.14).
    Pcma,
}

impl AudioCodec {
    /// The encoding name in SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::L16 => "L16",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The one of that name, whatever the case.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Opus, Self::L16, Self::Pcmu, Self::Pcma];
        all.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// What a static payload type stands for, as far as we know it (RFC 3551, table 4).
    pub fn of_static(payload_type: PayloadType) -> Option<(Self, AudioFormat)> {
        let (codec, hz, channels) = match payload_type {
            PayloadType::PCMU => (Self::Pcmu, 8_000, 1),
            PayloadType::PCMA => (Self::Pcma, 8_000, 1),
            PayloadType::L16_STEREO => (Self::L16, 44_100, 2),
            PayloadType::L16_MONO => (Self::L16, 44_100, 1),
            _ => return None,
        };
        Some((codec, AudioFormat::new(hz, channels)?))
    }

    /// The clock of its timestamps, where it decodes to `format`.
    pub const fn clock_rate(self, format: AudioFormat) -> ClockRate {
        match self {
            Self::Opus => ClockRate::OPUS,
            Self::L16 | Self::Pcmu | Self::Pcma => format.rate,
        }
    }
}

/// Why a text is no session description.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SdpError {
    /// It is too long to be one.
    #[error("a session description of {bytes} bytes exceeds {MAX_SDP}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A line breaks the syntax.
    #[error("not a session description: {0}")]
    Syntax(String),
}
