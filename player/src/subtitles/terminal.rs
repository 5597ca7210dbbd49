//! Cues and a live line of status on a terminal.

use std::io::{self, IsTerminal, Write};

use cantus_qos::payload::cue::Cue;
use cantus_qos::time::MediaTime;
use crossterm::Command;
use crossterm::cursor::MoveToColumn;
use crossterm::terminal::{Clear, ClearType};

use super::{Page, Status, SubtitleError, SubtitleSink, clock, text};

/// Prints cues with their time, and keeps one line below them that tells how the stream is doing.
/// Where the output is no terminal there is no such line and no control character.
#[derive(Debug)]
pub struct Terminal<W = io::Stdout> {
    page: Page<W>,
    screen: Screen,
}

#[derive(Debug)]
enum Screen {
    /// A file or a pipe.
    None,
    /// A terminal, which can tell how wide it is at this moment, and the status it shows.
    Terminal { width: fn() -> Option<usize>, status: Option<Status> },
}

impl Terminal {
    /// Prints to the standard output.
    pub fn stdout() -> Self {
        let output = io::stdout();
        if output.is_terminal() {
            Self::on_screen(output, || {
                crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns))
            })
        } else {
            Self::on_paper(output)
        }
    }
}

impl<W: Write> Terminal<W> {
    /// Prints to `output`, a terminal that is `width` columns wide, or 80 if it does not know.
    pub fn on_screen(output: W, width: fn() -> Option<usize>) -> Self {
        let screen = Screen::Terminal { width, status: None };
        Self { page: Page::new(output), screen }
    }

    /// Prints to `output`, which is no terminal.
    pub fn on_paper(output: W) -> Self {
        Self { page: Page::new(output), screen: Screen::None }
    }

    /// What takes the status off the screen.
    fn erased(&self) -> String {
        let mut codes = String::new();
        if let Screen::Terminal { status: Some(_), .. } = self.screen {
            // Writing to a string cannot fail.
            let _ = MoveToColumn(0).write_ansi(&mut codes);
            let _ = Clear(ClearType::CurrentLine).write_ansi(&mut codes);
        }
        codes
    }

    /// The status as it is to stand on the screen.
    fn drawn(&self) -> String {
        match &self.screen {
            Screen::Terminal { width, status: Some(status) } => {
                // The last column stays free: some terminals wrap as soon as it is written.
                let room = width().unwrap_or(80).saturating_sub(1);
                line(status).chars().take(room).collect()
            }
            _ => String::new(),
        }
    }
}

impl<W: Write + Send> SubtitleSink for Terminal<W> {
    fn show(&mut self, _position: MediaTime, cue: &Cue) {
        let lines = text::lines(&cue.text);
        if lines.is_empty() {
            return;
        }
        let time = format!("[{}] ", clock(cue.start));
        let indent = format!("\n{}", " ".repeat(time.len()));
        let printed = format!("{time}{}\n", lines.join(&indent));
        self.page.put(&[self.erased(), printed, self.drawn()].concat());
    }

    fn status(&mut self, now: &Status) {
        let erased = self.erased();
        if let Screen::Terminal { status, .. } = &mut self.screen {
            *status = Some(*now);
            self.page.put(&[erased, self.drawn()].concat());
        }
    }

    fn finish(&mut self) -> Result<(), SubtitleError> {
        let erased = self.erased();
        if let Screen::Terminal { status, .. } = &mut self.screen {
            *status = None;
        }
        self.page.put(&erased);
        self.page.finish().map_err(SubtitleError::Output)
    }
}

/// `00:12.3 / 01:00.0   buffer 180 ms   loss 1.2 %   recovered 14   delay 200 ms`
fn line(status: &Status) -> String {
    let mut line = clock(status.position);
    if let Some(duration) = status.duration {
        line.push_str(&format!(" / {}", clock(duration)));
    }
    line.push_str(&format!(
        "   buffer {} ms   loss {:.1} %   recovered {}",
        status.buffer.as_millis(),
        status.loss * 100.0,
        status.recovered
    ));
    if let Some(delay) = status.delay {
        line.push_str(&format!("   delay {} ms", delay.as_millis()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ERASE: &str = "\u{1b}[1G\u{1b}[2K";
    const LINE: &str =
        "00:01.5 / 01:00.0   buffer 180 ms   loss 1.2 %   recovered 14   delay 200 ms";

    fn status() -> Status {
        Status {
            position: MediaTime::from_millis(1_500),
            duration: Some(MediaTime::from_millis(60_000)),
            buffer: Duration::from_millis(180),
            loss: 0.0123,
            recovered: 14,
            delay: Some(Duration::from_millis(200)),
        }
    }

    fn cue(text: &str) -> Cue {
        let (start, duration) = (MediaTime::from_millis(2_000), MediaTime::from_millis(1_000));
        Cue { id: 1, start, duration, text: text.into() }
    }

    fn printed(
        width: Option<fn() -> Option<usize>>,
        act: impl FnOnce(&mut Terminal<&mut Vec<u8>>),
    ) -> String {
        let mut out = Vec::new();
        let mut terminal = match width {
            Some(width) => Terminal::on_screen(&mut out, width),
            None => Terminal::on_paper(&mut out),
        };
        act(&mut terminal);
        terminal.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_cue_is_printed_above_the_status_which_is_drawn_anew() {
        let out = printed(Some(|| Some(100)), |terminal| {
            terminal.status(&status());
            terminal.show(MediaTime::ZERO, &cue("Hello\nworld"));
            terminal.status(&status());
        });
        let cue = "[00:02.0] Hello\n          world\n";
        assert_eq!(out, format!("{LINE}{ERASE}{cue}{LINE}{ERASE}{LINE}{ERASE}"));
    }

    #[test]
    fn the_status_never_wraps() {
        let shown = |width: fn() -> Option<usize>| {
            let out = printed(Some(width), |terminal| terminal.status(&status()));
            out.trim_end_matches(ERASE).to_owned()
        };
        assert_eq!(shown(|| Some(LINE.len() + 1)), LINE);
        assert_eq!(shown(|| Some(LINE.len())), LINE[..LINE.len() - 1]);
        assert_eq!(shown(|| Some(0)), "");
        assert_eq!(shown(|| None), LINE[..LINE.len().min(79)]);
    }

    #[test]
    fn where_there_is_no_terminal_there_is_no_control_character() {
        let out = printed(None, |terminal| {
            terminal.status(&status());
            terminal.show(MediaTime::ZERO, &cue("He\u{1b}[1Gllo"));
            terminal.show(MediaTime::ZERO, &cue(""));
            terminal.status(&status());
        });
        assert_eq!(out, "[00:02.0] Hello\n");
    }

    #[test]
    fn what_a_cue_says_cannot_move_the_cursor() {
        let out = printed(Some(|| None), |terminal| {
            terminal.show(MediaTime::ZERO, &cue("a\u{1b}[10Ab\rc"));
        });
        assert_eq!(out, "[00:02.0] ab\n          c\n");
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let status = Status { duration: None, delay: None, ..status() };
        assert_eq!(line(&status), "00:01.5   buffer 180 ms   loss 1.2 %   recovered 14");
    }
}
