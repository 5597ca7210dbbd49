//! The whole streamer without its sockets: control connections, sessions, and the limits that all
//! share.
//!
//! 1. [`Server::handle`] is told what happened.
//! 2. [`Server::poll`] is called until it answers [`Output::Wait`].
//! 3. The driver waits for input or for the instant that it named, and begins again.

use std::collections::{BTreeMap, VecDeque};

use cantus_qos::quantity::Bitrate;
use cantus_qos::spec::admission::{Admission, Limits};
use cantus_qos::time::{MonoTime, NtpTime};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tracing::debug;

use crate::cap::RateCap;
use crate::control::Connection;
use crate::pipeline::{StreamSeed, WallClock};
use crate::sessions::{SessionId, Sessions};
use crate::wire::{Carrier, ConnectionId, Fetched, Input, Output, Transmit};

/// What a server is told before it starts.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// What all sessions together may send; `None` is no limit.
    pub max_bitrate: Option<Bitrate>,
    /// How many sessions there may be; `None` is no limit.
    pub max_sessions: Option<usize>,
    /// The UDP ports that media leaves from and reports come to.
    pub media_ports: (u16, u16),
    /// What the wall clock showed when the monotonic clock was zero.
    pub ntp_at_zero: NtpTime,
    /// The canonical name of this sender (RFC 3550, section 6.5.1).
    pub cname: String,
}

/// The server (pure).
#[derive(Debug)]
pub struct Server {
    pub(crate) config: ServerConfig,
    pub(crate) wall: WallClock,
    pub(crate) random: ChaCha8Rng,
    pub(crate) admission: Admission,
    pub(crate) sessions: Sessions,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) outbox: VecDeque<Output>,
    pub(crate) beginning: Option<StreamSeed>,
    cap: RateCap,
}

impl Server {
    /// A server whose session names and stream beginnings come from `seed`, which must be secret
    /// and new wherever others can connect.
    pub fn new(config: ServerConfig, seed: [u8; 32]) -> Self {
        Self {
            wall: WallClock(config.ntp_at_zero),
            random: ChaCha8Rng::from_seed(seed),
            admission: Admission::new(Limits {
                rate: config.max_bitrate,
                sessions: config.max_sessions,
            }),
            sessions: Sessions::default(),
            connections: BTreeMap::new(),
            outbox: VecDeque::new(),
            beginning: None,
            cap: RateCap::new(config.max_bitrate),
            config,
        }
    }

    /// Every stream begins at `seed`, and not where nobody can foretell, as it should (RFC 3550,
    /// section 5.1): to test what happens at the end of the numbers.
    pub fn begin_streams_at(&mut self, seed: StreamSeed) {
        self.beginning = Some(seed);
    }

    /// Something happened at `now`.
    pub fn handle(&mut self, now: MonoTime, input: Input<'_>) {
        match input {
            Input::Connected { connection, carrier } => {
                self.connections.insert(connection, Connection::new(carrier));
            }
            Input::Control { connection, data } => {
                if let Some(state) = self.connections.get_mut(&connection) {
                    state.receive(data);
                    self.advance(now, connection);
                }
            }
            Input::Fetched { connection, fetched } => self.on_fetched(now, connection, fetched),
            Input::Feedback { source, data } => {
                if let Some(id) = self.sessions.by_source(&source) {
                    self.sessions.update(now, id, |session| session.on_feedback(now, data));
                }
            }
            Input::Disconnected { connection } => self.on_disconnected(connection),
        }
    }

    /// What is to be done at `now`.
    pub fn poll(&mut self, now: MonoTime) -> Output {
        if let Some(output) = self.outbox.pop_front() {
            return output;
        }
        if let Some(free_at) = self.cap.blocked_until(now) {
            return Output::Wait(Some(free_at));
        }
        let mut expired = Vec::new();
        let transmit = self.sessions.pop(now, &mut expired);
        for id in expired {
            debug!(session = %id, "timed out");
            self.end_session(id);
        }
        match transmit {
            Some(transmit) => Output::Transmit(self.capped(now, transmit)),
            None => Output::Wait(self.sessions.next_deadline()),
        }
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// What they were granted together.
    pub fn granted(&self) -> Bitrate {
        self.admission.in_use()
    }

    fn capped(&mut self, now: MonoTime, transmit: Transmit) -> Transmit {
        self.cap.spend(now, transmit.data.len());
        transmit
    }

    fn on_fetched(&mut self, now: MonoTime, connection: ConnectionId, fetched: Fetched) {
        let Some(state) = self.connections.get_mut(&connection) else { return };
        let Some(asked) = state.take_waiting() else { return };
        self.answer_with(now, connection, asked, fetched);
        self.advance(now, connection);
    }

    /// Sessions over UDP outlive their TCP connection until they time out (RFC 2326, section 1.1);
    /// those over QUIC have lost their way out.
    fn on_disconnected(&mut self, connection: ConnectionId) {
        let Some(state) = self.connections.remove(&connection) else { return };
        if state.carrier() == Carrier::Quic {
            for id in self.sessions.of_connection(connection) {
                self.end_session(id);
            }
        }
    }

    pub(crate) fn end_session(&mut self, id: SessionId) {
        if let Some(grant) = self.sessions.remove(id) {
            self.admission.release(grant);
        }
    }
}
