//! What crosses the border between the pure player and the loop that drives it.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::cue::Cue;
use cantus_qos::roq::FlowId;
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use crate::error::PlayError;

/// What the driver tells the player.
#[derive(Debug)]
pub enum Input<'a> {
    /// Bytes of control, as they came.
    Control(&'a [u8]),
    /// A packet of a flow.
    Packet {
        /// The flow.
        flow: FlowId,
        /// RTP or RTCP.
        channel: Channel,
        /// The packet.
        data: Bytes,
    },
    /// A pair of UDP ports is open for a flow.
    Bound {
        /// The flow.
        flow: FlowId,
        /// The ports of RTP and RTCP.
        ports: (u16, u16),
    },
    /// A sink with a clock wants sound, or says how far it is. The more often it says, the better
    /// cues and sound keep together.
    SinkWants {
        /// How many frames; there may be nothing that it wants.
        frames: usize,
        /// How long until what it has is heard.
        pending: Duration,
    },
    /// The transport measured a round trip.
    RoundTrip(Duration),
    /// The user wants it to end.
    Stop,
    /// The server is gone: the control connection has ended.
    Closed,
}

/// What the player tells the driver.
#[derive(Debug)]
pub enum Output {
    /// Write these bytes to the control connection.
    Control(Bytes),
    /// Open a pair of UDP ports for a flow, then say [`Input::Bound`].
    Bind(FlowId),
    /// Packets of a flow come from, and go to, these ports of the server.
    Peer {
        /// The flow.
        flow: FlowId,
        /// The server's ports of RTP and RTCP.
        ports: (u16, u16),
    },
    /// Send this packet now.
    Transmit {
        /// The flow.
        flow: FlowId,
        /// RTP or RTCP.
        channel: Channel,
        /// How it is marked.
        class: DeliveryClass,
        /// The packet.
        data: Bytes,
    },
    /// Something for the application.
    Event(Event),
    /// Nothing more until this instant, or until there is input.
    Wait(Option<MonoTime>),
}

/// What the application is told.
#[derive(Debug)]
pub enum Event {
    /// Playback is about to begin: open the sink.
    Ready {
        /// What the samples will be.
        format: AudioFormat,
        /// The title of the presentation.
        title: String,
        /// What will be played.
        range: (MediaTime, Option<MediaTime>),
    },
    /// Samples to be heard next, interleaved.
    Sound {
        /// The samples.
        samples: Vec<f32>,
        /// The media time of the first; `None` is silence before the beginning.
        position: Option<MediaTime>,
    },
    /// A cue to be shown now.
    Show {
        /// The cue.
        cue: Cue,
        /// By how much it comes after the sound it belongs to.
        skew: TimeDelta,
    },
    /// It is over; the report may be asked for.
    Ended(Ending),
}

/// How it ended.
#[derive(Debug)]
pub enum Ending {
    /// The whole range was played, or all until the sender said goodbye.
    Completed,
    /// What was pushed comes no more, and nobody has said goodbye.
    Silent {
        /// How long nothing has come.
        after: Duration,
    },
    /// The user wanted it to end.
    Stopped,
    /// It could not go on; what was played until then stands.
    Failed(PlayError),
}
