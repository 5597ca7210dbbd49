mod governed;

use std::collections::BTreeMap;
use std::time::Duration;

use cantus_qos::fec::block::{BlockShape, Decoder, Encoder, Layout};
use cantus_qos::fec::sliding::{self, EncodingSymbolId, EncodingWindow};
use cantus_qos::payload::{cue, opus};
use cantus_qos::repair::rtx::RtxStream;
use cantus_qos::repair::{AnswerPolicy, Answerer};
use cantus_qos::rtcp::{RtcpPacket, parse_compound};
use cantus_qos::rtp::{
    AbsSendTime, ExtensionId, PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc,
};
use cantus_qos::shaping::PathRate;
use cantus_qos::time::ClockRate;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::encoding::{Ladder, Rung};
use crate::media;
use crate::programme::Programme;
use crate::protection::Window;

const START: MonoTime = MonoTime::from_millis(5_000);
const UNIT: Duration = Duration::from_millis(20);
/// What a sliding window covers.
const WINDOW: Duration = Duration::from_millis(150);
const SEED: StreamSeed =
    StreamSeed { ssrc: Ssrc(7), sequence: Sequence(65_530), timestamp: RtpTimestamp(1_000) };

fn flow(number: u64) -> FlowId {
    FlowId::new(number).unwrap()
}

fn packetizer(rate: ClockRate) -> Packetizer {
    Packetizer::new(PayloadType::new(96).unwrap(), rate, SEED, None)
}

fn pipeline() -> Pipeline {
    let wall = WallClock(NtpTime::from_unix(Duration::from_secs(1_000)));
    let reports = SenderReports::new("test".to_owned(), ChaCha8Rng::seed_from_u64(1));
    Pipeline::new(Bitrate::from_kbps(1_000), wall, reports)
}

/// A chain with the sound of `programme` on flow 1.
fn with_audio(programme: &Programme) -> Pipeline {
    let mut pipeline = pipeline();
    let source = programme.audio[0].clone();
    pipeline.add_audio(AudioChain::new(flow(1), source, packetizer(ClockRate::OPUS)));
    pipeline
}

/// The same with blocks of 5+4 on flow 2.
fn with_repair(programme: &Programme) -> Pipeline {
    let mut pipeline = with_audio(programme);
    let shape = BlockShape::new(5, 4).unwrap();
    let encoder = Encoder::new(Layout::Adu, shape, 1, 0).unwrap();
    let blocks = BlockProtection::new(encoder, MediaTime::from_duration(UNIT));
    let protection = Protection::new(flow(2), RepairSource::Blocks(blocks));
    pipeline.audio_on(flow(1)).unwrap().protect(protection);
    pipeline
}

/// The same with a sliding window on flow 2: four repair packets to five units.
fn with_sliding(programme: &Programme) -> Pipeline {
    let mut pipeline = with_audio(programme);
    let encoder = sliding::Encoder::new(EncodingSymbolId(u32::MAX));
    let window = Window { share: 0.8, covers: EncodingWindow::last(WINDOW) };
    let sliding = SlidingProtection::new(encoder, window, MediaTime::from_duration(UNIT));
    let protection = Protection::new(flow(2), RepairSource::Sliding(sliding));
    pipeline.audio_on(flow(1)).unwrap().protect(protection);
    pipeline
}

fn with_cues(programme: &Programme, carriage: Carriage) -> Pipeline {
    let mut pipeline = pipeline();
    let cues = programme.presentation.texts[0].cues.clone();
    let packetizer = packetizer(ClockRate::MILLISECONDS);
    pipeline.add_cues(CueChain::new(flow(3), cues, packetizer, carriage));
    pipeline
}

/// Everything that leaves after `from` and up to `until`, with its instant; what is to be encoded is
/// so at once.
fn run(pipeline: &mut Pipeline, from: MonoTime, until: MonoTime) -> Vec<(MonoTime, Packet)> {
    let mut now = from;
    let mut left = Vec::new();
    loop {
        left.extend(std::iter::from_fn(|| pipeline.pop(now)).map(|packet| (now, packet)));
        pipeline.take_jobs().for_each(EncodingJob::run);
        match pipeline.next_deadline(now) {
            Some(at) if at <= until => now = at.max(now + Duration::from_nanos(1)),
            _ => return left,
        }
    }
}

fn seconds(count: i64) -> MediaTime {
    MediaTime::from_millis(count * 1_000)
}

