//! One of the sessions of a simulation.

use cantus_player::wish::Carrier;
use cantus_qos::time::{MonoTime, NtpTime};

use super::carriage::Carriage;
use super::listener::Listener;
use super::outcome::{Milestone, Offered, Outcome};
use super::path::IPV4;
use super::place::Place;
use super::quic::Quic;
use super::scenario::Scenario;
use super::simulation::SimError;
use super::udp::Udp;
use crate::duplex::{Direction, Kind, udp_overhead};
use crate::link::NodeCounts;

/// A player, what carries control and media between it and the streamer, and what both ends gave
/// to that.
pub(super) struct Party {
    pub(super) place: Place,
    pub(super) begins: MonoTime,
    has_begun: bool,
    pub(super) carriage: Box<dyn Carriage>,
    pub(super) listener: Listener,
    offered: Offered,
}

impl Party {
    /// The session that `scenario` describes, at `place`, from the beginning on.
    pub(super) fn new(
        place: Place,
        scenario: &Scenario,
        ntp_at_zero: NtpTime,
    ) -> Result<Self, SimError> {
        let seed = place.seed(scenario.seed);
        let carriage: Box<dyn Carriage> = match scenario.carrier {
            Carrier::Udp => {
                let (there, back) = scenario.path.delays();
                Box::new(Udp::new(place, there, back))
            }
            Carrier::Quic => Box::new(Quic::new(place, seed)?),
        };
        let listener = Listener::new(&scenario.clone().with_seed(seed), ntp_at_zero)?;
        Ok(Self {
            place,
            begins: MonoTime::ZERO,
            has_begun: false,
            carriage,
            listener,
            offered: Offered::default(),
        })
    }

    /// The same, later.
    pub(super) fn beginning(self, begins: MonoTime) -> Self {
        Self { begins, ..self }
    }

    /// Connects, once it is time.
    pub(super) fn begin(&mut self, now: MonoTime) {
        if now >= self.begins && !std::mem::replace(&mut self.has_begun, true) {
            self.listener.note(now, Milestone::Asked);
            self.carriage.connect(now);
        }
    }

    /// When there may be something to do beside what is on the links and in the player.
    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        let begins = (!self.has_begun).then_some(self.begins);
        begins.into_iter().chain(self.carriage.next_deadline()).min()
    }

    /// One of the ends gives a packet to the transport.
    pub(super) fn offer(&mut self, direction: Direction, kind: Kind, data: &[u8]) {
        let amount = self.offered.entry((direction, kind)).or_default();
        amount.packets += 1;
        amount.bytes += (data.len() + udp_overhead(IPV4)) as u64;
    }

    /// What came of it.
    pub(super) fn into_outcome(
        self,
        now: MonoTime,
        counts: (NodeCounts, NodeCounts),
        sessions_left: usize,
    ) -> Outcome {
        let outcome = self.listener.into_outcome(now, self.begins, counts, sessions_left);
        Outcome { offered: self.offered, ..outcome }
    }
}
