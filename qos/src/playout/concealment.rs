//! Sound for what never came.

use super::fade::falling;
use super::pitch::{Match, PitchSearch};
use super::step::largest_of;
use crate::payload::AudioFormat;

#[cfg(test)]
mod tests;

/// Fills holes in the sound by letting it go on in its own period, and fades out where the hole
/// is long.
///
/// The method is that of G.711 Appendix I (ITU-T, 1999), with other numbers and without its
/// delay of 3.75 ms:
///
/// * The pitch period is the lag, 2.5 to 20 ms, at which the last 20 ms of sound are most like
///   what was before them. Where nothing is alike, as in noise, the longest lag is taken, for a
///   short one would hum.
/// * The last period is repeated; after 10 ms the last two, after 20 ms the last three, so that
///   the sound does not turn into a buzz.
/// * The level is held for 20 ms and has faded to silence after 120 ms.
/// * When real sound comes back, it is cross-faded with the extension over 5 ms.
///
/// What breaks off must go on without a step, and it has been played already. So the difference
/// between the last samples and those a period earlier goes on, reflected, on top of the
/// extension, and fades out over its first 5 ms; where the sound does not repeat, this amounts to
/// a cross-fade from its mirror image. No step of it is larger than those of the sound. Each cycle
/// ends on the very sample at which the sound broke off: it can be followed by another without a
/// seam.
///
/// As long as nothing is lost, blocks go through as they are, to the bit.
#[derive(Clone, Debug)]
pub struct Concealer {
    spans: Spans,
    search: PitchSearch,
    /// What was heard last, concealment included.
    history: Vec<f32>,
    extension: Option<Extension>,
}

impl Concealer {
    /// A concealer that has heard silence so far.
    pub fn new(format: AudioFormat) -> Self {
        let spans = Spans::new(format);
        Self {
            search: PitchSearch::new(format),
            history: vec![0.0; spans.history * spans.channels],
            extension: None,
            spans,
        }
    }

    /// A real block, of any length, on its way to the sink.
    ///
    /// After concealment its first 5 ms are cross-faded with the extension; otherwise it is left
    /// untouched. Call it with every real block, for what is heard is what an extension grows
    /// from.
    pub fn heard(&mut self, block: &mut [f32]) {
        if let Some(extension) = &mut self.extension {
            extension.give_way(block);
            if extension.is_over() {
                self.extension = None;
            }
        }
        self.remember(block);
    }

    /// Appends `frames` frames of concealment to `out`. Consecutive calls make one extension.
    pub fn conceal(&mut self, frames: usize, out: &mut Vec<f32>) {
        // Lost again before the last extension had given way: the sound as it was heard goes on.
        let mut extension = match self.extension.take() {
            Some(extension) if extension.recovered == 0 => extension,
            _ => Extension::new(self.spans, &self.search, self.recent()),
        };
        let start = out.len();
        out.resize(start + frames * self.spans.channels, 0.0);
        extension.play(&self.search, &mut out[start..]);
        self.extension = Some(extension);
        self.remember(&out[start..]);
    }

    /// Forgets what was heard, as after a seek.
    pub fn reset(&mut self) {
        self.extension = None;
        self.history.clear();
        self.history.resize(self.spans.history * self.spans.channels, 0.0);
    }

    fn recent(&self) -> &[f32] {
        &self.history[self.history.len() - self.spans.history * self.spans.channels..]
    }

    /// Appends whole frames to the history, and moves it down once it has doubled.
    fn remember(&mut self, block: &[f32]) {
        let block = &block[..block.len() - block.len() % self.spans.channels];
        let needed = self.spans.history * self.spans.channels;
        let new = &block[block.len().saturating_sub(needed)..];
        if self.history.len() + new.len() > 2 * needed {
            let gone = self.history.len() + new.len() - needed;
            self.history.drain(..gone);
        }
        self.history.extend_from_slice(new);
    }
}

/// The constants of the method, in frames of one format.
#[derive(Copy, Clone, Debug)]
struct Spans {
    channels: usize,
    /// The stretch of sound whose period is looked for.
    window: usize,
    /// Three of the longest periods, and the window before them; at the very lowest rates, enough
    /// for the join.
    history: usize,
    /// The longest join between the sound and its extension.
    join: usize,
    /// After this, and after twice this, a cycle has a period more.
    another_period: usize,
    /// The level falls from here …
    held: usize,
    /// … over this span.
    fade: usize,
    /// The cross-fade back to real sound.
    recovery: usize,
}

impl Spans {
    const MOST_PERIODS: usize = 3;

    fn new(format: AudioFormat) -> Self {
        let hz = format.rate.hz() as usize;
        let millis = |span: usize| (hz * span / 1_000).max(1);
        let longest_period = PitchSearch::new(format).longest();
        Self {
            channels: usize::from(format.channels.max(1)),
            window: millis(20),
            history: longest_period * Self::MOST_PERIODS + millis(20) + 2,
            join: millis(5),
            another_period: millis(10),
            held: millis(20),
            fade: millis(100),
            recovery: millis(5),
        }
    }

    /// The level of the extension `elapsed` frames after the sound broke off.
    fn level(&self, elapsed: usize) -> f32 {
        falling(elapsed.saturating_sub(self.held), self.fade)
    }
}

