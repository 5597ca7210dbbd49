//! Where a push goes: `rtp://HOST:PORT`.

use std::fmt;
use std::str::FromStr;

/// The port where a URL names none (RFC 3551, section 8).
const DEFAULT_PORT: u16 = 5_004;

/// An address that media is pushed to, as it was written: the host may be a name, or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
}

/// Text that is no such address. Each is one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It does not begin with the scheme.
    #[error("where to push is written rtp://HOST:PORT, such as rtp://239.1.2.3:5004")]
    Scheme,
    /// No host, or one that does not read as one.
    #[error("no host can be read after rtp://; an IPv6 address stands in brackets")]
    Host,
    /// No port that a pair of ports can begin with.
    #[error("'{0}' is no port for RTP: 1 to 65534, and RTCP has the one after it")]
    Port(String),
}

impl Target {
    /// Host name or address, as a resolver takes it: an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port of RTP; RTCP has the one after it (RFC 3550, section 11).
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("rtp://").ok_or(TargetError::Scheme)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').ok_or(TargetError::Host)?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let is_plain = |c: char| c.is_ascii_graphic() && !"/?#@[]".contains(c);
        if host.is_empty() || !host.chars().all(is_plain) {
            return Err(TargetError::Host);
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => DEFAULT_PORT,
            None => return Err(TargetError::Host),
            Some(digits) => match digits.parse() {
                Ok(port) if (1..u16::MAX).contains(&port) => port,
                _ => return Err(TargetError::Port(digits.chars().take(40).collect())),
            },
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "rtp://[{}]:{}", self.host, self.port),
            false => write!(f, "rtp://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written_back() {
        for (text, host, port, written) in [
            ("rtp://239.1.2.3:5004", "239.1.2.3", 5_004, "rtp://239.1.2.3:5004"),
            ("rtp://host/", "host", 5_004, "rtp://host:5004"),
            ("rtp://[ff15::1%2]:6000", "ff15::1%2", 6_000, "rtp://[ff15::1%2]:6000"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!((target.host(), target.port()), (host, port));
            assert_eq!(target.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_what_is_wrong() {
        let refused = |text: &str| text.parse::<Target>().unwrap_err();
        for text in ["", "239.1.2.3:5004", "rtsp://host:5004", "udp://host:5004"] {
            assert_eq!(refused(text), TargetError::Scheme, "{text:?}");
        }
        for text in ["rtp://", "rtp://:5004", "rtp://[::1:5004", "rtp://[::1]5004", "rtp://a b"] {
            assert_eq!(refused(text), TargetError::Host, "{text:?}");
        }
        for port in ["", "0", "65535", "70000", "-1", "5004x", "5004?pt=opus"] {
            let text = format!("rtp://host:{port}");
            assert_eq!(refused(&text), TargetError::Port(port.to_owned()), "{text:?}");
        }
    }
}
