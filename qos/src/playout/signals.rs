//! Sounds for the tests, at 48 kHz.

use crate::payload::AudioFormat;
use crate::time::ClockRate;
use std::f64::consts::TAU;

pub(super) const MONO: AudioFormat = AudioFormat { rate: ClockRate::OPUS, channels: 1 };
pub(super) const STEREO: AudioFormat = AudioFormat { rate: ClockRate::OPUS, channels: 2 };
const HZ: f64 = 48_000.0;

pub(super) fn sine(hz: f32, amplitude: f32, frames: usize) -> Vec<f32> {
    let step = f64::from(hz) / HZ;
    (0..frames).map(|n| amplitude * (TAU * (n as f64 * step).fract()).sin() as f32).collect()
}

/// A steady vowel: the harmonics of `hz` up to 3.6 kHz, stronger near 600 and 1,200 Hz.
pub(super) fn harmonic(hz: f32, amplitude: f32, frames: usize) -> Vec<f32> {
    voiced(frames, amplitude, |_| f64::from(hz), |_| 1.0)
}

/// Speech-like: a vowel whose pitch glides by 10 % three times and whose level swells and ebbs
/// four times a second.
pub(super) fn speech(hz: f32, amplitude: f32, frames: usize) -> Vec<f32> {
    let pitch = move |t: f64| f64::from(hz) * (1.0 + 0.1 * (TAU * 3.0 * t).sin());
    voiced(frames, amplitude, pitch, |t| 0.6 + 0.4 * (TAU * 4.0 * t).sin())
}

fn voiced(
    frames: usize,
    amplitude: f32,
    pitch: impl Fn(f64) -> f64,
    level: impl Fn(f64) -> f64,
) -> Vec<f32> {
    let mut phase = 0.0;
    let mut samples = Vec::with_capacity(frames);
    for n in 0..frames {
        let t = n as f64 / HZ;
        let hz = pitch(t);
        phase = (phase + hz / HZ).fract();
        let harmonics = (3_600.0 / hz) as u32;
        let sum: f64 = (1..=harmonics)
            .map(|k| {
                let f = f64::from(k) * hz;
                let formant = |centre: f64| 1.0 / (1.0 + ((f - centre) / 150.0).powi(2));
                (formant(600.0) + 0.5 * formant(1_200.0) + 0.05)
                    * (TAU * f64::from(k) * phase + f64::from(k * k)).sin()
            })
            .sum();
        samples.push(0.4 * amplitude * (level(t) * sum) as f32);
    }
    samples
}

/// White noise, the same for the same seed.
pub(super) fn noise(seed: u64, amplitude: f32, frames: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..frames).map(|_| amplitude * (2.0 * random.uniform() - 1.0) as f32).collect()
}

/// Two channels, interleaved.
pub(super) fn stereo(left: &[f32], right: &[f32]) -> Vec<f32> {
    left.iter().zip(right).flat_map(|(&l, &r)| [l, r]).collect()
}

pub(super) fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

/// A small generator (splitmix64), so that the tests need no other crate.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}
