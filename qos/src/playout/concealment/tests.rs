use super::*;
use crate::playout::signals::{
    MONO, STEREO, harmonic, largest_step, noise, rms, sine, speech, stereo,
};

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

#[test]
fn measure() {
    for (name, make) in sounds() {
        let mut worst = (0.0f32, 0, 0);
        for phase in 0..16 {
            let signal = &make(48_000 * 3)[phase * 37..];
            let own = largest_step(signal, 1);
            for ms in LOSSES {
                let out = heard(signal, MONO, |n| (60..60 + ms / 5).contains(&n));
                let ratio = largest_step(&out, 1) / own;
                if ratio > worst.0 {
                    worst = (ratio, ms, phase);
                }
            }
        }
        println!("{name}: {worst:?}");
    }
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
