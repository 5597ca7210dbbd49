//! RTSP over TCP, media over UDP.

use bytes::Bytes;
use cantus_qos::rtcp::{RtcpPacket, parse_compound};
use cantus_qos::rtp::RtpPacket;
use cantus_qos::rtsp::{Incoming, Transport};
use cantus_qos::spec::sdp::Description;
use cantus_streamer::drive::Settings;

use crate::streamer::{Dialogue, Listener, datagram, header, soon, start, start_with, status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
async fn sound_comes_between_the_answers_where_that_is_asked_for() {
    let (streamer, _) = start().await;
    let mut client = Dialogue::tcp(streamer.rtsp.unwrap()).await;
    let transport = [("Transport", "RTP/AVP/TCP;unicast;interleaved=2-3")];
    let answer = client.ask("SETUP", "/sync-test/opus/1", &transport).await;
    let session = header(&answer, "Session");
    assert_eq!(status(&client.ask("PLAY", "/sync-test", &[("Session", session)]).await), 200);
    let (mut sound, mut reports) = (Vec::new(), 0);
    while sound.len() < 5 || reports == 0 {
        match client.incoming().await {
            Incoming::Interleaved { channel: 2, data } => {
                sound.push(RtpPacket::parse(data, None).unwrap().sequence.0);
            }
            Incoming::Interleaved { channel: 3, data } => {
                assert!(matches!(parse_compound(&data).unwrap()[0], RtcpPacket::SenderReport(_)));
                reports += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(sound.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{sound:?}");
    assert_eq!(status(&client.ask("PAUSE", "/sync-test", &[("Session", session)]).await), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_aborts_without_a_word_gives_back_the_place_of_its_session() {
    let (streamer, _) = start_with(|it| Settings { max_sessions: Some(1), ..it }).await;
    let address = streamer.rtsp.unwrap();
    let transport = [("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1")];
    let mut client = Dialogue::tcp(address).await;
    let answer = client.ask("SETUP", "/sync-test/opus/1", &transport).await;
    let session = header(&answer, "Session");
    assert_eq!(status(&client.ask("PLAY", "/sync-test", &[("Session", session)]).await), 200);
    // RST, with media unread, and no FIN before it.
    client.pipe().set_zero_linger().unwrap();
    drop(client);
    let mut next = Dialogue::tcp(address).await;
    let again =
        async { while status(&next.ask("SETUP", "/sync-test/opus/1", &transport).await) != 200 {} };
    soon(again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_64_kb_is_answered_and_the_answer_arrives() {
    let (streamer, _) = start().await;
    let mut client = Dialogue::tcp(streamer.rtsp.unwrap()).await;
    let line = [b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: ", &[b'x'; 65_536][..], b"\r\n\r\n"].concat();
    soon(client.pipe().write_all(&line)).await.unwrap();
    assert_eq!(status(&client.answer().await), 400);
    assert_eq!(soon(client.pipe().read(&mut [0])).await.unwrap(), 0, "and that is the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_no_more_still_gets_its_answers() {
    let (streamer, _) = start().await;
    let mut client = Dialogue::tcp(streamer.rtsp.unwrap()).await;
    let requests = (1..=100).map(|cseq| format!("OPTIONS * RTSP/1.0\r\nCSeq: {cseq}\r\n\r\n"));
    let requests: String = requests.collect();
    soon(client.pipe().write_all(requests.as_bytes())).await.unwrap();
    soon(client.pipe().shutdown()).await.unwrap();
    for cseq in 1..=100 {
        assert_eq!(header(&client.answer().await, "CSeq"), cseq.to_string());
    }
    assert_eq!(soon(client.pipe().read(&mut [0])).await.unwrap(), 0, "and that is the end");
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
