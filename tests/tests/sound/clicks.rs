//! No sample step over what the sound itself holds.

use std::ops::Range;

use bytes::Bytes;
use cantus_player::decode::{Comforted, Decoder, OpusDecoder, SampleDecoder};
use cantus_qos::payload::{l16, opus};
use cantus_qos::playout::TimeScale;
use opusic_c::{Application, Channels, Encoder, SampleRate};

use crate::material::{Sound, largest_step, sounds};

/// A joint is compared with the sound so far around it, in ms: what is repeated comes from there.
const AROUND: usize = 80;
/// What is 66 dB below full scale is no click, whatever it is compared with.
const INAUDIBLE: f32 = 5e-4;
const UNIT: usize = 20;

/// Where the sound is broken: every 370 ms, so that all parts of it and all phases come up.
fn places(sound: &Sound) -> impl Iterator<Item = usize> {
    let (first, last) = (sound.frames(500), sound.samples.len() - sound.frames(4_000));
    let unit = sound.frames(UNIT);
    (first..last).step_by(sound.frames(370)).map(move |at| at / unit * unit)
}

/// Panics if `heard` steps farther than `sent` does around `lost`.
#[track_caller]
fn assert_no_click(sound: &Sound, sent: &[f32], lost: Range<usize>, heard: &[f32]) {
    let around = sound.frames(AROUND);
    let near = &sent[lost.start - around..(lost.end + around).min(sent.len())];
    let (step, own) = (largest_step(heard), largest_step(near));
    assert!(
        step <= own + INAUDIBLE,
        "{}, {} frames lost at {}: a step of {step}, where the sound itself has {own}",
        sound.name,
        lost.len(),
        lost.start
    );
}

#[test]
fn shortening_and_lengthening_make_no_step_over_those_of_the_sound() {
    for sound in sounds() {
        let unit = sound.frames(UNIT);
        let mut count = 0;
        for at in places(&sound) {
            let mut scale = TimeScale::new(sound.format);
            let block = &sound.samples[at..at + unit];
            for scaled in [scale.shorten(block), scale.lengthen(block)].into_iter().flatten() {
                count += 1;
                let mut heard = sound.samples[at - 10..at].to_vec();
                heard.extend(scaled);
                heard.extend(&sound.samples[at + unit..at + unit + 10]);
                assert_no_click(&sound, &sound.samples, at..at + unit, &heard);
            }
        }
        assert!(count > 20, "{}: {count} blocks were scaled", sound.name);
    }
}

/// What is heard where `lost` is lost: from 5 ms before it to 40 ms after it.
fn linear(sound: &Sound, lost: Range<usize>) -> Vec<f32> {
    let mut decoder = Comforted::new(SampleDecoder::l16(sound.format), sound.format);
    let (before, after) = (sound.frames(200), sound.frames(40));
    let payload = |range: Range<usize>| {
        let samples: Vec<i16> =
            sound.samples[range].iter().map(|sample| (sample * 32_768.0) as i16).collect();
        l16::encode(&samples)
    };
    let mut out = Vec::new();
    decoder.decode(&payload(lost.start - before..lost.start), &mut out).expect("linear audio");
    for _ in (0..lost.len()).step_by(sound.frames(UNIT)) {
        decoder.conceal(sound.frames(UNIT), &mut out);
    }
    decoder.decode(&payload(lost.end..lost.end + after), &mut out).expect("linear audio");
    out.split_off(before - sound.frames(5))
}

/// Short, long, and seconds of silence.
const LOSSES: [usize; 4] = [20, 60, 240, 3_000];

#[test]
fn concealing_linear_audio_makes_no_step_over_those_of_the_sound_nor_does_the_return() {
    for sound in sounds() {
        for (at, millis) in places(&sound).flat_map(|at| LOSSES.map(|millis| (at, millis))) {
            let lost = at..at + sound.frames(millis);
            let heard = linear(&sound, lost.clone());
            assert_no_click(&sound, &sound.samples, lost, &heard);
        }
    }
}

