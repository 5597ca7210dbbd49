//! What a request needs from the disk before it is answered: the list of presentations, or one of them
//! in one encoding.

use std::time::Duration;

use cantus_qos::quantity::Bitrate;
use cantus_qos::time::MonoTime;
use rtsp_types::{Method, StatusCode};

use super::connection::{Connection, Waiting};
use super::reply::Reply;
use super::request::{Asked, bad};
use super::{Control, describe, setup};
use crate::catalogue::CatalogueError;
use crate::encoding::Codec;
use crate::pipeline::{self, AROUND_QUIC, LONGEST_USE, UNKNOWN_WAY};
use crate::programme::{ProgrammeError, ProgrammeKey};
use crate::wire::{Carrier, ConnectionId, Fetch, Fetched};

impl Control {
    /// What a request needs before it can be answered.
    pub(super) fn fetch_for(
        &self,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Result<Option<Fetch>, Reply> {
        if asked.session.is_some() && self.session_of(connection, asked).is_none() {
            return Err(self.no_session(asked));
        }
        let name = asked.target.as_ref().and_then(|target| target.name.as_deref());
        match (&asked.method, name) {
            (Method::Describe, None) => match asked.accepts("application/json") {
                true => Ok(Some(Fetch::Listing)),
                false => Err(not_acceptable("the list of presentations is application/json")),
            },
            (Method::Describe, Some(name)) => match asked.accepts("application/sdp") {
                true => {
                    let codec = asked.codec().unwrap_or(Codec::Opus);
                    Ok(Some(Fetch::Programme(ProgrammeKey::new(name, codec))))
                }
                false => Err(not_acceptable("presentations are described as application/sdp")),
            },
            (Method::Setup, Some(name)) => self.fetch_for_setup(connection, asked, name),
            (Method::Setup, None) => Err(bad("SETUP wants the URL of a track")),
            _ => Ok(None),
        }
    }

    /// The first SETUP of a session chooses the encoding: that of the URL, or else of what was
    /// described, within the rate that is wished.
    fn fetch_for_setup(
        &self,
        connection: ConnectionId,
        asked: &Asked,
        name: &str,
    ) -> Result<Option<Fetch>, Reply> {
        let session = self.session_of(connection, asked).and_then(|id| self.sessions.peek(id));
        if let Some(session) = session {
            let same_name = session.programme.presentation.name == name;
            let same_codec = asked.codec().is_none_or(|codec| codec == session.programme.codec);
            if !(same_name && same_codec) {
                let why = "a session is about one presentation in one codec";
                return Err(Reply::refuse(StatusCode::AggregateOperationNotAllowed, why));
            }
            return Ok(None);
        }
        let known = self.connections.get(&connection).and_then(Connection::described);
        let described = known.filter(|(key, _)| key.name == name).map(|(_, it)| it.codec);
        let codec = asked.codec().or(described).unwrap_or(Codec::Opus);
        let mut key = ProgrammeKey::new(name, codec);
        if let Some(rate) = self.most_for(asked) {
            let carrier = self.connections.get(&connection).map(Connection::carrier);
            let around = if carrier == Some(Carrier::Quic) { AROUND_QUIC } else { 0 };
            key = key.within(rate, most_joined(asked), around);
        }
        let at_hand = known.is_some_and(|(known, _)| *known == key);
        Ok((!at_hand).then_some(Fetch::Programme(key)))
    }

    /// What a new session may take: what its listener allows, and where that is told what it was
    /// granted, what there is room for; for it would rather hear less than nothing.
    fn most_for(&self, asked: &Asked) -> Option<Bitrate> {
        let possible = self.admission.possible(setup::class(&asked.spec)).filter(|_| asked.cantus);
        asked.spec.rate.into_iter().chain(possible).min()
    }

    /// Answers a request that waited for `fetched`.
    pub(super) fn answer_with(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        waiting: Waiting,
        fetched: Fetched,
    ) {
        let Waiting { cseq, asked, fetch } = waiting;
        let reply = match (fetched, fetch) {
            (Fetched::Failed(why), _) => refuse_fetch(&why),
            (Fetched::Listing(listing), _) => {
                Reply::ok().body("application/json", describe::listing(&listing))
            }
            (Fetched::Programme(programme), Fetch::Programme(key)) => {
                if let Some(state) = self.connections.get_mut(&connection) {
                    state.describe(key, programme);
                }
                self.answer(now, connection, &asked)
            }
            (Fetched::Programme(_), Fetch::Listing) => {
                Reply::refuse(StatusCode::InternalServerError, "fetched the wrong thing")
            }
        };
        self.reply(connection, cseq.as_deref(), reply);
    }
}

/// How many units one packet may hold: one for who does not know us, and as many as the delay has
/// room for on a path of which nothing is known.
fn most_joined(asked: &Asked) -> usize {
    let delay = asked.spec.delay.unwrap_or(LONGEST_USE);
    let most = pipeline::most_joined(Duration::from_millis(20), delay, UNKNOWN_WAY);
    if asked.cantus { most } else { 1 }
}

/// The status for what the catalogue has against a request.
fn refuse_fetch(why: &ProgrammeError) -> Reply {
    use CatalogueError::{BadName, OutOfMemory, Outside, Unknown};
    let status = match why {
        ProgrammeError::Catalogue(Unknown { .. }) => StatusCode::NotFound,
        ProgrammeError::Catalogue(BadName { .. } | Outside { .. }) => StatusCode::Forbidden,
        ProgrammeError::Catalogue(OutOfMemory { .. }) => StatusCode::ServiceUnavailable,
        _ => StatusCode::InternalServerError,
    };
    Reply::refuse(status, why)
}

fn not_acceptable(why: &str) -> Reply {
    Reply::refuse(StatusCode::NotAcceptable, why)
}
