//! WebVTT subtitles (W3C, <https://www.w3.org/TR/webvtt1/>).
//!
//! The file format of section 4 is read as an author's tool would read it: where the standard's
//! parser (section 6) silently drops a cue, this one names the line. Cue settings, styles and
//! regions say where and how to draw, which a stream of words does not need: they are read over.

mod text;

use cantus_qos::payload::cue::{Cue, MAX_TEXT};
use cantus_qos::time::MediaTime;
use std::iter::Peekable;
use std::str::Split;
use thiserror::Error;

const ARROW: &str = "-->";

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct VttError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: VttProblem,
}

/// Why a file is not WebVTT.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VttProblem {
    /// Section 4.1: the file begins with `WEBVTT`.
    #[error("a WebVTT file begins with the word WEBVTT")]
    NoSignature,
    /// Section 4.1: the file is UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A block that is neither a cue nor a comment, style or region.
    #[error("expected a line START --> END, found {found:?}")]
    NoTiming {
        /// The beginning of the line that was found.
        found: String,
    },
    /// Section 4.2: `hh:mm:ss.ttt` or `mm:ss.ttt`.
    #[error("{found:?} is not a time such as 00:01:02.500")]
    BadTime {
        /// What was found.
        found: String,
    },
    /// Section 4.1: a cue ends after it starts.
    #[error("the cue ends at {end} ms, but starts at {start} ms")]
    EndsBeforeStart {
        /// The start in milliseconds.
        start: i64,
        /// The end in milliseconds.
        end: i64,
    },
    /// A text that does not fit into a packet.
    #[error("the cue has {bytes} bytes of text, at most {MAX_TEXT} fit into a packet")]
    TooLong {
        /// Bytes in UTF-8.
        bytes: usize,
    },
}

impl VttProblem {
    fn at(self, line: usize) -> VttError {
        VttError { line, problem: self }
    }
}

/// The cues of a file, by start; identifiers count from 1 in that order.
///
/// Tags are stripped and entities decoded. Cues without text are left out: there is nothing to
/// show.
pub fn parse(file: &[u8]) -> Result<Vec<Cue>, VttError> {
    let text = std::str::from_utf8(file).map_err(|error| {
        let valid = &file[..error.valid_up_to()];
        VttProblem::NotUtf8.at(count_lines(&String::from_utf8_lossy(valid)))
    })?;
    let text = normalise(text);
    let mut lines = Lines::new(&text);
    read_header(&mut lines)?;
    let mut cues = Vec::new();
    while let Some(block) = Block::read(&mut lines) {
        cues.extend(block.cue()?);
    }
    cues.sort_by_key(|cue: &Cue| (cue.start, cue.id));
    for (cue, id) in cues.iter_mut().zip(1..) {
        cue.id = id;
    }
    Ok(cues)
}

/// Section 6.1, steps 1 to 3: no byte order mark, no NUL, every line ends with LF.
fn normalise(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

fn count_lines(text: &str) -> usize {
    normalise(text).split('\n').count()
}

/// The lines of a file with their numbers, from 1.
struct Lines<'a> {
    rest: Peekable<Split<'a, char>>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.split('\n').peekable(), number: 0 }
    }

    fn peek(&mut self) -> Option<&'a str> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<(usize, &'a str)> {
        self.number += 1;
        Some((self.number, self.rest.next()?))
    }
}

fn read_header(lines: &mut Lines<'_>) -> Result<(), VttError> {
    let signature = lines.next().and_then(|(_, line)| line.strip_prefix("WEBVTT"));
    if !signature.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return Err(VttProblem::NoSignature.at(1));
    }
    // The rest of the header goes to the first empty line. Files exist whose first cue follows
    // without one.
    while lines.peek().is_some_and(|line| !line.is_empty() && !line.contains(ARROW)) {
        lines.next();
    }
    Ok(())
}

/// Lines up to an empty one.
struct Block<'a> {
    first: usize,
    lines: Vec<&'a str>,
}

impl<'a> Block<'a> {
    fn read(lines: &mut Lines<'a>) -> Option<Self> {
        let (first, line) =
            std::iter::from_fn(|| lines.next()).find(|(_, line)| !line.is_empty())?;
        let mut block = Self { first, lines: vec![line] };
        let mut timed = line.contains(ARROW);
        // Section 6.1: a second line with an arrow begins the next cue, empty line or not.
        while let Some(line) = lines.peek().filter(|line| !line.is_empty()) {
            if timed && line.contains(ARROW) {
                break;
            }
            timed |= line.contains(ARROW);
            block.lines.push(line);
            lines.next();
        }
        Some(block)
    }

    /// The cue in the block; none if it is a comment, style or region, or a cue without text.
    fn cue(&self) -> Result<Option<Cue>, VttError> {
        let Some(place) = self.lines.iter().take(2).position(|line| line.contains(ARROW)) else {
            return if self.is_aside() { Ok(None) } else { Err(self.not_a_cue()) };
        };
        let line = self.first + place;
        let (start, end) = read_timing(self.lines[place]).map_err(|problem| problem.at(line))?;
        if end <= start {
            return Err(VttProblem::EndsBeforeStart { start, end }.at(line));
        }
        let text = text::plain(&self.lines[place + 1..].join("\n"));
        if text.len() > MAX_TEXT {
            return Err(VttProblem::TooLong { bytes: text.len() }.at(line));
        }
        Ok((!text.is_empty()).then(|| Cue {
            id: u32::try_from(line).unwrap_or(u32::MAX),
            start: MediaTime::from_millis(start),
            duration: MediaTime::from_millis(end - start),
            text,
        }))
    }

    fn is_aside(&self) -> bool {
        let word = self.lines[0].split([' ', '\t']).next();
        word.is_some_and(|word| ["NOTE", "STYLE", "REGION"].contains(&word))
    }

    fn not_a_cue(&self) -> VttError {
        // A block's first line may be its identifier; what should have been a time comes after.
        let place = usize::from(self.lines.len() > 1);
        VttProblem::NoTiming { found: excerpt(self.lines[place]) }.at(self.first + place)
    }
}

/// `START --> END SETTINGS`, in milliseconds.
fn read_timing(line: &str) -> Result<(i64, i64), VttProblem> {
    let (start, rest) = line.split_once(ARROW).unwrap_or((line, ""));
    let end = rest.split_ascii_whitespace().next().unwrap_or("");
    Ok((read_time(start.trim())?, read_time(end)?))
}

/// `hh:mm:ss.ttt` with one to three digits of hours, or `mm:ss.ttt` (section 4.2).
fn read_time(text: &str) -> Result<i64, VttProblem> {
    let parts = || {
        let (rest, millis) = text.split_once('.')?;
        let (rest, seconds) = rest.rsplit_once(':')?;
        let (hours, minutes) = rest.rsplit_once(':').unwrap_or(("0", rest));
        let hours = digits(hours, 1..=3, 999)?;
        let minutes = digits(minutes, 2..=2, 59)?;
        let seconds = digits(seconds, 2..=2, 59)?;
        let millis = digits(millis, 3..=3, 999)?;
        Some(((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis)
    };
    parts().ok_or_else(|| VttProblem::BadTime { found: excerpt(text) })
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>, greatest: i64) -> Option<i64> {
    let plain = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && *number <= greatest)
}

/// Enough of a line to recognise it by.
fn excerpt(line: &str) -> String {
    line.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
