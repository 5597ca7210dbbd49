//! A streamer without sockets, its connections, and a clock that jumps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use cantus_qos::delivery::Channel;
use cantus_qos::quantity::Bitrate;
use cantus_qos::rtsp::{Incoming, MessageBuffer};
use cantus_qos::spec::sdp::Description;
use cantus_qos::time::{MonoTime, NtpTime};
use cantus_streamer::catalogue::Catalogue;
use cantus_streamer::programme::{Programme, ProgrammeKey};
use cantus_streamer::server::{MAX_CONNECTIONS, Server, ServerConfig};
use cantus_streamer::users::Users;
use cantus_streamer::wire::{
    Carrier, ConnectionId, Destination, Fetch, Fetched, Input, Output, Source, Transmit,
};
use rtsp_types::{HeaderName, Response};

/// The address that [`House::tcp`] connects from.
pub(crate) const HERE: &str = "192.0.2.7";

/// A whole streamer, and all who are connected to it.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) now: MonoTime,
    pub(crate) server: Server,
    /// What has left, and when.
    pub(crate) sent: Vec<(MonoTime, Transmit)>,
    /// What the congestion window of each connection was told.
    pub(crate) granted: BTreeMap<ConnectionId, Bitrate>,
    answers: BTreeMap<ConnectionId, MessageBuffer>,
    closed: BTreeSet<ConnectionId>,
    connections: u64,
    requests: u64,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with_limits(max_bitrate: Option<Bitrate>, max_sessions: Option<usize>) -> Self {
        Self::with(ServerConfig { max_bitrate, max_sessions, ..config() })
    }

    /// With room for so many connections.
    pub(crate) fn with_places(max_connections: usize) -> Self {
        Self::with(ServerConfig { max_connections, ..config() })
    }

    /// For these names with these passwords, and for nobody else.
    pub(crate) fn for_users(users: &[(&str, &str)]) -> Self {
        let users = users.iter().map(|(name, password)| (name.to_string(), password.to_string()));
        let users: Users = users.collect();
        Self::with(ServerConfig { users: Some(Arc::new(users)), ..config() })
    }

    fn with(config: ServerConfig) -> Self {
        Self {
            now: MonoTime::from_millis(1_000),
            server: Server::new(config, [7; 32]),
            sent: Vec::new(),
            granted: BTreeMap::new(),
            answers: BTreeMap::new(),
            closed: BTreeSet::new(),
            connections: 0,
            requests: 0,
        }
    }

    /// A TCP connection from [`HERE`].
    pub(crate) fn tcp(&mut self) -> ConnectionId {
        self.tcp_from(HERE)
    }

    pub(crate) fn tcp_from(&mut self, address: &str) -> ConnectionId {
        self.connect(Carrier::Tcp(address.parse().unwrap()))
    }

    pub(crate) fn quic(&mut self) -> ConnectionId {
        self.connect(Carrier::Quic)
    }

    fn connect(&mut self, carrier: Carrier) -> ConnectionId {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        self.answers.insert(connection, MessageBuffer::new());
        self.server.handle(self.now, Input::Connected { connection, carrier });
        self.pump();
        connection
    }

    pub(crate) fn disconnect(&mut self, connection: ConnectionId) {
        self.server.handle(self.now, Input::Disconnected { connection });
        self.pump();
    }

    /// Bytes arrive on a connection.
    pub(crate) fn send(&mut self, connection: ConnectionId, data: &[u8]) {
        self.server.handle(self.now, Input::Control { connection, data });
        self.pump();
    }

    /// An RTCP packet arrives.
    pub(crate) fn report(&mut self, source: Source, data: &[u8]) {
        self.server.handle(self.now, Input::Feedback { source, data });
        self.pump();
    }

    /// A request for `path`, and its answer.
    #[track_caller]
    pub(crate) fn ask(
        &mut self,
        connection: ConnectionId,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response<Vec<u8>> {
        let (cseq, request) = self.request(method, path, headers);
        self.send(connection, request.as_bytes());
        let mut answers = self.answers(connection);
        assert_eq!(answers.len(), 1, "answers to {method} {path}: {answers:?}");
        let answer = answers.remove(0);
        assert_eq!(header(&answer, "CSeq"), cseq.to_string());
        answer
    }

    /// A request with the next CSeq.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u64, String) {
        self.requests += 1;
        let cseq = self.requests;
        let mut request = format!("{method} rtsp://host{path} RTSP/1.0\r\nCSeq: {cseq}\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        (cseq, request + "\r\n")
    }

    /// The answers that have come since they were last asked for.
    pub(crate) fn answers(&mut self, connection: ConnectionId) -> Vec<Response<Vec<u8>>> {
        let buffer = self.answers.get_mut(&connection).unwrap();
        let mut answers = Vec::new();
        while let Some(incoming) = buffer.next().expect("the server speaks RTSP") {
            let Incoming::Response(response) = incoming else { panic!("{incoming:?}") };
            answers.push(response);
        }
        answers
    }

    pub(crate) fn is_closed(&self, connection: ConnectionId) -> bool {
        self.closed.contains(&connection)
    }

    /// Time passes; what leaves meanwhile is remembered.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.pump().filter(|at| *at <= end) {
            self.now = at.max(self.now + Duration::from_nanos(1));
        }
        self.now = end;
        self.pump();
    }

    /// Data units that left to this UDP port, or on any flow of QUIC for port 0.
    pub(crate) fn units_to(&self, port: u16) -> Vec<&(MonoTime, Transmit)> {
        let to_port = |transmit: &Transmit| match transmit.destination {
            Destination::Udp(address) => address.port() == port,
            Destination::Datagram(..) | Destination::Stream(..) => port == 0,
            Destination::Interleaved(..) => false,
        };
        let unit =
            |(_, sent): &&(MonoTime, Transmit)| sent.channel == Channel::Rtp && to_port(sent);
        self.sent.iter().filter(unit).collect()
    }

    /// Does what the server says until it waits; for how long.
    fn pump(&mut self) -> Option<MonoTime> {
        loop {
            match self.server.poll(self.now) {
                Output::Wait(deadline) => return deadline,
                Output::Control { connection, data } => {
                    assert!(!self.closed.contains(&connection), "nothing is said after Close");
                    self.answers.get_mut(&connection).unwrap().push(&data);
                }
                Output::Transmit(transmit) => self.sent.push((self.now, transmit)),
                Output::Encode(job) => job.run(),
                Output::Granted { connection, rate } => {
                    self.granted.insert(connection, rate);
                }
                Output::Close { connection } | Output::Cut { connection } => {
                    self.closed.insert(connection);
                }
                Output::Fetch { connection, fetch } => {
                    let fetched = fetched(&fetch);
                    self.server.handle(self.now, Input::Fetched { connection, fetched });
                }
            }
        }
    }
}

