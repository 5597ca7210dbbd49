//! Sending and receiving in real time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cantus_qos::time::MonoTime;
use rustix::net::sockopt;

use super::clock::Clock;
use super::observation::{RECEIVED_COLUMNS, SENT_COLUMNS};
use super::packet::{HEADER, Numbered};
use crate::cli::{CountReceive, CountSend};
use crate::vigil::{self, Vigil};

/// The largest UDP payload.
const MAX_DATAGRAM: usize = 65_535;
/// Bytes of packets that may wait for the receiver: it must not be what loses them.
const RECEIVE_BUFFER: usize = 16 << 20;
/// A sender that is later than this shifts its schedule: it must not send in a burst what a queue
/// then loses.
const LATE: Duration = Duration::from_millis(20);
/// How long the receiver waits for the first packet.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why packets could not be counted. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// A socket is not to be had.
    #[error("no socket on {address}: {cause}")]
    Socket {
        /// Its address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// A packet cannot be sent or received.
    #[error("packet {number}: {cause}")]
    Packet {
        /// The number of the packet.
        number: u32,
        /// What the system says.
        cause: io::Error,
    },
    /// A log cannot be written.
    #[error("cannot write {}: {cause}", file.display())]
    Log {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The system gives no thread or no timer.
    #[error("cannot wait for instants: {0}")]
    Wait(#[source] io::Error),
    /// A packet has no room for its number.
    #[error("a packet has {HEADER} to {MAX_DATAGRAM} bytes, not {0}")]
    Size(usize),
    /// Nothing ever came.
    #[error("nothing came to {address} within {} s", PATIENCE.as_secs())]
    Nothing {
        /// Where it listened.
        address: SocketAddr,
    },
}

/// Sends as `options` say, and logs the instant at which each packet was sent.
///
/// # Errors
///
/// [`CountError`], at the first packet that the system does not take.
pub fn send(options: &CountSend) -> Result<(), CountError> {
    if !(HEADER..=MAX_DATAGRAM).contains(&options.size) {
        return Err(CountError::Size(options.size));
    }
    let any: SocketAddr = match options.to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let failed = |cause| CountError::Socket { address: options.to, cause };
    let socket = UdpSocket::bind(any).map_err(failed)?;
    socket.connect(options.to).map_err(failed)?;
    let clock = Clock::start();
    let vigil = Vigil::new(clock.vigil()).map_err(CountError::Wait)?;
    let (count, size, rate) = (options.count, options.size, options.rate);
    let pacing = move || pace(&socket, clock, vigil, count, rate.get(), size);
    // A thread that panics is a bug of ours, and has said so.
    let thread = vigil::thread("count", pacing).map_err(CountError::Wait)?;
    let sent = thread.join().map_err(|_| CountError::Wait(io::ErrorKind::Other.into()))??;
    let lines = sent.iter().enumerate().map(|(number, at)| [number as u64, at.as_nanos()]);
    write(&options.log, SENT_COLUMNS, lines)
}

/// Sends one packet after the other, in time; when each was sent.
fn pace(
    socket: &UdpSocket,
    clock: Clock,
    mut vigil: Vigil,
    count: u32,
    rate: u32,
    size: usize,
) -> Result<Vec<MonoTime>, CountError> {
    let mut packet = vec![0; size];
    let mut ready = Vec::new();
    let interval = Duration::from_secs(1) / rate;
    let mut due = clock.vigil().now();
    let mut log = Vec::with_capacity(count as usize);
    for number in 0..count {
        while clock.vigil().now() < due {
            vigil.wait(Some(due), &mut ready).map_err(CountError::Wait)?;
        }
        let sent = clock.now();
        Numbered { number, sent }.write(&mut packet);
        match socket.send(&packet) {
            Ok(_) => {}
            // An ICMP message tells that an earlier packet found nobody.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(cause) => return Err(CountError::Packet { number, cause }),
        }
        log.push(sent);
        due = (due + interval).max(clock.vigil().now() - LATE);
    }
    Ok(log)
}

/// Receives as `options` say, until nothing has come for a while, and logs each arrival. The log is
/// made, empty, when the receiver is ready: who sends can wait for it.
///
/// # Errors
///
/// [`CountError`].
pub fn receive(options: &CountReceive) -> Result<u64, CountError> {
    let address = options.listen;
    let failed = |cause| CountError::Socket { address, cause };
    let socket = UdpSocket::bind(address).map_err(failed)?;
    // Only root may have so much; others get what the system permits.
    if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
    }
    socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let log = File::create(&options.log);
    log.map_err(|cause| CountError::Log { file: options.log.clone(), cause })?;
    let clock = Clock::start();
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut arrivals: Vec<[u64; 3]> = Vec::new();
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let at = clock.now();
                if let Some(Numbered { number, sent }) = Numbered::read(&buffer[..length]) {
                    if arrivals.is_empty() {
                        socket.set_read_timeout(Some(options.idle)).map_err(failed)?;
                    }
                    arrivals.push([number.into(), sent.as_nanos(), at.as_nanos()]);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(failed(cause)),
        }
    }
    if arrivals.is_empty() {
        return Err(CountError::Nothing { address });
    }
    let count = arrivals.len() as u64;
    write(&options.log, RECEIVED_COLUMNS, arrivals.into_iter())?;
    Ok(count)
}

fn write<const COLUMNS: usize>(
    file: &Path,
    columns: &str,
    lines: impl Iterator<Item = [u64; COLUMNS]>,
) -> Result<(), CountError> {
    let write = || {
        let mut csv = BufWriter::new(File::create(file)?);
        writeln!(csv, "{columns}")?;
        for line in lines {
            writeln!(csv, "{}", line.map(|it| it.to_string()).join(","))?;
        }
        csv.flush()
    };
    write().map_err(|cause| CountError::Log { file: file.to_owned(), cause })
}
