//! The files of a presentation, read as far as the list needs them: everything but the samples.

use super::directory::{Node, Sources, Stamp};
use super::error::CatalogueError;
use super::listing::{Entry, Skipped, TrackSummary};
use super::manifest::Manifest;
use super::memory::Memory;
use super::presentation::{AudioTrack, Presentation, TextTrack};
use super::shelf::Shelf;
use super::wav::WavFile;
use super::webvtt;
use cantus_qos::payload::cue::Cue;
use cantus_qos::time::MediaTime;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// Bytes of a subtitle file or manifest that are read.
const MAX_TEXT_FILE_BYTES: u64 = 4 << 20;

/// Open sound files, subtitles and manifest of one presentation.
pub(super) struct Contents {
    manifest: Manifest,
    /// By the name for people; never empty.
    audio: Vec<(String, WavFile)>,
    texts: Vec<TextTrack>,
    pub(super) skipped: Vec<Skipped>,
}

impl Contents {
    /// Reads what can be read. Without any sound, the error is the first sound file's.
    pub(super) fn read(sources: Sources) -> Result<Self, CatalogueError> {
        let Sources { audio, texts, manifest, mut skipped } = sources;
        let manifest = manifest.map_or(Ok(Manifest::default()), |node| read_manifest(&node));
        let manifest = or_skip(manifest, &mut skipped).unwrap_or_default();

        let mut sounds = Vec::new();
        let mut first_error = None;
        for (track, node) in audio {
            let named = node.shown.file_stem().and_then(|stem| manifest.audio.get(stem.to_str()?));
            match WavFile::open(&node.real, &node.shown) {
                Ok(file) => sounds.push((named.cloned().unwrap_or(track), file)),
                Err(error) if first_error.is_none() => first_error = Some(error),
                Err(error) => skipped.push(error.into()),
            }
        }
        match first_error {
            Some(error) if sounds.is_empty() => return Err(error),
            other => skipped.extend(other.map(Skipped::from)),
        }

        let mut tracks = Vec::new();
        for (language, node) in texts {
            let name = manifest.subtitles.get(&language).unwrap_or(&language).clone();
            let cues = or_skip(read_cues(&node), &mut skipped);
            tracks.extend(cues.map(|cues| TextTrack { name, language, cues }));
        }
        Ok(Self { manifest, audio: sounds, texts: tracks, skipped })
    }

    /// The line of this presentation in the list.
    pub(super) fn entry(&self, name: String) -> Entry {
        let audio = self.audio.iter().map(|(name, file)| TrackSummary::Audio {
            name: name.clone(),
            rate: file.format().rate.hz(),
            channels: file.format().channels,
        });
        let texts = self.texts.iter().map(|track| TrackSummary::Text {
            name: track.name.clone(),
            language: track.language.clone(),
        });
        let tracks = audio.chain(texts).collect();
        Entry { title: self.title(&name), duration: self.duration(), tracks, name }
    }

    /// Reads the samples too.
    pub(super) fn load(
        self,
        name: &str,
        stamp: Stamp,
        memory: &Memory,
    ) -> Result<Presentation, CatalogueError> {
        let (title, duration) = (self.title(name), self.duration());
        let audio = self.audio.into_iter().map(|(name, file)| {
            let memory = memory.reserve(file.memory(), file.path())?;
            let (format, frames) = (file.format(), file.frames());
            Ok(Arc::new(AudioTrack {
                name,
                format,
                frames,
                samples: file.read()?,
                encodings: Shelf::default(),
                ladder: Shelf::default(),
                _memory: Arc::new(memory),
            }))
        });
        Ok(Presentation {
            name: name.to_owned(),
            title,
            duration,
            audio: audio.collect::<Result<_, CatalogueError>>()?,
            texts: self.texts,
            skipped: self.skipped,
            stamp,
        })
    }

    fn title(&self, name: &str) -> String {
        self.manifest.title.as_deref().unwrap_or(name).to_owned()
    }

    fn duration(&self) -> MediaTime {
        self.audio.iter().map(|(_, file)| file.duration()).max().unwrap_or_default()
    }
}

fn or_skip<T>(result: Result<T, CatalogueError>, skipped: &mut Vec<Skipped>) -> Option<T> {
    result.map_err(|error| skipped.push(error.into())).ok()
}

fn read_manifest(node: &Node) -> Result<Manifest, CatalogueError> {
    let bytes = read_text_file(node)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| CatalogueError::BadManifest {
        path: node.shown.clone(),
        line: bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1,
        reason: "the text is not UTF-8".to_owned(),
    })?;
    Manifest::parse(text, &node.shown)
}

fn read_cues(node: &Node) -> Result<Arc<[Cue]>, CatalogueError> {
    let cues = webvtt::parse(&read_text_file(node)?).map_err(|error| CatalogueError::BadVtt {
        path: node.shown.clone(),
        line: error.line,
        reason: error.problem,
    })?;
    Ok(cues.into())
}

fn read_text_file(node: &Node) -> Result<Vec<u8>, CatalogueError> {
    let refuse = |source| CatalogueError::Io { path: node.shown.clone(), source };
    let file = File::open(&node.real).map_err(refuse)?;
    let bytes = file.metadata().map_err(refuse)?.len();
    let limit = MAX_TEXT_FILE_BYTES;
    if bytes > limit {
        return Err(CatalogueError::TooLong { path: node.shown.clone(), bytes, limit });
    }
    let mut content = Vec::new();
    file.take(limit).read_to_end(&mut content).map_err(refuse)?;
    Ok(content)
}
