//! Which rung of the ladder of encodings a track is sent on.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use cantus_qos::quantity::Bitrate;

use crate::encoding::{Encoding, EncodingJob, EncodingSpec, Ladder, Rung};

/// Bytes of headers that are assumed before the first packet has shown its own: IPv4, UDP, RTP,
/// sending time, and the footer of repair.
const USUAL_HEADERS: usize = 28 + 12 + 8 + 6;

/// Segments that are remembered to have been asked for: this one and the next of two rungs.
const ASKED: usize = 4;

/// What the media of a session may take with all headers, where the path limits it.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct MediaLimit {
    /// All tracks together.
    pub rate: Bitrate,
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
    /// Between packets.
    interval: f64,
    headers: usize,
    /// What was asked for here: what another session has asked for may be there already, or not,
    /// and what is sent is not to depend on that.
    asked: VecDeque<(Rung, u64)>,
    jobs: Vec<EncodingJob>,
}

impl Rungs {
    /// The ladder that `encoding` stands on; L16 stands on none.
    pub(super) fn of(encoding: &Encoding) -> Option<Self> {
        let EncodingSpec::Opus { bitrate } = encoding.spec() else { return None };
        Some(Self {
            ladder: Ladder::of(encoding.track()),
            usual: bitrate,
            current: None,
            interval: encoding.unit_duration().as_secs_f64(),
            headers: USUAL_HEADERS,
            asked: VecDeque::new(),
            jobs: Vec::new(),
        })
    }

    /// A packet left that takes so much more than its payload.
    pub(super) fn note_headers(&mut self, bytes: usize) {
        self.headers = bytes;
    }

    /// Before the packet at `index`: steps to what `limit` allows, if that is possible there and
    /// ready, and asks for what will be needed.
    pub(super) fn step(&mut self, index: u64, limit: Option<MediaLimit>) {
        let wanted = self.choose(limit);
        if wanted != self.bitrate() {
            let rung = Rung::all().find(|rung| rung.bitrate() == wanted);
            if let Some(rung) = rung {
                let asked = self.asked.contains(&(rung, Ladder::segment_of(index)));
                if asked && Ladder::is_step(index) && self.ladder.packet(rung, index).is_some() {
                    self.current = Some(rung);
                }
                self.ask(rung, Ladder::next_step(index + 1));
            }
        }
        if let Some(rung) = self.current {
            self.ask(rung, index);
            self.ask(rung, Ladder::next_step(index + 1));
        }
    }

    /// The packet at `index` in place of the usual one: `None` where that is sent, `Some(None)`
    /// where it is still to be made.
    pub(super) fn packet(&self, index: u64) -> Option<Option<Bytes>> {
        let rung = self.current?;
        match self.ladder.packet(rung, index) {
            None if self.ladder.is_made(rung, index) => None,
            packet => Some(packet),
        }
    }

    /// What is to be encoded for what comes.
    pub(super) fn take_jobs(&mut self) -> impl Iterator<Item = EncodingJob> {
        self.jobs.drain(..)
    }

    fn bitrate(&self) -> Bitrate {
        self.current.map_or(self.usual, Rung::bitrate)
    }

    /// Whether what is sent is less than was asked for.
    pub(super) fn is_lowered(&self) -> bool {
        self.bitrate() < self.usual
    }

    fn choose(&self, limit: Option<MediaLimit>) -> Bitrate {
        let Some(MediaLimit { rate, rises }) = limit else { return self.usual };
        let headers = Bitrate::from_bps((self.headers as f64 * 8.0 / self.interval) as u64);
        let room = rate.saturating_sub(headers);
        let most = if rises { room } else { room.min(self.usual) };
        match EncodingSpec::opus_within(most) {
            EncodingSpec::Opus { bitrate } => bitrate,
            EncodingSpec::L16 => self.usual,
        }
    }

    fn ask(&mut self, rung: Rung, index: u64) {
        let segment = (rung, Ladder::segment_of(index));
        if self.asked.contains(&segment) {
            return;
        }
        self.asked.push_back(segment);
        if self.asked.len() > ASKED {
            self.asked.pop_front();
        }
        self.jobs.extend(self.ladder.ask(rung, index));
    }
}
