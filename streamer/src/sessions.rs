//! All sessions, by name, by where their reports come from, and by when they want attention.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cantus_qos::quantity::Bitrate;
use cantus_qos::shaping::PathRate;
use cantus_qos::spec::Mode;
use cantus_qos::spec::admission::Grant;
use cantus_qos::time::MonoTime;
use tracing::warn;

use crate::encoding::EncodingJob;
use crate::session::{Flow, Route, Session};
use crate::wire::{ConnectionId, Source, Transmit};

/// A deadline that a session could not meet is not asked for again sooner than this: a fault in a
/// chain must not become a busy loop for all.
const PATIENCE: Duration = Duration::from_micros(50);

/// The name of a session: 64 random bits, so that nobody guesses another's (RFC 2326, section 3.4).
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

#[derive(Debug)]
struct Entry {
    session: Session,
    armed: MonoTime,
}

/// When which session wants attention.
type Timers = BTreeSet<(MonoTime, SessionId)>;

/// The sessions of a server.
#[derive(Debug, Default)]
pub struct Sessions {
    entries: BTreeMap<SessionId, Entry>,
    sources: BTreeMap<Source, SessionId>,
    /// Sessions whose units leave at their instants.
    prompt: Timers,
    /// Sessions that run ahead, and can be held back.
    patient: Timers,
    jobs: VecDeque<EncodingJob>,
}

impl Sessions {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a session.
    pub fn insert(&mut self, now: MonoTime, id: SessionId, session: Session) {
        let armed = session.next_deadline(now);
        self.sources.extend(session.sources().map(|source| (source, id)));
        self.timers(session.runs_ahead()).insert((armed, id));
        self.entries.insert(id, Entry { session, armed });
    }

    /// A session, to look at.
    pub fn peek(&self, id: SessionId) -> Option<&Session> {
        self.entries.get(&id).map(|entry| &entry.session)
    }

    /// Changes a session; its flows and its timer are looked at again afterwards.
    pub fn update<R>(
        &mut self,
        now: MonoTime,
        id: SessionId,
        change: impl FnOnce(&mut Session) -> R,
    ) -> Option<R> {
        let entry = self.entries.get_mut(&id)?;
        let result = change(&mut entry.session);
        self.sources.extend(entry.session.sources().map(|source| (source, id)));
        self.rearm(now, id, now);
        Some(result)
    }

    /// Whether reports from `source` belong to a session already.
    pub fn is_taken(&self, source: &Source) -> bool {
        self.sources.contains_key(source)
    }

    /// The session whose reports come from `source`.
    pub fn by_source(&self, source: &Source) -> Option<SessionId> {
        self.sources.get(source).copied()
    }

    /// Removes a session; what it was granted comes back.
    pub fn remove(&mut self, id: SessionId) -> Option<Grant> {
        let Entry { session, armed } = self.entries.remove(&id)?;
        self.timers(session.runs_ahead()).remove(&(armed, id));
        for source in session.sources() {
            self.sources.remove(&source);
        }
        Some(session.grant)
    }

    /// The sessions that were set up on `connection`.
    pub fn of_connection(&self, connection: ConnectionId) -> Vec<SessionId> {
        let of = |entry: &Entry| entry.session.connection == connection;
        self.entries.iter().filter(|(_, entry)| of(entry)).map(|(id, _)| *id).collect()
    }

    /// The connections that have a session: that speak of it, or carry it.
    pub fn connections(&self) -> BTreeSet<ConnectionId> {
        let of = |entry: &Entry| {
            let carrying = entry.session.flows.iter().filter_map(|flow| flow.route.connection());
            carrying.chain([entry.session.connection]).collect::<Vec<_>>()
        };
        self.entries.values().flat_map(of).collect()
    }

    /// The sessions that lose their way out with `connection`.
    pub fn carried_by(&self, connection: ConnectionId) -> Vec<SessionId> {
        let is_on = |flow: &Flow| flow.route.connection() == Some(connection);
        let is_carried = |entry: &Entry| entry.session.flows.iter().any(is_on);
        self.entries.iter().filter(|(_, entry)| is_carried(entry)).map(|(id, _)| *id).collect()
    }

