//! A transfer without end from the streamer's side of the path, which yields to others as TCP does.
//!
//! What the network sees of TCP is when it sends, and what it makes of losses. quinn's protocol
//! machine finds losses by the acknowledgement of what was sent later (RFC 9002, which has it from
//! RFC 6675) and has TCP's congestion controls; so a QUIC connection under one of these stands for a
//! TCP connection with selective acknowledgements, its packets with some 30 bytes more.

use bytes::Bytes;
use cantus_qos::time::MonoTime;
use quinn_proto::{ClientConfig, Dir, StreamId};

use super::clock::Clock;
use super::path::Path;
use super::place::Place;
use super::quic::{End, News, QuicError, Settings};
use crate::duplex::{Direction, Forward, Kind};
use crate::plan::Congestion;

/// What is written ahead of what has left.
const AHEAD: Bytes = Bytes::from_static(&[0; 64 * 1_024]);

/// A connection and both its ends.
pub(super) struct Bulk {
    place: Place,
    begins: MonoTime,
    clock: Clock,
    config: Option<ClientConfig>,
    receiver: End,
    sender: End,
    /// What the sender writes to, once it may.
    stream: Option<StreamId>,
    /// A packet has come since the ends were last asked.
    has_received: bool,
}

impl Bulk {
    /// The one at `place`, which connects when it `begins`.
    pub(super) fn new(
        place: Place,
        congestion: Congestion,
        begins: MonoTime,
        seed: u64,
    ) -> Result<Self, QuicError> {
        let Settings { server, client, .. } = Settings::bulk(congestion)?;
        let seed = place.seed(seed);
        Ok(Self {
            place,
            begins,
            clock: Clock::new(),
            config: Some(client),
            receiver: End::client(seed),
            sender: End::server(seed, server),
            stream: None,
            has_received: false,
        })
    }

    /// Where it lives.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// A packet of it has come through a link.
    pub(super) fn receive(&mut self, now: MonoTime, arrived: &Forward) {
        let at = self.clock.instant(now);
        match arrived.direction {
            Direction::ToClient => self.receiver.receive(at, &arrived.data),
            Direction::ToServer => self.sender.receive(at, &arrived.data),
        }
        self.has_received = true;
    }

    /// Lets both ends do what they do up to `now`.
    pub(super) fn flush(&mut self, now: MonoTime, path: &mut Path<'_>) {
        let is_due = self.next_deadline().is_some_and(|at| at <= now);
        if !is_due && !std::mem::take(&mut self.has_received) {
            return;
        }
        let at = self.clock.instant(now);
        if let Some(config) = self.config.take() {
            // Nothing is there yet that could refuse it.
            let _ = self.receiver.connect(at, config);
        }
        if self.sender.news().iter().any(|news| matches!(news, News::Connected)) {
            self.stream = self.sender.open(Dir::Uni);
        }
        if let Some(id) = self.stream {
            self.sender.write_up_to(id, &AHEAD);
        }
        // What comes is read, and is nothing.
        self.receiver.news();
        for (end, direction) in
            [(&mut self.receiver, Direction::ToServer), (&mut self.sender, Direction::ToClient)]
        {
            end.advance(at);
            for data in end.drain() {
                path.send_beside(now, direction, Kind::Other, self.place.route(0), data);
            }
        }
    }

    /// When one of the ends has something to do.
    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        if self.config.is_some() {
            return Some(self.begins);
        }
        let timeouts = [self.receiver.timeout(), self.sender.timeout()];
        timeouts.into_iter().flatten().map(|at| self.clock.virtual_time(at)).min()
    }
}
