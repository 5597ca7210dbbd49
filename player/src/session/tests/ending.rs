//! How playback ends, and what it survives.

use cantus_qos::rtcp::{self, RtcpPacket, SenderReport};
use cantus_qos::rtp::{RtpTimestamp, Sequence, Ssrc};

use super::*;
use crate::stand_in::SSRC;
use crate::wish::Carrier;

#[test]
fn what_the_listener_did_not_want_to_hear_is_not_late() {
    let mut house = House::new(fixed(), StandIn::new(100));
    house.stream(0..100);
    house.run(ms(1_005));
    house.player.handle(house.now, Input::Stop);
    house.poll();
    assert!(matches!(house.ending, Some(Ending::Stopped)), "{:?}", house.ending);
    assert_eq!(house.server.asked.last().unwrap(), "TEARDOWN talk");
    let farewell = rtcp::parse_compound(house.reports.last().unwrap()).unwrap();
    assert!(farewell.iter().any(|packet| matches!(packet, RtcpPacket::Bye { .. })));
    let audio = house.audio();
    assert_eq!((audio.expected, audio.late, audio.residual), (40, 0, Some(0.0)));
    let mut fates = Vec::new();
    house.player.drain_fates(|_, record| fates.push(record));
    assert_eq!(fates.len(), 40, "the fates of what was heard, and of nothing else");
}

#[test]
fn after_the_server_has_closed_the_rest_is_heard_and_then_told() {
    let mut house = House::new(fixed(), StandIn::new(500));
    house.stream(0..50);
    house.run(ms(1_005));
    house.player.handle(house.now, Input::Closed);
    house.run(ms(10_000));
    assert_eq!(house.failure(), "the server is gone: 1.0 s of 10.0 s were played");
    assert_eq!(house.heard()[..50 * FRAMES], sent(0..50 * FRAMES));
    assert!(house.now <= ms(1_800), "it does not wait long: {:?}", house.now);
}

#[test]
fn a_close_before_a_long_latency_is_over_loses_nothing() {
    let mut wish = fixed();
    wish.latency = Latency::Fixed(Duration::from_secs(5));
    let mut house = House::new(wish, StandIn::new(500));
    house.stream(0..50);
    house.run(ms(1_005));
    house.player.handle(house.now, Input::Closed);
    house.run(ms(20_000));
    assert_eq!(house.failure(), "the server is gone: 1.0 s of 10.0 s were played");
    assert_eq!(house.heard()[..50 * FRAMES], sent(0..50 * FRAMES));
}

#[test]
fn eighteen_seconds_of_silence_are_the_end_and_do_not_count_as_played() {
    let mut house = House::new(fixed(), StandIn::new(5_000));
    house.stream(0..50);
    house.run(ms(60_000));
    assert_eq!(house.failure(), "the server is gone: 1.0 s of 100.0 s were played");
    let silent = house.now - ms(1_000);
    assert!(silent >= TimeDelta::from_millis(18_000), "{silent:?}");
    assert!(silent <= TimeDelta::from_millis(18_300), "{silent:?}");
}

#[test]
fn an_outage_of_seconds_is_survived() {
    let mut house = House::new(fixed(), StandIn::new(1_000));
    house.stream(0..50);
    house.stream(500..1_000);
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    assert_eq!(house.audio().lost_network, 450);
}

#[test]
fn a_server_that_leaves_signs_of_life_unanswered_is_heard_as_long_as_it_sends() {
    let mut house = House::new(fixed(), StandIn::new(1_000));
    house.stream(0..1_000);
    house.run(ms(500));
    house.answers = false;
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
}

#[test]
fn a_server_that_only_sends_what_cannot_be_played_is_given_up() {
    let mut house = House::new(fixed(), StandIn::new(5_000));
    for index in 0..3_000usize {
        let at = ms(10 + index as u64 * 20);
        let mut packet = unit(index);
        packet.payload_type = stand_in::payload_type(111);
        house.send(at, &packet);
        house.arrive(at, AUDIO, Channel::Rtp, Bytes::from_static(b"noise"));
        house.arrive(at, AUDIO, Channel::Rtcp, Bytes::from_static(&[0x81; 40]));
        house.arrive(at, 99, Channel::Rtp, Bytes::from_static(b"nobody's"));
    }
    house.run(ms(60_000));
    let expected = "the server has agreed to play, but no media has come for 10 s";
    assert_eq!(house.failure(), expected);
    assert_eq!(house.now, ms(10_000));
}

#[test]
fn ports_that_carry_nothing_make_the_user_think_of_firewalls() {
    let mut wish = fixed();
    wish.carrier = Carrier::Udp;
    let mut house = House::new(wish, StandIn::new(100));
    house.poll();
    for flow in 1..=3 {
        let flow = FlowId::new(flow).unwrap();
        house.player.handle(house.now, Input::Bound { flow, ports: (6_000, 6_001) });
    }
    house.run(ms(60_000));
    let expected = "no media has come for 10 s: is UDP blocked on the way?";
    assert!(house.failure().ends_with(expected), "{}", house.failure());
}

