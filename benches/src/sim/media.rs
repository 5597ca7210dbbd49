//! What is played: a catalogue whose encodings are kept, so that many runs encode once.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt::Write as _, fs, io};

use cantus_streamer::catalogue::{Catalogue, CatalogueError};
use cantus_streamer::programme::{Programme, ProgrammeError, ProgrammeKey};
use cantus_streamer::wire::{Fetch, Fetched};

/// The rate of synthetic sound.
const HZ: u32 = 48_000;

/// Between the starts of synthetic cues, and how long each is shown.
const CUE_EVERY: Duration = Duration::from_millis(2_500);
const CUE_LASTS: Duration = Duration::from_millis(2_000);

/// A media directory whose programmes, once encoded, stay in memory. May be shared by many runs at
/// once.
#[derive(Debug)]
pub struct Media {
    catalogue: Catalogue,
    programmes: Mutex<BTreeMap<ProgrammeKey, Arc<Programme>>>,
    _directory: Option<Temporary>,
}

/// Why there is no media.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The directory is none.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Synthetic media cannot be kept while it is played.
    #[error("cannot write synthetic media to {}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Media {
    /// The name of the synthetic presentation.
    pub const SYNTHETIC: &str = "synthetic";

    /// The media in a directory.
    ///
    /// # Errors
    ///
    /// If it is not a directory.
    pub fn open(directory: &Path) -> Result<Self, MediaError> {
        let catalogue = Catalogue::open(directory)?;
        Ok(Self { catalogue, programmes: Mutex::default(), _directory: None })
    }

    /// One presentation, [`SYNTHETIC`](Self::SYNTHETIC), `length` long: a slow melody in mono at
    /// 48 kHz, and English cues every two and a half seconds.
    ///
    /// # Errors
    ///
    /// If there is no room for it in the system's temporary directory.
    pub fn synthetic(length: Duration) -> Result<Self, MediaError> {
        let directory = Temporary::new()?;
        directory.write("synthetic.wav", &melody(length))?;
        directory.write("synthetic.en.vtt", cues(length).as_bytes())?;
        let media = Self::open(&directory.0)?;
        Ok(Self { _directory: Some(directory), ..media })
    }

    /// A presentation in one encoding, completely encoded.
    ///
    /// # Errors
    ///
    /// If the catalogue does not have it, or it cannot be encoded.
    pub fn programme(&self, key: &ProgrammeKey) -> Result<Arc<Programme>, ProgrammeError> {
        let mut programmes = self.programmes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(programme) = programmes.get(key) {
            return Ok(programme.clone());
        }
        let programme = Arc::new(Programme::load(&self.catalogue, key)?);
        programme.wait();
        programmes.insert(key.clone(), programme.clone());
        Ok(programme)
    }

    pub(super) fn fetch(&self, fetch: &Fetch) -> Fetched {
        match fetch {
            Fetch::Listing => match self.catalogue.list() {
                Ok(listing) => Fetched::Listing(listing),
                Err(error) => Fetched::Failed(error.into()),
            },
            Fetch::Programme(key) => match self.programme(key) {
                Ok(programme) => Fetched::Programme(programme),
                Err(error) => Fetched::Failed(error),
            },
        }
    }
}

/// A WAV file: a tone that goes up and down a scale, with a beat that no two seconds share.
fn melody(length: Duration) -> Vec<u8> {
    const SCALE: [f64; 8] = [0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0, 12.0];
    let frames = (length.as_secs_f64() * f64::from(HZ)).round() as u32;
    let bytes = frames.saturating_mul(2);
    let mut wav = Vec::with_capacity(44 + bytes as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&bytes.saturating_add(36).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16u32.to_le_bytes());
    // PCM, one channel, rate, bytes a second, bytes a frame, bits.
    wav.extend_from_slice(&1u16.to_le_bytes());
    wav.extend_from_slice(&1u16.to_le_bytes());
    wav.extend_from_slice(&HZ.to_le_bytes());
    wav.extend_from_slice(&(2 * HZ).to_le_bytes());
    wav.extend_from_slice(&2u16.to_le_bytes());
    wav.extend_from_slice(&16u16.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&bytes.to_le_bytes());
    let (mut phase, mut beat) = (0.0f64, 0.0f64);
    for frame in 0..frames {
        let second = f64::from(frame) / f64::from(HZ);
        let step = (second * 4.0) as usize % 14;
        let pitch = SCALE[if step < 8 { step } else { 14 - step }];
        phase = (phase + 220.0 * (pitch / 12.0).exp2() / f64::from(HZ)).fract();
        beat = (beat + (1.0 + second / 600.0) / f64::from(HZ)).fract();
        let sample = (phase * TAU).sin() * (0.3 + 0.2 * (beat * TAU).cos());
        wav.extend_from_slice(&((sample * 32_767.0) as i16).to_le_bytes());
    }
    wav
}

fn cues(length: Duration) -> String {
    let mut vtt = String::from("WEBVTT\n");
    let mut start = Duration::ZERO;
    let mut number = 1;
    while start + CUE_LASTS <= length {
        let (from, to) = (stamp(start), stamp(start + CUE_LASTS));
        let _ = write!(vtt, "\n{from} --> {to}\nCue number {number} of a long story\n");
        start += CUE_EVERY;
        number += 1;
    }
    vtt
}

fn stamp(at: Duration) -> String {
    let seconds = at.as_secs();
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, at.subsec_millis())
}

/// A directory of our own, removed at the end.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self, MediaError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cantus-synthetic-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        match fs::create_dir(&path) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(MediaError::Write { path, source }),
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), MediaError> {
        let path = self.0.join(name);
        fs::write(&path, content).map_err(|source| MediaError::Write { path, source })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, whose directory it is.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_streamer::encoding::Codec;

    #[test]
    fn synthetic_media_is_as_long_as_it_was_asked_for_and_has_a_cue_every_few_seconds() {
        let media = Media::synthetic(Duration::from_secs(20)).unwrap();
        let key = ProgrammeKey::new(Media::SYNTHETIC, Codec::L16);
        let programme = media.programme(&key).unwrap();
        assert_eq!(programme.presentation.duration.as_millis(), 20_000);
        assert_eq!(programme.presentation.texts[0].cues.len(), 8);
    }

    #[test]
    fn a_programme_is_encoded_once() {
        let media = Media::synthetic(Duration::from_secs(1)).unwrap();
        let key = ProgrammeKey::new(Media::SYNTHETIC, Codec::Opus);
        let first = media.programme(&key).unwrap();
        assert!(first.audio.iter().all(|encoding| encoding.is_complete()));
        assert!(Arc::ptr_eq(&first, &media.programme(&key).unwrap()));
    }
}
