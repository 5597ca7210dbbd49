//! Where the words go.
//!
//! A [`SubtitleSink`] is handed each cue at the instant at which it is to appear, and now and then
//! the [`Status`] of the stream. It may not hold up the sound: what goes wrong with it is kept for
//! [`finish`](SubtitleSink::finish).

mod plain;
mod srt;
mod terminal;
mod text;

pub use plain::Plain;
pub use srt::Srt;
pub use terminal::Terminal;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::payload::cue::Cue;
use cantus_qos::time::MediaTime;

/// Shows the cues of one presentation.
pub trait SubtitleSink: Send {
    /// A cue appears, at `position` of the presentation. An empty text takes back what the cue of
    /// this identifier has shown.
    fn show(&mut self, position: MediaTime, cue: &Cue);

    /// How the stream is doing. Sinks that do not show this ignore it.
    fn status(&mut self, status: &Status);

    /// No more cues will come.
    ///
    /// # Errors
    ///
    /// The first thing that has gone wrong since the beginning.
    fn finish(&mut self) -> Result<(), SubtitleError>;
}

/// What a listener may want to know of the stream while it plays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Status {
    /// What is being heard now.
    pub position: MediaTime,
    /// The length of the presentation, where it is known.
    pub duration: Option<MediaTime>,
    /// How much sound waits to be played.
    pub buffer: Duration,
    /// The share of units lost on the network, 0 to 1, before recovery.
    pub loss: f64,
    /// Lost units that came back, by repair or retransmission.
    pub recovered: u64,
    /// From sending to being heard, where the sender's clock is known.
    pub delay: Option<Duration>,
}

/// Cues that could not be written. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum SubtitleError {
    /// A file cannot be made or written.
    #[error("cannot write the subtitles to {}: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The terminal, or what stands in for it, takes no more.
    #[error("cannot show the subtitles: {0}")]
    Output(io::Error),
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl SubtitleSink for Silent {
    fn show(&mut self, _position: MediaTime, _cue: &Cue) {}

    fn status(&mut self, _status: &Status) {}

    fn finish(&mut self) -> Result<(), SubtitleError> {
        Ok(())
    }
}

/// What was written to, until it failed: then nothing more is written, and the first failure is
/// kept.
#[derive(Debug)]
struct Page<W> {
    output: W,
    failure: Option<io::Error>,
}

impl<W: io::Write> Page<W> {
    fn new(output: W) -> Self {
        Self { output, failure: None }
    }

    /// Writes all of `text` through to the reader.
    fn put(&mut self, text: &str) {
        if self.failure.is_none() {
            let written = self.output.write_all(text.as_bytes());
            self.failure = written.and_then(|()| self.output.flush()).err();
        }
    }

    fn finish(&mut self) -> Result<(), io::Error> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// `position` as a listener reads it: `1:02:03.4`, without hours where there are none.
fn clock(position: MediaTime) -> String {
    let tenths = position.as_millis().max(0) / 100;
    let (seconds, tenths) = (tenths / 10, tenths % 10);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes:02}:{seconds:02}.{tenths}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenths}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_as_a_clock() {
        let read = |millis| clock(MediaTime::from_millis(millis));
        assert_eq!(read(0), "00:00.0");
        assert_eq!(read(-5), "00:00.0");
        assert_eq!(read(59_999), "00:59.9");
        assert_eq!(read(3_599_999), "59:59.9");
        assert_eq!(read(3_600_000), "1:00:00.0");
    }

    #[test]
    fn after_a_failure_nothing_is_written_and_the_first_one_is_told() {
        let mut room = [0; 3];
        let mut page = Page::new(&mut room[..]);
        page.put("abcd");
        page.put("e");
        assert_eq!(page.finish().unwrap_err().kind(), io::ErrorKind::WriteZero);
        assert!(page.finish().is_ok(), "told once");
    }
}
