//! A streamer that runs, and an RTSP dialogue with it over any pipe.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use cantus_qos::rtsp::{Incoming, MessageBuffer, Transport};
use cantus_streamer::catalogue::Catalogue;
use cantus_streamer::drive::{Settings, Streamer};
use cantus_streamer::quic::Identity;
use cantus_streamer::server::MAX_CONNECTIONS;
use rtsp_types::{HeaderName, Response};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// A streamer of the samples on loopback, and its certificate.
pub(crate) async fn start() -> (Streamer, CertificateDer<'static>) {
    start_with(|settings| settings).await
}

/// The same with some settings changed.
pub(crate) async fn start_with(
    change: impl FnOnce(Settings) -> Settings,
) -> (Streamer, CertificateDer<'static>) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples");
    let identity = Identity::ephemeral().unwrap();
    let certificate = identity.certificates[0].clone();
    let anywhere = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let settings = Settings {
        quic: anywhere,
        rtsp: anywhere,
        identity,
        max_bitrate: None,
        max_sessions: None,
        max_connections: MAX_CONNECTIONS,
        users: None,
    };
    let streamer =
        Streamer::start(Catalogue::open(&samples).unwrap(), change(settings)).await.unwrap();
    (streamer, certificate)
}

/// Far beyond what anything here takes: a test that hangs fails.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it comes within a minute")
}

/// RTSP over a pipe.
pub(crate) struct Dialogue<S> {
    pipe: S,
    incoming: MessageBuffer,
    cseq: u32,
}

impl Dialogue<TcpStream> {
    pub(crate) async fn tcp(address: SocketAddr) -> Self {
        Self::new(soon(TcpStream::connect(address)).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    pub(crate) fn new(pipe: S) -> Self {
        Self { pipe, incoming: MessageBuffer::new(), cseq: 0 }
    }

    /// A request and its answer.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response<Vec<u8>> {
        self.cseq += 1;
        let mut request = format!("{method} rtsp://host{path} RTSP/1.0\r\nCSeq: {}\r\n", self.cseq);
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        soon(self.pipe.write_all((request + "\r\n").as_bytes())).await.unwrap();
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Response<Vec<u8>> {
        loop {
            if let Incoming::Response(response) = self.incoming().await {
                return response;
            }
        }
    }

    /// The next that comes: an answer, or a packet between the answers.
    pub(crate) async fn incoming(&mut self) -> Incoming {
        let mut data = [0; 4_096];
        loop {
            if let Some(incoming) = self.incoming.next().unwrap() {
                return incoming;
            }
            let length = soon(self.pipe.read(&mut data)).await.unwrap();
            assert!(length > 0, "the connection goes on");
            self.incoming.push(&data[..length]);
        }
    }

    pub(crate) fn pipe(&mut self) -> &mut S {
        &mut self.pipe
    }
}

/// A listener over UDP: its ports, its session, and the server's side of it.
pub(crate) struct Listener {
    pub(crate) rtsp: Dialogue<TcpStream>,
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) transport: Transport,
    pub(crate) session: String,
}

impl Listener {
    /// Sets up the sound of the sync test.
    pub(crate) async fn set_up(address: SocketAddr) -> Self {
        let mut rtsp = Dialogue::tcp(address).await;
        let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let rtcp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        let offer = format!("RTP/AVP;unicast;client_port={}-{}", port(&rtp), port(&rtcp));
        let answer = rtsp.ask("SETUP", "/sync-test/opus/1", &[("Transport", &offer)]).await;
        let session = header(&answer, "Session").split(';').next().unwrap().to_owned();
        let transport = header(&answer, "Transport").parse().unwrap();
        Self { rtsp, rtp, rtcp, transport, session }
    }

    pub(crate) async fn ask(&mut self, method: &str) -> Response<Vec<u8>> {
        self.rtsp.ask(method, "/sync-test", &[("Session", &self.session)]).await
    }
}

pub(crate) async fn datagram(socket: &UdpSocket) -> Vec<u8> {
    let mut data = vec![0; 2_048];
    let length = soon(socket.recv(&mut data)).await.unwrap();
    data.truncate(length);
    data
}

pub(crate) fn status(response: &Response<Vec<u8>>) -> u16 {
    response.status().into()
}

pub(crate) fn header<'a>(response: &'a Response<Vec<u8>>, name: &str) -> &'a str {
    let name = HeaderName::try_from(name).unwrap();
    response.header(&name).expect("the header is there").as_str()
}
