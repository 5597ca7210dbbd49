//! One audio track on its way out: source -> packetizer -> fec encoder -> interleaver -> pacer.

use std::sync::Arc;
use std::time::Duration;

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::SenderReport;
use cantus_qos::shaping::Pacer;
use cantus_qos::time::{MediaTime, MonoTime, NtpTime, TimeDelta};

use super::{Packet, Packetizer, Protection, Schedule, WallClock};
use crate::encoding::{Encoding, UnitState};

/// While the encoder is behind (the first milliseconds of a file nobody has heard yet), ask again
/// this often.
const ENCODER_RETRY: Duration = Duration::from_millis(2);

/// One audio track of a session.
#[derive(Debug)]
pub struct AudioChain {
    flow: FlowId,
    source: Arc<Encoding>,
    next: u64,
    retry_at: Option<MonoTime>,
    packetizer: Packetizer,
    protection: Option<Protection>,
    ended: bool,
}

impl AudioChain {
    /// A track whose units come from `source` and leave on `flow`.
    pub fn new(flow: FlowId, source: Arc<Encoding>, packetizer: Packetizer) -> Self {
        Self { flow, source, next: 0, retry_at: None, packetizer, protection: None, ended: false }
    }

    /// Adds repair. Source packets carry its footer from the next one on.
    pub fn protect(&mut self, protection: Protection) {
        self.protection = Some(protection);
    }

    /// The flow that its packets leave on.
    pub fn flow(&self) -> FlowId {
        self.flow
    }

    /// Numbers and stamps.
    pub fn packetizer(&self) -> &Packetizer {
        &self.packetizer
    }

    /// How long one unit plays.
    pub fn unit_duration(&self) -> MediaTime {
        self.source.unit_duration()
    }

    /// Goes to the unit that holds `from`.
    pub fn seek(&mut self, from: MediaTime) {
        self.next = self.source.index_at(from);
        self.retry_at = None;
        self.ended = false;
        self.packetizer.mark_next();
    }

    /// The media time of the next unit.
    fn position(&self) -> MediaTime {
        MediaTime::from_flicks(self.source.unit_duration().as_flicks() * self.next as i64)
    }

    /// No more units for now. The block that is open ends, and repair that still waits goes: what
    /// it repairs is sent again when PLAY goes on.
    pub fn stop(&mut self) {
        if let Some(protection) = &mut self.protection {
            protection.forget();
        }
    }

    /// The range is over: what there is of the open block is protected as it stands.
    fn end(&mut self, now: MonoTime) {
        self.ended = true;
        if let Some(protection) = &mut self.protection {
            protection.end(now);
        }
    }

    /// Moves what is due into the pacer.
    pub fn advance(
        &mut self,
        now: MonoTime,
        schedule: &Schedule,
        wall: WallClock,
        pacer: &mut Pacer<Packet>,
    ) {
        while !self.ended && self.next_unit_at(schedule) <= now {
            self.send_unit(now, schedule, wall, pacer);
        }
        let Some(protection) = &mut self.protection else { return };
        while let Some(data) = protection.pop(now) {
            let packet = Packet {
                flow: protection.flow(),
                channel: Channel::Rtp,
                class: DeliveryClass::Repair,
                data,
            };
            pacer.push(now, packet.data.len(), packet);
        }
    }

    fn send_unit(
        &mut self,
        now: MonoTime,
        schedule: &Schedule,
        wall: WallClock,
        pacer: &mut Pacer<Packet>,
    ) {
        self.retry_at = None;
        let unit = match self.source.unit(self.next) {
            UnitState::Ready(unit) if unit.media_time < schedule.until() => unit,
            UnitState::Pending => {
                self.retry_at = Some(now + ENCODER_RETRY);
                return;
            }
            UnitState::Ready(_) | UnitState::End => {
                self.end(now);
                return;
            }
        };
        self.next += 1;
        let unit_time = unit.media_time;
        let due = schedule.due(unit_time);
        let ahead = schedule.nominal(unit_time) - due;
        let sent = (ahead != TimeDelta::ZERO).then(|| wall.at(due));
        let data = self.packetizer.packetize(unit, sent);
        let data = match &mut self.protection {
            Some(protection) => {
                protection.make_use_of(ahead.max_zero());
                protection.push(now, data)
            }
            None => data,
        };
        let class = DeliveryClass::Isochronous;
        let packet = Packet { flow: self.flow, channel: Channel::Rtp, class, data };
        pacer.push(now, packet.data.len(), packet);
    }

    fn next_unit_at(&self, schedule: &Schedule) -> MonoTime {
        self.retry_at.unwrap_or_else(|| schedule.due(self.position()))
    }

    /// When [`advance`](Self::advance) has something to do.
    pub fn next_deadline(&self, schedule: &Schedule) -> Option<MonoTime> {
        let unit = (!self.ended).then(|| self.next_unit_at(schedule));
        let repair = self.protection.as_ref().and_then(|it| it.next_deadline());
        unit.into_iter().chain(repair).min()
    }

    /// Whether the last unit of the range and all its repair are out.
    pub fn is_finished(&self) -> bool {
        let repair = self.protection.as_ref().and_then(|it| it.next_deadline());
        self.ended && repair.is_none()
    }

    /// What a sender report says of this stream at `now`: the pair on the nominal timeline, not
    /// the sending instant, which runs ahead in stored mode.
    pub fn sender_report(&self, now: MonoTime, schedule: &Schedule, ntp: NtpTime) -> SenderReport {
        let (packets, octets) = self.packetizer.sent();
        SenderReport {
            ssrc: self.packetizer.ssrc(),
            ntp,
            rtp: self.packetizer.timestamp(schedule.position(now)),
            packets,
            octets,
            blocks: Vec::new(),
        }
    }
}
