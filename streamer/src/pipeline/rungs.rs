//! Which rung of the ladder of encodings a track is sent on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::quantity::Bitrate;

use crate::encoding::{Encoding, EncodingJob, EncodingSpec, Ladder, Rung};

/// Bytes of headers that are assumed before the first packet has shown its own: IPv4, UDP, RTP,
/// sending time, and the footer of repair.
const USUAL_HEADERS: usize = 28 + 12 + 8 + 6;

/// Segments that are remembered to have been handed over to be made: this one and the next of two
/// rungs.
const HANDED_OVER: usize = 4;

/// Frames of one packet at most: 60 ms.
pub(super) const MOST_FRAMES: usize = 3;

/// Where the headers of packets of one frame take a larger part of what is allowed than this, frames
/// are joined: with headers of 54 bytes that is so below 65 kbit/s.
const DOMINANT: f64 = 1.0 / 3.0;

/// Whether `headers`, those of packets of one frame, take so much of `rate` that frames had better
/// be joined.
pub fn is_dominant(headers: Bitrate, rate: Bitrate) -> bool {
    headers.as_bps() as f64 > rate.as_bps() as f64 * DOMINANT
}

/// How many frames that play for `unit` one packet may hold, that the first of them is there within
/// `delay`: it waits for the others, and on a path that takes `under_way` when it is idle and is as
/// narrow as that, all of them are as long on it as they play.
pub fn most_joined(unit: Duration, delay: Duration, under_way: Duration) -> usize {
    let needs = |count: usize| under_way + unit * 2 * count as u32;
    (1..=MOST_FRAMES).rev().find(|count| needs(*count) <= delay).unwrap_or(1)
}

/// What the media of a session may take with all headers, where the path limits it.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct MediaLimit {
    /// As far as it is told to a track, that track; else all of them together.
    pub rate: Bitrate,
    /// What the transport puts around each packet, beyond IP and UDP, in bytes.
    pub around: usize,
    /// Whether a track may take more than was asked for: where nothing is lost, what repair cannot
    /// use makes for better sound.
    pub rises: bool,
}

/// The rungs of one track of Opus.
#[derive(Debug)]
pub(super) struct Rungs {
    ladder: Arc<Ladder>,
    /// The rate that was asked for; its encoding has no steps.
    usual: Bitrate,
    /// The rung that is sent; `None` is the usual encoding, which was never left.
    current: Option<Rung>,
    /// The one that is wanted: steps wait for a place where they are possible.
    wanted: Bitrate,
    /// How many frames a packet holds that nothing limits, and how many the next is to hold.
    usual_frames: usize,
    frames: usize,
    /// A frame lasts so long.
    interval: f64,
    headers: usize,
    /// What was handed over to be made, the latest use last, and what is still to be. What another
    /// session has had made is there at once, and what is sent is not to depend on that: a packet
    /// counts as made only once its segment was handed over here.
    handed_over: VecDeque<Segment>,
    asked: Vec<Segment>,
}

/// A rung, and the first packet of one of its segments.
type Segment = (Rung, u64);

impl Rungs {
    /// The ladder that `encoding` stands on; L16 stands on none.
    pub(super) fn of(encoding: &Encoding, joined: usize) -> Option<Self> {
        let EncodingSpec::Opus { bitrate } = encoding.spec() else { return None };
        Some(Self {
            ladder: Ladder::of(encoding.track()),
            usual: bitrate,
            current: None,
            wanted: bitrate,
            usual_frames: joined,
            frames: joined,
            interval: encoding.unit_duration().as_secs_f64(),
            headers: USUAL_HEADERS,
            handed_over: VecDeque::new(),
            asked: Vec::new(),
        })
    }

    /// A packet left that takes so much more than its payload.
    pub(super) fn note_headers(&mut self, bytes: usize) {
        self.headers = bytes;
    }

    /// Before the packet that begins with the frame at `index`: steps to what `limit` allows with no
    /// more than `most` frames a packet, if that is possible there and ready, and asks for what will
    /// be needed.
    pub(super) fn step(&mut self, index: u64, limit: Option<MediaLimit>, most: usize) {
        (self.wanted, self.frames) = self.choose(limit, most);
        if let Some(rung) = self.steps_to() {
            if self.is_place(rung, index) {
                self.current = Some(rung);
            }
            self.ask(rung, Ladder::next_step(index + 1));
        }
        if let Some(rung) = self.current {
            self.ask(rung, index);
            self.ask(rung, Ladder::next_step(index + 1));
            // The frames of the next packet, however long, so that it never waits for them.
            self.ask(rung, index + 2 * MOST_FRAMES as u64);
        }
    }

