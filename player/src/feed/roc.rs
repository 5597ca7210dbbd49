//! What Roc Toolkit sends beside the sound: repair to `rs8m://ADDRESS:PORT`, reports to
//! `rtcp://ADDRESS:PORT`.

use std::net::SocketAddr;
use std::time::Duration;

/// How long playback waits behind Roc where nothing is said: a block of its takes 90 ms, and its
/// repair comes after that.
pub const LATENCY: Duration = Duration::from_millis(200);

/// Where Roc sends the rest to.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct RocPorts {
    /// Repair packets.
    pub repair: SocketAddr,
    /// Reports; `None` where they come to the port of the sound, if at all.
    pub control: Option<SocketAddr>,
}

/// Text that names no such port. Each is one line for the user.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RocPortError {
    /// It does not begin with the scheme.
    #[error("what is written here begins with {0}://")]
    Scheme(&'static str),
    /// Not an address of this host, or of a group, and a port.
    #[error("'{0}' is not an IP address and a port, such as 0.0.0.0:10002")]
    Address(String),
}

/// The port in `rs8m://ADDRESS:PORT`, to which repair comes.
///
/// # Errors
///
/// If it is written in another way.
pub fn repair(text: &str) -> Result<SocketAddr, RocPortError> {
    port(text, "rs8m")
}

/// The port in `rtcp://ADDRESS:PORT`, to which reports come.
///
/// # Errors
///
/// If it is written in another way.
pub fn control(text: &str) -> Result<SocketAddr, RocPortError> {
    port(text, "rtcp")
}

fn port(text: &str, scheme: &'static str) -> Result<SocketAddr, RocPortError> {
    let rest = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
    let rest = rest.ok_or(RocPortError::Scheme(scheme))?;
    let address = rest.strip_suffix('/').unwrap_or(rest);
    let port = address.parse().ok().filter(|at: &SocketAddr| at.port() > 0);
    port.ok_or_else(|| RocPortError::Address(address.chars().take(80).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_by_their_scheme() {
        assert_eq!(repair("rs8m://0.0.0.0:10002"), Ok("0.0.0.0:10002".parse().unwrap()));
        assert_eq!(control("rtcp://[::1]:10003/"), Ok("[::1]:10003".parse().unwrap()));
        for text in ["", "10002", "rtcp://0.0.0.0:10002", "rs8m:0.0.0.0:10002"] {
            assert_eq!(repair(text), Err(RocPortError::Scheme("rs8m")), "{text:?}");
        }
        for address in ["", "host:10002", "0.0.0.0", "0.0.0.0:0", "0.0.0.0:70000"] {
            let refused = Err(RocPortError::Address(address.to_owned()));
            assert_eq!(repair(&format!("rs8m://{address}")), refused, "{address:?}");
        }
    }
}
