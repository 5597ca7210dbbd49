//! Everything over one QUIC connection.

use std::net::SocketAddr;
use std::sync::Arc;

use cantus_qos::roq::{self, ALPN, FlowId};
use cantus_qos::rtcp::{
    ExtendedReport, ReceiverReport, RtcpPacket, XrBlock, is_rtcp, parse_compound, write_compound,
};
use cantus_qos::rtp::{RtpPacket, Ssrc};
use cantus_qos::spec::sdp::Description;
use cantus_qos::time::NtpTime;
use quinn::crypto::rustls::QuicClientConfig;
use rustls::pki_types::CertificateDer;

use crate::streamer::{Dialogue, soon, start, status};

/// A connection to a streamer with this certificate, and its flow 0.
async fn connect(
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    protocol: &[u8],
) -> Result<quinn::Connection, quinn::ConnectionError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![protocol.to_vec()];
    let crypto = Arc::new(QuicClientConfig::try_from(tls).unwrap());
    let endpoint = quinn::Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let config = quinn::ClientConfig::new(crypto);
    soon(endpoint.connect_with(config, address, "localhost").unwrap()).await
}

/// RTSP on flow 0.
async fn control(
    connection: &quinn::Connection,
) -> Dialogue<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> {
    let (mut send, receive) = soon(connection.open_bi()).await.unwrap();
    soon(send.write_all(&FlowId::CONTROL.stream_header())).await.unwrap();
    Dialogue::new(tokio::io::join(receive, send))
}

/// RTSP on flow 0, which has a track of the sync test played on a flow of its own.
async fn playing(
    connection: &quinn::Connection,
    track: &str,
    flow: u64,
) -> Dialogue<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> {
    let mut rtsp = control(connection).await;
    let group = ("Pipelined-Requests", "1");
    let transport = format!("RTP/AVPF/QUIC;unicast;flow={flow}");
    let headers = [group, ("Transport", &*transport)];
    rtsp.ask("SETUP", &format!("/sync-test/{track}"), &headers).await;
    assert_eq!(status(&rtsp.ask("PLAY", "/sync-test", &[group]).await), 200);
    rtsp
}

