//! Which peers are on this machine, in which versions, and which Debian package brings the others.

use std::fmt;
use std::process::{Command, Stdio};

use super::gstreamer;

/// Something that a peer needs.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Need {
    what: What,
    package: &'static str,
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum What {
    /// A program, looked for where a shell would.
    Program(&'static str),
    /// An element of GStreamer.
    Element(&'static str),
}

/// Whether a peer is here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Presence {
    /// It is, in this version; `None` if it does not tell.
    Here(Option<String>),
    /// It is not, for want of this.
    Absent(Need),
}

impl Need {
    /// A program, and the Debian package that it comes in.
    pub const fn program(program: &'static str, package: &'static str) -> Self {
        Self { what: What::Program(program), package }
    }

    /// An element of GStreamer, and the Debian package that it comes in.
    pub const fn element(element: &'static str, package: &'static str) -> Self {
        Self { what: What::Element(element), package }
    }

    /// Whether it is here; the version that it tells of itself.
    fn met(&self) -> Option<Option<String>> {
        match self.what {
            What::Program(program) => {
                said(program, version_argument(program)).map(|text| version(&text))
            }
            What::Element(element) => {
                let known = Command::new(gstreamer::INSPECTOR)
                    .args(["--exists", element])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                known.is_ok_and(|status| status.success()).then_some(None)
            }
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Program(program) => write!(f, "no {program}")?,
            What::Element(element) => write!(f, "no element {element}")?,
        }
        write!(f, "; Debian has it in {}", self.package)
    }
}

impl Presence {
    /// Whether all of `needs` are here.
    pub fn of(needs: &[Need]) -> Self {
        let mut version = None;
        for need in needs {
            match need.met() {
                Some(told) => version = version.or(told),
                None => return Self::Absent(*need),
            }
        }
        Self::Here(version)
    }
}

/// What makes a program tell its version: no two agree.
fn version_argument(program: &str) -> &'static str {
    match program {
        gstreamer::PROGRAM => "--version",
        super::srt::PROGRAM => "-version",
        _ => "--help",
    }
}

/// Everything that `program` says and then ends; `None` if there is no such program.
fn said(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The first word that is numbers with dots between them.
fn version(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let is_version = |word: &&str| {
        let mut numbers = word.split('.');
        word.contains('.')
            && numbers
                .all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    words.into_iter().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_each_program_says_of_itself() {
        let gst = "gst-launch-1.0 version 1.22.0\nGStreamer 1.22.0\nhttps://tracker.debian.org";
        let srt = "Built with SRT Library version: 1.5.1\nSRT Library version: 1.5.1, clock type";
        let rist = "1795674560.599739|0.0|[INFO] Starting ristsender version: 0.2.7 libRIST \
                    library: 0.2.7 API version: 4.2.0";
        assert_eq!(version(gst).as_deref(), Some("1.22.0"));
        assert_eq!(version(srt).as_deref(), Some("1.5.1"));
        assert_eq!(version(rist).as_deref(), Some("0.2.7"));
        assert_eq!(version("version two, . and 1..2"), None);
    }

    #[test]
    fn what_is_absent_is_named_with_the_package_that_brings_it() {
        let need = Need::program("no-such-program-as-this", "some-tools");
        assert_eq!(Presence::of(&[need]), Presence::Absent(need));
        assert_eq!(need.to_string(), "no no-such-program-as-this; Debian has it in some-tools");
        assert_eq!(Presence::of(&[]), Presence::Here(None));
    }
}
