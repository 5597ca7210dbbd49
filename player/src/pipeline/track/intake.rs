//! What takes the packets of a track in: fec decoder -> numbers and times -> stock.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::fec;
use cantus_qos::payload::{AudioFormat, g711, l16, opus};
use cantus_qos::playout::Unit;
use cantus_qos::repair::Playout;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::{LossRle, SenderReport};
use cantus_qos::rtp::{ExtensionId, PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::stats::{Arrival, Recovery};
use cantus_qos::sync::StreamTimeline;
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use super::arrivals::Arrivals;
use super::asking::Asking;
use super::packets::{Packets, Place};
use super::standing::{Standing, Told};
use super::{Stock, Traffic};
use crate::client::{FlowPlan, Playing, Role};
use crate::pipeline::reception::Receiver;
use crate::pipeline::sender::SenderTime;

/// IPv4 and UDP.
pub(in crate::pipeline) const IP_UDP_HEADERS: u64 = 28;

/// What became known when a packet came.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Heard {
    /// When the unit could be played, less when it was sent.
    pub delay: Option<TimeDelta>,
    /// Whether it came by itself, so that its delay tells something about the network.
    pub by_itself: bool,
    /// How many more units than before are known to have been sent.
    pub expected: u64,
}

/// Follows a source, and what repairs it.
#[derive(Debug)]
pub(crate) struct Intake {
    /// What came and went.
    pub traffic: Traffic,
    /// The source that is heard.
    pub receiver: Receiver,
    /// Where its timeline lies on that of the presentation.
    pub(super) standing: Standing,
    codec: AudioCodec,
    format: AudioFormat,
    unit: MediaTime,
    packets: Packets,
    /// The range.
    range: (MediaTime, Option<MediaTime>),
    /// Of the track's packets; `None` before the first where any is believed.
    payload_type: Option<PayloadType>,
    send_time_id: Option<ExtensionId>,
    repair: Option<(FlowId, fec::Decoder)>,
    timeline: StreamTimeline,
    asking: Option<Asking>,
    arrivals: Arrivals,
    /// The newest unit that came.
    newest: Option<u64>,
}

impl Intake {
    /// Of the track that was set up as `plan`, whose units are of a codec and a format, and play for
    /// `unit`, of what is `playing` as one of `tracks` tracks. What is sent begins with the first
    /// instant of the range.
    pub(super) fn new(
        plan: &FlowPlan,
        repair: Option<&FlowPlan>,
        (codec, format): (AudioCodec, AudioFormat),
        unit: MediaTime,
        playing: &Playing,
        tracks: usize,
    ) -> Self {
        let rate = codec.clock_rate(format);
        let (start, _) = playing.range;
        let mut timeline = StreamTimeline::new(rate, start);
        if let Some(timestamp) = plan.first_timestamp {
            timeline.anchor(timestamp, start);
        }
        let repair = repair.and_then(|plan| match plan.role {
            Role::Repair { scheme, .. } => {
                Some((plan.id, fec::Decoder::new(scheme, fec::Decoder::MAX_HELD / tracks.max(1))))
            }
            _ => None,
        });
        Self {
            traffic: Traffic::default(),
            receiver: Receiver::new(rate, plan.ssrc).telling(plan.congestion_feedback),
            standing: Standing::new(playing.pushed),
            codec,
            format,
            unit,
            packets: Packets::default(),
            range: playing.range,
            payload_type: plan.payload_type,
            send_time_id: plan.send_time_id,
            repair,
            timeline,
            asking: Asking::new(plan, unit),
            arrivals: Arrivals::default(),
            newest: None,
        }
    }

    /// The numbers of the first unit, and of the last, where it is known.
    pub(super) fn expect(&mut self, first: u64, start: MediaTime, last: Option<u64>) {
        let duration = self.unit;
        self.packets.begin(Place { number: first, media_time: start, duration });
        if let Some(Asking { asker, .. }) = &mut self.asking {
            asker.begin_at(first);
            last.into_iter().for_each(|last| asker.end_at(last));
        }
        self.newest = first.checked_sub(1);
    }

