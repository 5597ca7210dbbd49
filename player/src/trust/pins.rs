//! The file of the servers we have met.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Fingerprint, FingerprintError};

/// The longest pins file that is read: thousands of servers. More is not a pins file.
const LONGEST: u64 = 1 << 20;

/// The pins of all servers met, one line each: `host:port sha256:HEX`. Empty lines and lines that
/// begin with `#` are kept and mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    file: PathBuf,
}

/// What is known of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The certificate that the server showed when it was met.
    pub fingerprint: Fingerprint,
    /// The line of the file that says so, counted from 1.
    pub line: usize,
}

/// The pins cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PinError {
    /// Neither `XDG_STATE_HOME` nor `HOME` says where state is kept.
    #[error("there is no place for certificate pins: neither XDG_STATE_HOME nor HOME is set")]
    NoHome,
    /// The file cannot be read.
    #[error("cannot read the certificate pins in {}: {cause}", file.display())]
    Read {
        /// The file of the pins.
        file: PathBuf,
        /// What the system said.
        cause: Arc<io::Error>,
    },
    /// The file cannot be written.
    #[error("cannot write the certificate pins to {}: {cause}", file.display())]
    Write {
        /// The file of the pins.
        file: PathBuf,
        /// What the system said.
        cause: Arc<io::Error>,
    },
    /// The file is far longer than a list of pins can be.
    #[error("{} has {length} bytes: this is not a list of certificate pins", file.display())]
    Length {
        /// The file of the pins.
        file: PathBuf,
        /// Its length in bytes.
        length: u64,
    },
    /// A line of the file is not a pin.
    #[error("{}, line {line}: not of the form 'host:port sha256:HEX'", file.display())]
    Line {
        /// The file of the pins.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A line of the file has a server and no fingerprint.
    #[error("{}, line {line}: {cause}", file.display())]
    Fingerprint {
        /// The file of the pins.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with the fingerprint.
        cause: FingerprintError,
    },
}

