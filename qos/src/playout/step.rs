//! What a click is: a step from a sample to the next over those that the sound itself takes.

use std::collections::VecDeque;

use crate::payload::AudioFormat;

/// The largest step from a frame to the next, in any channel.
pub(super) fn largest_step(samples: &[f32], channels: usize) -> f32 {
    let next = samples.iter().skip(channels);
    samples.iter().zip(next).map(|(from, to)| (to - from).abs()).fold(0.0, f32::max)
}

/// The largest step from a sample of one channel to the next.
pub(super) fn largest_of<'a>(samples: impl Iterator<Item = &'a f32> + Clone) -> f32 {
    let next = samples.clone().skip(1);
    samples.zip(next).map(|(from, to)| (to - from).abs()).fold(0.0, f32::max)
}

/// Joins sound that was made up by somebody else, such as a codec's own concealment, to the sound
/// before and after it, so that no step is larger than those of the sound.
///
/// A codec's cross-fade back to what was sent is short (2.5 ms in Opus), and where the two are out of
/// phase it steps from one swing to the other. Here it may step no farther than the sound did in its
/// last 80 ms, or does behind the join where that is much farther, and takes as much longer to get
/// there. Sound that follows no gap goes through as it is, to the bit.
#[derive(Clone, Debug)]
pub struct StepLimit {
    channels: Vec<Channel>,
    /// Behind so many frames a block is as it was sent.
    join: usize,
    /// So many frames of sound are remembered.
    memory: usize,
    /// So many frames after a gap its end may still be heard.
    settling: usize,
    /// Frames of sound since the last gap.
    since: usize,
}

/// One channel of it.
#[derive(Clone, Debug, Default)]
struct Channel {
    /// What was heard last.
    last: f32,
    /// Blocks of sound: their frames and their largest step.
    steps: VecDeque<(usize, f32)>,
    /// Whether what is heard has not caught up with what was sent.
    behind: bool,
}

impl StepLimit {
    /// Steps that small are heard by nobody: 72 dB below full scale.
    const INAUDIBLE: f32 = 1.0 / 4_096.0;
    /// Sound whose steps are so much larger than those before the gap is another sound.
    const ANOTHER: f32 = 3.0;

    /// No sound yet.
    pub fn new(format: AudioFormat) -> Self {
        let millis = |span: usize| format.rate.hz() as usize * span / 1_000;
        let channels = usize::from(format.channels.max(1));
        let channels = vec![Channel::default(); channels];
        Self {
            channels,
            join: millis(5),
            memory: millis(80),
            settling: millis(40),
            since: usize::MAX,
        }
    }

    /// Forgets what was heard, as after a seek.
    pub fn reset(&mut self) {
        self.channels.fill(Channel::default());
        self.since = usize::MAX;
    }

    /// A block of sound.
    pub fn sound(&mut self, block: &mut [f32]) {
        if self.since < self.settling || self.channels.iter().any(|channel| channel.behind) {
            self.settle(block);
        } else {
            self.learn(block);
        }
        self.since = self.since.saturating_add(block.len() / self.channels.len());
        self.end(block);
    }

