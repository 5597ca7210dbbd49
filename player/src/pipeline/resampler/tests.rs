use super::*;

const BLOCK: usize = 960;

/// What `sound` becomes, stereo with the right channel turned over, in blocks of `block` frames.
fn passed(sound: &[f32], block: usize, stretch: impl Fn(usize) -> Option<f64>) -> Vec<f32> {
    let mut resampler = Resampler::new(AudioFormat::OPUS_STEREO);
    let stereo: Vec<f32> = sound.iter().flat_map(|&it| [it, -it]).collect();
    let mut out = Vec::new();
    for (index, block) in stereo.chunks(2 * block).enumerate() {
        out.extend(resampler.pass(block.to_vec(), stretch(index)));
    }
    resampler.finish(&mut out);
    assert!(out.chunks_exact(2).all(|frame| frame[1] == -frame[0]), "one lag for all channels");
    out.into_iter().step_by(2).collect()
}

fn sine(hz: f64, at: f64) -> f32 {
    (0.5 * (std::f64::consts::TAU * hz * at / 48_000.0).sin()) as f32
}

fn tone(hz: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|frame| sine(hz, frame as f64)).collect()
}

fn largest(samples: impl Iterator<Item = f32>) -> f32 {
    samples.map(f32::abs).fold(0.0, f32::max)
}

#[test]
fn blocks_are_copied_to_the_bit_until_there_is_a_stretch() {
    let sound = tone(440.0, 10 * BLOCK);
    assert_eq!(passed(&sound, BLOCK, |_| None), sound);
}

#[test]
fn it_begins_with_the_frame_after_the_last_that_was_copied_and_ends_with_the_last() {
    for (hz, block) in [(440.0, BLOCK), (5_000.0, 120), (15_000.0, 48), (1_000.0, 7)] {
        let sound = tone(hz, 4_000);
        let out = passed(&sound, block, |index| (index * block >= 2_000).then_some(0.0));
        assert_eq!(out.len(), sound.len(), "{hz} Hz in blocks of {block}");
        let error = largest(out.iter().zip(&sound).take(3_930).map(|(out, sent)| out - sent));
        // To a 256th of a frame, at most.
        let bound = 0.5 * (std::f64::consts::TAU * hz / 48_000.0) as f32 / 256.0;
        assert!(error < 1.1 * bound + 1e-4, "{hz} Hz in blocks of {block}: {error}");
    }
}

#[test]
fn every_frame_lies_where_the_stretch_says_and_none_is_dropped_or_doubled() {
    for (stretch, hz) in [(300e-6, 440.0), (-300e-6, 440.0), (1e-3, 9_000.0), (-1e-3, 19_000.0)] {
        let frames = 480_000;
        let out = passed(&tone(hz, frames), BLOCK, |index| (index >= 10).then_some(stretch));
        let expected = 10.0 * BLOCK as f64 + (frames - 10 * BLOCK) as f64 * (1.0 + stretch);
        assert!((out.len() as f64 - expected).abs() <= 3.0, "{} {expected}", out.len());
        // The ratio glides to its value within the first block, which the filter's look-ahead has
        // begun already: that is less by half a block's stretch.
        let glide = (BLOCK / 2 - LOOK_AHEAD) as f64 * stretch;
        let (begin, end) = (11 * BLOCK, out.len() - 200);
        let error = largest((begin..end).map(|frame| {
            let since = (frame - 10 * BLOCK) as f64 + glide;
            out[frame] - sine(hz, 10.0 * BLOCK as f64 + since / (1.0 + stretch))
        }));
        // By how much the wave changes within a fiftieth of a frame.
        let bound = 0.02 * 0.5 * (std::f64::consts::TAU * hz / 48_000.0) as f32 + 1e-3;
        assert!(error < bound, "{stretch}, {hz} Hz: {error} of {bound}");
    }
}

#[test]
fn a_stretch_that_changes_with_every_block_makes_no_step() {
    let sound = tone(1_000.0, 100 * BLOCK);
    let out = passed(&sound, BLOCK, |index| Some(((index % 7) as f64 - 3.0) * 1e-4));
    let bend = |samples: &[f32]| largest(samples.windows(3).map(|it| it[2] - 2.0 * it[1] + it[0]));
    let (heard, sent) = (bend(&out[200..out.len() - 200]), bend(&sound));
    assert!(heard < 1.02 * sent, "{heard} {sent}");
}

#[test]
fn what_it_holds_back_is_told() {
    let mut resampler = Resampler::new(AudioFormat::OPUS_MONO);
    assert_eq!(resampler.held(), 0);
    let (mut fed, mut given) = (0, 0);
    for block in 0..1_000 {
        let stretch = (block >= 5).then_some(0.0);
        fed += 480;
        given += resampler.pass(vec![0.1; 480], stretch).len();
        assert_eq!(fed - given, resampler.held(), "{block}");
    }
}
