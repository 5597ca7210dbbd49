//! The head of a message: start line and headers.

use super::framing::{FramingError, MAX_BODY};
use super::names::Names;
use crate::quantity::excerpt;

/// A head in the one form that the parser of the messages accepts: every line ends in CR LF,
/// folded lines are joined, and there is no control character in it but these line ends.
#[derive(Debug)]
pub(super) struct Head {
    /// The lines, the empty one at the end included.
    pub(super) text: String,
    /// Bytes of body that follow.
    pub(super) body_length: usize,
}

impl Head {
    /// Reads a head from the bytes up to and including its empty line.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FramingError> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed_bytes(bytes))?;
        let mut lines = unfold(text)?;
        check_start_line(lines.first().map_or("", String::as_str))?;
        let body_length = body_length(lines.iter().skip(1))?;
        drop_ambiguous_headers(&mut lines);
        let mut text = lines.join("\r\n");
        text.push_str("\r\n\r\n");
        Ok(Self { text, body_length })
    }

    /// The start line, for an error message.
    pub(super) fn start_line(&self) -> String {
        excerpt(self.text.lines().next().unwrap_or_default())
    }
}

/// The lines of a head, each whole: a line that begins with white space continues the one before
/// (RFC 2326, section 4.2 with RFC 2068, section 4.2).
fn unfold(text: &str) -> Result<Vec<String>, FramingError> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(malformed(line));
        }
        if !line.starts_with([' ', '\t']) {
            lines.push(line.to_owned());
            continue;
        }
        let whole = lines.last_mut().ok_or_else(|| malformed(line))?;
        whole.push(' ');
        whole.push_str(line.trim_matches([' ', '\t']));
    }
    Ok(lines)
}

/// Drops the headers that the parser would take for others.
///
/// What has a space before its colon is the start line, or no header at all: it stays, for the
/// parser to judge.
fn drop_ambiguous_headers(lines: &mut Vec<String>) {
    let mut names = Names::new();
    lines.retain(|line| match line.split_once(':') {
        Some((name, _)) if name.bytes().all(|byte| byte.is_ascii_graphic()) => names.admit(name),
        _ => true,
    });
}

/// Tells a version that we do not speak from nonsense: the first deserves another answer.
fn check_start_line(line: &str) -> Result<(), FramingError> {
    let version = match line.strip_prefix("RTSP/") {
        Some(status_line) => {
            let mut words = status_line.splitn(3, ' ');
            let version = words.next();
            // The status must have three digits and no leading zero to be written as it was read.
            let status = words.next().and_then(|status| status.parse::<u16>().ok());
            version.filter(|_| status.is_some_and(|status| (100..1_000).contains(&status)))
        }
        None => line.rsplit_once(" RTSP/").map(|(_, version)| version),
    };
    match version {
        None => Err(malformed(line)),
        Some("1.0" | "2.0") => Ok(()),
        Some(_) => Err(FramingError::Version { line: excerpt(line) }),
    }
}

fn body_length<'a>(headers: impl Iterator<Item = &'a String>) -> Result<usize, FramingError> {
    let mut values = headers.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Content-Length").then(|| value.trim())
    });
    let Some(value) = values.next() else {
        return Ok(0);
    };
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || values.next().is_some() {
        return Err(FramingError::ContentLength { value: excerpt(value) });
    }
    let announced = value.parse::<u64>().unwrap_or(u64::MAX);
    match usize::try_from(announced) {
        Ok(length) if length <= MAX_BODY => Ok(length),
        _ => Err(FramingError::BodyTooLong { announced }),
    }
}

fn malformed(line: &str) -> FramingError {
    FramingError::Malformed { line: excerpt(line) }
}

fn malformed_bytes(bytes: &[u8]) -> FramingError {
    malformed(&String::from_utf8_lossy(&bytes[..bytes.len().min(200)]))
}
