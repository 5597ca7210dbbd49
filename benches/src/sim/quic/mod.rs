//! RTP over QUIC: framed as the streamer's and the player's drivers frame it, on quinn's own
//! protocol machines.

mod end;
mod settings;

pub use settings::QuicError;

pub(super) use end::{End, News};
pub(super) use settings::Settings;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use cantus_player::wire as player;
use cantus_qos::delivery::Channel;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::{self, FlowId, StreamReader, StreamWriter};
use cantus_qos::rtcp;
use cantus_qos::time::MonoTime;
use cantus_streamer::quic::GrantedRate;
use cantus_streamer::wire::{self as streamer, Carrier, Destination, Source};
use quinn_proto::{ClientConfig, Dir, StreamId};

use super::carriage::{Arrival, Carriage};
use super::clock::Clock;
use super::path::Path;
use super::place::Place;
use crate::duplex::{Direction, Forward, Kind};

/// Two ends and what runs between them.
pub(super) struct Quic {
    place: Place,
    clock: Clock,
    client: End,
    server: End,
    config: Option<ClientConfig>,
    rate: GrantedRate,
    /// Flow 0 at the client and, once its first byte has come, at the server.
    control: (Option<StreamId>, Option<StreamId>),
    /// The server's streams, one a flow.
    writers: BTreeMap<FlowId, (StreamId, StreamWriter)>,
    readers: BTreeMap<StreamId, StreamReader>,
    arrivals: VecDeque<Arrival>,
    lost: bool,
}

impl Quic {
    /// The connection of the player at `place`; what `seed` leads to are its random numbers.
    pub(super) fn new(place: Place, seed: u64) -> Result<Self, QuicError> {
        let settings = Settings::new()?;
        Ok(Self {
            place,
            clock: Clock::new(),
            client: End::client(seed),
            server: End::server(seed, settings.server),
            config: Some(settings.client),
            rate: settings.rate,
            control: (None, None),
            writers: BTreeMap::new(),
            readers: BTreeMap::new(),
            arrivals: VecDeque::new(),
            lost: false,
        })
    }

    /// Makes arrivals of what the two connections have to tell.
    fn tell(&mut self) {
        for news in self.server.news() {
            self.at_server(news);
        }
        self.arrivals.extend(self.rate.take_path().map(Arrival::Path));
        for news in self.client.news() {
            self.at_client(news);
        }
    }

    fn at_server(&mut self, news: News) {
        match news {
            News::Connected => {}
            News::Datagram(datagram) => {
                let Ok((flow, data)) = roq::parse_datagram(datagram) else { return };
                if flow != FlowId::CONTROL && rtcp::is_rtcp(&data) {
                    let source = Source::Quic(self.place.connection(), flow);
                    self.arrivals.push_back(Arrival::Feedback(source, data));
                }
            }
            News::Stream(id, mut data) => {
                // The first stream is flow 0, and says so with its first byte.
                if self.control.1.is_none() && data.first() == Some(&0) {
                    self.control.1 = Some(id);
                    self.arrivals.push_back(Arrival::Accepted(Carrier::Quic));
                    data = data.slice(1..);
                }
                if self.control.1 == Some(id) && !data.is_empty() {
                    self.arrivals.push_back(Arrival::Request(data));
                }
            }
            News::Lost => self.lose(),
        }
    }

    fn at_client(&mut self, news: News) {
        match news {
            News::Connected => {
                self.control.0 = self.client.open(Dir::Bi);
                if let Some(id) = self.control.0 {
                    self.client.write(id, &FlowId::CONTROL.stream_header());
                }
                self.arrivals.push_back(Arrival::Connected);
            }
            News::Datagram(datagram) => {
                let Ok((flow, data)) = roq::parse_datagram(datagram) else { return };
                let channel = if rtcp::is_rtcp(&data) { Channel::Rtcp } else { Channel::Rtp };
                self.arrivals.push_back(Arrival::Packet { flow, channel, data });
            }
            News::Stream(id, data) if self.control.0 == Some(id) => {
                self.arrivals.push_back(Arrival::Answer(data));
            }
            News::Stream(id, data) => self.read_flow(id, &data),
            News::Lost => self.lose(),
        }
    }

