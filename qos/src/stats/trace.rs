//! The fate of every unit as CSV: `--trace FILE`.
//!
//! | column | meaning |
//! |---|---|
//! | `stream` | the stream's name |
//! | `sequence` | the unrolled sequence number |
//! | `media_us` | place on the media timeline, microseconds |
//! | `sent_us` | sending time, mapped to the player's clock |
//! | `arrived_us` | arrival, or recovery |
//! | `recovered` | `none`, `fec` or `retransmission` |
//! | `played_us` | when it was heard, or shown |
//! | `fate` | `played`, `late`, `lost` or `duplicate` |
//!
//! Instants are in microseconds of the player's monotonic clock; what is unknown is empty. Units
//! come in order of sequence; a duplicate stands where it came.

use std::borrow::Cow;

use super::{Fate, Recovery, UnitRecord};

/// The first line, without its end.
pub fn header() -> &'static str {
    "stream,sequence,media_us,sent_us,arrived_us,recovered,played_us,fate"
}

/// One unit of `stream` as a line, without its end.
pub fn line(stream: &str, unit: &UnitRecord) -> String {
    let media = cell(unit.media_time.map(|at| at.as_micros()));
    let sent = cell(unit.sent.map(|at| at.as_micros()));
    let arrived = cell(unit.arrived.map(|at| at.as_micros()));
    let played = cell(unit.played.map(|at| at.as_micros()));
    let recovered = match unit.recovery {
        Recovery::None => "none",
        Recovery::Fec => "fec",
        Recovery::Retransmission => "retransmission",
    };
    let fate = match unit.fate {
        Fate::Played => "played",
        Fate::Late => "late",
        Fate::Lost => "lost",
        Fate::Duplicate => "duplicate",
    };
    let (stream, sequence) = (quoted(stream), unit.sequence);
    format!("{stream},{sequence},{media},{sent},{arrived},{recovered},{played},{fate}")
}

fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A text as RFC 4180 wants it: in quotes where it holds a separator.
pub fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{MediaTime, MonoTime};

    const LOST: UnitRecord = UnitRecord {
        sequence: 65_540,
        media_time: None,
        sent: None,
        arrived: None,
        recovery: Recovery::None,
        played: None,
        fate: Fate::Lost,
    };

    #[test]
    fn a_line_has_a_cell_for_each_column_and_empty_ones_for_the_unknown() {
        assert_eq!(line("audio", &LOST), "audio,65540,,,,none,,lost");
        let played = UnitRecord {
            media_time: Some(MediaTime::from_millis(20)),
            sent: Some(MonoTime::from_millis(1)),
            arrived: Some(MonoTime::from_nanos(2_000_999)),
            recovery: Recovery::Fec,
            played: Some(MonoTime::from_millis(200)),
            fate: Fate::Played,
            ..LOST
        };
        assert_eq!(line("audio", &played), "audio,65540,20000,1000,2000,fec,200000,played");
        assert_eq!(header().split(',').count(), line("audio", &played).split(',').count());
    }

    #[test]
    fn a_name_with_a_separator_stays_one_cell() {
        assert!(line("left, \"L\"", &LOST).starts_with("\"left, \"\"L\"\"\",65540,"));
    }
}
