//! A network that does nothing: then nothing may be heard of it.

use cantus_bench::sim::{Capture, Outcome, Scenario};
use cantus_player::wish::{Carrier, Language};
use cantus_streamer::encoding::Codec;

use crate::stage::{CARRIERS, CODECS, SAMPLES, assert_whole, channel, play, scenario, source};

const SAMPLES_BY_NAME: [&str; 4] = ["narration", "music", "sync-test", "duet"];

fn clean(name: &str, codec: Codec, carrier: Carrier) -> Scenario {
    Scenario { codec, ..scenario(name, "clean", carrier) }
}

fn heard(name: &str, codec: Codec, carrier: Carrier) -> Outcome {
    let capture = Capture { sound: true, ..Capture::default() };
    play(&SAMPLES, &Scenario { capture, ..clean(name, codec, carrier) })
}

/// What was heard, as 16-bit samples; what is not one becomes none.
fn as_i16(samples: &[f32]) -> Vec<Option<i16>> {
    let exact = |sample: &f32| {
        let scaled = sample * 32_768.0;
        (scaled.fract() == 0.0 && (-32_768.0..32_768.0).contains(&scaled)).then_some(scaled as i16)
    };
    samples.iter().map(exact).collect()
}

#[track_caller]
fn assert_exact(heard: &[f32], source: &[i16]) {
    assert_eq!(heard.len(), source.len(), "as long as the source");
    let heard = as_i16(heard);
    let wrong = heard.iter().zip(source).position(|(heard, source)| *heard != Some(*source));
    assert_eq!(wrong, None, "the first sample that differs");
}

/// Linear interpolation: it moves nothing in time.
fn resampled(samples: &[i16], from: u32, to: u32, length: usize) -> Vec<f32> {
    let at = |index: usize| samples.get(index).copied().map_or(0.0, f64::from);
    let place = |frame: usize| {
        let position = frame as f64 * f64::from(from) / f64::from(to);
        let (whole, part) = (position.floor() as usize, position.fract());
        (at(whole) * (1.0 - part) + at(whole + 1) * part) as f32
    };
    (0..length).map(place).collect()
}

/// The lag, in samples either way, at which `heard` is most like `source` over its whole length.
fn lag(heard: &[f32], source: &[f32]) -> i64 {
    const FURTHEST: i64 = 32;
    let likeness = |lag: i64| -> f64 {
        let (ahead, behind) = (lag.max(0) as usize, (-lag).max(0) as usize);
        let pairs = heard[ahead..].iter().zip(&source[behind..]);
        // In blocks, so that the sum of millions stays exact enough.
        pairs.map(|(heard, source)| f64::from(heard * source)).sum()
    };
    let best = (-FURTHEST..=FURTHEST).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)));
    best.expect("there are lags")
}

#[track_caller]
fn assert_aligned(outcome: &Outcome, side: usize, file: &str, of: usize) {
    let sound = outcome.sound.as_ref().expect("sound was kept");
    let heard = channel(&sound.samples, usize::from(sound.format.channels), side);
    let (channels, hz, samples) = source(file);
    let samples = channel(&samples, channels, of);
    let frames = samples.len() as u64 * u64::from(sound.format.rate.hz()) / u64::from(hz);
    assert_eq!(heard.len() as u64, frames, "{file}: as long as the source");
    let source = resampled(&samples, hz, sound.format.rate.hz(), heard.len());
    assert_eq!(lag(&heard, &source), 0, "{file}: samples behind the source");
}

#[test]
fn no_unit_is_lost_late_or_concealed() {
    for carrier in CARRIERS {
        for codec in CODECS {
            for name in SAMPLES_BY_NAME {
                let outcome = play(&SAMPLES, &clean(name, codec, carrier));
                assert_whole(&outcome);
                assert_eq!(outcome.there.lost + outcome.there.overflowed, 0);
            }
        }
    }
}

