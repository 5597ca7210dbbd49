use super::*;
use crate::catalogue::Catalogue;
use crate::media::MediaDir;
use bytes::Bytes;
use opusic_c::{Channels, Decoder, SampleRate};
use std::f64::consts::TAU;

/// A track of a WAV file with these samples.
pub(super) fn track(name: &str, hz: u32, channels: u16, samples: &[i16]) -> Arc<AudioTrack> {
    let media = MediaDir::new(name);
    media.wav("a.wav", hz, channels, samples);
    let presentation = Catalogue::open(media.path()).unwrap().presentation("a").unwrap();
    Arc::clone(&presentation.audio[0])
}

fn opus(track: &Arc<AudioTrack>, kbps: u64) -> Arc<Encoding> {
    let spec = EncodingSpec::Opus { bitrate: Bitrate::from_kbps(kbps) };
    let encoding = Encoding::of(track, spec).unwrap();
    encoding.wait();
    encoding
}

fn units(encoding: &Encoding) -> Vec<MediaUnit> {
    let ready = |index| match encoding.unit(index) {
        UnitState::Ready(unit) => Some(unit),
        UnitState::Pending => panic!("unit {index} is pending"),
        UnitState::End => None,
    };
    (0..).map_while(ready).collect()
}

fn decode(encoding: &Encoding) -> Vec<f32> {
    let packets: Vec<_> = units(encoding).into_iter().map(|unit| unit.data).collect();
    decode_packets(&packets, encoding.format().channels)
}

pub(super) fn decode_packets(packets: &[Bytes], channels: u8) -> Vec<f32> {
    let wide = if channels == 1 { Channels::Mono } else { Channels::Stereo };
    let mut decoder = Decoder::new(wide, SampleRate::Hz48000).unwrap();
    let mut samples = Vec::new();
    for packet in packets {
        let length = 960 * usize::from(channels);
        decoder.decode_float_to_vec(packet, &mut samples, length, false).unwrap();
    }
    samples
}

/// Noise of low pitch, different at every place, so that it matches itself at one lag only.
pub(super) fn noise(samples: usize) -> Vec<i16> {
    let mut state = 12_345u32;
    let mut last = 0.0;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let white = f64::from(state >> 16) / 32_768.0 - 1.0;
        last = 0.8 * last + 0.2 * white;
        (last * 20_000.0) as i16
    };
    (0..samples).map(next).collect()
}

/// The lag, of -400 to 400 frames, at which `decoded` matches `source` best around `range`.
fn lag(source: &[i16], decoded: &[f32], range: std::ops::Range<usize>) -> i64 {
    let matching = |lag: i64| -> f64 {
        let pair = |n: usize| {
            let there = usize::try_from(n as i64 + lag).ok()?;
            Some(f64::from(source[n]) * f64::from(*decoded.get(there)?))
        };
        range.clone().filter_map(pair).sum()
    };
    (-400..=400).max_by(|a, b| matching(*a).total_cmp(&matching(*b))).unwrap()
}

/// The lags at the head, over the whole, in the middle and at the end.
pub(super) fn lags(source: &[i16], decoded: &[f32]) -> [i64; 4] {
    let end = source.len();
    let ranges = [0..960, 0..end, end / 2..end / 2 + 4_000, end - 960..end];
    ranges.map(|range| lag(source, decoded, range))
}

#[test]
fn decoded_opus_lies_on_the_source_from_head_to_end() {
    let source = noise(48_000 + 500);
    for kbps in [64, 96, 128, 256] {
        let encoding = opus(&track(&format!("align{kbps}"), 48_000, 1, &source), kbps);
        let decoded = decode(&encoding);
        assert_eq!(decoded.len(), 51 * 960);
        assert_eq!(lags(&source, &decoded), [0; 4], "{kbps} kbit/s");
    }
}

#[test]
fn in_hybrid_mode_decoded_opus_is_at_most_one_frame_early() {
    let source = noise(48_000 + 500);
    for kbps in [16, 24, 32, 48] {
        let encoding = opus(&track(&format!("hybrid{kbps}"), 48_000, 1, &source), kbps);
        let decoded = decode(&encoding);
        let lags = lags(&source, &decoded);
        assert!(lags.iter().all(|lag| (-1..=0).contains(lag)), "{kbps} kbit/s: {lags:?}");
    }
}

