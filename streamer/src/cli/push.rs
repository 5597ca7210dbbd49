//! The command line of `cantus-streamer push`.

use std::net::IpAddr;
use std::path::PathBuf;

use cantus_qos::quantity::Bitrate;
use clap::Args;

use super::positive;
use crate::encoding::{Codec, EncodingSpec};
use crate::programme::ProgrammeKey;
use crate::push::{Scheme, Target, TargetError, roc};

pub(super) const EXAMPLES: &str = "\
The sound leaves at the speed at which it is heard, as RTP; reports go to the port after that of
the sound, and are heard where the sound is sent from. Each further track has the next two ports.
L16 of 44.1 kHz has a payload type that every player knows (10 in stereo, 11 in mono).

Examples:
  To one host:
    cantus-streamer push talk.wav --to rtp://192.168.1.20:5004

  The same, and a file that ffplay, GStreamer and others can open there:
    cantus-streamer push talk.wav --to rtp://192.168.1.20:5004 --sdp talk.sdp

  To whoever has joined a group, in the network of one interface, and one router further:
    cantus-streamer push talk.wav --to rtp://239.1.2.3:5004 --interface 192.168.1.10 --ttl 2

  The same, announced every five minutes:
    cantus-streamer push talk.wav --to rtp://239.1.2.3:5004 --codec l16 --sap

  To Roc Toolkit, with repair (roc-recv -s rtp+rs8m://0.0.0.0:10001 -r rs8m://0.0.0.0:10002
  -c rtcp://0.0.0.0:10003); what is of 48 kHz is brought to 44.1 kHz:
    cantus-streamer push talk.wav --to rtp+rs8m://192.168.1.20:10001 \\
      --repair rs8m://192.168.1.20:10002 --control rtcp://192.168.1.20:10003

A listener of its own who sends reports, and then no more, or who reports that nothing arrives,
ends it; a group does not.

Exit status: 0 sent to the end, 1 failed, 2 wrong usage, 130 or 143 interrupted.";

/// `cantus-streamer push`.
#[derive(Debug, Clone, Args)]
pub struct PushOptions {
    /// The presentation: a WAV file, or a folder of them
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Where to: rtp://HOST:PORT, of one host or of a group; rtp+rs8m://HOST:PORT for Roc Toolkit
    #[arg(long, value_name = "URL", value_parser = media)]
    pub to: Target,

    /// Where repair goes to, if --to is rtp+rs8m://: rs8m://HOST:PORT
    #[arg(long, value_name = "URL", value_parser = repair, conflicts_with_all = ["sdp", "sap"])]
    pub repair: Option<Target>,

    /// Where reports go to, if --to is rtp+rs8m://: rtcp://HOST:PORT
    #[arg(long, value_name = "URL", value_parser = control, requires = "repair")]
    pub control: Option<Target>,

    /// How to encode the sound [default: opus; l16 for Roc]
    #[arg(long, value_enum)]
    pub codec: Option<Codec>,

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
    /// Whether Roc listens.
    fn is_for_roc(&self) -> bool {
        self.to.scheme() == Scheme::RtpRs8m
    }

    /// What the sound is encoded into.
    pub fn encoding(&self) -> EncodingSpec {
        match self.codec {
            _ if self.is_for_roc() => roc::ENCODING,
            Some(Codec::L16) => EncodingSpec::L16,
            Some(Codec::Opus) | None => EncodingSpec::Opus {
                bitrate: self.bitrate.unwrap_or(ProgrammeKey::DEFAULT_BITRATE),
            },
        }
    }

    /// What cannot be meant together.
    pub fn contradiction(&self) -> Option<&'static str> {
        let is_l16 = self.is_for_roc() || self.codec == Some(Codec::L16);
        if self.is_for_roc() != self.repair.is_some() {
            Some("rtp+rs8m:// and --repair belong together: what Roc listens to has both")
        } else if self.is_for_roc() && self.codec == Some(Codec::Opus) {
            Some("Roc takes L16, not Opus")
        } else if is_l16 && self.bitrate.is_some() {
            Some("L16 is not compressed: --bitrate is for Opus")
        } else {
            None
        }
    }
}

fn media(text: &str) -> Result<Target, TargetError> {
    Target::parse(text, &[Scheme::Rtp, Scheme::RtpRs8m])
}

fn repair(text: &str) -> Result<Target, TargetError> {
    Target::parse(text, &[Scheme::Rs8m])
}

fn control(text: &str) -> Result<Target, TargetError> {
    Target::parse(text, &[Scheme::Rtcp])
}
