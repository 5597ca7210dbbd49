//! One subtitle track on its way out.
//!
//! Cues of stored media are known ahead. On a reliable stream each is sent once; on UDP each is
//! sent well before its time and again and again, at growing distances that outlast bursts and
//! short outages, until it would be absurd that none got through (eight copies at 20 % loss: three
//! in a million). The identifier tells copies apart.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::payload::MediaUnit;
use cantus_qos::payload::cue::{self, Cue};
use cantus_qos::roq::FlowId;
use cantus_qos::shaping::Pacer;
use cantus_qos::time::MonoTime;

use super::{Packet, Packetizer, Schedule, WallClock};

/// How long before its nominal instant a cue leaves for the first time.
const LEAD: Duration = Duration::from_secs(10);

/// After the first copy, when the others follow on a lossy path.
const COPIES_AFTER: [Duration; 8] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1_200),
    Duration::from_millis(2_000),
    Duration::from_millis(3_500),
    Duration::from_millis(6_000),
    Duration::from_millis(9_000),
];

/// Whether what is sent arrives.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Carriage {
    /// One copy is enough.
    Reliable,
    /// Copies are cheap, lost words are not.
    Lossy,
}

/// One subtitle track of a session.
#[derive(Debug)]
pub struct CueChain {
    flow: FlowId,
    cues: Arc<[Cue]>,
    packetizer: Packetizer,
    carriage: Carriage,
    /// Copies still to be sent: when, and which cue.
    plan: BTreeSet<(MonoTime, usize)>,
}

impl CueChain {
    /// A track that leaves on `flow`.
    pub fn new(flow: FlowId, cues: Arc<[Cue]>, packetizer: Packetizer, carriage: Carriage) -> Self {
        Self { flow, cues, packetizer, carriage, plan: BTreeSet::new() }
    }

    /// The flow that its packets leave on.
    pub fn flow(&self) -> FlowId {
        self.flow
    }

    /// Numbers and stamps.
    pub fn packetizer(&self) -> &Packetizer {
        &self.packetizer
    }

    /// Plans the copies of every cue of the range; those showing at its start come first.
    pub fn seek(&mut self, now: MonoTime, schedule: &Schedule) {
        self.plan.clear();
        let copies = match self.carriage {
            Carriage::Reliable => &COPIES_AFTER[..1],
            Carriage::Lossy => &COPIES_AFTER[..],
        };
        for (index, cue) in self.cues.iter().enumerate() {
            let over = cue.start + cue.duration <= schedule.from() && cue.start < schedule.from();
            if over || cue.start >= schedule.until() {
                continue;
            }
            let first = (schedule.nominal(cue.start.max(schedule.from())) - LEAD).max(now);
            self.plan.extend(copies.iter().map(|after| (first + *after, index)));
        }
    }

    /// Nothing more is sent.
    pub fn stop(&mut self) {
        self.plan.clear();
    }

    /// Moves the copies that are due into the pacer.
    pub fn advance(&mut self, now: MonoTime, wall: WallClock, pacer: &mut Pacer<Packet>) {
        while let Some(&(at, index)) = self.plan.first().filter(|(at, _)| *at <= now) {
            self.plan.remove(&(at, index));
            let cue = &self.cues[index];
            // The catalogue refuses cues that are too long to be sent.
            let Ok(data) = cue::encode(cue) else { continue };
            let unit = MediaUnit { media_time: cue.start, duration: cue.duration, data };
            let packet = Packet {
                flow: self.flow,
                channel: Channel::Rtp,
                class: DeliveryClass::Synchronous,
                data: self.packetizer.packetize(unit, Some(wall.at(now))),
            };
            pacer.push(now, packet.data.len(), packet);
        }
    }

    /// When the next copy is due.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        self.plan.first().map(|(at, _)| *at)
    }

    /// Whether everything is out.
    pub fn is_finished(&self) -> bool {
        self.plan.is_empty()
    }
}
