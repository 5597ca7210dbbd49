//! Announcements of sessions that are sent to groups (SAP, RFC 2974).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | V=1 |A|R|T|E|C|   auth len    |         msg id hash           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           originating source (32 bits, or 128 with A)         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |        payload type: "application/sdp", ended by a zero       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                            payload                            |
//! ```
//!
//! A session directory collects what it hears, and forgets what it has not heard again for ten
//! intervals, or an hour, or what is deleted. Nothing here is signed, encrypted or compressed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

/// The port of announcements (section 3).
pub const PORT: u16 = 9_875;

/// What all announcements to one group may take together, in bit/s (section 3.1).
const LIMIT: f64 = 4_000.0;

/// No announcement comes again sooner, but for a third (section 3.1).
const LEAST_INTERVAL: Duration = Duration::from_secs(300);

const PAYLOAD_TYPE: &[u8] = b"application/sdp\0";

/// Version 1 in the three highest bits.
const VERSION: u8 = 1 << 5;
/// The source is an address of IPv6.
const IPV6: u8 = 1 << 4;
/// The session is deleted.
const DELETION: u8 = 1 << 2;

/// A session that is announced by `source`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Announcement {
    source: IpAddr,
    hash: u16,
    sdp: Bytes,
    origin: Bytes,
}

impl Announcement {
    /// The session that `sdp` describes, which should be short: a packet is to stay below a kilobyte
    /// (section 7). It is deleted by its origin, the line `o=`.
    pub fn new(source: IpAddr, sdp: &str) -> Self {
        let origin = sdp.split_inclusive('\n').find(|line| line.starts_with("o="));
        let copy = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Self { source, hash: hash(sdp), sdp: copy(sdp), origin: copy(origin.unwrap_or_default()) }
    }

    /// The packet that announces it: every time the same.
    pub fn packet(&self) -> Bytes {
        self.write(0, &self.sdp)
    }

    /// The packet that deletes it (section 4): its origin is all that it holds.
    pub fn deletion(&self) -> Bytes {
        self.write(DELETION, &self.origin)
    }

    fn write(&self, kind: u8, payload: &[u8]) -> Bytes {
        let mut packet = BytesMut::with_capacity(20 + PAYLOAD_TYPE.len() + payload.len());
        let family = if self.source.is_ipv6() { IPV6 } else { 0 };
        packet.put_u8(VERSION | family | kind);
        packet.put_u8(0);
        packet.put_u16(self.hash);
        match self.source {
            IpAddr::V4(address) => packet.put_slice(&address.octets()),
            IpAddr::V6(address) => packet.put_slice(&address.octets()),
        }
        packet.put_slice(PAYLOAD_TYPE);
        packet.put_slice(payload);
        packet.freeze()
    }
}

/// Another for other contents, as far as sixteen bits can tell; never zero, which would mean that it
/// says nothing (section 3): FNV-1a, folded.
fn hash(text: &str) -> u16 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let whole = text.bytes().fold(0x811c_9dc5, step);
    ((whole >> 16) as u16 ^ whole as u16).max(1)
}

/// Where a session that is sent to `group` is announced, so that who can hear the one can hear the
/// other (section 3): the highest address of its administrative scope (RFC 2365), or of link-local
/// groups, and one for all the world; with IPv6 one in each scope. `None` where it is no group.
///
/// Scopes within 239.0.0.0/8 that RFC 2365 does not name are whatever a network has made of them:
/// they are taken for one.
pub fn announced_to(group: IpAddr) -> Option<SocketAddr> {
    let address: IpAddr = match group {
        _ if !group.is_multicast() => return None,
        IpAddr::V4(group) => match group.octets() {
            [224, 0, 0, _] => Ipv4Addr::new(224, 0, 0, 255).into(),
            [239, 192..=195, ..] => Ipv4Addr::new(239, 195, 255, 255).into(),
            [239, ..] => Ipv4Addr::new(239, 255, 255, 255).into(),
            _ => Ipv4Addr::new(224, 2, 127, 254).into(),
        },
        IpAddr::V6(group) => {
            let scope = group.segments()[0] & 0xf;
            Ipv6Addr::new(0xff00 | scope, 0, 0, 0, 0, 0, 2, 0x7ffe).into()
        }
    };
    Some(SocketAddr::new(address, PORT))
}

/// How long after one announcement the next is due (section 3.1), where `announcements` of `bytes`
/// each are known to go to the same group; `random` is drawn anew for each, evenly from [0, 1).
pub fn interval(announcements: usize, bytes: usize, random: f64) -> Duration {
    let bits = 8.0 * announcements as f64 * bytes as f64;
    let interval = Duration::from_secs_f64(bits / LIMIT).max(LEAST_INTERVAL);
    interval * 2 / 3 + interval.mul_f64(random * 2.0 / 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=x\r\n";
    const ORIGIN: &str = "o=- 1 1 IN IP4 192.0.2.1\r\n";

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_announcement_is_laid_out_as_in_section_6() {
        let packet = Announcement::new(address("192.0.2.1"), SDP).packet();
        assert_eq!(packet[..2], [0x20, 0], "version 1, IPv4, an announcement, nothing to prove");
        assert_ne!(packet[2..4], [0, 0], "a hash of zero would say nothing");
        assert_eq!(packet[4..8], [192, 0, 2, 1]);
        assert_eq!(packet[8..24], *b"application/sdp\0");
        assert_eq!(packet[24..], *SDP.as_bytes());
    }

    #[test]
    fn a_deletion_has_the_same_hash_and_the_origin_alone() {
        let announcement = Announcement::new(address("2001:db8::1"), SDP);
        let (packet, deletion) = (announcement.packet(), announcement.deletion());
        assert_eq!((packet[0], deletion[0]), (0x30, 0x34), "IPv6, and T for what is deleted");
        assert_eq!(packet[1..36], deletion[1..36]);
        assert_eq!(packet[4..20], "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(deletion[36..], *ORIGIN.as_bytes());
    }

    #[test]
    fn what_is_changed_has_another_hash() {
        let of = |sdp: &str| Announcement::new(address("192.0.2.1"), sdp).packet();
        assert_eq!(of(SDP)[2..4], of(SDP)[2..4]);
        assert_ne!(of(SDP)[2..4], of(&SDP.replace("s=x", "s=y"))[2..4]);
    }

    #[test]
    fn sessions_are_announced_in_their_scope() {
        for (group, to) in [
            ("224.2.130.1", "224.2.127.254:9875"),
            ("232.1.2.3", "224.2.127.254:9875"),
            ("239.255.1.2", "239.255.255.255:9875"),
            ("239.193.1.2", "239.195.255.255:9875"),
            ("239.1.2.3", "239.255.255.255:9875"),
            ("224.0.0.77", "224.0.0.255:9875"),
            ("ff15::1", "[ff05::2:7ffe]:9875"),
            ("ff0e::1:2", "[ff0e::2:7ffe]:9875"),
        ] {
            assert_eq!(announced_to(address(group)), Some(to.parse().unwrap()), "{group}");
        }
        assert_eq!(announced_to(address("192.0.2.1")), None);
    }

    #[test]
    fn announcements_come_again_after_five_minutes_give_or_take_a_third() {
        let seconds = |secs| Duration::from_secs(secs);
        assert_eq!(interval(1, 400, 0.0), seconds(200));
        assert_eq!(interval(1, 400, 0.5), seconds(300));
        assert!(interval(1, 400, 0.999_999) < seconds(400));
        assert_eq!(interval(1_000, 400, 0.5), seconds(800), "4000 bit/s for all together");
    }
}
