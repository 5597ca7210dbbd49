//! The chain of a session, pure, in the order in which a unit passes it.
//!
//! ```text
//! source -> packetizer -> fec encoder -> interleaver -> pacer -> transport
//! cues   -> copies     -> packetizer  ----------------^
//! reports (SR, SDES, BYE) ----------------------------------------^
//! ```

mod allowance;
mod audio;
mod breakers;
mod cues;
mod packetizer;
mod path;
mod protection;
mod reports;
mod rungs;
mod schedule;
mod units;

pub use allowance::{AROUND_QUIC, Allowance};
pub use audio::{AudioChain, LONGEST_PACKET, LONGEST_USE, STORED_USE, UNKNOWN_WAY};
pub use cues::{Carriage, CueChain};
pub use packetizer::{Packetizer, StreamSeed};
pub use path::PathWatch;
pub use protection::{BlockProtection, Leaving, Protection, RepairSource, SlidingProtection};
pub use reports::{Feedback, Heard, LINGERS, REPORT_INTERVAL, SenderReports};
pub use rungs::{MediaLimit, is_dominant, most_joined};
pub use schedule::Schedule;

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::{self, CongestionFeedback, NextUnit, RtcpPacket};
use cantus_qos::shaping::{Pacer, TokenBucket, Tripped};
use cantus_qos::time::{MediaTime, MonoTime, NtpTime};

use crate::encoding::EncodingJob;
use audio::IP_UDP_HEADERS;

/// A packet that leaves the chain.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Packet {
    /// The flow, as numbered by SETUP.
    pub flow: FlowId,
    /// RTP or RTCP.
    pub channel: Channel,
    /// How urgent it is.
    pub class: DeliveryClass,
    /// The bytes.
    pub data: Bytes,
}

/// Our wall clock, told once: what it showed when the monotonic clock was zero.
#[derive(Copy, Clone, Debug)]
pub struct WallClock(pub NtpTime);

impl WallClock {
    /// What it shows at `now`.
    pub fn at(self, now: MonoTime) -> NtpTime {
        self.0.offset(now - MonoTime::ZERO)
    }
}

/// The pacer's rate lets media run ahead, with all its repair: this part of it is what media takes by
/// itself, and a little that is asked for again.
const LEAST_OF_RATE: u64 = 4;

/// Media that runs ahead may take twice what the path bears while its listener holds twice as much as
/// this, and so on. It is two thirds of what a listener holds at most: with less, sound stood still
/// where it could have been a little worse.
const RESERVOIR: MediaTime = MediaTime::from_millis(20_000);

/// Everything that a session sends.
#[derive(Debug)]
pub struct Pipeline {
    wall: WallClock,
    audio: Vec<AudioChain>,
    cues: Vec<CueChain>,
    reports: SenderReports,
    pacer: Pacer<Packet>,
    /// The rate of the pacer where nothing holds it back.
    rate: Bitrate,
    allowance: Option<Allowance>,
    /// A copy of what has just left, to follow it.
    copy: Option<Packet>,
    schedule: Option<Schedule>,
    /// What breakers have ended lately, and nobody was told of.
    ceased: Vec<(FlowId, Tripped)>,
    cut_short: Option<Tripped>,
}

impl Pipeline {
    /// Bytes that may leave at once: the packets of a few tracks that fall due together.
    const BURST: usize = 12_000;

    /// An empty chain, paced to `rate`.
    pub fn new(rate: Bitrate, wall: WallClock, reports: SenderReports) -> Self {
        // The rate of a chain is not from outside and never zero, the burst is larger than a packet.
        let bucket = TokenBucket::new(rate, Self::BURST).expect("a positive rate and burst");
        Self {
            wall,
            audio: Vec::new(),
            cues: Vec::new(),
            reports,
            pacer: Pacer::new(bucket),
            rate,
            allowance: None,
            copy: None,
            schedule: None,
            ceased: Vec::new(),
            cut_short: None,
        }
    }

    /// Adds an audio track.
    pub fn add_audio(&mut self, chain: AudioChain) {
        self.audio.push(chain);
    }

    /// Adds a subtitle track.
    pub fn add_cues(&mut self, chain: CueChain) {
        self.cues.push(chain);
    }

    /// The audio tracks in the order of their SETUP.
    pub fn audio(&self) -> &[AudioChain] {
        &self.audio
    }

    /// The audio track that leaves on `flow`.
    pub fn audio_on(&mut self, flow: FlowId) -> Option<&mut AudioChain> {
        self.audio.iter_mut().find(|chain| chain.flow() == flow)
    }

    /// The subtitle tracks in the order of their SETUP.
    pub fn cues(&self) -> &[CueChain] {
        &self.cues
    }

    /// From now on the path decides how much leaves: the listener tells what arrives.
    pub fn govern(&mut self, allowance: Allowance) {
        self.allowance = Some(allowance);
    }

    /// Whether more than its rate holds it back: what the path bears.
    pub const fn is_governed(&self) -> bool {
        self.allowance.is_some()
    }

