//! `cantus-player listen`.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::spec::QosSpec;
use cantus_qos::time::MediaTime;
use clap::Args;

use super::{Out, positive, sink_clock};
use crate::drive::Interface;
use crate::feed::FeedUrl;
use crate::wish::{Carrier, Language, Latency, Wish};

pub(super) const EXAMPLES: &str = "\
Examples:
  What ffmpeg or GStreamer pushes to port 5004 of this machine:
    cantus-player listen 'rtp://0.0.0.0:5004?pt=opus'

  A group, joined on the interface with this address, and a report on what the network did:
    cantus-player listen 'rtp://239.1.2.3:5004?pt=l16/48000/2' --interface 192.0.2.7 \\
        --report group.json

  A telephone, as exact samples, into a file:
    cantus-player listen 'rtp://192.0.2.7:4000?pt=0' --out wav:call.wav --latency 200

Where an SDP file tells all this: cantus-player play file.sdp.

It waits until something comes, and ends when the sender says goodbye, or when nothing has come for
five seconds; it tells which.

Exit status: 0 played to the end, 1 failed, 2 wrong usage, 130 or 143 interrupted.";

/// `cantus-player listen`.
#[derive(Debug, Clone, Args)]
pub struct ListenOptions {
    /// rtp://ADDRESS:PORT?pt=PAYLOAD: an address of this machine, or a group to be joined; opus,
    /// l16/RATE/CHANNELS, pcmu, pcma, or a static payload type (0, 8, 10, 11). RTCP is heard on
    /// the port after it, and on the same
    pub url: FeedUrl,

    /// Where the sound goes: speaker, wav:FILE or null
    #[arg(long, value_name = "SINK", default_value_t)]
    pub out: Out,

    /// How long playback waits behind the sender: auto (as the jitter of the network needs), or a
    /// constant such as 200ms; a bare number is milliseconds
    #[arg(long, value_name = "DELAY", default_value_t)]
    pub latency: Latency,

    /// The promise to check, such as 'jitter<=30ms,loss<=1%'
    #[arg(long, value_name = "TERMS")]
    pub qos: Option<QosSpec>,

    /// The interface on which a group is joined, by its name or its IPv4 address [default: as the
    /// system routes it]
    #[arg(long, value_name = "INTERFACE", value_parser = interface)]
    pub interface: Option<Interface>,

    /// Write what the network did and whether the promise was kept, as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write the fate of every data unit, as CSV
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// How much to play, such as 10s [default: to the end]
    #[arg(long = "for", value_name = "TIME", value_parser = positive)]
    pub length: Option<Duration>,
}

impl ListenOptions {
    /// What the pure player is told. `seed` begins its own identifiers.
    pub fn wish(&self, seed: u64) -> Wish {
        let mut wish = Wish::new(self.url.as_url(), Carrier::Udp);
        wish.language = Language::None;
        wish.latency = self.latency;
        wish.spec = self.qos.unwrap_or_default();
        wish.length = self.length.map(MediaTime::from_duration);
        wish.sink_clock = sink_clock(&self.out);
        wish.seed = seed;
        wish
    }
}

/// Text that names no interface.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no interface of this name here, and it is no IPv4 address")]
struct NoInterface;

fn interface(text: &str) -> Result<Interface, NoInterface> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Interface::Address(address));
    }
    let name = text.bytes().all(|byte| byte != b'/') && !text.starts_with('.');
    let file = PathBuf::from("/sys/class/net").join(text).join("ifindex");
    let index = std::fs::read_to_string(file).ok().filter(|_| name);
    let index = index.and_then(|index| index.trim().parse().ok());
    index.map(Interface::Index).ok_or(NoInterface)
}
