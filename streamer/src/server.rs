//! The whole streamer without its sockets: control connections, sessions, and the limits that all
//! share.
//!
//! 1. [`Server::handle`] is told what happened.
//! 2. [`Server::poll`] is called until it answers [`Output::Wait`].
//! 3. The driver waits for input or for the instant that it named, and begins again.

use cantus_qos::quantity::Bitrate;
use cantus_qos::time::MonoTime;

use crate::cap::RateCap;
use crate::control::Control;
use crate::pipeline::StreamSeed;
use crate::wire::{Input, Output};

pub use crate::control::{MAX_CONNECTIONS, ServerConfig};

/// The server (pure).
#[derive(Debug)]
pub struct Server {
    control: Control,
    cap: RateCap,
}

impl Server {
    /// A server whose session names and stream beginnings come from `seed`, which must be secret
    /// and new wherever others can connect.
    pub fn new(config: ServerConfig, seed: [u8; 32]) -> Self {
        Self { cap: RateCap::new(config.max_bitrate), control: Control::new(config, seed) }
    }

    /// Every stream begins at `seed`, and not where nobody can foretell, as it should (RFC 3550,
    /// section 5.1): to test what happens at the end of the numbers.
    pub fn begin_streams_at(&mut self, seed: StreamSeed) {
        self.control.begin_streams_at(seed);
    }

    /// Something happened at `now`.
    pub fn handle(&mut self, now: MonoTime, input: Input<'_>) {
        match input {
            Input::Connected { connection, carrier } => {
                self.control.connect(now, connection, carrier);
            }
            Input::Crowded => self.control.make_room(now),
            Input::Control { connection, data } => self.control.receive(now, connection, data),
            Input::Fetched { connection, fetched } => {
                self.control.on_fetched(now, connection, fetched);
            }
            Input::Feedback { source, data } => self.control.hear(now, source, data),
            Input::Path { connection, path } => {
                self.control.sessions_mut().on_path(now, connection, path);
            }
            Input::Disconnected { connection } => self.control.disconnect(now, connection),
        }
    }

    /// What is to be done at `now`.
    pub fn poll(&mut self, now: MonoTime) -> Output {
        self.control.close_idle(now);
        let held_until = self.cap.blocked_until(now);
        let mut over = Vec::new();
        loop {
            if let Some(output) = self.control.pop_output() {
                return output;
            }
            let sessions = self.control.sessions_mut();
            if let Some(job) = sessions.pop_job() {
                return Output::Encode(job);
            }
            let transmit = sessions.pop(now, held_until.is_some(), &mut over);
            for id in over.drain(..) {
                self.control.on_over(now, id);
            }
            if let Some(transmit) = transmit {
                self.cap.spend(now, transmit.wire_size());
                return Output::Transmit(transmit);
            }
            if !self.control.has_output() && !self.control.sessions().has_jobs() {
                let sessions = self.control.sessions().next_deadline(held_until);
                return Output::Wait(sessions.into_iter().chain(self.control.next_look()).min());
            }
        }
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.control.sessions().len()
    }

    /// How many sessions were ended by circuit breakers.
    pub fn cut_short(&self) -> u64 {
        self.control.cut_short()
    }

    /// What they were granted together.
    pub fn granted(&self) -> Bitrate {
        self.control.granted()
    }
}