    /// How much may leave, where the path decides it.
    pub fn allowance(&mut self) -> Option<&mut Allowance> {
        self.allowance.as_mut()
    }

    /// A compound packet from the listener, or feedback that travels alone.
    pub fn heard(&mut self, now: MonoTime, data: &[u8]) -> Feedback {
        if let Ok(feedback) = CongestionFeedback::parse(data) {
            if let Some(allowance) = &mut self.allowance {
                allowance.on_feedback(now, &feedback);
            }
            return Feedback::Report;
        }
        let Ok(packets) = rtcp::parse_compound(data) else { return Feedback::Noise };
        for chain in &mut self.audio {
            packets.iter().for_each(|packet| chain.heard(now, self.wall, packet));
        }
        for packet in &packets {
            if let RtcpPacket::NextUnit(told) = packet {
                self.follow(now, told);
            }
        }
        self.reports.heard(now, self.wall.at(now), packets)
    }

    /// The listener tells where its playback stands.
    fn follow(&mut self, now: MonoTime, told: &NextUnit) {
        let Some(schedule) = &mut self.schedule else { return };
        if let Some(place) = self.audio.iter().find_map(|chain| chain.place(told)) {
            schedule.follow(now, place);
            let behind = schedule.behind();
            self.audio.iter_mut().for_each(|chain| chain.set_behind(behind));
        }
    }

    /// What the listener last reported about each of our streams.
    pub fn latest(&self) -> &[Heard] {
        self.reports.latest()
    }

    /// The chain may send so much.
    pub fn set_rate(&mut self, now: MonoTime, rate: Bitrate) {
        self.rate = rate;
        self.pacer.set_rate(now, rate);
    }

    /// Where a range that is asked to begin at `from` can begin: at the unit that holds it.
    pub fn align(&self, from: MediaTime) -> MediaTime {
        let Some(unit) = self.audio.iter().map(AudioChain::unit_duration).max() else {
            return from;
        };
        MediaTime::from_flicks(from.as_flicks().div_euclid(unit.as_flicks()) * unit.as_flicks())
    }

    /// Begins to send by `schedule`.
    pub fn play(&mut self, now: MonoTime, schedule: Schedule) {
        self.stop();
        for chain in &mut self.audio {
            chain.seek(schedule.from());
        }
        for chain in &mut self.cues {
            chain.seek(now, &schedule);
        }
        self.reports.begin(now);
        self.schedule = Some(schedule);
    }

    /// Stops sending. What was sent ahead of the nominal position is sent again when PLAY goes on:
    /// a player that paused may have thrown it away.
    pub fn stop(&mut self) {
        self.schedule = None;
        self.audio.iter_mut().for_each(AudioChain::stop);
        self.cues.iter_mut().for_each(CueChain::stop);
        self.pacer.clear();
        self.reports.stop();
        self.copy = None;
    }

    /// Where the nominal timeline stands, within the range; `None` unless it runs.
    pub fn position(&self, now: MonoTime) -> Option<MediaTime> {
        let schedule = self.schedule.as_ref()?;
        Some(schedule.position(now).min(schedule.until()))
    }

    /// Whether the nominal timeline has reached the end of the range, and everything is sent.
    pub fn has_ended(&self, now: MonoTime) -> bool {
        let over = self.schedule.is_some_and(|schedule| schedule.position(now) >= schedule.until());
        over && self.is_finished()
    }

