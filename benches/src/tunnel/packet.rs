//! IP packets, as far as a link must understand them (RFC 791, 8200).

use bytes::Bytes;

use crate::duplex::Kind;
use crate::link::Ecn;

/// The protocol numbers of IANA that are looked at.
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
/// In front of an MLD message (RFC 3810, section 5).
const HOP_BY_HOP: u8 = 0;
/// The mark of congestion in the two lowest bits of the traffic class.
const CONGESTION_EXPERIENCED: u8 = 0b11;
/// The sizes of IP headers, without options.
const V4_HEADER: usize = 20;
const V6_HEADER: usize = 40;
/// The size of the UDP header (RFC 768).
const UDP_HEADER: usize = 8;

/// What a packet carries, as far as its first bytes tell.
pub(super) fn kind(packet: &Bytes) -> Kind {
    match udp_payload(packet) {
        Some(payload) => Kind::of_datagram(payload),
        None => Kind::Other,
    }
}

/// What the ECN field of the IP header says (RFC 3168, section 5).
pub(super) fn ecn(packet: &[u8]) -> Ecn {
    match traffic_class(packet).map(|class| class & CONGESTION_EXPERIENCED) {
        Some(CONGESTION_EXPERIENCED) => Ecn::Marked,
        Some(1 | 2) => Ecn::Capable,
        _ => Ecn::NotCapable,
    }
}

/// The same packet with the mark of congestion.
pub(super) fn marked(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    match version(&packet) {
        Some(4) if packet.len() >= V4_HEADER => {
            let old = u16::from_be_bytes([packet[0], packet[1]]);
            packet[1] |= CONGESTION_EXPERIENCED;
            let new = u16::from_be_bytes([packet[0], packet[1]]);
            let sum = u16::from_be_bytes([packet[10], packet[11]]);
            packet[10..12].copy_from_slice(&updated(sum, old, new).to_be_bytes());
        }
        // The traffic class lies across the first two bytes; there is no checksum.
        Some(6) if packet.len() >= V6_HEADER => packet[1] |= CONGESTION_EXPERIENCED << 4,
        _ => {}
    }
    packet
}

