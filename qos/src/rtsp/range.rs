//! The `Range` header in normal play time (RFC 2326, sections 3.6 and 12.29).

use std::fmt;
use std::str::FromStr;

use super::HeaderError;
use crate::time::{MediaTime, TimeDelta};

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// Where a range begins.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum NptStart {
    /// At the current position; of a live presentation, at the live edge.
    Now,
    /// At this position.
    At(MediaTime),
}

/// A range of the presentation, in normal play time.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct NptRange {
    /// Where it begins.
    pub start: NptStart,
    /// Where it ends, if not with the presentation.
    pub end: Option<MediaTime>,
}

impl FromStr for NptRange {
    type Err = HeaderError;

    /// Reads `npt=30-40`, `npt=0:01:30.5-`, `npt=now-` or `npt=-40` (from the current position).
    /// Parameters after the range, such as `;time=`, are passed over.
    fn from_str(value: &str) -> Result<Self, HeaderError> {
        let wrong = |reason| HeaderError::new("Range", value, reason);
        let range = value.split(';').next().unwrap_or_default().trim();
        let (unit, range) = range.split_once('=').ok_or_else(|| wrong("a unit is missing"))?;
        if !unit.trim().eq_ignore_ascii_case("npt") {
            return Err(wrong("only normal play time (npt) is known"));
        }
        let (start, end) = range.split_once('-').ok_or_else(|| wrong("a `-` is missing"))?;
        let (start, end) = (start.trim(), end.trim());
        let time = |text| read_time(text).ok_or_else(|| wrong("not a time"));
        let start = match start {
            "" if end.is_empty() => return Err(wrong("it is empty")),
            "" => NptStart::Now,
            _ if start.eq_ignore_ascii_case("now") => NptStart::Now,
            _ => NptStart::At(time(start)?),
        };
        let end = if end.is_empty() { None } else { Some(time(end)?) };
        Ok(Self { start, end })
    }
}

impl fmt::Display for NptRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start {
            NptStart::Now => f.write_str("npt=now-")?,
            NptStart::At(start) => write!(f, "npt={}-", time_text(start))?,
        }
        match self.end {
            Some(end) => f.write_str(&time_text(end)),
            None => Ok(()),
        }
    }
}

/// Reads seconds, `90.5`, or hours, minutes and seconds, `0:01:30.5`.
fn read_time(text: &str) -> Option<MediaTime> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some(part)?.parse::<u64>().ok()
    });
    let first = parts.next()??;
    let seconds = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => first,
        (Some(minutes), Some(seconds), None) => {
            let (minutes, seconds) = (minutes?, seconds?);
            let in_range = minutes < 60 && seconds < 60;
            let hours = in_range.then_some(first)?.checked_mul(3_600)?;
            hours.checked_add(minutes * 60 + seconds)?
        }
        _ => return None,
    };
    let nanos = seconds.checked_mul(NANOS_PER_SEC)?.checked_add(read_fraction(fraction)?)?;
    let nanos = i64::try_from(nanos).ok()?;
    Some(MediaTime::from_delta(TimeDelta::from_nanos(nanos)))
}

/// Nanoseconds in the digits after a decimal point; those beyond the ninth do not count.
fn read_fraction(digits: &str) -> Option<u64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9.9}").parse().ok()
}

/// Writes seconds with as many decimals as it takes, so that [`read_time`] reads the same
/// position. Positions before the beginning are written as the beginning.
fn time_text(time: MediaTime) -> String {
    let span = time.to_duration();
    let (seconds, nanos) = (span.as_secs(), span.subsec_nanos());
    let fraction = format!("{nanos:09}");
    // Three decimals at least: some clients read no fewer.
    let (millis, rest) = fraction.split_at(3);
    format!("{seconds}.{millis}{}", rest.trim_end_matches('0'))
}
