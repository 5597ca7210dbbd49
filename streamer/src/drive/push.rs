//! The loop of a push: its clock, its sockets, its thread.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

use tokio::sync::oneshot;
use tracing::debug;

use super::clock::Clock;
use super::feedback::FeedbackListener;
use super::priority::raise_priority;
use super::{INBOX, Inbox, MediaSockets, Message, StartError, cname, media, secret};
use crate::programme::Programme;
use crate::push::roc::RocWay;
use crate::push::{Ending, Push, PushError, Sender, Target, Way};
use crate::wire::{Destination, Source};

/// From where, and how far, a push is sent.
#[derive(Copy, Clone, Debug)]
pub struct Reach {
    /// The address of this machine to send from; the system's choice where there is none.
    pub interface: Option<IpAddr>,
    /// How many networks a packet to a group may cross.
    pub ttl: u8,
}

/// Why a push cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum PushStartError {
    /// No address for the host.
    #[error("{host} is not known: {reason}")]
    Host {
        /// The host.
        host: String,
        /// What the system says.
        reason: io::Error,
    },
    /// The interface has no address of the family of the target.
    #[error("{target} cannot be reached from {interface}: one is of IPv4, the other of IPv6")]
    Family {
        /// Where to.
        target: SocketAddr,
        /// Where from.
        interface: IpAddr,
    },
    /// There is no way to the target.
    #[error("cannot send to {target}: {reason}")]
    Unreachable {
        /// Where to.
        target: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
    /// The target has no room for it.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The machine refuses what is needed.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Where the parts of a push are wanted.
#[derive(Copy, Clone, Debug)]
pub struct Targets<'a> {
    /// The media.
    pub media: &'a Target,
    /// Its repair, where Roc listens.
    pub repair: Option<&'a Target>,
    /// Reports, where Roc listens.
    pub control: Option<&'a Target>,
}

/// The way to `targets`. Nothing is sent yet, but a name may be looked up.
///
/// # Errors
///
/// If a host is not known or cannot be reached.
pub fn find(targets: Targets<'_>, reach: Reach) -> Result<Way, PushStartError> {
    let (target, local) = reached(targets.media, reach.interface)?;
    let beside = |other: &Target| reached(other, reach.interface).map(|(address, _)| address);
    let control = targets.control.map(beside).transpose()?;
    let repair = targets.repair.map(beside).transpose()?;
    let roc = repair.map(|repair| RocWay { repair, control });
    Ok(Way { target, local, ttl: reach.ttl, roc })
}

/// The address of `target`, and the one that packets to it leave from.
fn reached(
    target: &Target,
    interface: Option<IpAddr>,
) -> Result<(SocketAddr, IpAddr), PushStartError> {
    let unknown = |reason| PushStartError::Host { host: target.host().to_owned(), reason };
    let mut found = (target.host(), target.port()).to_socket_addrs().map_err(unknown)?;
    let target = found.next().ok_or_else(|| unknown(io::ErrorKind::NotFound.into()))?;
    let local = match interface {
        Some(interface) if interface.is_ipv4() != target.is_ipv4() => {
            return Err(PushStartError::Family { target, interface });
        }
        Some(interface) => interface,
        None => any(target),
    };
    let local =
        source(local, target).map_err(|reason| PushStartError::Unreachable { target, reason })?;
    Ok((target, local))
}

