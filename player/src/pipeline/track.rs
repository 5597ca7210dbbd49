//! One audio track on its way in: fec decoder -> playout buffer -> decoder / concealment.

use bytes::Bytes;
use cantus_qos::fec;
use cantus_qos::payload::AudioFormat;
use cantus_qos::playout::{Buffer, Pushed, Taken, Unit};
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::{RtpPacket, RtpTimestamp};
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::stats::{Arrival, Ledger, Recovery};
use cantus_qos::sync::{Correction, StreamTimeline, TrackAlignment};
use cantus_qos::time::{ClockRate, MediaTime, MonoTime, TimeDelta};

use super::handed::HandOver;
use super::reception::{From, Receiver};
use super::sender::SenderTime;
use crate::client::{FlowPlan, Playing, Role};
use crate::decode::{DecodeError, Decoder, L16Decoder, OpusDecoder};

/// No track holds more than this: a sender that runs further ahead is not one of ours.
const CAPACITY: MediaTime = MediaTime::from_millis(60_000);

/// What claims to be shorter is taken for this long, the shortest packet in use anywhere (AES67).
const SHORTEST_UNIT: MediaTime = MediaTime::from_flicks(MediaTime::FLICKS_PER_SEC / 8_000);

/// Blocks that may be open at once before the oldest is given up.
const FEC_BLOCKS: usize = 64;

/// What a track has received, in bytes of IP payload and its headers.
#[derive(Copy, Clone, Default, Debug)]
pub struct Traffic {
    /// Payload of data units.
    pub media: u64,
    /// Repair packets, without IP and UDP headers.
    pub repair: u64,
    /// RTP, UDP and IP headers, and the footers of the repair scheme.
    pub headers: u64,
    /// What we sent.
    pub feedback: u64,
}

/// IPv4 and UDP.
pub(super) const IP_UDP_HEADERS: u64 = 28;

/// An audio track.
pub(crate) struct Track {
    /// Its name.
    pub name: String,
    /// Its flow.
    pub flow: FlowId,
    /// The fate of every unit.
    pub ledger: Ledger,
    /// What came and went.
    pub traffic: Traffic,
    /// Sound that had to be made up.
    pub concealed: MediaTime,
    /// Sound that came out, made up or not.
    pub played: MediaTime,
    plan: FlowPlan,
    format: AudioFormat,
    unit: MediaTime,
    repair: Option<(FlowId, fec::Decoder)>,
    receiver: Receiver,
    timeline: StreamTimeline,
    buffer: Buffer,
    decoder: Box<dyn Decoder>,
    alignment: TrackAlignment,
    /// The number of one unit and its media time: units follow each other without gaps.
    known: Option<(u64, MediaTime)>,
    /// Decoded and not yet rendered, interleaved.
    decoded: Vec<f32>,
    /// Where the sound begins.
    from: MediaTime,
    /// Where what is sent begins, until the first sample is rendered.
    lead_in: Option<MediaTime>,
}

impl std::fmt::Debug for Track {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Track").field("name", &self.name).field("flow", &self.flow).finish()
    }
}

/// What became known when a packet came.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Heard {
    /// When the unit could be played, less when it was sent.
    pub delay: Option<TimeDelta>,
}

impl Track {
    /// The track that was set up as `plan`, of what the server plays.
    ///
    /// # Errors
    ///
    /// If its codec cannot be decoded.
    pub(crate) fn new(
        plan: &FlowPlan,
        repair: Option<&FlowPlan>,
        playing: &Playing,
    ) -> Result<Option<Self>, DecodeError> {
        let Role::Audio { codec, format, packet_time } = plan.role else { return Ok(None) };
        let unit = packet_time.max(SHORTEST_UNIT);
        let decoder: Box<dyn Decoder> = match codec {
            AudioCodec::Opus => Box::new(OpusDecoder::new(format)?),
            AudioCodec::L16 => Box::new(L16Decoder::new(format)),
        };
        let rate = match codec {
            AudioCodec::Opus => ClockRate::OPUS,
            AudioCodec::L16 => format.rate,
        };
        let (start, until) = playing.range;
        let mut timeline = StreamTimeline::new(rate, start);
        if let Some(timestamp) = plan.first_timestamp {
            timeline.anchor(timestamp, start);
        }
        let layout = |plan: &FlowPlan| match plan.role {
            Role::Repair { layout, .. } => Some(layout),
            _ => None,
        };
        let repair =
            repair.and_then(|plan| Some((plan.id, fec::Decoder::new(layout(plan)?, FEC_BLOCKS))));
        let mut track = Self {
            name: plan.name.clone(),
            flow: plan.id,
            ledger: Ledger::new(),
            traffic: Traffic::default(),
            concealed: MediaTime::ZERO,
            played: MediaTime::ZERO,
            format,
            unit,
            repair,
            receiver: Receiver::new(rate, plan.ssrc),
            timeline,
            buffer: Buffer::new(unit, CAPACITY),
            decoder,
            alignment: TrackAlignment::new(TrackAlignment::EXACT),
            known: None,
            decoded: Vec::new(),
            from: playing.from,
            lead_in: Some(start),
            plan: plan.clone(),
        };
        track.expect(start, until);
        Ok(Some(track))
    }

