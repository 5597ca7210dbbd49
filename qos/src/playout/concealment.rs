//! Sound for what never came.

use super::fade::falling;
use super::pitch::PitchSearch;
use crate::payload::AudioFormat;

#[cfg(test)]
mod tests;

/// Spans in frames, from hertz: a span of a 1/`PER`th second.
const fn span(hz: usize, per: usize) -> usize {
    let frames = hz / per;
    if frames == 0 { 1 } else { frames }
}

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
/// between the last samples and those a period earlier is played once more, mirrored in time, on
/// top of the extension, and faded out over its first milliseconds; where the sound does not
/// repeat, this amounts to a cross-fade from its mirror image. Each cycle ends on the very sample
/// at which the sound broke off: it can be followed by another without a seam.
///
/// As long as nothing is lost, blocks go through as they are, to the bit.
#[derive(Clone, Debug)]
pub struct Concealer {
    format: Spans,
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
            format: spans,
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
            _ => Extension::new(self.format, &self.search, self.recent()),
        };
        let start = out.len();
        out.resize(start + frames * self.format.channels, 0.0);
        extension.play(&self.search, &mut out[start..]);
        self.extension = Some(extension);
        self.remember(&out[start..]);
    }

    /// Forgets what was heard, as after a seek.
    pub fn reset(&mut self) {
        self.extension = None;
        self.history.clear();
        self.history.resize(self.format.history * self.format.channels, 0.0);
    }

    fn recent(&self) -> &[f32] {
        &self.history[self.history.len() - self.format.history * self.format.channels..]
    }

    /// Appends to the history, and moves it down once it has doubled.
    fn remember(&mut self, block: &[f32]) {
        let needed = self.format.history * self.format.channels;
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
    /// Three of the longest periods, and the window before them.
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
        Self {
            channels: usize::from(format.channels.max(1)),
            window: span(hz, 50),
            history: span(hz, 50) * (Self::MOST_PERIODS + 1),
            join: span(hz, 200),
            another_period: span(hz, 100),
            held: span(hz, 50),
            fade: span(hz, 10),
            recovery: span(hz, 200),
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
        let lag = periods * self.lag;
        let similarity = search.similarity(&self.past, lag, self.spans.window).clamp(0.0, 1.0);
        let channels = self.spans.channels;
        let end = self.past.len();
        let start = end - lag * channels;
        self.cycle.clear();
        self.cycle.extend_from_slice(&self.past[start..]);
        self.next = 0;

        let join = self.spans.join.min(lag / 2);
        for (frame, samples) in self.cycle.chunks_exact_mut(channels).take(join).enumerate() {
            let weight = falling(frame, join);
            let mirror = (frame + 1) * channels;
            for (channel, sample) in samples.iter_mut().enumerate() {
                let last = self.past[end - mirror + channel];
                let a_period_before = self.past[start - mirror + channel];
                let unexplained = last - similarity * a_period_before;
                *sample += weight * (unexplained - (1.0 - similarity) * *sample);
            }
        }
    }
}
