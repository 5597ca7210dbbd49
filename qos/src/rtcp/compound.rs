//! Compound packets: several RTCP packets in one datagram (RFC 3550, section 6.1), and reduced-size
//! ones (RFC 5506).

use bytes::Bytes;
use rtcp_types::RtcpParseError;
use rtcp_types::{RtcpPacketParser as _, RtcpPacketWriter, RtcpPacketWriterExt as _};
use thiserror::Error;

use super::{
    ExtendedReport, Nack, NextUnit, ReceiverReport, RtcpPacket, SenderReport, description, nack,
};
use crate::rtp::Ssrc;

const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
const APP: u8 = 204;
const RTPFB: u8 = 205;
const PSFB: u8 = 206;
const XR: u8 = 207;

/// Bytes of the header that all RTCP packets have in common.
const HEADER_LEN: usize = 4;
/// Reports in one packet, and sources in one BYE: the count has five bits.
const MAX_COUNT: usize = 31;
/// Bytes of a text in SDES or BYE: its length has eight bits.
const MAX_TEXT: usize = 255;

/// Why bytes are not a compound RTCP packet (RFC 3550, appendix A.2).
#[derive(Copy, Clone, Eq, PartialEq, Debug, Error)]
pub enum RtcpError {
    /// The datagram holds no packet at all.
    #[error("empty RTCP datagram")]
    Empty,
    /// The datagram begins neither with a sender or receiver report nor with feedback.
    #[error(
        "compound RTCP packet begins with packet type {packet_type} instead of a report or feedback"
    )]
    NoReport {
        /// What it begins with.
        packet_type: u8,
    },
    /// A packet's version is not 2.
    #[error("RTCP version {version} at byte {offset} instead of 2")]
    Version {
        /// The version there, 0 to 3.
        version: u8,
        /// Where the packet begins.
        offset: usize,
    },
    /// A packet is longer than what is left of the datagram.
    #[error("RTCP packet of {expected} bytes at byte {offset}, where {actual} are left")]
    Truncated {
        /// Bytes that the packet claims.
        expected: usize,
        /// Bytes that there are.
        actual: usize,
        /// Where the packet begins.
        offset: usize,
    },
    /// Padding on a packet that is not the last, of a length that cannot be, or none at all.
    #[error("RTCP packet at byte {offset} with impossible padding")]
    Padding {
        /// Where the packet begins.
        offset: usize,
    },
    /// The content of a report, SDES or BYE does not fit into the packet.
    #[error("RTCP packet of type {packet_type} shorter than its content")]
    Content {
        /// The packet type on the wire.
        packet_type: u8,
    },
}

/// Whether a datagram on a port shared by RTP and RTCP is RTCP: packet types 192 to 223
/// (RFC 5761, section 4).
pub fn is_rtcp(data: &[u8]) -> bool {
    matches!(data, [first, 192..=223, ..] if first >> 6 == 2)
}

/// Reads a compound packet.
///
/// The whole datagram is checked as RFC 3550, appendix A.2, demands before anything in it is
/// believed: version 2 in each packet, a report first, padding on the last packet only, lengths
/// that add up. Feedback may come first too: that is a reduced-size packet (RFC 5506, section
/// 3.4.1). Packets of other types become [`RtcpPacket::Other`] unread. A source description gives
/// one packet for each source that has a CNAME, and one that tells where playback stands for each
/// stream.
///
/// # Errors
///
/// Where one of those checks fails, or the content of a report, SDES or BYE does not fit.
pub fn parse_compound(data: &[u8]) -> Result<Vec<RtcpPacket>, RtcpError> {
    let mut packets = Vec::new();
    for packet in split(data)? {
        read(packet, &mut packets)?;
    }
    Ok(packets)
}