    /// RTP-Info and the range tell which units will come, so that the first and the last are
    /// missed too if they are lost.
    fn expect(&mut self, start: MediaTime, until: Option<MediaTime>) {
        let Some(first) = self.plan.first_sequence else { return };
        let first = self.receiver.expect(first);
        self.known = Some((first, start));
        let unit = self.unit.as_flicks().max(1) as u64;
        let flicks_to = |end: MediaTime| (end - start).as_flicks().max(0) as u64;
        self.ledger.start_at(first + flicks_to(self.from) / unit);
        if let Some(until) = until {
            let units = flicks_to(until).div_ceil(unit);
            self.ledger.end_at((first + units).saturating_sub(1));
        }
    }

    /// Whether its source has said goodbye.
    pub(crate) fn has_left(&self) -> bool {
        self.receiver.has_left()
    }

    /// The format of what it renders.
    pub(crate) fn format(&self) -> AudioFormat {
        self.format
    }

    /// How long a unit plays.
    pub(crate) fn unit(&self) -> MediaTime {
        self.unit
    }

    /// The flow that its repair comes on.
    pub(crate) fn repair_flow(&self) -> Option<FlowId> {
        self.repair.as_ref().map(|(flow, _)| *flow)
    }

    /// The source that is heard.
    pub(crate) fn receiver(&mut self) -> &mut Receiver {
        &mut self.receiver
    }

    /// Whether any packet has come.
    pub(crate) fn has_received(&self) -> bool {
        self.traffic.media > 0
    }

    /// A packet of the track's own flow.
    pub(crate) fn on_media(
        &mut self,
        now: MonoTime,
        data: Bytes,
        sender: &mut SenderTime,
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
        let accepted = self.accept(now, packet, Recovery::None, sender);
        if let Some((payload, known)) = accepted {
            self.traffic.media += payload;
            self.traffic.headers += before - payload + IP_UDP_HEADERS;
            heard.push(known);
        }
        self.recover(now, sender, &mut heard);
        heard
    }

    /// A packet of the repair flow.
    pub(crate) fn on_repair(
        &mut self,
        now: MonoTime,
        data: Bytes,
        sender: &mut SenderTime,
    ) -> Vec<Heard> {
        self.traffic.repair += data.len() as u64;
        self.traffic.headers += IP_UDP_HEADERS;
        let mut heard = Vec::new();
        if let Some((_, decoder)) = &mut self.repair {
            // Damaged repair is as good as lost; the decoder counts it.
            let _ = decoder.push_repair(data);
        }
        self.recover(now, sender, &mut heard);
        heard
    }

    fn recover(&mut self, now: MonoTime, sender: &mut SenderTime, heard: &mut Vec<Heard>) {
        while let Some(packet) = self.repair.as_mut().and_then(|(_, decoder)| decoder.pop()) {
            let accepted = self.accept(now, packet, Recovery::Fec, sender);
            heard.extend(accepted.map(|(_, known)| known));
        }
    }

    /// Takes an RTP packet into the buffer. Gives the length of its payload.
    fn accept(
        &mut self,
        now: MonoTime,
        data: Bytes,
        recovery: Recovery,
        sender: &mut SenderTime,
    ) -> Option<(u64, Heard)> {
        let packet = RtpPacket::parse(data, self.plan.send_time_id).ok()?;
        if packet.payload_type != self.plan.payload_type {
            return None;
        }
        let network = recovery == Recovery::None;
        let from = match recovery {
            Recovery::None => From::Network(sender.told(now, packet.send_time)),
            Recovery::Fec | Recovery::Retransmission => From::Repair,
        };
        let sequence = self.receiver.admit(now, &packet, from)?;
        if sequence.restarted {
            self.timeline.restart();
            // A packet before this one made its source believed: that one goes on where the old
            // source ended.
            let ticks = self.unit.ticks(self.timeline.rate()) as u32;
            self.timeline.place(RtpTimestamp(packet.timestamp.0.wrapping_sub(ticks)), self.unit);
        }
        let media_time = self.timeline.place(packet.timestamp, self.unit);
        if network {
            sender.on_arrival(now, packet.send_time, media_time);
        }
        let sent = sender.sent_at(now, packet.send_time, media_time);
        self.known = Some((sequence.number, media_time));
        let payload = packet.payload.len() as u64;
        let is_heard = media_time + self.unit > self.from;
        let arrival = match is_heard {
            true => self.ledger.on_arrival(now, sequence.number, media_time, sent, recovery),
            false => Arrival::Stale,
        };
        if arrival == Arrival::Duplicate {
            return Some((payload, Heard { delay: None }));
        }
        let unit = Unit {
            sequence: sequence.number,
            media_time,
            duration: self.unit,
            data: packet.payload,
        };
        if self.buffer.push(unit) == Pushed::Late && is_heard {
            self.ledger.on_late(sequence.number);
        }
        Some((payload, Heard { delay: sent.map(|sent| now - sent) }))
    }

