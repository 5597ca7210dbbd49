//! SETUP: a flow for one track.

use std::net::SocketAddr;
use std::sync::Arc;

use cantus_qos::fec::{BlockShape, Encoder, Layout};
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::{RtpTimestamp, Sequence, Ssrc};
use cantus_qos::rtsp::{CANTUS_FEC, CANTUS_QOS, Transport, TransportHeader};
use cantus_qos::spec::admission::{Grant, Refusal};
use cantus_qos::spec::{Protection as Wish, QosSpec};
use cantus_qos::time::{ClockRate, MonoTime};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtsp_types::{StatusCode, headers};

use super::describe::{Payload, clock_rate, payload_type, send_time_id};
use super::reply::Reply;
use super::request::{Asked, bad};
use super::{Connection, SessionId};
use crate::pipeline::{
    AudioChain, Carriage, CueChain, Packetizer, Pipeline, Protection, SenderReports, StreamSeed,
};
use crate::programme::Programme;
use crate::protection;
use crate::server::Server;
use crate::session::{Flow, FlowKind, Route, Session, TIMEOUT};
use crate::wire::{Carrier, ConnectionId, Output, Source};

/// What a subtitle track may use: a line of text, eight times, every few seconds.
const TEXT_RATE: Bitrate = Bitrate::from_kbps(8);

/// What SETUP has decided before it changes anything.
struct Plan {
    kind: FlowKind,
    route: Route,
    flow: FlowId,
    transport: Transport,
    rate: Bitrate,
    shape: Option<BlockShape>,
}

