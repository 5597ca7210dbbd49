//! From what a simulated session left behind to its figures.

use std::time::Duration;

use cantus_player::wish::Latency;
use cantus_qos::stats::{Fate, UnitRecord};

use super::course::residual_runs;
use super::pipe::Pipe;
use super::sharing::Sharing;
use super::{Course, Run, Spread, nine_digits};
use crate::bound::{Frames, Playback, repair};
use crate::duplex::Kind;
use crate::sim::{Amount, Outcome, Scenario};

/// A frame of the unprotected stream that overhead is measured by: 20 ms of Opus at 96 kbit/s, 240
/// bytes, and the headers of IPv4, UDP and RTP.
pub const PLAIN_FRAME: u64 = 280;

/// The length of every unit that the bench plays.
pub const UNIT: Duration = Duration::from_millis(20);

/// The least playout delay that a ratio to it says anything about.
const LEAST_BOUND: Duration = Duration::from_millis(1);

/// One session, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its figures.
    pub run: Run,
    /// What happened when.
    pub course: Course,
    /// How units and cues were distributed.
    pub spread: Spread,
}

impl Measured {
    /// Measures a session that kept fates and packets.
    pub fn of(outcome: &Outcome, scenario: &Scenario) -> Self {
        let tracks = tracks(outcome);
        let first = tracks.first().map_or(&[][..], Vec::as_slice);
        let course = Course::new(first, UNIT, &outcome.packets);
        let spread = Spread::of(&course, outcome.cues.iter().map(|shown| shown.skew));
        let mut run =
            Run { seed: scenario.seed, completed: outcome.is_completed(), ..Run::default() };
        count_units(&mut run, outcome);
        weigh(&mut run, outcome);
        Pipe::of(&outcome.packets, &scenario.path).fill(&mut run);
        if let Some(sharing) = Sharing::of(outcome, scenario) {
            sharing.fill(&mut run);
        }
        time(&mut run, outcome, &tracks);
        bound(&mut run, &tracks, scenario);
        for records in &tracks {
            for (length, count) in residual_runs(records) {
                *run.residual_runs.entry(length).or_default() += count;
            }
        }
        Self { run, course, spread }
    }
}

/// The fates of each audio track's units.
fn tracks(outcome: &Outcome) -> Vec<Vec<UnitRecord>> {
    let of = |name: &str| {
        let fates = outcome.fates.iter().filter(|fate| fate.stream == name);
        fates.map(|fate| fate.record).collect()
    };
    outcome.audio().map(|stream| of(&stream.name)).collect()
}

fn count_units(run: &mut Run, outcome: &Outcome) {
    for stream in outcome.audio() {
        run.expected += stream.expected;
        run.received += stream.received;
        run.lost_network += stream.lost_network;
        run.recovered_fec += stream.recovered_fec;
        run.recovered_retransmission += stream.recovered_retransmission;
        run.late += stream.late;
        run.duplicate += stream.duplicate;
        run.reordered += stream.reordered;
        for (length, count) in &stream.loss_runs {
            *run.loss_runs.entry(*length).or_default() += count;
        }
        for (sum, part) in [
            (&mut run.concealed_ms, stream.concealed_ms),
            (&mut run.stretched_ms, stream.stretched_ms),
            (&mut run.shrunk_ms, stream.shrunk_ms),
            (&mut run.waited_ms, stream.waited_ms),
        ] {
            *sum = part.map(|part| sum.unwrap_or_default() + part).or(*sum);
        }
    }
    let recovered = run.recovered_fec + run.recovered_retransmission;
    let missing = run.lost_network.saturating_sub(recovered) + run.late;
    run.residual = share(missing, run.expected);
    run.network_loss = share(run.lost_network, run.expected);
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| nine_digits(part as f64 / whole as f64))
}

