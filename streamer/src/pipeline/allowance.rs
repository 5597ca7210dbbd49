//! How much of what there is to send may leave.

use std::collections::VecDeque;
use std::time::Duration;

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::quantity::Bitrate;
use cantus_qos::rtcp::{Arrived, CongestionFeedback, StreamFeedback};
use cantus_qos::rtp::{Sequence, Ssrc};
use cantus_qos::shaping::{FarClock, RateControl};
use cantus_qos::time::MonoTime;

use super::{MediaLimit, Packet};

/// IPv4 and UDP.
const HEADERS: usize = 28;

/// The least that is ever sent: the lowest rung of the ladder of encodings.
const LEAST: Bitrate = Bitrate::from_kbps(36);

/// Media alone, and a little for reports and subtitles: with this a session begins. Repair follows
/// as the path shows that it can bear it, and media that runs ahead runs faster.
const START: f64 = 1.15;

/// Where less is lost, nothing needs repair; where more is, repair takes as much as a third of what
/// the media takes before the media gets more.
const LITTLE_LOSS: f64 = 0.005;
const WITH_REPAIR: f64 = 1.3;
/// What reports and subtitles take.
const WITH_REPORTS: f64 = 1.02;

/// Packets of a stream that are remembered until the listener has told what became of them.
const REMEMBERED: usize = 512;

/// What may be saved up: two packets of repair.
const SAVED: f64 = 600.0 * 8.0;
/// What media may take in advance of repair.
const OWED: f64 = -600.0 * 8.0;

/// A listener that never tells what arrives cannot be helped: after this nothing is held back.
const PATIENCE: Duration = Duration::from_secs(3);

/// Lets media pass and holds repair back where the path cannot bear both.
#[derive(Debug)]
pub struct Allowance {
    control: RateControl,
    /// The first audio stream: all take the same path.
    stream: Option<SentStream>,
    clock: FarClock,
    /// Bits that may leave now.
    saved: f64,
    counted_at: Option<MonoTime>,
    began_at: Option<MonoTime>,
    has_heard: bool,
}

impl Allowance {
    /// For a session whose media takes `media`, and everything together `wanted`.
    pub fn new(media: Bitrate, wanted: Bitrate) -> Self {
        let start = Bitrate::from_bps((media.as_bps() as f64 * START) as u64);
        Self {
            control: RateControl::new(start, LEAST, wanted),
            stream: None,
            clock: FarClock::new(),
            saved: 0.0,
            counted_at: None,
            began_at: None,
            has_heard: false,
        }
    }

    /// Everything together takes `wanted` now.
    pub fn set_wanted(&mut self, wanted: Bitrate) {
        self.control.set_wanted(wanted);
    }

    /// The controller.
    pub fn control(&self) -> &RateControl {
        &self.control
    }

    /// What the media may take; `None` where nothing limits it. Media that `runs_ahead` takes no
    /// more than was asked for: it had better run.
    pub fn media(&self, runs_ahead: bool) -> Option<MediaLimit> {
        let limit = self.control.limit()?.as_bps() as f64;
        let clean = self.control.loss() < LITTLE_LOSS;
        let part = if clean { WITH_REPORTS } else { WITH_REPAIR };
        let rate = Bitrate::from_bps((limit / part) as u64);
        Some(MediaLimit { rate, rises: clean && !runs_ahead })
    }

    /// Whether `packet` may leave at `now`; what may has left.
    pub fn admits(&mut self, now: MonoTime, packet: &Packet) -> bool {
        let bytes = packet.data.len() + HEADERS;
        self.save(now);
        let bits = bytes as f64 * 8.0;
        if packet.class == DeliveryClass::Repair && self.saved < bits && self.is_tight(now) {
            return false;
        }
        self.saved = (self.saved - bits).max(OWED);
        self.control.on_sent(now, bytes);
        if packet.channel == Channel::Rtp && packet.class == DeliveryClass::Isochronous {
            self.remember(now, &packet.data);
        }
        true
    }

    fn save(&mut self, now: MonoTime) {
        let since = self.counted_at.replace(now).unwrap_or(now);
        self.began_at.get_or_insert(now);
        let earned = self.control.target(now).as_bps() as f64 * now.since(since).as_secs_f64();
        self.saved = (self.saved + earned).min(SAVED);
    }

    /// Whether there is anything to be careful about.
    fn is_tight(&self, now: MonoTime) -> bool {
        let gave_up = self.began_at.is_some_and(|at| now.since(at) > PATIENCE);
        (self.has_heard || !gave_up) && self.control.is_limited(now)
    }

    fn remember(&mut self, now: MonoTime, rtp: &[u8]) {
        let &[_, _, high, low, _, _, _, _, a, b, c, d, ..] = rtp else { return };
        let sequence = Sequence(u16::from_be_bytes([high, low]));
        let ssrc = Ssrc(u32::from_be_bytes([a, b, c, d]));
        let stream = self.stream.get_or_insert_with(|| SentStream::new(ssrc, sequence));
        if stream.ssrc == ssrc {
            stream.remember(sequence, now);
        }
    }

    /// The listener tells what arrived.
    pub fn on_feedback(&mut self, now: MonoTime, feedback: &CongestionFeedback) {
        let reported_at = self.clock.read(feedback.at);
        let Some(sent) = &mut self.stream else { return };
        let Some(told) = feedback.streams.iter().find(|told| told.ssrc == sent.ssrc) else {
            return;
        };
        for (sent, arrived) in sent.arrivals(told) {
            match arrived {
                Arrived::Before(before) => {
                    let arrived_at = reported_at - before.into();
                    self.control.on_packet(sent, arrived_at - (sent - MonoTime::ZERO));
                }
                Arrived::No => self.control.on_lost(sent),
                Arrived::Sometime => {}
            }
        }
        self.has_heard = true;
        self.control.on_report(now);
    }
}

/// When the packets of a stream left, as far as nothing is known of them yet.
#[derive(Debug)]
struct SentStream {
    ssrc: Ssrc,
    /// The number of the first packet of `sent`.
    first: Sequence,
    sent: VecDeque<Option<MonoTime>>,
}

impl SentStream {
    fn new(ssrc: Ssrc, first: Sequence) -> Self {
        Self { ssrc, first, sent: VecDeque::new() }
    }

    fn remember(&mut self, sequence: Sequence, now: MonoTime) {
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
            self.first = self.first.next();
        }
        let place = usize::try_from(sequence.distance(self.first)).unwrap_or(REMEMBERED);
        if place == self.sent.len() {
            self.sent.push_back(Some(now));
        } else if place > self.sent.len() {
            // Numbers follow each other; where they do not, a new count has begun.
            self.first = sequence;
            self.sent = VecDeque::from([Some(now)]);
        }
    }

    /// What became of the packets that are spoken of, and have not been before.
    fn arrivals(&mut self, told: &StreamFeedback) -> Vec<(MonoTime, Arrived)> {
        let begin = isize::from(told.begin.distance(self.first));
        let places = (begin..).zip(&told.packets);
        let known = places.filter_map(|(place, arrived)| {
            let sent = self.sent.get_mut(usize::try_from(place).ok()?)?;
            Some((sent.take()?, *arrived))
        });
        known.collect()
    }
}
