//! What is done with a unit: wait, be decoded, be made up for, be stretched.

use std::f32::consts::TAU;

use bytes::Bytes;
use cantus_bench::sim::Media;
use cantus_player::decode::{Decoder, OpusDecoder};
use cantus_qos::payload::AudioFormat;
use cantus_qos::playout::{Buffer, Concealer, TimeScale, Unit};
use cantus_qos::time::{ClockRate, MediaTime};
use cantus_streamer::encoding::Codec;
use cantus_streamer::encoding::UnitState;
use cantus_streamer::programme::ProgrammeKey;
use divan::black_box;

use crate::receive::MEDIA;
use crate::stage::{Stage, Step};

/// Units a second.
const UNITS: f64 = 50.0;
/// Where one unit in twenty is lost, or stretched.
const SELDOM: f64 = UNITS / 20.0;

const UNIT: MediaTime = MediaTime::from_millis(20);
const MONO: AudioFormat = AudioFormat { rate: ClockRate::OPUS, channels: 1 };

pub(crate) fn stages() -> Vec<Stage> {
    vec![
        Stage::new("playout, a unit in and out", UNITS, |_| playout()),
        Stage::new("opus decode, 20 ms of mono", UNITS, |_| opus()),
        Stage::new("concealment, 20 ms of mono", SELDOM, |_| concealment()),
        Stage::new("time scale, 20 ms of mono shortened", SELDOM, |_| time_scale()),
    ]
}

/// Ten units wait: 200 ms.
fn playout() -> Step {
    let data = Bytes::from_static(&[0; 240]);
    let unit = move |sequence: u64| Unit {
        sequence,
        media_time: MediaTime::from_millis(20 * sequence as i64),
        duration: UNIT,
        data: data.clone(),
    };
    let mut buffer = Buffer::new(UNIT, MediaTime::from_millis(1_000));
    (0..10).for_each(|sequence| {
        buffer.push(unit(sequence));
    });
    let mut sequence = 10;
    Box::new(move || {
        black_box(buffer.push(unit(sequence)));
        black_box(buffer.take(MediaTime::from_millis(20 * (sequence as i64 - 10))));
        sequence += 1;
    })
}

fn opus() -> Step {
    let key = ProgrammeKey::new(Media::SYNTHETIC, Codec::Opus);
    let programme = MEDIA.programme(&key).expect("the synthetic presentation");
    let encoding = &programme.audio[0];
    let units: Vec<Bytes> = (0..encoding.unit_count())
        .filter_map(|index| match encoding.unit(index) {
            UnitState::Ready(unit) => Some(unit.data),
            UnitState::Pending | UnitState::End => None,
        })
        .collect();
    let mut units = units.into_iter().cycle();
    let mut decoder = OpusDecoder::new(MONO).expect("libopus");
    let mut samples = Vec::new();
    Box::new(move || {
        samples.clear();
        let unit = units.next().expect("an endless stream");
        black_box(decoder.decode(&unit, &mut samples).expect("a unit"));
    })
}

/// A tone of 220 Hz and its octave.
fn tone() -> Vec<f32> {
    let at = |frame: u32| {
        let turn = frame as f32 * 220.0 / 48_000.0 * TAU;
        0.4 * turn.sin() + 0.2 * (2.0 * turn).sin()
    };
    (0..960).map(at).collect()
}

/// A hole after each real block.
fn concealment() -> Step {
    let mut concealer = Concealer::new(MONO);
    let mut block = tone();
    let mut hole = Vec::new();
    Box::new(move || {
        concealer.heard(&mut block);
        hole.clear();
        concealer.conceal(960, &mut hole);
        black_box(&hole);
    })
}

fn time_scale() -> Step {
    let mut scale = TimeScale::new(MONO);
    let block = tone();
    Box::new(move || {
        black_box(scale.shorten(black_box(&block)));
    })
}
