//! The programs of peers: started with their words kept, ended by their number.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::wiring::CommandLine;

/// What is kept of a program's words: the end of them.
const WORDS_KEPT: usize = 2048;

/// A running program. It ends with its owner.
#[derive(Debug)]
pub(super) struct Process {
    program: &'static str,
    child: Child,
    words: Words,
    reader: Option<JoinHandle<()>>,
}

/// A program that ended by itself, though it should not have.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{program} ended by itself ({status}){}", said(.words))]
pub struct Ended {
    program: &'static str,
    status: ExitStatus,
    words: String,
}

impl Process {
    /// Starts what is typed in `line`.
    ///
    /// # Errors
    ///
    /// If the system does not start it.
    pub(super) fn start(line: &CommandLine) -> io::Result<Self> {
        tracing::info!(%line, "a program is started");
        let mut child = Command::new(line.program)
            .args(&line.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let words = Words::default();
        let reader = child.stderr.take().map(|pipe| {
            let words = words.clone();
            std::thread::spawn(move || words.read(pipe))
        });
        Ok(Self { program: line.program, child, words, reader })
    }

    /// Looks whether it still runs.
    ///
    /// # Errors
    ///
    /// [`Ended`], with its last words, if it does not.
    pub(super) fn check(&mut self) -> Result<(), Ended> {
        match self.child.try_wait() {
            Ok(Some(status)) => {
                self.join();
                Err(Ended { program: self.program, status, words: self.words() })
            }
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// The last words that it said, in one line.
    pub(super) fn words(&self) -> String {
        self.words.in_one_line()
    }

    fn join(&mut self) {
        if let Some(reader) = self.reader.take() {
            // A reader has nothing to say, and does not panic.
            let _: Result<(), _> = reader.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is then nothing to end.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            tracing::debug!(program = self.program, %error, "a program could not be ended");
        }
        self.join();
    }
}

/// The end of what a program says.
#[derive(Clone, Debug, Default)]
struct Words(Arc<Mutex<VecDeque<u8>>>);

impl Words {
    fn read(&self, mut pipe: impl Read) {
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            self.add(&buffer[..length]);
        }
    }

    fn add(&self, said: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(said);
        let surplus = kept.len().saturating_sub(WORDS_KEPT);
        kept.drain(..surplus);
    }

    fn in_one_line(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<_> = kept.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let last: Vec<_> = lines.collect();
        last[last.len().saturating_sub(3)..].join(" / ")
    }
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_what_is_said_is_kept() {
        let words = Words::default();
        for number in 0..1000 {
            words.add(format!("line {number}\n").as_bytes());
        }
        words.add(b"\n  \nthe end");
        assert_eq!(words.in_one_line(), "line 998 / line 999 / the end");
        assert_eq!(words.0.lock().unwrap().len(), WORDS_KEPT);
    }

    #[test]
    fn a_program_that_ends_by_itself_leaves_its_last_words() {
        let line = CommandLine {
            program: "sh",
            arguments: vec!["-c".to_owned(), "echo first >&2; echo last >&2; exit 3".to_owned()],
        };
        let mut process = Process::start(&line).unwrap();
        let ended = loop {
            match process.check() {
                Ok(()) => std::thread::yield_now(),
                Err(ended) => break ended,
            }
        };
        let text = ended.to_string();
        assert_eq!(text, "sh ended by itself (exit status: 3): first / last");
    }

    #[test]
    fn a_program_ends_with_its_owner() {
        let mut process = Process::start(&CommandLine::of_words("tail", "-f /dev/null")).unwrap();
        let entry = format!("/proc/{}", process.child.id());
        assert!(process.check().is_ok());
        assert!(std::fs::exists(&entry).unwrap());
        drop(process);
        assert!(!std::fs::exists(&entry).unwrap());
    }
}
