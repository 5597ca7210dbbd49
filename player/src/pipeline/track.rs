//! One audio track on its way in: fec decoder -> playout buffer -> decoder / concealment.

mod arrivals;
mod asking;
mod intake;
mod numbering;
mod packets;
mod standing;
mod stock;
mod voice;

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::payload::AudioFormat;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::NextUnit;
use cantus_qos::rtp::Ssrc;
use cantus_qos::stats::InterarrivalJitter;
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use super::handed::HandOver;
use super::reception::Receiver;
use super::sender::SenderTime;
use crate::client::{FlowPlan, Playing, Role};
use crate::decode::DecodeError;
pub(super) use intake::IP_UDP_HEADERS;
pub(crate) use intake::{Heard, Intake};
pub(crate) use standing::Told;
pub(crate) use stock::Stock;
pub(crate) use voice::Voice;

/// What claims to be shorter is taken for this long, the shortest packet in use anywhere (AES67).
const SHORTEST_UNIT: MediaTime = MediaTime::from_flicks(MediaTime::FLICKS_PER_SEC / 8_000);

/// What a track has received, in bytes of IP payload and its headers.
#[derive(Copy, Clone, Default, Debug)]
pub struct Traffic {
    /// Payload of data units.
    pub media: u64,
    /// Repair packets, without IP and UDP headers.
    pub repair: u64,
    /// Packets that were sent again, without IP and UDP headers.
    pub retransmission: u64,
    /// RTP, UDP and IP headers, and the footers of the repair scheme.
    pub headers: u64,
    /// What we sent.
    pub feedback: u64,
}

