//! The lag at which a sound is most like itself.
//!
//! The measure is the normalised cross-correlation, as in G.711 Appendix I, section I.2.2, and in
//! WSOLA (Verhelst and Roelands, ICASSP 1993). It is taken over the interleaved samples, which
//! sums it over the channels: one lag for all, and channels in opposite phase do not cancel.

use crate::payload::AudioFormat;
use std::ops::RangeInclusive;

/// The shortest period that is looked for is 1/400 s: 2.5 ms. Higher notes are found at a
/// multiple of their period.
const HIGHEST_HZ: usize = 400;
/// The longest is 1/50 s: 20 ms.
const LOWEST_HZ: usize = 50;
/// The first, coarse search runs at about this rate, as speech has its period well below.
const COARSE_HZ: usize = 8_000;

/// A lag, and how alike the sound is to itself that much earlier: -1 to 1, 1 where it repeats.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(super) struct Match {
    pub(super) lag: usize,
    pub(super) similarity: f32,
}

/// Looks for the period of a sound of one format. Lags and windows are in frames.
#[derive(Clone, Debug)]
pub(super) struct PitchSearch {
    channels: usize,
    decimation: usize,
    shortest: usize,
    longest: usize,
}

impl PitchSearch {
    pub(super) fn new(format: AudioFormat) -> Self {
        let hz = format.rate.hz() as usize;
        Self {
            channels: usize::from(format.channels.max(1)),
            decimation: (hz / COARSE_HZ).max(1),
            shortest: (hz / HIGHEST_HZ).max(1),
            longest: (hz / LOWEST_HZ).max(1),
        }
    }

    /// The longest lag that is ever looked for: 20 ms.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The best lag up to `longest` frames, found at a low rate first and then to the frame.
    ///
    /// Only a lag that is better than its neighbours counts as a period: near the shortest lag a
    /// slow sound is always like itself, without repeating. Where there is none, the answer is
    /// near the longest lag, with whatever similarity it has there.
    pub(super) fn best(&self, samples: &[f32], longest: usize, window: usize) -> Match {
        let frames = samples.len() / self.channels;
        let longest = longest.min(self.longest).min(frames.saturating_sub(1));
        if longest < self.shortest {
            return Match { lag: longest, similarity: 0.0 };
        }
        let coarse = self.coarse(samples, longest, window);
        let from = (coarse.saturating_sub(1) * self.decimation).clamp(self.shortest, longest);
        let to = ((coarse + 1) * self.decimation).clamp(self.shortest, longest);
        self.best_within(samples, from..=to, window)
    }

    /// The best of `lags`, whether or not it is better than its neighbours.
    pub(super) fn best_within(
        &self,
        samples: &[f32],
        lags: RangeInclusive<usize>,
        window: usize,
    ) -> Match {
        let first = *lags.start();
        highest(
            lags.map(|lag| Match {
                lag,
                similarity: similarity(samples, self.channels, lag, window),
            }),
        )
        .unwrap_or(Match { lag: first, similarity: 0.0 })
    }

    /// The best lag in decimated frames.
    fn coarse(&self, samples: &[f32], longest: usize, window: usize) -> usize {
        let slow = decimate(samples, self.channels, self.decimation);
        let window = (window / self.decimation).max(1);
        let first = (self.shortest / self.decimation).max(1);
        let last = (longest / self.decimation).max(first);
        let curve: Vec<Match> = (first..=last)
            .map(|lag| Match { lag, similarity: similarity(&slow, self.channels, lag, window) })
            .collect();
        let peaks = curve.windows(3).filter(|near| {
            near[1].similarity >= near[0].similarity && near[1].similarity >= near[2].similarity
        });
        highest(peaks.map(|near| near[1])).map_or(last, |peak| peak.lag)
    }
}

/// The first of the most similar.
fn highest(matches: impl Iterator<Item = Match>) -> Option<Match> {
    matches.reduce(|best, next| if next.similarity > best.similarity { next } else { best })
}

/// Every `factor` frames as their mean; what does not fill a group is left out at the front.
fn decimate(samples: &[f32], channels: usize, factor: usize) -> Vec<f32> {
    let group = factor * channels;
    let mut slow = Vec::with_capacity(samples.len() / factor);
    for frames in samples[samples.len() % group..].chunks_exact(group) {
        for channel in 0..channels {
            let sum: f32 = frames.iter().skip(channel).step_by(channels).sum();
            slow.push(sum / factor as f32);
        }
    }
    slow
}

/// How alike the last `window` frames are to those `lag` frames before them. The window shrinks
/// to what `samples` hold.
fn similarity(samples: &[f32], channels: usize, lag: usize, window: usize) -> f32 {
    let shift = lag * channels;
    let Some(room) = samples.len().checked_sub(shift) else {
        return 0.0;
    };
    let window = (window * channels).min(room);
    let recent = &samples[samples.len() - window..];
    let earlier = &samples[room - window..room];
    let (mut product, mut recent_energy, mut earlier_energy) = (0.0f32, 0.0f32, 0.0f32);
    for (&x, &y) in recent.iter().zip(earlier) {
        product += x * y;
        recent_energy += x * x;
        earlier_energy += y * y;
    }
    let scale = (recent_energy * earlier_energy).sqrt();
    if scale > 0.0 { product / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playout::signals::{MONO, STEREO, harmonic, noise, sine, stereo};

    fn search(samples: &[f32], format: AudioFormat) -> Match {
        PitchSearch::new(format).best(samples, 960, 960)
    }

    #[test]
    fn a_period_between_2_5_and_20_ms_is_found_to_the_frame_or_at_a_multiple() {
        for hz in [60, 75, 100, 150, 240, 300, 375] {
            let found = search(&sine(hz as f32, 0.5, 1_920), MONO);
            assert_eq!(found.lag % (48_000 / hz), 0, "{hz} Hz: {found:?}");
            assert!(found.similarity > 0.999, "{hz} Hz: {found:?}");
        }
    }

    #[test]
    fn a_slow_sound_is_not_taken_for_a_short_period() {
        let found = search(&sine(30.0, 0.5, 1_920), MONO);
        assert!(found.lag > 900 && found.similarity < 0.0, "{found:?}");
    }

    #[test]
    fn noise_is_like_itself_nowhere() {
        let found = search(&noise(7, 0.5, 1_920), MONO);
        assert!(found.similarity < 0.3, "{found:?}");
    }

    #[test]
    fn channels_in_opposite_phase_do_not_cancel() {
        let left = harmonic(125.0, 0.3, 1_920);
        let right: Vec<f32> = left.iter().map(|sample| -sample).collect();
        let found = search(&stereo(&left, &right), STEREO);
        assert_eq!(found.lag % 384, 0, "{found:?}");
        assert!(found.similarity > 0.99, "{found:?}");
    }

    #[test]
    fn silence_and_too_little_sound_are_no_match() {
        assert_eq!(search(&[0.0; 1_920], MONO).similarity, 0.0);
        assert_eq!(search(&[0.5; 100], MONO).similarity, 0.0);
        assert_eq!(search(&[], STEREO).similarity, 0.0);
    }
}