/// The sound as it would have gone on from where it broke off.
#[derive(Clone, Debug)]
struct Extension {
    spans: Spans,
    /// What was heard before.
    past: Vec<f32>,
    /// The period, in frames.
    lag: usize,
    /// What is repeated, and the next frame of it.
    cycle: Vec<f32>,
    next: usize,
    /// Frames since the sound broke off.
    elapsed: usize,
    /// Frames of real sound since it came back.
    recovered: usize,
}

impl Extension {
    /// Below this similarity a sound has no period worth repeating.
    const PERIODIC: f32 = 0.5;

    fn new(spans: Spans, search: &PitchSearch, past: &[f32]) -> Self {
        let needed = (search.longest() + spans.window) * spans.channels;
        let tail = &past[past.len().saturating_sub(needed)..];
        let found = search.best(tail, search.longest(), spans.window);
        let periodic = found.similarity >= Self::PERIODIC;
        let mut extension = Self {
            spans,
            past: past.to_vec(),
            lag: if periodic { found.lag } else { search.longest() },
            cycle: Vec::new(),
            next: 0,
            elapsed: 0,
            recovered: 0,
        };
        extension.start_cycle(search);
        extension
    }

    /// Fills `out` and goes on.
    fn play(&mut self, search: &PitchSearch, out: &mut [f32]) {
        let channels = self.spans.channels;
        for frame in out.chunks_exact_mut(channels) {
            if self.next == self.cycle.len() {
                self.start_cycle(search);
            }
            let level = self.spans.level(self.elapsed);
            for (sample, &source) in frame.iter_mut().zip(&self.cycle[self.next..]) {
                *sample = level * source;
            }
            self.next += channels;
            self.elapsed += 1;
        }
    }

    /// Cross-fades into `block`, the real sound.
    fn give_way(&mut self, block: &mut [f32]) {
        for frame in block.chunks_exact_mut(self.spans.channels) {
            if self.is_over() {
                return;
            }
            if self.next == self.cycle.len() {
                self.next = 0;
            }
            let weight = falling(self.recovered, self.spans.recovery);
            let level = self.spans.level(self.elapsed);
            for (sample, &source) in frame.iter_mut().zip(&self.cycle[self.next..]) {
                *sample += weight * (level * source - *sample);
            }
            self.next += self.spans.channels;
            self.elapsed += 1;
            self.recovered += 1;
        }
    }

    fn is_over(&self) -> bool {
        self.recovered >= self.spans.recovery
    }

    /// Makes the next cycle, of as many periods as the time calls for.
    fn start_cycle(&mut self, search: &PitchSearch) {
        let periods = (1 + self.elapsed / self.spans.another_period).min(Spans::MOST_PERIODS);
        // A period is seldom a whole number of frames; what is missing adds up.
        let (around, spread) = (periods * self.lag, periods - 1);
        let longest = (around + spread).min(Spans::MOST_PERIODS * search.longest());
        let lags = around - spread..=longest;
        let Match { lag, similarity } = search.best_within(&self.past, lags, self.spans.window);

        let channels = self.spans.channels;
        self.cycle.clear();
        self.cycle.extend_from_slice(&self.past[self.past.len() - lag * channels..]);
        self.next = 0;
        let join = self.spans.join.min(lag / 2);
        for channel in 0..channels {
            self.join(channel, lag, join, similarity.clamp(0.0, 1.0));
        }
    }

    /// Lets the cycle of `lag` frames begin where the sound broke off: on top of its first `join`
    /// frames comes, fading out, what the cycle does not explain of the last frames, reflected.
    ///
    /// A reflection in the last point keeps the slope, but doubles the value there; one in time
    /// keeps the level, but turns the slope around. The more alike the cycle is, the smaller is
    /// what is reflected, and the slope is what matters; where nothing is alike it is the level.
    fn join(&mut self, channel: usize, lag: usize, join: usize, similarity: f32) {
        let channels = self.spans.channels;
        let before_end = |frames: usize| self.past[self.past.len() - frames * channels + channel];
        let unexplained = |back: usize| before_end(back) - similarity * before_end(back + lag);
        let keep_slope = similarity.powi(4);
        for (frame, samples) in self.cycle.chunks_exact_mut(channels).take(join).enumerate() {
            let in_time = unexplained(frame + 1);
            let in_the_point = 2.0 * unexplained(1) - unexplained(frame + 2);
            let reflected = in_time + keep_slope * (in_the_point - in_time);
            let weight = falling(frame, join);
            samples[channel] += weight * (reflected - (1.0 - similarity) * samples[channel]);
        }
        self.soften(channel);
    }

    /// Lets no step of the cycle be larger than those of the sound: where it is not alike, what is
    /// reflected comes on top.
    fn soften(&mut self, channel: usize) {
        let channels = self.spans.channels;
        let largest = largest_of(self.past.iter().skip(channel).step_by(channels));
        let mut before = self.past[self.past.len() - channels + channel];
        for sample in self.cycle.iter_mut().skip(channel).step_by(channels) {
            *sample = before + (*sample - before).clamp(-largest, largest);
            before = *sample;
        }
    }
}
