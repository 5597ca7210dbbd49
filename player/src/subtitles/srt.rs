//! Cues into a SubRip file.

use std::fs::File;
use std::path::{Path, PathBuf};

use cantus_qos::payload::cue::Cue;
use cantus_qos::time::MediaTime;

use super::{Page, Status, SubtitleError, SubtitleSink, text};

/// Writes a SubRip (`.srt`) file: number, `00:00:12,300 --> 00:00:14,000`, text, an empty line.
///
/// Times are told from the `origin`, the position at which the sound begins, so that the file lies
/// beside a WAV file of the same sound. Each cue is written through when it appears: a player that
/// is killed leaves whole cues.
#[derive(Debug)]
pub struct Srt {
    file: PathBuf,
    origin: MediaTime,
    page: Page<File>,
    number: u64,
    /// The length of the file up to its last whole cue, in bytes.
    whole: u64,
}

impl Srt {
    /// Makes `file`, or empties it if it is there.
    ///
    /// # Errors
    ///
    /// [`SubtitleError::File`] if it cannot be made.
    pub fn create(file: &Path, origin: MediaTime) -> Result<Self, SubtitleError> {
        let file = file.to_path_buf();
        match File::create(&file) {
            Ok(output) => Ok(Self { file, origin, page: Page::new(output), number: 0, whole: 0 }),
            Err(cause) => Err(SubtitleError::File { file, cause }),
        }
    }

    fn timestamp(&self, at: MediaTime) -> String {
        let millis = (at - self.origin).as_millis().max(0);
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        format!("{hours:02}:{minutes:02}:{seconds:02},{millis:03}")
    }
}

impl SubtitleSink for Srt {
    fn show(&mut self, _position: MediaTime, cue: &Cue) {
        let lines = text::lines(&cue.text);
        if lines.is_empty() || cue.end() <= self.origin {
            return;
        }
        self.number += 1;
        let (start, end) = (self.timestamp(cue.start), self.timestamp(cue.end()));
        let number = self.number;
        let entry = format!("{number}\n{start} --> {end}\n{}\n\n", lines.join("\n"));
        self.page.put(&entry);
        if self.page.failure.is_none() {
            self.whole += entry.len() as u64;
        }
    }

    fn status(&mut self, _status: &Status) {}

    fn finish(&mut self) -> Result<(), SubtitleError> {
        self.page.finish().map_err(|cause| {
            // Of a disk that ran full, half a cue may be left. A file that is no file (a pipe)
            // cannot be shortened, and need not be.
            let _ = self.page.output.set_len(self.whole);
            SubtitleError::File { file: self.file.clone(), cause }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::fs;

    fn cue(start: i64, duration: i64, text: &str) -> Cue {
        let (start, duration) = (MediaTime::from_millis(start), MediaTime::from_millis(duration));
        Cue { id: 1, start, duration, text: text.into() }
    }

    #[test]
    fn cues_are_numbered_timed_and_separated() {
        let scratch = Scratch::new("srt");
        let file = scratch.path("talk.srt");
        let mut srt = Srt::create(&file, MediaTime::ZERO).unwrap();
        srt.show(MediaTime::ZERO, &cue(1_234, 2_000, "One\n\ntwo"));
        srt.show(MediaTime::ZERO, &cue(2_000, 1_000, ""));
        srt.show(MediaTime::ZERO, &cue(3_723_004, 1_000, "Three"));
        let expected = "1\n00:00:01,234 --> 00:00:03,234\nOne\ntwo\n\n\
                        2\n01:02:03,004 --> 01:02:04,004\nThree\n\n";
        assert_eq!(fs::read_to_string(&file).unwrap(), expected, "whole before it is finished");
        srt.finish().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    }

    #[test]
    fn times_are_told_from_where_the_sound_begins() {
        let scratch = Scratch::new("srt-origin");
        let file = scratch.path("talk.srt");
        let mut srt = Srt::create(&file, MediaTime::from_millis(30_000)).unwrap();
        srt.show(MediaTime::ZERO, &cue(10_000, 20_000, "over before"));
        srt.show(MediaTime::ZERO, &cue(29_000, 3_000, "already showing"));
        srt.show(MediaTime::ZERO, &cue(31_000, 1_000, "later"));
        srt.finish().unwrap();
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "1\n00:00:00,000 --> 00:00:02,000\nalready showing\n\n\
             2\n00:00:01,000 --> 00:00:02,000\nlater\n\n"
        );
    }

    #[test]
    fn a_place_where_no_file_can_be_is_named() {
        let scratch = Scratch::new("srt-nowhere");
        let error = Srt::create(&scratch.path("missing/talk.srt"), MediaTime::ZERO).unwrap_err();
        assert!(error.to_string().contains("missing/talk.srt: "), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_at_the_end_with_the_file() {
        let mut srt = Srt::create(Path::new("/dev/full"), MediaTime::ZERO).unwrap();
        srt.show(MediaTime::ZERO, &cue(0, 1_000, "One"));
        srt.show(MediaTime::ZERO, &cue(1_000, 1_000, "Two"));
        let line = srt.finish().unwrap_err().to_string();
        assert!(line.starts_with("cannot write the subtitles to /dev/full: "), "{line}");
    }
}
