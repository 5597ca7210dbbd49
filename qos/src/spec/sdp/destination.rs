//! Where a session description says that its streams are sent, when nobody is to ask for them.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Connection, Media, Session};

/// Where one stream comes: the address and the ports to be opened by who wants to hear it.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Destination {
    /// Of RTP: of this host, or of a group to be joined.
    pub rtp: SocketAddr,
    /// Of RTCP: the port after it, unless `a=rtcp` names another (RFC 3605). With `a=rtcp-mux` it is
    /// that of RTP (RFC 5761).
    pub rtcp: SocketAddr,
}

impl Destination {
    /// Of RTP sent to `rtp`, and RTCP to the port after it; `None` where there is none.
    pub fn new(rtp: SocketAddr) -> Option<Self> {
        let port = rtp.port().checked_add(1).filter(|_| rtp.port() > 0)?;
        Some(Self { rtp, rtcp: SocketAddr::new(rtp.ip(), port) })
    }

    /// Whether RTP and RTCP come to the same port.
    pub fn is_shared(&self) -> bool {
        self.rtp == self.rtcp
    }

    /// Of `media`; `None` where it has no port, or no address that is one.
    pub(super) fn of(session: &Session, media: &Media) -> Option<Self> {
        let address = media.connections.first().or(session.connection.as_ref())?;
        let rtp = SocketAddr::new(ip(address)?, media.port);
        if media.port == 0 {
            return None;
        }
        if media.has_attribute("rtcp-mux") {
            return Some(Self { rtp, rtcp: rtp });
        }
        let Some(told) = media.get_first_attribute_value("rtcp").flatten() else {
            return Self::new(rtp);
        };
        // 5007, or 5007 IN IP4 192.0.2.1
        let mut words = told.split_ascii_whitespace();
        let port = words.next()?.parse().ok().filter(|port| *port > 0)?;
        let address = words.nth(2).and_then(|address| address.parse().ok());
        Some(Self { rtp, rtcp: SocketAddr::new(address.unwrap_or(rtp.ip()), port) })
    }
}

/// The address of a connection line, without the time to live of a group (`239.1.2.3/4`).
fn ip(connection: &Connection) -> Option<IpAddr> {
    connection.connection_address.split('/').next()?.trim().parse().ok()
}
