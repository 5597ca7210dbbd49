//! `cantus-bench netem`: a relay for whoever has something to send through a network.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use cantus_player::drive::Finish;

use super::udp::Pair;
use super::{Relay, RelayError, RelayRecord, rtsp, udp};
use crate::cli::NetemOptions;
use crate::duplex::{DirectionCounts, PacketCounts};
use crate::link::{LinkError, LinkSpec, PathSpec, TraceSource};
use crate::signals::Signals;

#[cfg(test)]
mod tests;

/// Why there is no network. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum NetemError {
    /// An address is missing.
    #[error("each --listen has its --to: there are {listen} and {to}")]
    Unpaired {
        /// How many addresses to listen on.
        listen: usize,
        /// How many to pass on to.
        to: usize,
    },
    /// An address is given twice.
    #[error("--listen {0} is given twice")]
    Twice(SocketAddr),
    /// Packets would go round for ever.
    #[error("--to {to} is the relay's own --listen {listen}: packets would never get out")]
    Circle {
        /// Where it was to listen.
        listen: SocketAddr,
        /// Where it was to pass on to.
        to: SocketAddr,
    },
    /// Nothing can be sent there.
    #[error("--to {0} has no port")]
    NoPort(SocketAddr),
    /// RTSP for several servers.
    #[error("--rtsp takes one --listen and one --to: the media get ports of their own")]
    OneSession,
    /// Nothing is said about the network.
    #[error("say what the network does behind --, such as: -- delay 40ms 15ms loss 1%")]
    NoWords,
    /// A trace in the words, and another.
    #[error("the words have a trace already: leave out --trace")]
    TwoTraces,
    /// The words are none of a link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The relay does not start.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The system tells of no signals.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
    /// The log cannot be written.
    #[error("cannot write {}: {cause}", file.display())]
    Log {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// Passes on what comes until its time is over or somebody ends it; then writes the log and prints
/// what became of the packets.
///
/// # Errors
///
/// [`NetemError`]; nothing has been started then, unless it is the log that cannot be written.
pub async fn netem(options: &NetemOptions) -> Result<Finish, NetemError> {
    let Network { pairs, path } = Network::of(options)?;
    let mut signals = Signals::listen().map_err(NetemError::Signals)?;
    let mut log = options.log.as_ref().map(Log::create).transpose()?;
    let relay = match (options.rtsp, &pairs[..]) {
        (true, &[Pair { listen, to }]) => {
            rtsp::start(listen, to, path.clone(), options.seed).await?
        }
        _ => udp::start_all(&pairs, path.clone(), options.seed)?,
    };
    announce(&relay, &pairs, &path, options);
    let finish = tokio::select! {
        signal = signals.next() => Finish::Interrupted(signal.into()),
        () = over(options) => Finish::Completed,
    };
    let record = relay.stop().await;
    print!("{}", summary(&record));
    if let Some(log) = &mut log {
        log.write(&record)?;
    }
    Ok(finish)
}

/// Waits until the time is over.
async fn over(options: &NetemOptions) {
    match options.length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}

fn announce(relay: &Relay, pairs: &[Pair], path: &PathSpec, options: &NetemOptions) {
    match options.length {
        Some(length) => println!("network '{path}', for {} s", length.as_secs_f64()),
        None => println!("network '{path}', until Ctrl-C"),
    }
    for (address, pair) in relay.addresses().iter().zip(pairs) {
        println!("  {address} -> {}", pair.to);
    }
}

/// What was asked for, all of it checked.
#[derive(Debug, PartialEq)]
struct Network {
    pairs: Vec<Pair>,
    path: PathSpec,
}

impl Network {
    fn of(options: &NetemOptions) -> Result<Self, NetemError> {
        let pairs = pairs(&options.listen, &options.to)?;
        if options.rtsp && pairs.len() > 1 {
            return Err(NetemError::OneSession);
        }
        if options.words.is_empty() && options.trace.is_none() {
            return Err(NetemError::NoWords);
        }
        let mut there: LinkSpec = options.words.join(" ").parse()?;
        if let Some(file) = &options.trace {
            let other = there.trace.replace(TraceSource::File(file.clone()));
            if other.is_some() {
                return Err(NetemError::TwoTraces);
            }
        }
        Ok(Self { pairs, path: PathSpec { back: options.back.clone(), ..there.into() } })
    }
}

fn pairs(listen: &[SocketAddr], to: &[SocketAddr]) -> Result<Vec<Pair>, NetemError> {
    if listen.len() != to.len() {
        return Err(NetemError::Unpaired { listen: listen.len(), to: to.len() });
    }
    for (index, &door) in listen.iter().enumerate() {
        if door.port() != 0 && listen[..index].contains(&door) {
            return Err(NetemError::Twice(door));
        }
        if let Some(&to) = to.iter().find(|&&to| comes_to(door, to)) {
            return Err(NetemError::Circle { listen: door, to });
        }
    }
    if let Some(&to) = to.iter().find(|to| to.port() == 0) {
        return Err(NetemError::NoPort(to));
    }
    let pair = |(&listen, &to)| Pair { listen, to };
    Ok(listen.iter().zip(to).map(pair).collect())
}

/// Whether what is sent to `to` comes to who listens on `door`: who listens on all addresses does
/// so on this machine's own.
fn comes_to(door: SocketAddr, to: SocketAddr) -> bool {
    let (here, there) = (door.ip().to_canonical(), to.ip().to_canonical());
    let own = there.is_loopback() || there.is_unspecified();
    door.port() == to.port() && (here == there || here.is_unspecified() && own)
}

/// The log, made before anything starts so that it is not missed at the end.
struct Log<'a> {
    file: &'a PathBuf,
    open: File,
}

impl<'a> Log<'a> {
    fn create(file: &'a PathBuf) -> Result<Self, NetemError> {
        let failed = |cause| NetemError::Log { file: file.clone(), cause };
        Ok(Self { file, open: File::create(file).map_err(failed)? })
    }

    fn write(&mut self, record: &RelayRecord) -> Result<(), NetemError> {
        let written = self.open.write_all(record.log.to_csv().as_bytes());
        written.map_err(|cause| NetemError::Log { file: self.file.clone(), cause })
    }
}

/// What became of the packets each way, and how late the relay was.
fn summary(record: &RelayRecord) -> String {
    let PacketCounts { to_server, to_client, refused, unsent } = record.log.counts();
    let line = |name: &str, counts: DirectionCounts| {
        let DirectionCounts { entered, delivered, lost, overflowed } = counts;
        format!("{name:<10}{entered:>12}{delivered:>12}{lost:>12}{overflowed:>12}\n")
    };
    let mut text =
        format!("{:<10}{:>12}{:>12}{:>12}{:>12}\n", "", "came", "passed on", "lost", "overflowed");
    text += &line("to server", to_server);
    text += &line("to client", to_client);
    if refused + unsent > 0 {
        text += &format!("turned away {refused}, could not be sent on {unsent}\n");
    }
    let (kept, all) = (record.log.entries().len() as u64, to_server.entered + to_client.entered);
    if kept < all {
        text += &format!("the log has the first {kept} of {all} packets\n");
    }
    text + &format!("{record}\n")
}
