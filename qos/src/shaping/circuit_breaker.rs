//! When to stop sending: what nobody hears, and what nobody else can bear (RFC 8083).

use std::collections::VecDeque;
use std::time::Duration;

use thiserror::Error;

use crate::quantity::Bitrate;
use crate::rtcp::{DEFAULT_MINIMUM, ReportBlock};
use crate::stats::RoundTrip;
use crate::time::MonoTime;

/// Without a report for so many intervals the listener is gone.
const SILENT_INTERVALS: u32 = 3;

/// So many intervals of reports say that nothing arrives before it is believed (RFC 3550, section
/// 6.3.5, counts the same before it takes a member for gone).
const NON_REPORTING_THRESHOLD: f64 = 5.0;

/// What "order of magnitude" means: a sender may take so many times what TCP would.
const TIMES_TCP: f64 = 10.0;

/// Packets that one acknowledgement of TCP answers: b of the equation (section 3).
const PER_ACKNOWLEDGEMENT: f64 = 1.0;

/// Reports that come in quicker succession than this part of their interval tell nothing new.
const TOO_SOON: u32 = 8;

/// Of how a stream is reported on, and how it is watched.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct BreakerTerms {
    /// Between two packets of the media: Tf.
    pub framing: Duration,
    /// Between two reports of the listener, as RFC 3550 computes it without chance: Tdr.
    pub interval: Duration,
    /// Whether the listener is known to send reports, and as often as that. Who never sends any
    /// (old clients of RTSP do not) is not taken for gone because it is silent; who does is, after
    /// three intervals as long as its longest so far (ffmpeg reports every 280 kB: every half
    /// minute, of speech).
    pub reports: bool,
    /// Nothing that reports say ends anything sooner, however often they come: the RFC counts in
    /// intervals, and thinks of five seconds. With reports once a second five of them are less
    /// than a mobile network may take to find its next cell, and three may fall into one burst.
    pub patience: Duration,
    /// Whether the rate is compared with that of TCP. A transport that has congestion control of
    /// its own needs no other (RTP over QUIC).
    pub congestion: bool,
}

/// Why a stream must not be sent any more: one line, for both ends.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Error)]
pub enum Tripped {
    /// The RTCP timeout: no report has come for so long.
    #[error("no report has come from the listener for {} s", silence.as_secs())]
    RtcpTimeout {
        /// How long.
        silence: Duration,
    },
    /// The media timeout: reports come, and say that no media does.
    #[error("{reports} reports of the listener say that nothing has arrived for {} s", span.as_secs())]
    MediaTimeout {
        /// How many reports.
        reports: u32,
        /// How long.
        span: Duration,
    },
    /// Congestion: ten times more is sent than TCP would send.
    #[error("the path is congested: {sent} is sent where TCP would send {tcp}")]
    Congestion {
        /// What is sent, repair included.
        sent: Bitrate,
        /// What TCP would send by the same losses and round trip.
        tcp: Bitrate,
    },
}

/// Watches one stream for its sender (RFC 8083, section 4).
///
/// 1. [`on_sent`](Self::on_sent) tells each packet of it that leaves: media, its repair, and what
///    is sent again. Losses are counted before repair, so what repair takes counts as sent.
/// 2. [`on_report`](Self::on_report) tells each report block about it. Reduced-size feedback (RFC
///    5506) holds none and is not told: it neither shows that media arrives nor hurries anything
///    (section 5). Reports that come early carry no more weight than their time, since both timeouts
///    and the congestion take the RFC's number of reports *and* as long as so many intervals last.
/// 3. [`tripped`](Self::tripped) says whether to stop, and goes on saying so.
///
/// Time in which nothing is sent does not count, and [`rest`](Self::rest) forgets what was before a
/// pause. The fourth breaker, media usability, is the listener's: it knows what it was promised
/// ([`PromiseWatch`](crate::spec::PromiseWatch)).
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    terms: BreakerTerms,
    round_trip: RoundTrip,
    packets: u64,
    bytes: u64,
    /// When the first packet left since it rested.
    begun_at: Option<MonoTime>,
    heard_at: Option<MonoTime>,
    /// The longest time that a listener of whom nothing is known took to report.
    longest: Option<Duration>,
    marks: VecDeque<Mark>,
    unmoved: Option<Unmoved>,
    bearable: Option<Bitrate>,
    tripped: Option<Tripped>,
}