#[test]
fn opus_units_are_of_twenty_milliseconds_and_constant_size() {
    let encoding = opus(&track("sizes", 48_000, 2, &noise(2 * 9_601)), 96);
    let units = units(&encoding);
    assert_eq!((units.len() as u64, encoding.unit_count()), (11, 11));
    for (index, unit) in (0..).zip(&units) {
        assert_eq!(unit.media_time, MediaTime::from_millis(20 * index));
        assert_eq!(unit.duration, MediaTime::from_millis(20));
        assert_eq!(unit.data.len(), 96_000 / 8 / 50);
    }
    assert_eq!(encoding.format(), AudioFormat { rate: ClockRate::OPUS, channels: 2 });
}

#[test]
fn silence_does_not_interrupt_the_stream() {
    let encoding = opus(&track("silence", 48_000, 1, &[0; 48_000]), 64);
    assert!(units(&encoding).iter().all(|unit| unit.data.len() == 160));
}

#[test]
fn l16_is_the_source_bit_by_bit() {
    let source = noise(2 * 10_007);
    let track = track("l16", 44_100, 2, &source);
    let encoding = Encoding::of(&track, EncodingSpec::L16).unwrap();
    assert!(encoding.is_complete());
    let mut decoded = Vec::new();
    let mut time = MediaTime::ZERO;
    for unit in units(&encoding) {
        assert!(unit.data.len() <= 1_150);
        assert_eq!(unit.media_time, time);
        time += unit.duration;
        decoded.extend(l16::decode(&unit.data, track.format).unwrap());
    }
    assert_eq!(decoded, source);
    assert_eq!(time, track.duration());
    assert_eq!(encoding.bitrate().as_bps(), 44_100 * 32);
}

#[test]
fn l16_of_wider_samples_is_rounded_and_clipped() {
    let media = MediaDir::new("l16float");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let full = 1.0 / 32_768.0;
    media.wav_as("a.wav", spec, &[0.4 * full, 0.6 * full, -0.6 * full, 2.0f32, -2.0, -1.0]);
    let presentation = Catalogue::open(media.path()).unwrap().presentation("a").unwrap();
    let encoding = Encoding::of(&presentation.audio[0], EncodingSpec::L16).unwrap();
    let decoded = l16::decode(&units(&encoding)[0].data, encoding.format()).unwrap();
    assert_eq!(decoded, [0, 1, -1, i16::MAX, i16::MIN, i16::MIN]);
}

#[test]
fn units_are_found_by_their_time() {
    let encoding = opus(&track("index", 48_000, 1, &[0; 2_000]), 64);
    let at = |flicks| encoding.index_at(MediaTime::from_flicks(flicks));
    let unit = MediaTime::from_millis(20).as_flicks();
    assert_eq!([at(-1), at(0), at(unit - 1), at(unit)], [0, 0, 0, 1]);
    assert_eq!([at(3 * unit - 1), at(3 * unit), at(i64::MAX)], [2, 3, 3]);
    assert_eq!(encoding.unit(3), UnitState::End);
}

#[test]
fn encodings_are_shared_while_in_use() {
    let track = track("cache", 48_000, 1, &[0; 960]);
    let (first, second, other) = (opus(&track, 64), opus(&track, 64), opus(&track, 96));
    assert!(Arc::ptr_eq(&first, &second));
    assert!(!Arc::ptr_eq(&first, &other));
}

#[test]
fn rates_within_what_opus_has_are_taken_and_others_refused() {
    let track = track("rates", 48_000, 1, &[0; 960]);
    let of = |bps| Encoding::of(&track, EncodingSpec::Opus { bitrate: Bitrate::from_bps(bps) });
    assert!(of(6_000).is_ok() && of(510_000).is_ok());
    for bps in [0, 5_999, 510_001, u64::MAX] {
        assert!(matches!(of(bps), Err(EncodingError::Bitrate { .. })), "{bps}");
    }
}