    /// What is played at `position` must be there at `at`, or `patience` later, and so each other
    /// packet.
    pub(super) fn plan_playout(&mut self, position: MediaTime, at: MonoTime, patience: Duration) {
        let Some((packet, asking)) = self.packets.at(position).zip(self.asking.as_mut()) else {
            return;
        };
        let at = at + (packet.media_time - position).to_delta();
        let (number, unit) = (packet.number, packet.duration.to_duration());
        asking.asker.set_playout(Playout { number, at, unit, patience });
    }

    /// A round trip was measured.
    pub(crate) fn on_round_trip(&mut self, round_trip: Duration) {
        if let Some(asking) = &mut self.asking {
            asking.asker.on_round_trip(round_trip);
        }
    }

    /// These sources say goodbye, and perhaps why: nothing more is to be expected of them.
    pub(crate) fn on_bye(&mut self, ssrcs: &[Ssrc], reason: Option<&str>) {
        self.receiver.on_bye(ssrcs, reason);
        if let Some(asking) = self.asking.as_mut().filter(|_| self.receiver.has_left()) {
            asking.asker.end();
        }
    }

    /// Its sender has reported.
    pub(crate) fn on_sender_report(&mut self, now: MonoTime, report: &SenderReport) {
        self.receiver.on_sender_report(now, report);
        self.standing.on_report(report);
    }

    /// A source has said what it is called.
    pub(crate) fn on_name(&mut self, source: Ssrc, name: &str) {
        self.standing.on_name(source, name);
    }

    /// What its source has told of itself and of the track; `None` before any packet.
    pub(super) fn take_told(&mut self) -> Option<Told> {
        let source = self.receiver.ssrc().filter(|_| self.timeline.is_anchored())?;
        Some(self.standing.take_told(source, &self.timeline))
    }

    /// Whether the server wants to hear at once what is missing.
    pub(crate) fn is_asked_at_once(&self) -> bool {
        self.asking.as_ref().is_some_and(|asking| asking.at_once)
    }

    /// What to ask for at `now`, and of which source.
    pub(crate) fn pop_request(&mut self, now: MonoTime) -> Option<(Ssrc, Vec<Sequence>)> {
        let numbers = self.asking.as_mut()?.asker.pop(now)?;
        let receiver = &self.receiver;
        let sequences = numbers.into_iter().filter_map(|number| receiver.sequence(number));
        Some((receiver.ssrc()?, sequences.collect()))
    }

    /// Whether a unit that is not there may still come; `None` where nothing is asked for again.
    pub(super) fn awaits(&self, position: MediaTime) -> Option<bool> {
        let packet = self.packets.at(position)?;
        Some(self.asking.as_ref()?.asker.awaits(packet.number))
    }

    /// The packet that is played next, and when it must be there; `None` where nothing is asked for
    /// again.
    pub(super) fn next(&self) -> Option<(Ssrc, Sequence, MonoTime)> {
        let Playout { number, at, .. } = self.asking.as_ref()?.asker.playout()?;
        Some((self.receiver.ssrc()?, self.receiver.sequence(number)?, at))
    }

    /// How long it takes until a unit that was lost is there, by what was lost so far.
    pub(super) fn repaired_within(&self) -> Duration {
        let lost = self.receiver.loss_share().filter(|share| *share > 0.0);
        let asking = self.asking.as_ref().zip(lost);
        asking.map_or(Duration::ZERO, |(asking, share)| asking.asker.repaired_within(share))
    }

    /// When there may be something to ask for.
    pub(crate) fn next_request(&self) -> Option<MonoTime> {
        self.asking.as_ref()?.asker.next_deadline()
    }

