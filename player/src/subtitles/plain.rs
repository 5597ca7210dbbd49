//! Cues as plain text, one line each.

use std::io::{self, Write};

use cantus_qos::payload::cue::Cue;
use cantus_qos::time::MediaTime;

use super::{Page, Status, SubtitleError, SubtitleSink, clock, text};

/// Writes one line a cue, `[00:12.3] text`; the lines of a cue are joined by `/`, as in poems.
#[derive(Debug)]
pub struct Plain<W = io::Stdout> {
    page: Page<W>,
}

impl<W: Write> Plain<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        Self { page: Page::new(output) }
    }
}

impl<W: Write + Send> SubtitleSink for Plain<W> {
    fn show(&mut self, _position: MediaTime, cue: &Cue) {
        let lines = text::lines(&cue.text);
        if !lines.is_empty() {
            self.page.put(&format!("[{}] {}\n", clock(cue.start), lines.join(" / ")));
        }
    }

    fn status(&mut self, _status: &Status) {}

    fn finish(&mut self) -> Result<(), SubtitleError> {
        self.page.finish().map_err(SubtitleError::Output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start: i64, text: &str) -> Cue {
        let (start, duration) = (MediaTime::from_millis(start), MediaTime::from_millis(1_000));
        Cue { id: 1, start, duration, text: text.into() }
    }

    #[test]
    fn each_cue_is_a_line_with_its_time() {
        let mut out = Vec::new();
        let mut plain = Plain::new(&mut out);
        plain.show(MediaTime::ZERO, &cue(12_345, "Two\nlines"));
        plain.show(MediaTime::ZERO, &cue(13_000, ""));
        plain.show(MediaTime::ZERO, &cue(14_000, "\u{1b}[2JBold"));
        plain.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "[00:12.3] Two / lines\n[00:14.0] Bold\n");
    }

    #[test]
    fn a_reader_that_has_gone_away_is_told_at_the_end() {
        let mut room = [0; 4];
        let mut plain = Plain::new(&mut room[..]);
        plain.show(MediaTime::ZERO, &cue(0, "too long"));
        assert!(matches!(plain.finish(), Err(SubtitleError::Output(_))));
    }
}
