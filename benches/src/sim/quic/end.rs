//! One end of a QUIC connection in virtual time.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint, Event, StreamEvent,
    StreamId, Transmit,
};

use super::settings::{QuicError, endpoint_config};

/// Packets that quinn makes at once for one send; each of them is on its own on the wire.
const SEGMENTS: usize = 10;

/// Bytes read from a stream at once.
const CHUNK: usize = 4_096;

const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 4433);
const CLIENT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 50_000);

/// What the connection has done.
#[derive(Clone, Debug)]
pub(in crate::sim) enum News {
    Connected,
    Datagram(Bytes),
    Stream(StreamId, Bytes),
    Lost,
}

/// Client or server: an endpoint and its one connection.
pub(in crate::sim) struct End {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    peer: SocketAddr,
    scratch: Vec<u8>,
    outgoing: Vec<Bytes>,
    /// Streams to read from.
    open: Vec<StreamId>,
    /// What the streams have not taken yet.
    unsent: BTreeMap<StreamId, BytesMut>,
    timeout: Option<Instant>,
}

impl End {
    pub(in crate::sim) fn client(seed: u64) -> Self {
        Self::new(Endpoint::new(endpoint_config(seed, 1), None, true, None), SERVER)
    }

    pub(in crate::sim) fn server(seed: u64, config: Arc<quinn_proto::ServerConfig>) -> Self {
        Self::new(Endpoint::new(endpoint_config(seed, 2), Some(config), true, None), CLIENT)
    }

    fn new(endpoint: Endpoint, peer: SocketAddr) -> Self {
        Self {
            endpoint,
            connection: None,
            peer,
            scratch: Vec::new(),
            outgoing: Vec::new(),
            open: Vec::new(),
            unsent: BTreeMap::new(),
            timeout: None,
        }
    }

    pub(in crate::sim) fn connect(
        &mut self,
        now: Instant,
        config: ClientConfig,
    ) -> Result<(), QuicError> {
        self.connection =
            Some(self.endpoint.connect(now, config, self.peer, "streamer.invalid")?);
        Ok(())
    }

    /// A UDP packet has come.
    pub(in crate::sim) fn receive(&mut self, now: Instant, data: &[u8]) {
        let data = BytesMut::from(data);
        let event = self.endpoint.handle(now, self.peer, None, None, data, &mut self.scratch);
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some((_, connection)) = self.named(handle) {
                    connection.handle_event(event);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => {
                match self.endpoint.accept(incoming, now, &mut self.scratch, None) {
                    Ok(accepted) => self.connection = Some(accepted),
                    Err(refused) => {
                        if let Some(transmit) = refused.response {
                            self.queue(&transmit);
                        }
                    }
                }
            }
            Some(DatagramEvent::Response(transmit)) => self.queue(&transmit),
            None => {}
        }
        self.scratch.clear();
    }

    fn named(&mut self, handle: ConnectionHandle) -> Option<&mut (ConnectionHandle, Connection)> {
        self.connection.as_mut().filter(|(own, _)| *own == handle)
    }

    /// Queues what a transmit has written: as one packet or, cut into segments, as several.
    fn queue(&mut self, transmit: &Transmit) {
        let written = &self.scratch[..transmit.size];
        let segment = transmit.segment_size.unwrap_or(transmit.size).max(1);
        self.outgoing.extend(written.chunks(segment).map(Bytes::copy_from_slice));
    }

    /// Lets timers fire and packets be made up to `now`; they are in [`pop`](Self::pop) then.
    pub(in crate::sim) fn advance(&mut self, now: Instant) {
        self.write_streams();
        let Some((handle, mut connection)) = self.connection.take() else { return };
        loop {
            let due = connection.poll_timeout().is_some_and(|at| at <= now);
            if due {
                connection.handle_timeout(now);
            }
            let mut moved = due;
            while let Some(event) = connection.poll_endpoint_events() {
                moved = true;
                if let Some(event) = self.endpoint.handle_event(handle, event) {
                    connection.handle_event(event);
                }
            }
            while let Some(transmit) = connection.poll_transmit(now, SEGMENTS, &mut self.scratch) {
                moved = true;
                self.queue(&transmit);
                self.scratch.clear();
            }
            if !moved {
                break;
            }
        }
        self.timeout = connection.poll_timeout();
        self.connection = Some((handle, connection));
    }

    /// The next packet to be sent.
    pub(in crate::sim) fn drain(&mut self) -> std::vec::Drain<'_, Bytes> {
        self.outgoing.drain(..)
    }

    /// When [`advance`](Self::advance) has something to do.
    pub(in crate::sim) fn timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Everything that the connection has to tell.
    pub(in crate::sim) fn news(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        let Some((_, connection)) = &mut self.connection else { return news };
        while let Some(event) = connection.poll() {
            match event {
                Event::Connected => news.push(News::Connected),
                Event::ConnectionLost { .. } => news.push(News::Lost),
                Event::Stream(StreamEvent::Opened { dir }) => {
                    while let Some(id) = connection.streams().accept(dir) {
                        self.open.push(id);
                    }
                }
                _ => {}
            }
        }
        while let Some(data) = connection.datagrams().recv() {
            news.push(News::Datagram(data));
        }
        let read = |id: &StreamId| !read_all(connection, *id, &mut news);
        self.open.retain(read);
        news
    }

    /// Opens a stream; `None` where the peer allows no more.
    pub(in crate::sim) fn open(&mut self, dir: Dir) -> Option<StreamId> {
        let (_, connection) = self.connection.as_mut()?;
        let id = connection.streams().open(dir)?;
        if dir == Dir::Bi {
            self.open.push(id);
        }
        Some(id)
    }

    /// Writes to a stream; what does not fit waits.
    pub(in crate::sim) fn write(&mut self, id: StreamId, data: &[u8]) {
        self.unsent.entry(id).or_default().extend_from_slice(data);
        self.write_streams();
    }

    /// The same of what is missing for so much to wait.
    pub(in crate::sim) fn write_up_to(&mut self, id: StreamId, data: &[u8]) {
        self.write_streams();
        let waiting = self.unsent.get(&id).map_or(0, BytesMut::len);
        self.write(id, &data[waiting.min(data.len())..]);
    }

    fn write_streams(&mut self) {
        let Some((_, connection)) = &mut self.connection else { return };
        for (id, unsent) in &mut self.unsent {
            while !unsent.is_empty() {
                match connection.send_stream(*id).write(unsent) {
                    Ok(written) => unsent.advance(written),
                    // It goes on when the peer has made room.
                    Err(_) => break,
                }
            }
        }
    }

    /// Sends a datagram; what the connection has no room for is dropped, the oldest first.
    pub(in crate::sim) fn datagram(&mut self, data: Bytes) {
        let Some((_, connection)) = &mut self.connection else { return };
        // Too large for the path, or the connection is gone: lost, as on the way.
        let _ = connection.datagrams().send(data, true);
    }
}

/// Reads what has come; whether the stream is over.
fn read_all(connection: &mut Connection, id: StreamId, news: &mut Vec<News>) -> bool {
    let mut stream = connection.recv_stream(id);
    let Ok(mut chunks) = stream.read(true) else { return true };
    let over = loop {
        match chunks.next(CHUNK) {
            Ok(Some(chunk)) => news.push(News::Stream(id, chunk.bytes)),
            Ok(None) => break true,
            Err(quinn_proto::ReadError::Blocked) => break false,
            Err(quinn_proto::ReadError::Reset(_)) => break true,
        }
    };
    // Whether it must send (flow control) is asked of the connection anyway.
    let _ = chunks.finalize();
    over
}
