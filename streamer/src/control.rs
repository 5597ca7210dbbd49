//! The request-reply side of the server: RTSP 1.0 (RFC 2326), over TCP or on flow 0 of QUIC.
//!
//! Requests of one connection are answered in their order. One that needs the disk waits for it,
//! and those behind it wait with it.

mod connection;
mod connections;
mod describe;
mod ending;
mod fetching;
mod flow;
mod login;
mod playback;
mod reply;
mod request;
mod route;
mod setup;
mod target;

pub(crate) use describe::payload_type;

pub use target::{Target, TargetError, Track, url_path};

use std::collections::VecDeque;
use std::sync::Arc;

use cantus_qos::quantity::Bitrate;
use cantus_qos::rtsp::Incoming;
use cantus_qos::spec::admission::{Admission, Limits};
use cantus_qos::time::{MonoTime, NtpTime};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rtsp_types::{Method, StatusCode, Url, headers};
use tracing::debug;

use crate::pipeline::{StreamSeed, WallClock};
use crate::sessions::{SessionId, Sessions};
use crate::users::Users;
use crate::wire::{Carrier, ConnectionId, Fetched, Output, Source};
use connection::Waiting;
use connections::Connections;
use ending::CutShort;
use reply::Reply;
use request::{Asked, bad};

const METHODS: &str =
    "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN";

/// Control connections at once, where nothing else is said.
pub const MAX_CONNECTIONS: usize = 2_048;

/// What a server is told before it starts.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// What all sessions together may send; `None` is no limit.
    pub max_bitrate: Option<Bitrate>,
    /// How many sessions there may be; `None` is no limit.
    pub max_sessions: Option<usize>,
    /// How many control connections there may be: one too many takes the place of one without a
    /// session.
    pub max_connections: usize,
    /// Who may listen; `None` is everybody.
    pub users: Option<Arc<Users>>,
    /// The UDP ports that media leaves from and reports come to.
    pub media_ports: (u16, u16),
    /// What the wall clock showed when the monotonic clock was zero.
    pub ntp_at_zero: NtpTime,
    /// The canonical name of this sender (RFC 3550, section 6.5.1).
    pub cname: String,
}

/// All control connections, and the sessions that they set up.
#[derive(Debug)]
pub(crate) struct Control {
    config: ServerConfig,
    wall: WallClock,
    random: ChaCha8Rng,
    admission: Admission,
    sessions: Sessions,
    connections: Connections,
    outbox: VecDeque<Output>,
    cut_short: CutShort,
    beginning: Option<StreamSeed>,
}

impl Control {
    /// No connections and no sessions.
    pub(crate) fn new(config: ServerConfig, seed: [u8; 32]) -> Self {
        Self {
            wall: WallClock(config.ntp_at_zero),
            random: ChaCha8Rng::from_seed(seed),
            admission: Admission::new(Limits {
                rate: config.max_bitrate,
                sessions: config.max_sessions,
            }),
            sessions: Sessions::default(),
            connections: Connections::new(config.max_connections),
            outbox: VecDeque::new(),
            cut_short: CutShort::default(),
            beginning: None,
            config,
        }
    }

    /// Every stream begins there.
    pub(crate) fn begin_streams_at(&mut self, seed: StreamSeed) {
        self.beginning = Some(seed);
    }

    /// Where the next stream begins: at random, but for tests.
    fn stream_seed(&mut self) -> StreamSeed {
        let random = StreamSeed::random(&mut self.random);
        self.beginning.map_or(random, |beginning| StreamSeed { ssrc: random.ssrc, ..beginning })
    }

    /// The sessions, to look at.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The sessions, to be driven.
    pub(crate) fn sessions_mut(&mut self) -> &mut Sessions {
        &mut self.sessions
    }

    /// What they were granted together.
    pub(crate) fn granted(&self) -> Bitrate {
        self.admission.in_use()
    }