    /// How many frames a packet is to hold.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// Whether the frame at `index` is to begin a packet: a step can be made with it.
    pub(super) fn begins_at(&self, index: u64) -> bool {
        self.steps_to().is_some_and(|rung| self.is_place(rung, index))
    }

    /// The rung that is wanted, if it is not the one that is sent.
    fn steps_to(&self) -> Option<Rung> {
        let other = self.wanted != self.bitrate();
        Rung::all().find(|rung| other && rung.bitrate() == self.wanted)
    }

    fn is_place(&self, rung: Rung, index: u64) -> bool {
        Ladder::is_step(index)
            && self.is_handed_over(rung, index)
            && self.ladder.packet(rung, index).is_some()
    }

    fn is_handed_over(&self, rung: Rung, index: u64) -> bool {
        self.handed_over.contains(&(rung, Ladder::segment_start(index)))
    }

    /// The frame at `index` in place of the usual one: `None` where that is sent, `Some(None)`
    /// where it is still to be made.
    pub(super) fn packet(&self, index: u64) -> Option<Option<Bytes>> {
        let rung = self.current?;
        if !self.is_handed_over(rung, index) {
            return Some(None);
        }
        // Asked before: it may be made in between.
        let is_made = self.ladder.is_made(rung, index);
        match self.ladder.packet(rung, index) {
            None if is_made => None,
            packet => Some(packet),
        }
    }

    /// What is to be encoded for what comes.
    pub(super) fn take_jobs(&mut self) -> impl Iterator<Item = EncodingJob> {
        self.handed_over.extend(&self.asked);
        let forgotten = self.handed_over.len().saturating_sub(HANDED_OVER);
        self.handed_over.drain(..forgotten);
        self.asked.drain(..).filter_map(|(rung, start)| self.ladder.ask(rung, start))
    }

    fn bitrate(&self) -> Bitrate {
        self.current.map_or(self.usual, Rung::bitrate)
    }

    /// Whether what is sent is less than was asked for.
    pub(super) fn is_lowered(&self) -> bool {
        self.bitrate() < self.usual
    }

    /// The bit rate, and the frames of a packet. Only where headers dominate is anything joined, and
    /// then no more than brings a higher rung: what is lost with one packet is longer. Who told how
    /// much its path bears gets no shorter packets than fit that.
    fn choose(&self, limit: Option<MediaLimit>, most: usize) -> (Bitrate, usize) {
        let Some(limit) = limit else {
            return (self.usual, self.usual_frames.clamp(1, most.max(1)));
        };
        let dominant = is_dominant(self.headers(&limit, 1), limit.rate);
        let least = self.usual_frames.clamp(1, most.clamp(1, MOST_FRAMES));
        let most = if dominant { most.clamp(least, MOST_FRAMES) } else { least };
        let choices = (least..=most).rev().map(|frames| self.best(&limit, frames));
        // Of equal rungs the last, with the fewest frames; of those that all are too much, the one
        // with the most.
        choices
            .max_by_key(|(bitrate, _, fits)| (*fits, *bitrate))
            .map_or((self.usual, 1), |it| (it.0, if it.2 { it.1 } else { most }))
    }

    /// The highest rung with `frames` frames a packet, and whether even the lowest fits.
    fn best(&self, limit: &MediaLimit, frames: usize) -> (Bitrate, usize, bool) {
        let room = limit.rate.saturating_sub(self.headers(limit, frames));
        let most = if limit.rises { room } else { room.min(self.usual) };
        let bitrate = match EncodingSpec::opus_within(most) {
            EncodingSpec::Opus { bitrate } => bitrate,
            EncodingSpec::L16 | EncodingSpec::L16Blocks { .. } => self.usual,
        };
        (bitrate, frames, bitrate <= room)
    }

    /// What headers take with `frames` frames a packet.
    fn headers(&self, limit: &MediaLimit, frames: usize) -> Bitrate {
        let bits = (self.headers + limit.around) as f64 * 8.0;
        Bitrate::from_bps((bits / (self.interval * frames as f64)) as u64)
    }

    fn ask(&mut self, rung: Rung, index: u64) {
        let segment = (rung, Ladder::segment_start(index));
        if let Some(place) = self.handed_over.iter().position(|it| *it == segment) {
            self.handed_over.remove(place);
            self.handed_over.push_back(segment);
        } else if !self.asked.contains(&segment) {
            self.asked.push(segment);
        }
    }
}
