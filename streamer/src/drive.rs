//! The only loop of the streamer that owns the clock and sends: a thread of its own, for timers
//! that wake within a tenth of a millisecond where an asynchronous runtime takes one or more.
//!
//! Everything that arrives (control bytes, reports, files that were fetched) comes to it as a
//! message; everything that leaves goes out from it, non-blocking.

mod clock;
mod control;
mod feedback;
mod media;
mod priority;
pub mod push;
mod quic;
mod tcp;

pub use media::MediaSockets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::quantity::Bitrate;
use cantus_qos::time::MonoTime;
use tracing::{debug, warn};

use crate::catalogue::Catalogue;
use crate::encoding::EncodingJob;
use crate::programme::{Programme, ProgrammeError};
use crate::quic::Identity;
use crate::server::{Server, ServerConfig};
use crate::users::Users;
use crate::wire::{Carrier, ConnectionId, Destination, Fetch, Fetched, Input, Output, Source};
use clock::Clock;
use control::{ConnectionIds, Outlet, Parting};
use feedback::FeedbackListener;
use priority::raise_priority;

/// What the tasks around the loop may queue for it. A flood is dropped at the door.
const INBOX: usize = 8_192;

/// Messages that are taken between two looks at the timers: a flood must not stop the media.
const MESSAGES_AT_ONCE: usize = 64;

/// How long those who are connected get to hear of the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the loop is told.
#[derive(Debug)]
pub(crate) enum Message {
    Connected { connection: ConnectionId, carrier: Carrier, outlet: Outlet },
    Crowded,
    Control { connection: ConnectionId, data: Bytes },
    Fetched { connection: ConnectionId, fetched: Fetched },
    Feedback { source: Source, data: Bytes },
    Disconnected { connection: ConnectionId },
    Stop,
}

/// How others tell it.
#[derive(Clone, Debug)]
pub(crate) struct Inbox(SyncSender<Message>);

impl Inbox {
    /// Reports may be lost; nobody waits for them.
    fn offer(&self, message: Message) {
        if let Err(TrySendError::Full(_)) = self.0.try_send(message) {
            debug!("the streamer is busy: a report was dropped");
        }
    }

