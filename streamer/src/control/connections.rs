//! All control connections, and which of them make room for others.
//!
//! A connection that has set up a session is never closed. One that has none is there until it has
//! said nothing whole for a minute, or until its place is wanted: as servers of HTTP do it
//! (`worker_connections` of nginx), so that nobody locks others out who opens many and keeps still.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use cantus_qos::time::MonoTime;

use super::connection::Connection;
use crate::session::TIMEOUT;
use crate::wire::{Carrier, ConnectionId};

/// Who has no session and says nothing whole is closed after so long: as long as sessions last. Part
/// of a request, however it trickles in, is nothing whole.
const IDLE: Duration = TIMEOUT;

/// It is not looked more often than this who has been idle for so long.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Where a place is wanted, so many of those to spare are given up, and no more than so many, that
/// not every newcomer must have all the others looked through.
const SPARED: usize = 8;
const MOST_SPARED: usize = 32;

/// All control connections.
#[derive(Debug)]
pub(super) struct Connections {
    places: usize,
    open: BTreeMap<ConnectionId, Connection>,
    next_look: Option<MonoTime>,
}

impl Connections {
    /// None yet, and room for so many.
    pub(super) fn new(places: usize) -> Self {
        Self { places, open: BTreeMap::new(), next_look: None }
    }

    pub(super) fn get(&self, id: &ConnectionId) -> Option<&Connection> {
        self.open.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &ConnectionId) -> Option<&mut Connection> {
        self.open.get_mut(id)
    }

    /// One more.
    pub(super) fn insert(&mut self, now: MonoTime, id: ConnectionId, carrier: Carrier) {
        self.open.insert(id, Connection::new(now, carrier));
        self.next_look = self.next_look.or(Some(now + IDLE));
    }

    /// One less.
    pub(super) fn remove(&mut self, id: &ConnectionId) {
        self.open.remove(id);
    }

    /// Whether there is no place for another.
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= self.places
    }

    /// Some that give up their places, beside those with `sessions`: of the address that has most of
    /// them that which has been idle longest, then again of the address that has most, and so on. So
    /// whoever opens many takes places from nobody else.
    pub(super) fn to_spare(&self, sessions: &BTreeSet<ConnectionId>) -> Vec<ConnectionId> {
        let mut spare: Vec<_> = self.without(sessions).collect();
        spare.sort_by_key(|(id, connection)| Reverse((connection.heard_at(), *id)));
        let mut heard_later: BTreeMap<Option<IpAddr>, usize> = BTreeMap::new();
        let ranked = spare.into_iter().map(|(id, connection)| {
            let rank = heard_later.entry(neighbourhood(connection.carrier())).or_default();
            *rank += 1;
            (Reverse(*rank), connection.heard_at(), id)
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_unstable();
        let count = (ranked.len() / SPARED).clamp(1, MOST_SPARED);
        ranked.into_iter().take(count).map(|(.., id)| id).collect()
    }

    /// Those beside the ones with `sessions` that have been idle for too long.
    pub(super) fn take_idle(
        &mut self,
        now: MonoTime,
        sessions: &BTreeSet<ConnectionId>,
    ) -> Vec<ConnectionId> {
        let until = |connection: &Connection| connection.heard_at() + IDLE;
        let idle = self.without(sessions).filter(|(_, it)| until(it) <= now).map(|(id, _)| id);
        let idle = idle.collect();
        let next = self.open.values().map(until).min();
        self.next_look = next.map(|at| at.max(now + BETWEEN_LOOKS));
        idle
    }

    /// When [`take_idle`](Self::take_idle) may have something.
    pub(super) fn next_look(&self) -> Option<MonoTime> {
        self.next_look
    }

    /// Those that have no session, and do not wait for an answer either.
    fn without(
        &self,
        sessions: &BTreeSet<ConnectionId>,
    ) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        let spare = self.open.iter().filter(|(id, it)| !sessions.contains(id) && !it.is_waiting());
        spare.map(|(id, connection)| (*id, connection))
    }
}

/// Whose connection it is: of IPv6 a host has a whole network of addresses (RFC 4291, section
/// 2.5.1). All connections over QUIC are neighbours, which have shown at least that their address is
/// their own.
fn neighbourhood(carrier: Carrier) -> Option<IpAddr> {
    match carrier {
        Carrier::Tcp(IpAddr::V6(address)) => {
            let network = address.to_bits() >> 64 << 64;
            Some(Ipv6Addr::from_bits(network).into())
        }
        Carrier::Tcp(address) => Some(address),
        Carrier::Quic => None,
    }
}
