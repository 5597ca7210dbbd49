//! Finding a sound in another.

use std::fmt;
use std::ops::Range;
use std::path::Path;

const RATE: usize = 48_000;
/// What is looked for at a time: 50 ms.
const WINDOW: usize = RATE / 20;
/// How far from where the window before was found: 100 ms.
const REACH: usize = RATE / 10;
/// The rough search works on every so manieth sample.
const THINNING: usize = 8;
/// The rough search looks for the first so many samples of sound: half a second.
const OPENING: usize = RATE / 2;
/// A window that is recognised correlates with the recording at least so much.
const ALIKE: f32 = 0.7;
/// Below this mean amplitude there is nothing to recognise.
const QUIET: f32 = 0.01;
/// The last windows, of which one at least is to be there: a quarter of a second.
const LAST: usize = 5;
/// Windows that are found farther than 1 ms from where they belong have moved.
const STEP: usize = RATE / 1_000;

/// One channel at 48 kHz.
pub(super) struct Sound(Vec<f32>);

/// What of a sound was found in a recording.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Windows of 50 ms that are not silent.
    pub(super) windows: usize,
    /// The share of them that was recognised.
    pub(super) recognised: f32,
    /// How often a window was not at its place behind the one before.
    pub(super) steps: usize,
    /// The median amplitude, compared with the original.
    pub(super) loudness: f32,
    /// Whether at least one of the last windows is there.
    pub(super) reached_the_end: bool,
}

impl Sound {
    /// The first channel of a WAV file.
    pub(super) fn read(file: &Path) -> Self {
        let mut reader = hound::WavReader::open(file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(reader.spec().sample_rate as usize, RATE, "{}", file.display());
        let channels = usize::from(reader.spec().channels);
        let samples = reader.samples::<i16>().step_by(channels);
        Self(samples.map_while(Result::ok).map(|it| f32::from(it) / 32_768.0).collect())
    }

    /// Its first seconds.
    pub(super) fn first(mut self, seconds: usize) -> Self {
        self.0.truncate(seconds * RATE);
        self
    }

    /// Looks for this sound, window by window, in `recording`; `None` if even its beginning is
    /// not there.
    pub(super) fn find_in(&self, recording: &Self) -> Option<Found> {
        let begin = self.0.iter().position(|sample| sample.abs() > QUIET)?;
        let mut at = self.rough(begin, recording)?;
        let (mut windows, mut hits, mut steps) = (0, 0, 0);
        let (mut ratios, mut last_hit) = (Vec::new(), 0);
        for window in (begin..self.0.len().saturating_sub(WINDOW)).step_by(WINDOW) {
            let sent = &self.0[window..window + WINDOW];
            if amplitude(sent) < QUIET {
                continue;
            }
            windows += 1;
            // The rough search counts from the first window; the others from the one before.
            let expected = at + window - begin;
            let nearest = expected.saturating_sub(REACH)..expected + REACH;
            let best = best_match(sent, &recording.0, nearest);
            let Some((place, _)) = best.filter(|(_, alike)| *alike > ALIKE) else { continue };
            last_hit = windows;
            steps += usize::from(hits > 0 && place.abs_diff(expected) > STEP);
            hits += 1;
            ratios.push(amplitude(&recording.0[place..place + WINDOW]) / amplitude(sent));
            at = (place + begin).saturating_sub(window);
        }
        ratios.sort_by(f32::total_cmp);
        let loudness = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
        let recognised = hits as f32 / windows.max(1) as f32;
        let reached_the_end = last_hit + LAST > windows;
        Some(Found { windows, recognised, steps, loudness, reached_the_end })
    }

    fn rough(&self, begin: usize, recording: &Self) -> Option<usize> {
        let sent = thin(self.0.get(begin..begin + OPENING)?);
        let heard = thin(&recording.0);
        let (place, alike) = best_match(&sent, &heard, 0..heard.len())?;
        (alike > ALIKE / 2.0).then_some(place * THINNING)
    }
}

/// Where in `range` `sent` begins in `heard`, and how alike they are there, from -1 to 1.
fn best_match(sent: &[f32], heard: &[f32], range: Range<usize>) -> Option<(usize, f32)> {
    let last = heard.len().checked_sub(sent.len())?;
    let places = range.start..range.end.min(last);
    let matches = places.map(|place| (place, alike(sent, &heard[place..place + sent.len()])));
    matches.max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// The normalised correlation.
fn alike(one: &[f32], other: &[f32]) -> f32 {
    let (mut product, mut energy, mut other_energy) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(other) {
        product += a * b;
        energy += a * a;
        other_energy += b * b;
    }
    product / (energy * other_energy).sqrt().max(1e-6)
}

fn amplitude(sound: &[f32]) -> f32 {
    (sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32).sqrt()
}

fn thin(sound: &[f32]) -> Vec<f32> {
    sound.chunks(THINNING).map(|few| few.iter().sum::<f32>() / few.len() as f32).collect()
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.reached_the_end { "to the end" } else { "without the end" };
        write!(
            f,
            "{:.0} % of {} windows recognised {end}, {} steps between them, {:.2} times as loud",
            100.0 * self.recognised,
            self.windows,
            self.steps,
            self.loudness
        )
    }
}
