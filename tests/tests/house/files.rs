//! Rules that each file keeps for itself.

use crate::Breach;
use crate::source::Source;

/// Names that say nothing about what is inside.
const VAGUE: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "types"];

/// Lines of code a file may have, without blanks, comments, documentation and tests.
pub(crate) const MAX_LINES: usize = 420;

/// The files, by name, that may read the clock: the loops that own it.
const CLOCK_READERS: &[&str] = &["drive.rs", "clock.rs"];

const CLOCK_READS: &[&[&str]] = &[&["Instant", "::", "now"], &["SystemTime", "::", "now"]];

/// Files that may hold `unsafe` code, by path: one per system interface that cannot do without.
const UNSAFE: &[&str] = &["benches/src/tunnel/device.rs", "player/src/session/tests/allocator.rs"];

/// Files and folders with a vague name.
pub(crate) fn vague_names(paths: &[String]) -> Vec<Breach> {
    let breach = |path: &String| {
        let name = path.rsplit('/').next()?;
        let stem = name.split('.').next()?;
        let vague = VAGUE.contains(&stem.to_lowercase().as_str());
        vague.then(|| Breach::new(path, 0, format!("`{stem}` is no name: say what is inside")))
    };
    paths.iter().filter_map(breach).collect()
}

/// Files that are too long.
pub(crate) fn length(sources: &[Source]) -> Vec<Breach> {
    let breach = |source: &Source| {
        let lines = source.lines_of_code();
        let rule = format!("{lines} lines of code; a file has at most {MAX_LINES}, tests apart");
        (lines > MAX_LINES).then(|| Breach::new(&source.path, 0, rule))
    };
    sources.iter().filter_map(breach).collect()
}

/// Places that read the clock and are not named for it.
pub(crate) fn clock_reads(sources: &[Source]) -> Vec<Breach> {
    let is_reader = |source: &&Source| {
        CLOCK_READERS.iter().any(|name| source.path.rsplit('/').next() == Some(*name))
    };
    let others = sources.iter().filter(|source| !is_reader(source));
    others
        .flat_map(|source| {
            CLOCK_READS.iter().flat_map(move |read| {
                let rule = format!(
                    "{} outside {}: time is an argument",
                    read.concat(),
                    CLOCK_READERS.join(", ")
                );
                let lines = source.lines_with(read).into_iter();
                lines.map(move |line| Breach::new(&source.path, line, rule.clone()))
            })
        })
        .collect()
}

/// `unsafe` in files that are not listed for it.
pub(crate) fn unsafe_code(sources: &[Source]) -> Vec<Breach> {
    let others = sources.iter().filter(|source| !UNSAFE.contains(&source.path.as_str()));
    others
        .flat_map(|source| {
            let rule = "unsafe in a file that is not listed in tests/house/files.rs";
            let lines = source.lines_with(&["unsafe"]).into_iter();
            lines.map(move |line| Breach::new(&source.path, line, rule.to_owned()))
        })
        .collect()
}
