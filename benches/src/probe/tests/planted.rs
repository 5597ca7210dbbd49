//! Sound with planted faults: each is found, at its place, and nothing else.

use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use cantus_player::decode::{Decoder, OpusDecoder};
use cantus_qos::payload::cue::Cue;
use cantus_qos::time::{MediaTime, MonoTime};
use cantus_streamer::encoding::Codec;

use super::reference;
use crate::duplex::{Direction, Duplex, Enter, Kind, PacketLog, SharedLog};
use crate::link::{Ecn, LinkSpec};
use crate::probe::{Evidence, Fault, FaultKind, Probe, Reference, TrackProbe, listen};
use crate::sim::Sound;

static SPEECH: LazyLock<Reference> = LazyLock::new(|| reference("narration", Codec::L16));
static OPUS: LazyLock<Reference> = LazyLock::new(|| reference("narration", Codec::Opus));
static CLICKS: LazyLock<Reference> = LazyLock::new(|| reference("sync-test", Codec::L16));

/// Frames in a millisecond, at 48 kHz.
const MS: usize = 48;
/// In the middle of a sentence, at the beginning of a unit of either codec.
const PLACE: usize = 13_600 * MS;

fn source(reference: &Reference) -> &[f32] {
    &reference.tracks()[0].samples
}

/// What the sink was handed, 200 ms after its time, 10 ms at once.
fn sound(reference: &Reference, samples: Vec<f32>) -> Sound {
    let blocks = (0..samples.len() as u64).step_by(10 * MS);
    let at = |frame: u64| MonoTime::from_millis(200 + frame / MS as u64);
    let handed = blocks.map(|frame| (at(frame), frame)).collect();
    let format = reference.tracks()[0].format;
    Sound { format, samples, from: MediaTime::ZERO, handed }
}

fn probed(reference: &Reference, sound: &Sound, cues: &[(MonoTime, Cue)]) -> Probe {
    let packets = &PacketLog::default();
    let (lead, sent_from) = (Duration::ZERO, MediaTime::ZERO);
    let evidence = Evidence { sound, lead, cues, packets, sent_from, until: None };
    listen(&evidence, reference)
}

fn heard(reference: &Reference, samples: Vec<f32>) -> TrackProbe {
    let probe = probed(reference, &sound(reference, samples), &[]);
    probe.tracks.into_iter().next().expect("one track")
}

fn without(samples: &[f32], left_out: Range<usize>) -> Vec<f32> {
    [&samples[..left_out.start], &samples[left_out.end..]].concat()
}

fn with(samples: &[f32], at: usize, more: &[f32]) -> Vec<f32> {
    [&samples[..at], more, &samples[at..]].concat()
}

/// The one fault there is.
#[track_caller]
fn sole(track: &TrackProbe) -> Fault {
    match track.faults.as_slice() {
        [fault] => *fault,
        faults => panic!("one fault was planted: {faults:?}"),
    }
}

/// Within the stated accuracy: place 1 ms, length 2 samples.
#[track_caller]
fn assert_fault(track: &TrackProbe, kind: FaultKind, at: usize, frames: usize) {
    let fault = sole(track);
    let millis = |frames: usize| frames as f64 / MS as f64;
    assert_eq!(fault.kind, kind, "{fault:?}");
    assert!((fault.heard_ms - millis(at)).abs() <= 1.0, "{fault:?}, planted at {}", millis(at));
    assert!((fault.length_ms - millis(frames)).abs() <= 2.0 / MS as f64, "{fault:?}");
}

#[test]
fn where_nothing_was_planted_nothing_is_found() {
    for reference in [&*SPEECH, &*OPUS, &*CLICKS] {
        let track = heard(reference, source(reference).to_vec());
        assert_eq!((track.lost, track.faults.as_slice()), (0, [].as_slice()));
        assert_eq!((track.residual, track.drift_ppm), (Some(0.0), Some(0.0)));
    }
}

#[test]
fn silence_in_place_of_sound_is_a_gap_of_so_many_units() {
    let mut samples = source(&SPEECH).to_vec();
    samples[PLACE..PLACE + 40 * MS].fill(0.0);
    let track = heard(&SPEECH, samples);
    assert_eq!((track.lost, track.expected), (4, 6_100));
    assert_fault(&track, FaultKind::Gap, PLACE, 40 * MS);
    assert!(sole(&track).silent);
}