/// The header checksum after a word has changed: HC' = ~(~HC + ~m + m') (RFC 1624, section 3).
fn updated(checksum: u16, old: u16, new: u16) -> u16 {
    let sum = u32::from(!checksum) + u32::from(!old) + u32::from(new);
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

fn traffic_class(packet: &[u8]) -> Option<u8> {
    let (first, second) = (*packet.first()?, *packet.get(1)?);
    match first >> 4 {
        4 => Some(second),
        6 => Some(first << 4 | second >> 4),
        _ => None,
    }
}

/// Whether a kernel sends this unasked as soon as a device has IPv6, to find routers and to tell
/// them what it listens to (RFC 4861, 2710, 3810). There are none on the link, and the luck that
/// these packets would use up is that of the packets one wants to watch.
pub(super) fn is_chatter(packet: &[u8]) -> bool {
    let to_link_local_multicast = packet.get(24..26) == Some(&[0xff, 0x02]);
    if version(packet) != Some(6) || !to_link_local_multicast {
        return false;
    }
    let kind = match packet[6] {
        ICMPV6 => packet.get(V6_HEADER),
        HOP_BY_HOP if packet.get(V6_HEADER) == Some(&ICMPV6) => packet.get(V6_HEADER + 8),
        _ => None,
    };
    // Multicast listener queries, reports and dones; solicitations of routers and neighbours.
    matches!(kind, Some(130..=137 | 143))
}

fn version(packet: &[u8]) -> Option<u8> {
    packet.first().map(|byte| byte >> 4)
}

/// What is behind the headers of a UDP packet; `None` for fragments after the first.
fn udp_payload(packet: &[u8]) -> Option<&[u8]> {
    let (protocol, header) = match version(packet)? {
        4 => {
            let fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x1fff;
            let words = usize::from(packet[0] & 0x0f);
            (fragment == 0).then_some((*packet.get(9)?, 4 * words))?
        }
        6 => (*packet.get(6)?, V6_HEADER),
        _ => return None,
    };
    (protocol == UDP).then(|| packet.get(header + UDP_HEADER..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(protocol: u8, fragment: u16, payload: &[u8]) -> Bytes {
        let mut packet = vec![0; 28];
        packet[0] = 0x45;
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        packet[9] = protocol;
        packet.extend_from_slice(payload);
        packet.into()
    }

    fn v6(next: u8, to: [u8; 2], rest: &[u8]) -> Bytes {
        let mut packet = vec![0; V6_HEADER];
        packet[0] = 0x60;
        packet[6] = next;
        packet[24..26].copy_from_slice(&to);
        packet.extend_from_slice(rest);
        packet.into()
    }

    #[test]
    fn quic_is_told_from_rtcp_and_both_from_other_protocols() {
        let quic = [0x40; 20];
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        assert_eq!(kind(&v4(UDP, 0, &quic)), Kind::Quic);
        assert_eq!(kind(&v4(UDP, 0, &report)), Kind::Rtcp);
        assert_eq!(kind(&v4(6, 0, &quic)), Kind::Other, "TCP");
        assert_eq!(kind(&v4(UDP, 7, &quic)), Kind::Other, "a later fragment has no UDP header");
        assert_eq!(kind(&v6(UDP, [0xfd, 0], &[&[0; 8], &quic[..]].concat())), Kind::Quic);
    }

    #[test]
    fn packets_that_are_cut_off_are_of_no_kind() {
        let whole = v4(UDP, 0, &[]);
        for length in 0..whole.len() {
            assert_eq!(kind(&whole.slice(..length)), Kind::Other);
            assert!(!is_chatter(&whole[..length]));
        }
    }

    /// The checksum of an IPv4 header (RFC 1071): over a right one, 0.
    fn checksum(header: &[u8]) -> u16 {
        let words = header.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
        let sum: u32 = words.sum();
        !((sum & 0xffff) + (sum >> 16)) as u16
    }

    #[test]
    fn a_mark_of_congestion_leaves_the_header_right_and_the_rest_as_it_was() {
        for class in [0b01, 0b10, 0xb8 | 0b10] {
            let mut packet = v4(UDP, 0, b"payload").to_vec();
            packet[1] = class;
            let sum = checksum(&packet[..V4_HEADER]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
            assert_eq!(ecn(&packet), Ecn::Capable);
            let marked = marked(&packet);
            assert_eq!(ecn(&marked), Ecn::Marked);
            assert_eq!(checksum(&marked[..V4_HEADER]), 0);
            assert_eq!(marked[1] & !0b11, class & !0b11, "the class of service stays");
            assert_eq!(marked[V4_HEADER..], packet[V4_HEADER..]);
        }
        let mut packet = v6(UDP, [0xfd, 0], &[0; 8]).to_vec();
        assert_eq!(ecn(&packet), Ecn::NotCapable);
        packet[1] = 0b10 << 4 | 0x0f;
        assert_eq!(ecn(&packet), Ecn::Capable);
        let marked = marked(&packet);
        assert_eq!((ecn(&marked), marked[1] & 0x0f), (Ecn::Marked, 0x0f), "the flow label stays");
        assert_eq!(ecn(&[]), Ecn::NotCapable);
        assert_eq!(super::marked(&[0x45]), [0x45]);
    }

    #[test]
    fn chatter_is_what_looks_for_routers_and_listeners_not_what_a_user_sends() {
        let all_routers = [0xff, 0x02];
        assert!(is_chatter(&v6(ICMPV6, all_routers, &[133])), "router solicitation");
        let report = [ICMPV6, 0, 5, 2, 0, 0, 0, 0, 143];
        assert!(is_chatter(&v6(HOP_BY_HOP, all_routers, &report)), "listener report");
        assert!(!is_chatter(&v6(ICMPV6, [0xfd, 0], &[128])), "echo request");
        assert!(!is_chatter(&v6(UDP, all_routers, &[0; 8])), "multicast of a program");
        assert!(!is_chatter(&v4(1, 0, &[])));
    }
}
