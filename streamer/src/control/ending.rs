//! How sessions end, and what others get of what they had.

use std::collections::VecDeque;

use cantus_qos::shaping::Tripped;
use cantus_qos::time::MonoTime;
use rtsp_types::StatusCode;
use tracing::{debug, warn};

use super::reply::Reply;
use super::request::Asked;
use super::{Control, session_not_found};
use crate::session::Session;
use crate::sessions::SessionId;
use crate::wire::{Carrier, ConnectionId, Output};

/// Sessions of which it is remembered why they ended before their time: those who ask are told.
const REMEMBERED: usize = 64;

/// The sessions that circuit breakers have ended (RFC 8083).
#[derive(Debug, Default)]
pub(super) struct CutShort {
    count: u64,
    latest: VecDeque<(SessionId, Tripped)>,
}

impl CutShort {
    fn note(&mut self, id: SessionId, why: Tripped) {
        self.count += 1;
        self.latest.push_back((id, why));
        if self.latest.len() > REMEMBERED {
            self.latest.pop_front();
        }
    }

    fn why(&self, id: SessionId) -> Option<Tripped> {
        self.latest.iter().find(|(it, _)| *it == id).map(|(_, why)| *why)
    }
}

impl Control {
    /// A session is over: its listener has been silent for too long, or a circuit breaker has
    /// tripped.
    pub(crate) fn on_over(&mut self, now: MonoTime, id: SessionId) {
        match self.sessions.peek(id).and_then(Session::cut_short) {
            Some(why) => {
                warn!(session = %id, "ended by a circuit breaker: {why}");
                self.cut_short.note(id, why);
            }
            None => debug!(session = %id, "timed out"),
        }
        self.end_session(now, id);
    }

    /// How many sessions circuit breakers have ended.
    pub(crate) fn cut_short(&self) -> u64 {
        self.cut_short.count
    }

    /// The answer where the session that was asked for is not, or is not any more.
    pub(super) fn no_session(&self, asked: &Asked) -> Reply {
        let id = asked.session.as_deref().and_then(|id| id.parse().ok());
        match id.and_then(|id| self.cut_short.why(id)) {
            Some(why) => Reply::refuse(StatusCode::SessionNotFound, why),
            None => session_not_found(),
        }
    }

    pub(super) fn end_session(&mut self, now: MonoTime, id: SessionId) {
        let connection = self.sessions.peek(id).map(|session| session.connection);
        if let Some(grant) = self.sessions.remove(id) {
            self.admission.release(grant);
            self.share_out(now);
        }
        if let Some(connection) = connection {
            self.tell_granted(connection);
        }
    }

    /// Those of best effort get their shares of what the others leave now.
    pub(super) fn share_out(&mut self, now: MonoTime) {
        for id in self.sessions.of_best_effort() {
            let admission = &self.admission;
            let changed = self.sessions.update(now, id, |session| {
                let changed = admission.renew(&mut session.grant);
                if changed {
                    let rate = session.shaped_rate();
                    session.pipeline.set_rate(now, rate);
                }
                changed.then_some(session.connection)
            });
            if let Some(connection) = changed.flatten() {
                self.tell_granted(connection);
            }
        }
    }

    /// The congestion window of a QUIC connection must have room for all its sessions, as they are
    /// shaped.
    pub(super) fn tell_granted(&mut self, connection: ConnectionId) {
        let state = self.connections.get(&connection);
        if state.is_some_and(|state| state.carrier() == Carrier::Quic) {
            let sessions = self.sessions.of_connection(connection);
            let rates = sessions.iter().filter_map(|id| self.sessions.peek(*id));
            let rate = rates.map(Session::shaped_rate).sum();
            self.outbox.push_back(Output::Granted { connection, rate });
        }
    }
}
