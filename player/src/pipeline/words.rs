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
    /// Where the sound begins. Cues that show there already belong to its first sample.
    from: MediaTime,
    schedule: CueSchedule,
}

impl Words {
    /// The track that was set up as `plan`, for sound that begins at `from`.
    pub(crate) fn new(plan: &FlowPlan, from: MediaTime) -> Self {
        Self {
            name: plan.name.clone(),
            flow: plan.id,
            traffic: Traffic::default(),
            duplicates: 0,
            skipped: 0,
            shown: 0,
            skew: Distribution::new(),
            plan: plan.clone(),
            from,
            schedule: CueSchedule::new(CueSchedule::SUBTITLES),
        }
    }

    /// A packet of the track.
    pub(crate) fn on_packet(&mut self, data: Bytes) {
        let length = data.len() as u64;
        let Ok(packet) = RtpPacket::parse(data, self.plan.send_time_id) else { return };
        if Some(packet.payload_type) != self.plan.payload_type {
            return;
        }
        let Ok(cue) = cue::decode(&packet.payload) else { return };
        let payload = packet.payload.len() as u64;
        self.traffic.media += payload;
        self.traffic.headers += length - payload + IP_UDP_HEADERS;
        let over = cue.end() <= self.from && cue.start < self.from;
        if over {
            return;
        }
        if self.schedule.push(cue) == Admitted::Duplicate {
            self.duplicates += 1;
        }
    }

    /// The next cue that is due at `position`.
    pub(crate) fn pop(&mut self, position: MediaTime) -> Option<Cue> {
        if position < self.from {
            return None;
        }
        while let Some(event) = self.schedule.pop(position) {
            match event {
                CueEvent::Show { cue, .. } => return Some(cue),
                CueEvent::Skipped { .. } => self.skipped += 1,
            }
        }
        None
    }

    /// The cue is shown while `heard` is to be heard; by how much it comes after its sound, which
    /// was heard later than it was to be by what `late_by` says.
    pub(crate) fn shown_at(
        &mut self,
        heard: MediaTime,
        cue: &Cue,
        late_by: impl Fn(MediaTime) -> TimeDelta,
    ) -> TimeDelta {
        let sound = cue.start.max(self.from);
        let skew = (heard - sound).to_delta() - late_by(sound);
        self.shown += 1;
        self.skew.record(skew);
        skew
    }

    /// When, by `heard_at`, the next cue is due.
    pub(crate) fn next_deadline(
        &self,
        heard_at: impl Fn(MediaTime) -> MonoTime,
    ) -> Option<MonoTime> {
        self.schedule.next_start().map(|start| heard_at(start.max(self.from)))
    }

    /// Different cues that came, and how many there must be by their identifiers.
    pub(crate) fn received(&self) -> (u64, u64) {
        let (received, ends) = self.schedule.received();
        let spanned = ends.map_or(0, |(first, last)| u64::from(last - first) + 1);
        (received as u64, spanned)
    }
}
