//! `cantus-player listen`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::spec::QosSpec;
use cantus_qos::time::MediaTime;
use clap::Args;

use super::{Out, positive};
use crate::drive::Interface;
use crate::feed::{FeedUrl, RocPorts, roc};
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

  What Roc Toolkit sends, repaired (roc-send -s rtp+rs8m://HOST:10001 -r rs8m://HOST:10002
  -c rtcp://HOST:10003), or cantus-streamer push --to rtp+rs8m://HOST:10001 with the same:
    cantus-player listen rtp+rs8m://0.0.0.0:10001 --repair rs8m://0.0.0.0:10002 \\
        --control rtcp://0.0.0.0:10003

Where an SDP file tells all this: cantus-player play file.sdp.

It waits until something comes, and ends when the sender says goodbye, or when nothing has come for
five seconds; it tells which.

Exit status: 0 played to the end, 1 failed, 2 wrong usage, 130 or 143 interrupted.";

/// `cantus-player listen`.
#[derive(Debug, Clone, Args)]
pub struct ListenOptions {
    /// rtp://ADDRESS:PORT?pt=PAYLOAD: an address of this machine, or a group to be joined; opus,
    /// l16/RATE/CHANNELS, pcmu, pcma, or a static payload type (0, 8, 10, 11). RTCP is heard on
    /// the port after it, and on the same. rtp+rs8m://ADDRESS:PORT for Roc Toolkit: L16 of 44.1 kHz
    /// in stereo where nothing else is said, ?pt=11 in mono
    pub url: FeedUrl,

    /// Where repair comes, if the sound comes to rtp+rs8m://: rs8m://ADDRESS:PORT
    #[arg(long, value_name = "URL", value_parser = roc::repair)]
    pub repair: Option<SocketAddr>,

    /// Where reports come, if the sound comes to rtp+rs8m://: rtcp://ADDRESS:PORT
    #[arg(long, value_name = "URL", value_parser = roc::control, requires = "repair")]
    pub control: Option<SocketAddr>,

    /// Where the sound goes: speaker, wav:FILE or null
    #[arg(long, value_name = "SINK", default_value_t)]
    pub out: Out,

    /// How long playback waits behind the sender: auto (as the jitter of the network needs), or a
    /// constant such as 200ms; a bare number is milliseconds [default: auto; 200ms for Roc, for its
    /// repair comes after blocks of 90 ms]
    #[arg(long, value_name = "DELAY")]
    pub latency: Option<Latency>,

    /// The promise to check, such as 'jitter<=30ms,loss<=1%'
    #[arg(long, value_name = "TERMS")]
    pub qos: Option<QosSpec>,

    /// The interface on which a group is joined and reported to, by its name or its IPv4 address
    /// [default: as the system routes it]
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
    /// Where Roc sends the rest to, if it is Roc that sends.
    pub fn roc(&self) -> Option<RocPorts> {
        Some(RocPorts { repair: self.repair?, control: self.control })
    }

    /// What cannot be meant together.
    pub fn contradiction(&self) -> Option<&'static str> {
        if self.url.is_repaired() != self.repair.is_some() {
            return Some(
                "rtp+rs8m://ADDRESS:PORT and --repair rs8m://ADDRESS:PORT belong together: Roc sends to both",
            );
        }
        let media = self.url.destination().rtp;
        if self.repair.is_some_and(|at| at == media || self.control == Some(at)) {
            return Some(
                "--repair needs a port of its own: repair cannot be told from what else comes",
            );
        }
        let interface = self.interface.as_ref()?;
        if !media.ip().is_multicast() {
            return Some("--interface tells where a group is joined, and this address is none");
        }
        let is_ipv4 = matches!(interface, Interface::Address(_));
        (is_ipv4 && media.is_ipv6()).then_some(
            "a group of IPv6 is joined on an --interface by its name, not its IPv4 address",
        )
    }

    /// What the pure player is told. `seed` begins its own identifiers.
    pub fn wish(&self, seed: u64) -> Wish {
        let mut wish = Wish::new(self.url.as_url(), Carrier::Udp);
        wish.language = Language::None;
        let usual = self.roc().map_or(Latency::Auto, |_| Latency::Fixed(roc::LATENCY));
        wish.latency = self.latency.unwrap_or(usual);
        wish.asked = self.latency.is_some();
        wish.spec = self.qos.unwrap_or_default();
        wish.length = self.length.map(MediaTime::from_duration);
        wish.sink_clock = self.out.clock();
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
    let index = index.and_then(|index| index.trim().parse().ok()).ok_or(NoInterface)?;
    Ok(Interface::Named { name: text.to_owned(), index })
}
