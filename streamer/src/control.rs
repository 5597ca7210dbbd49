//! The request-reply side of the server: RTSP 1.0 (RFC 2326), over TCP or on flow 0 of QUIC.
//!
//! Requests of one connection are answered in their order. One that needs the disk waits for it,
//! and those behind it wait with it.

mod describe;
mod playback;
mod reply;
mod request;
mod setup;
mod target;

pub use target::{Target, TargetError, Track};

use std::collections::BTreeMap;
use std::sync::Arc;

use cantus_qos::rtsp::{Incoming, MessageBuffer, write_response};
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::time::MonoTime;
use rtsp_types::{Method, StatusCode, headers};
use tracing::debug;

use crate::catalogue::CatalogueError;
use crate::programme::{Programme, ProgrammeError, ProgrammeKey};
use crate::server::Server;
use crate::sessions::SessionId;
use crate::wire::{Carrier, ConnectionId, Fetch, Fetched, Output};
use reply::Reply;
use request::{Asked, bad};

const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN";

/// One control connection.
#[derive(Debug)]
pub struct Connection {
    carrier: Carrier,
    buffer: MessageBuffer,
    waiting: Option<Waiting>,
    described: Option<(ProgrammeKey, Arc<Programme>)>,
    pipelined: BTreeMap<String, SessionId>,
}

/// A request that waits for the disk.
#[derive(Debug)]
pub struct Waiting {
    cseq: Option<String>,
    asked: Asked,
    fetch: Fetch,
}

impl Connection {
    /// More groups of pipelined requests than this on one connection are somebody playing games.
    const MAX_PIPELINED: usize = 64;

    /// A connection that has said nothing yet.
    pub fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            buffer: MessageBuffer::new(),
            waiting: None,
            described: None,
            pipelined: BTreeMap::new(),
        }
    }

    /// What it can carry.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Bytes came.
    pub fn receive(&mut self, data: &[u8]) {
        self.buffer.push(data);
    }

    /// The request that waited, now that its fetch is done.
    pub fn take_waiting(&mut self) -> Option<Waiting> {
        self.waiting.take()
    }

    fn next(&mut self) -> Option<Result<Incoming, StatusCode>> {
        if self.waiting.is_some() {
            return None;
        }
        self.buffer.next().map_err(|error| error.status()).transpose()
    }
}

impl Server {
    /// Answers what can be answered on a connection.
    pub(crate) fn advance(&mut self, now: MonoTime, connection: ConnectionId) {
        while let Some(next) = self.connections.get_mut(&connection).and_then(Connection::next) {
            match next {
                Ok(Incoming::Request(request)) => {
                    let header = request.header(&headers::CSEQ);
                    let cseq = header.map(|value| value.as_str().to_owned());
                    match Asked::read(&request) {
                        Ok(asked) => self.on_request(now, connection, cseq, asked),
                        Err(reply) => self.reply(connection, cseq.as_deref(), reply),
                    }
                }
                // We ask nothing of clients, and take no interleaved data from them.
                Ok(Incoming::Response(_) | Incoming::Interleaved { .. }) => {}
                Err(status) => {
                    self.reply(connection, None, Reply::refuse(status, "not RTSP"));
                    self.outbox.push_back(Output::Close { connection });
                    self.connections.remove(&connection);
                    return;
                }
            }
        }
    }

    fn on_request(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        cseq: Option<String>,
        asked: Asked,
    ) {
        if let Some(id) = self.session_of(connection, &asked) {
            self.sessions.update(now, id, |session| session.touch(now));
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
            state.waiting = Some(Waiting { cseq, asked, fetch: fetch.clone() });
            self.outbox.push_back(Output::Fetch { connection, fetch });
        }
    }

    /// What a request needs before it can be answered.
    fn fetch_for(&self, connection: ConnectionId, asked: &Asked) -> Result<Option<Fetch>, Reply> {
        let target = asked.target.as_ref();
        let name = target.and_then(|target| target.name.as_deref());
        match (&asked.method, name) {
            (Method::Describe, None) => Ok(Some(Fetch::Listing)),
            (Method::Describe, Some(name)) => {
                let codec = target.and_then(|target| target.codec).unwrap_or(AudioCodec::Opus);
                Ok(Some(Fetch::Programme(ProgrammeKey::new(name, codec))))
            }
            (Method::Setup, Some(name)) => {
                let state = self.connections.get(&connection);
                let known = state.and_then(|state| state.described.as_ref());
                let codec = target.and_then(|it| it.track.as_ref()?.codec);
                let codec = codec
                    .or(known.filter(|(key, _)| key.name == name).map(|(_, it)| it.codec))
                    .unwrap_or(AudioCodec::Opus);
                let key = ProgrammeKey::new(name, codec);
                let at_hand = known.is_some_and(|(known, _)| *known == key);
                Ok((!at_hand).then_some(Fetch::Programme(key)))
            }
            (Method::Setup, None) => Err(bad("SETUP wants the URL of a track")),
            _ => Ok(None),
        }
    }