    /// The next packet to leave at `now`.
    pub fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        if self.cut_short.is_some() {
            return self.reports.pop_last();
        }
        let Some(schedule) = self.schedule else { return self.reports.pop_last() };
        self.heed_breakers(now, &schedule);
        if self.cut_short.is_some() {
            return self.reports.pop_last();
        }
        self.limit(now, &schedule);
        let idle = self.pacer.is_empty();
        for chain in &mut self.audio {
            chain.advance(now, (&schedule, idle), self.wall, &mut self.pacer);
        }
        for chain in &mut self.cues {
            chain.advance(now, self.wall, &mut self.pacer);
        }
        self.pace(now, &schedule);
        if let Some(copy) = self.copy.take()
            && self.admits(now, &schedule, &copy)
        {
            return Some(copy);
        }
        while let Some(packet) = self.pacer.pop(now) {
            if self.admits(now, &schedule, &packet) {
                self.copy = self.copy_of(now, &packet, schedule.runs_ahead());
                return Some(packet);
            }
            self.pacer.give_back(packet.data.len());
        }
        let finished = self.is_finished();
        let wall = self.wall.at(now);
        let report = self.reports.pop(now, wall, &schedule, &self.audio, finished)?;
        if let Some(allowance) = &mut self.allowance {
            allowance.leaves(now, &report);
        }
        Some(report)
    }

    /// Each track may take its part of what the path bears; and what runs ahead the more, the more
    /// its listener holds: what that is worth is that sound need not get worse where a path is
    /// narrow for a while (Huang and others 2014, a buffer-based approach to rate adaptation).
    fn limit(&mut self, now: MonoTime, schedule: &Schedule) {
        let Some(allowance) = &self.allowance else { return };
        let limit = allowance.media(now, schedule.runs_ahead());
        let tracks =
            self.audio.iter().filter(|chain| chain.ceased().is_none()).count().max(1) as f64;
        for chain in &mut self.audio {
            let held = schedule.held(now, chain.reached()).as_secs_f64() / RESERVOIR.as_secs_f64();
            let ease = if schedule.runs_ahead() { held.max(1.0) } else { 1.0 };
            let part = |rate: Bitrate| rate.mul_f64(ease / tracks);
            chain.limit(limit.map(|limit| MediaLimit { rate: part(limit.rate), ..limit }));
        }
    }

    /// What is to be encoded for what comes.
    pub fn take_jobs(&mut self) -> impl Iterator<Item = EncodingJob> {
        self.audio.iter_mut().flat_map(AudioChain::take_jobs)
    }

    /// Media that runs ahead leaves as fast as the path bears it, and well below what would trip a
    /// breaker, but no slower for that than other media, which has its time. What is asked for again
    /// leaves before anything else.
    fn pace(&mut self, now: MonoTime, schedule: &Schedule) {
        let allowance = self.allowance.as_ref().filter(|_| schedule.runs_ahead());
        if let Some(target) = allowance.and_then(|allowance| allowance.payload(now)) {
            let bearable: Option<Bitrate> = self.audio.iter().map(AudioChain::bearable).sum();
            let within = |rate: Bitrate| Bitrate::from_bps(rate.as_bps() / 4 * 3);
            let rate = self.rate.min(target);
            let least = Bitrate::from_bps(self.rate.as_bps() / LEAST_OF_RATE);
            let rate = bearable.map_or(rate, |it| rate.min(within(it).max(least)));
            self.pacer.set_rate(now, rate);
            self.audio.iter_mut().for_each(|chain| chain.set_answers(now, rate));
        }
    }

    /// Media that was lowered climbs again by trials, which copies of it fill.
    fn copy_of(&self, now: MonoTime, packet: &Packet, runs_ahead: bool) -> Option<Packet> {
        let is_lowered = self.audio.iter().any(AudioChain::is_lowered);
        let allowance = self.allowance.as_ref().filter(|_| is_lowered && !runs_ahead)?;
        let class = DeliveryClass::Repair;
        allowance.fills_trial(now, packet).then(|| Packet { class, ..packet.clone() })
    }

    /// Whether `packet` may leave at `now`; what may has left. Media that runs ahead makes room for
    /// what is asked for again.
    fn admits(&mut self, now: MonoTime, schedule: &Schedule, packet: &Packet) -> bool {
        if self.audio.iter().any(|chain| chain.ceased().is_some() && chain.uses(packet.flow)) {
            return false;
        }
        let is_code = self.audio.iter().all(|chain| chain.flow() != packet.flow);
        if let Some(allowance) = &mut self.allowance {
            if (is_code || !schedule.runs_ahead()) && !allowance.admits(now, packet) {
                return false;
            }
            allowance.leaves(now, packet);
        }
        if packet.channel == Channel::Rtp {
            let chains = self.audio.iter_mut().filter(|chain| chain.uses(packet.flow));
            chains.for_each(|chain| chain.on_sent(now, packet.data.len() + IP_UDP_HEADERS));
        }
        true
    }

    /// Ends before the end of the range, because the sender wants it so: nothing more leaves but
    /// goodbye, which is there at once.
    pub fn leave(&mut self, now: MonoTime) {
        if let Some(schedule) = self.schedule {
            self.stop();
            self.reports.part(now, self.wall.at(now), &schedule, &self.audio, None);
        }
    }

    /// Whether the range was sent to its end, and goodbye said.
    pub fn has_parted(&self) -> bool {
        self.is_finished() && self.reports.has_parted()
    }

    /// When [`pop`](Self::pop) may have something again.
    pub fn next_deadline(&self, now: MonoTime) -> Option<MonoTime> {
        if self.cut_short.is_some() || self.has_tripped() {
            return Some(now);
        }
        let schedule = self.schedule.as_ref()?;
        let idle = self.pacer.is_empty();
        let audio = self.audio.iter().filter_map(|chain| chain.next_deadline(schedule, idle));
        let cues = self.cues.iter().filter_map(CueChain::next_deadline);
        let rest = [self.pacer.next_deadline(now), self.reports.next_deadline(self.is_finished())];
        audio.chain(cues).chain(rest.into_iter().flatten()).min()
    }

    /// Whether the range is over: its sound is out. Copies of cues that are out already may follow.
    pub fn is_finished(&self) -> bool {
        let cues_matter = self.audio.is_empty();
        self.schedule.is_some()
            && self.audio.iter().all(AudioChain::is_finished)
            && (!cues_matter || self.cues.iter().all(CueChain::is_finished))
            && self.pacer.is_empty()
    }
}

#[cfg(test)]
mod tests;
