use super::*;

use bytes::Bytes;
use cantus_player::wish::Carrier;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::bound::Playback;
use crate::duplex::{Duplex, Enter, SharedLog};
use crate::link::{Ecn, LinkSpec};
use crate::sim::{Capture, Media, Scenario, run};

const LATENCY: Duration = Duration::from_millis(200);

/// A stream of 280 byte units every 20 ms, with a repair packet behind every other one, across a
/// link.
fn streamed(words: &str, seconds: u64) -> PacketLog {
    let log = SharedLog::default();
    let spec: LinkSpec = words.parse().expect("the words of a link");
    let mut duplex = Duplex::new(&spec, 5, log.clone()).expect("a link");
    let enter = |kind| Enter {
        direction: Direction::ToClient,
        route: 0,
        kind,
        data: Bytes::from_static(&[0; 252]),
        overhead: 28,
        ecn: Ecn::NotCapable,
    };
    // What is sent last has a second to come.
    for step in 0..(seconds + 1) * 100 {
        let now = MonoTime::from_millis(10 * step);
        while duplex.pop(now).is_some() {}
        match step % 4 {
            0 | 2 if step < seconds * 100 => duplex.push(now, enter(Kind::Media)),
            1 if step < seconds * 100 => duplex.push(now, enter(Kind::Repair)),
            _ => {}
        }
    }
    log.snapshot()
}

#[test]
fn where_nothing_is_lost_nothing_is_missing() {
    let bound = repair_on(&streamed("delay 40ms", 60), LATENCY).expect("media");
    assert_eq!((bound.units, bound.missing, bound.beyond_repair), (3_000, 0, 0));
    assert_eq!(bound.overhead, 0.5);
}

#[test]
fn repair_that_comes_too_late_is_worth_nothing() {
    let log = streamed("delay 40ms loss 10%", 60);
    let lost = log.entries().iter().filter(|entry| entry.kind == Kind::Media);
    let lost = lost.filter(|entry| entry.left.is_none()).count() as u64;
    let at_once = repair_on(&log, Duration::from_millis(40)).expect("media");
    assert!(lost > 200);
    assert_eq!((at_once.missing, at_once.beyond_repair), (lost, lost));
    let in_time = repair_on(&log, LATENCY).expect("media");
    assert!(in_time.missing < lost / 10, "{in_time:?}");
}

#[test]
fn a_log_without_media_has_no_bound() {
    assert_eq!(repair_on(&PacketLog::default(), LATENCY), None);
}

/// The greatest number of units that symbols can stand for, by augmenting paths.
fn most_repaired(units: &[bool], symbols: &[(u64, u64)]) -> usize {
    fn augment(
        unit: u64,
        symbols: &[(u64, u64)],
        stands_for: &mut [Option<u64>],
        tried: &mut [bool],
    ) -> bool {
        for (index, &(first, before)) in symbols.iter().enumerate() {
            if tried[index] || !(first..before).contains(&unit) {
                continue;
            }
            tried[index] = true;
            let other = stands_for[index];
            if other.is_none_or(|other| augment(other, symbols, stands_for, tried)) {
                stands_for[index] = Some(unit);
                return true;
            }
        }
        false
    }
    let mut stands_for = vec![None; symbols.len()];
    let lost = (0..).zip(units).filter(|(_, here)| !**here).map(|(unit, _)| unit);
    lost.filter(|&unit| augment(unit, symbols, &mut stands_for, &mut vec![false; symbols.len()]))
        .count()
}

proptest! {
    #[test]
    fn beyond_repair_is_what_the_greatest_matching_leaves_and_no_code_does_better(
        units in vec(proptest::option::weighted(0.6, 0u64..250), 1..30),
        symbols in vec((0u64..30, 0u64..250), 0..20),
    ) {
        let sent: Vec<MonoTime> =
            (0..units.len() as u64).map(|unit| MonoTime::from_millis(20 * unit)).collect();
        let mut came: Vec<(MonoTime, Slot)> = Vec::new();
        for (unit, delay) in (0..).zip(&units) {
            let arrives = |delay: &u64| sent[unit as usize] + Duration::from_millis(*delay);
            came.extend(delay.as_ref().map(|delay| (arrives(delay), Slot::Unit(unit))));
        }
        for (after, delay) in symbols {
            let before = (after + 1).min(sent.len() as u64);
            let left = sent[before as usize - 1] + Duration::from_millis(delay + 5);
            came.push((left, Slot::Symbol(before)));
        }
        came.sort_by_key(|&(left, _)| left);
        let run = Run { latency: LATENCY, sent, came, unit_bytes: 1, repair_bytes: 1 };

        let mut here = vec![false; units.len()];
        let mut spans = Vec::new();
        for &(at, slot) in &run.came {
            match slot {
                Slot::Unit(unit) => here[unit as usize] |= run.in_time(at, unit),
                Slot::Symbol(before) => spans.push((run.first_open(at), before)),
            }
        }
        let lost = here.iter().filter(|here| !**here).count();
        let beyond = lost - most_repaired(&here, &spans);
        prop_assert_eq!(run.beyond_repair(), beyond as u64);
        prop_assert!(run.missing() >= run.beyond_repair());
        prop_assert!(run.missing() <= lost as u64);
    }
}

#[test]
fn a_session_leaves_no_less_than_its_bounds() {
    let media = Media::synthetic(Duration::from_secs(60)).expect("room for a sound");
    let link = "bursty".parse().expect("a standing link");
    let capture = Capture { fates: true, packets: true, ..Capture::default() };
    // A packet that was asked for is worth more than a symbol: this bound is one on codes.
    let retransmission = false;
    let scenario = Scenario::new(link, Media::SYNTHETIC, Carrier::Udp);
    let scenario = Scenario { capture, retransmission, ..scenario };
    let (mut own, mut ideal) = (0.0, 0.0);
    for seed in 1..=3 {
        let outcome = run(&media, &scenario.clone().with_seed(seed)).expect("a session");
        let stream = outcome.audio().next().expect("an audio stream");
        let residual = stream.residual.expect("units were expected");
        let repair = repair_on(&outcome.packets, LATENCY).expect("media");
        assert!(repair.units >= stream.expected, "{} of {}", repair.units, stream.expected);
        assert!(repair.floor <= repair.residual && repair.floor <= residual);
        own += residual;
        ideal += repair.residual;

        let playback = Playback::of_stream(&outcome.fates, &stream.name).expect("it was heard");
        let arrived = stream.expected - stream.never_arrived();
        assert_eq!((playback.played + playback.late) as u64, arrived);
        let playout = playback.bound().expect("it was heard");
        assert!(playout.constant <= playback.mean + Duration::from_millis(1));
        assert!(playout.optimum_mean <= playout.constant);
    }
    assert!(ideal <= own, "{ideal} and {own}");
}
