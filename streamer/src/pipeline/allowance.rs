//! How much of what there is to send may leave.

use std::collections::VecDeque;
use std::time::Duration;

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::quantity::Bitrate;
use cantus_qos::rtcp::{Arrived, CongestionFeedback, StreamFeedback};
use cantus_qos::rtp::{Sequence, Ssrc};
use cantus_qos::shaping::{FarClock, PathRate, RateControl};
use cantus_qos::time::MonoTime;

use super::{MediaLimit, Packet};

/// IPv4 and UDP.
const UDP_HEADERS: usize = 28;

/// What QUIC puts around a datagram, in bytes.
pub const AROUND_QUIC: usize = 30;

/// The least that is ever sent: the lowest rung of the ladder of encodings, in packets of 60 ms.
const LEAST: Bitrate = Bitrate::from_kbps(24);

/// Media, and a part of its repair: with this a session begins. The rest of the repair follows
/// as the path shows that it can bear it, and media that runs ahead runs faster.
const START: f64 = 1.35;

/// Where less is lost, nothing needs repair, and media may take all that there is.
const LITTLE_LOSS: f64 = 0.005;

/// Media takes more than it has by itself only where the path has been clean and narrow for so long.
const FOR_A_WHILE: Duration = Duration::from_secs(10);

/// A limit that was found on a path that loses may be jitter: media yields to it only where it is
/// far below what it takes. Repair yields at once.
const DOUBTFUL: f64 = 1.4;

/// What reports and subtitles take.
const WITH_REPORTS: f64 = 1.02;

/// Packets of a stream that are remembered until the listener has told what became of them.
const REMEMBERED: usize = 512;

/// What may be saved up at least: two packets of repair. It is all on a narrow path that loses
/// nothing, where more in a row would be a queue.
const SAVED: f64 = 600.0 * 8.0;
/// Elsewhere the repair of a block leaves in a row, and is not to be cut where there is room for it
/// in the mean.
const SAVED_FOR_A_BLOCK: f64 = 1_500.0 * 8.0;
/// What media may take in advance of repair.
const OWED: f64 = -600.0 * 8.0;

/// A listener that never tells what arrives cannot be helped: after this nothing is held back.
const PATIENCE: Duration = Duration::from_secs(3);

/// Lets media pass and holds repair back where the path cannot bear both.
#[derive(Debug)]
pub struct Allowance {
    source: Source,
    wanted: Bitrate,
    /// Bits that may leave now.
    saved: f64,
    /// Bytes that have left, and those among them that are no headers.
    left: (u64, u64),
    counted_at: Option<MonoTime>,
    began_at: Option<MonoTime>,
    /// Since when a limit of the path is known.
    narrow_since: Option<MonoTime>,
    has_heard: bool,
}

impl Allowance {
    /// For a session whose media takes `media`, and everything together `wanted`; its listener tells
    /// what arrives.
    pub fn told(media: Bitrate, wanted: Bitrate) -> Self {
        let control = RateControl::new(media.mul_f64(START), LEAST, wanted);
        Self::by(Source::Told(Box::new(Told::new(control))), wanted)
    }

    /// For a session over QUIC, whose connection knows the path.
    pub fn over_quic(wanted: Bitrate) -> Self {
        Self::by(Source::Path(None), wanted)
    }

    fn by(source: Source, wanted: Bitrate) -> Self {
        Self {
            source,
            wanted,
            saved: 0.0,
            left: (0, 0),
            counted_at: None,
            began_at: None,
            narrow_since: None,
            has_heard: false,
        }
    }

    /// Everything together takes `wanted` now.
    pub fn set_wanted(&mut self, wanted: Bitrate) {
        self.wanted = wanted;
        if let Source::Told(told) = &mut self.source {
            told.control.set_wanted(wanted);
        }
    }

    /// What the path of a session over QUIC bears.
    pub fn on_path(&mut self, rate: PathRate) {
        if let Source::Path(path) = &mut self.source {
            *path = Some(rate);
        }
    }

    /// What the path bears; `None` while nobody knows.
    pub fn path(&self, now: MonoTime) -> Option<PathRate> {
        match &self.source {
            Source::Told(told) => Some(told.control.path(now)),
            Source::Path(path) => *path,
        }
    }

    /// What the path bears, the headers of what leaves left out.
    pub fn payload(&self, now: MonoTime) -> Option<Bitrate> {
        let target = self.path(now)?.target;
        let (all, payload) = self.left;
        let share = if all > 0 { payload as f64 / all as f64 } else { 1.0 };
        Some(target.mul_f64(share))
    }

    /// What the media may take; `None` where nothing limits it. Media that `runs_ahead` takes no
    /// more than was asked for: it had better run. Nor does it where others share the path: what
    /// is left is theirs.
    pub fn media(&self, now: MonoTime, runs_ahead: bool) -> Option<MediaLimit> {
        let path = self.path(now)?;
        let limit = path.limit?.as_bps() as f64;
        let clean = path.loss() < LITTLE_LOSS;
        let narrow = self.is_long_narrow(now);
        let limit = if clean { limit } else { limit * DOUBTFUL };
        let rate = Bitrate::from_bps((limit / WITH_REPORTS) as u64);
        let rises = clean && narrow && !path.is_shared && !runs_ahead;
        Some(MediaLimit { rate, around: self.around(), rises })
    }

