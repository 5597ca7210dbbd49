//! What a program pushes that knows nothing of us.

use bytes::Bytes;
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::g711::Law;
use cantus_qos::rtcp::RtcpPacket;

use crate::pushing::Push;
use crate::stage::{Stage, assert_heard, free_port, listened_to, written};

/// A tone that no two frames of are alike for long.
fn tone(frames: usize, channels: usize) -> Vec<i16> {
    let sample = |n: usize| ((n * n / 7 + n * 31) % 20_011) as i16 - 10_005;
    (0..frames * channels).map(sample).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn linear_sound_in_packets_of_any_length_is_heard_to_the_sample_until_goodbye() {
    let stage = Stage::set("l16");
    let mut plays = Vec::new();
    for (name, hz, channels, number, lengths) in [
        ("48000/1", 48_000, 1, 97, &[694, 330][..]),
        ("44100/2", 44_100, 2, 10, &[350]),
        ("48000/2", 48_000, 2, 110, &[48]),
    ] {
        let (format, port) = (AudioFormat::new(hz, channels).unwrap(), free_port());
        let samples = tone(hz as usize * 2, usize::from(channels));
        let wav = format!("{number}.wav");
        let pt = if number == 10 { "10".to_owned() } else { format!("l16/{name}") };
        let url = format!("rtp://127.0.0.1:{port}?pt={pt}");
        let listener = tokio::spawn(stage.listen(&url, &wav));
        listened_to(port).await;
        let push = Push::l16(number, format, &samples, lengths);
        plays.push((name, samples, wav, listener, tokio::spawn(push.to(port))));
    }
    for (name, samples, wav, listener, push) in plays {
        let came = push.await.unwrap();
        let told = |packet: &RtcpPacket| matches!(packet, RtcpPacket::ReceiverReport(_));
        assert!(came.iter().any(told), "{name}: reports go to where those of the sender come from");
        let heard = listener.await.unwrap();
        assert_heard(name, &heard, &written(&stage.path(&wav)).1, &samples);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_is_heard_by_its_sdp_file() {
    let stage = Stage::set("g711");
    let (format, port) = (AudioFormat::new(8_000, 1).unwrap(), free_port());
    let sdp = format!(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 8\n"
    );
    let listener = tokio::spawn(stage.play(&sdp, "pcma.wav"));
    listened_to(port).await;
    let octets: Vec<u8> = (0..16_000).map(|n| (n / 5) as u8).collect();
    let packets = octets.chunks(160).map(|it| (Bytes::copy_from_slice(it), it.len())).collect();
    let late = |_| std::time::Duration::ZERO;
    Push { payload_type: 8, format, packets, late }.to(port).await;
    let heard = listener.await.unwrap();
    let sent: Vec<i16> = octets.iter().map(|octet| Law::A.sample(*octet)).collect();
    let (spec, samples) = written(&stage.path("pcma.wav"));
    assert_eq!((spec.sample_rate, spec.channels), (8_000, 1));
    assert_heard("pcma", &heard, &samples, &sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_or_read_is_one_line() {
    let stage = Stage::set("refused");
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let (_, result) = stage.listen(&format!("rtp://{at}?pt=opus"), "never.wav").await;
    let line = result.unwrap_err().to_string();
    assert!(line.starts_with(&format!("cannot receive at {at}: ")), "{line}");
    let (_, result) = stage.play("v=0\ns=x\nt=0 0\nm=video 5004 RTP/AVP 96\n", "never.wav").await;
    let line = result.unwrap_err().to_string();
    assert!(line.contains("pushed.sdp has no audio track that can be played"), "{line}");
    assert!(!stage.path("never.wav").exists());
}
