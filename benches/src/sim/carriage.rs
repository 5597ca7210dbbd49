//! What carries control and media between the ends.

use bytes::Bytes;
use cantus_player::wire as player;
use cantus_qos::delivery::Channel;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::shaping::PathRate;
use cantus_qos::time::MonoTime;
use cantus_streamer::wire as streamer;

use super::path::Path;
use crate::duplex::Forward;

/// What has come to one of the ends.
#[derive(Debug)]
pub(super) enum Arrival {
    /// The control connection has reached the streamer.
    Accepted(streamer::Carrier),
    /// The control connection is there: the player may ask.
    Connected,
    /// Bytes of control for the streamer.
    Request(Bytes),
    /// Bytes of control for the player.
    Answer(Bytes),
    /// A report for the streamer.
    Feedback(streamer::Source, Bytes),
    /// What the streamer's end of a connection found its path to bear.
    Path(PathRate),
    /// A packet for the player.
    Packet { flow: FlowId, channel: Channel, data: Bytes },
    /// The connection has broken.
    Lost,
}

/// UDP beside TCP, or QUIC.
pub(super) trait Carriage {
    /// The player wants to connect.
    fn connect(&mut self, now: MonoTime);

    /// A packet of this session has come through a link.
    fn receive(&mut self, now: MonoTime, arrived: Forward);

    /// The next thing that has arrived.
    fn pop(&mut self, now: MonoTime) -> Option<Arrival>;

    /// The streamer answers.
    fn answer(&mut self, now: MonoTime, data: Bytes);

    /// The player asks.
    fn request(&mut self, now: MonoTime, data: Bytes);

    /// The streamer sends a packet.
    fn to_player(&mut self, now: MonoTime, path: &mut Path<'_>, transmit: streamer::Transmit);

    /// The player sends a packet.
    fn to_streamer(
        &mut self,
        now: MonoTime,
        path: &mut Path<'_>,
        flow: FlowId,
        channel: Channel,
        data: Bytes,
    );

    /// The player wants ports for a flow; where there are ports.
    fn bind(&mut self, flow: FlowId) -> Option<player::Input<'static>>;

    /// The streamer's sessions were granted so much.
    fn granted(&mut self, rate: Bitrate);

    /// Both ends have said what they had to say at `now`.
    fn flush(&mut self, now: MonoTime, path: &mut Path<'_>);

    /// When there may be something again, apart from what is on the links.
    fn next_deadline(&self) -> Option<MonoTime>;
}