#[tokio::test(flavor = "multi_thread")]
async fn control_is_flow_0_and_sound_comes_in_datagrams_of_its_flow() {
    let (streamer, certificate) = start().await;
    let connection = connect(streamer.quic.unwrap(), certificate, ALPN).await.unwrap();
    let mut rtsp = control(&connection).await;
    let cantus = ("Supported", "cantus.media");
    let answer = rtsp.ask("DESCRIBE", "/sync-test", &[cantus]).await;
    let tracks = Description::parse(answer.body()).unwrap().tracks;
    assert_eq!(tracks.len(), 4, "sound, repair by two schemes and words");
    let send_time_id = tracks[0].send_time_id;
    let group = ("Pipelined-Requests", "1");
    let transport = ("Transport", "RTP/AVPF/QUIC;unicast;flow=5");
    let answer = rtsp.ask("SETUP", "/sync-test/opus/1", &[cantus, group, transport]).await;
    assert_eq!(status(&answer), 200);
    assert_eq!(status(&rtsp.ask("PLAY", "/sync-test", &[group]).await), 200);
    let mut heard = 0;
    while heard < 5 {
        let datagram = soon(connection.read_datagram()).await.unwrap();
        let (flow, data) = roq::parse_datagram(datagram).unwrap();
        assert_eq!(flow.get(), 5);
        if !is_rtcp(&data) {
            let packet = RtpPacket::parse(data, send_time_id).unwrap();
            assert_eq!(packet.payload_type.get(), 96);
            assert_eq!(packet.send_time, None, "it leaves at its nominal instant");
            heard += 1;
        }
    }
    streamer.shut_down().await;
    let end = soon(connection.closed()).await;
    assert!(matches!(end, quinn::ConnectionError::ApplicationClosed(_)), "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_come_on_a_stream_of_their_flow() {
    let (streamer, certificate) = start().await;
    let connection = connect(streamer.quic.unwrap(), certificate, ALPN).await.unwrap();
    let _rtsp = playing(&connection, "text/en", 2).await;
    let mut stream = soon(connection.accept_uni()).await.unwrap();
    let mut reader = roq::StreamReader::new();
    let packet = loop {
        if let Some(packet) = reader.pop().unwrap() {
            break packet;
        }
        let chunk = soon(stream.read_chunk(4_096, true)).await.unwrap().unwrap();
        reader.push(&chunk.bytes);
    };
    assert_eq!(reader.flow().map(FlowId::get), Some(2));
    let packet = RtpPacket::parse(packet, None).unwrap();
    assert_eq!(packet.payload_type.get(), 98);
    let cue = cantus_qos::payload::cue::decode(&packet.payload).unwrap();
    assert_eq!(cue.text, "click 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_heard_on_a_stream_of_their_flow_too() {
    let (streamer, certificate) = start().await;
    let connection = connect(streamer.quic.unwrap(), certificate, ALPN).await.unwrap();
    let _rtsp = playing(&connection, "opus/1", 5).await;

    let own = Ssrc(77);
    let clock = XrBlock::ReferenceTime(NtpTime::from_bits(0x1234_5678_9abc_def0));
    let report = write_compound(&[
        RtcpPacket::ReceiverReport(ReceiverReport { ssrc: own, blocks: Vec::new() }),
        RtcpPacket::ExtendedReport(ExtendedReport { ssrc: own, blocks: vec![clock] }),
    ]);
    let mut writer = roq::StreamWriter::new(FlowId::new(5).unwrap());
    let mut stream = soon(connection.open_uni()).await.unwrap();
    soon(stream.write_all(&writer.write(&report).unwrap())).await.unwrap();

    // Who says what its clock shows is told it again in the next report.
    let is_ours = |block: &XrBlock| match block {
        XrBlock::DelaySinceLast(echoes) => echoes.iter().any(|echo| echo.ssrc == own),
        _ => false,
    };
    let echoes = |packet: &RtcpPacket| match packet {
        RtcpPacket::ExtendedReport(report) => report.blocks.iter().any(is_ours),
        _ => false,
    };
    loop {
        let datagram = soon(connection.read_datagram()).await.unwrap();
        let (_, data) = roq::parse_datagram(datagram).unwrap();
        if is_rtcp(&data) && parse_compound(&data).unwrap().iter().any(echoes) {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_on_a_stream_of_both_directions_end_the_connection() {
    let (streamer, certificate) = start().await;
    let connection = connect(streamer.quic.unwrap(), certificate, ALPN).await.unwrap();
    let mut rtsp = control(&connection).await;
    assert_eq!(status(&rtsp.ask("OPTIONS", "*", &[]).await), 200);
    let (mut send, _receive) = soon(connection.open_bi()).await.unwrap();
    soon(send.write_all(&[5, 1, 2, 3])).await.unwrap();
    let end = soon(connection.closed()).await;
    let quinn::ConnectionError::ApplicationClosed(close) = end else { panic!("{end}") };
    assert_eq!(close.error_code.into_inner(), 0x04, "ROQ_STREAM_CREATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbouring_drafts_are_understood_and_strangers_are_not() {
    let (streamer, certificate) = start().await;
    let address = streamer.quic.unwrap();
    let neighbour = connect(address, certificate.clone(), b"roq-11").await;
    assert!(neighbour.is_ok());
    assert!(connect(address, certificate, b"h3").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_stream_that_is_not_flow_0_ends_the_connection() {
    let (streamer, certificate) = start().await;
    let connection = connect(streamer.quic.unwrap(), certificate, ALPN).await.unwrap();
    let (mut send, _receive) = soon(connection.open_bi()).await.unwrap();
    soon(send.write_all(&[7, 1, 2, 3])).await.unwrap();
    let end = soon(connection.closed()).await;
    assert!(matches!(end, quinn::ConnectionError::ApplicationClosed(_)), "{end}");
}
