//! One client of the RTSP relay.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;
use rtsp_types::{Message, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::framing::{Framed, Framing};
use super::media::{Media, Opened};
use super::setup::{Ask, Dialogue, Settled, client_ports};
use super::ways::Sides;
use crate::duplex::{Duplex, SharedLog};
use crate::relay::toll::SharedToll;
use crate::vigil::Clock;

/// Bytes on the delayed way to one side beyond which no more are read from the other.
const MAX_DELAYED: usize = 4 << 20;

/// A client, its server, and what they say to each other. Their media have a courier.
pub(super) struct Connection {
    clock: Clock,
    client: Side,
    server: Side,
    dialogue: Dialogue,
    sides: Sides,
    media: Media,
}

impl Connection {
    /// Between `client` and `server`, who are both connected: what is said takes the first of the
    /// delays to the client, and the second to the server.
    pub(super) fn new(
        clock: Clock,
        client: TcpStream,
        server: TcpStream,
        (there, back): (Duration, Duration),
        duplex: Duplex,
        log: SharedLog,
        toll: SharedToll,
    ) -> io::Result<Self> {
        let sides = Sides {
            client: client.peer_addr()?.ip(),
            facing_client: client.local_addr()?.ip(),
            facing_server: server.local_addr()?.ip(),
            server: server.peer_addr()?.ip(),
        };
        Ok(Self {
            clock,
            client: Side::new(client, there)?,
            server: Side::new(server, back)?,
            dialogue: Dialogue::default(),
            sides,
            media: Media::start(clock, sides, duplex, log, toll)?,
        })
    }

    /// Passes messages until one side has closed its connection.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let (mut from_client, mut from_server) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        loop {
            let now = self.clock.now();
            self.client.write_due(now).await?;
            self.server.write_due(now).await?;
            if self.client.is_done() || self.server.is_done() {
                return Ok(());
            }
            let (client_reads, server_reads) =
                (self.client.may_read(&self.server), self.server.may_read(&self.client));
            let due = [self.client.due(), self.server.due()].into_iter().flatten().min();
            tokio::select! {
                read = self.client.reader.read(&mut from_client), if client_reads => {
                    self.on_client(&from_client[..read?])?;
                }
                read = self.server.reader.read(&mut from_server), if server_reads => {
                    self.on_server(&from_server[..read?])?;
                }
                () = wait_until(self.clock, due) => {}
            }
        }
    }

    /// The client has sent `data`, or closed if there is none.
    fn on_client(&mut self, data: &[u8]) -> io::Result<()> {
        let now = self.clock.now();
        self.server.end_after_due = data.is_empty();
        self.client.framing.push(data);
        while let Some(Framed { raw, message }) =
            self.client.framing.next().map_err(io::Error::other)?
        {
            let out = match message {
                Message::Request(request) => match client_ports(&request) {
                    Some(ports) => self.on_setup(request, ports)?,
                    None => {
                        self.dialogue.on_request(&request);
                        raw
                    }
                },
                Message::Response(_) | Message::Data(_) => raw,
            };
            self.server.send(now, out);
        }
        Ok(())
    }

    fn on_setup(&mut self, mut request: Request<Vec<u8>>, client: (u16, u16)) -> io::Result<Bytes> {
        let Opened { path, facing_client, facing_server } = self.media.open(client)?;
        let seen_by_client = self.sides.facing_client;
        let ask = Ask { path, client, facing_client, seen_by_client };
        self.dialogue.on_setup(&mut request, ask, facing_server, self.sides.facing_server);
        let mut written = Vec::new();
        request.write(&mut written).map_err(io::Error::other)?;
        Ok(written.into())
    }

    /// The server has sent `data`, or closed if there is none.
    fn on_server(&mut self, data: &[u8]) -> io::Result<()> {
        let now = self.clock.now();
        self.client.end_after_due = data.is_empty();
        self.server.framing.push(data);
        while let Some(Framed { raw, message }) =
            self.server.framing.next().map_err(io::Error::other)?
        {
            let out = match message {
                Message::Response(response) => self.on_response(raw, response)?,
                Message::Request(_) | Message::Data(_) => raw,
            };
            self.client.send(now, out);
        }
        Ok(())
    }

    fn on_response(&mut self, raw: Bytes, mut response: Response<Vec<u8>>) -> io::Result<Bytes> {
        match self.dialogue.on_response(&mut response) {
            Settled::Nothing => return Ok(raw),
            Settled::NoPath { path } => self.media.close(path),
            Settled::Teardown => self.media.close_all(),
            Settled::Path { path, server } => {
                self.media.settle(path, server);
                let mut written = Vec::new();
                response.write(&mut written).map_err(io::Error::other)?;
                return Ok(written.into());
            }
        }
        Ok(raw)
    }
}

/// Waits until `due`, for ever if there is nothing due. What is said may be a millisecond late, as
/// the timers of the runtime are; nobody hears it.
async fn wait_until(clock: Clock, due: Option<MonoTime>) {
    match due.and_then(|due| clock.instant(due)) {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

/// The TCP connection to one side, with what is on its delayed way there.
struct Side {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    framing: Framing,
    delay: Duration,
    delayed: VecDeque<(MonoTime, Bytes)>,
    delayed_bytes: usize,
    /// The other side has closed: once all is written, it is over.
    end_after_due: bool,
}

impl Side {
    fn new(stream: TcpStream, delay: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self {
            reader,
            writer,
            framing: Framing::default(),
            delay,
            delayed: VecDeque::new(),
            delayed_bytes: 0,
            end_after_due: false,
        })
    }

    fn send(&mut self, now: MonoTime, data: Bytes) {
        self.delayed_bytes += data.len();
        self.delayed.push_back((now + self.delay, data));
    }

    fn due(&self) -> Option<MonoTime> {
        self.delayed.front().map(|&(at, _)| at)
    }

    async fn write_due(&mut self, now: MonoTime) -> io::Result<()> {
        while self.due().is_some_and(|at| at <= now) {
            let Some((_, data)) = self.delayed.pop_front() else {
                break;
            };
            self.delayed_bytes -= data.len();
            self.writer.write_all(&data).await?;
        }
        Ok(())
    }

    /// Whether more may be read from this side to be sent to `other`.
    fn may_read(&self, other: &Self) -> bool {
        other.delayed_bytes < MAX_DELAYED && !other.end_after_due
    }

    fn is_done(&self) -> bool {
        self.end_after_due && self.delayed.is_empty()
    }
}
