//! What the player reports back, and hears (RFC 3550, section 6).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::Channel;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp::{
    self, CongestionFeedback, ExtendedReport, JitterBuffer, ReceiverReport, ReportTime,
    ReportTimer, RtcpPacket, StreamFeedback, XrBlock,
};
use cantus_qos::rtp::Ssrc;
use cantus_qos::time::{MonoTime, NtpTime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Packet;
use super::pace::Pace;
use super::track::{IP_UDP_HEADERS, Track};

const BANDWIDTH: Bitrate = Bitrate::from_kbps(5);
const MINIMUM_INTERVAL: Duration = Duration::from_secs(1);
const MEMBERS: u32 = 2;
const AVERAGE_SIZE: usize = 110;

/// Sends RR and SDES for each audio track, and BYE when the user has had enough.
#[derive(Debug)]
pub(super) struct ReceiverReports {
    ssrc: Ssrc,
    cname: String,
    random: ChaCha8Rng,
    timer: ReportTimer,
    /// Goes by the bandwidth alone (T_rr of RFC 4585, section 3.4), for what is asked for early.
    early: ReportTimer,
    next: MonoTime,
    outgoing: VecDeque<Packet>,
}

impl ReceiverReports {
    /// Reports from `now` on; identifiers and intervals begin with `seed`.
    pub(super) fn new(now: MonoTime, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let ssrc = Ssrc(random.next_u32());
        Self {
            ssrc,
            cname: format!("{:016x}", random.next_u64()),
            random,
            timer: ReportTimer::new(BANDWIDTH, MINIMUM_INTERVAL),
            early: ReportTimer::new(BANDWIDTH, Duration::ZERO),
            // At once: on UDP the first report also opens the way back through a firewall.
            next: now,
            outgoing: VecDeque::new(),
        }
    }

    /// The next packet due at `now`, of a player at this `pace`.
    pub(super) fn pop(
        &mut self,
        now: MonoTime,
        tracks: &mut [Track],
        pace: &Pace,
    ) -> Option<Packet> {
        if self.next <= now {
            for track in tracks.iter_mut() {
                let packet = self.report(now, track, pace, false);
                self.outgoing.push_back(packet);
            }
            let random = self.random.random::<f64>();
            self.next = self.timer.next(now, MEMBERS, false, AVERAGE_SIZE, random);
        }
        for track in tracks.iter_mut() {
            if let Some(stream) = track.receiver().feedback(now) {
                let packet = self.feedback(now, track, stream);
                self.outgoing.push_back(packet);
            }
        }
        self.outgoing.pop_front()
    }

    /// What arrived, for the sender's rate control: alone, for it is small and urgent.
    fn feedback(&self, now: MonoTime, track: &mut Track, stream: StreamFeedback) -> Packet {
        let (ssrc, at) = (self.ssrc, ReportTime::from_mono(now));
        leaving(track, CongestionFeedback { ssrc, streams: vec![stream], at }.write())
    }

    /// Says goodbye for all tracks.
    pub(super) fn bye(&mut self, now: MonoTime, tracks: &mut [Track], pace: &Pace) -> Vec<Packet> {
        tracks.iter_mut().map(|track| self.report(now, track, pace, true)).collect()
    }

    fn report(&mut self, now: MonoTime, track: &mut Track, pace: &Pace, bye: bool) -> Packet {
        let mut compound = self.compound(now, track, pace);
        if bye {
            compound.push(RtcpPacket::Bye { ssrcs: vec![self.ssrc], reason: None });
        }
        leaving(track, rtcp::write_compound(&compound))
    }

    /// What is to be said about a track at `now`. Servers that send packets again are told which
    /// were lost, what our clock shows (they tell it us again, which is a round trip), how long we
    /// buffer what comes where we choose it: repair that comes later is of no use; and where
    /// playback stands, if they run ahead of it.
    pub(super) fn compound(
        &self,
        now: MonoTime,
        track: &mut Track,
        pace: &Pace,
    ) -> Vec<RtcpPacket> {
        let ssrc = self.ssrc;
        let blocks = track.receiver().report_block(now).into_iter().collect();
        let mut compound = vec![
            RtcpPacket::ReceiverReport(ReceiverReport { ssrc, blocks }),
            RtcpPacket::SourceDescription { ssrc, cname: self.cname.clone() },
        ];
        if let Some(losses) = track.intake.losses() {
            let source = losses.ssrc;
            // Losses do not come last: Wireshark (4.0) takes their block for eight bytes longer than
            // it is, and at the end of a packet for malformed. Blocks have no order (RFC 3611).
            let mut blocks = vec![XrBlock::LossRle(losses), XrBlock::ReferenceTime(clock(now))];
            blocks.extend(pace.buffers().map(|(usually, at_most)| {
                let (nominal, maximum) = (Some(usually), Some(at_most));
                let ssrc = source;
                XrBlock::JitterBuffer(JitterBuffer { ssrc, adaptive: true, nominal, maximum })
            }));
            compound.push(RtcpPacket::ExtendedReport(ExtendedReport { ssrc, blocks }));
        }
        let runs_ahead = pace.is_stored();
        let next = track.next_unit(now, ssrc).filter(|_| runs_ahead);
        compound.extend(next.map(RtcpPacket::NextUnit));
        compound
    }

    /// Feedback leaves early, in place of the next report: that one follows after twice the time that
    /// the bandwidth asks for between two (RFC 4585, section 3.5.2). Gives when.
    pub(super) fn put_off(&mut self, now: MonoTime) -> MonoTime {
        let random = self.random.random::<f64>();
        let next = self.early.next(now, MEMBERS, false, AVERAGE_SIZE, random);
        self.next = next + next.since(now);
        self.next
    }

    /// Who we are.
    pub(super) fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// When the next report is due.
    pub(super) fn next_deadline(&self, tracks: &[Track]) -> MonoTime {
        let feedback = tracks.iter().filter_map(Track::next_feedback);
        feedback.fold(self.next, MonoTime::min)
    }
}

/// A packet for the flow of `track`, counted there.
pub(super) fn leaving(track: &mut Track, data: Bytes) -> Packet {
    track.intake.traffic.feedback += data.len() as u64 + IP_UDP_HEADERS;
    Packet { flow: track.flow, channel: Channel::Rtcp, data }
}

/// What our clock shows: the time since its zero, as one who knows no wall clock may tell it
/// (RFC 3550, section 6.4.1). It shows a second more, because nothing at all is said by zero.
fn clock(now: MonoTime) -> NtpTime {
    NtpTime::from_bits(1 << 32).offset(now - MonoTime::ZERO)
}

/// What an RTCP packet of `flow` tells about its track. Gives a round trip, if it tells one.
pub(super) fn on_report(
    now: MonoTime,
    flow: FlowId,
    data: &[u8],
    tracks: &mut [Track],
) -> Option<Duration> {
    let packets = rtcp::parse_compound(data).ok()?;
    let track = tracks.iter_mut().find(|track| track.flow == flow)?;
    let mut round_trip = None;
    for packet in packets {
        match packet {
            RtcpPacket::SenderReport(report) => track.intake.on_sender_report(now, &report),
            RtcpPacket::SourceDescription { ssrc, cname } => {
                track.intake.on_name(ssrc, &cname);
            }
            RtcpPacket::Bye { ssrcs, reason } => track.intake.on_bye(&ssrcs, reason.as_deref()),
            RtcpPacket::ExtendedReport(report) => {
                let echoes = report.blocks.iter().filter_map(|block| match block {
                    // A session has one listener: the echo is ours.
                    XrBlock::DelaySinceLast(echoes) => echoes.first(),
                    _ => None,
                });
                let round_trips = echoes.filter_map(|echo| echo.round_trip(clock(now)));
                round_trip = round_trips.max().or(round_trip);
            }
            _ => {}
        }
    }
    round_trip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_early_holds_others_up_for_as_long_as_its_bandwidth_asks_and_no_longer() {
        let now = MonoTime::from_millis(1_000);
        // 110 bytes of two members at 5 kbit/s are 352 ms; drawn evenly around that, and twice.
        let (least, most) = (Duration::from_millis(280), Duration::from_millis(880));
        for seed in 0..100 {
            let until = ReceiverReports::new(now, seed).put_off(now).since(now);
            assert!((least..most).contains(&until), "{until:?}");
        }
    }
}
