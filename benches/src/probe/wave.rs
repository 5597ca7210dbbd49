//! Sound to compare, and how alike two stretches of it are.

use std::f64::consts::PI;

/// What two sounds may differ by and still count as one where both are silent: -80 dB of full
/// scale, 10 dB above what rounding to 16 bits leaves.
pub(super) const FLOOR: f64 = 1e-8;

/// Rounding in the last bits of a sample, of its energy.
const BIT: f64 = 1e-10;

/// Taps on either side of a sample between samples.
const TAPS: i64 = 8;

/// Interleaved samples of one track.
#[derive(Copy, Clone, Debug)]
pub(super) struct Wave<'a> {
    samples: &'a [f32],
    channels: usize,
}

impl<'a> Wave<'a> {
    pub(super) fn new(samples: &'a [f32], channels: usize) -> Self {
        Self { samples, channels: channels.max(1) }
    }

    pub(super) fn frames(&self) -> i64 {
        (self.samples.len() / self.channels) as i64
    }

    /// The samples of `frames` frames from `start` on; `None` where they are not all there.
    pub(super) fn stretch(&self, start: i64, frames: i64) -> Option<&'a [f32]> {
        let end = start.checked_add(frames)?;
        if start < 0 || frames <= 0 || end > self.frames() {
            return None;
        }
        self.samples.get(start as usize * self.channels..end as usize * self.channels)
    }

    /// The same from a place between two frames, by a sinc of 16 taps under a Hann window: within
    /// -50 dB up to 15 kHz at 48 kHz.
    pub(super) fn stretch_at(&self, start: f64, frames: i64) -> Option<Vec<f32>> {
        let whole = start.floor();
        let part = start - whole;
        let whole = whole as i64;
        if part < 1e-3 {
            return self.stretch(whole, frames).map(<[f32]>::to_vec);
        }
        let around = self.stretch(whole - TAPS + 1, frames + 2 * TAPS)?;
        let taps: Vec<f32> = (1 - TAPS..=TAPS).map(|tap| kernel(tap as f64 - part)).collect();
        let channels = self.channels;
        let places = 0..frames as usize * channels;
        Some(
            places
                .map(|place| {
                    let column = around[place..].iter().step_by(channels);
                    column.zip(&taps).map(|(sample, tap)| sample * tap).sum()
                })
                .collect(),
        )
    }

    /// One channel out of all, unevenly weighted so that no two of them cancel.
    pub(super) fn mixed(&self, start: i64, frames: i64) -> Vec<f32> {
        let weight = |channel: usize| 1.0 / (1 + channel) as f32;
        let frame = |at: i64| -> f32 {
            let samples = self.stretch(at, 1).unwrap_or_default().iter().enumerate();
            samples.map(|(channel, sample)| sample * weight(channel)).sum()
        };
        (start..start + frames).map(frame).collect()
    }
}

fn kernel(distance: f64) -> f32 {
    let window = 0.5 + 0.5 * (PI * distance / TAPS as f64).cos();
    (window * (PI * distance).sin() / (PI * distance)) as f32
}

/// How alike two stretches of sound are.
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub(super) struct Likeness {
    /// Mean square of the difference.
    pub error: f64,
    /// Mean squares of what was heard and of what it is compared with.
    pub heard: f64,
    pub source: f64,
    /// Their mean product.
    pub product: f64,
}

impl Likeness {
    /// Of two stretches equally long.
    pub(super) fn of(heard: &[f32], source: &[f32]) -> Self {
        let mut sums = Self::default();
        for (heard, source) in heard.iter().zip(source) {
            let (heard, source) = (f64::from(*heard), f64::from(*source));
            sums.error += (heard - source) * (heard - source);
            sums.heard += heard * heard;
            sums.source += source * source;
            sums.product += heard * source;
        }
        let count = heard.len().min(source.len()).max(1) as f64;
        Self {
            error: sums.error / count,
            heard: sums.heard / count,
            source: sums.source / count,
            product: sums.product / count,
        }
    }

    /// Between -1 and 1, whatever their levels; 0 if one is silence.
    pub(super) fn correlation(&self) -> f64 {
        let energy = (self.heard * self.source).sqrt();
        if energy > 0.0 { self.product / energy } else { 0.0 }
    }

    /// Whether they differ by no more than `share` of the source's energy, or by nothing that
    /// could be heard.
    pub(super) fn is_within(&self, share: f64) -> bool {
        self.error <= share * self.source + FLOOR
    }

    /// Whether they are the same: to `share` of the source's energy, and beyond what can be heard
    /// to the bit.
    pub(super) fn is_same(&self, share: f64) -> bool {
        match self.is_silent() {
            true => self.source > 0.0 && self.error <= BIT * self.source,
            false => self.is_within(share),
        }
    }

    /// Whether neither can be heard: then nothing tells one from the other.
    pub(super) fn is_silent(&self) -> bool {
        self.heard <= FLOOR && self.source <= FLOOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, at: impl Iterator<Item = f64>) -> Vec<f32> {
        at.map(|frame| (0.5 * (2.0 * PI * hz * frame / 48_000.0).sin()) as f32).collect()
    }

    #[test]
    fn between_two_samples_the_sound_goes_on() {
        for hz in [200.0, 3_000.0, 12_000.0, 15_000.0] {
            let samples = tone(hz, (0..2_000).map(f64::from));
            let wave = Wave::new(&samples, 1);
            for part in [0.1, 0.5, 0.75] {
                let between = wave.stretch_at(100.0 + part, 960).unwrap();
                let truth = tone(hz, (0..960).map(|n| 100.0 + part + f64::from(n)));
                let likeness = Likeness::of(&between, &truth);
                assert!(likeness.is_within(1e-4), "{hz} Hz, {part}: {likeness:?}");
            }
        }
    }

    #[test]
    fn a_stretch_beyond_the_sound_is_none() {
        let samples = [0.5; 20];
        let wave = Wave::new(&samples, 2);
        assert_eq!(wave.frames(), 10);
        assert!(wave.stretch(0, 10).is_some() && wave.stretch(9, 1).is_some());
        assert!(wave.stretch(-1, 2).is_none() && wave.stretch(1, 10).is_none());
        assert!(wave.stretch(i64::MAX, 2).is_none());
    }

    #[test]
    fn opposite_channels_do_not_cancel() {
        let samples = [0.5, -0.5, 0.25, -0.25];
        assert_eq!(Wave::new(&samples, 2).mixed(0, 2), [0.25, 0.125]);
    }
}