    /// How much is buffered from `position` on.
    pub(crate) fn depth(&self, position: MediaTime) -> MediaTime {
        self.buffer.depth(position)
    }

    /// Whether anything is left to be played from `position` on.
    pub(crate) fn has_more(&self, position: MediaTime) -> bool {
        self.buffer.next(position).is_some()
    }

    /// Appends the `frames` frames from `position` on, which are due and leave at `when`.
    pub(super) fn render(
        &mut self,
        position: MediaTime,
        frames: usize,
        when: HandOver,
        out: &mut Vec<f32>,
    ) {
        let rate = self.format.rate;
        let channels = usize::from(self.format.channels);
        if let Some(start) = self.lead_in.take() {
            self.warm_up(start, position);
        }
        while self.decoded.len() < frames * channels {
            let ahead = (self.decoded.len() / channels) as i64;
            let due = MediaTime::from_ticks(position.ticks(rate) + ahead, rate);
            let wanted = when.due + (due - position).to_delta();
            match self.buffer.take(due) {
                Taken::Unit(unit) => self.play(due, (when.heard_at(wanted), wanted), unit),
                Taken::Missing { duration } => {
                    self.miss(due);
                    self.conceal_for(duration);
                }
            }
        }
        out.extend(self.decoded.drain(..frames * channels));
        self.played += MediaTime::from_ticks(frames as i64, rate);
    }

    /// Decodes what was sent before the sound begins, unheard, so that the decoder remembers what
    /// it would have played.
    fn warm_up(&mut self, start: MediaTime, position: MediaTime) {
        let mut at = start;
        while at + self.unit <= position {
            at = match self.buffer.take(at) {
                Taken::Unit(unit) => {
                    // What is damaged or missing here only leaves the decoder a little colder.
                    let _ = self.decoder.decode(&unit.data, &mut self.decoded);
                    self.decoded.clear();
                    unit.end()
                }
                Taken::Missing { duration } => at + duration,
            };
        }
    }

    fn play(&mut self, due: MediaTime, (at, wanted): (MonoTime, MonoTime), unit: Unit) {
        let channels = usize::from(self.format.channels);
        let correction = self.alignment.correct(due, unit.media_time, self.format.rate);
        if let Correction::Fill(frames) = correction {
            self.conceal(frames);
        }
        let begin = self.decoded.len();
        match self.decoder.decode(&unit.data, &mut self.decoded) {
            Ok(_) => self.ledger.on_played(unit.sequence, at, wanted),
            // Damaged on the way and yet well-formed RTP: as good as lost.
            Err(_) => {
                self.ledger.on_late(unit.sequence);
                self.conceal_for(unit.duration);
            }
        }
        if let Correction::Drop(frames) = correction {
            let end = (begin + frames * channels).min(self.decoded.len());
            self.decoded.drain(begin..end);
        }
    }

    /// The unit that holds `due` is not there: lost, or late.
    fn miss(&mut self, due: MediaTime) {
        let Some((number, media_time)) = self.known else { return };
        let units = (due - media_time).as_flicks().div_euclid(self.unit.as_flicks().max(1));
        if let Some(number) = number.checked_add_signed(units) {
            self.ledger.on_late(number);
        }
    }

    fn conceal_for(&mut self, duration: MediaTime) {
        self.conceal(duration.ticks(self.format.rate).max(1) as usize);
    }

    fn conceal(&mut self, frames: usize) {
        self.decoder.conceal(frames, &mut self.decoded);
        self.concealed += MediaTime::from_ticks(frames as i64, self.format.rate);
    }

    /// The largest skew against the presentation that was let stand, in samples.
    pub(crate) fn largest_skew(&self) -> u64 {
        self.alignment.largest().unsigned_abs()
    }

    /// The interarrival jitter of its source.
    pub(crate) fn jitter(&self) -> Option<TimeDelta> {
        self.receiver.jitter()
    }
}
