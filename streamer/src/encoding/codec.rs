//! The codecs that sound can be encoded into: fewer than a description can name.

use cantus_qos::payload::AudioFormat;
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::time::ClockRate;
use clap::ValueEnum;

/// How sound is encoded.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, ValueEnum)]
pub enum Codec {
    /// At a bit rate of one's choice
    Opus,
    /// Uncompressed, 16 bit, at the rate of the file
    L16,
}

impl Codec {
    /// As it stands in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::L16 => "l16",
        }
    }

    /// The one of that name, whatever the case.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Opus, Self::L16].into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }

    /// The clock of its timestamps, where it decodes to `format`.
    pub const fn clock_rate(self, format: AudioFormat) -> ClockRate {
        match self {
            Self::Opus => ClockRate::OPUS,
            Self::L16 => format.rate,
        }
    }
}

impl From<Codec> for AudioCodec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Opus => Self::Opus,
            Codec::L16 => Self::L16,
        }
    }
}
