//! What a link reads from files: bounded text, and errors that name the file and the line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::LinkError;

/// A kind of file.
#[derive(Copy, Clone, Debug)]
pub(super) struct Stored {
    /// What it holds.
    pub(super) what: &'static str,
    /// The longest file that is read.
    pub(super) most_bytes: u64,
}

impl Stored {
    pub(super) fn read(self, path: &Path) -> Result<String, LinkError> {
        let Self { what, most_bytes } = self;
        let unreadable =
            |reason: String| LinkError::Unreadable { what, path: path.to_owned(), reason };
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut text = String::new();
        let read = file.take(most_bytes + 1).read_to_string(&mut text);
        match read.map_err(|error| unreadable(error.to_string()))? as u64 {
            size if size > most_bytes => {
                Err(unreadable(format!("it has more than {most_bytes} bytes")))
            }
            _ => Ok(text),
        }
    }
}

impl LinkError {
    /// The line at `index`, counted from 0, of a file is wrong.
    pub(super) fn bad_line(
        what: &'static str,
        index: usize,
        text: &str,
        expected: &'static str,
    ) -> Self {
        let text = text.trim().chars().take(20).collect();
        Self::BadLine { what, line: index + 1, text, expected }
    }
}