    /// Control is not lost: who brings it waits. `false` when the loop has ended.
    async fn deliver(&self, message: Message) -> bool {
        let mut message = message;
        loop {
            match self.0.try_send(message) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) => {
                    message = back;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
}

/// Where a streamer listens, and what it may send.
#[derive(Debug)]
pub struct Settings {
    /// The address of QUIC; `[::]` is all addresses, IPv4 too, also where there is no IPv6.
    pub quic: Option<SocketAddr>,
    /// The address of RTSP; its media leaves from the same address.
    pub rtsp: Option<SocketAddr>,
    /// Certificate and key for QUIC.
    pub identity: Identity,
    /// What all sessions together may send.
    pub max_bitrate: Option<Bitrate>,
    /// How many sessions there may be.
    pub max_sessions: Option<usize>,
    /// How many control connections there may be: one too many takes the place of one without a
    /// session.
    pub max_connections: usize,
    /// Who may listen; `None` is everybody.
    pub users: Option<Arc<Users>>,
}

/// Why a streamer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({protocol}): {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What for.
        protocol: &'static str,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The certificate is not usable.
    #[error(transparent)]
    Identity(#[from] crate::quic::IdentityError),
    /// The system gives no thread.
    #[error("cannot start the pacing thread: {0}")]
    Thread(std::io::Error),
    /// The system gives no randomness.
    #[error("the system has no randomness: {0}")]
    Random(String),
}

/// A streamer that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Streamer {
    /// Where QUIC is listened on.
    pub quic: Option<SocketAddr>,
    /// Where RTSP is listened on.
    pub rtsp: Option<SocketAddr>,
    inbox: Inbox,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    feedback: Option<FeedbackListener>,
    endpoint: Option<quinn::Endpoint>,
    pacer: Option<std::thread::JoinHandle<()>>,
}

impl Streamer {
    /// Starts to serve `catalogue`. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If an address cannot be listened on, or the machine refuses what is needed.
    pub async fn start(catalogue: Catalogue, settings: Settings) -> Result<Self, StartError> {
        let (sender, receiver) = sync_channel(INBOX);
        let inbox = Inbox(sender);
        let mut tasks = Vec::new();
        let connections = ConnectionIds::default();
        let (endpoint, quic_address) = match settings.quic {
            Some(address) => {
                let identity = Arc::new(settings.identity);
                let endpoint = quic::listen(address, &identity)?;
                let bound = endpoint.local_addr().ok();
                let serve =
                    quic::serve(endpoint.clone(), identity, inbox.clone(), connections.clone());
                tasks.push(tokio::spawn(serve));
                (Some(endpoint), bound)
            }
            None => (None, None),
        };
        let mut media = MediaSockets::none();
        let mut feedback = None;
        let mut rtsp_address = None;
        if let Some(address) = settings.rtsp {
            let listener = tcp::listen(address).await?;
            rtsp_address = listener.local_addr().ok();
            media = MediaSockets::bind(address.ip())?;
            let listening = media.incoming();
            let listening = listening.and_then(|it| FeedbackListener::start(it, inbox.clone()));
            feedback = Some(listening.map_err(StartError::Thread)?);
            tasks.push(tokio::spawn(tcp::serve(listener, inbox.clone(), connections)));
        }
        let clock = Clock::start();
        let config = ServerConfig {
            max_bitrate: settings.max_bitrate,
            max_sessions: settings.max_sessions,
            max_connections: settings.max_connections,
            users: settings.users,
            media_ports: media.ports(),
            ntp_at_zero: clock.ntp_at_zero,
            cname: cname(),
        };
        let server = Server::new(config, secret()?);
        let fetcher = Fetcher {
            catalogue: Arc::new(catalogue),
            inbox: inbox.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let pacer = std::thread::Builder::new()
            .name("cantus-pacer".to_owned())
            .spawn(move || {
                Pacer { clock, server, media, fetcher, outlets: BTreeMap::new() }.run(&receiver)
            })
            .map_err(StartError::Thread)?;
        Ok(Self {
            quic: quic_address,
            rtsp: rtsp_address,
            inbox,
            tasks,
            feedback,
            endpoint,
            pacer: Some(pacer),
        })
    }

    /// Ends everything, and lets those who are connected over QUIC know.
    pub async fn shut_down(mut self) {
        let endpoint = self.endpoint.clone();
        self.stop();
        if let Some(endpoint) = endpoint {
            // Who does not answer will find out by itself.
            let _ = tokio::time::timeout(FAREWELL, endpoint.wait_idle()).await;
        }
    }

    /// Ends everything: listeners, connections, sessions.
    fn stop(&mut self) {
        self.tasks.drain(..).for_each(|task| task.abort());
        self.feedback = None;
        if let Some(endpoint) = self.endpoint.take() {
            endpoint.close(quinn::VarInt::from_u32(0), b"the streamer ends");
        }
        if let Some(pacer) = self.pacer.take() {
            // The loop empties its inbox all the time: there is room soon, or it has ended.
            let _ = self.inbox.0.send(Message::Stop);
            if pacer.join().is_err() {
                warn!("the pacing thread has panicked: this is a bug of ours");
            }
        }
    }
}

impl Drop for Streamer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Fetches from the disk, off the pacing thread.
#[derive(Debug)]
struct Fetcher {
    catalogue: Arc<Catalogue>,
    inbox: Inbox,
    runtime: tokio::runtime::Handle,
}

impl Fetcher {
    fn encode(&self, job: EncodingJob) {
        self.runtime.spawn_blocking(move || job.run());
    }

    fn fetch(&self, connection: ConnectionId, fetch: Fetch) {
        let catalogue = self.catalogue.clone();
        let inbox = self.inbox.clone();
        self.runtime.spawn(async move {
            let work = tokio::task::spawn_blocking(move || match fetch {
                Fetch::Listing => match catalogue.list() {
                    Ok(listing) => Fetched::Listing(listing),
                    Err(error) => Fetched::Failed(error.into()),
                },
                Fetch::Programme(key) => match Programme::load(&catalogue, &key) {
                    Ok(programme) => Fetched::Programme(Arc::new(programme)),
                    Err(error) => Fetched::Failed(error),
                },
            });
            let fetched = work.await.unwrap_or_else(|error| {
                warn!(%error, "a presentation could not be fetched: this is a bug of ours");
                Fetched::Failed(ProgrammeError::Interrupted)
            });
            inbox.deliver(Message::Fetched { connection, fetched }).await;
        });
    }
}

/// The loop.
struct Pacer {
    clock: Clock,
    server: Server,
    media: MediaSockets,
    fetcher: Fetcher,
    outlets: BTreeMap<ConnectionId, Outlet>,
}

impl Pacer {
    fn run(mut self, inbox: &Receiver<Message>) {
        raise_priority();
        loop {
            let deadline = self.poll();
            let message = match deadline {
                Some(at) => match inbox.recv_timeout((at - self.clock.now()).max_zero()) {
                    Ok(message) => message,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                },
                None => match inbox.recv() {
                    Ok(message) => message,
                    Err(_) => return,
                },
            };
            if !self.take(message) {
                return;
            }
            for message in inbox.try_iter().take(MESSAGES_AT_ONCE) {
                if !self.take(message) {
                    return;
                }
            }
        }
    }