fn whole(programme: &Programme) -> (MediaTime, MediaTime) {
    (MediaTime::ZERO, programme.presentation.duration)
}

fn of_class(left: &[(MonoTime, Packet)], class: DeliveryClass) -> Vec<(MonoTime, Bytes)> {
    let rtp = left.iter().filter(|(_, packet)| packet.channel == Channel::Rtp);
    rtp.filter(|(_, packet)| packet.class == class)
        .map(|(at, packet)| (*at, packet.data.clone()))
        .collect()
}

fn after(minutes: u64) -> MonoTime {
    START + Duration::from_secs(minutes * 60)
}

#[test]
fn live_units_leave_at_their_nominal_instants() {
    let programme = media::programme("live", 3);
    let mut pipeline = with_audio(&programme);
    let (from, until) = whole(&programme);
    pipeline.play(START, Schedule::live(START, from, until));
    let units = of_class(&run(&mut pipeline, START, after(1)), DeliveryClass::Isochronous);
    assert_eq!(units.len(), 150);
    for (index, (at, data)) in (0u32..).zip(&units) {
        let packet = RtpPacket::parse(data.clone(), None).unwrap();
        assert_eq!(*at, START + UNIT * index);
        assert_eq!(packet.sequence, Sequence(65_530u16.wrapping_add(index as u16)));
        assert_eq!(packet.timestamp, RtpTimestamp(1_000 + 960 * index));
        assert_eq!(packet.marker, index == 0);
    }
}

#[test]
fn packets_say_when_they_left_only_where_that_is_not_their_nominal_instant() {
    let programme = media::programme("said", 3);
    let (from, until) = whole(&programme);
    let id = ExtensionId::new(1);
    let said = |schedule| {
        let mut pipeline = pipeline();
        let packetizer = Packetizer::new(PayloadType::new(96).unwrap(), ClockRate::OPUS, SEED, id);
        pipeline.add_audio(AudioChain::new(flow(1), programme.audio[0].clone(), packetizer));
        pipeline.play(START, schedule);
        let units = of_class(&run(&mut pipeline, START, after(1)), DeliveryClass::Isochronous);
        let said = units.into_iter().map(|(at, data)| {
            let wall = WallClock(NtpTime::from_unix(Duration::from_secs(1_000))).at(at);
            let told = RtpPacket::parse(data, id).unwrap().send_time;
            told.map(|told| told == AbsSendTime::from_ntp(wall))
        });
        said.collect::<Vec<_>>()
    };
    assert_eq!(said(Schedule::live(START, from, until)), [None; 150]);
    let ahead = said(Schedule::stored(START, from, until, Duration::from_secs(10)));
    assert_eq!((ahead[0], &ahead[1..]), (None, &[Some(true); 149][..]));
}

#[test]
fn stored_units_run_ahead_up_to_ten_seconds_and_no_further() {
    let programme = media::programme("stored", 30);
    let mut pipeline = with_audio(&programme);
    let (from, until) = whole(&programme);
    let lead = Duration::from_secs(10);
    pipeline.play(START, Schedule::stored(START, from, until, lead));
    let units = of_class(&run(&mut pipeline, START, after(1)), DeliveryClass::Isochronous);
    assert_eq!(units.len(), 1_500);
    let ahead: Vec<Duration> =
        (0u32..).zip(&units).map(|(index, (at, _))| (START + UNIT * index).since(*at)).collect();
    assert!(ahead.is_sorted(), "the lead only grows");
    assert_eq!(ahead[500], Duration::from_secs(5), "twice as fast at first");
    assert_eq!(ahead[1_000..].iter().max(), Some(&lead));
    assert_eq!(ahead[1_000..].iter().min(), Some(&lead));
}

