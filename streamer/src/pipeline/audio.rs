//! One audio track on its way out: source -> packetizer -> fec encoder -> interleaver -> pacer.

use std::sync::Arc;
use std::time::Duration;

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::quantity::Bitrate;
use cantus_qos::repair::Answerer;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::{NextUnit, ReportBlock, RtcpPacket, SenderReport};
use cantus_qos::rtp::RtpTimestamp;
use cantus_qos::shaping::{CircuitBreaker, Pacer, Tripped};
use cantus_qos::time::{MediaTime, MonoTime, NtpTime, TimeDelta};

use super::rungs::most_joined;
use super::units::Units;
use super::{Leaving, MediaLimit, Packet, Packetizer, PathWatch, Protection, Schedule, WallClock};
use crate::encoding::{Encoding, EncodingJob, UnitState};

/// While the encoder is behind (the first milliseconds of a file nobody has heard yet), ask again
/// this often.
const ENCODER_RETRY: Duration = Duration::from_millis(2);

/// IPv4 and UDP.
pub(super) const IP_UDP_HEADERS: usize = 28;

/// What no delay was promised for can be of use for so long after its nominal instant.
pub const LONGEST_USE: Duration = Duration::from_secs(3);

/// Stored media is of use for longer, for playback waits for what is missing. It asks as soon as
/// anything comes, so what matters is how long nothing does: no player waits longer than that.
pub const STORED_USE: Duration = Duration::from_secs(20);

/// The longest packet that is made.
pub const LONGEST_PACKET: MediaTime = MediaTime::from_millis(60);

/// One way across a path of which nothing is known.
pub const UNKNOWN_WAY: Duration = Duration::from_millis(50);

/// One audio track of a session.
#[derive(Debug)]
pub struct AudioChain {
    flow: FlowId,
    units: Units,
    retry_at: Option<MonoTime>,
    packetizer: Packetizer,
    protection: Option<Protection>,
    answerer: Option<Answerer>,
    breaker: Option<CircuitBreaker>,
    path: PathWatch,
    /// How long after its nominal instant a unit is of use.
    useful: Duration,
    ended: bool,
    ceased: Option<Tripped>,
}

impl AudioChain {
    /// A track whose units come from `source` and leave on `flow`.
    pub fn new(flow: FlowId, source: Arc<Encoding>, packetizer: Packetizer) -> Self {
        let path = PathWatch::new(packetizer.ssrc(), packetizer.rate());
        Self {
            flow,
            units: Units::new(source),
            path,
            retry_at: None,
            packetizer,
            protection: None,
            answerer: None,
            breaker: None,
            useful: LONGEST_USE,
            ended: false,
            ceased: None,
        }
    }

    /// Packets that are asked for are sent again as long as they are `useful` after their nominal
    /// instant.
    pub fn answering(self, answerer: Answerer, useful: Duration) -> Self {
        Self { answerer: Some(answerer), useful, ..self }
    }

    /// What is asked for may be sent again at this rate.
    pub fn set_answers(&mut self, now: MonoTime, rate: Bitrate) {
        if let Some(answerer) = &mut self.answerer {
            answerer.set_budget(now, rate);
        }
    }

    /// The same with `count` units a packet, until the path is known.
    pub fn joining(self, count: usize) -> Self {
        let most = self.most_joined();
        Self { units: self.units.joining(count, most), ..self }
    }

    /// Adds repair. Source packets carry its footer from the next one on.
    pub fn protect(&mut self, protection: Protection) {
        self.protection = Some(protection);
    }

    /// Adds a breaker, which ends what nobody hears.
    pub fn guard(&mut self, breaker: CircuitBreaker) {
        self.breaker = Some(breaker);
    }

    /// Why the track is to be sent no more, if it is not to be.
    pub fn tripped(&self) -> Option<Tripped> {
        self.breaker.as_ref()?.tripped()
    }

    /// Whether the listener reports on it, and it may be sent.
    pub fn is_heard(&self) -> bool {
        self.breaker.as_ref().is_some_and(CircuitBreaker::is_heard)
    }

    /// The track is not sent any more, for this reason, and neither is its repair.
    pub fn cease(&mut self, why: Tripped) {
        self.stop();
        self.ended = true;
        self.ceased = Some(why);
    }

    /// Why it is not sent any more, if it is not.
    pub fn ceased(&self) -> Option<Tripped> {
        self.ceased
    }

