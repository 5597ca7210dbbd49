//! When each unit of a track entered the link.

use std::collections::BTreeMap;

use cantus_qos::time::{MediaTime, MonoTime};

use crate::duplex::{Direction, Kind, LogEntry, PacketLog};

/// The instants at which the packets of a track first entered the link, by the place of their unit.
#[derive(Debug, Default)]
pub(super) struct Entries {
    entered: BTreeMap<i64, MonoTime>,
}

impl Entries {
    /// Of each audio stream that the log shows, in the order of their routes, if there are `count`.
    ///
    /// A stream is audio if whoever drove the link said so; where nobody knew, the `count` streams
    /// of which there are most packets: repair carries no RTP header, and cues are few. `begins` is
    /// the place of the first unit that was sent, and `hz` what its timestamps count.
    pub(super) fn of(log: &PacketLog, count: usize, begins: MediaTime, hz: u32) -> Vec<Self> {
        let mut streams: BTreeMap<(u32, u32), Vec<&LogEntry>> = BTreeMap::new();
        let to_client = log.entries().iter().filter(|it| it.direction == Direction::ToClient);
        let known = to_client.clone().any(|entry| entry.kind == Kind::Media);
        let audio = to_client.filter(|entry| match entry.kind {
            Kind::Media => true,
            Kind::Other => !known,
            Kind::Repair | Kind::Cue | Kind::Rtcp | Kind::Quic => false,
        });
        for entry in audio {
            if let Some(mark) = entry.rtp {
                streams.entry((entry.route, mark.ssrc.0)).or_default().push(entry);
            }
        }
        let mut streams: Vec<_> = streams.into_iter().collect();
        streams.sort_by_key(|(_, entries)| std::cmp::Reverse(entries.len()));
        streams.truncate(count);
        streams.sort_by_key(|(name, _)| *name);
        let complete = streams.len() == count;
        let begins = begins.as_secs_f64() * f64::from(hz);
        streams
            .into_iter()
            .filter(|_| complete)
            .map(|(_, entries)| Self::from_entries(&entries, begins.round() as i64))
            .collect()
    }

    fn from_entries(entries: &[&LogEntry], begins: i64) -> Self {
        let timestamp = |entry: &&LogEntry| entry.rtp.map(|mark| mark.timestamp.0);
        let Some(zero) = entries.iter().find_map(timestamp) else { return Self::default() };
        // The first to come need not be the first that was sent.
        let place = |entry| Some(i64::from(timestamp(entry)?.wrapping_sub(zero) as i32));
        let first = entries.iter().filter_map(place).min().unwrap_or_default();
        let mut entered = BTreeMap::new();
        for entry in entries {
            if let Some(place) = place(entry) {
                entered.entry(begins + place - first).or_insert(entry.entered);
            }
        }
        Self { entered }
    }

    /// When the unit that begins with this frame of the source first entered the link.
    pub(super) fn at(&self, frame: i64) -> Option<MonoTime> {
        self.entered.get(&frame).copied()
    }
}
