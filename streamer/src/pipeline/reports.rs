//! What the sender says about itself, and hears about itself (RFC 3550, section 6).

use std::collections::VecDeque;
use std::time::Duration;

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::{
    self, ExtendedReport, ReferenceEcho, ReportBlock, ReportTimer, RtcpPacket, XrBlock,
};
use cantus_qos::rtp::Ssrc;
use cantus_qos::time::{MonoTime, NtpTime};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{AudioChain, Packet, Schedule};

/// RTCP may take this much of a session (RFC 3550, section 6.2: 5 % of a stream of 100 kbit/s).
const BANDWIDTH: Bitrate = Bitrate::from_kbps(5);

/// Between reports of one stream, ours and those of a listener who knows us; the clocks of the two
/// ends are compared by them.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// A session has two members and an SR with SDES is some hundred octets.
const MEMBERS: u32 = 2;
const AVERAGE_SIZE: usize = 110;

/// Goodbye is said so long after the last packet to who may not know that it can come first: most
/// players end when they hear it, throw away what they still hold, and miss what was asked for again.
pub const LINGERS: Duration = Duration::from_secs(1);
/// It is said so often to them, and so long after it was said before: one may be lost, and ffmpeg and mpv
/// wait for ever for the end that they have not heard.
const FAREWELLS: u32 = 3;
/// Longer than most bursts of losses.
const FAREWELL_INTERVAL: Duration = Duration::from_millis(200);

/// More streams than this are in no session of ours.
const MOST_STREAMS: usize = 16;

/// What a listener last reported about one of our streams.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Heard {
    /// The report block as it came.
    pub block: ReportBlock,
    /// The round trip by LSR and DLSR, where the listener had seen a sender report.
    pub round_trip: Option<Duration>,
}

/// What a packet from the listener is.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Feedback {
    /// No compound RTCP packet; it is dropped.
    Noise,
    /// A report: the listener is there.
    Report,
    /// BYE: it leaves.
    Goodbye,
}

/// Sends SR and SDES for each audio stream, BYE at the end, and keeps what listeners report.
#[derive(Debug)]
pub struct SenderReports {
    cname: String,
    random: ChaCha8Rng,
    timer: ReportTimer,
    next: Option<MonoTime>,
    outgoing: VecDeque<Packet>,
    /// How often goodbye is said, and was said.
    farewells: u32,
    said_bye: u32,
    /// Between two reports, where that is fixed.
    period: Option<Duration>,
    /// How long after the last packet goodbye is said, and since when that is out.
    lingers: Duration,
    finished_at: Option<MonoTime>,
    heard: Vec<Heard>,
    /// What the clock of the listener showed, and when that came.
    reference: Option<(Ssrc, NtpTime, MonoTime)>,
}

impl SenderReports {
    /// One CNAME ties the tracks of a presentation together (RFC 3550, section 6.5.1).
    pub fn new(cname: String, random: ChaCha8Rng) -> Self {
        Self {
            cname,
            random,
            timer: ReportTimer::new(BANDWIDTH, REPORT_INTERVAL),
            next: None,
            outgoing: VecDeque::new(),
            farewells: 1,
            said_bye: 0,
            period: None,
            lingers: Duration::ZERO,
            finished_at: None,
            heard: Vec::new(),
            reference: None,
        }
    }

    /// The same with a report every `period`, whatever the bandwidth.
    pub fn every(self, period: Duration) -> Self {
        Self { period: Some(period), ..self }
    }

    /// The same with goodbye [`LINGERS`] after the last packet, and more than once, for listeners who
    /// end when they hear it: it takes another way than the media, and they may hold or miss some of that.
    pub fn lingering(self) -> Self {
        Self { lingers: LINGERS, farewells: FAREWELLS, ..self }
    }

    /// A range begins: the first report goes at once, so that the listener knows the clock early.
    pub fn begin(&mut self, now: MonoTime) {
        self.next = Some(now);
        self.said_bye = 0;
        self.finished_at = None;
        self.outgoing.clear();
    }

    /// What was not out yet is not said any more.
    pub fn stop(&mut self) {
        self.outgoing.clear();
    }

    /// The latest word about each of our streams.
    pub fn latest(&self) -> &[Heard] {
        &self.heard
    }

    /// These packets came at `now`, when our wall clock showed `at`.
    pub fn heard(&mut self, now: MonoTime, at: NtpTime, packets: Vec<RtcpPacket>) -> Feedback {
        let mut feedback = Feedback::Report;
        for packet in packets {
            let blocks = match packet {
                RtcpPacket::ReceiverReport(report) => report.blocks,
                RtcpPacket::SenderReport(report) => report.blocks,
                RtcpPacket::Bye { .. } => {
                    feedback = Feedback::Goodbye;
                    continue;
                }
                RtcpPacket::ExtendedReport(report) => {
                    self.note_reference(now, &report);
                    continue;
                }
                _ => continue,
            };
            for block in blocks {
                self.note(Heard { block, round_trip: block.round_trip(at) });
            }
        }
        feedback
    }

    /// A listener says what its clock shows, to be told it again: so it measures the round trip.
    fn note_reference(&mut self, now: MonoTime, report: &ExtendedReport) {
        let references = report.blocks.iter().filter_map(|block| match block {
            XrBlock::ReferenceTime(reference) => Some(*reference),
            _ => None,
        });
        self.reference = references.max().map(|ntp| (report.ssrc, ntp, now)).or(self.reference);
    }