    /// What the path bears of the track by its losses; `None` where that is no bound.
    pub fn bearable(&self) -> Option<Bitrate> {
        self.breaker.as_ref()?.bearable()
    }

    /// Whether packets on `flow` belong to the track: its media, or its repair.
    pub fn uses(&self, flow: FlowId) -> bool {
        self.flow == flow || self.protection.as_ref().is_some_and(|it| it.flow() == flow)
    }

    /// A packet of the track has left, of `bytes` with all headers.
    pub fn on_sent(&mut self, now: MonoTime, bytes: usize) {
        if let Some(breaker) = &mut self.breaker {
            breaker.on_sent(now, bytes);
        }
    }

    /// The flow that its packets leave on.
    pub fn flow(&self) -> FlowId {
        self.flow
    }

    /// Numbers and stamps.
    pub fn packetizer(&self) -> &Packetizer {
        &self.packetizer
    }

    /// The listener says something, perhaps about this stream.
    pub fn heard(&mut self, now: MonoTime, wall: WallClock, packet: &RtcpPacket) {
        let ssrc = self.packetizer.ssrc();
        if self.path.heard(wall.at(now), packet)
            && let Some((path, protection)) = self.path.path().zip(self.protection.as_mut())
        {
            protection.on_path(path, self.path.heard_after());
        }
        match packet {
            RtcpPacket::Nack(nack) if nack.media == ssrc => {
                self.answerer.iter_mut().for_each(|answerer| answerer.on_nack(now, nack));
                self.protection.iter_mut().for_each(Protection::on_asked);
            }
            RtcpPacket::ReceiverReport(report) => {
                let ours = report.blocks.iter().filter(|block| block.ssrc == ssrc);
                ours.for_each(|block| self.on_block(now, block, block.round_trip(wall.at(now))));
            }
            _ => {}
        }
    }

    fn on_block(&mut self, now: MonoTime, block: &ReportBlock, round_trip: Option<Duration>) {
        if let Some((answerer, round_trip)) = self.answerer.as_mut().zip(round_trip) {
            answerer.on_round_trip(round_trip);
        }
        if let Some(breaker) = &mut self.breaker {
            breaker.on_report(now, block, round_trip);
        }
    }

    /// Up to where the track has been sent.
    pub fn reached(&self) -> MediaTime {
        self.units.reached()
    }

    /// Where playback of this stream stands, as the listener tells it; `None` where it is another
    /// stream, or too long ago.
    pub fn place(&self, told: &NextUnit) -> Option<MediaTime> {
        let reached = self.reached();
        if told.media != self.packetizer.ssrc() {
            return None;
        }
        if told.sequence == self.packetizer.next_sequence() {
            return Some(reached);
        }
        let &[_, _, _, _, a, b, c, d, ..] = &self.answerer.as_ref()?.sent(told.sequence)?[..]
        else {
            return None;
        };
        let timestamp = RtpTimestamp(u32::from_be_bytes([a, b, c, d]));
        let before = timestamp.distance(self.packetizer.timestamp(reached));
        Some(reached + MediaTime::from_ticks(before.into(), self.packetizer.rate()))
    }

    /// Playback is `behind` the nominal timeline: what was sent is of use for so much longer.
    pub fn set_behind(&mut self, behind: MediaTime) {
        if let Some(answerer) = &mut self.answerer {
            answerer.set_later(behind.to_duration());
        }
    }

    /// How long one unit plays.
    pub fn unit_duration(&self) -> MediaTime {
        self.units.duration()
    }

    /// What the track may take from now on; `None`: as much as was asked for.
    pub fn limit(&mut self, limit: Option<MediaLimit>) {
        self.units.limit(limit);
    }

    /// Whether the track is on a lower rung than was asked for.
    pub fn is_lowered(&self) -> bool {
        self.units.is_lowered()
    }

    /// What is to be encoded for this track.
    pub fn take_jobs(&mut self) -> impl Iterator<Item = EncodingJob> {
        self.units.take_jobs()
    }

    /// Goes to the unit that holds `from`.
    pub fn seek(&mut self, from: MediaTime) {
        self.units.seek(from, self.most_joined());
        self.retry_at = None;
        self.ended = self.ceased.is_some();
        self.packetizer.mark_next();
    }

    /// No more units for now, and no repair of those that were sent: they are sent again when PLAY
    /// goes on.
    pub fn stop(&mut self) {
        if let Some(answerer) = &mut self.answerer {
            answerer.clear();
        }
        if let Some(protection) = &mut self.protection {
            protection.forget();
        }
        if let Some(breaker) = &mut self.breaker {
            breaker.rest();
        }
    }