impl Server {
    pub(super) fn setup(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Reply {
        self.try_setup(now, connection, asked).unwrap_or_else(|refusal| refusal)
    }

    fn try_setup(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Result<Reply, Reply> {
        let session = self.session_of(connection, asked);
        if asked.session.is_some() && session.is_none() {
            return Err(Reply::refuse(StatusCode::SessionNotFound, "no such session"));
        }
        let programme = self.programme_of(connection)?;
        let plan = self.plan(connection, asked, session, &programme)?;
        let id = match session {
            Some(id) => {
                let admission = &mut self.admission;
                let more = self.sessions.update(now, id, |session| {
                    let total = session.grant.rate() + plan.rate;
                    admission.change(&mut session.grant, total)
                });
                more.unwrap_or(Ok(())).map_err(refuse)?;
                id
            }
            None => {
                let grant = self.admission.request(plan.rate).map_err(refuse)?;
                self.open_session(now, connection, asked, programme, grant)
            }
        };
        let seed = self.stream_seed();
        let cantus = asked.cantus;
        let flow =
            Flow { id: plan.flow, kind: plan.kind.clone(), route: plan.route, rate: plan.rate };
        let ssrc = self.sessions.update(now, id, |session| {
            let ssrc = extend(session, &plan, seed, cantus);
            session.add_flow(now, flow);
            ssrc
        });
        self.tell_granted(connection);
        let transport = with_ssrc(plan.transport, ssrc.flatten());
        Ok(self.setup_reply(id, asked, transport, plan.shape))
    }

    /// The congestion window must have room for all sessions of the connection, as they are shaped.
    fn tell_granted(&mut self, connection: ConnectionId) {
        let sessions = self.sessions.of_connection(connection);
        let rates = sessions.iter().filter_map(|id| self.sessions.peek(*id));
        let rate = rates.map(Session::shaped_rate).sum();
        self.outbox.push_back(Output::Granted { connection, rate });
    }

    fn setup_reply(
        &self,
        id: SessionId,
        asked: &Asked,
        transport: Transport,
        shape: Option<BlockShape>,
    ) -> Reply {
        let mut reply = Reply::ok()
            .header(headers::TRANSPORT, transport.to_string())
            .header(headers::SESSION, format!("{id};timeout={}", TIMEOUT.as_secs()));
        if let Some(group) = &asked.pipelined {
            reply = reply.header(headers::PIPELINED_REQUESTS, group.clone());
        }
        if asked.spec != QosSpec::default() {
            reply = reply.header(CANTUS_QOS.clone(), asked.spec.to_string());
        }
        if let Some(shape) = shape {
            reply = reply.header(CANTUS_FEC.clone(), shape.to_string());
        }
        reply
    }

    fn programme_of(&self, connection: ConnectionId) -> Result<Arc<Programme>, Reply> {
        let state = self.connections.get(&connection);
        let described = state.and_then(|state| state.described.as_ref());
        described
            .map(|(_, programme)| programme.clone())
            .ok_or_else(|| Reply::refuse(StatusCode::NotFound, "no such presentation"))
    }

    /// Decides everything about a flow, without changing anything yet.
    fn plan(
        &self,
        connection: ConnectionId,
        asked: &Asked,
        session: Option<SessionId>,
        programme: &Programme,
    ) -> Result<Plan, Reply> {
        let track = asked.target.as_ref().and_then(|target| target.track.as_ref());
        let kind = match track {
            Some(track) => track.kind.clone(),
            // A client that sets up the presentation itself means its only track.
            None if programme.audio.len() == 1 => FlowKind::Audio(0),
            None => {
                return Err(Reply::refuse(
                    StatusCode::AggregateOperationNotAllowed,
                    "which track?",
                ));
            }
        };
        let session = session.and_then(|id| self.sessions.peek(id));
        if let Some(session) = session {
            if session.is_playing() {
                return Err(not_valid("SETUP is not possible while playing"));
            }
            if session.flow(&kind).is_some() {
                return Err(not_valid("this track is set up already"));
            }
        }
        let (shape, rate) = self.shape_and_rate(asked, &kind, session, programme)?;
        let next_flow = session.map_or(1, |session| session.flows.len() as u64 + 1);
        let carrier = self.connections.get(&connection).map(Connection::carrier);
        let carrier = carrier.ok_or_else(|| bad("the connection is gone"))?;
        let offered = asked.transports.as_ref().ok_or_else(|| bad("SETUP has no Transport"))?;
        let (transport, route, flow) = self.route(connection, carrier, offered, next_flow)?;
        Ok(Plan { kind, route, flow, transport, rate, shape })
    }

    fn shape_and_rate(
        &self,
        asked: &Asked,
        kind: &FlowKind,
        session: Option<&Session>,
        programme: &Programme,
    ) -> Result<(Option<BlockShape>, Bitrate), Reply> {
        let no_track = || Reply::refuse(StatusCode::NotFound, "no such track");
        match kind {
            FlowKind::Audio(index) => {
                programme.audio_rate(*index).map(|rate| (None, rate)).ok_or_else(no_track)
            }
            FlowKind::Repair(index) => {
                let media = programme.audio_rate(*index).ok_or_else(no_track)?;
                if session.and_then(|it| it.flow(&FlowKind::Audio(*index))).is_none() {
                    return Err(not_valid("set up what is to be repaired first"));
                }
                let unit = programme.audio[*index].unit_duration();
                let shape = protection::choose(asked.protection, asked.spec.delay, unit);
                let Some(shape) = shape else {
                    let wish = asked.protection;
                    let why = match wish {
                        Wish::Off => "no repair was wished".to_owned(),
                        _ => "the delay leaves no room for repair".to_owned(),
                    };
                    return Err(Reply::refuse(StatusCode::NotAcceptable, why));
                };
                let rate = (media.as_bps() as f64 * shape.overhead()) as u64;
                Ok((Some(shape), Bitrate::from_bps(rate)))
            }
            FlowKind::Text(language) => {
                let texts = &programme.presentation.texts;
                let known = texts.iter().any(|text| text.language == *language);
                known.then_some((None, TEXT_RATE)).ok_or_else(no_track)
            }
        }
    }

    /// Picks the first offered transport that this connection can carry.
    fn route(
        &self,
        connection: ConnectionId,
        carrier: Carrier,
        offered: &TransportHeader,
        next_flow: u64,
    ) -> Result<(Transport, Route, FlowId), Reply> {
        for transport in &offered.alternatives {
            match (carrier, transport) {
                (
                    Carrier::Tcp(peer),
                    Transport::Udp { profile, client, destination, multicast: false, .. },
                ) => {
                    if destination.as_ref().is_some_and(|it| it.parse() != Ok(peer)) {
                        let why = "media goes only to the address that asked for it";
                        return Err(Reply::refuse(StatusCode::Forbidden, why));
                    }
                    let rtp = SocketAddr::new(peer, client.0);
                    let rtcp = SocketAddr::new(peer, client.1);
                    if client.0 == 0 || self.sessions.is_taken(&Source::Udp(rtcp)) {
                        return Err(bad(format!("client_port {} is in use", client.0)));
                    }
                    let flow = FlowId::new(next_flow).ok_or_else(|| bad("too many flows"))?;
                    let answer = Transport::Udp {
                        profile: *profile,
                        client: *client,
                        server: Some(self.config.media_ports),
                        destination: None,
                        multicast: false,
                        ssrc: None,
                    };
                    return Ok((answer, Route::Udp { rtp, rtcp }, flow));
                }
                (Carrier::Quic, Transport::Quic { profile, flow, .. }) => {
                    if flow.get() == 0 || self.sessions.is_taken(&Source::Quic(connection, *flow)) {
                        return Err(bad(format!("flow {} is in use", flow.get())));
                    }
                    let answer = Transport::Quic { profile: *profile, flow: *flow, ssrc: None };
                    return Ok((answer, Route::Quic(connection), *flow));
                }
                _ => {}
            }
        }
        let why = match carrier {
            Carrier::Tcp(_) => "this connection carries RTP/AVP and RTP/AVPF over unicast UDP",
            Carrier::Quic => "this connection carries RTP/AVPF/QUIC",
        };
        Err(Reply::refuse(StatusCode::UnsupportedTransport, why))
    }

    fn open_session(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
        programme: Arc<Programme>,
        grant: Grant,
    ) -> SessionId {
        let id = SessionId(self.random.next_u64());
        let reports =
            SenderReports::new(self.config.cname.clone(), ChaCha8Rng::from_rng(&mut self.random));
        let pipeline = Pipeline::new(Bitrate::from_kbps(64), self.wall, reports);
        let session = Session::new(now, connection, programme, asked.spec, pipeline, grant);
        self.sessions.insert(now, id, session);
        let group = asked.pipelined.clone().zip(self.connections.get_mut(&connection));
        if let Some((group, state)) = group
            && state.pipelined.len() < Connection::MAX_PIPELINED
        {
            state.pipelined.insert(group, id);
        }
        id
    }

    fn stream_seed(&mut self) -> StreamSeed {
        let ssrc = Ssrc(self.random.next_u32());
        let sequence = Sequence(self.random.next_u32() as u16);
        let timestamp = RtpTimestamp(self.random.next_u32());
        self.beginning.map_or(StreamSeed { ssrc, sequence, timestamp }, |beginning| StreamSeed {
            ssrc,
            ..beginning
        })
    }
}

/// Extends the chain of a session by what was planned; the SSRC of the new stream, if it is one.
fn extend(session: &mut Session, plan: &Plan, seed: StreamSeed, cantus: bool) -> Option<Ssrc> {
    let programme = session.programme.clone();
    let send_time = cantus.then(send_time_id);
    match &plan.kind {
        FlowKind::Audio(index) => {
            let source = programme.audio[*index].clone();
            let rate = clock_rate(programme.codec, source.format());
            let payload = payload_type(programme.codec.into());
            let packetizer = Packetizer::new(payload, rate, seed, send_time);
            session.pipeline.add_audio(AudioChain::new(plan.flow, source, packetizer));
            Some(seed.ssrc)
        }
        FlowKind::Repair(index) => {
            let audio = session.flow(&FlowKind::Audio(*index))?.id;
            let unit = programme.audio[*index].unit_duration().to_duration();
            // Block numbers have 24 bits.
            let first_block = seed.timestamp.0 >> 8;
            let encoder = Encoder::new(Layout::Adu, plan.shape?, 1, first_block).ok()?;
            let chain = session.pipeline.audio_on(audio)?;
            let interval = protection::repair_interval(unit);
            chain.protect(Protection::new(plan.flow, encoder, interval));
            None
        }
        FlowKind::Text(language) => {
            let texts = &programme.presentation.texts;
            let text = texts.iter().find(|text| text.language == *language)?;
            let payload = payload_type(Payload::Cue);
            let packetizer = Packetizer::new(payload, ClockRate::MILLISECONDS, seed, send_time);
            let carriage = match plan.route {
                Route::Udp { .. } => Carriage::Lossy,
                Route::Quic(_) => Carriage::Reliable,
            };
            let chain = CueChain::new(plan.flow, text.cues.clone(), packetizer, carriage);
            session.pipeline.add_cues(chain);
            Some(seed.ssrc)
        }
    }
}

/// 453 says what would be possible, 503 that there is no place at all.
fn refuse(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::Rate { possible, .. } => Reply::not_enough_bandwidth(refusal, possible),
        Refusal::Sessions { .. } => Reply::refuse(StatusCode::ServiceUnavailable, refusal),
    }
}

fn with_ssrc(mut transport: Transport, stream: Option<Ssrc>) -> Transport {
    match &mut transport {
        Transport::Udp { ssrc, .. }
        | Transport::Quic { ssrc, .. }
        | Transport::Interleaved { ssrc, .. } => *ssrc = stream,
    }
    transport
}

fn not_valid(why: &str) -> Reply {
    Reply::refuse(StatusCode::MethodNotValidInThisState, why)
}
