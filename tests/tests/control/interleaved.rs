//! Media between the messages of an RTSP connection (RFC 2326, section 10.12).

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::rtcp::{self, ReceiverReport, RtcpPacket};
use cantus_qos::rtp::{RtpPacket, Ssrc};
use cantus_qos::rtsp::write_interleaved;
use cantus_streamer::wire::{ConnectionId, Destination};

use crate::house::{House, header, session, status, udp};

/// The Transport header of a flow on a pair of channels.
fn channels(rtp: u8, rtcp: u8) -> String {
    format!("RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp}")
}

/// Sets up `path`; the session, and the transport that was granted.
fn set_up(
    house: &mut House,
    client: ConnectionId,
    path: &str,
    transport: &str,
    more: &[(&str, &str)],
) -> (String, String) {
    let headers = [&[("Transport", transport)], more].concat();
    let answer = house.ask(client, "SETUP", path, &headers);
    assert_eq!(status(&answer), 200, "{path} {transport}");
    (session(&answer), header(&answer, "Transport"))
}

/// What has left on a channel.
fn on(house: &House, client: ConnectionId, channel: u8) -> Vec<Bytes> {
    let to = Destination::Interleaved(client, channel);
    let sent = house.sent.iter().filter(|(_, sent)| sent.destination == to);
    sent.map(|(_, sent)| sent.data.clone()).collect()
}

#[test]
fn sound_and_reports_travel_on_the_channels_that_were_asked_for_in_whatever_order() {
    for (rtp, rtcp) in [(0, 1), (7, 2), (255, 0)] {
        let mut house = House::new();
        let client = house.tcp();
        let wished = channels(rtp, rtcp);
        let (session, granted) = set_up(&mut house, client, "/narration/opus/1", &wished, &[]);
        assert!(granted.starts_with(&wished), "{granted}");
        let play = house.ask(client, "PLAY", "/narration", &[("Session", &session)]);
        assert!(header(&play, "RTP-Info").contains("seq="));
        house.pass(Duration::from_millis(999));
        let sound = on(&house, client, rtp).into_iter();
        let sound: Vec<_> = sound.map(|data| RtpPacket::parse(data, None).unwrap()).collect();
        assert_eq!(sound.len(), 50, "20 ms each, from the first instant on");
        let follows = |pair: &[RtpPacket]| pair[1].sequence.0 == pair[0].sequence.0.wrapping_add(1);
        assert!(sound.windows(2).all(follows));
        let reports = on(&house, client, rtcp);
        let first = rtcp::parse_compound(&reports[0]).unwrap().remove(0);
        assert!(matches!(first, RtcpPacket::SenderReport(_)), "{first:?}");
        assert_eq!(house.sent.len(), sound.len() + reports.len(), "and nothing goes elsewhere");
    }
}

#[test]
fn channels_that_are_in_use_are_exchanged_for_free_ones_on_the_same_connection_alone() {
    let mut house = House::new();
    let (client, other) = (house.tcp(), house.tcp());
    let first = channels(0, 1);
    let mut granted = |client, path: &str, session: Option<&str>| {
        let more: Vec<_> = session.map(|name| ("Session", name)).into_iter().collect();
        set_up(&mut house, client, path, &first, &more)
    };
    let (duet, voice) = granted(client, "/duet/opus/1", None);
    assert!(voice.contains("interleaved=0-1"), "{voice}");
    let (_, voice) = granted(client, "/duet/opus/2", Some(&duet));
    assert!(voice.contains("interleaved=2-3"), "{voice}");
    let (_, another) = granted(client, "/narration/opus/1", None);
    assert!(another.contains("interleaved=4-5"), "{another}");
    assert!(granted(other, "/narration/opus/1", None).1.contains("interleaved=0-1"));
    house.ask(client, "TEARDOWN", "/duet", &[("Session", &duet)]);
    let (_, again) = set_up(&mut house, client, "/music/opus/1", &channels(6, 2), &[]);
    assert!(again.contains("interleaved=6-2"), "what has ended gives its channels back: {again}");
    let (_, never) = set_up(&mut house, client, "/music/opus/1", &channels(9, 9), &[]);
    assert!(never.contains("interleaved=0-1"), "one channel does not carry both: {never}");
}

#[test]
fn a_report_on_its_channel_is_a_sign_of_life_and_elsewhere_it_is_none() {
    let mut house = House::new();
    let client = house.tcp();
    set_up(&mut house, client, "/narration/opus/1", &channels(0, 1), &[]);
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(9), blocks: Vec::new() });
    let report = rtcp::write_compound(&[report]);
    house.pass(Duration::from_secs(59));
    house.send(client, &write_interleaved(1, &report).unwrap());
    house.pass(Duration::from_secs(59));
    assert_eq!(house.server.session_count(), 1);
    for (channel, data) in [(0, &report[..]), (2, &report), (1, &[0x80, 201]), (1, &[])] {
        house.send(client, &write_interleaved(channel, data).unwrap());
    }
    house.pass(Duration::from_secs(1));
    assert_eq!(house.server.session_count(), 0);
}

#[test]
fn with_the_connection_ends_what_travels_on_it_and_nothing_else() {
    let mut house = House::new();
    let client = house.tcp();
    let (session, _) = set_up(&mut house, client, "/narration/opus/1", &channels(0, 1), &[]);
    house.ask(client, "PLAY", "/narration", &[("Session", &session)]);
    let (over_udp, _) = set_up(&mut house, client, "/music/opus/1", &udp(5_000), &[]);
    let granted = house.server.granted();
    house.disconnect(client);
    assert_eq!(house.server.session_count(), 1);
    assert!(house.server.granted() < granted, "its rate comes back");
    let sent = house.sent.len();
    house.pass(Duration::from_secs(1));
    assert_eq!(house.sent.len(), sent);
    let again = house.tcp();
    let ours = [("Session", &*over_udp)];
    assert_eq!(status(&house.ask(again, "PLAY", "/music", &ours)), 200);
}

#[test]
fn words_come_once_for_they_cannot_be_lost() {
    let mut house = House::new();
    let client = house.tcp();
    let ours = [("Supported", "cantus.media")];
    let (session, _) = set_up(&mut house, client, "/narration/text/en", &channels(0, 1), &ours);
    house.ask(client, "PLAY", "/narration", &[("Session", &session)]);
    house.pass(Duration::from_secs(20));
    let sent = on(&house, client, 0);
    let words: std::collections::BTreeSet<_> =
        sent.iter().map(|data| RtpPacket::parse(data.clone(), None).unwrap().payload).collect();
    assert!(words.len() > 3);
    assert_eq!(sent.len(), words.len());
}
