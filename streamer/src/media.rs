//! A media directory for a test, removed at its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::encoding::Codec;
use crate::programme::{Programme, ProgrammeKey};

#[derive(Debug)]
pub(crate) struct MediaDir(PathBuf);

impl MediaDir {
    /// An empty directory; `name` is the test's own.
    pub(crate) fn new(name: &str) -> Self {
        let directory = format!("cantus-streamer-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(directory);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn folder(&self, name: &str) {
        fs::create_dir_all(self.0.join(name)).unwrap();
    }

    pub(crate) fn text(&self, name: &str, text: &str) {
        self.bytes(name, text.as_bytes());
    }

    pub(crate) fn bytes(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).unwrap();
    }

    /// A WAV file of 16 bit.
    pub(crate) fn wav(&self, name: &str, hz: u32, channels: u16, samples: &[i16]) {
        let spec = hound::WavSpec {
            channels,
            sample_rate: hz,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        self.wav_as(name, spec, samples);
    }

    /// A WAV file of any format.
    pub(crate) fn wav_as<S: hound::Sample + Copy>(
        &self,
        name: &str,
        spec: hound::WavSpec,
        samples: &[S],
    ) {
        let mut writer = hound::WavWriter::create(self.file(name), spec).unwrap();
        for sample in samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }
}

impl Drop for MediaDir {
    fn drop(&mut self) {
        // A test that failed should say so, and not what became of its files.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Two cues, each of a second.
const SUBTITLES: &str =
    "WEBVTT\n\n00:12.000 --> 00:13.000\nfirst\n\n00:25.000 --> 00:26.000\nsecond\n";

/// A presentation of `seconds` of sound and English subtitles, whole in Opus: 20 ms a unit.
pub(crate) fn programme(test: &str, seconds: usize) -> Arc<Programme> {
    let dir = MediaDir::new(test);
    let samples: Vec<i16> = (0..48_000 * seconds).map(|n| (n % 480) as i16 * 8).collect();
    dir.wav("talk.wav", 48_000, 1, &samples);
    dir.text("talk.en.vtt", SUBTITLES);
    let catalogue = Catalogue::open(dir.path()).unwrap();
    let programme = Programme::load(&catalogue, &ProgrammeKey::new("talk", Codec::Opus)).unwrap();
    programme.wait();
    Arc::new(programme)
}