/// How things stood at a report.
#[derive(Copy, Clone, Debug)]
struct Mark {
    at: MonoTime,
    highest: u32,
    lost: i32,
    packets: u64,
    bytes: u64,
}

/// Reports in a row that named the same highest number.
#[derive(Copy, Clone, Debug)]
struct Unmoved {
    since: MonoTime,
    reports: u32,
}

impl CircuitBreaker {
    /// Nothing was sent yet.
    pub fn new(terms: BreakerTerms) -> Self {
        Self {
            terms,
            round_trip: RoundTrip::new(),
            packets: 0,
            bytes: 0,
            begun_at: None,
            heard_at: None,
            longest: None,
            marks: VecDeque::new(),
            unmoved: None,
            bearable: None,
            tripped: None,
        }
    }

    /// A packet of `bytes` leaves, headers included.
    pub fn on_sent(&mut self, now: MonoTime, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        let begun_at = *self.begun_at.get_or_insert(now);
        let silence = self.silence(now, begun_at);
        if self.missed_after().is_some_and(|longest| silence > longest) {
            self.trip(Tripped::RtcpTimeout { silence });
        }
    }

    /// A report block about the stream has come, and tells a round trip if it can.
    pub fn on_report(&mut self, now: MonoTime, block: &ReportBlock, round_trip: Option<Duration>) {
        let silence = self.begun_at.map_or(Duration::ZERO, |begun_at| self.silence(now, begun_at));
        self.longest = self.longest.max(Some(silence));
        self.heard_at = Some(now);
        round_trip.into_iter().for_each(|round_trip| self.round_trip.observe(round_trip));
        let (packets, bytes) = (self.packets, self.bytes);
        let (highest, lost) = (block.highest_sequence, block.cumulative_lost);
        let mark = Mark { at: now, highest, lost, packets, bytes };
        match self.marks.back().copied() {
            Some(last) if now.since(last.at) < self.terms.interval / TOO_SOON => return,
            // What was not sent cannot arrive.
            Some(last) if last.packets == packets => {
                self.marks.clear();
                self.unmoved = None;
            }
            Some(last) => self.note_movement(&last, &mark),
            None => {}
        }
        self.marks.push_back(mark);
        let longest = self.congestion_span().div_duration_f64(self.terms.interval).ceil();
        let most = longest as usize * TOO_SOON as usize + 1;
        while self.marks.len() > most {
            self.marks.pop_front();
        }
        self.judge_congestion();
    }

    /// Why to stop, if it is to be stopped.
    pub fn tripped(&self) -> Option<Tripped> {
        self.tripped
    }

    /// Whether the listener reports on the stream, and it may be sent.
    pub fn is_heard(&self) -> bool {
        self.heard_at.is_some() && self.tripped.is_none()
    }

    /// What may be sent as the path was lately: ten times what TCP would, and more is congestion if
    /// it lasts. Whoever can do with less keeps within it (section 1). `None` where nothing is lost,
    /// or nothing is known.
    pub fn bearable(&self) -> Option<Bitrate> {
        self.bearable
    }

    /// Nothing is sent for a while: what was before says nothing about what comes after.
    pub fn rest(&mut self) {
        (self.begun_at, self.heard_at) = (None, None);
        self.marks.clear();
        (self.unmoved, self.bearable) = (None, None);
    }

    fn trip(&mut self, why: Tripped) {
        self.tripped.get_or_insert(why);
    }

    /// How long nothing has been heard of what is sent.
    fn silence(&self, now: MonoTime, begun_at: MonoTime) -> Duration {
        now.since(self.heard_at.map_or(begun_at, |at| at.max(begun_at)))
    }

    /// After how long without a report the listener is gone, if it ever reports.
    fn missed_after(&self) -> Option<Duration> {
        match self.terms.reports {
            true => Some(self.rtcp_timeout()),
            false => Some(self.rtcp_timeout().max(self.longest? * SILENT_INTERVALS)),
        }
    }

    /// Three intervals, of no less than the fixed minimum of RFC 3550: early reports may be rare,
    /// and who is patient with them is not fooled by a burst of losses.
    fn rtcp_timeout(&self) -> Duration {
        self.terms.interval.max(DEFAULT_MINIMUM) * SILENT_INTERVALS
    }

