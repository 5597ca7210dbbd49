//! The media directory: which files make which presentation.
//!
//! ```text
//! narration.wav  narration.en.vtt  narration.fr.vtt  narration.toml    presentation "narration"
//! duet/1.wav  duet/2.wav  duet/en.vtt  duet/duet.toml                  presentation "duet"
//! ```
//!
//! Hidden files and files of other kinds are passed over. A file is opened under its canonical
//! path only, and only if that lies within the directory.

use super::error::CatalogueError;
use super::{Skipped, check_name};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The language of subtitles whose file name has none: undetermined (ISO 639-2).
const UNDETERMINED: &str = "und";

/// A file or folder that lies within the media directory.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where it really is.
    pub(super) real: PathBuf,
    /// Its path in the media directory, for people.
    pub(super) shown: PathBuf,
    stem: String,
    kind: Kind,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Sound,
    Folder,
    Subtitles,
    Manifest,
}

/// The files of one presentation.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Sound files by track name, in the order of the tracks.
    pub(super) audio: Vec<(String, Node)>,
    /// Subtitle files by language.
    pub(super) texts: BTreeMap<String, Node>,
    pub(super) manifest: Option<Node>,
    /// Files that were left out.
    pub(super) skipped: Vec<Skipped>,
}

/// What tells whether files have changed: path, length and time of the last change of each.
pub(super) type Stamp = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// What is found in the media directory, by presentation name.
#[derive(Debug, Default)]
pub(super) struct Directory {
    found: BTreeMap<String, Found>,
    pub(super) skipped: Vec<Skipped>,
}

#[derive(Debug)]
enum Found {
    Files(Sources),
    /// Not looked into yet.
    Folder(Node),
}

impl Directory {
    /// Looks through `root`, a canonical path.
    pub(super) fn scan(root: &Path) -> Result<Self, CatalogueError> {
        let mut directory = Self::default();
        let (nodes, skipped) = children(root, Path::new(""))?;
        directory.skipped = skipped;
        for node in nodes {
            if let Err(error) = directory.place(node) {
                directory.skipped.push(error.into());
            }
        }
        Ok(directory)
    }

    /// The names of all presentations, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        self.found.keys().cloned().collect()
    }

    /// The files of the presentation `name`; folders are looked into now.
    pub(super) fn take(&mut self, root: &Path, name: &str) -> Result<Sources, CatalogueError> {
        match self.found.remove(name) {
            Some(Found::Files(sources)) => Ok(sources),
            Some(Found::Folder(folder)) => Sources::of_folder(root, &folder),
            None => Err(self.why_not(name)),
        }
    }

    /// Sounds and folders come first, so that what goes with them finds them.
    fn place(&mut self, node: Node) -> Result<(), CatalogueError> {
        match node.kind {
            Kind::Sound => {
                let name = node.stem.clone();
                let audio = vec![("audio".to_owned(), node.clone())];
                self.add(name, &node, Found::Files(Sources { audio, ..Sources::default() }))
            }
            Kind::Folder => self.add(node.stem.clone(), &node, Found::Folder(node.clone())),
            Kind::Subtitles => {
                let (name, language) = match self.found.get(&node.stem) {
                    Some(Found::Files(_)) => (node.stem.clone(), UNDETERMINED.to_owned()),
                    _ => split_language(&node.stem),
                };
                self.sources(&name, &node)?.add_text(language, node)
            }
            Kind::Manifest => {
                let sources = self.sources(&node.stem, &node)?;
                sources.manifest = Some(node);
                Ok(())
            }
        }
    }

    fn add(&mut self, name: String, node: &Node, found: Found) -> Result<(), CatalogueError> {
        check_name(&name)?;
        match self.found.entry(name) {
            Entry::Occupied(taken) => {
                Err(CatalogueError::Taken { path: node.shown.clone(), name: taken.key().clone() })
            }
            Entry::Vacant(free) => {
                free.insert(found);
                Ok(())
            }
        }
    }

    fn sources(&mut self, name: &str, node: &Node) -> Result<&mut Sources, CatalogueError> {
        match self.found.get_mut(name) {
            Some(Found::Files(sources)) => Ok(sources),
            _ => Err(CatalogueError::Orphan { path: node.shown.clone() }),
        }
    }

    /// The reason why a file or folder that would be the presentation `name` was left out.
    fn why_not(&mut self, name: &str) -> CatalogueError {
        let place = self.skipped.iter().position(|skipped| {
            let sound = kind_of(&skipped.path) == Some(Kind::Sound);
            let stem = if sound { skipped.path.file_stem() } else { skipped.path.file_name() };
            stem.is_some_and(|stem| stem == name)
        });
        match place {
            Some(place) => self.skipped.swap_remove(place).error,
            None => CatalogueError::Unknown { name: name.to_owned() },
        }
    }
}