    fn read_flow(&mut self, id: StreamId, data: &[u8]) {
        let reader = self.readers.entry(id).or_default();
        reader.push(data);
        // A stream that has lost its framing has nothing more to say.
        while let Ok(Some(data)) = reader.pop() {
            if let Some(flow) = reader.flow() {
                let channel = Channel::Rtp;
                self.arrivals.push_back(Arrival::Packet { flow, channel, data });
            }
        }
    }

    fn lose(&mut self) {
        if !std::mem::replace(&mut self.lost, true) {
            self.arrivals.push_back(Arrival::Lost);
        }
    }

    fn write_flow(&mut self, flow: FlowId, packet: &[u8]) {
        if !self.writers.contains_key(&flow) {
            let Some(id) = self.server.open(Dir::Uni) else { return };
            self.writers.insert(flow, (id, StreamWriter::new(flow)));
        }
        let Some((id, writer)) = self.writers.get_mut(&flow) else { return };
        if let Ok(framed) = writer.write(packet) {
            self.server.write(*id, &framed);
        }
    }
}

impl Carriage for Quic {
    fn connect(&mut self, now: MonoTime) {
        let connected = self
            .config
            .take()
            .is_some_and(|config| self.client.connect(self.clock.instant(now), config).is_ok());
        if !connected {
            self.lose();
        }
    }

    fn receive(&mut self, now: MonoTime, arrived: Forward) {
        let at = self.clock.instant(now);
        match arrived.direction {
            Direction::ToServer => self.server.receive(at, &arrived.data),
            Direction::ToClient => self.client.receive(at, &arrived.data),
        }
        self.tell();
    }

    fn pop(&mut self, _now: MonoTime) -> Option<Arrival> {
        self.arrivals.pop_front()
    }

    fn answer(&mut self, _now: MonoTime, data: Bytes) {
        if let Some(id) = self.control.1 {
            self.server.write(id, &data);
        }
    }

    fn request(&mut self, _now: MonoTime, data: Bytes) {
        if let Some(id) = self.control.0 {
            self.client.write(id, &data);
        }
    }

    fn to_player(&mut self, _now: MonoTime, _path: &mut Path<'_>, transmit: streamer::Transmit) {
        match transmit.destination {
            Destination::Datagram(_, flow) => {
                self.server.datagram(roq::datagram(flow, &transmit.data));
            }
            Destination::Stream(_, flow) => self.write_flow(flow, &transmit.data),
            Destination::Udp(_) | Destination::Interleaved(..) => {}
        }
    }

    fn to_streamer(
        &mut self,
        _now: MonoTime,
        _path: &mut Path<'_>,
        flow: FlowId,
        _channel: Channel,
        data: Bytes,
    ) {
        self.client.datagram(roq::datagram(flow, &data));
    }

    fn bind(&mut self, _flow: FlowId) -> Option<player::Input<'static>> {
        None
    }

    fn granted(&mut self, rate: Bitrate) {
        self.rate.set(rate);
    }

    fn flush(&mut self, now: MonoTime, path: &mut Path<'_>) {
        let at = self.clock.instant(now);
        for (end, direction) in
            [(&mut self.client, Direction::ToServer), (&mut self.server, Direction::ToClient)]
        {
            end.advance(at);
            for data in end.drain() {
                path.send(now, direction, Kind::Quic, self.place.route(0), data);
            }
        }
        // A timer may have ended the connection.
        self.tell();
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        if !self.arrivals.is_empty() {
            return Some(MonoTime::ZERO);
        }
        let timeouts = [self.client.timeout(), self.server.timeout()];
        timeouts.into_iter().flatten().map(|at| self.clock.virtual_time(at)).min()
    }
}
