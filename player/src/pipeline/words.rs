//! Subtitles on their way in.

use bytes::Bytes;
use cantus_qos::payload::cue::{self, Cue};
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::RtpPacket;
use cantus_qos::stats::Distribution;
use cantus_qos::sync::{Admitted, CueEvent, CueSchedule};
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use super::track::{IP_UDP_HEADERS, Traffic};
use crate::client::FlowPlan;

/// A subtitle track.
#[derive(Debug)]
pub(crate) struct Words {
    /// Its name.
    pub name: String,
    /// Its flow.
    pub flow: FlowId,
    /// What came.
    pub traffic: Traffic,
    /// Copies of cues that were there already.
    pub duplicates: u64,
    /// Cues that came too late to be shown.
    pub skipped: u64,
    /// Cues that were shown.
    pub shown: u64,
    /// How far they were from the sound they belong to.
    pub skew: Distribution,
    plan: FlowPlan,
    schedule: CueSchedule,
}

impl Words {
    /// The track that was set up as `plan`.
    pub(crate) fn new(plan: &FlowPlan) -> Self {
        Self {
            name: plan.name.clone(),
            flow: plan.id,
            traffic: Traffic::default(),
            duplicates: 0,
            skipped: 0,
            shown: 0,
            skew: Distribution::new(),
            plan: plan.clone(),
            schedule: CueSchedule::new(CueSchedule::SUBTITLES),
        }
    }

    /// A packet of the track.
    pub(crate) fn on_packet(&mut self, data: Bytes) {
        let length = data.len() as u64;
        let Ok(packet) = RtpPacket::parse(data, self.plan.send_time_id) else { return };
        if packet.payload_type != self.plan.payload_type {
            return;
        }
        let Ok(cue) = cue::decode(&packet.payload) else { return };
        let payload = packet.payload.len() as u64;
        self.traffic.media += payload;
        self.traffic.headers += length - payload + IP_UDP_HEADERS;
        if self.schedule.push(cue) == Admitted::Duplicate {
            self.duplicates += 1;
        }
    }

    /// The next cue to show, `heard` being what is heard.
    pub(crate) fn pop(&mut self, heard: MediaTime) -> Option<(Cue, TimeDelta)> {
        while let Some(event) = self.schedule.pop(heard) {
            match event {
                CueEvent::Show { cue, skew } => {
                    self.shown += 1;
                    return Some((cue, skew));
                }
                CueEvent::Skipped { .. } => self.skipped += 1,
            }
        }
        None
    }

    /// When, by `heard_at`, the next cue is due.
    pub(crate) fn next_deadline(
        &self,
        heard_at: impl Fn(MediaTime) -> MonoTime,
    ) -> Option<MonoTime> {
        self.schedule.next_start().map(heard_at)
    }

    /// Different cues that came, and how many there must be by their identifiers.
    pub(crate) fn received(&self) -> (u64, u64) {
        let (received, ends) = self.schedule.received();
        let spanned = ends.map_or(0, |(first, last)| u64::from(last - first) + 1);
        (received as u64, spanned)
    }
}