    /// MEDIA_TIMEOUT: how many reports in a row must say that nothing arrives.
    fn media_reports(&self) -> u32 {
        let slowest = self.terms.framing.max(self.smoothed()).max(self.terms.interval);
        (NON_REPORTING_THRESHOLD * slowest.div_duration_f64(self.terms.interval)).ceil() as u32
    }

    /// CB_INTERVAL: over how many reports congestion must last; with G of one, for each packet of
    /// sound can be decoded without the one before.
    fn congestion_reports(&self) -> usize {
        let reports = self.terms.interval * 3;
        let least = (self.terms.framing * 10).max(self.smoothed() * 10).max(reports);
        let span = least.min(self.rtcp_timeout());
        (3.0 * span.div_duration_f64(reports)).ceil() as usize
    }

    /// And how long.
    fn congestion_span(&self) -> Duration {
        self.terms.patience.max(self.terms.interval * self.congestion_reports() as u32)
    }

    fn smoothed(&self) -> Duration {
        self.round_trip.smoothed().unwrap_or_default()
    }

    fn note_movement(&mut self, last: &Mark, mark: &Mark) {
        if mark.highest.wrapping_sub(last.highest) as i32 > 0 {
            self.unmoved = None;
            return;
        }
        let mut unmoved = self.unmoved.unwrap_or(Unmoved { since: last.at, reports: 0 });
        unmoved.reports += 1;
        self.unmoved = Some(unmoved);
        let (reports, span) = (unmoved.reports, mark.at.since(unmoved.since));
        let least = self.media_reports();
        if reports >= least && span >= self.terms.patience.max(self.terms.interval * least) {
            self.trip(Tripped::MediaTimeout { reports, span });
        }
    }

    /// Section 4.3. What was lost, and sent, is taken from the counters at both ends of the span: a
    /// report that was lost takes nothing with it.
    fn judge_congestion(&mut self) {
        self.bearable = None;
        let reports = self.congestion_reports();
        let least = self.congestion_span();
        let smoothed = self.round_trip.smoothed().filter(|_| self.terms.congestion);
        let Some((round_trip, last)) = smoothed.zip(self.marks.back()) else { return };
        let (mut first, mut lasting, mut long) = (last, true, false);
        for (count, mark) in self.marks.iter().rev().enumerate().skip(1) {
            lasting &= first.lost.wrapping_sub(mark.lost) > 0;
            first = mark;
            long = count >= reports && last.at.since(first.at) >= least;
            if long {
                break;
            }
        }
        let lost = last.lost.wrapping_sub(first.lost);
        let packets = (last.packets - first.packets) as f64;
        let bytes = (last.bytes - first.bytes) as f64;
        if lost <= 0 || packets == 0.0 || round_trip.is_zero() {
            return;
        }
        let expected = last.highest.wrapping_sub(first.highest).max(1);
        let loss = (f64::from(lost) / f64::from(expected)).min(1.0);
        let tcp = tcp_throughput(bytes / packets, round_trip, loss);
        let sent = bytes / last.at.since(first.at).as_secs_f64();
        self.bearable = Some(bitrate(TIMES_TCP * tcp));
        if long && lasting && sent > TIMES_TCP * tcp {
            self.trip(Tripped::Congestion { sent: bitrate(sent), tcp: bitrate(tcp) });
        }
    }
}

fn bitrate(bytes_per_second: f64) -> Bitrate {
    Bitrate::from_bps((bytes_per_second * 8.0).round() as u64)
}

/// What TCP would send, in bytes a second, in segments of `size` bytes: X of section 3, in the
/// simplified form (Mathis 1997), which overstates it where much is lost, in favour of the sender.
///
/// So ten times this are exceeded where packets a round trip are more than 10 / sqrt(2p/3): never
/// by who sends less than twelve packets a round trip, however few bytes they hold.
fn tcp_throughput(size: f64, round_trip: Duration, loss: f64) -> f64 {
    size / (round_trip.as_secs_f64() * (2.0 * PER_ACKNOWLEDGEMENT * loss / 3.0).sqrt())
}

#[cfg(test)]
mod tests;