    /// Which packets came by themselves since the last call, where the server wants to know.
    pub(crate) fn losses(&mut self) -> Option<LossRle> {
        let (begin, came) = self.arrivals.take().filter(|_| self.asking.is_some())?;
        Some(LossRle::new(self.receiver.ssrc()?, self.receiver.sequence(begin)?, came))
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
        let source = self.receiver.ssrc();
        let original = self.asking.as_ref().and_then(|it| it.original(&data, source));
        let (data, how) = match original {
            Some(original) => (original, Recovery::Retransmission),
            None => (data, Recovery::None),
        };
        let packet = match &mut self.repair {
            Some((_, decoder)) => match decoder.push_source(data) {
                Ok(packet) => packet,
                Err(_) => return Vec::new(),
            },
            None => data,
        };
        let mut heard = Vec::new();
        let accepted = self.accept(now, packet, how, sender, stock);
        if let Some((payload, known)) = accepted {
            self.count(before, payload, how);
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

    /// A packet of `size` came, with a unit of `payload`.
    fn count(&mut self, size: u64, payload: u64, how: Recovery) {
        self.traffic.headers += IP_UDP_HEADERS;
        if how == Recovery::Retransmission {
            self.traffic.retransmission += size;
        } else {
            self.traffic.media += payload;
            self.traffic.headers += size - payload;
        }
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
        if self.payload_type.is_some_and(|it| it != packet.payload_type) {
            return None;
        }
        let numbered = self.receiver.admit(&packet)?;
        self.payload_type = Some(packet.payload_type);
        let duration = self.duration(&packet.payload);
        let media_time = self.place(numbered.restarted, packet.timestamp, duration);
        // What holds several units left when the last of them was there, and what is shorter sooner
        // than a whole one would have.
        let waits = duration - stock.adopt(duration);
        let complete = media_time + waits;
        if self.standing.settle(complete, sender.presented(now), self.timeline.rate()) {
            stock.begin_at(self.standing.own(self.range.0));
        }
        let complete = self.standing.placed(complete);
        if recovery == Recovery::None {
            let sent = sender.departure(now, packet.send_time, complete);
            self.receiver.on_arrival(now, &packet, sent);
            sender.on_arrival(now, packet.send_time, complete);
        }
        let sent = sender.sent_at(now, packet.send_time, complete);
        self.note(Place { number: numbered.number, media_time, duration });
        if recovery == Recovery::None {
            self.arrivals.push(numbered.number);
        }
        if let Some(asking) = &mut self.asking {
            asking.asker.on_arrival(now, numbered.number, sent.unwrap_or(now), recovery);
        }
        let newest = self.newest.unwrap_or(numbered.number.saturating_sub(1));
        let expected = numbered.number.saturating_sub(newest);
        self.newest = Some(newest.max(numbered.number));
        let payload = packet.payload.len() as u64;
        let unit = Unit { sequence: numbered.number, media_time, duration, data: packet.payload };
        let delay = match stock.put(now, unit, sent, recovery) {
            Arrival::Duplicate => None,
            _ => sent.map(|sent| now - sent + waits.to_delta()),
        };
        Some((payload, Heard { delay, by_itself: recovery == Recovery::None, expected }))
    }

    /// How long a packet plays, whatever was announced; what is damaged counts for a unit.
    fn duration(&self, payload: &[u8]) -> MediaTime {
        let told = match self.codec {
            AudioCodec::Opus => opus::duration(payload),
            AudioCodec::L16 => l16::duration(payload, self.format),
            AudioCodec::Pcmu | AudioCodec::Pcma => g711::duration(payload, self.format),
        };
        told.unwrap_or(self.unit)
    }

    /// Packets may become longer or shorter: then fewer or more of them are to come.
    fn note(&mut self, packet: Place) {
        let changed = packet.duration != self.packets.duration().unwrap_or(self.unit);
        if !self.packets.note(packet) {
            return;
        }
        let Some(asking) = self.asking.as_mut().filter(|_| changed) else { return };
        asking.asker.set_unit(packet.duration.to_duration());
        let until = self.range.1.map(|until| self.standing.own(until));
        let left = until.map(|until| (until - packet.media_time).as_flicks().max(1) as u64);
        if let Some(left) = left {
            let packets = left.div_ceil(packet.duration.as_flicks().max(1) as u64);
            asking.asker.end_at(packet.number.saturating_add(packets - 1));
        }
    }

    fn place(
        &mut self,
        restarted: bool,
        timestamp: RtpTimestamp,
        duration: MediaTime,
    ) -> MediaTime {
        if restarted {
            self.timeline.restart();
            // A packet before this one made its source believed: that one goes on where the old
            // source ended.
            let ticks = duration.ticks(self.timeline.rate()) as u32;
            self.timeline.place(RtpTimestamp(timestamp.0.wrapping_sub(ticks)), duration);
        }
        self.timeline.place(timestamp, duration)
    }
}