#[test]
fn sound_made_up_in_place_of_lost_frames_is_a_gap_of_those_frames() {
    let track = &OPUS.tracks()[0];
    let lost = |unit: usize| matches!(unit, 120 | 680..=681 | 700 | 705 | 710..=717);
    let mut decoder = OpusDecoder::new(track.format).unwrap();
    let mut samples = Vec::new();
    for (unit, payload) in track.payloads.iter().enumerate() {
        match lost(unit) {
            true => decoder.conceal(track.unit as usize, &mut samples),
            false => {
                decoder.decode(payload, &mut samples).unwrap();
            }
        }
    }
    let heard = heard(&OPUS, samples);
    let gaps: Vec<_> =
        heard.faults.iter().map(|it| (it.kind, it.source_ms, it.length_ms)).collect();
    let gap = |unit: u32, units: u32| (FaultKind::Gap, f64::from(unit * 20), f64::from(units * 20));
    assert_eq!(gaps, [gap(120, 1), gap(680, 2), gap(700, 1), gap(705, 1), gap(710, 8)]);
    assert_eq!(heard.lost, 13);
}

#[test]
fn sound_left_out_is_a_skip_however_long() {
    for reference in [&*SPEECH, &*OPUS] {
        for millis in [5, 60, 1_500] {
            let left_out = PLACE + 3 * MS..PLACE + (3 + millis) * MS;
            let track = heard(reference, without(source(reference), left_out.clone()));
            assert_fault(&track, FaultKind::Skip, left_out.start, millis * MS);
        }
    }
}

#[test]
fn sound_heard_twice_is_a_repeat() {
    for reference in [&*SPEECH, &*OPUS] {
        for millis in [8, 60, 900] {
            let source = source(reference);
            let (at, frames) = (PLACE + 3 * MS, millis * MS);
            let track = heard(reference, with(source, at, &source[at - frames..at]));
            assert_fault(&track, FaultKind::Repeat, at, frames);
            assert_eq!(track.lost, 0, "all of it was heard");
        }
    }
}

#[test]
fn silence_between_what_belongs_together_is_inserted() {
    for reference in [&*SPEECH, &*OPUS] {
        for millis in [30, 100, 700] {
            let at = PLACE + 7 * MS;
            let track = heard(reference, with(source(reference), at, &vec![0.0; millis * MS]));
            assert_fault(&track, FaultKind::Inserted, at, millis * MS);
            assert!(sole(&track).silent);
            assert_eq!(track.lost, 0, "all of it was heard");
        }
    }
}

#[test]
fn more_silence_in_a_silence_is_inserted_and_the_click_after_it_found() {
    let samples = with(source(&CLICKS), 9_500 * MS, &vec![0.0; 300 * MS]);
    let fault = sole(&heard(&CLICKS, samples));
    assert_eq!((fault.kind, fault.length_ms, fault.silent), (FaultKind::Inserted, 300.0, true));
}

#[test]
fn a_sound_that_runs_50_parts_in_a_million_too_fast_or_slow_drifts_and_has_no_fault() {
    for ppm in [50.0, -50.0] {
        let (wave, frames) = (SPEECH.tracks()[0].wave(), 20_000 * MS);
        let at = |frame: usize| 100.0 + frame as f64 * (1.0 + ppm / 1e6);
        let samples: Vec<f32> =
            (0..frames).flat_map(|frame| wave.stretch_at(at(frame), 1).unwrap()).collect();
        let from = MediaTime::from_ticks(100, cantus_qos::time::ClockRate::OPUS);
        let until = Some(MediaTime::from_millis(19_990));
        let sound = Sound { from, ..sound(&SPEECH, samples) };
        let packets = &PacketLog::default();
        let evidence = Evidence {
            sound: &sound,
            lead: Duration::ZERO,
            cues: &[],
            packets,
            sent_from: MediaTime::ZERO,
            until,
        };
        let track = &listen(&evidence, &SPEECH).tracks[0];
        assert!((track.drift_ppm.unwrap() - ppm).abs() < 5.0, "{:?}", track.drift_ppm);
        let jumps = track.faults.iter().filter(|it| it.source_ms < 19_900.0);
        assert_eq!(jumps.collect::<Vec<_>>(), Vec::<&Fault>::new());
    }
}