#[test]
fn l16_is_the_source_bit_for_bit_from_first_to_last() {
    for carrier in CARRIERS {
        for (name, file) in
            [("narration", "narration.wav"), ("music", "music.wav"), ("sync-test", "sync-test.wav")]
        {
            let sound = heard(name, Codec::L16, carrier).sound.expect("sound was kept");
            let (channels, hz, source) = source(file);
            assert_eq!(usize::from(sound.format.channels), channels);
            assert_eq!(sound.format.rate.hz(), hz);
            assert_exact(&sound.samples, &source);
        }
    }
}

#[test]
fn two_tracks_in_l16_are_left_and_right_and_no_sample_apart() {
    for carrier in CARRIERS {
        let outcome = heard("duet", Codec::L16, carrier);
        let sound = outcome.sound.as_ref().expect("sound was kept");
        assert_eq!(sound.format.channels, 2);
        for (side, file) in ["duet/1.wav", "duet/2.wav"].into_iter().enumerate() {
            assert_exact(&channel(&sound.samples, 2, side), &source(file).2);
        }
        assert_eq!(outcome.report.sync.tracks_skew_samples.max, Some(0));
    }
}

#[test]
fn opus_is_aligned_with_the_source_to_the_sample() {
    for carrier in CARRIERS {
        for (name, file) in [("narration", "narration.wav"), ("sync-test", "sync-test.wav")] {
            assert_aligned(&heard(name, Codec::Opus, carrier), 0, file, 0);
        }
        let music = heard("music", Codec::Opus, carrier);
        for side in [0, 1] {
            assert_aligned(&music, side, "music.wav", side);
        }
    }
}

#[test]
fn two_tracks_in_opus_are_no_sample_apart() {
    for carrier in CARRIERS {
        let outcome = heard("duet", Codec::Opus, carrier);
        assert_aligned(&outcome, 0, "duet/1.wav", 0);
        assert_aligned(&outcome, 1, "duet/2.wav", 0);
        assert_eq!(outcome.report.sync.tracks_skew_samples.max, Some(0));
    }
}

#[test]
fn every_cue_is_shown_once_within_five_milliseconds_of_its_sound() {
    for carrier in CARRIERS {
        for codec in CODECS {
            for (name, language, cues) in
                [("narration", "en", 17), ("narration", "vi", 17), ("sync-test", "en", 19)]
            {
                let language = Language::Tag(language.to_owned());
                let scenario = Scenario { language, ..clean(name, codec, carrier) };
                let outcome = play(&SAMPLES, &scenario);
                let ids: Vec<u32> = outcome.cues.iter().map(|shown| shown.cue.id).collect();
                assert_eq!(ids, (1..=cues).collect::<Vec<_>>(), "{name}");
                let skew = &outcome.report.sync.subtitle_skew_ms;
                assert_eq!(skew.count, u64::from(cues));
                let (p99, max) = (skew.p99.expect("cues"), skew.max.expect("cues"));
                assert!(p99.abs() <= 5.0 && max.abs() <= 5.0, "{name}: {skew:?}");
            }
        }
    }
}

#[test]
fn a_part_of_the_range_begins_and_ends_where_it_was_asked_for() {
    use cantus_qos::time::MediaTime;
    let (from, length) = (MediaTime::from_millis(5_000), MediaTime::from_millis(4_000));
    for carrier in CARRIERS {
        let capture = Capture { sound: true, ..Capture::default() };
        let part = Scenario {
            from,
            length: Some(length),
            capture,
            ..clean("sync-test", Codec::L16, carrier)
        };
        let outcome = play(&SAMPLES, &part);
        assert_whole(&outcome);
        let sound = outcome.sound.as_ref().expect("sound was kept");
        assert_eq!(sound.from, from);
        assert_exact(&sound.samples, &source("sync-test.wav").2[240_000..432_000]);
        let ids: Vec<u32> = outcome.cues.iter().map(|shown| shown.cue.id).collect();
        assert_eq!(ids, [5, 6, 7, 8]);
    }
}
