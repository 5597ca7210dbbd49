//! The sounds that are broken, and what a click is.

use std::f32::consts::TAU;
use std::path::Path;

use cantus_qos::payload::AudioFormat;
use cantus_qos::time::ClockRate;

/// A mono sound at its own rate.
pub(crate) struct Sound {
    pub name: &'static str,
    pub format: AudioFormat,
    pub samples: Vec<f32>,
}

impl Sound {
    fn file(name: &'static str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples");
        let mut reader = hound::WavReader::open(folder.join(name)).expect("a sample");
        let spec = reader.spec();
        let all: Vec<i16> = reader.samples().collect::<Result<_, _>>().expect("16 bits");
        let left = all.iter().step_by(usize::from(spec.channels));
        let samples = left.map(|&sample| f32::from(sample) / 32_768.0).collect();
        let rate = ClockRate::new(spec.sample_rate).expect("a rate");
        Self { name, format: AudioFormat { rate, channels: 1 }, samples }
    }

    fn sine(name: &'static str, hz: f32) -> Self {
        let at = |frame: u32| 0.5 * (TAU * (frame as f32 * hz / 48_000.0).fract()).sin();
        let samples = (0..20 * 48_000).map(at).collect();
        Self { name, format: AudioFormat { rate: ClockRate::OPUS, channels: 1 }, samples }
    }

    /// Frames in so many milliseconds.
    pub(crate) fn frames(&self, millis: usize) -> usize {
        self.format.rate.hz() as usize * millis / 1_000
    }
}

/// A tone that is found at a multiple of its period, one below it, speech and music.
pub(crate) fn sounds() -> [Sound; 4] {
    [
        Sound::sine("sine of 440 Hz", 440.0),
        Sound::sine("sine of 61 Hz", 61.0),
        Sound::file("narration.wav"),
        Sound::file("music.wav"),
    ]
}

/// The largest step from a sample to the next.
pub(crate) fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}
