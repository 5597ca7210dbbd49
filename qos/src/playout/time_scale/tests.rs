use super::*;
use crate::playout::signals::{MONO, STEREO, harmonic, noise, rms, sine, speech, stereo};
use proptest::prelude::*;

const BLOCK: usize = 960;

type Scaling = fn(&mut TimeScale, &[f32]) -> Option<Vec<f32>>;
const BOTH: [Scaling; 2] =
    [|scale, block| scale.shorten(block), |scale, block| scale.lengthen(block)];

/// The signal with every third block scaled where it can be, and how many were.
fn scaled(signal: &[f32], block: usize, scaling: Scaling) -> (Vec<f32>, usize) {
    let mut scale = TimeScale::new(MONO);
    let (mut out, mut count) = (Vec::new(), 0);
    for (index, block) in signal.chunks(block).enumerate() {
        match (index % 3 == 2).then(|| scaling(&mut scale, block)).flatten() {
            Some(block) => {
                out.extend(block);
                count += 1;
            }
            None => out.extend(block),
        }
    }
    let change = scale.added() as i64 - scale.removed() as i64;
    assert_eq!(out.len() as i64, signal.len() as i64 + change);
    (out, count)
}

fn voices() -> Vec<(&'static str, Vec<f32>)> {
    vec![
        ("100 Hz", sine(100.0, 0.5, 96_000)),
        ("440 Hz", sine(440.0, 0.5, 96_000)),
        ("3.1 kHz", sine(3_100.0, 0.5, 96_000)),
        ("vowel 110", harmonic(110.0, 0.5, 96_000)),
        ("vowel 230", harmonic(230.0, 0.5, 96_000)),
        ("speech 120", speech(120.0, 0.5, 96_000)),
        ("speech 210", speech(210.0, 0.5, 96_000)),
    ]
}

#[test]
fn scaling_makes_no_click_and_keeps_the_level() {
    for (name, signal) in voices() {
        for (scaling, block) in BOTH.into_iter().flat_map(|how| [(how, BLOCK), (how, 2 * BLOCK)]) {
            let (out, count) = scaled(&signal, block, scaling);
            assert!(count > 8, "{name}: {count} of {} blocks", signal.len() / block / 3);
            let (step, heard) = (largest_step(&signal, 1), largest_step(&out, 1));
            assert!(heard <= 1.1 * step, "{name}: step {heard} against {step}");
            let change = 20.0 * (rms(&out) / rms(&signal)).log10();
            assert!(change.abs() < 0.5, "{name}: {change:+.2} dB");
        }
    }
}

#[test]
fn a_steady_tone_changes_by_whole_periods() {
    for scaling in BOTH {
        for hz in [80, 100, 160, 240, 375] {
            let block = sine(hz as f32, 0.5, BLOCK);
            let out = scaling(&mut TimeScale::new(MONO), &block).expect("a tone is like itself");
            assert_eq!(out.len().abs_diff(BLOCK) % (48_000 / hz), 0, "{hz} Hz");
            let ideal = sine(hz as f32, 0.5, out.len());
            let error = out.iter().zip(&ideal).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(error < 1e-3, "{hz} Hz: {error}");
        }
    }
}

#[test]
fn the_ends_of_a_block_stay_as_they_are() {
    for scaling in BOTH {
        let block = harmonic(150.0, 0.5, 2 * BLOCK);
        let out = scaling(&mut TimeScale::new(MONO), &block).expect("a vowel is like itself");
        assert_ne!(out.len(), block.len());
        assert_eq!(out.first(), block.first());
        assert_eq!(out.last(), block.last());
    }
}

#[test]
fn noise_is_left_alone() {
    for (seed, scaling) in (0..50).flat_map(|seed| BOTH.map(|scaling| (seed, scaling))) {
        let mut scale = TimeScale::new(MONO);
        assert_eq!(scaling(&mut scale, &noise(seed, 0.5, BLOCK)), None);
        assert_eq!((scale.removed(), scale.added()), (0, 0));
    }
}

#[test]
fn silence_gives_way_by_half_a_block_and_almost_silence_does_not() {
    let mut scale = TimeScale::new(MONO);
    assert_eq!(scale.shorten(&[0.0; BLOCK]), Some(vec![0.0; BLOCK / 2]));
    assert_eq!(scale.lengthen(&[0.0; BLOCK]), Some(vec![0.0; BLOCK * 3 / 2]));
    assert_eq!((scale.removed(), scale.added()), (480, 480));
    // Uniform noise has a third of its amplitude squared as its power.
    let quiet = noise(1, 0.95e-3 * 3f32.sqrt(), BLOCK);
    let louder = noise(1, 1.05e-3 * 3f32.sqrt(), BLOCK);
    assert!(scale.shorten(&quiet).is_some());
    assert!(scale.shorten(&louder).is_none());
}

#[test]
fn blocks_under_20_ms_are_left_alone() {
    let mut scale = TimeScale::new(MONO);
    assert!(scale.shorten(&sine(200.0, 0.5, BLOCK - 1)).is_none());
    assert!(scale.shorten(&sine(200.0, 0.5, BLOCK)).is_some());
    assert!(scale.lengthen(&[]).is_none());
}

#[test]
fn both_channels_jump_by_the_same_lag() {
    let left = harmonic(125.0, 0.4, BLOCK);
    let right: Vec<f32> = left.iter().map(|sample| -sample).collect();
    for scaling in BOTH {
        let out = scaling(&mut TimeScale::new(STEREO), &stereo(&left, &right)).expect("a vowel");
        assert_ne!(out.len(), 2 * BLOCK);
        assert!(out.chunks(2).all(|frame| frame[1] == -frame[0]));
    }
}

proptest! {
    #[test]
    fn whatever_the_block_its_change_is_told_and_within_20_ms(
        samples in prop::collection::vec(-1f32..1.0, 0..4_000),
        repeat in 100usize..1_500,
        channels in 1u8..=2,
    ) {
        let frames = samples.len() / usize::from(channels);
        let block: Vec<f32> = (0..frames * usize::from(channels))
            .map(|n| samples[n % repeat.min(samples.len())])
            .collect();
        let mut scale = TimeScale::new(AudioFormat { channels, ..MONO });
        let shorter = scale.shorten(&block).map(|out| block.len() - out.len()).unwrap_or(0);
        let longer = scale.lengthen(&block).map(|out| out.len() - block.len()).unwrap_or(0);
        prop_assert_eq!(shorter, scale.removed() as usize * usize::from(channels));
        prop_assert_eq!(longer, shorter);
        prop_assert!(shorter <= 960 * usize::from(channels));
    }
}
