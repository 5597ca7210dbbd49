use opusic_c::{Application, Encoder};
use proptest::prelude::*;

use super::*;

const FRAME: usize = 960;

fn format(channels: u8) -> AudioFormat {
    AudioFormat { rate: ClockRate::OPUS, channels }
}

/// `count` packets of 20 ms of a 440 Hz tone in stereo.
fn tone(count: usize) -> Vec<Vec<u8>> {
    let mut encoder =
        Encoder::new(Channels::Stereo, SampleRate::Hz48000, Application::Audio).unwrap();
    (0..count)
        .map(|packet| {
            let samples: Vec<f32> = (0..FRAME * 2)
                .map(|n| (packet * FRAME + n / 2) as f32 * 440.0 / 48_000.0)
                .map(|turns| (turns * std::f32::consts::TAU).sin() * 0.5)
                .collect();
            let mut payload = vec![0; 1_275];
            let length = encoder.encode_float_to_slice(&samples, &mut payload).unwrap();
            payload.truncate(length);
            payload
        })
        .collect()
}

/// A decoder that has heard a tone, and its last sample.
fn in_the_middle() -> (OpusDecoder, f32) {
    let mut decoder = OpusDecoder::new(format(2)).unwrap();
    let mut out = Vec::new();
    for payload in tone(10) {
        decoder.decode(&payload, &mut out).unwrap();
    }
    (decoder, out[out.len() - 2])
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}

fn biggest_step(samples: &[f32]) -> f32 {
    let left: Vec<f32> = samples.iter().copied().step_by(2).collect();
    left.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn every_packet_gives_its_frames_in_the_stream_s_channels() {
    for channels in [1, 2] {
        let mut decoder = OpusDecoder::new(format(channels)).unwrap();
        let mut out = Vec::new();
        for payload in tone(5) {
            assert_eq!(decoder.decode(&payload, &mut out).unwrap(), FRAME);
        }
        assert_eq!(out.len(), 5 * FRAME * usize::from(channels));
        assert!((0.4..0.6).contains(&peak(&out[out.len() / 2..])), "{}", peak(&out));
    }
}

#[test]
fn opus_has_one_clock_rate_and_one_or_two_channels() {
    let wrong = AudioFormat { rate: ClockRate::new(44_100).unwrap(), channels: 2 };
    assert!(matches!(OpusDecoder::new(wrong), Err(DecodeError::Format(f)) if f == wrong));
    assert!(OpusDecoder::new(format(0)).is_err());
    assert!(OpusDecoder::new(format(3)).is_err());
}

#[test]
fn an_empty_payload_is_damaged_and_not_concealed() {
    let (mut decoder, _) = in_the_middle();
    let mut out = Vec::new();
    let error = decoder.decode(&[], &mut out).unwrap_err();
    assert!(matches!(error, DecodeError::Opus { length: 0, .. }));
    assert!(out.is_empty());
}

#[test]
fn a_lost_packet_is_hidden_without_a_click() {
    let (mut decoder, last) = in_the_middle();
    let mut out = vec![last, last];
    decoder.conceal(FRAME, &mut out);
    decoder.decode(&tone(12)[11], &mut out).unwrap();
    assert_eq!(out.len(), 2 + 2 * FRAME * 2);
    assert!(peak(&out[2..FRAME * 2]) > 0.3, "the tone goes on: {}", peak(&out));
    // A 440 Hz tone of this level moves by 0.03 a sample.
    assert!(biggest_step(&out) < 0.1, "{}", biggest_step(&out));
}

#[test]
fn a_long_outage_ends_in_silence() {
    let (mut decoder, _) = in_the_middle();
    let mut out = Vec::new();
    decoder.conceal(FADE_END, &mut out);
    assert!(peak(&out[..FADE_START]) > 0.2);
    assert!(biggest_step(&out) < 0.1);
    let mut silence = Vec::new();
    decoder.conceal(48_000, &mut silence);
    assert_eq!(silence.len(), 96_000);
    assert_eq!(peak(&silence), 0.0);
}

#[test]
fn sound_after_silence_rises_and_does_not_jump() {
    let (mut decoder, _) = in_the_middle();
    let mut out = Vec::new();
    decoder.conceal(48_000, &mut out);
    out.drain(..out.len() - 2);
    for payload in &tone(30)[12..] {
        decoder.decode(payload, &mut out).unwrap();
    }
    assert!(biggest_step(&out) < 0.1, "{}", biggest_step(&out));
    assert!(peak(&out) > 0.3);
}

#[test]
fn a_gap_in_odd_pieces_sounds_like_the_same_gap_in_one() {
    let (mut one, mut many) = (in_the_middle().0, in_the_middle().0);
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    one.conceal(360, &mut whole);
    for frames in [1, 119, 7, 0, 233] {
        many.conceal(frames, &mut pieces);
    }
    assert_eq!(pieces.len(), whole.len());
    assert!(biggest_step(&pieces) < 0.1, "{}", biggest_step(&pieces));
}

#[test]
fn reset_forgets_what_was_heard() {
    let (mut decoder, _) = in_the_middle();
    decoder.reset();
    let mut out = Vec::new();
    decoder.conceal(FRAME, &mut out);
    assert_eq!(peak(&out), 0.0);
}

proptest! {
    #[test]
    fn no_payload_from_the_network_hurts(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
        gap in 0usize..7_000,
    ) {
        let mut decoder = OpusDecoder::new(format(2)).unwrap();
        for payload in payloads {
            let mut out = Vec::new();
            match decoder.decode(&payload, &mut out) {
                Ok(frames) => prop_assert_eq!(out.len(), frames * 2),
                Err(_) => prop_assert!(out.is_empty()),
            }
            decoder.conceal(gap, &mut out);
            prop_assert!(out.iter().all(|sample| sample.is_finite()));
        }
    }
}