    /// Whether `packet` may leave at `now`.
    pub fn admits(&mut self, now: MonoTime, packet: &Packet) -> bool {
        self.save(now);
        let bits = self.size(packet) as f64 * 8.0;
        packet.class != DeliveryClass::Repair || self.saved >= bits || !self.is_tight(now)
    }

    /// `packet` leaves at `now`.
    pub fn leaves(&mut self, now: MonoTime, packet: &Packet) {
        self.save(now);
        let bytes = self.size(packet);
        self.left.0 += bytes as u64;
        self.left.1 += packet.data.len() as u64;
        self.saved = (self.saved - bytes as f64 * 8.0).max(OWED);
        if let Source::Told(told) = &mut self.source {
            told.on_sent(now, bytes, packet);
        }
    }

    /// What it takes on the way.
    fn size(&self, packet: &Packet) -> usize {
        packet.data.len() + UDP_HEADERS + self.around()
    }

    /// Whether a copy of `packet`, which has just left, is to follow: while more is tried than was
    /// found to be possible, something has to take it. Where packets are lost repair does; and media
    /// that is clean has nothing to send that would show whether there is room for its next rung.
    pub fn fills_trial(&self, now: MonoTime, packet: &Packet) -> bool {
        let is_media = packet.class == DeliveryClass::Isochronous;
        let is_tried = |path: PathRate| {
            path.is_trying
                && path.loss() < LITTLE_LOSS
                && self.saved >= self.size(packet) as f64 * 8.0
        };
        is_media && self.is_long_narrow(now) && self.path(now).is_some_and(is_tried)
    }

    /// Whether a limit of the path has been known for a while: before, its queue may still drain.
    fn is_long_narrow(&self, now: MonoTime) -> bool {
        self.narrow_since.is_some_and(|since| now.since(since) > FOR_A_WHILE)
    }

    fn save(&mut self, now: MonoTime) {
        let since = self.counted_at.replace(now).unwrap_or(now);
        self.began_at.get_or_insert(now);
        let path = self.path(now);
        let is_narrow = path.is_some_and(|path| path.limit.is_some());
        self.narrow_since = self.narrow_since.or(Some(now)).filter(|_| is_narrow);
        let target = path.map_or(self.wanted, |path| path.target).as_bps() as f64;
        let earned = target * now.since(since).as_secs_f64();
        let clean = path.is_some_and(|path| path.loss() < LITTLE_LOSS);
        let most = if is_narrow && clean { SAVED } else { SAVED_FOR_A_BLOCK };
        self.saved = (self.saved + earned).min(most);
    }

    /// Whether there is anything to be careful about.
    fn is_tight(&self, now: MonoTime) -> bool {
        let gave_up = self.began_at.is_some_and(|at| now.since(at) > PATIENCE);
        let knows = self.is_quic() || self.has_heard || !gave_up;
        knows && self.path(now).is_some_and(|path| path.is_limited(self.wanted))
    }

    /// Bytes that the transport adds to a packet, beyond IP and UDP.
    fn around(&self) -> usize {
        if self.is_quic() { AROUND_QUIC } else { 0 }
    }

    fn is_quic(&self) -> bool {
        matches!(self.source, Source::Path(_))
    }

    /// The listener tells what arrived.
    pub fn on_feedback(&mut self, now: MonoTime, feedback: &CongestionFeedback) {
        if let Source::Told(told) = &mut self.source {
            self.has_heard |= told.on_feedback(now, feedback);
        }
    }
}

/// Who knows what the path bears.
#[derive(Debug)]
enum Source {
    /// A controller of the session's own, by what its listener tells.
    Told(Box<Told>),
    /// The one of its connection.
    Path(Option<PathRate>),
}

/// A controller, and what it needs to understand a listener.
#[derive(Debug)]
struct Told {
    control: RateControl,
    /// The first audio stream: all take the same path.
    stream: Option<SentStream>,
    clock: FarClock,
}

impl Told {
    fn new(control: RateControl) -> Self {
        Self { control, stream: None, clock: FarClock::new() }
    }

    fn on_sent(&mut self, now: MonoTime, bytes: usize, packet: &Packet) {
        self.control.on_sent(now, bytes);
        if packet.channel == Channel::Rtp && packet.class == DeliveryClass::Isochronous {
            self.remember(now, &packet.data);
        }
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

    /// Whether anything was told that is of use.
    fn on_feedback(&mut self, now: MonoTime, feedback: &CongestionFeedback) -> bool {
        let reported_at = self.clock.read(feedback.at);
        let Some(sent) = &mut self.stream else { return false };
        let Some(told) = feedback.streams.iter().find(|told| told.ssrc == sent.ssrc) else {
            return false;
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
        self.control.on_report(now);
        true
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
