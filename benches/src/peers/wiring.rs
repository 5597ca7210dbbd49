//! How a peer's two programs are strung up: which ports they get, and what is typed to start them.
//!
//! ```text
//! frames -> [input] sender -> [near] link [far] -> receiver -> [output] frames
//!                          <-        link       <-              feedback
//! ```
//!
//! Each lane is one port of the link. What is sent to its near end comes out at its far end, where
//! one of the two programs listens; answers go back the same way. All lanes share one link.

use std::fmt;
use std::time::Duration;

/// One of the two ends of a peer.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// Has the frames.
    Sender,
    /// Wants them.
    Receiver,
}

/// What a peer's programs must know to meet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// How long the receiver is to hold packets: what is left of the latency after the base delay.
    pub hold: Duration,
    /// The base delay, one way.
    pub delay: Duration,
    /// Where the sender gets its frames.
    pub input: u16,
    /// Where the receiver delivers them.
    pub output: u16,
    /// The near ends of the lanes.
    pub near: Vec<u16>,
    /// The far ends of the lanes.
    pub far: Vec<u16>,
}

/// What is typed to start a program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommandLine {
    /// The program.
    pub program: &'static str,
    /// What it is told.
    pub arguments: Vec<String>,
}

/// Both programs of a peer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wiring {
    /// Has the frames.
    pub sender: CommandLine,
    /// Wants them.
    pub receiver: CommandLine,
}

impl Terms {
    /// The time to hold in whole milliseconds, as all of the programs want it.
    pub fn hold_ms(&self) -> u128 {
        self.hold.as_millis()
    }

    /// The near end of the lane `index`. Every peer says how many lanes it needs.
    pub fn near(&self, index: usize) -> u16 {
        self.near[index]
    }

    /// The far end of the lane `index`.
    pub fn far(&self, index: usize) -> u16 {
        self.far[index]
    }
}

impl CommandLine {
    /// `program` with `words`, split at white space.
    pub fn of_words(program: &'static str, words: &str) -> Self {
        Self { program, arguments: words.split_whitespace().map(str::to_owned).collect() }
    }
}

impl fmt::Display for CommandLine {
    /// As it could be typed into a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for argument in &self.arguments {
            match argument.contains(|c: char| "&?!;()<>*\"' ".contains(c)) {
                true => write!(f, " '{}'", argument.replace('\'', r"'\''"))?,
                false => write!(f, " {argument}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Terms with ports that tell what they are.
    pub(in crate::peers) fn terms(lanes: u16) -> Terms {
        Terms {
            hold: Duration::from_millis(145),
            delay: Duration::from_millis(40),
            input: 1000,
            output: 2000,
            near: (0..lanes).map(|lane| 3000 + lane).collect(),
            far: (0..lanes).map(|lane| 4000 + lane).collect(),
        }
    }

    #[test]
    fn a_command_line_can_be_typed_as_it_is_shown() {
        let line = CommandLine::of_words("srt-live-transmit", "udp://:1 srt://h:2?a=b&c=d");
        assert_eq!(line.to_string(), "srt-live-transmit udp://:1 'srt://h:2?a=b&c=d'");
    }
}
