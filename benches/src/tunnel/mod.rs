//! Two hosts on this machine, joined by an emulated IP link: any protocol, any program.
//!
//! The hosts are network namespaces. What joins them is either of
//!
//! * our own link ([`Joint::Emulated`]): each host has a TUN device, and a loop in this process
//!   passes IP packets between them through a [`Duplex`];
//! * the kernel's netem ([`Joint::Kernel`]): a pair of virtual Ethernet devices, each with
//!   `tc qdisc add ... netem` on it.
//!
//! Needs Linux, root and iproute2. Whatever ends it, nothing stays behind: processes, devices and
//! namespaces go with the values that own them, and those of a process that was killed go when
//! the next one begins.
//!
//! ```text
//! host "left"    10.77.0.1  fd77::1  ── way to the client, with the luck of the seed ──>
//! host "right"   10.77.0.2  fd77::2  <─ way to the server, with luck derived from it ───
//! ```
//!
//! A server on the left and its client on the right meet the losses that they meet in virtual time.

mod commands;
mod device;
mod forwarder;
mod ip;
mod namespace;
mod packet;
mod show;
mod veth;

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use cantus_qos::stats::Distribution;

use crate::duplex::{Duplex, PacketLog, SharedLog};
use crate::link::{LinkError, PathSpec};
use crate::signals::Signals;
use commands::Commands;
use device::Device;
use forwarder::Forwarder;
use namespace::Namespace;

pub use show::{LinkFailure, link};

/// What joins the two hosts.
#[derive(Clone, Debug, PartialEq)]
pub enum Joint {
    /// Our own link, with the luck of a seed.
    Emulated {
        /// What it does: there is from left to right.
        path: Box<PathSpec>,
        /// What its luck follows from.
        seed: u64,
    },
    /// The kernel's netem, on both ends.
    Kernel {
        /// Its words, as `tc` reads them.
        words: Vec<String>,
    },
}

/// What is to run across the link.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What a shell runs on the left.
    pub left: String,
    /// What a shell runs on the right.
    pub right: String,
    /// Which command's end is the end.
    pub until: Until,
    /// When it is over at the latest.
    pub length: Option<Duration>,
}

/// Which command's end is the end.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Until {
    /// That of the later.
    #[default]
    Both,
    /// That of the command on the left.
    Left,
    /// That of the command on the right.
    Right,
}

/// One of the two hosts.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Side {
    Left,
    Right,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// How the commands ended.
    pub ended: Ended,
    /// What the link did, where it is ours.
    pub passage: Option<Passage>,
}

/// How the commands ended.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// The left one; `None` where it was told to.
    pub left: Option<ExitStatus>,
    /// The right one; `None` where it was told to.
    pub right: Option<ExitStatus>,
    /// The signal that ended all, by its number.
    pub signal: Option<u8>,
}

/// What our link did.
#[derive(Debug)]
pub struct Passage {
    /// The story of every packet.
    pub log: PacketLog,
    /// By how much packets left later than the link said: the loop's own lateness.
    pub lateness: Distribution,
}

/// Why there is no link. Each is one line for the user; nothing stays behind.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// Not for every user.
    #[error("network namespaces and their devices are root's: run this as root, or with sudo")]
    NotRoot,
    /// A program of iproute2 is missing.
    #[error("`{program}` is not installed: it comes with iproute2")]
    NoProgram {
        /// The program.
        program: &'static str,
    },
    /// The kernel or the container offers no TUN devices.
    #[error(
        "/dev/net/tun does not open: {0} (`modprobe tun` brings it; a container needs \
             --device /dev/net/tun and --cap-add NET_ADMIN)"
    )]
    NoDevice(#[source] io::Error),
    /// The kernel has no netem.
    #[error(
        "this kernel has no netem (tc says: {message}); --tun emulates it, and `make netem` runs \
             the kernel's in a virtual machine"
    )]
    NoNetem {
        /// What `tc` says.
        message: String,
    },
    /// `ip` or `tc` refused.
    #[error("`{command}` says: {message}")]
    Refused {
        /// The whole command.
        command: String,
        /// What it says.
        message: String,
    },
    /// Something does not start.
    #[error("`{command}` does not start: {cause}")]
    Start {
        /// What does not.
        command: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The loop does not start.
    #[error("the link does not start: {0}")]
    Loop(#[source] io::Error),
    /// There is no such link.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Runs `job` across `joint`, and takes everything down again. Must be called within a tokio
/// runtime.
///
/// # Errors
///
/// If the link cannot be made, or a shell does not start. A command that fails is no error here:
/// see [`Outcome::ended`].
pub async fn run(joint: &Joint, job: &Job) -> Result<Outcome, TunnelError> {
    if !rustix::process::geteuid().is_root() {
        return Err(TunnelError::NotRoot);
    }
    let mut signals = Signals::listen().map_err(TunnelError::Loop)?;
    // Dropped from the last to the first: commands, link, hosts.
    let hosts = Namespace::pair()?;
    let link = join(&hosts, joint)?;
    let commands = Commands::start(&hosts, &job.left, &job.right)?;
    let ended = commands.finish(job.until, job.length, &mut signals).await;
    let passage = link.map(|(forwarder, log)| {
        let lateness = forwarder.stop();
        Passage { log: log.snapshot(), lateness }
    });
    Ok(Outcome { ended, passage })
}

/// Joins the hosts. Our link has a loop and a log, the kernel's has not.
fn join(
    hosts: &(Namespace, Namespace),
    joint: &Joint,
) -> Result<Option<(Forwarder, SharedLog)>, TunnelError> {
    match joint {
        Joint::Kernel { words } => {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            veth::join(hosts, &words)?;
            Ok(None)
        }
        Joint::Emulated { path, seed } => {
            let log = SharedLog::default();
            let duplex = Duplex::of(path.links(*seed)?, log.clone());
            let device = |host: &Namespace| -> Result<Device, TunnelError> {
                let device = Device::create().map_err(TunnelError::NoDevice)?;
                host.adopt(device.name())?;
                Ok(device)
            };
            let (left, right) = (device(&hosts.0)?, device(&hosts.1)?);
            let forwarder = Forwarder::start(left, right, duplex, log.clone());
            Ok(Some((forwarder.map_err(TunnelError::Loop)?, log)))
        }
    }
}

impl Ended {
    /// The status to exit with: that of a command that failed by itself, the left one's if both
    /// did, as a shell tells it; 0 if none did.
    pub fn code(&self) -> u8 {
        let failed = [self.left, self.right].into_iter().flatten().map(code).find(|&it| it != 0);
        self.signal.map(|signal| 128 + signal).or(failed).unwrap_or(0)
    }
}

/// The status of a command as a shell tells it: 128 and the signal, where one ended it.
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let signal = status.signal().map(|signal| 128 + signal);
    u8::try_from(status.code().or(signal).unwrap_or(1)).unwrap_or(1)
}

impl Side {
    fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left",
            Self::Right => "right",
        })
    }
}
