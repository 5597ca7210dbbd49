//! RTP over UDP, RTSP over TCP.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use cantus_player::wire as player;
use cantus_qos::delivery::Channel;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp;
use cantus_qos::time::MonoTime;
use cantus_streamer::wire::{self as streamer, Carrier, Destination, Source};

use super::carriage::{Arrival, Carriage};
use super::path::{Path, Pipe};
use super::place::Place;
use crate::duplex::{Direction, Forward, Kind};

/// The streamer's media ports.
pub(super) const MEDIA_PORTS: (u16, u16) = (6_970, 6_971);

/// The player's first pair of ports; each flow has the next.
const FIRST_PORT: u16 = 50_000;

/// Packets are marked with the player's port, from which its flow and channel follow.
#[derive(Debug)]
pub(super) struct Udp {
    place: Place,
    requests: Pipe,
    answers: Pipe,
    accepted_at: Option<MonoTime>,
    connected_at: Option<MonoTime>,
    ports: BTreeMap<FlowId, (u16, u16)>,
    arrivals: VecDeque<Arrival>,
}

impl Udp {
    /// For the player at `place`. Control is delayed by so much on its way to it, and on its way
    /// back.
    pub(super) fn new(place: Place, there: Duration, back: Duration) -> Self {
        Self {
            place,
            requests: Pipe::new(back),
            answers: Pipe::new(there),
            accepted_at: None,
            connected_at: None,
            ports: BTreeMap::new(),
            arrivals: VecDeque::new(),
        }
    }

    fn flow_at(&self, port: u16) -> Option<(FlowId, Channel)> {
        self.ports.iter().find_map(|(flow, (rtp, rtcp))| match port {
            port if port == *rtp => Some((*flow, Channel::Rtp)),
            port if port == *rtcp => Some((*flow, Channel::Rtcp)),
            _ => None,
        })
    }

    fn arrived(&self, arrived: Forward) -> Option<Arrival> {
        // The upper half says whose it is.
        let port = arrived.route as u16;
        let data = arrived.data;
        if arrived.direction == Direction::ToServer {
            let source = Source::Udp(SocketAddr::new(self.place.address(), port));
            return rtcp::is_rtcp(&data).then_some(Arrival::Feedback(source, data));
        }
        let (flow, channel) = self.flow_at(port)?;
        Some(Arrival::Packet { flow, channel, data })
    }
}

impl Carriage for Udp {
    /// The handshake of TCP: SYN one way, SYN-ACK the other.
    fn connect(&mut self, now: MonoTime) {
        let accepted_at = now + self.requests.delay();
        self.accepted_at = Some(accepted_at);
        self.connected_at = Some(accepted_at + self.answers.delay());
    }

    fn receive(&mut self, _now: MonoTime, arrived: Forward) {
        self.arrivals.extend(self.arrived(arrived));
    }

    fn pop(&mut self, now: MonoTime) -> Option<Arrival> {
        if self.accepted_at.take_if(|at| *at <= now).is_some() {
            return Some(Arrival::Accepted(Carrier::Tcp(self.place.address())));
        }
        if self.connected_at.take_if(|at| *at <= now).is_some() {
            return Some(Arrival::Connected);
        }
        if let Some(data) = self.requests.pop(now) {
            return Some(Arrival::Request(data));
        }
        if let Some(data) = self.answers.pop(now) {
            return Some(Arrival::Answer(data));
        }
        self.arrivals.pop_front()
    }

    fn answer(&mut self, now: MonoTime, data: Bytes) {
        self.answers.push(now, data);
    }

    fn request(&mut self, now: MonoTime, data: Bytes) {
        self.requests.push(now, data);
    }

    fn to_player(&mut self, now: MonoTime, path: &mut Path<'_>, transmit: streamer::Transmit) {
        let Destination::Udp(to) = transmit.destination else { return };
        let kind = Kind::of_delivery(transmit.channel, transmit.class);
        path.send(now, Direction::ToClient, kind, self.place.route(to.port()), transmit.data);
    }

    fn to_streamer(
        &mut self,
        now: MonoTime,
        path: &mut Path<'_>,
        flow: FlowId,
        channel: Channel,
        data: Bytes,
    ) {
        let Some((rtp, rtcp)) = self.ports.get(&flow).copied() else { return };
        let (port, kind) = match channel {
            Channel::Rtp => (rtp, Kind::Media),
            Channel::Rtcp => (rtcp, Kind::Rtcp),
        };
        path.send(now, Direction::ToServer, kind, self.place.route(port), data);
    }

    fn bind(&mut self, flow: FlowId) -> Option<player::Input<'static>> {
        let rtp = FIRST_PORT + 2 * u16::try_from(self.ports.len()).ok()?;
        let ports = (rtp, rtp + 1);
        self.ports.insert(flow, ports);
        Some(player::Input::Bound { flow, ports })
    }

    fn granted(&mut self, _rate: Bitrate) {}

    fn flush(&mut self, _now: MonoTime, _path: &mut Path<'_>) {}

    fn next_deadline(&self) -> Option<MonoTime> {
        let connecting = self.accepted_at.into_iter().chain(self.connected_at);
        let pipes = [self.requests.next_deadline(), self.answers.next_deadline()];
        connecting.chain(pipes.into_iter().flatten()).min()
    }
}
