//! The kernel's own netem between two namespaces.

use super::ip::{ip, tc};
use super::namespace::{DEVICE, Namespace};
use super::{Side, TunnelError};

/// Joins two hosts by a pair of virtual Ethernet devices, each of which sends through the kernel's
/// `netem` with these words.
///
/// # Errors
///
/// [`TunnelError::NoNetem`] where the kernel has none, otherwise what `ip` or `tc` say: they read
/// the words.
pub(super) fn join(hosts: &(Namespace, Namespace), words: &[&str]) -> Result<(), TunnelError> {
    let (left, right) = hosts;
    has_netem(left)?;
    let [one, other] =
        [Side::Left, Side::Right].map(|side| format!("ct{}{side}", std::process::id()));
    ip(&["link", "add", &one, "type", "veth", "peer", "name", &other])?;
    for (host, device) in [(left, one), (right, other)] {
        host.adopt(&device)?;
        let name = host.name();
        tc(&[&["-n", name, "qdisc", "add", "dev", DEVICE, "root", "netem"], words].concat())?;
    }
    Ok(())
}

/// Tries it where it can do no harm.
fn has_netem(host: &Namespace) -> Result<(), TunnelError> {
    let trial = ["-n", host.name(), "qdisc", "add", "dev", "lo", "root", "netem", "delay", "0ms"];
    tc(&trial).map_err(|error| match error {
        TunnelError::Refused { message, .. } => TunnelError::NoNetem { message },
        other => other,
    })?;
    tc(&["-n", host.name(), "qdisc", "del", "dev", "lo", "root"])
}
