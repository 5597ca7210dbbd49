//! A push: a presentation sent to an address that nobody has asked from, without a control channel.
//!
//! Each audio track is an RTP session of its own, on a pair of ports, the first at the target's; all
//! leave at their nominal instants, for nobody tells how much could be held. Subtitles stay behind:
//! no player but ours could read them, and ours asks for them over RTSP.
//!
//! To Roc Toolkit one track goes as that wants it, with repair beside it ([`roc`]).
//!
//! A listener may send reports. Once one has, and unless the target is a group, it is listened to: a
//! circuit breaker ends what does not arrive, or what nobody reports on any more (RFC 8083). Groups
//! have members that come and go, and that RFC has no breaker for them.

mod announcer;
mod description;
pub mod roc;
mod target;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cantus_qos::delivery::Channel;
use cantus_qos::payload::AudioFormat;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::DEFAULT_MINIMUM;
use cantus_qos::rtp::PayloadType;
use cantus_qos::sap::{self, Announcement};
use cantus_qos::shaping::{BreakerTerms, CircuitBreaker, Tripped};
use cantus_qos::spec::sdp::{self, AudioCodec, Description, Placement};
use cantus_qos::time::{MediaTime, MonoTime, NtpTime};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tracing::warn;

use crate::control;
use crate::encoding::Codec;
use crate::pipeline::{
    AudioChain, Packetizer, Pipeline, Schedule, SenderReports, StreamSeed, WallClock,
};
use crate::programme::Programme;
use crate::session::PATIENCE;
use crate::wire::{Destination, Transmit};
use announcer::Announcer;
use roc::RocWay;
pub use target::{Scheme, Target, TargetError};

/// What a chain is paced to at least, so that a few reports of several tracks go at once.
const LEAST_RATE: Bitrate = Bitrate::from_kbps(64);

/// How a push has ended.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Ending {
    /// Everything is sent.
    Finished,
    /// It was told to end before.
    Stopped,
    /// Nobody hears it, or the path does not bear it.
    CutShort(Tripped),
}

/// Why something cannot be pushed there.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum PushError {
    /// Each track needs a pair of ports.
    #[error(
        "{tracks} tracks need {tracks} pairs of ports from {first} on, and there are not so many"
    )]
    Ports {
        /// Audio tracks of the presentation.
        tracks: usize,
        /// The port of the target.
        first: u16,
    },
    /// Roc's endpoints are for one track.
    #[error("Roc takes one track, and there are {tracks}: push one of their files")]
    Tracks {
        /// Audio tracks of the presentation.
        tracks: usize,
    },
    /// Announcements go to groups (RFC 2974).
    #[error("only what is sent to a group can be announced, and {0} is a host")]
    NoGroup(IpAddr),
    /// What is announced is a description.
    #[error("what goes to Roc has no description (SDP) that could be announced")]
    Undescribed,
}

/// Where a push goes to and leaves from.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Way {
    /// To: the port is that of RTP for the first track.
    pub target: SocketAddr,
    /// From.
    pub local: IpAddr,
    /// How many networks packets to a group may cross.
    pub ttl: u8,
    /// Where repair goes, where Roc listens.
    pub roc: Option<RocWay>,
}

/// Who sends.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Ties the tracks of the presentation together (RFC 3550, section 6.5.1).
    pub cname: String,
    /// What our wall clock showed when the monotonic clock was zero.
    pub ntp_at_zero: NtpTime,
    /// Where the random beginnings come from: new each time.
    pub seed: [u8; 32],
}

/// A push (pure): what leaves, when, and where to.
///
/// 1. [`begin`](Self::begin) starts it.
/// 2. [`pop`](Self::pop) is called until it gives nothing; then [`ending`](Self::ending) tells
///    whether it is over, and [`next_deadline`](Self::next_deadline) when to call again.
/// 3. [`heard`](Self::heard) tells what came to the ports that it is sent from.
#[derive(Debug)]
pub struct Push {
    pipeline: Pipeline,
    tracks: Vec<TrackRoute>,
    duration: MediaTime,
    described: Option<Described>,
    random: ChaCha8Rng,
    /// Whose reports count: the listener's where there is one. A group is anybody.
    listener: Option<IpAddr>,
    announcer: Option<Announcer>,
    stopped: bool,
}