impl Sources {
    fn of_folder(root: &Path, folder: &Node) -> Result<Self, CatalogueError> {
        let (nodes, skipped) = children(root, &folder.shown)?;
        let mut sources = Self { skipped, ..Self::default() };
        for node in nodes {
            match node.kind {
                Kind::Sound => sources.audio.push((node.stem.clone(), node)),
                Kind::Subtitles => {
                    let (_, language) = split_language(&node.stem);
                    let whole = is_language(&node.stem).then(|| node.stem.clone());
                    if let Err(error) = sources.add_text(whole.unwrap_or(language), node) {
                        sources.skipped.push(error.into());
                    }
                }
                Kind::Manifest if node.stem == folder.stem => sources.manifest = Some(node),
                Kind::Manifest | Kind::Folder => {}
            }
        }
        // Numbers first and as numbers, so that track 10 follows track 9.
        let number = |name: &str| name.parse::<u64>().unwrap_or(u64::MAX);
        sources.audio.sort_by(|(a, _), (b, _)| (number(a), a).cmp(&(number(b), b)));
        if sources.audio.is_empty() {
            return Err(CatalogueError::NoSound { path: folder.shown.clone() });
        }
        Ok(sources)
    }

    fn add_text(&mut self, language: String, node: Node) -> Result<(), CatalogueError> {
        match self.texts.entry(language) {
            Entry::Occupied(taken) => {
                Err(CatalogueError::Taken { path: node.shown, name: taken.key().clone() })
            }
            Entry::Vacant(free) => {
                free.insert(node);
                Ok(())
            }
        }
    }

    /// The state of all files on the disk now.
    pub(super) fn stamp(&self) -> Stamp {
        let audio = self.audio.iter().map(|(_, node)| node);
        let nodes = audio.chain(self.texts.values()).chain(&self.manifest);
        nodes
            .map(|node| {
                let metadata = fs::metadata(&node.real).ok();
                let length = metadata.as_ref().map_or(0, fs::Metadata::len);
                (node.shown.clone(), length, metadata.and_then(|metadata| metadata.modified().ok()))
            })
            .collect()
    }
}

/// The nodes of `folder`, a path within `root`, by kind and name.
fn children(root: &Path, folder: &Path) -> Result<(Vec<Node>, Vec<Skipped>), CatalogueError> {
    let refuse = |source| CatalogueError::Io { path: folder.to_owned(), source };
    let (mut nodes, mut skipped) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(root.join(folder)).map_err(refuse)? {
        let file_name = entry.map_err(refuse)?.file_name();
        if file_name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match inspect(root, folder.join(file_name)) {
            Ok(node) => nodes.extend(node),
            Err(error) => skipped.push(Skipped::from(error)),
        }
    }
    nodes.sort_by(|a, b| (a.kind, &a.shown).cmp(&(b.kind, &b.shown)));
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((nodes, skipped))
}

/// What stands at `shown`, a path within `root`; none if it is of no interest here.
fn inspect(root: &Path, shown: PathBuf) -> Result<Option<Node>, CatalogueError> {
    let refuse = |source| CatalogueError::Io { path: shown.clone(), source };
    let real = fs::canonicalize(root.join(&shown)).map_err(refuse)?;
    if !real.starts_with(root) {
        return Err(CatalogueError::Outside { path: shown });
    }
    let metadata = fs::metadata(&real).map_err(refuse)?;
    let kind = if metadata.is_dir() { Some(Kind::Folder) } else { kind_of(&shown) };
    let Some(kind) = kind else { return Ok(None) };
    if kind != Kind::Folder && !metadata.is_file() {
        // Opening a pipe would wait for its writer.
        return Err(CatalogueError::NotAFile { path: shown });
    }
    let stem = if kind == Kind::Folder { shown.file_name() } else { shown.file_stem() };
    match stem.and_then(|stem| stem.to_str()) {
        Some(stem) => Ok(Some(Node { real, stem: stem.to_owned(), shown, kind })),
        None => Err(CatalogueError::BadName { name: shown.to_string_lossy().into_owned() }),
    }
}

fn kind_of(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "wav" => Some(Kind::Sound),
        "vtt" => Some(Kind::Subtitles),
        "toml" => Some(Kind::Manifest),
        _ => None,
    }
}

/// `narration.en` is the name `narration` and the language `en`.
fn split_language(stem: &str) -> (String, String) {
    match stem.rsplit_once('.').filter(|(_, tag)| is_language(tag)) {
        Some((name, tag)) => (name.to_owned(), tag.to_owned()),
        None => (stem.to_owned(), UNDETERMINED.to_owned()),
    }
}

/// Two or three letters, then subtags of up to eight letters and digits (RFC 5646, section 2.1).
fn is_language(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let primary = subtags.next().unwrap_or("");
    (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}
