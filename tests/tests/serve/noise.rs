//! Noise on every port, while somebody listens.

use std::net::SocketAddr;

use bytes::Bytes;
use cantus_qos::rtp::RtpPacket;
use cantus_qos::rtsp::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use crate::streamer::{Dialogue, Listener, datagram, soon, start, status};

const LENGTH: usize = 64 * 1_024;

/// Bytes without a pattern, the same each time (xorshift).
fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(&mut next).take(LENGTH).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_on_every_port_harms_nobody() {
    let (streamer, _) = start().await;
    let rtsp = streamer.rtsp.unwrap();
    let mut listener = Listener::set_up(rtsp).await;
    let Transport::Udp { server: Some((rtp, rtcp)), .. } = listener.transport else {
        panic!("{:?}", listener.transport)
    };
    assert_eq!(status(&listener.ask("PLAY").await), 200);
    datagram(&listener.rtp).await;

    let noise = noise();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for port in [streamer.quic.unwrap().port(), rtp, rtcp] {
        for packet in noise.chunks(1_000) {
            let to = SocketAddr::from(([127, 0, 0, 1], port));
            soon(stranger.send_to(packet, to)).await.unwrap();
            // The listener's own port is no more trustworthy.
            soon(listener.rtcp.send_to(packet, to)).await.unwrap();
        }
    }
    let mut noisy = Dialogue::tcp(rtsp).await;
    soon(noisy.pipe().write_all(&noise)).await.unwrap();
    let mut rest = Vec::new();
    soon(noisy.pipe().read_to_end(&mut rest)).await.unwrap();
    assert!(rest.starts_with(b"RTSP/1.0 400 "), "it was told, and cut off");

    let before = RtpPacket::parse(Bytes::from(datagram(&listener.rtp).await), None).unwrap();
    let after = RtpPacket::parse(Bytes::from(datagram(&listener.rtp).await), None).unwrap();
    assert_eq!(after.sequence.0, before.sequence.0.wrapping_add(1));
    assert_eq!(status(&listener.ask("GET_PARAMETER").await), 200);
    let mut newcomer = Dialogue::tcp(rtsp).await;
    assert_eq!(status(&newcomer.ask("OPTIONS", "/", &[]).await), 200);
}