/// RTP packets of a track whose units enter the link every 10 ms, the first at 50 ms, two swapped.
fn packets(units: u32) -> PacketLog {
    let log = SharedLog::default();
    let mut duplex =
        Duplex::new("delay 20ms".parse::<LinkSpec>().unwrap(), 1, log.clone()).unwrap();
    let mut order: Vec<u32> = (0..units).collect();
    order.swap(0, 1);
    for (turn, unit) in order.into_iter().enumerate() {
        let mut data = vec![0x80, 96];
        data.extend_from_slice(&(unit as u16).to_be_bytes());
        data.extend_from_slice(&(u32::MAX - 1_000).wrapping_add(unit * 480).to_be_bytes());
        data.extend_from_slice(&[0, 0, 0, 7]);
        let (kind, data) = (Kind::Other, Bytes::from(data));
        let (direction, ecn) = (Direction::ToClient, Ecn::NotCapable);
        let enter = Enter { direction, route: 0, kind, data, overhead: 28, ecn };
        duplex.push(MonoTime::from_millis(50 + 10 * turn as u64), enter);
    }
    log.snapshot()
}

#[test]
fn delay_is_from_the_entrance_of_the_link_to_the_sample_that_was_found() {
    let mut sound = sound(&SPEECH, source(&SPEECH)[..10_000 * MS].to_vec());
    // The last tenth is handed over 7 ms later.
    for (at, _) in sound.handed.iter_mut().filter(|(_, frame)| *frame >= 9_000 * MS as u64) {
        *at += Duration::from_millis(7);
    }
    let packets = &packets(1_000);
    let until = Some(MediaTime::from_millis(10_000));
    let evidence = Evidence {
        sound: &sound,
        lead: Duration::ZERO,
        cues: &[],
        packets,
        sent_from: MediaTime::ZERO,
        until,
    };
    let heard = |lead| {
        let lead = Duration::from_millis(lead);
        let track = listen(&Evidence { lead, ..evidence }, &SPEECH).tracks.remove(0);
        (track.delay_ms.p50, track.delay_ms.max, track.late, track.late_in_doubt)
    };
    // Of the last hundred units five are silent.
    const HEARD: u64 = 95;
    assert_eq!(heard(0), (Some(150.0), Some(157.0), HEARD, 0));
    // A sink that plays what it was handed 5, 6 or 10 ms later has it in time, nearly or wholly.
    assert_eq!(heard(5), (Some(155.0), Some(157.0), 0, HEARD));
    assert_eq!(heard(6), (Some(156.0), Some(157.0), 0, HEARD));
    assert_eq!(heard(10), (Some(160.0), Some(160.0), 0, 0));
}

fn click(number: u32, late: i64) -> (MonoTime, Cue) {
    let start = MediaTime::from_millis(i64::from(number) * 1_000);
    let shown = MonoTime::from_millis((200 + i64::from(number) * 1_000 + late) as u64);
    let (duration, text) = (MediaTime::from_millis(200), format!("click {number}"));
    (shown, Cue { id: number, start, duration, text })
}

#[test]
fn a_cue_that_is_30_ms_late_is_30_ms_from_its_click() {
    let late = |number: u32| if number == 7 { 30 } else { 0 };
    let cues: Vec<_> = (1..20).map(|number| click(number, late(number))).collect();
    let probe = probed(&CLICKS, &sound(&CLICKS, source(&CLICKS).to_vec()), &cues);
    let skew = &probe.subtitle_skew_ms;
    assert_eq!((skew.p50, skew.max, skew.count), (Some(0.0), Some(30.0), 19));
}

#[test]
fn a_click_that_comes_late_is_what_the_cues_are_early_against() {
    // From click 10 on the sound is late by 25 ms, the cues are not.
    let samples = with(source(&CLICKS), 9_500 * MS, &[0.0; 25 * MS]);
    let cues: Vec<_> = (1..20).map(|number| click(number, 0)).collect();
    let skew = probed(&CLICKS, &sound(&CLICKS, samples), &cues).subtitle_skew_ms;
    assert_eq!((skew.p50, skew.max, skew.count), (Some(-25.0), Some(-25.0), 19));
}

#[test]
fn a_cue_whose_sound_is_not_heard_is_counted_and_not_measured() {
    let mut samples = source(&CLICKS).to_vec();
    samples[5_000 * MS..5_100 * MS].fill(0.0);
    let cues = [click(4, 0), click(5, 0)];
    let probe = probed(&CLICKS, &sound(&CLICKS, samples), &cues);
    assert_eq!((probe.subtitle_skew_ms.count, probe.cues_without_sound), (1, 1));
}