/// The packets of a sound, and what they decode to without a loss.
fn coded(sound: &Sound) -> (Vec<Vec<u8>>, Vec<f32>) {
    let mut encoder =
        Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Audio).expect("libopus");
    encoder.set_bitrate(opusic_c::Bitrate::Value(96_000)).expect("a bit rate");
    let mut decoder = OpusDecoder::new(sound.format).expect("libopus");
    let (mut packets, mut whole) = (Vec::new(), Vec::new());
    for block in sound.samples.chunks_exact(sound.frames(UNIT)) {
        let mut packet = vec![0; 1_276];
        let length = encoder.encode_float_to_slice(block, &mut packet).expect("a packet");
        packet.truncate(length);
        decoder.decode(&packet, &mut whole).expect("a packet");
        packets.push(packet);
    }
    (packets, whole)
}

#[test]
fn opus_concealing_makes_no_step_over_those_of_the_sound_nor_does_the_return() {
    for sound in sounds().into_iter().filter(|sound| sound.format.rate.hz() == 48_000) {
        let unit = sound.frames(UNIT);
        let (packets, whole) = coded(&sound);
        for (at, millis) in places(&sound).flat_map(|at| LOSSES.map(|millis| (at, millis))) {
            let (first, count) = (at / unit, millis / UNIT);
            let opus = OpusDecoder::new(sound.format).expect("libopus");
            let mut decoder = Comforted::new(opus, sound.format);
            let mut out = Vec::new();
            for packet in &packets[first - 10..first] {
                decoder.decode(packet, &mut out).expect("a packet");
            }
            (0..count).for_each(|_| decoder.conceal(unit, &mut out));
            for packet in &packets[first + count..first + count + 2] {
                decoder.decode(packet, &mut out).expect("a packet");
            }
            let heard = out.split_off(10 * unit - sound.frames(5));
            let lost = at..at + count * unit;
            assert_no_click(&sound, &whole, lost, &heard);
        }
    }
}

#[test]
fn packets_of_one_two_and_three_frames_decode_to_the_very_samples_of_packets_of_one() {
    for sound in sounds().into_iter().filter(|sound| sound.format.rate.hz() == 48_000) {
        let (packets, whole) = coded(&sound);
        let packets: Vec<Bytes> = packets.into_iter().map(Bytes::from).collect();
        let mut decoder = OpusDecoder::new(sound.format).expect("libopus");
        let (mut heard, mut next, mut joined) = (Vec::new(), 0, [0; 4]);
        for count in [1, 2, 3, 2, 1, 1, 3, 3].into_iter().cycle() {
            let Some(frames) = packets.get(next..next + count) else { break };
            // Where the encoder has changed its mode, frames cannot be together.
            let packet = opus::join(frames);
            let count = if packet.is_some() { count } else { 1 };
            let packet = packet.unwrap_or_else(|| frames[0].clone());
            let frames = decoder.decode(&packet, &mut heard).expect("a packet");
            assert_eq!(frames, count * sound.frames(UNIT));
            (next, joined[count]) = (next + count, joined[count] + 1);
        }
        assert!(joined[2] > 5 && joined[3] > 5, "{}: {joined:?}", sound.name);
        assert!(heard == whole[..heard.len()], "{}: other samples", sound.name);
    }
}

#[test]
fn the_measure_hears_a_gap_of_zeros_in_every_sound() {
    for sound in sounds() {
        let clicks = places(&sound).filter(|&at| {
            let mut gap = sound.samples[at..at + sound.frames(100)].to_vec();
            let own = largest_step(&gap);
            gap[sound.frames(40)..sound.frames(60)].fill(0.0);
            largest_step(&gap) > own + INAUDIBLE
        });
        assert!(clicks.count() > 5, "{}", sound.name);
    }
}