    /// What there is to be said or done.
    pub(crate) fn pop_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// Whether [`pop_output`](Self::pop_output) has something.
    pub(crate) fn has_output(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// A control connection was opened. Where every other one has a session, there is no place for
    /// it.
    pub(crate) fn connect(&mut self, now: MonoTime, connection: ConnectionId, carrier: Carrier) {
        if self.connections.is_full() {
            self.make_room(now);
        }
        let full = self.connections.is_full();
        self.connections.insert(now, connection, carrier);
        if full {
            let why = "every connection that there may be has a session";
            self.hang_up(now, connection, Reply::refuse(StatusCode::ServiceUnavailable, why));
        }
    }

    /// Others want to connect, and there is no place for them: idle connections give up theirs.
    pub(crate) fn make_room(&mut self, now: MonoTime) {
        let spare = self.connections.to_spare(&self.sessions.connections());
        debug!(closed = spare.len(), "idle connections make room for others");
        spare.into_iter().for_each(|connection| self.cut(now, connection));
    }

    /// Closes the connections that say nothing, and have no session.
    pub(crate) fn close_idle(&mut self, now: MonoTime) {
        if self.next_look().is_some_and(|at| at <= now) {
            let idle = self.connections.take_idle(now, &self.sessions.connections());
            idle.into_iter().for_each(|connection| self.cut(now, connection));
        }
    }

    /// When [`close_idle`](Self::close_idle) has something to do.
    pub(crate) fn next_look(&self) -> Option<MonoTime> {
        self.connections.next_look()
    }

    /// Bytes came on a control connection.
    pub(crate) fn receive(&mut self, now: MonoTime, connection: ConnectionId, data: &[u8]) {
        let Some(state) = self.connections.get_mut(&connection) else { return };
        if state.receive(data) {
            self.advance(now, connection);
        } else {
            self.hang_up(now, connection, bad("too many requests at once"));
        }
    }

    /// A request waited for this.
    pub(crate) fn on_fetched(&mut self, now: MonoTime, connection: ConnectionId, fetched: Fetched) {
        let Some(state) = self.connections.get_mut(&connection) else { return };
        let Some(waiting) = state.take_waiting() else { return };
        self.answer_with(now, connection, waiting, fetched);
        self.advance(now, connection);
    }

    /// Sessions over UDP outlive their TCP connection until they time out (RFC 2326, section 1.1);
    /// those whose media travels on the connection have lost their way out.
    pub(crate) fn disconnect(&mut self, now: MonoTime, connection: ConnectionId) {
        self.connections.remove(&connection);
        for id in self.sessions.carried_by(connection) {
            self.end_session(now, id);
        }
    }

    /// A packet came from a listener: a report, if it comes from where reports of a session do.
    pub(crate) fn hear(&mut self, now: MonoTime, source: Source, data: &[u8]) {
        if let Some(id) = self.sessions.by_source(&source) {
            self.sessions.update(now, id, |session| session.on_feedback(now, data));
        }
    }

    /// Answers what can be answered on a connection.
    fn advance(&mut self, now: MonoTime, connection: ConnectionId) {
        while let Some(next) = self.connections.get_mut(&connection).and_then(|it| it.next(now)) {
            match next {
                Ok(Incoming::Request(request)) => {
                    let header = request.header(&headers::CSEQ);
                    let cseq = header.map(|value| value.as_str().to_owned());
                    let admitted = self.admit_user(connection, &request);
                    match admitted.and_then(|()| Asked::read(&request)) {
                        Ok(asked) => self.on_request(now, connection, cseq, asked),
                        Err(reply) => self.reply(connection, cseq.as_deref(), reply),
                    }
                    self.end_guessing(now, connection);
                }
                Ok(Incoming::Interleaved { channel, data }) => {
                    self.hear(now, Source::Interleaved(connection, channel), &data);
                }
                // We ask nothing of clients.
                Ok(Incoming::Response(_)) => {}
                Err(why) => self.hang_up(now, connection, Reply::refuse(why.status(), why)),
            }
        }
    }

    /// Who has shown wrong passwords too often is heard no more.
    fn end_guessing(&mut self, now: MonoTime, connection: ConnectionId) {
        let state = self.connections.get_mut(&connection);
        if state.is_some_and(|state| state.login().is_exhausted()) {
            self.close(now, connection);
        }
    }

    /// The end of a connection that cannot be understood, with a last word.
    fn hang_up(&mut self, now: MonoTime, connection: ConnectionId, reply: Reply) {
        self.reply(connection, None, reply);
        self.close(now, connection);
    }

    fn cut(&mut self, now: MonoTime, connection: ConnectionId) {
        self.outbox.push_back(Output::Cut { connection });
        self.disconnect(now, connection);
    }

    fn close(&mut self, now: MonoTime, connection: ConnectionId) {
        self.outbox.push_back(Output::Close { connection });
        self.disconnect(now, connection);
    }

    fn on_request(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        cseq: Option<String>,
        asked: Asked,
    ) {
        if let Some(id) = self.session_of(connection, &asked) {
            self.sessions.update(now, id, |session| {
                session.connection = connection;
                session.touch(now);
            });
        }
        let fetch = match self.fetch_for(connection, &asked) {
            Ok(fetch) => fetch,
            Err(reply) => return self.reply(connection, cseq.as_deref(), reply),
        };
        let Some(fetch) = fetch else {
            let reply = self.answer(now, connection, &asked);
            return self.reply(connection, cseq.as_deref(), reply);
        };
        if let Some(state) = self.connections.get_mut(&connection) {
            state.wait(Waiting { cseq, asked, fetch: fetch.clone() });
            self.outbox.push_back(Output::Fetch { connection, fetch });
        }
    }

    fn answer(&mut self, now: MonoTime, connection: ConnectionId, asked: &Asked) -> Reply {
        match &asked.method {
            Method::Options => Reply::ok().header(headers::PUBLIC, METHODS),
            Method::Describe => self.describe(connection, asked),
            Method::Setup => self.setup(now, connection, asked),
            Method::Play => self.play(now, connection, asked),
            Method::Pause => self.pause(now, connection, asked),
            Method::GetParameter => self.get_parameter(connection, asked),
            Method::SetParameter => self.set_parameter(now, connection, asked),
            Method::Teardown => self.teardown(now, connection, asked),
            other => {
                let why = format!("method {} is not implemented", <&str>::from(other));
                Reply::refuse(StatusCode::NotImplemented, why).header(headers::PUBLIC, METHODS)
            }
        }
    }

    fn describe(&self, connection: ConnectionId, asked: &Asked) -> Reply {
        let state = self.connections.get(&connection);
        let described = state.and_then(|state| Some((state.carrier(), state.described()?)));
        let Some((carrier, (key, programme))) = described else {
            return Reply::refuse(StatusCode::NotFound, "no such presentation");
        };
        let sdp = describe::description(programme, asked.cantus, carrier).to_sdp();
        Reply::ok()
            .header(headers::CONTENT_BASE, base_url(asked.url.as_ref(), &key.name))
            .header(headers::SUPPORTED, cantus_qos::rtsp::FEATURE)
            .body("application/sdp", sdp.into_bytes())
    }

    /// The session that a request speaks of, by its name or by its group.
    fn session_of(&self, connection: ConnectionId, asked: &Asked) -> Option<SessionId> {
        let state = self.connections.get(&connection)?;
        let id = match &asked.session {
            Some(id) => id.parse().ok()?,
            None => state.pipelined(asked.pipelined.as_deref()?)?,
        };
        let session = self.sessions.peek(id)?;
        session.belongs_to(connection, state.carrier()).then_some(id)
    }

    fn reply(&mut self, connection: ConnectionId, cseq: Option<&str>, reply: Reply) {
        debug!(?connection, status = ?reply.status(), "answered");
        let data = reply.into_bytes(cseq);
        self.outbox.push_back(Output::Control { connection, data });
    }
}

/// The URL that control URLs of a presentation are relative to, on the host that was asked.
fn base_url(asked: Option<&Url>, name: &str) -> String {
    let base = asked.map(|url| {
        let mut base = url.clone();
        base.set_query(None);
        base.set_path(&format!("/{}/", url_path(name)));
        base.to_string()
    });
    base.unwrap_or_default()
}

fn session_not_found() -> Reply {
    Reply::refuse(StatusCode::SessionNotFound, "no such session")
}
