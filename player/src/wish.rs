//! What the user wants to hear, and how: everything that the pure player is told at the start.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cantus_qos::quantity::{QuantityError, duration_text, parse_latency_millis};
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::spec::{Mode, Protection, QosSpec};
use cantus_qos::time::{MediaTime, NtpTime};
use rtsp_types::Url;

use crate::url::User;

/// How long playback waits behind the sender.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub enum Latency {
    /// As long as the measured jitter demands, and where a share of losses is promised as repair
    /// takes to keep that; adapted while playing.
    #[default]
    Auto,
    /// The streamer runs ahead, the player starts early and deepens its buffer.
    Stored,
    /// From a unit's scheduled sending to its first sample leaving the sink, held constant.
    Fixed(Duration),
}

/// Text that names no latency.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
#[error("the latency is auto, stored or a time such as 200ms: {0}")]
pub struct LatencyError(QuantityError);

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Stored => f.write_str("stored"),
            Self::Fixed(delay) => f.write_str(&duration_text(*delay)),
        }
    }
}

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "stored" => Ok(Self::Stored),
            _ => parse_latency_millis(text).map(Self::Fixed).map_err(LatencyError),
        }
    }
}

/// Which subtitles are wanted.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub enum Language {
    /// None at all.
    None,
    /// The first that there are.
    #[default]
    First,
    /// Those in this language, a tag such as `en`.
    Tag(String),
}

/// How media travels.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Carrier {
    /// In the QUIC connection that carries control.
    Quic,
    /// Over UDP, beside control over TCP.
    Udp,
}

/// What to do where the server promises less than was asked for.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, clap::ValueEnum)]
pub enum Less {
    /// Leave, and say what was offered
    #[default]
    Refuse,
    /// Play by what is offered
    Take,
    /// Play by what was asked for, promised or not
    Ignore,
}

/// Whose clock playback follows.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum SinkClock {
    /// The sender's, as mapped: files and the null sink have none of their own.
    Sender,
    /// The sink's: a sound card asks for samples when it wants them.
    Sink,
}

/// What is to be played.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The presentation, without a query.
    pub url: Url,
    /// Who listens, for a server that wants to know.
    pub user: Option<User>,
    /// How media travels.
    pub carrier: Carrier,
    /// The codec to ask for.
    pub codec: AudioCodec,
    /// The subtitles that are wanted.
    pub language: Language,
    /// How long playback waits.
    pub latency: Latency,
    /// Whether anybody has asked for that latency: what nobody has asked for is no promise.
    pub asked: bool,
    /// The repair to ask for.
    pub protection: Protection,
    /// Whether what is missing is asked for again, where the server sends it again.
    pub retransmission: bool,
    /// The quality to ask for, beside the latency.
    pub spec: QosSpec,
    /// What to do where less is offered than was asked for.
    pub less: Less,
    /// Where to begin.
    pub from: MediaTime,
    /// How much to play.
    pub length: Option<MediaTime>,
    /// Whose clock playback follows.
    pub sink_clock: SinkClock,
    /// How long before they are due samples leave for a sink without a clock, as if it were a
    /// sound card with so much in its buffer: what left before it was due is heard when it is due,
    /// and only what left later is heard late. Zero where whoever owns the clock is never late, as
    /// in the simulator. Units must have come by so much earlier.
    pub lead: Duration,
    /// How long before they are due samples may leave for a sink without a clock where all of them are
    /// there: a file does not mind, and a busy machine makes nothing late that has left already. What
    /// is missing, and may yet come, is waited for until [`lead`](Self::lead) before it is due.
    pub ahead: Duration,
    /// What the wall clock showed when the player's clock was zero, where the server is known to
    /// go by the same: on one machine, and in the simulator. Delays are exact then.
    pub shared_clock: Option<NtpTime>,
    /// Begins the player's own identifiers (its SSRC, the spacing of its reports).
    pub seed: u64,
}

impl Wish {
    /// The presentation at `url`, as most would want it.
    pub fn new(url: Url, carrier: Carrier) -> Self {
        Self {
            url,
            user: None,
            carrier,
            codec: AudioCodec::Opus,
            language: Language::First,
            latency: Latency::Auto,
            asked: true,
            protection: Protection::Auto,
            retransmission: true,
            spec: QosSpec::default(),
            less: Less::Refuse,
            from: MediaTime::ZERO,
            length: None,
            sink_clock: SinkClock::Sender,
            lead: Duration::ZERO,
            ahead: Duration::ZERO,
            shared_clock: None,
            seed: 0,
        }
    }

    /// The quality to ask for, the latency included.
    pub fn full_spec(&self) -> QosSpec {
        let mut spec = self.spec;
        match self.latency {
            Latency::Fixed(delay) => {
                spec.delay = if self.asked { Some(delay) } else { spec.delay };
                spec.mode = Some(Mode::Live);
            }
            Latency::Stored => spec.mode = Some(Mode::Stored),
            Latency::Auto => {}
        }
        spec
    }
}
