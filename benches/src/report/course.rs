//! What happened when in one session.

use std::collections::BTreeMap;
use std::time::Duration;

use cantus_qos::stats::{Fate, Recovery, UnitRecord};
use cantus_qos::time::{MonoTime, TimeDelta};

use crate::duplex::{Direction, Kind, PacketLog};

/// What happened when in one session, as the plots over time show it. Times are seconds of the
/// player's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Every unit of the first audio track, in order.
    pub units: Vec<UnitPoint>,
    /// Sound that had come and was not yet due, in milliseconds, at each instant at which that
    /// changed.
    pub buffer: Vec<(f64, f64)>,
    /// What was sent in each second.
    pub rate: Vec<RatePoint>,
}

/// One unit.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct UnitPoint {
    /// When it was sent; of what never came, when it would have been by its neighbours.
    pub sent_s: f64,
    /// How long it took to be there, by itself or recovered; `None`: it never came.
    pub transit_ms: Option<f64>,
    /// From sending to being heard.
    pub heard_ms: Option<f64>,
    /// How it came.
    pub recovery: Recovery,
    /// What became of it.
    pub fate: Fate,
}

/// What was sent within a second, in kbit/s, headers included.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct RatePoint {
    /// Where the second begins.
    pub at_s: f64,
    /// Audio packets.
    pub media: f64,
    /// Repair packets and retransmissions.
    pub repair: f64,
    /// QUIC packets to the player, whatever was in them.
    pub quic: f64,
    /// Everything from the player to the streamer.
    pub back: f64,
}

impl Course {
    /// From the fates of the units of one track, each `unit` long, and the log of the packets.
    pub fn new(records: &[UnitRecord], unit: Duration, log: &PacketLog) -> Self {
        let units = points(records, unit);
        Self { units, buffer: buffer(records, unit), rate: rate(log) }
    }

    /// How long the units and packets lasted, in seconds.
    pub fn length_s(&self) -> f64 {
        let sent = self.units.last().map_or(0.0, |unit| unit.sent_s);
        sent.max(self.rate.last().map_or(0.0, |rate| rate.at_s))
    }

    /// Units, in order, that came but were not heard in time, or never came.
    pub fn missing(&self) -> impl Iterator<Item = &UnitPoint> {
        self.units.iter().filter(|unit| unit.fate != Fate::Played)
    }
}

/// Lengths of the runs of units that were not heard -> how many.
pub(super) fn residual_runs(records: &[UnitRecord]) -> BTreeMap<u32, u64> {
    let mut runs = BTreeMap::new();
    let mut length = 0;
    let ends = records.iter().map(|record| record.fate).chain([Fate::Played]);
    for fate in ends.filter(|fate| *fate != Fate::Duplicate) {
        if fate != Fate::Played {
            length += 1;
        } else if length > 0 {
            *runs.entry(std::mem::take(&mut length)).or_default() += 1;
        }
    }
    runs
}

fn millis(from: MonoTime, to: MonoTime) -> f64 {
    let (from, to) = (from.as_nanos() as i64, to.as_nanos() as i64);
    TimeDelta::from_nanos(to - from).as_millis_f64()
}

fn points(records: &[UnitRecord], unit: Duration) -> Vec<UnitPoint> {
    let singles = records.iter().filter(|record| record.fate != Fate::Duplicate);
    let mut last: Option<(u64, f64)> = None;
    let mut points = Vec::new();
    for record in singles {
        let sent_s = match (record.sent, last) {
            (Some(sent), _) => sent.as_secs_f64(),
            (None, Some((sequence, at))) => {
                at + record.sequence.saturating_sub(sequence) as f64 * unit.as_secs_f64()
            }
            (None, None) => 0.0,
        };
        last = Some((record.sequence, sent_s));
        let after = |at: Option<MonoTime>| Some(millis(record.sent?, at?));
        points.push(UnitPoint {
            sent_s,
            transit_ms: after(record.arrived),
            heard_ms: after(record.played),
            recovery: record.recovery,
            fate: record.fate,
        });
    }
    points
}

