//! What came of a simulated session.

use std::collections::BTreeMap;
use std::time::Duration;

use cantus_player::wire::Ending;
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::cue::Cue;
use cantus_qos::stats::UnitRecord;
use cantus_qos::stats::report::{QosReport, StreamKind, StreamReport};
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use crate::duplex::{Direction, Kind, PacketLog};
use crate::link::NodeCounts;
use crate::plan::Flow;

/// Everything that can be known of a session that was played.
#[derive(Debug)]
pub struct Outcome {
    /// The player's report.
    pub report: QosReport,
    /// How it ended; `None` if it had not by the time it was given up.
    pub ending: Option<Ending>,
    /// What was heard, where the scenario asked for it to be kept.
    pub sound: Option<Sound>,
    /// The cues in the order in which they were shown.
    pub cues: Vec<ShownCue>,
    /// The fates of units as they were settled, where the scenario asked for them.
    pub fates: Vec<UnitFate>,
    /// What became of every packet of the session; their stories where the scenario asked for them.
    pub packets: PacketLog,
    /// What the ends gave to the transport, by direction and kind.
    pub offered: Offered,
    /// What the link from streamer to player did, to everybody's packets.
    pub there: NodeCounts,
    /// What the link from player to streamer did, to everybody's packets.
    pub back: NodeCounts,
    /// What happened when.
    pub log: Vec<(MonoTime, Milestone)>,
    /// How much virtual time it took, from asking to the end of the session.
    pub elapsed: Duration,
    /// Sessions that the streamer still had two seconds after the last player's end.
    pub sessions_left: usize,
    /// Who else crossed the path, in the order of the scenario.
    pub companions: Vec<Companion>,
}

/// Somebody who shared the path with a session.
#[derive(Debug)]
pub struct Companion {
    /// What it was.
    pub flow: Flow,
    /// When it came, since the beginning of the session.
    pub from: Duration,
    /// What became of its packets; their stories where the scenario asked for them.
    pub packets: PacketLog,
    /// What came of it, if it was a session.
    pub outcome: Option<Outcome>,
}

impl Outcome {
    /// Whether the whole range was played.
    pub fn is_completed(&self) -> bool {
        matches!(self.ending, Some(Ending::Completed))
    }

    /// The audio streams of the report.
    pub fn audio(&self) -> impl Iterator<Item = &StreamReport> {
        self.report.streams.iter().filter(|stream| stream.kind == StreamKind::Continuous)
    }
}

/// What the ends gave to the transport, whatever it then put around it.
pub type Offered = BTreeMap<(Direction, Kind), Amount>;

/// Packets, and the bytes that they would be if each travelled alone over UDP and IPv4, headers
/// included.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Amount {
    /// How many.
    pub packets: u64,
    /// How large together.
    pub bytes: u64,
}

/// What was heard.
#[derive(Clone, PartialEq, Debug)]
pub struct Sound {
    /// Rate and channels.
    pub format: AudioFormat,
    /// Interleaved, between -1 and 1.
    pub samples: Vec<f32>,
    /// The media time of the first sample.
    pub from: MediaTime,
    /// When samples left the player for the sink: the instant, and the frame that was next.
    pub handed: Vec<(MonoTime, u64)>,
}

/// A cue that was shown.
#[derive(Clone, PartialEq, Debug)]
pub struct ShownCue {
    /// When it was shown.
    pub at: MonoTime,
    /// The cue.
    pub cue: Cue,
    /// By how much it came after the sound it belongs to.
    pub skew: TimeDelta,
}

/// The fate of a unit of a stream.
#[derive(Clone, Debug)]
pub struct UnitFate {
    /// The stream's name.
    pub stream: String,
    /// The unit and its fate.
    pub record: UnitRecord,
}

/// What happens once in a session.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Milestone {
    /// The player asked to be connected.
    Asked,
    /// The control connection stood.
    Connected,
    /// The player knew what it would play.
    Ready {
        /// What the samples would be.
        format: AudioFormat,
        /// The title of the presentation.
        title: String,
    },
    /// The first sample was handed to the sink.
    FirstSound,
    /// The connection broke.
    Lost,
    /// The player's end.
    Ended,
}
