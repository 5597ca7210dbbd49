//! What takes the packets of a track in: fec decoder -> numbers and times -> stock.

use bytes::Bytes;
use cantus_qos::fec::block;
use cantus_qos::playout::Unit;
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::{ExtensionId, PayloadType, RtpPacket, RtpTimestamp};
use cantus_qos::stats::{Arrival, Recovery};
use cantus_qos::sync::StreamTimeline;
use cantus_qos::time::{ClockRate, MediaTime, MonoTime, TimeDelta};

use super::{Stock, Traffic};
use crate::client::{FlowPlan, Role};
use crate::pipeline::reception::Receiver;
use crate::pipeline::sender::SenderTime;

/// Blocks that may be open at once before the oldest is given up.
const FEC_BLOCKS: usize = 64;

/// IPv4 and UDP.
pub(in crate::pipeline) const IP_UDP_HEADERS: u64 = 28;

/// What became known when a packet came.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Heard {
    /// When the unit could be played, less when it was sent.
    pub delay: Option<TimeDelta>,
    /// Whether it came by itself, so that its delay tells something about the network.
    pub by_itself: bool,
}

/// Follows a source, and what repairs it.
#[derive(Debug)]
pub(crate) struct Intake {
    /// What came and went.
    pub traffic: Traffic,
    /// The source that is heard.
    pub receiver: Receiver,
    unit: MediaTime,
    payload_type: PayloadType,
    send_time_id: Option<ExtensionId>,
    repair: Option<(FlowId, block::Decoder)>,
    timeline: StreamTimeline,
}

impl Intake {
    /// Of the track that was set up as `plan`, whose units play for `unit` and are counted at
    /// `rate`; what is sent begins at `start`.
    pub(super) fn new(
        plan: &FlowPlan,
        repair: Option<&FlowPlan>,
        rate: ClockRate,
        unit: MediaTime,
        start: MediaTime,
    ) -> Self {
        let mut timeline = StreamTimeline::new(rate, start);
        if let Some(timestamp) = plan.first_timestamp {
            timeline.anchor(timestamp, start);
        }
        let layout = |plan: &FlowPlan| match plan.role {
            Role::Repair { layout, .. } => Some(layout),
            _ => None,
        };
        let repair =
            repair.and_then(|plan| Some((plan.id, block::Decoder::new(layout(plan)?, FEC_BLOCKS))));
        Self {
            traffic: Traffic::default(),
            receiver: Receiver::new(rate, plan.ssrc).telling(plan.congestion_feedback),
            unit,
            payload_type: plan.payload_type,
            send_time_id: plan.send_time_id,
            repair,
            timeline,
        }
    }

    /// The flow that repair comes on.
    pub(super) fn repair_flow(&self) -> Option<FlowId> {
        self.repair.as_ref().map(|(flow, _)| *flow)
    }

    /// A packet of the track's own flow.
    pub(super) fn on_media(
        &mut self,
        now: MonoTime,
        data: Bytes,
        sender: &mut SenderTime,
        stock: &mut Stock,
    ) -> Vec<Heard> {
        let before = data.len() as u64;
        let packet = match &mut self.repair {
            Some((_, decoder)) => match decoder.push_source(data) {
                Ok(packet) => packet,
                Err(_) => return Vec::new(),
            },
            None => data,
        };
        let mut heard = Vec::new();
        let accepted = self.accept(now, packet, Recovery::None, sender, stock);
        if let Some((payload, known)) = accepted {
            self.traffic.media += payload;
            self.traffic.headers += before - payload + IP_UDP_HEADERS;
            heard.push(known);
        }
        self.recover(now, sender, stock, &mut heard);
        heard
    }

    /// A packet of the repair flow.
    pub(super) fn on_repair(
        &mut self,
        now: MonoTime,
        data: Bytes,
        sender: &mut SenderTime,
        stock: &mut Stock,
    ) -> Vec<Heard> {
        self.traffic.repair += data.len() as u64;
        self.traffic.headers += IP_UDP_HEADERS;
        let mut heard = Vec::new();
        if let Some((_, decoder)) = &mut self.repair {
            // Damaged repair is as good as lost; the decoder counts it.
            let _ = decoder.push_repair(data);
        }
        self.recover(now, sender, stock, &mut heard);
        heard
    }

    fn recover(
        &mut self,
        now: MonoTime,
        sender: &mut SenderTime,
        stock: &mut Stock,
        heard: &mut Vec<Heard>,
    ) {
        while let Some(packet) = self.repair.as_mut().and_then(|(_, decoder)| decoder.pop()) {
            let accepted = self.accept(now, packet, Recovery::Fec, sender, stock);
            heard.extend(accepted.map(|(_, known)| known));
        }
    }

    /// Takes an RTP packet into the stock. Gives the length of its payload.
    fn accept(
        &mut self,
        now: MonoTime,
        data: Bytes,
        recovery: Recovery,
        sender: &mut SenderTime,
        stock: &mut Stock,
    ) -> Option<(u64, Heard)> {
        let packet = RtpPacket::parse(data, self.send_time_id).ok()?;
        if packet.payload_type != self.payload_type {
            return None;
        }
        let numbered = self.receiver.admit(&packet)?;
        let media_time = self.place(numbered.restarted, packet.timestamp);
        if recovery == Recovery::None {
            let sent = sender.departure(now, packet.send_time, media_time);
            self.receiver.on_arrival(now, &packet, sent);
            sender.on_arrival(now, packet.send_time, media_time);
        }
        let sent = sender.sent_at(now, packet.send_time, media_time);
        let payload = packet.payload.len() as u64;
        let unit = Unit {
            sequence: numbered.number,
            media_time,
            duration: self.unit,
            data: packet.payload,
        };
        let delay = match stock.put(now, unit, sent, recovery) {
            Arrival::Duplicate => None,
            _ => sent.map(|sent| now - sent),
        };
        Some((payload, Heard { delay, by_itself: recovery == Recovery::None }))
    }

    fn place(&mut self, restarted: bool, timestamp: RtpTimestamp) -> MediaTime {
        if restarted {
            self.timeline.restart();
            // A packet before this one made its source believed: that one goes on where the old
            // source ended.
            let ticks = self.unit.ticks(self.timeline.rate()) as u32;
            self.timeline.place(RtpTimestamp(timestamp.0.wrapping_sub(ticks)), self.unit);
        }
        self.timeline.place(timestamp, self.unit)
    }
}