    /// Answers a request that waited for `fetched`.
    pub(crate) fn answer_with(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        waiting: Waiting,
        fetched: Fetched,
    ) {
        let Waiting { cseq, asked, fetch } = waiting;
        let reply = match (fetched, fetch) {
            (Fetched::Failed(why), _) => refuse_fetch(&why),
            (Fetched::Listing(entries), _) => {
                Reply::ok().body("application/json", describe::listing(&entries))
            }
            (Fetched::Programme(programme), Fetch::Programme(key)) => {
                if let Some(state) = self.connections.get_mut(&connection) {
                    state.described = Some((key, programme));
                }
                self.answer(now, connection, &asked)
            }
            (Fetched::Programme(_), Fetch::Listing) => {
                Reply::refuse(StatusCode::InternalServerError, "fetched the wrong thing")
            }
        };
        self.reply(connection, cseq.as_deref(), reply);
    }

    fn answer(&mut self, now: MonoTime, connection: ConnectionId, asked: &Asked) -> Reply {
        match &asked.method {
            Method::Options => Reply::ok().header(headers::PUBLIC, METHODS),
            Method::Describe => self.describe(connection, asked),
            Method::Setup => self.setup(now, connection, asked),
            Method::Play => self.play(now, connection, asked),
            Method::Pause => self.pause(now, connection, asked),
            Method::GetParameter => self.get_parameter(connection, asked),
            Method::Teardown => self.teardown(connection, asked),
            other => {
                let why = format!("method {} is not implemented", <&str>::from(other));
                Reply::refuse(StatusCode::NotImplemented, why).header(headers::PUBLIC, METHODS)
            }
        }
    }

    fn describe(&self, connection: ConnectionId, asked: &Asked) -> Reply {
        let state = self.connections.get(&connection);
        let Some((key, programme)) = state.and_then(|state| state.described.as_ref()) else {
            return Reply::refuse(StatusCode::NotFound, "no such presentation");
        };
        let sdp = describe::description(programme, asked.cantus).to_sdp();
        let base = asked.url.as_ref().map(|url| {
            let mut base = url.clone();
            base.set_query(None);
            base.set_path(&format!("/{}/", encode(&key.name)));
            base.to_string()
        });
        let reply = Reply::ok()
            .header(headers::CONTENT_BASE, base.unwrap_or_default())
            .header(headers::SUPPORTED, cantus_qos::rtsp::FEATURE);
        reply.body("application/sdp", sdp.into_bytes())
    }

    /// The session that a request speaks of, by its name or by its group.
    fn session_of(&self, connection: ConnectionId, asked: &Asked) -> Option<SessionId> {
        if let Some(id) = &asked.session {
            let id = id.parse().ok()?;
            return self.sessions.peek(id).map(|_| id);
        }
        let state = self.connections.get(&connection)?;
        let id = *state.pipelined.get(asked.pipelined.as_ref()?)?;
        self.sessions.peek(id).map(|_| id)
    }

    fn reply(&mut self, connection: ConnectionId, cseq: Option<&str>, reply: Reply) {
        debug!(?connection, status = ?reply.status(), "answered");
        let data = write_response(&reply.into_response(cseq));
        self.outbox.push_back(Output::Control { connection, data });
    }
}

/// The status for what the catalogue has against a request.
fn refuse_fetch(why: &ProgrammeError) -> Reply {
    use CatalogueError::{BadName, Outside, Unknown};
    let status = match why {
        ProgrammeError::Catalogue(Unknown { .. }) => StatusCode::NotFound,
        ProgrammeError::Catalogue(BadName { .. } | Outside { .. }) => StatusCode::Forbidden,
        _ => StatusCode::InternalServerError,
    };
    Reply::refuse(status, why)
}

fn encode(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}
