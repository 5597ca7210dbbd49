//! The rungs of the ladder that a sender can step to at short notice, from wherever it is.
//!
//! An encoding from beginning to end would come too late for who needs a lower rate now, in the
//! middle of an hour. So the rungs are made in segments of a second, when they are asked for, each
//! by an encoder of its own that has heard what comes before. Every tenth packet is coded without
//! prediction from the one before: there a decoder can step from one rung to another and finds
//! everything that it needs. The pieces of two rungs overlap like those of one, since their
//! transforms see the same sound.
//!
//! A packet without prediction spends a few bytes on what it cannot predict; that is why who is
//! content with one rate gets an encoding without such places.

use super::opus::{self, FRAMES};
use super::{EncodingError, LADDER_KBPS, resample};
use crate::catalogue::AudioTrack;
use bytes::Bytes;
use cantus_qos::quantity::Bitrate;
use cantus_qos::time::ClockRate;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

/// Packets of a segment, a second; and of its encoder's run-up, in which it gets to know the sound.
const SEGMENT: u64 = 50;
const RUN_UP: u64 = 20;

/// One packet in so many is coded without prediction.
const STEP: u64 = 10;

/// A bit rate of the [`Ladder`]: its place from the lowest, 0.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rung(usize);

impl Rung {
    /// All of them, lowest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..LADDER_KBPS.len()).map(Self)
    }

    /// The rate of the payload.
    pub fn bitrate(self) -> Bitrate {
        Bitrate::from_kbps(LADDER_KBPS[self.0])
    }
}

/// Every rung of one sound, as far as it was asked for.
#[derive(Debug)]
pub struct Ladder {
    track: Arc<AudioTrack>,
    units: u64,
    rungs: Vec<Box<[Segment]>>,
}

/// Its packets, once they are made; none where the encoder has failed.
type Segment = OnceLock<Vec<Bytes>>;

/// A segment that is to be encoded: ten milliseconds of work, for who has the time.
#[derive(Debug)]
pub struct EncodingJob {
    ladder: Arc<Ladder>,
    rung: Rung,
    segment: u64,
}

impl Ladder {
    /// The ladder of `track`: the same one for all who hold it.
    pub fn of(track: &Arc<AudioTrack>) -> Arc<Self> {
        let make = || Ok::<_, Infallible>(Self::new(track));
        track.ladder.get_or_make((), |_| true, make).unwrap_or_else(|never| match never {})
    }

    fn new(track: &Arc<AudioTrack>) -> Self {
        let units = resample::frames_at(ClockRate::OPUS, track).div_ceil(FRAMES);
        let segments = || (0..units.div_ceil(SEGMENT)).map(|_| Segment::default()).collect();
        Self { track: Arc::clone(track), units, rungs: Rung::all().map(|_| segments()).collect() }
    }

    /// Whether one can step to another rung with the packet at `index`.
    pub fn is_step(index: u64) -> bool {
        index.is_multiple_of(STEP)
    }

    /// The first packet from `index` on with which one can.
    pub fn next_step(index: u64) -> u64 {
        index.next_multiple_of(STEP)
    }

    /// The packet at `index`, if it is made.
    pub fn packet(&self, rung: Rung, index: u64) -> Option<Bytes> {
        let packets = self.segment(rung, index)?.get()?;
        packets.get((index % SEGMENT) as usize).cloned()
    }

    /// Whether all was done for the packet at `index` that can be done.
    pub fn is_made(&self, rung: Rung, index: u64) -> bool {
        self.segment(rung, index).is_none_or(|segment| segment.get().is_some())
    }

    /// Asks for the packets of the segment of `index`: what is to be done, unless it is.
    pub fn ask(self: &Arc<Self>, rung: Rung, index: u64) -> Option<EncodingJob> {
        let (ladder, segment) = (Arc::clone(self), Self::segment_of(index));
        (!self.is_made(rung, index)).then_some(EncodingJob { ladder, rung, segment })
    }

    /// The first packet of the segment in which the packet at `index` is made.
    pub fn segment_start(index: u64) -> u64 {
        Self::segment_of(index) * SEGMENT
    }

    fn segment_of(index: u64) -> u64 {
        index / SEGMENT
    }

    fn segment(&self, rung: Rung, index: u64) -> Option<&Segment> {
        self.rungs.get(rung.0)?.get(usize::try_from(Self::segment_of(index)).ok()?)
    }

    fn encode(&self, rung: Rung, segment: u64) -> Result<Vec<Bytes>, EncodingError> {
        let first = segment * SEGMENT;
        let end = (first + SEGMENT).min(self.units);
        let begin = first.saturating_sub(RUN_UP);
        let mut encoder = opus::UnitEncoder::at(&self.track, rung.bitrate(), begin)?;
        let mut packets = Vec::with_capacity(SEGMENT as usize);
        for index in begin..end {
            let packet = encoder.encode(index >= first && Self::is_step(index))?;
            if index >= first {
                packets.push(packet);
            }
        }
        Ok(packets)
    }
}

impl EncodingJob {
    /// Does it, or waits for who is at it already. Takes about a hundred microseconds a packet.
    pub fn run(self) {
        let Self { ladder, rung, segment } = self;
        let Some(place) = ladder.segment(rung, segment * SEGMENT) else { return };
        place.get_or_init(|| {
            ladder.encode(rung, segment).unwrap_or_else(|error| {
                tracing::error!(track = ladder.track.name, %error, "a rung cannot be encoded");
                Vec::new()
            })
        });
    }
}

#[cfg(test)]
mod tests;