    /// `false` when it is over.
    fn take(&mut self, message: Message) -> bool {
        let now = self.clock.now();
        match message {
            Message::Stop => return false,
            Message::Connected { connection, carrier, outlet } => {
                self.outlets.insert(connection, outlet);
                self.server.handle(now, Input::Connected { connection, carrier });
            }
            Message::Crowded => self.server.handle(now, Input::Crowded),
            Message::Control { connection, data } => {
                self.server.handle(now, Input::Control { connection, data: &data });
            }
            Message::Fetched { connection, fetched } => {
                self.server.handle(now, Input::Fetched { connection, fetched });
            }
            Message::Feedback { source, data } => {
                self.server.handle(now, Input::Feedback { source, data: &data });
            }
            Message::Disconnected { connection } => {
                // It may have asked for something just before, and still be listening.
                self.poll();
                self.outlets.remove(&connection);
                self.server.handle(now, Input::Disconnected { connection });
            }
        }
        true
    }

    /// Does everything that is due; the instant of the next.
    fn poll(&mut self) -> Option<MonoTime> {
        loop {
            match self.server.poll(self.clock.now()) {
                Output::Wait(deadline) => return deadline,
                Output::Fetch { connection, fetch } => self.fetcher.fetch(connection, fetch),
                Output::Encode(job) => self.fetcher.encode(job),
                Output::Control { connection, data } => {
                    if let Some(outlet) = self.outlets.get_mut(&connection) {
                        outlet.control(data);
                    }
                }
                Output::Close { connection } => {
                    if let Some(outlet) = self.outlets.remove(&connection) {
                        outlet.close();
                    }
                }
                Output::Cut { connection } => {
                    if let Some(mut outlet) = self.outlets.remove(&connection) {
                        outlet.part(Parting::Rude);
                    }
                }
                Output::Granted { connection, rate } => {
                    if let Some(outlet) = self.outlets.get(&connection) {
                        outlet.granted(rate);
                    }
                }
                Output::Transmit(transmit) => match transmit.destination {
                    Destination::Udp(to) => {
                        self.media.send(to, transmit.channel, transmit.class, &transmit.data);
                    }
                    Destination::Interleaved(connection, channel) => {
                        if let Some(outlet) = self.outlets.get_mut(&connection) {
                            outlet.interleaved(channel, transmit.class, &transmit.data);
                        }
                    }
                    Destination::Datagram(connection, flow) => {
                        if let Some(outlet) = self.outlets.get_mut(&connection) {
                            outlet.datagram(flow, &transmit.data);
                            if let Some(path) = outlet.take_path() {
                                let path = Input::Path { connection, path };
                                self.server.handle(self.clock.now(), path);
                            }
                        }
                    }
                    Destination::Stream(connection, flow) => {
                        if let Some(outlet) = self.outlets.get_mut(&connection) {
                            outlet.stream(flow, transmit.data);
                        }
                    }
                },
            }
        }
    }
}

/// Ties the tracks of a presentation together, and says nothing about the machine.
fn cname() -> String {
    format!("cantus-{:08x}@streamer.invalid", std::process::id())
}

fn secret() -> Result<[u8; 32], StartError> {
    use rustls::crypto::SecureRandom;
    let random: &dyn SecureRandom = rustls::crypto::ring::default_provider().secure_random;
    let mut seed = [0; 32];
    random.fill(&mut seed).map_err(|_| StartError::Random("none at all".to_owned()))?;
    Ok(seed)
}