/// What a receiver of RTP is told.
#[derive(Debug)]
struct Described {
    description: Description,
    placement: Placement,
}

impl Described {
    fn sdp(&self) -> String {
        self.description.to_placed_sdp(&self.placement)
    }
}

/// Where the packets of one track go, or of its repair.
#[derive(Copy, Clone, Debug)]
struct TrackRoute {
    flow: FlowId,
    rtp: SocketAddr,
    rtcp: Option<SocketAddr>,
}

impl Push {
    /// The audio of `programme`, along `way`.
    ///
    /// # Errors
    ///
    /// If there are not enough ports after that one.
    pub fn new(programme: &Programme, way: Way, sender: Sender) -> Result<Self, PushError> {
        let mut random = ChaCha8Rng::from_seed(sender.seed);
        let tracks = programme.audio.len();
        let (tracks, repair) = match way.roc {
            Some(roc) => roc::routes(way, roc, tracks).map(|(it, repair)| (it, Some(repair)))?,
            None => (pairs(way.target, tracks)?, None),
        };
        let reports = SenderReports::new(sender.cname, ChaCha8Rng::from_rng(&mut random));
        let reports = match way.roc {
            Some(_) => reports.every(roc::REPORT_INTERVAL),
            None => reports,
        };
        let wall = WallClock(sender.ntp_at_zero);
        let mut pipeline = Pipeline::new(rate(programme, way), wall, reports.lingering());
        let target = way.target.ip();
        let listener = (!target.is_multicast()).then_some(target.to_canonical());
        for (source, track) in programme.audio.iter().zip(&tracks) {
            let format = source.format();
            let packetizer = Packetizer::new(
                payload_type(programme.codec, format),
                programme.codec.clock_rate(format),
                StreamSeed::random(&mut random),
                None,
            );
            let mut chain = AudioChain::new(track.flow, Arc::clone(source), packetizer);
            if listener.is_some() {
                chain.guard(breaker(source.unit_duration()));
            }
            if let Some(flow) = repair {
                chain.protect(roc::protection(flow, source.unit_duration(), &mut random));
            }
            pipeline.add_audio(chain);
        }
        let described = way.roc.is_none().then(|| Described {
            description: description::description(programme),
            placement: description::placement(way, sender.ntp_at_zero, &tracks),
        });
        let durations = programme.audio.iter().map(|encoding| encoding.duration());
        let duration = durations.max().unwrap_or_default();
        Ok(Self {
            pipeline,
            tracks,
            duration,
            described,
            random,
            listener,
            announcer: None,
            stopped: false,
        })
    }

    /// The same, announced to who looks for sessions.
    ///
    /// # Errors
    ///
    /// If it does not go to a group, or if Roc listens.
    pub fn announced(self) -> Result<Self, PushError> {
        let described = self.described.as_ref().ok_or(PushError::Undescribed)?;
        let Placement { address, sender, .. } = described.placement;
        let to = sap::announced_to(address).ok_or(PushError::NoGroup(address))?;
        let announcement = Announcement::new(sender, &described.sdp());
        let random = self.random.clone();
        Ok(Self { announcer: Some(Announcer::new(to, announcement, random)), ..self })
    }

    /// What a receiver needs to know (SDP, RFC 8866). Roc's endpoints have no description: one of the
    /// media alone would call it plain L16, which its footers make it no more.
    pub fn sdp(&self) -> Option<String> {
        self.described.as_ref().map(Described::sdp)
    }

