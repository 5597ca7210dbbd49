//! What is known about one control connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use cantus_qos::rtsp::{FramingError, Incoming, MessageBuffer};
use cantus_qos::time::MonoTime;

use super::login::Login;
use super::request::Asked;
use crate::programme::{Programme, ProgrammeKey};
use crate::sessions::SessionId;
use crate::wire::{Carrier, Fetch};

/// Bytes of requests that may queue behind one that waits for the disk.
const MAX_BACKLOG: usize = 256 * 1_024;

/// One control connection.
#[derive(Debug)]
pub(super) struct Connection {
    carrier: Carrier,
    /// When it last said something whole.
    heard_at: MonoTime,
    buffer: MessageBuffer,
    waiting: Option<Waiting>,
    described: Option<(ProgrammeKey, Arc<Programme>)>,
    /// Sessions by the group of pipelined requests that set them up (RFC 7826, section 18.33).
    pipelined: BTreeMap<String, SessionId>,
    login: Login,
}

/// A request that waits for the disk.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) cseq: Option<String>,
    pub(super) asked: Asked,
    pub(super) fetch: Fetch,
}

impl Connection {
    /// A connection that has said nothing yet.
    pub(super) fn new(now: MonoTime, carrier: Carrier) -> Self {
        Self {
            carrier,
            heard_at: now,
            buffer: MessageBuffer::new(),
            waiting: None,
            described: None,
            pipelined: BTreeMap::new(),
            login: Login::default(),
        }
    }

    /// How the log-in stands.
    pub(super) fn login(&mut self) -> &mut Login {
        &mut self.login
    }

    /// What it can carry.
    pub(super) fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// When it last said something whole, or else was opened.
    pub(super) fn heard_at(&self) -> MonoTime {
        self.heard_at
    }

    /// Bytes came; `false` if more are waiting than may.
    #[must_use]
    pub(super) fn receive(&mut self, data: &[u8]) -> bool {
        self.buffer.push(data);
        self.waiting.is_none() || self.buffer.buffered() <= MAX_BACKLOG
    }

    /// The next message, unless a request is waiting.
    pub(super) fn next(&mut self, now: MonoTime) -> Option<Result<Incoming, FramingError>> {
        if self.is_waiting() {
            return None;
        }
        let next = self.buffer.next().transpose()?;
        self.heard_at = now;
        Some(next)
    }

    /// Whether a request waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// A request waits, and all behind it.
    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.waiting = Some(waiting);
    }

    /// The request that waited, now that its fetch is done.
    pub(super) fn take_waiting(&mut self) -> Option<Waiting> {
        self.waiting.take()
    }

    /// What was fetched last.
    pub(super) fn described(&self) -> Option<&(ProgrammeKey, Arc<Programme>)> {
        self.described.as_ref()
    }

    /// This was fetched.
    pub(super) fn describe(&mut self, key: ProgrammeKey, programme: Arc<Programme>) {
        self.described = Some((key, programme));
    }

    /// The session that a group of requests has set up.
    pub(super) fn pipelined(&self, group: &str) -> Option<SessionId> {
        self.pipelined.get(group).copied()
    }

    /// A group has set up a session. Groups of sessions that are over are forgotten.
    pub(super) fn note_pipelined(
        &mut self,
        group: String,
        id: SessionId,
        lives: impl Fn(SessionId) -> bool,
    ) {
        self.pipelined.retain(|_, id| lives(*id));
        self.pipelined.insert(group, id);
    }
}