fn any(of: SocketAddr) -> IpAddr {
    match of {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The address that packets to `target` leave from. UDP connects without a packet.
fn source(local: IpAddr, target: SocketAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((local, 0))?;
    if target.ip().is_multicast() {
        media::leave_by(&socket, local)?;
    }
    socket.connect(target)?;
    Ok(socket.local_addr()?.ip())
}

/// A push that is ready to begin: its ports are open, and it can be described.
#[derive(Debug)]
pub struct ReadyPush {
    clock: Clock,
    push: Push,
    sockets: MediaSockets,
    hearing: Vec<UdpSocket>,
}

impl ReadyPush {
    /// Makes `programme` ready to be sent along `way`.
    ///
    /// # Errors
    ///
    /// If the machine refuses what is needed, or the target has not enough ports.
    pub fn new(programme: &Programme, way: Way) -> Result<Self, PushStartError> {
        let clock = Clock::start();
        let who = Sender { cname: cname(), ntp_at_zero: clock.ntp_at_zero, seed: secret()? };
        let push = Push::new(programme, way, who)?;
        let sockets = match way.roc {
            Some(_) => MediaSockets::single(way.local)?,
            None => MediaSockets::bind(way.local)?,
        };
        let mut hearing = sockets.incoming().map_err(StartError::Thread)?;
        if way.target.ip().is_multicast() {
            let unreachable = |reason| PushStartError::Unreachable { target: way.target, reason };
            sockets.reach_groups(way.local, way.ttl).map_err(unreachable)?;
            hearing.extend(push.report_addresses().filter_map(|group| {
                let joined = media::join(group, way.local);
                joined.inspect_err(|error| debug!(%group, %error, "reports are not heard")).ok()
            }));
        }
        Ok(Self { clock, push, sockets, hearing })
    }

    /// The same, announced to who looks for sessions (SAP, RFC 2974).
    ///
    /// # Errors
    ///
    /// If it does not go to a group, or if Roc listens.
    pub fn announced(self) -> Result<Self, PushStartError> {
        Ok(Self { push: self.push.announced()?, ..self })
    }

    /// What a receiver needs to know (SDP, RFC 8866); of Roc's endpoints there is no description.
    pub fn sdp(&self) -> Option<String> {
        self.push.sdp()
    }

    /// Begins to send.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn start(self) -> Result<Pusher, PushStartError> {
        let (sender, receiver) = sync_channel(INBOX);
        let inbox = Inbox(sender);
        let feedback = FeedbackListener::start(self.hearing, inbox.clone());
        let feedback = feedback.map_err(StartError::Thread)?;
        let (end, ended) = oneshot::channel();
        let (clock, push, sockets) = (self.clock, self.push, self.sockets);
        std::thread::Builder::new()
            .name("cantus-pacer".to_owned())
            .spawn(move || {
                // Who does not wait for the end any more does not want to know.
                let _ = end.send(PushLoop { clock, push, sockets }.run(&receiver));
            })
            .map_err(StartError::Thread)?;
        Ok(Pusher { inbox, ended, _feedback: feedback })
    }
}

/// A push that runs. It says goodbye when this is dropped, if there is time for that.
#[derive(Debug)]
pub struct Pusher {
    inbox: Inbox,
    ended: oneshot::Receiver<Ending>,
    _feedback: FeedbackListener,
}

impl Pusher {
    /// Waits for the end.
    pub async fn ended(&mut self) -> Ending {
        // A pacing thread that has panicked is a bug of ours, which it has told.
        (&mut self.ended).await.unwrap_or(Ending::Stopped)
    }

    /// Ends it now, with a goodbye.
    pub async fn stop(mut self) {
        if self.inbox.deliver(Message::Stop).await {
            self.ended().await;
        }
    }
}

struct PushLoop {
    clock: Clock,
    push: Push,
    sockets: MediaSockets,
}

impl PushLoop {
    fn run(mut self, inbox: &Receiver<Message>) -> Ending {
        raise_priority();
        self.push.begin(self.clock.now());
        loop {
            self.send();
            if let Some(ending) = self.push.ending() {
                return ending;
            }
            let now = self.clock.now();
            // A push that has not ended has something to send.
            let deadline = self.push.next_deadline(now).unwrap_or(now);
            match inbox.recv_timeout((deadline - now).max_zero()) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.push.stop(now),
            }
        }
    }

    fn send(&mut self) {
        while let Some(transmit) = self.push.pop(self.clock.now()) {
            if let Destination::Udp(to) = transmit.destination {
                self.sockets.send(to, transmit.channel, transmit.class, &transmit.data);
            }
        }
    }

    fn take(&mut self, message: Message) {
        let now = self.clock.now();
        match message {
            Message::Stop => self.push.stop(now),
            Message::Feedback { source: Source::Udp(from), data } => {
                self.push.heard(now, from, &data);
            }
            // Nobody tells a push anything else.
            _ => {}
        }
    }
}
