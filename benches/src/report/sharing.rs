//! How a session got on with those who shared its bottleneck.

use std::time::Duration;

use cantus_qos::quantity::Bitrate;
use cantus_qos::time::MonoTime;

use super::{PLAIN_FRAME, Run, UNIT, nine_digits};
use crate::duplex::{Direction, Fate, Kind, LogEntry, PacketLog};
use crate::sim::{Companion, Outcome, Scenario};

/// What everybody had over the last two thirds of the time in which all were there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sharing {
    span: Duration,
    /// Bytes that came through to the players: of the session, then of each of the others.
    everybody: Vec<f64>,
    /// What of the session's were audio packets.
    media: f64,
    /// What its audio would take without protection.
    needed: Bitrate,
    /// What all have together, where that is constant.
    rate: Option<Bitrate>,
}

impl Sharing {
    /// How the session of `outcome` shared the path of its scenario; `None` if it was alone.
    pub(super) fn of(outcome: &Outcome, scenario: &Scenario) -> Option<Self> {
        if outcome.companions.is_empty() {
            return None;
        }
        let (from, until) = together(outcome);
        let span = until.since(from);
        let within = |entry: &LogEntry| (from..until).contains(&entry.entered);
        let logs = outcome.companions.iter().map(|companion| &companion.packets);
        let everybody: Vec<f64> =
            [&outcome.packets].into_iter().chain(logs).map(|log| came(log, within)).collect();
        let media = came(&outcome.packets, |entry| within(entry) && entry.kind == Kind::Media);
        let tracks = outcome.audio().count() as u64;
        let plain = Bitrate::from_bps(PLAIN_FRAME * 8 * 1_000 / UNIT.as_millis() as u64 * tracks);
        let rate = scenario.path.there.rate.filter(|_| scenario.path.changes.is_empty());
        let rate = rate.map(|rate| rate.bitrate);
        let media = media + everybody[0] * media_of_quic(outcome);
        (span > Duration::ZERO).then_some(Self { span, everybody, media, needed: plain, rate })
    }

    /// Writes its figures into those of the run.
    pub(super) fn fill(&self, run: &mut Run) {
        let seconds = self.span.as_secs_f64();
        let sum: f64 = self.everybody.iter().sum();
        let squares: f64 = self.everybody.iter().map(|bytes| bytes * bytes).sum();
        let number = self.everybody.len() as f64;
        run.jain = (squares > 0.0).then(|| nine_digits(sum * sum / (number * squares)));
        let bytes = |rate: Bitrate| rate.as_bps() as f64 / 8.0 * seconds;
        run.pipe_others =
            self.rate.map(|rate| nine_digits((sum - self.everybody[0]) / bytes(rate)));
        let equal = self.rate.map_or(f64::INFINITY, |rate| bytes(rate) / number);
        let fair = equal.min(bytes(self.needed));
        run.fair_share = (fair > 0.0).then(|| nine_digits(self.media / fair));
    }
}

/// The last two thirds of the time in which everybody was there.
fn together(outcome: &Outcome) -> (MonoTime, MonoTime) {
    let end = |companion: &Companion| Some(companion.from + companion.outcome.as_ref()?.elapsed);
    let ends = outcome.companions.iter().filter_map(end).chain([outcome.elapsed]);
    let until = MonoTime::ZERO + ends.min().unwrap_or_default();
    let begin = outcome.companions.iter().map(|companion| companion.from).max();
    let begin = MonoTime::ZERO + begin.unwrap_or_default();
    (begin + until.since(begin) / 3, until)
}

/// The bytes that came through to the player of those packets that are to be counted.
fn came(log: &PacketLog, counts: impl Fn(&LogEntry) -> bool) -> f64 {
    let came = log.entries().iter().filter(|entry| {
        entry.direction == Direction::ToClient && entry.fate == Fate::Delivered && counts(entry)
    });
    came.map(|entry| entry.size as f64).sum()
}

/// What part of a session's QUIC packets is audio, weighed as it would be over UDP, in the mean of
/// the whole session: nobody sees what is in each.
fn media_of_quic(outcome: &Outcome) -> f64 {
    let all = came(&outcome.packets, |entry| entry.kind == Kind::Quic);
    let media = outcome.offered.get(&(Direction::ToClient, Kind::Media));
    let media = media.map_or(0.0, |amount| amount.bytes as f64);
    if all > 0.0 { (media / all).min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(everybody: &[f64], media: f64) -> Run {
        let sharing = Sharing {
            span: Duration::from_secs(8),
            everybody: everybody.to_vec(),
            media,
            needed: Bitrate::from_kbps(112),
            rate: Some(Bitrate::from_kbps(300)),
        };
        let mut run = Run::default();
        sharing.fill(&mut run);
        run
    }

    #[test]
    fn who_have_the_same_share_evenly_and_one_who_has_all_does_not() {
        assert_eq!(run(&[150e3, 150e3], 0.0).jain, Some(1.0));
        assert_eq!(run(&[0.0, 300e3], 0.0).jain, Some(0.5));
        assert_eq!(run(&[0.0, 300e3], 0.0).pipe_others, Some(1.0));
    }

    #[test]
    fn a_fair_share_is_what_all_would_have_and_no_more_than_audio_needs() {
        assert_eq!(run(&[120e3, 180e3], 84e3).fair_share, Some(0.75));
        assert_eq!(run(&[100e3, 100e3, 100e3], 50e3).fair_share, Some(0.5));
    }
}