/// The packets of a compound, each with its header, checked as a whole.
fn split(data: &[u8]) -> Result<Vec<&[u8]>, RtcpError> {
    let mut packets = Vec::new();
    let mut offset = 0;
    while offset < data.len() {
        let rest = &data[offset..];
        let truncated = |expected| RtcpError::Truncated { expected, actual: rest.len(), offset };
        let [first, packet_type, high, low, ..] = *rest else {
            return Err(truncated(HEADER_LEN));
        };
        if first >> 6 != 2 {
            return Err(RtcpError::Version { version: first >> 6, offset });
        }
        if offset == 0 && !matches!(packet_type, SR | RR | RTPFB | PSFB) {
            return Err(RtcpError::NoReport { packet_type });
        }
        let length = HEADER_LEN + 4 * usize::from(u16::from_be_bytes([high, low]));
        let packet = rest.get(..length).ok_or_else(|| truncated(length))?;
        if has_padding(packet) && (length < rest.len() || !is_possible(padding(packet), length)) {
            return Err(RtcpError::Padding { offset });
        }
        packets.push(packet);
        offset += length;
    }
    if packets.is_empty() { Err(RtcpError::Empty) } else { Ok(packets) }
}

fn has_padding(packet: &[u8]) -> bool {
    packet[0] & 0x20 != 0
}

/// Bytes of padding, where there is padding.
fn padding(packet: &[u8]) -> usize {
    packet.last().copied().unwrap_or_default().into()
}

fn is_possible(padding: usize, length: usize) -> bool {
    padding > 0 && padding.is_multiple_of(4) && padding + HEADER_LEN <= length
}

/// Reads one well-framed packet.
fn read(packet: &[u8], packets: &mut Vec<RtcpPacket>) -> Result<(), RtcpError> {
    let unpadded;
    let packet = if has_padding(packet) {
        unpadded = without_padding(packet);
        &unpadded[..]
    } else {
        packet
    };
    let packet_type = packet[1];
    let content = RtcpError::Content { packet_type };
    match packet_type {
        SR => {
            let report = SenderReport::parse(packet).map_err(|_| content)?;
            packets.push(RtcpPacket::SenderReport(report));
        }
        RR => {
            let report = ReceiverReport::parse(packet).map_err(|_| content)?;
            packets.push(RtcpPacket::ReceiverReport(report));
        }
        SDES => {
            let chunks = packet[0] & 0x1F;
            let names = description::cnames(&packet[HEADER_LEN..], chunks).ok_or(content)?;
            let described = |(ssrc, cname)| RtcpPacket::SourceDescription { ssrc, cname };
            packets.extend(names.into_iter().map(described));
        }
        BYE => packets.push(read_bye(packet).map_err(|_| content)?),
        RTPFB if packet[0] & 0x1F == nack::FORMAT => {
            let nack = Nack::parse(&packet[HEADER_LEN..]).ok_or(content)?;
            packets.push(RtcpPacket::Nack(nack));
        }
        APP => match NextUnit::parse(packet) {
            told if told.is_empty() => packets.push(RtcpPacket::Other { packet_type }),
            told => packets.extend(told.into_iter().map(RtcpPacket::NextUnit)),
        },
        XR => {
            let report = ExtendedReport::parse(&packet[HEADER_LEN..]).ok_or(content)?;
            packets.push(RtcpPacket::ExtendedReport(report));
        }
        _ => packets.push(RtcpPacket::Other { packet_type }),
    }
    Ok(())
}

/// A copy without padding, so that no reader behind takes padding for content. Padding is for
/// encryption with fixed block sizes, so the copy is rare.
fn without_padding(packet: &[u8]) -> Vec<u8> {
    let mut unpadded = packet[..packet.len() - padding(packet)].to_vec();
    let words = (unpadded.len() / 4 - 1) as u16;
    unpadded[0] &= !0x20;
    unpadded[2..4].copy_from_slice(&words.to_be_bytes());
    unpadded
}

