//! The `RTP-Info` header (RFC 2326, section 12.33).

use std::fmt;

use crate::rtp::{RtpTimestamp, Sequence};

/// Where one stream begins after a PLAY.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RtpInfo {
    /// The control URL of the stream, absolute or relative as the server wrote it.
    pub url: String,
    /// The sequence number of the first packet.
    pub sequence: Option<Sequence>,
    /// The timestamp that belongs to the start of the range.
    pub timestamp: Option<RtpTimestamp>,
}

impl RtpInfo {
    /// Reads a list: `url=rtsp://host/a;seq=1;rtptime=2,url=…`.
    ///
    /// URLs may hold commas and semicolons, unquoted as they are: an entry ends only before the
    /// next `url=`, and a URL only before `;seq=` or `;rtptime=`. Entries without a URL are passed
    /// over, as are values that are no numbers: the first sender report will tell.
    pub fn parse_list(value: &str) -> Vec<Self> {
        entries(value).filter_map(Self::parse).collect()
    }

    /// Writes a list.
    pub fn list_text(list: &[Self]) -> String {
        list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        let url = strip_prefix_ignore_case(entry, "url=")?;
        let end = url
            .match_indices(';')
            .map(|(at, _)| at)
            .find(|at| parameter(&url[at + 1..]).is_some())
            .unwrap_or(url.len());
        let (url, parameters) = url.split_at(end);
        let mut info = Self { url: url.trim().to_owned(), sequence: None, timestamp: None };
        for (name, value) in parameters.split(';').filter_map(parameter) {
            match name {
                Parameter::Sequence => info.sequence = value.parse().ok().map(Sequence),
                Parameter::Timestamp => info.timestamp = value.parse().ok().map(RtpTimestamp),
            }
        }
        Some(info)
    }
}

impl fmt::Display for RtpInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "url={}", self.url)?;
        if let Some(Sequence(sequence)) = self.sequence {
            write!(f, ";seq={sequence}")?;
        }
        if let Some(RtpTimestamp(timestamp)) = self.timestamp {
            write!(f, ";rtptime={timestamp}")?;
        }
        Ok(())
    }
}

#[derive(Copy, Clone)]
enum Parameter {
    Sequence,
    Timestamp,
}

/// What `text` begins with, if that is a parameter that we know, and its value.
fn parameter(text: &str) -> Option<(Parameter, &str)> {
    let text = text.trim_start();
    let sequence = strip_prefix_ignore_case(text, "seq=").map(|rest| (Parameter::Sequence, rest));
    let known = sequence.or_else(|| {
        strip_prefix_ignore_case(text, "rtptime=").map(|rest| (Parameter::Timestamp, rest))
    });
    known.map(|(name, rest)| (name, rest.split(';').next().unwrap_or_default().trim()))
}

/// The entries of a list: cut at each comma before which comes `url=`.
fn entries(mut value: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if value.is_empty() {
            return None;
        }
        let comma = value
            .match_indices(',')
            .map(|(at, _)| at)
            .find(|at| strip_prefix_ignore_case(value[at + 1..].trim_start(), "url=").is_some());
        let (entry, rest) = match comma {
            Some(at) => (&value[..at], &value[at + 1..]),
            None => (value, ""),
        };
        value = rest;
        Some(entry)
    })
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