#[test]
fn the_highest_rung_that_fits_is_chosen() {
    let within = |bps| EncodingSpec::opus_within(Bitrate::from_bps(bps));
    let rung = |kbps| EncodingSpec::Opus { bitrate: Bitrate::from_kbps(kbps) };
    assert_eq!([within(0), within(96_000), within(95_999)], [rung(16), rung(96), rung(64)]);
    assert_eq!([within(256_000), within(u64::MAX)], [rung(256); 2]);
    assert!(EncodingSpec::ladder().is_sorted());
}

/// All frames of `track` at 48 kHz, and as many again after its end.
fn at_48k(track: &Arc<AudioTrack>) -> Vec<f32> {
    let frames = resample::frames_at(ClockRate::OPUS, track) as usize;
    let mut samples = vec![0.0; 2 * frames * usize::from(track.format.channels)];
    let mut source = resample::FramesAt::begin(ClockRate::OPUS, Arc::clone(track), 0).unwrap();
    // Blocks of an awkward length: where one ends must not matter.
    for block in samples.chunks_mut(777 * usize::from(track.format.channels)) {
        source.read(block).unwrap();
    }
    samples
}

#[test]
fn a_click_keeps_its_place_when_resampled() {
    for place in [0, 147, 147 * 40, 147 * 79] {
        let mut source = vec![0; 147 * 80];
        source[place] = 20_000;
        let resampled = at_48k(&track(&format!("click{place}"), 44_100, 1, &source));
        let peak = (0..resampled.len()).max_by(|a, b| resampled[*a].total_cmp(&resampled[*b]));
        let expected = place / 147 * 160;
        assert_eq!(peak, Some(expected));
        // The filter is symmetric about the very frame, so there is no delay of part of one.
        for distance in 1..expected.min(100) {
            let (left, right) = (resampled[expected - distance], resampled[expected + distance]);
            assert!((left - right).abs() < 1e-5, "{place}: {left} {right} at {distance}");
        }
    }
}

#[test]
fn a_sine_keeps_phase_and_level_when_resampled() {
    for hz in [100.0, 997.0, 10_000.0, 19_000.0] {
        let sine = |n: usize, rate: f64| 0.5 * (TAU * hz * n as f64 / rate).sin();
        let source: Vec<_> =
            (0..44_100).flat_map(|n| [(sine(n, 44_100.0) * 32_768.0).round() as i16, 0]).collect();
        let resampled = at_48k(&track(&format!("sine{hz}"), 44_100, 2, &source));
        // Away from the edges, where the filter meets the silence around the sound.
        for n in 1_000..47_000 {
            let error = f64::from(resampled[2 * n]) - sine(n, 48_000.0);
            assert!(error.abs() < 1e-4, "{hz} Hz, frame {n}: {error}");
            assert_eq!(resampled[2 * n + 1], 0.0);
        }
    }
}

#[test]
fn a_resampled_sound_is_as_long_as_its_source() {
    for (frames, expected) in [(1, 2), (147, 160), (148, 162), (44_100, 48_000)] {
        let track = track(&format!("length{frames}"), 44_100, 1, &vec![1; frames]);
        assert_eq!(resample::frames_at(ClockRate::OPUS, &track), expected);
    }
}

#[test]
fn resampled_opus_lies_on_the_source_too() {
    let source = noise(44_100);
    let track = track("align44", 44_100, 1, &source);
    let reference = at_48k(&track)[..48_000].to_vec();
    let reference: Vec<_> = reference.iter().map(|s| (s * 32_768.0) as i16).collect();
    let encoding = opus(&track, 96);
    let decoded = decode(&encoding);
    assert_eq!(decoded.len(), 48_000);
    assert_eq!(lags(&reference, &decoded), [0; 4]);
}

#[test]
fn an_encoding_that_nobody_holds_lets_its_track_go() {
    let track = track("abandoned", 48_000, 2, &vec![0; 2 * 48_000 * 60]);
    let held = Arc::downgrade(&track);
    drop(Encoding::of(&track, EncodingSpec::opus_within(Bitrate::from_kbps(64))).unwrap());
    drop(track);
    // The thread holds it until it notices.
    while held.strong_count() > 0 {
        std::thread::yield_now();
    }
    assert!(held.upgrade().is_none());
}