#[test]
fn a_close_before_any_media_is_told_as_such() {
    let mut house = House::new(fixed(), StandIn::new(100));
    house.run(ms(100));
    house.player.handle(house.now, Input::Closed);
    house.run(ms(60_000));
    assert_eq!(house.failure(), "the server is gone: 0.0 s of 2.0 s were played");
}

#[test]
fn a_close_before_the_answer_to_play_is_the_end_at_once() {
    let mut house = House::new(fixed(), StandIn::new(100));
    house.answers = false;
    house.poll();
    house.player.handle(house.now, Input::Closed);
    house.poll();
    assert_eq!(house.failure(), "the server has closed the connection before anything was played");
}

#[test]
fn an_endless_presentation_ends_with_the_goodbye_of_its_source() {
    let mut server = StandIn::new(0);
    server.description.duration = None;
    let mut house = House::new(fixed(), server);
    house.stream(0..50);
    let goodbye = |ssrc| {
        let report = rtcp::ReceiverReport { ssrc, blocks: Vec::new() };
        let bye = RtcpPacket::Bye { ssrcs: vec![ssrc], reason: None };
        rtcp::write_compound(&[RtcpPacket::ReceiverReport(report), bye])
    };
    // A stranger's goodbye means nothing.
    house.arrive(ms(500), AUDIO, Channel::Rtcp, goodbye(Ssrc(8)));
    house.arrive(ms(1_000), AUDIO, Channel::Rtcp, goodbye(SSRC));
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    assert_eq!(house.heard()[..50 * FRAMES], sent(0..50 * FRAMES));
    assert!(house.now < ms(2_000), "{:?}", house.now);
}

/// Goodbye of a source, and why.
fn goodbye(ssrc: Ssrc, reason: &str) -> Bytes {
    let report = rtcp::ReceiverReport { ssrc, blocks: Vec::new() };
    let bye = RtcpPacket::Bye { ssrcs: vec![ssrc], reason: Some(reason.to_owned()) };
    rtcp::write_compound(&[RtcpPacket::ReceiverReport(report), bye])
}

#[test]
fn a_server_that_ends_the_session_before_its_time_is_quoted_in_one_line() {
    let mut house = House::new(fixed(), StandIn::new(500));
    house.stream(0..50);
    house.arrive(ms(600), AUDIO, Channel::Rtcp, goodbye(Ssrc(8), "a stranger says so"));
    house.arrive(ms(1_005), AUDIO, Channel::Rtcp, goodbye(SSRC, "nobody\x1b[2J hears\nit"));
    house.run(ms(10_000));
    let line =
        "the server has ended the session, because nobody[2J hearsit: 1.0 s of 10.0 s were played";
    assert_eq!(house.failure(), line);
    assert_eq!(house.heard()[..50 * FRAMES], sent(0..50 * FRAMES), "the rest is heard");
    assert!(house.now < ms(2_000), "{:?}", house.now);
}

#[test]
fn an_endless_presentation_that_is_ended_before_its_time_has_not_completed() {
    let mut server = StandIn::new(0);
    server.description.duration = None;
    let mut house = House::new(fixed(), server);
    house.stream(0..50);
    house.arrive(ms(1_005), AUDIO, Channel::Rtcp, goodbye(SSRC, "it is late"));
    house.run(ms(60_000));
    let line = "the server has ended the session, because it is late: 1.0 s of an endless presentation were played";
    assert_eq!(house.failure(), line);
}

#[test]
fn sender_reports_are_answered_with_when_they_came() {
    let mut house = House::new(fixed(), StandIn::new(500));
    house.stream(0..500);
    let ntp = NtpTime::from_unix(Duration::from_secs(1_700_000_000));
    let rtp = RtpTimestamp(0);
    let report =
        SenderReport { ssrc: SSRC, ntp, rtp, packets: 10, octets: 3_200, blocks: Vec::new() };
    let report = rtcp::write_compound(&[RtcpPacket::SenderReport(report)]);
    house.arrive(ms(400), AUDIO, Channel::Rtcp, report);
    house.run(ms(4_000));
    let last = rtcp::parse_compound(house.reports.last().unwrap()).unwrap();
    let RtcpPacket::ReceiverReport(report) = &last[0] else { panic!("{last:?}") };
    assert_eq!(report.blocks[0].last_sr, ntp.middle());
    assert!(report.blocks[0].delay_since_sr > 0);
    assert_eq!(report.blocks[0].cumulative_lost, 0);
}

#[test]
fn a_new_ssrc_is_followed_where_the_old_one_ended() {
    let mut house = House::new(fixed(), StandIn::new(100));
    house.stream(0..50);
    for index in 50..100usize {
        let packet = RtpPacket {
            ssrc: Ssrc(1_000),
            sequence: Sequence(20_000 + index as u16),
            timestamp: RtpTimestamp(5_000_000 + (index * FRAMES) as u32),
            ..unit(index)
        };
        house.send(ms(10 + index as u64 * 20), &packet);
    }
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    let heard = house.heard();
    assert_eq!(heard[..50 * FRAMES], sent(0..50 * FRAMES));
    // The packet that made us believe the new source is not played; after it all is in its place.
    assert_eq!(heard[52 * FRAMES..], sent(52 * FRAMES..100 * FRAMES));
    assert_eq!(house.audio().late, 0);
}