/// What it took. Over QUIC nobody sees from outside what is in a packet: what the ends gave to it
/// is weighed as it would be over UDP, and what QUIC itself took is what its packets are larger.
fn weigh(run: &mut Run, outcome: &Outcome) {
    let of = |kinds: &[Kind]| {
        let offered = outcome.offered.iter().filter(|((_, kind), _)| kinds.contains(kind));
        offered.fold(Amount::default(), |sum, (_, amount)| Amount {
            packets: sum.packets + amount.packets,
            bytes: sum.bytes + amount.bytes,
        })
    };
    run.media_bytes = of(&[Kind::Media]).bytes;
    run.repair_bytes = of(&[Kind::Repair]).bytes;
    run.feedback_bytes = of(&[Kind::Rtcp]).bytes;
    run.cue_bytes = of(&[Kind::Cue]).bytes;
    let plain = PLAIN_FRAME * run.expected;
    if plain > 0 {
        let all = run.media_bytes + run.repair_bytes + run.feedback_bytes;
        run.overhead = Some(nine_digits(all as f64 / plain as f64 - 1.0));
        run.feedback = share(run.feedback_bytes, plain);
    }
    let quic = outcome.packets.entries().iter().filter(|entry| entry.kind == Kind::Quic);
    let quic: i64 = quic.map(|entry| entry.size as i64).sum();
    if quic > 0 {
        let all = of(&[Kind::Media, Kind::Repair, Kind::Rtcp, Kind::Cue]);
        let framing = quic - all.bytes as i64;
        run.quic_framing_bytes = Some(framing);
        run.quic_framing_per_packet =
            (all.packets > 0).then(|| nine_digits(framing as f64 / all.packets as f64));
    }
}

fn time(run: &mut Run, outcome: &Outcome, tracks: &[Vec<UnitRecord>]) {
    let report = &outcome.report;
    let heard = tracks.iter().flatten().filter(|record| record.fate == Fate::Played);
    let delays: Vec<f64> = heard
        .filter_map(|record| Some(record.played?.since(record.sent?).as_secs_f64() * 1e3))
        .collect();
    run.delay_mean_ms = super::mean(&delays).map(nine_digits);
    if let Some(stream) = outcome.audio().next() {
        let delay = &stream.delay_ms;
        run.delay_p50_ms = delay.p50;
        run.delay_p95_ms = delay.p95;
        run.delay_p99_ms = delay.p99;
        run.delay_max_ms = delay.max;
        let jitter = &stream.jitter_ms;
        run.jitter_p50_ms = jitter.p50;
        run.jitter_p95_ms = jitter.p95;
        run.jitter_p99_ms = jitter.p99;
    }
    let skew = &report.sync.subtitle_skew_ms;
    run.skew_p99_ms = skew.p99;
    run.skew_max_ms = skew.max;
    run.skew_count = skew.count;
    let buffer = &report.buffer_ms;
    run.buffer_min_ms = buffer.min;
    run.buffer_p50_ms = buffer.p50;
    run.buffer_p95_ms = buffer.p95;
    run.buffer_max_ms = buffer.max;
    run.setup_ms = report.setup_ms;
    run.first_sound_ms = report.first_sound_ms;
    run.mos = report.mos.as_ref().map(|mos| mos.value);
}

/// How many units of a track could have been given up in the time that playback waited for them.
fn units_waited(run: &Run, tracks: &[Vec<UnitRecord>]) -> usize {
    let waited = run.waited_ms.unwrap_or_default() / tracks.len().max(1) as f64;
    (waited / (1e3 * UNIT.as_secs_f64())).round().max(0.0) as usize
}

/// How far it was from what was possible: for the playout of the first track, and for repair
/// where the latency is a number.
fn bound(run: &mut Run, tracks: &[Vec<UnitRecord>], scenario: &Scenario) {
    let waited = units_waited(run, tracks);
    let playback = tracks.first().and_then(Playback::of).map(|it| it.with_waits(waited));
    if let Some((playback, bound)) = playback.and_then(|playback| {
        let bound = playback.bound()?;
        Some((playback, bound))
    }) {
        run.late_share = Some(nine_digits(playback.late_share()));
        let mean = playback.mean.as_secs_f64();
        // Against the delay of a network that has none, any delay is infinitely long.
        let ratio = |bound: Duration| {
            (bound >= LEAST_BOUND).then(|| nine_digits(mean / bound.as_secs_f64()))
        };
        run.playout_to_constant = ratio(bound.constant);
        run.playout_to_optimum = ratio(bound.optimum_mean);
        let whole = playback.bound_without_waits();
        run.playout_to_interrupted = whole.and_then(|bound| ratio(bound.constant));
    }
    let Latency::Fixed(latency) = scenario.latency else { return };
    let (Some(overhead), true) = (run.overhead, run.expected > 0) else { return };
    let length = UNIT.saturating_mul(u32::try_from(run.expected).unwrap_or(u32::MAX));
    let frames = Frames { every: UNIT, size: PLAIN_FRAME as usize, length };
    let bound = repair(&scenario.path.there, scenario.seed, frames, overhead.max(0.0), latency);
    run.repair_bound = bound.ok().map(|bound| nine_digits(bound.residual));
}
