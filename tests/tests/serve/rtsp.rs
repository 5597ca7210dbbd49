//! RTSP over TCP, media over UDP.

use bytes::Bytes;
use cantus_qos::rtcp::{RtcpPacket, parse_compound};
use cantus_qos::rtp::RtpPacket;
use cantus_qos::rtsp::Transport;
use cantus_qos::spec::sdp::Description;

use crate::streamer::{Dialogue, Listener, datagram, header, start, status};

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_client_hears_packets_in_sequence_and_a_report() {
    let (streamer, _) = start().await;
    let mut listener = Listener::set_up(streamer.rtsp.unwrap()).await;
    let Transport::Udp { ssrc: Some(ssrc), .. } = listener.transport else {
        panic!("{:?}", listener.transport)
    };
    assert_eq!(status(&listener.ask("PLAY").await), 200);
    let mut packets = Vec::new();
    for _ in 0..5 {
        let data = Bytes::from(datagram(&listener.rtp).await);
        packets.push(RtpPacket::parse(data, None).unwrap());
    }
    assert!(packets.iter().all(|packet| packet.payload_type.get() == 96 && packet.ssrc == ssrc));
    let follows = |pair: &[RtpPacket]| pair[1].sequence.0 == pair[0].sequence.0.wrapping_add(1);
    assert!(packets.windows(2).all(follows));
    let report = parse_compound(&datagram(&listener.rtcp).await).unwrap();
    assert!(matches!(&report[0], RtcpPacket::SenderReport(report) if report.ssrc == ssrc));
    assert_eq!(status(&listener.ask("TEARDOWN").await), 200);
    streamer.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_and_the_catalogue_are_fetched_from_the_disk() {
    let (streamer, _) = start().await;
    let mut client = Dialogue::tcp(streamer.rtsp.unwrap()).await;
    let answer = client.ask("DESCRIBE", "/duet", &[]).await;
    assert_eq!(header(&answer, "Content-Type"), "application/sdp");
    assert_eq!(Description::parse(answer.body()).unwrap().tracks.len(), 2);
    let answer = client.ask("DESCRIBE", "/", &[("Accept", "application/json")]).await;
    let listing: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(listing["presentations"].as_array().unwrap().len(), 4);
    assert_eq!(status(&client.ask("DESCRIBE", "/nothing", &[]).await), 404);
}