impl Pins {
    /// The pins in `file`, which is made when the first server is met.
    pub fn at(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// The pins of this user: `$XDG_STATE_HOME/cantus/known_servers`, or
    /// `~/.local/state/cantus/known_servers` (XDG Base Directory Specification 0.8).
    /// `variable` reads the environment.
    ///
    /// # Errors
    ///
    /// [`PinError::NoHome`] where the environment names neither place.
    pub fn of_user(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, PinError> {
        // "All paths set in these environment variables must be absolute. If an implementation
        // encounters a relative path in any of these variables it should consider the path
        // invalid and ignore it."
        let absolute = |name| variable(name).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .ok_or(PinError::NoHome)?;
        Ok(Self::at(state.join("cantus/known_servers")))
    }

    /// The file of the pins.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The pin of `server` (`host:port`; letters of either case are the same host).
    ///
    /// # Errors
    ///
    /// If the file cannot be read or a line of it is damaged: a pin that was lost must not turn
    /// into a first meeting.
    pub fn lookup(&self, server: &str) -> Result<Option<Pin>, PinError> {
        self.find(&self.read()?, server)
    }

    /// Adds a pin for `server` unless there is one. The file changes in one step: who reads it
    /// meanwhile sees either all of the old or all of the new. Only the user can read it.
    /// Returns whether there was none.
    ///
    /// # Errors
    ///
    /// As for [`lookup`](Self::lookup), or if the file cannot be written.
    pub fn remember(&self, server: &str, fingerprint: Fingerprint) -> Result<bool, PinError> {
        let mut text = self.read()?;
        if self.find(&text, server)?.is_some() {
            return Ok(false);
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{} {fingerprint}\n", server.to_ascii_lowercase()));
        self.replace(&text)
            .map_err(|cause| PinError::Write { file: self.file.clone(), cause: Arc::new(cause) })?;
        Ok(true)
    }

    fn read(&self) -> Result<String, PinError> {
        let read = || -> io::Result<Result<String, u64>> {
            let length = fs::metadata(&self.file)?.len();
            if length > LONGEST {
                return Ok(Err(length));
            }
            fs::read_to_string(&self.file).map(Ok)
        };
        match read() {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(length)) => Err(PinError::Length { file: self.file.clone(), length }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(cause) => Err(PinError::Read { file: self.file.clone(), cause: Arc::new(cause) }),
        }
    }

    fn find(&self, text: &str, server: &str) -> Result<Option<Pin>, PinError> {
        for (index, entry) in text.lines().enumerate() {
            let (entry, line) = (entry.trim(), index + 1);
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let (name, fingerprint) = entry
                .split_once(char::is_whitespace)
                .ok_or_else(|| PinError::Line { file: self.file.clone(), line })?;
            let fingerprint = fingerprint
                .trim()
                .parse()
                .map_err(|cause| PinError::Fingerprint { file: self.file.clone(), line, cause })?;
            if name.eq_ignore_ascii_case(server) {
                return Ok(Some(Pin { fingerprint, line }));
            }
        }
        Ok(None)
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        if let Some(directory) = self.file.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        // The process in the name keeps two players from writing into one draft.
        let draft = self.file.with_extension(format!("{}.new", std::process::id()));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&draft, &self.file));
        if written.is_err() {
            // The first error is the one to tell; a draft that cannot be removed does no harm.
            let _ = fs::remove_file(&draft);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::os::unix::fs::PermissionsExt;

    fn fingerprint(digit: char) -> Fingerprint {
        format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
    }

    fn pins(scratch: &Scratch) -> Pins {
        Pins::at(scratch.path("state/cantus/known_servers"))
    }

    #[test]
    fn a_server_is_unknown_until_it_is_remembered() {
        let scratch = Scratch::new("pins-unknown");
        let pins = pins(&scratch);
        assert_eq!(pins.lookup("host:4433").unwrap(), None);
        pins.remember("host:4433", fingerprint('a')).unwrap();
        pins.remember("host:4434", fingerprint('b')).unwrap();
        let pin = |digit, line| Some(Pin { fingerprint: fingerprint(digit), line });
        assert_eq!(pins.lookup("host:4433").unwrap(), pin('a', 1));
        assert_eq!(pins.lookup("HOST:4434").unwrap(), pin('b', 2));
        assert_eq!(pins.lookup("host:4435").unwrap(), None);
    }

    #[test]
    fn a_pin_once_written_is_never_replaced() {
        let scratch = Scratch::new("pins-kept");
        let pins = pins(&scratch);
        assert!(pins.remember("[::1]:4433", fingerprint('a')).unwrap());
        assert!(!pins.remember("[::1]:4433", fingerprint('b')).unwrap());
        assert_eq!(pins.lookup("[::1]:4433").unwrap().unwrap().fingerprint, fingerprint('a'));
    }

    #[test]
    fn only_the_user_can_read_the_file_and_no_draft_stays_behind() {
        let scratch = Scratch::new("pins-mode");
        let pins = pins(&scratch);
        pins.remember("host:1", fingerprint('a')).unwrap();
        let mode = fs::metadata(pins.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let directory = pins.file().parent().unwrap();
        assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(directory).unwrap().count(), 1);
    }

    #[test]
    fn comments_and_a_missing_last_newline_survive() {
        let scratch = Scratch::new("pins-comments");
        let pins = Pins::at(scratch.path("known_servers"));
        fs::write(pins.file(), format!("# mine\n\nold:1 {}", fingerprint('c'))).unwrap();
        pins.remember("new:2", fingerprint('d')).unwrap();
        assert_eq!(pins.lookup("old:1").unwrap().unwrap().line, 3);
        assert_eq!(pins.lookup("new:2").unwrap().unwrap().line, 4);
        assert!(fs::read_to_string(pins.file()).unwrap().starts_with("# mine\n\nold:1 "));
    }

    #[test]
    fn a_damaged_line_is_an_error_that_names_it_and_not_a_first_meeting() {
        let scratch = Scratch::new("pins-damaged");
        let pins = Pins::at(scratch.path("known_servers"));
        fs::write(pins.file(), "# one\nhost:1\n").unwrap();
        assert!(matches!(pins.lookup("host:1"), Err(PinError::Line { line: 2, .. })));
        fs::write(pins.file(), "host:1 sha256:12\n").unwrap();
        let error = pins.lookup("host:1").unwrap_err();
        assert!(matches!(error, PinError::Fingerprint { line: 1, .. }));
        assert!(error.to_string().contains("known_servers, line 1: "), "{error}");
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let scratch = Scratch::new("pins-long");
        let pins = Pins::at(scratch.path("known_servers"));
        fs::write(pins.file(), "#".repeat(LONGEST as usize)).unwrap();
        assert_eq!(pins.lookup("host:1").unwrap(), None);
        fs::write(pins.file(), "#".repeat(LONGEST as usize + 1)).unwrap();
        assert!(matches!(pins.lookup("host:1"), Err(PinError::Length { length: 1_048_577, .. })));
    }

    #[test]
    fn where_the_file_cannot_be_made_the_error_names_it() {
        let scratch = Scratch::new("pins-nowhere");
        fs::write(scratch.path("wall"), "").unwrap();
        let pins = Pins::at(scratch.path("wall/known_servers"));
        let error = pins.remember("host:1", fingerprint('a')).unwrap_err();
        assert!(error.to_string().contains("wall/known_servers"), "{error}");
    }

    #[test]
    fn the_state_directory_is_xdg_or_below_home_and_never_relative() {
        let place = |xdg: Option<&str>, home: Option<&str>| {
            Pins::of_user(|name| match name {
                "XDG_STATE_HOME" => xdg.map(PathBuf::from),
                _ => home.map(PathBuf::from),
            })
            .map(|pins| pins.file)
            .ok()
        };
        let at = |path: &str| Some(PathBuf::from(path));
        assert_eq!(place(Some("/s"), Some("/h")), at("/s/cantus/known_servers"));
        assert_eq!(place(None, Some("/h")), at("/h/.local/state/cantus/known_servers"));
        assert_eq!(place(Some("s"), Some("/h")), at("/h/.local/state/cantus/known_servers"));
        assert_eq!(place(Some(""), None), None);
    }
}
