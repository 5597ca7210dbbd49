//! Whose packets these are, and how they are numbered.

use cantus_qos::rtcp::{ReportBlock, SenderReport, StreamFeedback};
use cantus_qos::rtp::{RtpPacket, Sequence, SequenceUnroller, Ssrc};
use cantus_qos::shaping::ArrivalLog;
use cantus_qos::stats::{InterarrivalJitter, Reception};
use cantus_qos::time::{ClockRate, MonoTime, NtpTime};

/// A new source is believed after this many packets in sequence (RFC 3550, A.1: MIN_SEQUENTIAL).
const MIN_SEQUENTIAL: u32 = 2;

/// Follows the source of a track, across a change of its SSRC.
///
/// Units are numbered on across such a change, so that the rest of the player need not know.
#[derive(Debug)]
pub(crate) struct Receiver {
    rate: ClockRate,
    announced: Option<Ssrc>,
    source: Option<Source>,
    candidate: Option<(Ssrc, Sequence, u32)>,
    /// The first number, where RTP-Info told it before any packet.
    expected: Option<SequenceUnroller>,
    highest: u64,
    /// Whether the sender wants to know which packets arrive, and what it has not been told yet.
    tells: bool,
    arrivals: Option<ArrivalLog>,
    /// Why the source has ended before its time.
    farewell: Option<String>,
}

#[derive(Debug)]
struct Source {
    ssrc: Ssrc,
    unroller: SequenceUnroller,
    /// What is added to the unrolled sequence number.
    shift: u64,
    reception: Reception,
    left: bool,
}

/// The number of an admitted packet.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) struct Numbered {
    /// Its place among the units of the track.
    pub number: u64,
    /// Whether it is the first of a new source: timestamps begin anew.
    pub restarted: bool,
}

impl Receiver {
    /// A receiver of a stream whose timestamps count at `rate`. Where its source is announced,
    /// a packet that somebody else has left behind is not taken for its first.
    pub(crate) fn new(rate: ClockRate, announced: Option<Ssrc>) -> Self {
        Self {
            rate,
            announced,
            source: None,
            candidate: None,
            expected: None,
            highest: 0,
            tells: false,
            arrivals: None,
            farewell: None,
        }
    }

    /// The same for a sender who `wants` to know which packets arrive, or does not.
    pub(crate) fn telling(self, wants: bool) -> Self {
        Self { tells: wants, ..self }
    }

    /// RTP-Info says that the stream begins with `first`; the number of that unit.
    pub(crate) fn expect(&mut self, first: Sequence) -> u64 {
        let mut unroller = SequenceUnroller::new();
        let number = unroller.unroll(first);
        self.expected = Some(unroller);
        number
    }

    /// Numbers a packet; `None` where its source is not believed (yet).
    pub(crate) fn admit(&mut self, packet: &RtpPacket) -> Option<Numbered> {
        let known = self.source.as_ref().map(|source| source.ssrc);
        let restarted = known.is_some_and(|ssrc| ssrc != packet.ssrc);
        if known.is_none() {
            let expected = self.announced.is_none_or(|ssrc| ssrc == packet.ssrc);
            if !expected && !self.believes(packet) {
                return None;
            }
            let unroller = self.expected.take().unwrap_or_default();
            self.adopt(packet.ssrc, unroller, 0);
        } else if restarted {
            if !self.believes(packet) {
                return None;
            }
            let mut unroller = SequenceUnroller::new();
            let first = unroller.unroll(packet.sequence);
            // Its first two packets count from here: the one that made us believe is the second.
            self.adopt(packet.ssrc, unroller, (self.highest + 2).wrapping_sub(first));
        }
        let source = self.source.as_mut()?;
        let number = source.unroller.unroll(packet.sequence).wrapping_add(source.shift);
        self.highest = self.highest.max(number);
        Some(Numbered { number, restarted })
    }

    /// A packet that was admitted came by itself, and left at `sent` by the sender's clock, if that
    /// is known. Only these count in the statistics.
    pub(crate) fn on_arrival(&mut self, now: MonoTime, packet: &RtpPacket, sent: Option<NtpTime>) {
        let Some(source) = self.source.as_mut() else { return };
        let Some(sent) = sent else {
            source.reception.on_packet(now, packet.sequence, packet.timestamp);
            return;
        };
        source.reception.on_sent_packet(now, packet.sequence, sent);
        if self.tells {
            let new = || ArrivalLog::new(now, packet.ssrc);
            self.arrivals.get_or_insert_with(new).on_packet(now, packet.sequence, sent);
        }
    }

    fn adopt(&mut self, ssrc: Ssrc, unroller: SequenceUnroller, shift: u64) {
        // Whoever is adopted was announced by SETUP, or has shown two packets in sequence.
        let reception = Reception::announced(ssrc, self.rate);
        self.source = Some(Source { ssrc, unroller, shift, reception, left: false });
        self.arrivals = None;
        self.candidate = None;
    }

    fn believes(&mut self, packet: &RtpPacket) -> bool {
        let in_sequence = match self.candidate {
            Some((ssrc, next, count)) if ssrc == packet.ssrc && next == packet.sequence => {
                count + 1
            }
            _ => 1,
        };
        let next = Sequence(packet.sequence.0.wrapping_add(1));
        self.candidate = Some((packet.ssrc, next, in_sequence));
        in_sequence >= MIN_SEQUENTIAL
    }

