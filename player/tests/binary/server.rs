//! A scripted server: RTSP over TCP with media over UDP, or everything over QUIC.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cantus_player::trust::Fingerprint;
use cantus_qos::payload::cue::{self, Cue};
use cantus_qos::payload::{AudioFormat, l16};
use cantus_qos::roq::{self, ALPN, FlowId};
use cantus_qos::rtp::{PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::rtsp::Profile;
use cantus_qos::spec::sdp::{AudioCodec, Description, Medium, Track};
use cantus_qos::time::{ClockRate, MediaTime};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, ServerConfig};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// Frames of a unit: 20 ms at 8 kHz.
const FRAMES: usize = 160;
const UNIT: Duration = Duration::from_millis(20);

/// The cue of the subtitle track begins here.
pub(crate) const CUE_AT: MediaTime = MediaTime::from_millis(500);

/// What the server does when it has sent its units.
#[derive(Copy, Clone, Default, PartialEq, Eq)]
pub(crate) enum Then {
    /// It leaves.
    #[default]
    Close,
    /// It says nothing more, neither media nor answers.
    Silence,
    /// It waits for TEARDOWN.
    Wait,
}

/// What the server does.
#[derive(Clone, Default)]
pub(crate) struct Script {
    /// How long the presentation is said to be, in units.
    pub(crate) announced: usize,
    /// How many units are sent.
    pub(crate) units: usize,
    pub(crate) then: Then,
    /// Answers to a method that are not by the book; an empty one is none at all.
    pub(crate) answers: Vec<(&'static str, Vec<u8>)>,
    /// Before each unit these come, on every channel that there is.
    pub(crate) noise: Vec<Bytes>,
}

/// A server that runs until the test is over.
pub(crate) struct Server {
    pub(crate) url: String,
    /// Of its certificate.
    pub(crate) fingerprint: Option<Fingerprint>,
}

impl Server {
    pub(crate) fn rtsp(script: Script) -> Self {
        let (told, address) = std::sync::mpsc::channel();
        in_background(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            let way = Way::Udp(UdpSocket::bind("127.0.0.1:0").await.unwrap(), peer);
            let (read, write) = stream.into_split();
            converse(read, write, way, script).await;
        });
        Self { url: format!("rtsp://{}/talk", address.recv().unwrap()), fingerprint: None }
    }

    pub(crate) fn quic(script: Script) -> Self {
        let (told, address) = std::sync::mpsc::channel();
        in_background(async move {
            let (config, fingerprint) = quic_config();
            let endpoint = Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap();
            told.send((endpoint.local_addr().unwrap(), fingerprint)).unwrap();
            // A handshake that the player breaks off is what some tests are about.
            let Ok(connection) = endpoint.accept().await.unwrap().await else { return };
            let (write, mut read) = connection.accept_bi().await.unwrap();
            assert_eq!(read.read_u8().await.unwrap(), 0, "flow 0 is control");
            converse(read, write, Way::Quic(connection.clone()), script).await;
            connection.close(0u32.into(), b"the script ends");
            endpoint.wait_idle().await;
        });
        let (address, fingerprint) = address.recv().unwrap();
        Self { url: format!("quic://{address}/talk"), fingerprint: Some(fingerprint) }
    }
}

fn in_background(server: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(server));
}

fn quic_config() -> (ServerConfig, Fingerprint) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = made.cert.into();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let fingerprint = Fingerprint::of(&certificate);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let crypto = QuicServerConfig::try_from(tls).unwrap();
    (ServerConfig::with_crypto(Arc::new(crypto)), fingerprint)
}

/// How media reaches the player.
enum Way {
    Udp(UdpSocket, SocketAddr),
    Quic(Connection),
}

/// What the player has set up so far: the UDP ports of each flow.
type Ports = Vec<(u16, u16)>;

/// Answers requests until the player leaves, or the script ends.
async fn converse(
    mut read: impl AsyncRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    way: Way,
    script: Script,
) {
    let mut said = Vec::new();
    let mut ports = Ports::new();
    loop {
        let request = next_request(&mut read, &mut said).await;
        let Some(request) = request else { return };
        if let Some(port) = request.split("client_port=").nth(1) {
            let port = port.split('-').next().and_then(|port| port.parse().ok()).unwrap();
            ports.push((port, port + 1));
        }
        write.write_all(&script.answer(&request)).await.unwrap();
        if request.starts_with("PLAY ") {
            break;
        }
    }
    let media = stream(&way, &ports, &script);
    tokio::pin!(media);
    let mut sending = true;
    loop {
        tokio::select! {
            () = &mut media, if sending => match script.then {
                Then::Close => return,
                Then::Silence | Then::Wait => sending = false,
            },
            request = next_request(&mut read, &mut said) => {
                let Some(request) = request else { return };
                if sending || script.then == Then::Wait {
                    // The player may have left while the answer was on its way.
                    let _ = write.write_all(&script.answer(&request)).await;
                }
            }
        }
    }
}

/// The next whole request; `None` when there are no more. Nothing is lost where it is dropped.
async fn next_request(read: &mut (impl AsyncRead + Unpin), said: &mut Vec<u8>) -> Option<String> {
    loop {
        let end = said.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let request: Vec<u8> = said.drain(..end + 4).collect();
            return Some(String::from_utf8(request).unwrap());
        }
        if read.read_buf(said).await.is_ok_and(|length| length > 0) {
            continue;
        }
        return None;
    }
}