#[test]
fn repair_packets_leave_one_by_one_after_their_block_and_repair_it() {
    let programme = media::programme("repair", 2);
    let mut pipeline = with_repair(&programme);
    let (from, until) = whole(&programme);
    pipeline.play(START, Schedule::live(START, from, until));
    let left = run(&mut pipeline, START, after(1));
    let repair = of_class(&left, DeliveryClass::Repair);
    assert_eq!(repair.len(), 80, "four for each of twenty blocks");
    assert!(repair.windows(2).all(|pair| pair[0].0 < pair[1].0), "no two at one instant");
    for (index, (at, _)) in (0u32..).zip(&repair) {
        let block_ends = START + UNIT * (index / 4 * 5 + 4);
        assert_eq!(*at, block_ends + UNIT * 2 / 9 * (index % 4 + 1));
    }
    // Of each block the first four units are lost.
    let mut decoder = Decoder::new(Layout::Adu, 8);
    for (index, (_, source)) in of_class(&left, DeliveryClass::Isochronous).iter().enumerate() {
        if index % 5 == 4 {
            decoder.push_source(source.clone()).unwrap();
        }
    }
    repair.into_iter().for_each(|(_, packet)| decoder.push_repair(packet).unwrap());
    let recovered: Vec<Bytes> = std::iter::from_fn(|| decoder.pop()).collect();
    assert!(recovered.len() >= 4 * 8, "{} of the blocks remembered", recovered.len());
    assert!(recovered.into_iter().all(|packet| RtpPacket::parse(packet, None).is_ok()));
}

#[test]
fn repair_over_a_sliding_window_leaves_evenly_between_units_and_repairs_the_last_too() {
    let programme = media::programme("sliding", 2);
    let mut pipeline = with_sliding(&programme);
    let (from, until) = whole(&programme);
    pipeline.play(START, Schedule::live(START, from, until));
    let left = run(&mut pipeline, START, after(1));
    let source = of_class(&left, DeliveryClass::Isochronous);
    let repair = of_class(&left, DeliveryClass::Repair);
    let last = source[99].0;
    assert_eq!(repair.iter().filter(|(at, _)| *at < last + UNIT).count(), 80);
    for pair in repair.windows(2) {
        let distance = pair[1].0.since(pair[0].0);
        assert!(distance >= UNIT && distance <= UNIT * 3 / 2, "{distance:?}");
    }
    for (at, _) in &repair {
        let since_unit = Duration::from_nanos(at.since(START).as_nanos() as u64 % 20_000_000);
        assert!(since_unit > UNIT / 9 && since_unit < UNIT * 8 / 9, "{since_unit:?}");
    }
    let ended = repair.last().unwrap().0;
    assert!(ended > last + WINDOW / 2 && ended <= last + WINDOW, "{ended:?}");
    // The last four units are lost.
    let mut decoder = sliding::Decoder::new();
    for (_, source) in &source[..96] {
        decoder.push_source(source.clone()).unwrap();
    }
    repair.into_iter().for_each(|(_, packet)| decoder.push_repair(packet).unwrap());
    assert_eq!(std::iter::from_fn(|| decoder.pop()).count(), 4);
}

#[test]
fn sender_reports_speak_of_the_nominal_timeline_also_when_units_run_ahead() {
    let programme = media::programme("reports", 8);
    let mut pipeline = with_audio(&programme);
    let lead = Duration::from_secs(4);
    pipeline.play(START, Schedule::stored(START, seconds(1), seconds(8), lead));
    let left = run(&mut pipeline, START, START + Duration::from_secs(3));
    let reports = left.iter().filter(|(_, packet)| packet.channel == Channel::Rtcp);
    let mut count = 0;
    for (at, packet) in reports {
        let compound = parse_compound(&packet.data).unwrap();
        let RtcpPacket::SenderReport(report) = &compound[0] else { panic!("{compound:?}") };
        assert_eq!(report.ntp, pipeline.wall.at(*at));
        let position = seconds(1) + MediaTime::from_duration(at.since(START));
        let ticks = position.ticks(ClockRate::OPUS) as u32;
        assert_eq!(report.rtp, RtpTimestamp(1_000 + ticks));
        assert!(
            matches!(&compound[1], RtcpPacket::SourceDescription { cname, .. } if cname == "test")
        );
        count += 1;
    }
    assert!(count >= 2, "one at once, others later");
}

/// The instants at which each cue left, by identifier.
fn copies(left: &[(MonoTime, Packet)]) -> BTreeMap<u32, Vec<MonoTime>> {
    let mut copies = BTreeMap::<u32, Vec<MonoTime>>::new();
    for (at, data) in of_class(left, DeliveryClass::Synchronous) {
        let cue = cue::decode(&RtpPacket::parse(data, None).unwrap().payload).unwrap();
        copies.entry(cue.id).or_default().push(at);
    }
    copies
}