    /// The source that is heard, or announced.
    pub(crate) fn ssrc(&self) -> Option<Ssrc> {
        self.source.as_ref().map(|source| source.ssrc).or(self.announced)
    }

    /// The sequence number of the packet that is numbered so.
    pub(crate) fn sequence(&self, number: u64) -> Option<Sequence> {
        let source = self.source.as_ref()?;
        Some(Sequence(number.wrapping_sub(source.shift) as u16))
    }

    /// A sender report of the source has come.
    pub(crate) fn on_sender_report(&mut self, now: MonoTime, report: &SenderReport) {
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc == report.ssrc) {
            source.reception.on_sender_report(now, report);
        }
    }

    /// These sources say goodbye, and perhaps why.
    pub(crate) fn on_bye(&mut self, ssrcs: &[Ssrc], reason: Option<&str>) {
        if self.ssrc().is_some_and(|ssrc| ssrcs.contains(&ssrc)) {
            self.farewell = reason.map(str::to_owned);
        }
        if let Some(source) = self.source.as_mut().filter(|source| ssrcs.contains(&source.ssrc)) {
            source.left = true;
        }
    }

    /// Whether the source has said goodbye.
    pub(crate) fn has_left(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.left)
    }

    /// The share of packets that the network lost so far, 0 to 1.
    pub(crate) fn loss_share(&self) -> Option<f64> {
        let reception = &self.source.as_ref()?.reception;
        Some(reception.lost().max(0) as f64 / reception.expected().max(1) as f64)
    }

    /// Why it has, where it said so: nothing more comes.
    pub(crate) fn farewell(&self) -> Option<&str> {
        self.farewell.as_deref()
    }

    /// What is to be reported about the source.
    pub(crate) fn report_block(&mut self, now: MonoTime) -> Option<ReportBlock> {
        self.source.as_mut().map(|source| source.reception.report_block(now))
    }

    /// What the sender is to be told now about which packets arrived, where it wants to know.
    pub(crate) fn feedback(&mut self, now: MonoTime) -> Option<StreamFeedback> {
        self.arrivals.as_mut()?.pop(now)
    }

    /// When there is [`feedback`](Self::feedback).
    pub(crate) fn next_feedback(&self) -> Option<MonoTime> {
        self.arrivals.as_ref()?.next_deadline()
    }

    /// The interarrival jitter (RFC 3550, A.8).
    pub(crate) fn jitter(&self) -> Option<&InterarrivalJitter> {
        self.source.as_ref().map(|source| source.reception.jitter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use cantus_qos::rtp::{PayloadType, RtpTimestamp};

    fn packet(ssrc: u32, sequence: u16) -> RtpPacket {
        RtpPacket {
            payload_type: PayloadType::new(96).unwrap(),
            marker: false,
            sequence: Sequence(sequence),
            timestamp: RtpTimestamp(u32::from(sequence) * 960),
            ssrc: Ssrc(ssrc),
            send_time: None,
            payload: Bytes::from_static(b"x"),
        }
    }

    fn admit(receiver: &mut Receiver, ssrc: u32, sequence: u16) -> Option<Numbered> {
        receiver.admit(&packet(ssrc, sequence))
    }

    #[test]
    fn a_packet_before_the_announced_first_is_numbered_before_it() {
        let mut receiver = Receiver::new(ClockRate::OPUS, None);
        let first = receiver.expect(Sequence(10));
        assert_eq!(admit(&mut receiver, 1, 12).unwrap().number, first + 2);
        assert_eq!(admit(&mut receiver, 1, 9).unwrap().number, first - 1);
    }

    #[test]
    fn a_new_ssrc_is_believed_after_two_packets_in_sequence_and_numbered_on() {
        let mut receiver = Receiver::new(ClockRate::OPUS, None);
        let last = admit(&mut receiver, 1, 100).unwrap().number;
        assert_eq!(admit(&mut receiver, 2, 7_000), None);
        let second = admit(&mut receiver, 2, 7_001).unwrap();
        assert_eq!(second, Numbered { number: last + 2, restarted: true });
        let third = admit(&mut receiver, 2, 7_002).unwrap();
        assert_eq!(third, Numbered { number: last + 3, restarted: false });
    }

    #[test]
    fn a_stray_packet_of_another_source_changes_nothing() {
        let mut receiver = Receiver::new(ClockRate::OPUS, None);
        admit(&mut receiver, 1, 100);
        assert_eq!(admit(&mut receiver, 2, 7_000), None);
        assert!(!admit(&mut receiver, 1, 101).unwrap().restarted);
        assert_eq!(admit(&mut receiver, 2, 9_000), None);
    }

    #[test]
    fn where_the_source_is_announced_a_stray_first_packet_is_not_taken_for_it() {
        let mut receiver = Receiver::new(ClockRate::OPUS, Some(Ssrc(1)));
        let first = receiver.expect(Sequence(100));
        assert_eq!(admit(&mut receiver, 2, 7_000), None);
        let announced = admit(&mut receiver, 1, 100).unwrap();
        assert_eq!(announced, Numbered { number: first, restarted: false });
    }

    #[test]
    fn a_server_that_announced_another_source_than_it_sends_is_heard_all_the_same() {
        let mut receiver = Receiver::new(ClockRate::OPUS, Some(Ssrc(1)));
        assert_eq!(admit(&mut receiver, 2, 7_000), None);
        assert!(admit(&mut receiver, 2, 7_001).is_some());
    }
}