    /// The range is over: its last units are protected as they stand.
    fn end(&mut self, now: MonoTime) {
        self.ended = true;
        if let Some(protection) = &mut self.protection {
            protection.end(now);
        }
    }

    /// Moves what is due into the pacer, which is `idle` where nothing waits there. While it is not,
    /// media that runs ahead waits for what is asked for again, and that for media which has its time:
    /// one who asks for everything does not delay what is on its way.
    pub fn advance(
        &mut self,
        now: MonoTime,
        (schedule, idle): (&Schedule, bool),
        wall: WallClock,
        pacer: &mut Pacer<Packet>,
    ) {
        let runs_ahead = schedule.runs_ahead();
        while (idle || !runs_ahead) && !self.ended && self.next_unit_at(schedule) <= now {
            self.send_unit(now, schedule, wall, pacer);
            if runs_ahead {
                break;
            }
        }
        let mut push = |due, flow, data| {
            let (channel, class) = (Channel::Rtp, DeliveryClass::Repair);
            let packet = Packet { flow, channel, class, data };
            pacer.push(due, packet.data.len(), packet);
        };
        // Who waits for what is missing gets it before what is further ahead.
        let due = if runs_ahead { MonoTime::ZERO } else { now };
        let mut answerer = self.answerer.as_mut().filter(|_| idle || runs_ahead);
        while let Some(data) = answerer.as_mut().and_then(|it| it.pop(now)) {
            push(due, self.flow, data);
        }
        let Some(protection) = &mut self.protection else { return };
        while let Some(data) = protection.pop(now) {
            push(now, protection.flow(), data);
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
        let due = schedule.due(self.units.complete_at());
        let unit = match self.units.packet(schedule.until(), self.most_joined()) {
            UnitState::Ready(unit) => unit,
            UnitState::Pending => {
                self.retry_at = Some(now + ENCODER_RETRY);
                return;
            }
            UnitState::End => {
                self.end(now);
                return;
            }
        };
        let gap = schedule.due(self.units.complete_at()).since(due);
        let nominal = schedule.nominal(unit.media_time);
        // The instant at which the last of its units is presented nominally is when a packet leaves
        // that does not say otherwise.
        let complete = nominal + (unit.duration - self.unit_duration()).to_delta();
        let leaves = if schedule.runs_ahead() { now } else { due };
        let ahead = complete - leaves;
        let sequence = self.packetizer.next_sequence();
        let payload = unit.data.len();
        let sent = (ahead != TimeDelta::ZERO).then(|| wall.at(leaves));
        let data = self.packetizer.packetize(unit, sent);
        let ahead = ahead.max_zero();
        let data = match &mut self.protection {
            Some(protection) => protection.push(Leaving { now, gap, ahead }, data),
            None => data,
        };
        if let Some(answerer) = &mut self.answerer {
            answerer.push(now, sequence, data.clone(), nominal + self.useful);
        }
        self.units.note_headers(data.len() - payload + IP_UDP_HEADERS);
        let class = DeliveryClass::Isochronous;
        let packet = Packet { flow: self.flow, channel: Channel::Rtp, class, data };
        pacer.push(now, packet.data.len(), packet);
    }

    /// How many units one packet may hold, that the first of them is there in time.
    fn most_joined(&self) -> usize {
        let under_way = self.path.least_way().unwrap_or(UNKNOWN_WAY);
        most_joined(self.unit_duration().to_duration(), self.useful, under_way)
    }

    fn next_unit_at(&self, schedule: &Schedule) -> MonoTime {
        self.retry_at.unwrap_or_else(|| schedule.due(self.units.complete_at()))
    }

    /// When [`advance`](Self::advance) has something to do, with a pacer that is `idle` or not.
    pub fn next_deadline(&self, schedule: &Schedule, idle: bool) -> Option<MonoTime> {
        let runs_ahead = schedule.runs_ahead();
        let unit = (!self.ended && (idle || !runs_ahead)).then(|| self.next_unit_at(schedule));
        let repair = self.protection.as_ref().and_then(|it| it.next_deadline());
        let answerer = self.answerer.as_ref().filter(|_| idle || runs_ahead);
        let answer = answerer.and_then(Answerer::next_deadline);
        [unit, repair, answer].into_iter().flatten().min()
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