    /// Where reports go, ours and those of the members of a group.
    pub fn report_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.tracks.iter().filter_map(|track| track.rtcp)
    }

    /// Begins with the beginning.
    pub fn begin(&mut self, now: MonoTime) {
        self.pipeline.play(now, Schedule::live(now, MediaTime::ZERO, self.duration));
    }

    /// Ends before the end: nothing more leaves but goodbye.
    pub fn stop(&mut self, now: MonoTime) {
        self.stopped = true;
        self.pipeline.leave(now);
    }

    /// Something came to our ports, `from` a canonical address. What is no report of the listener is passed over; goodbye is no
    /// reason to end, for another may come.
    pub fn heard(&mut self, now: MonoTime, from: SocketAddr, data: &[u8]) {
        if self.listener.is_none_or(|listener| listener == from.ip()) {
            self.pipeline.heard(now, data);
        }
    }

    /// The next packet to leave at `now`.
    pub fn pop(&mut self, now: MonoTime) -> Option<Transmit> {
        self.pop_media(now).or_else(|| {
            let is_over = self.media_ending().is_some();
            self.announcer.as_mut()?.pop(now, is_over)
        })
    }

    fn pop_media(&mut self, now: MonoTime) -> Option<Transmit> {
        loop {
            let packet = self.pipeline.pop(now);
            for (flow, why) in self.pipeline.take_ceased() {
                warn!(track = flow.get(), "a track is sent no more: {why}");
            }
            let packet = packet?;
            let track = self.tracks.iter().find(|track| track.flow == packet.flow);
            let to = track.and_then(|track| match packet.channel {
                Channel::Rtp => Some(track.rtp),
                Channel::Rtcp => track.rtcp,
            });
            // Every flow has its route, and perhaps nobody wants its reports.
            let Some(to) = to else { continue };
            return Some(Transmit {
                destination: Destination::Udp(to),
                channel: packet.channel,
                class: packet.class,
                data: packet.data,
            });
        }
    }

    /// When [`pop`](Self::pop) may have something again.
    pub fn next_deadline(&self, now: MonoTime) -> Option<MonoTime> {
        let announcement = self.announcer.as_ref().and_then(Announcer::next_deadline);
        self.pipeline.next_deadline(now).into_iter().chain(announcement).min()
    }

    /// How it has ended, if it has; once [`pop`](Self::pop) has given everything.
    pub fn ending(&self) -> Option<Ending> {
        let is_silent = self.announcer.as_ref().is_none_or(Announcer::is_silent);
        self.media_ending().filter(|_| is_silent)
    }

    fn media_ending(&self) -> Option<Ending> {
        match self.pipeline.is_cut_short() {
            Some(why) => Some(Ending::CutShort(why)),
            None if self.stopped => Some(Ending::Stopped),
            None => self.pipeline.has_parted().then_some(Ending::Finished),
        }
    }
}

/// What a chain is paced to: a little more than it needs, to catch up where the encoder was behind.
fn rate(programme: &Programme, way: Way) -> Bitrate {
    let rates = (0..programme.audio.len()).filter_map(|index| programme.audio_rate(index));
    let media: Bitrate = rates.sum();
    let factor = if way.roc.is_some() { 2.0 } else { 1.5 };
    media.mul_f64(factor).max(LEAST_RATE)
}

/// A pair of ports for each of `count` tracks.
fn pairs(target: SocketAddr, count: usize) -> Result<Vec<TrackRoute>, PushError> {
    let first = target.port();
    let route = |index: usize| {
        let offset = u16::try_from(2 * index).ok()?;
        let to = sdp::Destination::new(with_port(target, first.checked_add(offset)?))?;
        let flow = FlowId::new(index as u64 + 1)?;
        Some(TrackRoute { flow, rtp: to.rtp, rtcp: Some(to.rtcp) })
    };
    (0..count).map(route).collect::<Option<_>>().ok_or(PushError::Ports { tracks: count, first })
}

/// The same host, and the same zone of an IPv6 address.
fn with_port(target: SocketAddr, port: u16) -> SocketAddr {
    let mut address = target;
    address.set_port(port);
    address
}

/// The static payload types of L16 where they fit, which need no description; else the numbers that
/// RTSP uses too.
fn payload_type(codec: Codec, format: AudioFormat) -> PayloadType {
    let stands_for = |it: &PayloadType| AudioCodec::of_static(*it) == Some((codec.into(), format));
    let fixed = [PayloadType::L16_STEREO, PayloadType::L16_MONO].into_iter().find(stands_for);
    fixed.unwrap_or_else(|| control::payload_type(codec.into()))
}

/// Who listens reports as RFC 3550 has it, or not at all.
fn breaker(unit: MediaTime) -> CircuitBreaker {
    CircuitBreaker::new(BreakerTerms {
        framing: unit.to_duration(),
        interval: DEFAULT_MINIMUM,
        reports: false,
        patience: PATIENCE,
        congestion: true,
    })
}