/// An audio track: what takes its packets in, the units that are there, and what makes them heard.
#[derive(Debug)]
pub(crate) struct Track {
    /// Its name.
    pub name: String,
    /// Its flow.
    pub flow: FlowId,
    /// What takes its packets in.
    pub intake: Intake,
    /// The units that are there.
    pub stock: Stock,
    /// What makes them heard.
    pub voice: Voice,
    unit: MediaTime,
    /// Where the sound of the presentation begins.
    from: MediaTime,
    /// How long after its sending the latest unit could be heard.
    delay: Option<TimeDelta>,
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
        // SDP tells it in milliseconds; no unit ends between two samples.
        let frames = packet_time.max(SHORTEST_UNIT).ticks(format.rate).max(1);
        let unit = MediaTime::from_ticks(frames, format.rate);
        let (start, until) = playing.range;
        let is_audio = |plan: &&FlowPlan| matches!(plan.role, Role::Audio { .. });
        let tracks = playing.flows.iter().filter(is_audio).count();
        let mut intake = Intake::new(plan, repair, (codec, format), unit, playing, tracks);
        let mut stock = Stock::new(unit, playing.from, tracks);
        if let Some(first) = plan.first_sequence {
            let first = intake.receiver.expect(first);
            intake.expect(first, start, stock.expect(first, start, until));
        }
        Ok(Some(Self {
            name: plan.name.clone(),
            flow: plan.id,
            intake,
            stock,
            voice: Voice::new(codec, format, unit, start)?,
            unit,
            from: playing.from,
            delay: None,
        }))
    }

    /// Whether its source has said goodbye.
    pub(crate) fn has_left(&self) -> bool {
        self.intake.receiver.has_left()
    }

    /// The format of what it renders.
    pub(crate) fn format(&self) -> AudioFormat {
        self.voice.format()
    }

    /// How long a unit plays.
    pub(crate) fn unit(&self) -> MediaTime {
        self.unit
    }

    /// The flow that its repair comes on.
    pub(crate) fn repair_flow(&self) -> Option<FlowId> {
        self.intake.repair_flow()
    }

    /// The source that is heard.
    pub(crate) fn receiver(&mut self) -> &mut Receiver {
        &mut self.intake.receiver
    }

    /// When there is something to tell the sender about what arrived.
    pub(crate) fn next_feedback(&self) -> Option<MonoTime> {
        self.intake.receiver.next_feedback()
    }

    /// Whether any packet has come.
    pub(crate) fn has_received(&self) -> bool {
        self.intake.traffic.media > 0
    }

    /// A packet of the track's own flow.
    pub(crate) fn on_media(
        &mut self,
        now: MonoTime,
        data: Bytes,
        sender: &mut SenderTime,
    ) -> Vec<Heard> {
        let heard = self.intake.on_media(now, data, sender, &mut self.stock);
        self.delay = heard.iter().filter_map(|it| it.delay).next_back().or(self.delay);
        heard
    }

    /// A packet of the repair flow.
    pub(crate) fn on_repair(
        &mut self,
        now: MonoTime,
        data: Bytes,
        sender: &mut SenderTime,
    ) -> Vec<Heard> {
        self.intake.on_repair(now, data, sender, &mut self.stock)
    }

    /// The packet that is played at `position` must be there at `at`, or `patience` later, and so each
    /// other one.
    pub(crate) fn plan_playout(&mut self, position: MediaTime, at: MonoTime, patience: Duration) {
        self.intake.plan_playout(self.own(position), at, patience);
    }

    /// Whether the unit at `position`, which is not there, may still come; `None` where nothing is
    /// asked for again.
    pub(crate) fn awaits(&self, position: MediaTime) -> Option<bool> {
        self.intake.awaits(self.own(position))
    }

    /// Where playback stands, as `sender` tells it; `None` where nothing is asked for again.
    pub(crate) fn next_unit(&self, now: MonoTime, sender: Ssrc) -> Option<NextUnit> {
        let (media, sequence, at) = self.intake.next()?;
        let (delay, space) = (Some(at.since(now)), self.stock.room());
        Some(NextUnit { sender, media, sequence, delay, space })
    }

    /// How long it takes until a unit that was lost is there, by what was lost so far; no time
    /// where nothing was, or nothing is asked for again.
    pub(crate) fn repaired_within(&self) -> Duration {
        self.intake.repaired_within()
    }

    /// How much is buffered from `position` on before the first gap.
    pub(crate) fn whole(&self, position: MediaTime) -> MediaTime {
        self.stock.whole(self.own(position))
    }

    /// How much is buffered from `position` on.
    pub(crate) fn depth(&self, position: MediaTime) -> MediaTime {
        self.stock.depth(self.own(position))
    }

    /// How much can be rendered at `position` before another packet is needed: what is decoded, or
    /// left in the packet that is there; or else of a gap, where it is `least` long.
    pub(crate) fn piece(&self, position: MediaTime, least: MediaTime) -> MediaTime {
        match self.decoded() {
            MediaTime::ZERO => self.stock.piece(self.own(position), least),
            decoded => decoded,
        }
    }

    /// Whether all is there that is to be rendered for `length` from `position` on.
    pub(crate) fn is_there(&self, position: MediaTime, length: MediaTime) -> bool {
        let decoded = self.decoded();
        decoded + self.whole(position + decoded) >= length
    }

    /// How much can be rendered at `position` before another packet is needed, of all that are there,
    /// or else of the gap where none is.
    pub(crate) fn ready(&self, position: MediaTime) -> MediaTime {
        let decoded = self.decoded();
        let own = self.own(position + decoded);
        let next = || self.stock.next(own).map_or(self.unit, |next| next - own);
        decoded
            + Some(self.stock.whole(own)).filter(|it| *it > MediaTime::ZERO).unwrap_or_else(next)
    }

    /// Where what is left to be played at `position` begins: at it, or after a gap.
    pub(crate) fn next(&self, position: MediaTime) -> Option<MediaTime> {
        if self.voice.holds_units() {
            return Some(position);
        }
        let next = self.stock.next(self.own(position))?;
        Some(self.intake.standing.placed(next))
    }

    /// How much is decoded and not yet rendered.
    pub(crate) fn decoded(&self) -> MediaTime {
        self.voice.decoded()
    }

    /// Whether anything is left to be played from `position` on.
    pub(crate) fn has_more(&self, position: MediaTime) -> bool {
        self.next(position).is_some()
    }

    /// Goes on from `to`: what should have been heard from `from` on is given up.
    pub(crate) fn skip(&mut self, from: MediaTime, to: MediaTime) {
        self.stock.miss(self.own(from), self.own(to));
    }

    /// What its source has told, for another track to follow.
    pub(crate) fn take_told(&mut self) -> Option<Told> {
        let mut told = self.intake.take_told()?;
        if let Some(report) = &mut told.report {
            report.media_time = self.intake.standing.placed(report.media_time);
        }
        Some(told)
    }

    /// By how much later the track belongs than it stands, by what `leader` has told, which leads it,
    /// and what its own source has.
    pub(crate) fn follow(&mut self, leader: &Told) -> Option<MediaTime> {
        let told = self.intake.take_told();
        self.intake.standing.follow(leader, told)
    }

    /// How long after its sending the latest unit could be heard.
    pub(crate) fn delay(&self) -> Option<TimeDelta> {
        self.delay
    }

    /// What playback at `position` goes on with lies so much `later` from now on.
    pub(crate) fn move_by(&mut self, later: MediaTime, position: MediaTime) {
        let next = self.own(position) + self.decoded();
        self.intake.standing.move_by(later, self.format().rate);
        if self.voice.has_begun() {
            self.stock.miss(next, self.own(position) + self.decoded());
            self.voice.leap();
        } else {
            self.stock.begin_at(self.own(self.from));
        }
    }

    /// The place on the track's own timeline.
    fn own(&self, position: MediaTime) -> MediaTime {
        self.intake.standing.own(position)
    }

    /// What came last was the end, and what was made up after it stands for nothing.
    pub(crate) fn finish_with_what_came(&mut self) {
        self.stock.finish_with_what_came();
        self.voice.finish_with_what_came();
    }

    /// Appends `frames` frames that go on as the last ones did, while playback waits.
    pub(crate) fn extend(&mut self, frames: usize, out: &mut Vec<f32>) {
        self.voice.extend(frames, out);
    }

    /// Appends the `frames` frames from `position` on, which are due and leave at `when`.
    pub(super) fn render(
        &mut self,
        position: MediaTime,
        frames: usize,
        when: HandOver,
        out: &mut Vec<f32>,
    ) {
        if self.intake.standing.is_open() {
            out.resize(out.len() + frames * usize::from(self.format().channels), 0.0);
            return;
        }
        let position = self.own(position);
        self.voice.render(&mut self.stock, position, frames, when, out);
    }

    /// The largest skew against the presentation that was let stand, in samples.
    pub(crate) fn largest_skew(&self) -> u64 {
        self.voice.largest_skew()
    }

    /// The interarrival jitter of its source.
    pub(crate) fn jitter(&self) -> Option<&InterarrivalJitter> {
        self.intake.receiver.jitter()
    }
}