/// Units are in the buffer from their arrival to their being heard.
fn buffer(records: &[UnitRecord], unit: Duration) -> Vec<(f64, f64)> {
    let heard = records.iter().filter(|record| record.fate == Fate::Played);
    let mut changes: Vec<(MonoTime, i64)> = heard
        .filter_map(|record| Some((record.arrived?, record.played?)))
        .filter(|(arrived, played)| arrived < played)
        .flat_map(|(arrived, played)| [(arrived, 1), (played, -1)])
        .collect();
    changes.sort_unstable();
    let mut depth = 0;
    let deepness = changes.into_iter().map(|(at, change)| {
        depth += change;
        (at.as_secs_f64(), depth as f64 * unit.as_secs_f64() * 1e3)
    });
    deepness.collect()
}

fn rate(log: &PacketLog) -> Vec<RatePoint> {
    let mut seconds: BTreeMap<u64, RatePoint> = BTreeMap::new();
    for entry in log.entries() {
        let second = entry.entered.as_nanos() / 1_000_000_000;
        let point = seconds.entry(second).or_default();
        let rate = match (entry.direction, entry.kind) {
            (Direction::ToServer, _) => &mut point.back,
            (Direction::ToClient, Kind::Media) => &mut point.media,
            (Direction::ToClient, Kind::Repair) => &mut point.repair,
            (Direction::ToClient, Kind::Quic | Kind::Other) => &mut point.quic,
            (Direction::ToClient, Kind::Cue | Kind::Rtcp) => continue,
        };
        *rate += entry.size as f64 * 8.0 / 1e3;
    }
    let last = seconds.keys().next_back().copied();
    let all = last.into_iter().flat_map(|last| 0..=last);
    all.map(|second| RatePoint {
        at_s: second as f64,
        ..seconds.get(&second).copied().unwrap_or_default()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(20);

    fn record(sequence: u64, arrived: Option<u64>, fate: Fate) -> UnitRecord {
        let sent = MonoTime::from_millis(1_000 + 20 * sequence);
        UnitRecord {
            sequence,
            media_time: None,
            sent: arrived.map(|_| sent),
            arrived: arrived.map(MonoTime::from_millis),
            recovery: Recovery::None,
            played: arrived.map(|_| sent + Duration::from_millis(200)),
            fate,
        }
    }

    #[test]
    fn a_unit_that_never_came_stands_where_it_would_have_been_sent() {
        let records = [
            record(0, Some(1_040), Fate::Played),
            record(1, None, Fate::Lost),
            record(2, None, Fate::Lost),
            record(3, Some(1_100), Fate::Played),
            record(3, Some(1_101), Fate::Duplicate),
        ];
        let course = Course::new(&records, UNIT, &PacketLog::with_limit(0));
        let sent: Vec<f64> = course.units.iter().map(|unit| unit.sent_s).collect();
        assert_eq!(sent.len(), 4, "a copy is no unit");
        for (sent, expected) in sent.iter().zip([1.0, 1.02, 1.04, 1.06]) {
            assert!((sent - expected).abs() < 1e-9, "{sent} is not {expected}");
        }
        assert_eq!(course.units[3].transit_ms, Some(40.0));
        assert_eq!(course.units[0].heard_ms, Some(200.0));
        assert_eq!(course.missing().count(), 2);
        assert_eq!(residual_runs(&records), BTreeMap::from([(2, 1)]));
    }

    #[test]
    fn the_buffer_holds_what_has_come_and_was_not_yet_heard() {
        let records = [record(0, Some(1_040), Fate::Played), record(1, Some(1_060), Fate::Played)];
        let depths = buffer(&records, UNIT);
        assert_eq!(depths, [(1.04, 20.0), (1.06, 40.0), (1.2, 20.0), (1.22, 0.0)]);
    }

    #[test]
    fn a_run_at_the_end_is_a_run_too() {
        let records = [record(0, Some(1_040), Fate::Late), record(1, None, Fate::Lost)];
        assert_eq!(residual_runs(&records), BTreeMap::from([(2, 1)]));
    }
}
