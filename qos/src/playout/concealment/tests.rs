use super::*;
use crate::playout::signals::{MONO, STEREO, harmonic, noise, rms, sine, speech, stereo};
use crate::playout::step::largest_step;

/// 5 ms at 48 kHz: the blocks of the tests.
const BLOCK: usize = 240;
const PER_MS: usize = 48;

/// The signal as it is heard when the blocks of `lost` are.
fn heard(signal: &[f32], format: AudioFormat, lost: impl Fn(usize) -> bool) -> Vec<f32> {
    let mut concealer = Concealer::new(format);
    let mut out = Vec::with_capacity(signal.len());
    for (index, block) in signal.chunks(BLOCK * usize::from(format.channels)).enumerate() {
        if lost(index) {
            concealer.conceal(block.len() / usize::from(format.channels), &mut out);
        } else {
            let mut block = block.to_vec();
            concealer.heard(&mut block);
            out.extend(block);
        }
    }
    out
}

/// The largest change of the step from one sample to the next: where a curve has a corner.
fn sharpest_bend(samples: &[f32]) -> f32 {
    let steps: Vec<f32> = samples.windows(2).map(|pair| pair[1] - pair[0]).collect();
    largest_step(&steps, 1)
}

const LOSSES: [usize; 14] = [5, 10, 15, 20, 25, 40, 60, 80, 100, 120, 125, 200, 500, 2_000];

