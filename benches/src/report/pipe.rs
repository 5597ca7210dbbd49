//! What a session met and took at the bottleneck of its path.

use std::time::Duration;

use cantus_qos::time::MonoTime;

use super::{Run, nine_digits};
use crate::duplex::{Direction, Fate, Kind, LogEntry, PacketLog};
use crate::link::PathSpec;

/// The bottleneck on the way to the player, as the packets of a session found it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pipe {
    /// How long each packet that came through stood in line, in order of length; empty where there
    /// is no line to stand in.
    queued: Vec<Duration>,
    /// What it could have carried while there were media, in bytes.
    capacity: Option<f64>,
    /// What the session sent through it in that time, in bytes.
    used: u64,
}

impl Pipe {
    /// What `log` tells of the bottleneck on `path`.
    pub(super) fn of(log: &PacketLog, path: &PathSpec) -> Self {
        let links = || path.changes.iter().map(|change| &change.link).chain([&path.there]);
        if !links().any(|link| link.rate.is_some() || link.trace.is_some()) {
            return Self::default();
        }
        let came = |entry: &&LogEntry| {
            entry.direction == Direction::ToClient && entry.fate == Fate::Delivered
        };
        let mut queued: Vec<Duration> =
            log.entries().iter().filter(came).map(|entry| entry.queued).collect();
        queued.sort_unstable();
        let media = || log.entries().iter().filter(came).filter(|entry| is_media(entry.kind));
        let span = media().next().zip(media().next_back());
        let span = span.map(|(first, last)| (first.entered, last.entered));
        let within =
            |entry: &&LogEntry| span.is_some_and(|(from, to)| (from..=to).contains(&entry.entered));
        let used = log.entries().iter().filter(came).filter(within).map(|it| it.size as u64).sum();
        let constant = path.there.rate.filter(|_| path.changes.is_empty());
        let capacity = constant.zip(span).map(|(rate, (from, to)): (_, (MonoTime, MonoTime))| {
            rate.bitrate.as_bps() as f64 / 8.0 * to.since(from).as_secs_f64()
        });
        Self { queued, capacity: capacity.filter(|bytes| *bytes > 0.0), used }
    }

    /// Writes its figures into those of the run.
    pub(super) fn fill(&self, run: &mut Run) {
        let millis = |share: f64| {
            let last = self.queued.len().checked_sub(1)?;
            let place = (share * last as f64).ceil() as usize;
            Some(nine_digits(self.queued[place].as_secs_f64() * 1e3))
        };
        run.queue_p50_ms = millis(0.5);
        run.queue_p95_ms = millis(0.95);
        run.queue_max_ms = millis(1.0);
        let share = |bytes: u64| self.capacity.map(|all| nine_digits(bytes as f64 / all));
        run.pipe_media = share(run.media_bytes);
        run.pipe_used = share(self.used);
    }
}

/// Over QUIC nobody sees what is in a packet; there are some without media before and after.
fn is_media(kind: Kind) -> bool {
    matches!(kind, Kind::Media | Kind::Quic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplex::{Duplex, Enter, SharedLog};
    use crate::link::{Ecn, LinkSpec};
    use bytes::Bytes;

    /// A packet of 1,000 bytes of each of these kinds at each of these milliseconds.
    fn run(link: &str, sent: &[(u64, Kind)]) -> Run {
        let path = PathSpec::from(link.parse::<LinkSpec>().unwrap());
        let log = SharedLog::default();
        let mut duplex = Duplex::new(path.clone(), 1, log.clone()).unwrap();
        for &(millis, kind) in sent {
            let (direction, data, overhead) = (Direction::ToClient, Bytes::new(), 1_000);
            let enter = Enter { direction, route: 1, kind, data, overhead, ecn: Ecn::NotCapable };
            duplex.push(MonoTime::from_millis(millis), enter);
        }
        while duplex.pop(MonoTime::from_millis(10_000)).is_some() {}
        let media = sent.iter().filter(|(_, kind)| *kind == Kind::Media).count();
        let mut run = Run { media_bytes: 1_000 * media as u64, ..Run::default() };
        Pipe::of(&log.snapshot(), &path).fill(&mut run);
        run
    }

    #[test]
    fn a_packet_waits_for_those_before_it_and_not_for_itself() {
        let at_once = [(0, Kind::Media), (0, Kind::Repair), (0, Kind::Repair)];
        for link in ["rate 80kbit", "delay 30ms rate 80kbit", "delay 30ms rate 80kbit queue 5"] {
            let run = run(link, &at_once);
            assert_eq!((run.queue_p50_ms, run.queue_max_ms), (Some(100.0), Some(200.0)), "{link}");
        }
    }

    #[test]
    fn the_pipe_is_measured_from_the_first_audio_packet_to_the_last() {
        let sent = [(0, Kind::Rtcp), (1_000, Kind::Media), (2_000, Kind::Repair)];
        let run = run("rate 80kbit queue 5", &[&sent[..], &[(3_000, Kind::Media)]].concat());
        assert_eq!((run.pipe_media, run.pipe_used), (Some(0.1), Some(0.15)));
    }

    #[test]
    fn where_nothing_limits_the_rate_there_is_no_pipe() {
        let run = run("delay 40ms", &[(0, Kind::Media), (20, Kind::Media)]);
        assert_eq!((run.queue_p95_ms, run.pipe_media), (None, None));
    }
}