    /// A block that was made up.
    pub fn made_up(&mut self, block: &mut [f32]) {
        let count = self.channels.len();
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let largest = channel.largest();
            channel.follow(block.iter_mut().skip(index).step_by(count), largest, usize::MAX);
        }
        self.since = 0;
        self.end(block);
    }

    /// Joins a block to one that was made up.
    fn settle(&mut self, block: &mut [f32]) {
        let (count, memory) = (self.channels.len(), self.memory);
        let frames = block.len() / count;
        let join = if self.since == 0 { self.join.min(frames) } else { 0 };
        let behind = block[join * count..].to_vec();
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let own = channel.largest();
            let new = largest_of(behind.iter().skip(index).step_by(count));
            // A codec that has lost its thread overshoots a little; another sound is another sound.
            let is_another = new > Self::ANOTHER * own;
            let (largest, join) = if is_another { (new, join) } else { (own, usize::MAX) };
            channel.follow(block.iter_mut().skip(index).step_by(count), largest, join);
            if is_another {
                channel.learn(frames - join, new, memory);
            }
        }
    }

    /// Remembers the steps of a block.
    fn learn(&mut self, block: &[f32]) {
        let (count, memory) = (self.channels.len(), self.memory);
        if block.is_empty() {
            return;
        }
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let largest = largest_of(block.iter().skip(index).step_by(count));
            channel.learn(block.len() / count, largest, memory);
        }
    }

    /// Remembers how a block ended.
    fn end(&mut self, block: &[f32]) {
        let Some(last) = block.rchunks_exact(self.channels.len()).next() else { return };
        for (channel, sample) in self.channels.iter_mut().zip(last) {
            channel.last = *sample;
        }
    }
}

impl Channel {
    /// Remembers the largest step of so many `frames`, and forgets what came before `memory`.
    fn learn(&mut self, frames: usize, largest: f32, memory: usize) {
        self.steps.push_back((frames, largest));
        let mut remembered: usize = self.steps.iter().map(|(frames, _)| frames).sum();
        while let Some((oldest, _)) = self.steps.front().copied() {
            remembered -= oldest;
            if remembered < memory {
                break;
            }
            self.steps.pop_front();
        }
    }

    /// The largest step of what is remembered.
    fn largest(&self) -> f32 {
        let steps = self.steps.iter().map(|(_, step)| *step);
        steps.fold(StepLimit::INAUDIBLE, f32::max)
    }

    /// Follows `samples` by steps of at most `largest`, for `join` frames and until it has caught up.
    fn follow<'a>(
        &mut self,
        samples: impl Iterator<Item = &'a mut f32>,
        largest: f32,
        join: usize,
    ) {
        let mut before = self.last;
        self.behind = false;
        for (frame, sample) in samples.enumerate() {
            let step = *sample - before;
            self.behind = step.abs() > largest;
            let followed = if self.behind { before + step.signum() * largest } else { *sample };
            if frame >= join && !self.behind {
                return;
            }
            *sample = followed;
            before = followed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playout::signals::{STEREO, sine, stereo};

    const UNIT: usize = 960;

    /// Two tones, of which the middle is replaced by one that is out of phase.
    fn broken() -> (Vec<f32>, Vec<f32>) {
        let sent = stereo(&sine(61.0, 0.5, 5 * UNIT), &sine(440.0, 0.1, 5 * UNIT));
        let mut heard = sent.clone();
        let wrong = stereo(&sine(70.0, 0.5, UNIT), &sine(500.0, 0.1, UNIT));
        heard[4 * UNIT..6 * UNIT].copy_from_slice(&wrong);
        let mut limit = StepLimit::new(STEREO);
        for (index, block) in heard.chunks_exact_mut(2 * UNIT).enumerate() {
            match index {
                2 => limit.made_up(block),
                _ => limit.sound(block),
            }
        }
        (sent, heard)
    }

    #[test]
    fn no_step_is_larger_than_those_of_the_sound_in_its_own_channel() {
        let (sent, heard) = broken();
        for index in 0..2 {
            let channel =
                |all: &[f32]| all.iter().skip(index).step_by(2).copied().collect::<Vec<_>>();
            let (own, step) = (largest_step(&channel(&sent), 1), largest_step(&channel(&heard), 1));
            assert!(step <= own * 1.0001, "channel {index}: {step} against {own}");
        }
    }

    #[test]
    fn sound_is_untouched_before_the_gap_and_soon_after_it() {
        let (sent, heard) = broken();
        assert!(heard[..4 * UNIT] == sent[..4 * UNIT]);
        assert!(heard[7 * UNIT..] == sent[7 * UNIT..], "10 ms after it");
    }
}
