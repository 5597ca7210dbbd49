//! Where a push goes: `rtp://HOST:PORT`, and the endpoints of Roc.

use std::fmt;
use std::str::FromStr;

/// The port where `rtp://` names none (RFC 3551, section 8).
const DEFAULT_PORT: u16 = 5_004;

/// What is spoken at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RTP, with RTCP on the port after it.
    Rtp,
    /// Roc's source packets: RTP with a footer.
    RtpRs8m,
    /// Roc's repair packets.
    Rs8m,
    /// Roc's reports.
    Rtcp,
}

impl Scheme {
    const ALL: [Self; 4] = [Self::Rtp, Self::RtpRs8m, Self::Rs8m, Self::Rtcp];

    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rtp => "rtp",
            Self::RtpRs8m => "rtp+rs8m",
            Self::Rs8m => "rs8m",
            Self::Rtcp => "rtcp",
        }
    }
}

/// An address that media is pushed to, as it was written: the host may be a name, or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// Text that is no such address. Each is one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It does not begin with the scheme.
    #[error("what is written here begins with {0}")]
    Scheme(String),
    /// No host, or one that does not read as one.
    #[error("no host can be read in it; an IPv6 address stands in brackets")]
    Host,
    /// No port, or none that a pair of ports can begin with.
    #[error("'{0}' is no port for it: 1 to 65534, for RTCP has the one after that of rtp://")]
    Port(String),
}

impl Target {
    /// Reads a URL with one of these schemes.
    ///
    /// # Errors
    ///
    /// [`TargetError`], where it has another one, or is none.
    pub fn parse(text: &str, schemes: &[Scheme]) -> Result<Self, TargetError> {
        let url = |scheme: &Scheme| text.strip_prefix(scheme.as_str())?.strip_prefix("://");
        let found = schemes.iter().find_map(|scheme| Some((*scheme, url(scheme)?)));
        let (scheme, rest) = found.ok_or_else(|| {
            let wanted: Vec<_> =
                schemes.iter().map(|scheme| format!("{}://", scheme.as_str())).collect();
            TargetError::Scheme(wanted.join(" or "))
        })?;
        let (host, port) = authority(rest.strip_suffix('/').unwrap_or(rest))?;
        let port = match port {
            None if scheme == Scheme::Rtp => DEFAULT_PORT,
            None => return Err(TargetError::Port(String::new())),
            Some(digits) => match digits.parse() {
                Ok(port) if (1..u16::MAX).contains(&port) => port,
                _ => return Err(TargetError::Port(digits.chars().take(40).collect())),
            },
        };
        Ok(Self { scheme, host: host.to_owned(), port })
    }

    /// What is spoken there.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

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
        Self::parse(text, &Scheme::ALL)
    }
}

/// Host and port.
fn authority(text: &str) -> Result<(&str, Option<&str>), TargetError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']').ok_or(TargetError::Host)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_plain = |c: char| c.is_ascii_graphic() && !"/?#@[]".contains(c);
    if host.is_empty() || !host.chars().all(is_plain) {
        return Err(TargetError::Host);
    }
    match port.strip_prefix(':') {
        None if !port.is_empty() => Err(TargetError::Host),
        port => Ok((host, port)),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "{}://[{}]:{}", self.scheme.as_str(), self.host, self.port),
            false => write!(f, "{}://{}:{}", self.scheme.as_str(), self.host, self.port),
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
            ("rtp+rs8m://host:10001", "host", 10_001, "rtp+rs8m://host:10001"),
            ("rs8m://[::1]:10002/", "::1", 10_002, "rs8m://[::1]:10002"),
            ("rtcp://host:10003", "host", 10_003, "rtcp://host:10003"),
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
            assert!(matches!(refused(text), TargetError::Scheme(_)), "{text:?}");
        }
        let repair = Target::parse("rtp://host:5004", &[Scheme::Rs8m, Scheme::Rtcp]);
        assert_eq!(repair, Err(TargetError::Scheme("rs8m:// or rtcp://".to_owned())));
        assert_eq!(refused("rs8m://host"), TargetError::Port(String::new()), "which one?");
        for text in ["rtp://", "rtp://:5004", "rtp://[::1:5004", "rtp://[::1]5004", "rtp://a b"] {
            assert_eq!(refused(text), TargetError::Host, "{text:?}");
        }
        for port in ["", "0", "65535", "70000", "-1", "5004x", "5004?pt=opus"] {
            let text = format!("rtp://host:{port}");
            assert_eq!(refused(&text), TargetError::Port(port.to_owned()), "{text:?}");
        }
    }
}