/// Without limits, for everybody.
fn config() -> ServerConfig {
    ServerConfig {
        max_bitrate: None,
        max_sessions: None,
        max_connections: MAX_CONNECTIONS,
        users: None,
        media_ports: (6_000, 6_001),
        ntp_at_zero: NtpTime::from_unix(Duration::from_secs(1_700_000_000)),
        cname: "house@test.invalid".to_owned(),
    }
}

/// What is in `media-samples`, each programme loaded and encoded once for all tests.
pub(crate) fn fetched(fetch: &Fetch) -> Fetched {
    static LOADED: LazyLock<Mutex<BTreeMap<ProgrammeKey, Arc<Programme>>>> =
        LazyLock::new(Mutex::default);
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples");
        Catalogue::open(&samples).expect("the samples are there")
    });
    let key = match fetch {
        Fetch::Listing => return Fetched::Listing(CATALOGUE.list().unwrap()),
        Fetch::Programme(key) => key,
    };
    let mut loaded = LOADED.lock().unwrap();
    if let Some(programme) = loaded.get(key) {
        return Fetched::Programme(programme.clone());
    }
    match Programme::load(&CATALOGUE, key) {
        Ok(programme) => {
            programme.wait();
            let programme = Arc::new(programme);
            loaded.insert(key.clone(), programme.clone());
            Fetched::Programme(programme)
        }
        Err(error) => Fetched::Failed(error),
    }
}

pub(crate) fn status(response: &Response<Vec<u8>>) -> u16 {
    response.status().into()
}

/// The value of a header; empty where there is none.
pub(crate) fn header(response: &Response<Vec<u8>>, name: &str) -> String {
    let name = HeaderName::try_from(name).unwrap();
    response.header(&name).map_or_else(String::new, |value| value.as_str().to_owned())
}

/// The name of the session in an answer.
pub(crate) fn session(response: &Response<Vec<u8>>) -> String {
    header(response, "Session").split(';').next().unwrap().to_owned()
}

pub(crate) fn description(response: &Response<Vec<u8>>) -> Description {
    Description::parse(response.body()).unwrap()
}

/// The Transport header of a UDP flow to `port` and the next.
pub(crate) fn udp(port: u16) -> String {
    format!("RTP/AVP;unicast;client_port={port}-{}", port + 1)
}

/// The Transport header of a QUIC flow.
pub(crate) fn flow(number: u64) -> String {
    format!("RTP/AVPF/QUIC;unicast;flow={number}")
}
