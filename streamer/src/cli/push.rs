//! The command line of `cantus-streamer push`.

use std::net::IpAddr;
use std::path::PathBuf;

use cantus_qos::quantity::Bitrate;
use clap::{Args, ValueEnum};

use super::positive;
use crate::encoding::EncodingSpec;
use crate::programme::ProgrammeKey;
use crate::push::Target;

pub(super) const EXAMPLES: &str = "\
The sound leaves at the speed at which it is heard, as RTP; reports go to the port after that of
the sound, and are heard where the sound is sent from. Each further track has the next two ports.
L16 of 44.1 kHz has a payload type that every player knows (10 in stereo, 11 in mono).

Examples:
  To one host:
    cantus-streamer push talk.wav --to rtp://192.168.1.20:5004

  The same, and a file that VLC, ffplay and GStreamer can open there:
    cantus-streamer push talk.wav --to rtp://192.168.1.20:5004 --sdp talk.sdp

  To whoever has joined a group, in the network of one interface, and one router further:
    cantus-streamer push talk.wav --to rtp://239.1.2.3:5004 --interface 192.168.1.10 --ttl 2

  The same, announced every five minutes:
    cantus-streamer push talk.wav --to rtp://239.1.2.3:5004 --codec l16 --sap

A listener of its own who sends reports, and then no more, or who reports that nothing arrives,
ends it; a group does not.

Exit status: 0 sent to the end, 1 failed, 2 wrong usage, 130 or 143 interrupted.";

/// `cantus-streamer push`.
#[derive(Debug, Clone, Args)]
pub struct PushOptions {
    /// The presentation: a WAV file, or a folder of them
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Where to: rtp://HOST:PORT, of one host or of a group
    #[arg(long, value_name = "URL")]
    pub to: Target,

    /// How to encode the sound
    #[arg(long, value_enum, default_value_t = Codec::Opus)]
    pub codec: Codec,

    /// The bit rate of Opus, 6k to 510k [default: 96k]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub bitrate: Option<Bitrate>,

    /// How many networks packets to a group may cross; 1 is the local one
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub ttl: u8,

    /// The address of this machine to send from [default: the system's choice]
    #[arg(long, value_name = "IP")]
    pub interface: Option<IpAddr>,

    /// Write what receivers need to know, as SDP, before anything is sent
    #[arg(long, value_name = "FILE")]
    pub sdp: Option<PathBuf>,

    /// Announce what goes to a group, so that VLC and others list it
    #[arg(long)]
    pub sap: bool,
}

impl PushOptions {
    /// What the sound is encoded into; `None` for a bit rate of what has none.
    pub fn encoding(&self) -> Option<EncodingSpec> {
        match (self.codec, self.bitrate) {
            (Codec::Opus, bitrate) => Some(EncodingSpec::Opus {
                bitrate: bitrate.unwrap_or(ProgrammeKey::DEFAULT_BITRATE),
            }),
            (Codec::L16, None) => Some(EncodingSpec::L16),
            (Codec::L16, Some(_)) => None,
        }
    }
}

/// How the sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// At a bit rate of one's choice
    Opus,
    /// Uncompressed, 16 bit, at the rate of the file
    L16,
}