    fn note(&mut self, heard: Heard) {
        let known = self.heard.iter().position(|it| it.block.ssrc == heard.block.ssrc);
        match known {
            Some(place) => self.heard[place] = heard,
            // A listener that reports on streams we never sent is not remembered for ever.
            None if self.heard.len() < MOST_STREAMS => self.heard.push(heard),
            None => {}
        }
    }

    /// The next report due at `now`.
    pub fn pop(
        &mut self,
        now: MonoTime,
        ntp: NtpTime,
        schedule: &Schedule,
        audio: &[AudioChain],
        finished: bool,
    ) -> Option<Packet> {
        if self.outgoing.is_empty() {
            let due = self.next.is_some_and(|next| next <= now);
            self.finished_at = finished.then(|| self.finished_at.unwrap_or(now));
            let bye = self.next_farewell().is_some_and(|at| at <= now);
            if due || bye {
                self.report(now, ntp, schedule, audio, bye.then_some(Farewell(None)));
            }
        }
        self.outgoing.pop_front()
    }

    /// The end comes before the end of the range, when nothing else is sent any more, because of `reason` where one is told: BYE says so.
    pub fn part(
        &mut self,
        now: MonoTime,
        ntp: NtpTime,
        schedule: &Schedule,
        audio: &[AudioChain],
        reason: Option<String>,
    ) {
        self.report(now, ntp, schedule, audio, Some(Farewell(reason)));
    }

    /// One track ends while others go on.
    pub fn part_with(
        &mut self,
        now: MonoTime,
        ntp: NtpTime,
        schedule: &Schedule,
        chain: &AudioChain,
        reason: Option<String>,
    ) {
        self.report_on(now, ntp, schedule, chain, Some(Farewell(reason)));
    }

    /// What was said goodbye with, if it is not out yet.
    pub fn pop_last(&mut self) -> Option<Packet> {
        self.outgoing.pop_front()
    }

    /// Whether nothing is left to be said.
    pub fn is_silent(&self) -> bool {
        self.outgoing.is_empty()
    }

    fn report(
        &mut self,
        now: MonoTime,
        ntp: NtpTime,
        schedule: &Schedule,
        audio: &[AudioChain],
        bye: Option<Farewell>,
    ) {
        for chain in audio.iter().filter(|chain| chain.ceased().is_none()) {
            self.report_on(now, ntp, schedule, chain, bye.clone());
        }
        self.said_bye += u32::from(bye.is_some());
        let next = match self.period {
            Some(period) => now + period,
            None => {
                let random = self.random.random::<f64>();
                self.timer.next(now, MEMBERS, true, AVERAGE_SIZE, random)
            }
        };
        self.next = (self.said_bye == 0).then_some(next);
    }

    fn report_on(
        &mut self,
        now: MonoTime,
        ntp: NtpTime,
        schedule: &Schedule,
        chain: &AudioChain,
        bye: Option<Farewell>,
    ) {
        let report = chain.sender_report(now, schedule, ntp);
        let ssrc = report.ssrc;
        let cname = self.cname.clone();
        let mut compound =
            vec![RtcpPacket::SenderReport(report), RtcpPacket::SourceDescription { ssrc, cname }];
        if let Some((listener, reference, arrived)) = self.reference {
            let echo = ReferenceEcho::new(now, listener, reference, arrived);
            let blocks = vec![XrBlock::DelaySinceLast(vec![echo])];
            compound.push(RtcpPacket::ExtendedReport(ExtendedReport { ssrc, blocks }));
        }
        if let Some(Farewell(reason)) = bye {
            compound.push(RtcpPacket::Bye { ssrcs: vec![ssrc], reason });
        }
        self.outgoing.push_back(compound_packet(chain.flow(), &compound));
    }

    /// When the next report is due.
    pub fn next_deadline(&self, finished: bool) -> Option<MonoTime> {
        if !self.outgoing.is_empty() {
            return Some(MonoTime::ZERO);
        }
        let bye = match self.finished_at {
            // That it is finished is seen when it is asked for the next report.
            None => (finished && self.said_bye < self.farewells).then_some(MonoTime::ZERO),
            Some(_) => self.next_farewell(),
        };
        self.next.into_iter().chain(bye.filter(|_| finished)).min()
    }

    fn next_farewell(&self) -> Option<MonoTime> {
        let after = self.lingers + FAREWELL_INTERVAL * self.said_bye;
        self.finished_at.map(|at| at + after).filter(|_| self.said_bye < self.farewells)
    }

    /// Whether goodbye is said, as often as it is to be, and out.
    pub fn has_parted(&self) -> bool {
        self.said_bye >= self.farewells && self.outgoing.is_empty()
    }
}

/// BYE, and why.
#[derive(Clone, Debug)]
struct Farewell(Option<String>);

fn compound_packet(flow: FlowId, compound: &[RtcpPacket]) -> Packet {
    Packet {
        flow,
        channel: Channel::Rtcp,
        class: DeliveryClass::Synchronous,
        data: rtcp::write_compound(compound),
    }
}