type Sound = (&'static str, fn(usize) -> Vec<f32>);

fn sounds() -> Vec<Sound> {
    vec![
        ("50 Hz", |n| sine(50.0, 0.5, n)),
        ("100 Hz", |n| sine(100.0, 0.5, n)),
        ("187 Hz", |n| sine(187.0, 0.5, n)),
        ("440 Hz", |n| sine(440.0, 0.5, n)),
        ("1 kHz", |n| sine(1_000.0, 0.5, n)),
        ("3.1 kHz", |n| sine(3_100.0, 0.5, n)),
        ("8 kHz", |n| sine(8_000.0, 0.5, n)),
        ("vowel 110", |n| harmonic(110.0, 0.5, n)),
        ("vowel 230", |n| harmonic(230.0, 0.5, n)),
        ("speech 120", |n| speech(120.0, 0.5, n)),
        ("speech 210", |n| speech(210.0, 0.5, n)),
        ("noise", |n| noise(5, 0.5, n)),
        ("chord", |n| {
            let (a, b, c) = (sine(220.0, 0.2, n), sine(277.2, 0.2, n), sine(329.6, 0.2, n));
            a.iter().zip(&b).zip(&c).map(|((a, b), c)| a + b + c).collect()
        }),
    ]
}

/// For every sound, length of loss and 16 phases: what was sent, what was heard, and the lost
/// range.
fn for_every_loss(mut check: impl FnMut(&str, &[f32], &[f32], std::ops::Range<usize>)) {
    const BEGIN: usize = 60 * BLOCK;
    for (name, make) in sounds() {
        let sound = make(3 * 48_000);
        for (phase, ms) in (0..16).flat_map(|phase| LOSSES.map(|ms| (phase, ms))) {
            let lost = BEGIN..BEGIN + ms * PER_MS;
            let signal = &sound[phase * 437..][..lost.end + 40 * PER_MS];
            let out = heard(signal, MONO, |block| lost.contains(&(block * BLOCK)));
            check(&format!("{name}, {ms} ms lost, phase {phase}"), signal, &out, lost);
        }
    }
}

/// Steps may be a fifth larger than those of the sound itself, over the 60 ms before the loss
/// from which the extension is made and the 20 ms after it; a gap filled with zeros makes them
/// several times as large. Corners are measured against the sound
/// too, but not below what a cross-fade of 5 ms between full swings has by itself.
#[test]
fn neither_the_break_nor_the_recovery_is_a_click() {
    const NEAR: usize = 20 * PER_MS;
    const FADE_BEND: f32 = 6.0 / (BLOCK * BLOCK) as f32;
    for_every_loss(|what, signal, out, lost| {
        let before = &signal[lost.start - 3 * NEAR..lost.start];
        let after = &signal[lost.end..lost.end + NEAR];
        let step = largest_step(before, 1).max(largest_step(after, 1));
        let bend = sharpest_bend(before).max(sharpest_bend(after)).max(FADE_BEND);
        let around = &out[lost.start - NEAR..lost.end + NEAR];
        let (heard_step, heard_bend) = (largest_step(around, 1), sharpest_bend(around));
        assert!(heard_step <= 1.2 * step, "{what}: step {heard_step} against {step}");
        assert!(heard_bend <= 3.5 * bend, "{what}: bend {heard_bend} against {bend}");
    });
}

#[test]
fn the_measure_of_clicks_hears_a_gap_of_zeros() {
    let signal = sine(440.0, 0.5, 4_800);
    let mut gap = signal.clone();
    gap[2_414..2_654].fill(0.0);
    assert!(largest_step(&gap, 1) > 5.0 * largest_step(&signal, 1));
    assert!(sharpest_bend(&gap) > 50.0 * sharpest_bend(&signal));
}

#[test]
fn what_was_not_lost_and_does_not_follow_a_loss_is_untouched_to_the_bit() {
    for_every_loss(|what, signal, out, lost| {
        assert_eq!(out[..lost.start], signal[..lost.start], "{what}");
        let recovered = lost.end + BLOCK;
        assert_eq!(out[recovered..], signal[recovered..], "{what}");
    });
}

#[test]
fn a_loss_longer_than_120_ms_ends_in_silence() {
    for_every_loss(|what, _, out, lost| {
        let silent = (lost.start + 120 * PER_MS).min(lost.end)..lost.end;
        assert!(out[silent].iter().all(|&sample| sample == 0.0), "{what}");
    });
}

#[test]
fn a_loss_up_to_20_ms_keeps_the_level_of_a_steady_sound() {
    for (name, make) in sounds().into_iter().filter(|(name, _)| !name.starts_with("speech")) {
        let signal = make(24_000);
        let out = heard(&signal, MONO, |block| (60..64).contains(&block));
        let lost = 60 * BLOCK..64 * BLOCK;
        let change = 20.0 * (rms(&out[lost.clone()]) / rms(&signal[lost])).log10();
        assert!(change.abs() < 1.5, "{name}: {change:+.1} dB");
    }
}

#[test]
fn a_steady_tone_goes_on_as_if_nothing_had_been_lost() {
    for hz in [100.0, 440.0, 1_000.0, 3_100.0] {
        let signal = sine(hz, 0.5, 24_000);
        let out = heard(&signal, MONO, |block| (60..64).contains(&block));
        let error: Vec<f32> = out.iter().zip(&signal).map(|(out, sent)| out - sent).collect();
        let lost = 60 * BLOCK..64 * BLOCK;
        let ratio = rms(&signal[lost.clone()]) / rms(&error[lost]).max(1e-9);
        assert!(ratio > 20.0, "{hz} Hz: {ratio}");
    }
}

#[test]
fn the_level_falls_without_ever_rising_again() {
    let signal = harmonic(120.0, 0.5, 24_000);
    let out = heard(&signal, MONO, |block| (60..90).contains(&block));
    let levels: Vec<f32> = out[60 * BLOCK..90 * BLOCK].chunks(480).map(rms).collect();
    assert!(levels.windows(2).skip(2).all(|pair| pair[1] <= 1.1 * pair[0]), "{levels:?}");
    assert!(levels[6] > 0.2 * levels[0] && levels[6] < 0.7 * levels[0], "{levels:?}");
}

#[test]
fn every_second_block_lost_still_makes_no_click() {
    for (name, make) in sounds() {
        let signal = make(48_000);
        let out = heard(&signal, MONO, |block| block > 20 && block % 2 == 1);
        let (step, heard_step) = (largest_step(&signal, 1), largest_step(&out, 1));
        assert!(heard_step <= 1.5 * step, "{name}: {heard_step} against {step}");
    }
}

#[test]
fn blocks_shorter_than_the_cross_fade_share_it() {
    let signal = sine(440.0, 0.5, 9_600);
    let mut whole = heard(&signal, MONO, |block| (20..30).contains(&block));
    let mut concealer = Concealer::new(MONO);
    let mut out = Vec::new();
    concealer.heard(&mut signal[..20 * BLOCK].to_vec());
    concealer.conceal(10 * BLOCK, &mut out);
    for block in signal[30 * BLOCK..].chunks(7) {
        let mut block = block.to_vec();
        concealer.heard(&mut block);
        out.extend(block);
    }
    assert_eq!(out, whole.split_off(20 * BLOCK));
}

#[test]
fn concealing_in_pieces_is_concealing_at_once() {
    let signal = speech(120.0, 0.5, 9_600);
    let mut concealer = Concealer::new(MONO);
    concealer.heard(&mut signal.clone());
    let (mut pieces, mut at_once) = (Vec::new(), Vec::new());
    let mut other = concealer.clone();
    concealer.conceal(7_200, &mut at_once);
    for frames in [1, 239, 960, 6_000] {
        other.conceal(frames, &mut pieces);
    }
    assert_eq!(pieces, at_once);
}

#[test]
fn both_channels_are_extended_by_the_same_lag() {
    let left = harmonic(110.0, 0.4, 24_000);
    let right: Vec<f32> = left.iter().map(|sample| -0.5 * sample).collect();
    let out = heard(&stereo(&left, &right), STEREO, |block| (60..70).contains(&block));
    assert_eq!(out.len(), 48_000);
    assert!(out.chunks(2).all(|frame| (frame[1] + 0.5 * frame[0]).abs() < 1e-5));
    assert!(rms(&out[2 * 60 * BLOCK..2 * 64 * BLOCK]) > 0.5 * rms(&out[..2 * 60 * BLOCK]));
}

#[test]
fn before_anything_was_heard_there_is_silence() {
    let mut concealer = Concealer::new(STEREO);
    let mut out = vec![0.25];
    concealer.conceal(480, &mut out);
    assert_eq!(out.len(), 1 + 960);
    assert!(out[1..].iter().all(|&sample| sample == 0.0));
}

#[test]
fn a_reset_forgets_the_sound_and_the_extension() {
    let mut concealer = Concealer::new(MONO);
    concealer.heard(&mut sine(440.0, 0.5, 9_600));
    concealer.conceal(100, &mut Vec::new());
    concealer.reset();
    let mut block = vec![0.5; BLOCK];
    concealer.heard(&mut block);
    assert_eq!(block, [0.5; BLOCK]);
    concealer.reset();
    let mut out = Vec::new();
    concealer.conceal(BLOCK, &mut out);
    assert_eq!(out, [0.0; BLOCK]);
}