#[test]
fn on_a_lossy_path_cues_leave_ten_seconds_early_and_again_and_again() {
    let programme = media::programme("lossy-cues", 30);
    let mut pipeline = with_cues(&programme, Carriage::Lossy);
    let (from, until) = whole(&programme);
    pipeline.play(START, Schedule::live(START, from, until));
    let copies = copies(&run(&mut pipeline, START, after(1)));
    assert_eq!(copies.len(), 2);
    for (instants, start) in copies.values().zip([12, 25]) {
        let nominal = START + Duration::from_secs(start);
        assert_eq!(instants[0], nominal - Duration::from_secs(10));
        assert_eq!(instants.len(), 8);
        let gap = |pair: &[MonoTime]| pair[1].since(pair[0]);
        assert!(instants.windows(2).all(|pair| gap(pair) >= Duration::from_millis(300)));
        assert!(instants[7] < nominal, "all before the cue is due");
    }
}

#[test]
fn on_a_reliable_path_each_cue_leaves_once_and_one_that_is_showing_at_once() {
    let programme = media::programme("reliable-cues", 30);
    let mut pipeline = with_cues(&programme, Carriage::Reliable);
    let from = MediaTime::from_millis(12_500);
    pipeline.play(START, Schedule::live(START, from, seconds(30)));
    let copies: Vec<Vec<MonoTime>> =
        copies(&run(&mut pipeline, START, after(1))).into_values().collect();
    assert_eq!(copies, [vec![START], vec![START + Duration::from_millis(2_500)]]);
}

#[test]
fn a_cue_that_is_over_is_not_sent() {
    let programme = media::programme("past-cues", 30);
    let mut pipeline = with_cues(&programme, Carriage::Lossy);
    pipeline.play(START, Schedule::live(START, seconds(13), seconds(20)));
    assert_eq!(run(&mut pipeline, START, after(1)), []);
}

#[test]
fn at_the_end_there_is_one_bye_after_all_repair_and_then_nothing() {
    let programme = media::programme("bye", 2);
    let mut pipeline = with_repair(&programme);
    pipeline.play(START, Schedule::live(START, MediaTime::ZERO, MediaTime::from_millis(1_060)));
    let left = run(&mut pipeline, START, after(10));
    let is_bye = |packet: &Packet| {
        packet.channel == Channel::Rtcp
            && parse_compound(&packet.data)
                .unwrap()
                .contains(&RtcpPacket::Bye { ssrcs: vec![SEED.ssrc], reason: None })
    };
    assert_eq!(left.iter().filter(|(_, packet)| is_bye(packet)).count(), 1);
    assert!(is_bye(&left.last().unwrap().1), "and it is the last");
    assert_eq!(of_class(&left, DeliveryClass::Isochronous).len(), 53);
    // Ten whole blocks, and three units whose share of repair is rounded up.
    assert_eq!(of_class(&left, DeliveryClass::Repair).len(), 43);
    assert_eq!(pipeline.next_deadline(after(10)), None);
    assert!(pipeline.has_ended(after(10)));
}

#[test]
fn what_is_stopped_is_silent_and_sends_no_repair_of_before_when_it_goes_on() {
    let programme = media::programme("stop", 3);
    let mut pipeline = with_repair(&programme);
    let (from, until) = whole(&programme);
    pipeline.play(START, Schedule::live(START, from, until));
    // In the middle of the repair of the first block.
    let paused = START + Duration::from_millis(95);
    run(&mut pipeline, START, paused);
    pipeline.stop();
    assert_eq!((pipeline.pop(paused), pipeline.next_deadline(paused)), (None, None));
    let again = after(1);
    pipeline.play(again, Schedule::live(again, MediaTime::from_millis(100), until));
    let left = run(&mut pipeline, again, again + Duration::from_millis(84));
    assert_eq!(of_class(&left, DeliveryClass::Repair), []);
    let units = of_class(&left, DeliveryClass::Isochronous);
    assert_eq!(units.len(), 5);
    let first = RtpPacket::parse(units[0].1.clone(), None).unwrap();
    assert_eq!((first.marker, first.timestamp), (true, RtpTimestamp(1_000 + 4_800)));
}

#[test]
fn a_pipeline_of_no_rate_to_speak_of_delays_and_loses_nothing() {
    let programme = media::programme("slow", 3);
    let mut pipeline = with_audio(&programme);
    pipeline.set_rate(START, Bitrate::from_kbps(20));
    let (from, until) = whole(&programme);
    pipeline.play(START, Schedule::live(START, from, until));
    let units = of_class(&run(&mut pipeline, START, after(1)), DeliveryClass::Isochronous);
    assert_eq!(units.len(), 150);
    assert!(units[149].0 > START + UNIT * 149, "later than nominal");
}
