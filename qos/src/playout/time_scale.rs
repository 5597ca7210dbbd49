//! A little more or less of the same sound, in the same pitch.

use super::fade::falling;
use super::pitch::PitchSearch;
use super::step::largest_step;
use crate::payload::AudioFormat;

#[cfg(test)]
mod tests;

/// Shortens and lengthens blocks by a whole period of their sound.
///
/// This is WSOLA (Verhelst and Roelands, ICASSP 1993) as NetEQ uses it: the lag, 2.5 to 20 ms, at
/// which the block is most like itself is found by normalised cross-correlation, and the block
/// jumps that much ahead or back, cross-fading over a period (at least 5 ms where a period is
/// longer than half the block). Level and pitch stay; the first and the last samples of a block
/// are as they were, so that it still joins its neighbours.
///
/// *How much is forgiven.* A block changes by a period at most, 20 ms, and jumps only where it is
/// alike to 0.9, so that what is left out or said twice is no event of its own: noise, attacks and
/// changing sounds are left alone. How many blocks change is the [`Adapter`](super::Adapter)'s to bound,
/// at one in five: that is a tempo 5 to 10 % off, and listeners begin to notice 5 % in speech (Quené,
/// J. Phonetics 35, 2007). Liang, Färber and Girod (IEEE Trans. Multimedia 5, 2003) scaled packets
/// now and then, and their listeners heard no loss of quality. A jump that would step farther from a
/// sample to the next than the block does is not made.
///
/// Blocks are to hold at least 20 ms. Within 20 ms, periods up to 15 ms fit, within 25 ms all; of
/// longer blocks the last 30 ms are worked on.
#[derive(Clone, Debug)]
pub struct TimeScale {
    channels: usize,
    search: PitchSearch,
    shortest_block: usize,
    /// What is looked at of a longer block: the longest period, and half as much to compare.
    stretch: usize,
    shortest_overlap: usize,
    removed: u64,
    added: u64,
}

/// Where a block can jump: after `at` frames by `lag` frames, within a cross-fade of `overlap`.
#[derive(Copy, Clone, Debug)]
struct Splice {
    at: usize,
    lag: usize,
    overlap: usize,
}

impl TimeScale {
    /// What has to be alike for a jump to pass unheard; the threshold of NetEQ.
    const ALIKE: f32 = 0.9;
    /// A block whose mean power is below -60 dB of full scale is silent: nothing in it has a
    /// period that could be broken.
    const SILENT_POWER: f32 = 1e-6;
    /// A step that is larger by no more than this is not: 72 dB below full scale.
    const INAUDIBLE: f32 = 1.0 / 4_096.0;

    /// A time scale for blocks of one format.
    pub fn new(format: AudioFormat) -> Self {
        let hz = format.rate.hz() as usize;
        Self {
            channels: usize::from(format.channels.max(1)),
            search: PitchSearch::new(format),
            shortest_block: (hz / 50).max(4),
            stretch: (hz * 3 / 100).max(4),
            shortest_overlap: (hz / 200).max(1),
            removed: 0,
            added: 0,
        }
    }

    /// The block without one of its periods; `None` where it is shorter than 20 ms, or not alike
    /// enough to itself.
    ///
    /// What it has become shorter by is what its length says.
    pub fn shorten(&mut self, block: &[f32]) -> Option<Vec<f32>> {
        let splice = self.splice(block)?;
        let scaled = self.jump(block, splice.at, splice.at + splice.lag, splice.overlap)?;
        self.removed += splice.lag as u64;
        Some(scaled)
    }

    /// The block with one of its periods twice; `None` where it is shorter than 20 ms, or not
    /// alike enough to itself.
    ///
    /// What it has become longer by is what its length says.
    pub fn lengthen(&mut self, block: &[f32]) -> Option<Vec<f32>> {
        let splice = self.splice(block)?;
        let scaled = self.jump(block, splice.at + splice.lag, splice.at, splice.overlap)?;
        self.added += splice.lag as u64;
        Some(scaled)
    }

    /// Frames removed so far.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// Frames added so far.
    pub fn added(&self) -> u64 {
        self.added
    }

    fn splice(&self, block: &[f32]) -> Option<Splice> {
        let frames = block.len() / self.channels;
        if frames < self.shortest_block {
            return None;
        }
        let skipped = frames.saturating_sub(self.stretch);
        let (block, frames) = (&block[skipped * self.channels..], frames - skipped);
        let lag = if self.is_silent(block) {
            frames / 2
        } else {
            let found = self.search.best(block, frames - self.shortest_overlap, frames);
            (found.similarity >= Self::ALIKE).then_some(found.lag)?
        };
        let overlap = lag.min(frames - lag);
        let at = skipped + (frames - lag - overlap) / 2;
        Some(Splice { at, lag, overlap })
    }

    fn is_silent(&self, block: &[f32]) -> bool {
        let energy: f32 = block.iter().map(|sample| sample * sample).sum();
        energy <= Self::SILENT_POWER * block.len() as f32
    }

    /// The block up to frame `from`, then on from frame `to`, cross-faded over `overlap` frames;
    /// `None` where that would step farther than the block does: by so much the two differ.
    fn jump(&self, block: &[f32], from: usize, to: usize, overlap: usize) -> Option<Vec<f32>> {
        let sample = |frame: usize| frame * self.channels;
        let mut out = Vec::with_capacity(sample(from) + block.len() - sample(to));
        out.extend_from_slice(&block[..sample(from + overlap)]);
        let incoming = &block[sample(to)..sample(to + overlap)];
        for (index, (leaving, arriving)) in out[sample(from)..].iter_mut().zip(incoming).enumerate()
        {
            let weight = falling(index / self.channels, overlap);
            *leaving = arriving + weight * (*leaving - arriving);
        }
        out.extend_from_slice(&block[sample(to + overlap)..]);
        let own = largest_step(block, self.channels);
        (largest_step(&out, self.channels) <= own + Self::INAUDIBLE).then_some(out)
    }
}