impl Script {
    fn answer(&self, request: &str) -> Vec<u8> {
        let method = request.split(' ').next().unwrap();
        if let Some((_, answer)) = self.answers.iter().find(|(of, _)| *of == method) {
            return answer.clone();
        }
        let header = |name: &str| {
            let line = request.lines().find_map(|line| line.strip_prefix(name));
            line.map_or("", str::trim)
        };
        let rest = match method {
            "DESCRIBE" => {
                let sdp = self.description().to_sdp();
                let length = sdp.len();
                format!("Supported: cantus.media\r\nContent-Length: {length}\r\n\r\n{sdp}")
            }
            "SETUP" => {
                let transport = header("Transport:");
                let source = if request.contains("/audio ") { ";ssrc=00000061" } else { "" };
                let server = format!(";server_port=6-7{source}");
                format!("Session: 1\r\nTransport: {transport}{server}\r\n\r\n")
            }
            _ => "\r\n".to_owned(),
        };
        format!("RTSP/1.0 200 OK\r\nCSeq: {}\r\n{rest}", header("CSeq:")).into_bytes()
    }

    fn description(&self) -> Description {
        let format = AudioFormat { rate: ClockRate::new(8_000).unwrap(), channels: 1 };
        let unit = MediaTime::from_duration(UNIT);
        let track = |control: &str, medium, number| Track {
            control: control.into(),
            name: control.into(),
            medium,
            payload_type: PayloadType::new(number).unwrap(),
            send_time_id: None,
            profile: Profile::Avp,
            retransmission: None,
            congestion_feedback: false,
        };
        let (codec, longest) = (AudioCodec::L16, None);
        let audio = Medium::Audio { codec, format, packet_time: unit, longest };
        let text = Medium::Text { language: "en".into() };
        Description {
            title: "Talk".into(),
            duration: Some(MediaTime::from_duration(UNIT * self.announced as u32)),
            tracks: vec![track("audio", audio, 97), track("text", text, 98)],
        }
    }
}

async fn stream(way: &Way, ports: &Ports, script: &Script) {
    let mut metronome = tokio::time::interval(UNIT);
    let cue = Cue {
        id: 1,
        start: CUE_AT,
        duration: MediaTime::from_millis(400),
        text: "half a second".into(),
    };
    way.send(ports, 1, &packet(0, 98, 0, cue::encode(&cue).unwrap())).await;
    for index in 0..script.units {
        metronome.tick().await;
        for noise in &script.noise {
            way.disturb(ports, noise).await;
        }
        let payload = l16::encode(&sent(index * FRAMES..(index + 1) * FRAMES));
        way.send(ports, 0, &packet(index, 97, index * FRAMES, payload)).await;
    }
    // The last one is on its way before anything is closed.
    metronome.tick().await;
}

fn packet(index: usize, payload_type: u8, timestamp: usize, payload: Bytes) -> Bytes {
    let packet = RtpPacket {
        payload_type: PayloadType::new(payload_type).unwrap(),
        marker: index == 0,
        sequence: Sequence(index as u16),
        timestamp: RtpTimestamp(timestamp as u32),
        ssrc: Ssrc(u32::from(payload_type)),
        send_time: None,
        payload,
    };
    packet.write(None)
}

impl Way {
    /// Sends a packet of the `track`-th flow that was set up.
    async fn send(&self, ports: &Ports, track: usize, packet: &[u8]) {
        // The player may have left already, or not want this track.
        match self {
            Self::Udp(socket, peer) => {
                let Some((port, _)) = ports.get(track) else { return };
                let _ = socket.send_to(packet, SocketAddr::new(peer.ip(), *port)).await;
            }
            Self::Quic(connection) => {
                let flow = FlowId::new(track as u64 + 1).unwrap();
                let _ = connection.send_datagram(roq::datagram(flow, packet));
            }
        }
    }

    /// Sends what nobody should send, wherever it can be sent.
    async fn disturb(&self, ports: &Ports, noise: &Bytes) {
        match self {
            Self::Udp(socket, peer) => {
                for port in ports.iter().flat_map(|(rtp, rtcp)| [*rtp, *rtcp]) {
                    let _ = socket.send_to(noise, SocketAddr::new(peer.ip(), port)).await;
                }
            }
            Self::Quic(connection) => {
                let _ = connection.send_datagram(noise.clone());
                for flow in 0..4 {
                    let flow = FlowId::new(flow).unwrap();
                    let _ = connection.send_datagram(roq::datagram(flow, noise));
                }
                // As many as the player allows; the rest would wait.
                let opened = tokio::time::timeout(Duration::ZERO, connection.open_uni()).await;
                if let Ok(Ok(mut stream)) = opened {
                    let _ = stream.write_all(noise).await;
                    let _ = stream.finish();
                }
            }
        }
    }
}

/// The samples of the presentation: they count.
pub(crate) fn sent(range: std::ops::Range<usize>) -> Vec<i16> {
    range.map(|n| n as i16).collect()
}

/// All samples of so many units.
pub(crate) fn sent_units(units: usize) -> Vec<i16> {
    sent(0..units * FRAMES)
}