fn read_bye(packet: &[u8]) -> Result<RtcpPacket, RtcpParseError> {
    let bye = rtcp_types::Bye::parse(packet)?;
    let reason = bye.reason().filter(|reason| !reason.is_empty());
    Ok(RtcpPacket::Bye {
        ssrcs: bye.ssrcs().map(Ssrc).collect(),
        reason: reason.map(|reason| String::from_utf8_lossy(reason).into_owned()),
    })
}

/// Writes a compound packet, in the order given; a valid one begins with a report, or is feedback
/// alone.
///
/// [`RtcpPacket::Other`] is skipped. More than 31 report blocks go on in further receiver reports
/// (section 6.1), more than 31 leaving sources in further BYEs; texts are cut at 255 bytes.
pub fn write_compound(packets: &[RtcpPacket]) -> Bytes {
    let mut data = Vec::with_capacity(128);
    for packet in packets {
        match packet {
            RtcpPacket::SenderReport(report) => {
                let (own, further) = report.blocks.split_at(report.blocks.len().min(MAX_COUNT));
                append(&mut data, &report.to_wire(own));
                for blocks in further.chunks(MAX_COUNT) {
                    append(&mut data, &ReceiverReport::to_wire(report.ssrc, blocks));
                }
            }
            RtcpPacket::ReceiverReport(report) => {
                let (own, further) = report.blocks.split_at(report.blocks.len().min(MAX_COUNT));
                append(&mut data, &ReceiverReport::to_wire(report.ssrc, own));
                for blocks in further.chunks(MAX_COUNT) {
                    append(&mut data, &ReceiverReport::to_wire(report.ssrc, blocks));
                }
            }
            RtcpPacket::SourceDescription { ssrc, cname } => {
                let name = rtcp_types::SdesItem::CNAME;
                let item = rtcp_types::SdesItem::builder(name, cut(cname));
                let chunk = rtcp_types::SdesChunk::builder(ssrc.0).add_item(item);
                append(&mut data, &rtcp_types::Sdes::builder().add_chunk(chunk));
            }
            RtcpPacket::Bye { ssrcs, reason } => append_bye(&mut data, ssrcs, reason.as_deref()),
            RtcpPacket::Nack(nack) => {
                append_body(&mut data, RTPFB, nack::FORMAT, |body| nack.write(body));
            }
            RtcpPacket::ExtendedReport(report) => {
                append_body(&mut data, XR, 0, |body| report.write(body));
            }
            RtcpPacket::NextUnit(next) => append_body(&mut data, APP, 0, |body| next.write(body)),
            RtcpPacket::Other { .. } => {}
        }
    }
    data.into()
}

/// A packet whose content is written here. None of ours comes near the 65,536 words that its
/// length can tell.
fn append_body(data: &mut Vec<u8>, packet_type: u8, count: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = data.len();
    data.extend([0x80 | count, packet_type, 0, 0]);
    write(data);
    let words = ((data.len() - start) / 4 - 1) as u16;
    data[start + 2..start + HEADER_LEN].copy_from_slice(&words.to_be_bytes());
}

fn append_bye(data: &mut Vec<u8>, ssrcs: &[Ssrc], reason: Option<&str>) {
    for ssrcs in ssrcs.chunks(MAX_COUNT) {
        let bye = rtcp_types::Bye::builder().reason(cut(reason.unwrap_or_default()));
        append(data, &ssrcs.iter().fold(bye, |bye, ssrc| bye.add_source(ssrc.0)));
    }
}

fn append(data: &mut Vec<u8>, packet: &impl RtcpPacketWriter) {
    let start = data.len();
    let size = packet.calculate_size().expect("counts and texts were cut to what fits");
    data.resize(start + size, 0);
    packet.write_into(&mut data[start..]).expect("the packet gets the size it asked for");
}

/// As much of `text` as fits, up to the end of a character.
fn cut(text: &str) -> &str {
    let fits = (0..=text.len().min(MAX_TEXT)).rev().find(|&end| text.is_char_boundary(end));
    &text[..fits.unwrap_or_default()]
}

#[cfg(test)]
mod tests;
