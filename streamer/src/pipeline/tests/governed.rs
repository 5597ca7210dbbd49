//! What the path bears decides what leaves.

use super::*;

#[test]
fn lowered_media_fills_a_trial_with_copies_and_otherwise_there_are_none() {
    let programme = media::programme("trial", 20);
    let path = PathRate {
        limit: Some(Bitrate::from_kbps(110)),
        is_trying: true,
        ..PathRate::unlimited(Bitrate::from_kbps(140))
    };
    let resting = PathRate { is_trying: false, ..path };
    let lossy = PathRate { lost_thousandths: 20, ..path };
    let wide = PathRate { limit: Some(Bitrate::from_kbps(190)), ..path };
    for (path, copied) in [(path, true), (resting, false), (lossy, false), (wide, false)] {
        let mut pipeline = with_audio(&programme);
        let mut allowance = Allowance::over_quic(Bitrate::from_kbps(300));
        allowance.on_path(path);
        pipeline.govern(allowance);
        let (from, until) = whole(&programme);
        pipeline.play(START, Schedule::live(START, from, until));
        let left = run(&mut pipeline, START, after(1));
        let media = of_class(&left, DeliveryClass::Isochronous);
        let copies = of_class(&left, DeliveryClass::Repair);
        assert!(copies.iter().all(|copy| media.contains(copy)), "each at once, to the last byte");
        assert_eq!(copies.is_empty(), !copied);
        assert!(copies.len() < media.len(), "no more than is tried");
    }
}

/// What leaves of the media while the path bears what `limits` says from each second on; whatever
/// there is to be encoded is encoded.
fn along(pipeline: &mut Pipeline, limits: &[Option<u64>]) -> Vec<(MonoTime, RtpPacket)> {
    let mut left = Vec::new();
    let mut now = START;
    for (second, limit) in (1..).zip(limits) {
        let limit = limit.map(Bitrate::from_kbps);
        let target = limit.unwrap_or(Bitrate::from_kbps(1_000));
        let (is_shared, is_trying) = (false, false);
        let path = PathRate { target, limit, lost_thousandths: 0, is_shared, is_trying };
        pipeline.allowance().unwrap().on_path(path);
        let until = START + Duration::from_secs(second);
        while let Some(at) = pipeline.next_deadline(now).filter(|at| *at < until) {
            now = at.max(now + Duration::from_nanos(1));
            left.extend(std::iter::from_fn(|| pipeline.pop(now)).map(|packet| (now, packet)));
            pipeline.take_jobs().for_each(EncodingJob::run);
        }
        now = until;
    }
    let media = of_class(&left, DeliveryClass::Isochronous).into_iter();
    media.map(|(at, data)| (at, RtpPacket::parse(data, None).unwrap())).collect()
}

#[test]
fn packets_grow_with_the_headers_part_and_shrink_again_and_no_unit_is_missing_or_doubled() {
    let programme = media::programme("joined", 16);
    let mut pipeline = with_audio(&programme);
    let limits = [None, None, Some(50), Some(50), Some(30), Some(30), Some(200), Some(200)];
    pipeline.govern(Allowance::over_quic(Bitrate::from_kbps(200)));
    let (from, until) = whole(&programme);
    pipeline.play(START, Schedule::live(START, from, until));
    let packets = along(&mut pipeline, &limits);
    let mut lengths = Vec::new();
    for pair in packets.windows(2) {
        let [(at, packet), (next_at, next)] = pair else { unreachable!() };
        let lasts = opus::duration(&packet.payload).unwrap();
        assert_eq!(next.sequence, packet.sequence.next());
        let ticks = next.timestamp.0.wrapping_sub(packet.timestamp.0);
        assert_eq!(i64::from(ticks), lasts.ticks(ClockRate::OPUS), "each sample once");
        assert!(next_at.since(*at) <= LONGEST_PACKET.to_duration());
        if lengths.last() != Some(&lasts.to_duration().as_millis()) {
            lengths.push(lasts.to_duration().as_millis());
        }
    }
    let (longest, last) = (lengths.iter().max(), lengths.last());
    assert_eq!((lengths[0], longest, last), (20, Some(&60), Some(&20)), "{lengths:?}");
    assert!(lengths.contains(&40), "{lengths:?}");
}

#[test]
fn what_others_have_had_encoded_already_changes_nothing_that_is_sent() {
    let programme = media::programme("company", 10);
    let sent = || {
        let mut pipeline = with_audio(&programme);
        pipeline.govern(Allowance::over_quic(Bitrate::from_kbps(200)));
        let (from, until) = whole(&programme);
        pipeline.play(START, Schedule::live(START, from, until));
        // Joined to packets of two and three frames, which end beside a place for a step.
        along(&mut pipeline, &[None, Some(48), Some(30), Some(54), Some(30), Some(90), Some(48)])
    };
    // The first has the ladder to itself: nobody holds what is made for it any longer.
    let alone = sent();
    let source = &programme.audio[0];
    let ladder = Ladder::of(source.track());
    for (rung, index) in
        Rung::all().flat_map(|rung| (0..source.unit_count()).map(move |it| (rung, it)))
    {
        ladder.ask(rung, index).into_iter().for_each(EncodingJob::run);
    }
    let among = sent();
    let differs = among.iter().zip(&alone).position(|(one, other)| one != other);
    assert_eq!((among.len(), differs), (alone.len(), None), "packets, and the first that differs");
}

#[test]
fn a_delay_without_room_for_longer_packets_gets_none() {
    let lengths = |delay: u64| {
        let programme = media::programme("short", 5);
        let mut pipeline = pipeline();
        let rtx = RtxStream::new(PayloadType::new(97).unwrap(), Ssrc(9), Sequence(1));
        let answerer = Answerer::new(AnswerPolicy::default(), rtx, Bitrate::from_kbps(100));
        let source = programme.audio[0].clone();
        let chain = AudioChain::new(flow(1), source, packetizer(ClockRate::OPUS));
        pipeline.add_audio(chain.answering(answerer, Duration::from_millis(delay)));
        pipeline.govern(Allowance::over_quic(Bitrate::from_kbps(200)));
        let (from, until) = whole(&programme);
        pipeline.play(START, Schedule::live(START, from, until));
        let packets = along(&mut pipeline, &[None, Some(30), Some(30), Some(30)]);
        let lengths = packets.iter().map(|(_, it)| opus::duration(&it.payload).unwrap());
        lengths.max().unwrap().to_duration().as_millis()
    };
    // Half a round trip of 100 ms, and twice what a packet holds.
    assert_eq!([120, 130, 169, 170].map(lengths), [20, 40, 40, 60]);
}
