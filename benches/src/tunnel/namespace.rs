//! Network namespaces: hosts without a machine of their own.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use super::ip::ip;
use super::{Side, TunnelError};

/// Where iproute2 keeps the names of namespaces.
const NAMES: &str = "/run/netns";
/// What the names of ours begin with; then follow the process that made them, a number and a side.
const PREFIX: &str = "cantus-";
/// What the device of the link is called inside.
pub(super) const DEVICE: &str = "cantus0";

/// A network namespace of our own. With it go all processes in it, and its devices.
#[derive(Debug)]
pub(super) struct Namespace {
    name: String,
    side: Side,
}

impl Namespace {
    /// The two ends of a link that is still to be made, each with its loopback device up.
    ///
    /// # Errors
    ///
    /// If `ip` is missing or refuses.
    pub(super) fn pair() -> Result<(Self, Self), TunnelError> {
        static PAIRS: AtomicU32 = AtomicU32::new(0);
        sweep();
        let number = PAIRS.fetch_add(1, Ordering::Relaxed);
        let make = |side: Side| -> Result<Self, TunnelError> {
            let name = format!("{PREFIX}{}-{number}-{side}", std::process::id());
            ip(&["netns", "add", &name])?;
            let namespace = Self { name, side };
            namespace.ip(&["link", "set", "lo", "up"])?;
            Ok(namespace)
        };
        Ok((make(Side::Left)?, make(Side::Right)?))
    }

    /// Its name for `ip` and `tc`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` in it.
    ///
    /// # Errors
    ///
    /// If `ip` refuses.
    pub(super) fn ip(&self, words: &[&str]) -> Result<(), TunnelError> {
        ip(&[&["-n", &self.name], words].concat())
    }

    /// Brings `device` in from outside, as the end of the link that this host is on.
    ///
    /// # Errors
    ///
    /// If `ip` refuses.
    pub(super) fn adopt(&self, device: &str) -> Result<(), TunnelError> {
        ip(&["link", "set", device, "netns", &self.name])?;
        self.ip(&["link", "set", device, "name", DEVICE])?;
        // No address of the kernel's own making: it would be announced across the link.
        self.ip(&["link", "set", DEVICE, "addrgenmode", "none"])?;
        // Packets wait here while the tunnel is not looking; that queue must not be what loses.
        self.ip(&["link", "set", DEVICE, "txqueuelen", "10000", "up"])?;
        let (v4, v6) = self.side.addresses();
        self.ip(&["address", "add", &format!("{v4}/24"), "dev", DEVICE])?;
        if Path::new("/proc/sys/net/ipv6").exists() {
            let v6 = format!("{v6}/64");
            self.ip(&["address", "add", &v6, "dev", DEVICE, "nodad"])?;
        }
        Ok(())
    }

    /// A shell in it that will run `script`, with nothing to read from the terminal.
    pub(super) fn shell(&self, script: &str) -> Command {
        let (here, here6) = self.side.addresses();
        let (peer, peer6) = self.side.opposite().addresses();
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.name, "sh", "-c", script])
            .env("CANTUS_HERE", here.to_string())
            .env("CANTUS_PEER", peer.to_string())
            .env("CANTUS_HERE6", here6.to_string())
            .env("CANTUS_PEER6", peer6.to_string())
            .stdin(Stdio::null());
        command
    }

    /// Sends `signal` to all that run in it; whether anything did.
    pub(super) fn signal(&self, signal: Signal) -> bool {
        let inside = processes(&path(&self.name));
        for &process in &inside {
            // It may have ended since it was seen.
            let _ = kill_process(process, signal);
        }
        !inside.is_empty()
    }

    /// Whether nothing runs in it.
    pub(super) fn is_deserted(&self) -> bool {
        processes(&path(&self.name)).is_empty()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

impl Side {
    /// The addresses of this side.
    pub(super) fn addresses(self) -> (IpAddr, IpAddr) {
        let host = match self {
            Self::Left => 1,
            Self::Right => 2,
        };
        let v6 = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, u16::from(host));
        (Ipv4Addr::new(10, 77, 0, host).into(), v6.into())
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(NAMES).join(name)
}

/// Ends what runs in a namespace of ours, and takes its name away: with the last process, it and
/// its devices are gone.
fn remove(name: &str) {
    for process in processes(&path(name)) {
        let _ = kill_process(process, Signal::KILL);
    }
    if let Err(error) = ip(&["netns", "delete", name]) {
        tracing::warn!(%error, "a network namespace stays behind");
    }
}

/// Removes the namespaces of processes that were killed before they could.
fn sweep() {
    let names = fs::read_dir(NAMES).into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        let Some(owner) = owner.and_then(|number| number.parse::<u32>().ok()) else {
            continue;
        };
        // What has ended, and only waits to be noticed, is in no namespace any more.
        if fs::metadata(format!("/proc/{owner}/ns/net")).is_err() {
            remove(&name);
        }
    }
}

/// The processes in the namespace at `path`, found as `ip netns pids` finds them.
fn processes(path: &Path) -> Vec<Pid> {
    let Ok(namespace) = fs::metadata(path) else {
        return Vec::new();
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let inside = entries.filter(|entry| {
        let theirs = fs::metadata(entry.path().join("ns/net"));
        theirs.is_ok_and(|it| (it.dev(), it.ino()) == (namespace.dev(), namespace.ino()))
    });
    let number = |name: std::ffi::OsString| name.to_str()?.parse().ok();
    inside.filter_map(|entry| Pid::from_raw(number(entry.file_name())?)).collect()
}
