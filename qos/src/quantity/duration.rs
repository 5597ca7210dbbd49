//! Spans of time.

use std::time::Duration;

use super::decimal::Decimal;
use super::{Quantity, QuantityError};

const DURATION: Quantity = Quantity { name: "duration", example: "200ms or 1.5s" };

/// The units in falling order, each with its nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Reads a span of time: `200ms`, `2s`, `1.5s`, `250us`, or several parts in falling order,
/// `1m30s`. A bare number is refused.
///
/// # Errors
///
/// [`QuantityError`] where the text is not a duration, has no unit, or exceeds 584 years.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let mut rest = text.trim();
    let mut total = 0u64;
    let mut smallest = u64::MAX;
    if rest.is_empty() {
        return Err(DURATION.malformed(text));
    }
    while !rest.is_empty() {
        let (number, after) = Decimal::split(rest).ok_or_else(|| DURATION.malformed(text))?;
        if after.is_empty() {
            return Err(DURATION.no_unit(text));
        }
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (name, next) = after.split_at(end);
        let unit = UNITS.iter().find(|(unit, _)| *unit == name.trim());
        let nanos = unit.map(|(_, nanos)| *nanos).filter(|nanos| *nanos < smallest);
        let nanos = nanos.ok_or_else(|| DURATION.malformed(text))?;
        let part = number.times(nanos).ok_or_else(|| DURATION.too_large(text))?;
        total = total.checked_add(part).ok_or_else(|| DURATION.too_large(text))?;
        smallest = nanos;
        rest = next;
    }
    Ok(Duration::from_nanos(total))
}

/// Reads a latency: as [`parse_duration`], and a bare number is milliseconds.
///
/// # Errors
///
/// [`QuantityError`] as for [`parse_duration`].
pub fn parse_latency_millis(text: &str) -> Result<Duration, QuantityError> {
    match Decimal::split(text.trim()) {
        Some((number, "")) => {
            let nanos = number.times(1_000_000).ok_or_else(|| DURATION.too_large(text))?;
            Ok(Duration::from_nanos(nanos))
        }
        _ => parse_duration(text),
    }
}

/// Writes a duration so that [`parse_duration`] reads the same one back: in the largest of
/// `s`, `ms`, `us` and `ns` that it is a whole number of.
///
/// Spans beyond 584 years, which [`parse_duration`] would refuse, are written as that many.
pub fn duration_text(span: Duration) -> String {
    let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    let whole = |unit: u64| nanos.is_multiple_of(unit);
    match nanos {
        0 => "0ms".to_owned(),
        _ if whole(1_000_000_000) => format!("{}s", nanos / 1_000_000_000),
        _ if whole(1_000_000) => format!("{}ms", nanos / 1_000_000),
        _ if whole(1_000) => format!("{}us", nanos / 1_000),
        _ => format!("{nanos}ns"),
    }
}
