//! The stages together, as a player has them: a minute of speech over a path with jitter.

use super::signals::{MONO, Random, noise, speech};
use super::*;
use crate::payload::AudioFormat;
use crate::time::{ClockRate, MediaTime, MonoTime, TimeDelta};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

const BLOCK: MediaTime = MediaTime::from_millis(20);
const FRAMES: usize = 960;
/// So many units of sound are there, over and over.
const UNITS: usize = 500;

/// Units of 20 ms sent from the origin of the clock on; arrivals in their order.
fn arrivals(
    units: u64,
    mut jitter: impl FnMut(u64) -> f64,
) -> VecDeque<(MonoTime, TimeDelta, Unit)> {
    let mut arrivals: Vec<_> = (0..units)
        .map(|sequence| {
            let media_time = MediaTime::from_millis(20 * sequence as i64);
            let transit = TimeDelta::from_secs_f64((80.0 + jitter(sequence).max(-80.0)) / 1e3);
            let sent = MonoTime::ZERO + media_time.to_delta();
            (
                sent + transit,
                transit,
                Unit { sequence, media_time, duration: BLOCK, data: Bytes::new() },
            )
        })
        .collect();
    arrivals.sort_by_key(|&(arrived, _, _)| arrived);
    arrivals.into()
}

struct Player {
    buffer: Buffer,
    target: TargetDelay,
    adapter: Adapter,
    scale: TimeScale,
    concealer: Concealer,
    late: u64,
}

/// What was played at an instant.
struct Played {
    at: MonoTime,
    delay: TimeDelta,
    target: Duration,
    concealed: bool,
    frames: usize,
}

impl Player {
    fn new() -> Self {
        Self {
            buffer: Buffer::new(BLOCK, MediaTime::from_millis(2_000)),
            target: TargetDelay::new(TargetConfig::default()),
            adapter: Adapter::new(),
            scale: TimeScale::new(MONO),
            concealer: Concealer::new(MONO),
            late: 0,
        }
    }

    fn play(
        &mut self,
        sound: &[f32],
        mut arrivals: VecDeque<(MonoTime, TimeDelta, Unit)>,
    ) -> Vec<Played> {
        let mut position = MediaTime::ZERO;
        let mut now = arrivals[0].0 + Duration::from_millis(60);
        let mut played = Vec::new();
        while !arrivals.is_empty() || !self.buffer.is_empty() {
            while arrivals.front().is_some_and(|&(arrived, _, _)| arrived <= now) {
                let (arrived, transit, unit) = arrivals.pop_front().expect("there is a front");
                self.target.observe(arrived, transit);
                self.late += u64::from(self.buffer.push(unit) == Pushed::Late);
            }
            let sent = MonoTime::ZERO + position.to_delta();
            let delay = now - sent - self.target.fastest().unwrap_or_default();
            let target = self.target.target();
            let taken = self.buffer.take(position);
            let concealed = matches!(taken, Taken::Missing { .. });
            let block = match taken {
                Taken::Unit(unit) => {
                    position = unit.end();
                    self.real(
                        &sound[FRAMES * (unit.sequence as usize % UNITS)..][..FRAMES],
                        delay,
                        target,
                    )
                }
                Taken::Missing { duration } => {
                    position += duration;
                    let mut block = Vec::new();
                    self.concealer.conceal(duration.ticks(ClockRate::OPUS) as usize, &mut block);
                    block
                }
            };
            let frames = block.len();
            played.push(Played { at: now, delay, target, concealed, frames });
            now += MediaTime::from_ticks(frames as i64, ClockRate::OPUS).to_duration();
        }
        played
    }

    fn real(&mut self, block: &[f32], delay: TimeDelta, target: Duration) -> Vec<f32> {
        let scaled = match self.adapter.decide(delay, target, BLOCK) {
            Adjustment::Keep => None,
            Adjustment::Shorten => self.scale.shorten(block),
            Adjustment::Lengthen => self.scale.lengthen(block),
        };
        let mut block = match scaled {
            Some(scaled) => {
                self.adapter.scaled();
                scaled
            }
            None => block.to_vec(),
        };
        self.concealer.heard(&mut block);
        block
    }
}

#[test]
fn a_minute_of_speech_is_played_at_the_target_delay_with_few_units_late() {
    let sound = speech(120.0, 0.5, UNITS * FRAMES);
    let mut random = Random::new(4);
    let mut player = Player::new();
    let played = player.play(&sound, arrivals(3_000, |_| 20.0 * random.normal()));

    let settled = MonoTime::from_millis(20_000);
    for block in played.iter().filter(|block| block.at > settled) {
        let off = (block.delay - block.target.into()).abs();
        assert!(
            off < Duration::from_millis(60),
            "at {:?}: {:?} for {:?}",
            block.at,
            block.delay,
            block.target
        );
    }
    let steady = played.iter().filter(|block| block.at > settled);
    let concealed = steady.clone().filter(|block| block.concealed).count();
    assert!(concealed * 50 < steady.count(), "{concealed} concealed, {} late", player.late);
    let scaled = played.iter().filter(|block| !block.concealed && block.frames != FRAMES).count();
    assert!(scaled > 0 && scaled * 5 <= played.len(), "{scaled} of {}", played.len());
}

#[test]
fn playback_follows_when_the_jitter_grows_and_when_it_shrinks() {
    let sound = speech(120.0, 0.5, UNITS * FRAMES);
    let mut random = Random::new(9);
    let mut player = Player::new();
    let deviation = |sequence| {
        if (1_500..3_000).contains(&sequence) { 30.0 } else { 4.0 }
    };
    let played = player.play(&sound, arrivals(6_000, |unit| deviation(unit) * random.normal()));

    let mean_delay = |from: u64, to: u64| {
        let span = MonoTime::from_millis(1_000 * from)..MonoTime::from_millis(1_000 * to);
        let delays: Vec<f64> = played
            .iter()
            .filter(|block| span.contains(&block.at))
            .map(|block| block.delay.as_millis_f64())
            .collect();
        delays.iter().sum::<f64>() / delays.len() as f64
    };
    let (calm, rough, calm_again) = (mean_delay(20, 30), mean_delay(50, 60), mean_delay(110, 120));
    assert!(calm < 60.0, "{calm}");
    assert!((110.0..230.0).contains(&rough), "{rough}");
    assert!(calm_again < 80.0, "{calm_again}");
}

#[test]
fn no_format_and_no_ragged_block_is_a_trap() {
    for (hz, channels) in (1..400).chain([8_000, 11_025, 96_000]).flat_map(|hz| [(hz, 0), (hz, 2)])
    {
        let rate = ClockRate::new(hz).expect("not zero");
        let format = AudioFormat { rate, channels };
        let mut concealer = Concealer::new(format);
        let mut scale = TimeScale::new(format);
        let mut out = Vec::new();
        for frames in [1, 3, 7, hz as usize / 50, hz as usize / 10] {
            let mut block = noise(u64::from(hz), 0.5, 2 * frames + 1);
            concealer.heard(&mut block);
            concealer.conceal(frames, &mut out);
            scale.lengthen(&vec![0.25; block.len()]);
            scale.shorten(&block);
        }
        assert!(out.iter().all(|sample| sample.abs() < 2.0));
    }
}