    /// The channels of `connection` on which packets of a session travel already.
    pub fn channels_of(&self, connection: ConnectionId) -> BTreeSet<u8> {
        let flows = self.entries.values().flat_map(|entry| &entry.session.flows);
        let channels = flows.filter_map(|flow| match flow.route {
            Route::Interleaved { connection: it, rtp, rtcp } if it == connection => {
                Some([rtp, rtcp])
            }
            _ => None,
        });
        channels.flatten().collect()
    }

    /// The sessions that were promised no rate.
    pub fn of_best_effort(&self) -> Vec<SessionId> {
        let of = |entry: &Entry| entry.session.spec.mode == Some(Mode::BestEffort);
        self.entries.iter().filter(|(_, entry)| of(entry)).map(|(id, _)| *id).collect()
    }

    /// The path of `connection` bears so much, of all its sessions together.
    pub fn on_path(&mut self, now: MonoTime, connection: ConnectionId, path: PathRate) {
        let ids = self.of_connection(connection);
        let part = |rate: Bitrate| Bitrate::from_bps(rate.as_bps() / ids.len().max(1) as u64);
        let path = PathRate { target: part(path.target), limit: path.limit.map(part), ..path };
        for id in ids {
            self.update(now, id, |session| session.on_path(path));
        }
    }

    /// The next packet of any session that is due at `now`; with `held` only of those that do not
    /// run ahead. Sessions that are over, because their listeners have been silent for too long or
    /// a circuit breaker has tripped, are put into `over` instead.
    pub fn pop(
        &mut self,
        now: MonoTime,
        held: bool,
        over: &mut Vec<SessionId>,
    ) -> Option<Transmit> {
        while let Some(id) = self.next_due(now, held) {
            let entry = self.entries.get_mut(&id)?;
            if entry.session.expires_at() <= now || entry.session.cut_short().is_some() {
                let (ahead, armed) = (entry.session.runs_ahead(), entry.armed);
                self.timers(ahead).remove(&(armed, id));
                over.push(id);
                continue;
            }
            // The timer stays as it is: where one packet was, there may be another.
            let transmit = entry.session.pop(now);
            self.jobs.extend(entry.session.pipeline.take_jobs());
            for (flow, why) in entry.session.pipeline.take_ceased() {
                warn!(session = %id, flow = flow.get(), "a track is sent no more: {why}");
            }
            if transmit.is_some() {
                return transmit;
            }
            self.rearm(now, id, now + PATIENCE);
        }
        None
    }

    /// Whether [`pop_job`](Self::pop_job) has something.
    pub fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// What is to be encoded for what the sessions send next.
    pub fn pop_job(&mut self) -> Option<EncodingJob> {
        self.jobs.pop_front()
    }

    /// When [`pop`](Self::pop) may have something again, if those that run ahead are held until
    /// `held_until`.
    pub fn next_deadline(&self, held_until: Option<MonoTime>) -> Option<MonoTime> {
        let first = |timers: &Timers| timers.first().map(|(at, _)| *at);
        let patient = first(&self.patient).map(|at| held_until.map_or(at, |until| at.max(until)));
        first(&self.prompt).into_iter().chain(patient).min()
    }

    fn next_due(&self, now: MonoTime, held: bool) -> Option<SessionId> {
        let patient = self.patient.first().filter(|_| !held);
        let (at, id) = self.prompt.first().into_iter().chain(patient).min()?;
        (*at <= now).then_some(*id)
    }

    /// Asks again at the session's next deadline, and not before `earliest`.
    fn rearm(&mut self, now: MonoTime, id: SessionId, earliest: MonoTime) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let before = entry.armed;
        let after = entry.session.next_deadline(now).max(earliest);
        entry.armed = after;
        let timers = if entry.session.runs_ahead() { &mut self.patient } else { &mut self.prompt };
        timers.remove(&(before, id));
        timers.insert((after, id));
    }

    fn timers(&mut self, runs_ahead: bool) -> &mut Timers {
        if runs_ahead { &mut self.patient } else { &mut self.prompt }
    }
}

#[cfg(test)]
mod tests;
