//! The kernel's own netem between two namespaces.

use super::ip::tc;
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
    let peer = ["peer", "name", DEVICE, "netns", right.name()];
    left.ip(&[&["link", "add", DEVICE, "type", "veth"], &peer[..]].concat())?;
    for (host, side) in [(left, Side::Left), (right, Side::Right)] {
        host.configure()?;
        introduce(host, side)?;
        let name = host.name();
        tc(&[&["-n", name, "qdisc", "add", "dev", DEVICE, "root", "netem"], words].concat())?;
    }
    Ok(())
}

/// Tells a host where its peer is, for good: the answer to a question across the link could be lost,
/// or be damaged unnoticed, and then all that is sent goes to nobody.
fn introduce(host: &Namespace, side: Side) -> Result<(), TunnelError> {
    host.ip(&["link", "set", DEVICE, "address", hardware_address(side)])?;
    let (v4, v6) = side.opposite().addresses();
    let peer = hardware_address(side.opposite());
    let addresses = [v4.to_string(), v6.to_string()];
    let known = if host.has_v6() { &addresses[..] } else { &addresses[..1] };
    known.iter().try_for_each(|address| {
        host.ip(&["neighbour", "replace", address, "lladdr", peer, "dev", DEVICE])
    })
}

/// Locally administered addresses (IEEE 802, section 8.2).
fn hardware_address(side: Side) -> &'static str {
    match side {
        Side::Left => "02:00:00:00:00:01",
        Side::Right => "02:00:00:00:00:02",
    }
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
