use super::*;
use crate::rtcp::{ReportBlock, XrBlock};
use crate::rtp::{RtpTimestamp, Sequence};
use crate::time::NtpTime;
use proptest::prelude::*;

fn block() -> impl Strategy<Value = ReportBlock> {
    (any::<[u32; 5]>(), any::<u8>(), -(1i32 << 23)..1 << 23).prop_map(
        |([ssrc, highest_sequence, jitter, last_sr, delay_since_sr], fraction_lost, lost)| {
            ReportBlock {
                ssrc: Ssrc(ssrc),
                fraction_lost,
                cumulative_lost: lost,
                highest_sequence,
                jitter,
                last_sr,
                delay_since_sr,
            }
        },
    )
}

fn report() -> impl Strategy<Value = RtcpPacket> {
    let blocks = || prop::collection::vec(block(), 0..=MAX_COUNT);
    let sender = (any::<[u32; 4]>(), any::<u64>(), blocks()).prop_map(
        |([ssrc, rtp, packets, octets], ntp, blocks)| {
            RtcpPacket::SenderReport(SenderReport {
                ssrc: Ssrc(ssrc),
                ntp: NtpTime::from_bits(ntp),
                rtp: RtpTimestamp(rtp),
                packets,
                octets,
                blocks,
            })
        },
    );
    let receiver = (any::<u32>(), blocks()).prop_map(|(ssrc, blocks)| {
        RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(ssrc), blocks })
    });
    prop_oneof![sender, receiver]
}

fn packet() -> impl Strategy<Value = RtcpPacket> {
    let description = (any::<u32>(), "[a-zà-ü@.]{0,120}")
        .prop_map(|(ssrc, cname)| RtcpPacket::SourceDescription { ssrc: Ssrc(ssrc), cname });
    let bye = (prop::collection::vec(any::<u32>(), 1..=MAX_COUNT), "[a-zà-ü ]{0,120}").prop_map(
        |(ssrcs, reason)| RtcpPacket::Bye {
            ssrcs: ssrcs.into_iter().map(Ssrc).collect(),
            reason: Some(reason).filter(|reason| !reason.is_empty()),
        },
    );
    let nack = any::<[u32; 2]>().prop_map(|[sender, media]| {
        let sequences = vec![Sequence(sender as u16)];
        RtcpPacket::Nack(Nack { sender: Ssrc(sender), media: Ssrc(media), sequences })
    });
    let extended = any::<(u32, u64)>().prop_map(|(ssrc, ntp)| {
        let blocks = vec![XrBlock::ReferenceTime(NtpTime::from_bits(ntp))];
        RtcpPacket::ExtendedReport(ExtendedReport { ssrc: Ssrc(ssrc), blocks })
    });
    prop_oneof![report(), description, bye, nack, extended]
}

fn blocks(count: u32) -> Vec<ReportBlock> {
    let block = |ssrc| ReportBlock {
        ssrc: Ssrc(ssrc),
        fraction_lost: 0,
        cumulative_lost: -1,
        highest_sequence: 0,
        jitter: 0,
        last_sr: 0,
        delay_since_sr: 0,
    };
    (0..count).map(block).collect()
}

/// A receiver report without blocks: the shortest valid compound.
const EMPTY_REPORT: [u8; 8] = [0x80, RR, 0, 1, 0, 0, 0, 7];

#[test]
fn the_bytes_of_a_receiver_report_are_those_of_rfc_3550() {
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(7), blocks: blocks(1) });
    let data = write_compound(&[report]);
    assert_eq!(data[..12], [0x81, RR, 0, 7, 0, 0, 0, 7, 0, 0, 0, 0]);
    assert_eq!(data[12..16], [0, 0xFF, 0xFF, 0xFF], "24 bits of -1");
    assert_eq!(data.len(), 32);
}

#[test]
fn the_compound_of_another_implementation_is_read_and_written_alike() {
    // What roc-send 0.4 put on the wire.
    let roc = b"\x80\xC8\0\x06\x3C\x66\x7B\x64\xEE\xAD\x13\x7A\xA8\x88\xAB\x1F\
        \x1E\x21\xE3\x27\0\0\0\x28\0\0\x8A\x20\x81\xCA\0\x0B\x3C\x66\x7B\x64\x01\x24\
        6149b370-2f16-44bd-85f8-d647361d1478\0\0";
    let packets = parse_compound(roc).unwrap();
    let sender = RtcpPacket::SenderReport(SenderReport {
        ssrc: Ssrc(0x3C66_7B64),
        ntp: NtpTime::from_bits(0xEEAD_137A_A888_AB1F),
        rtp: RtpTimestamp(0x1E21_E327),
        packets: 40,
        octets: 35_360,
        blocks: vec![],
    });
    assert_eq!(packets[0], sender);
    assert!(matches!(&packets[1], RtcpPacket::SourceDescription { ssrc: Ssrc(0x3C66_7B64), .. }));
    assert_eq!(write_compound(&packets), roc[..]);
}

#[test]
fn a_compound_begins_with_a_report() {
    let description =
        RtcpPacket::SourceDescription { ssrc: Ssrc(7), cname: "cantus@host".to_owned() };
    let data = write_compound(&[description]);
    assert_eq!(parse_compound(&data), Err(RtcpError::NoReport { packet_type: SDES }));
    assert_eq!(parse_compound(&[]), Err(RtcpError::Empty));
}

#[test]
fn feedback_may_travel_alone() {
    // RFC 4585, section 6.2.1: packets 258, 259 and 274 of source 2 are missed by 1.
    let data = [0x81, RTPFB, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0x80, 1];
    let sequences = [258, 259, 274].map(Sequence).to_vec();
    let nack = RtcpPacket::Nack(Nack { sender: Ssrc(1), media: Ssrc(2), sequences });
    assert_eq!(parse_compound(&data), Ok(vec![nack.clone()]));
    assert_eq!(write_compound(&[nack]), data[..]);
    let other = [0x84, PSFB, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(parse_compound(&other), Ok(vec![RtcpPacket::Other { packet_type: PSFB }]));
}

#[test]
fn every_packet_has_version_2() {
    let data = [EMPTY_REPORT, [0x40, RR, 0, 1, 0, 0, 0, 7]].concat();
    assert_eq!(parse_compound(&data), Err(RtcpError::Version { version: 1, offset: 8 }));
}

#[test]
fn the_lengths_add_up_to_the_datagram() {
    let short = [&EMPTY_REPORT[..], &[0x80, RR, 0, 2, 0, 0, 0, 7]].concat();
    let error = RtcpError::Truncated { expected: 12, actual: 8, offset: 8 };
    assert_eq!(parse_compound(&short), Err(error));
    let rest = [&EMPTY_REPORT[..], &[0x80, RR]].concat();
    let error = RtcpError::Truncated { expected: 4, actual: 2, offset: 8 };
    assert_eq!(parse_compound(&rest), Err(error));
}

#[test]
fn only_the_last_packet_is_padded() {
    let padded = [0xA0, RR, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4];
    let empty = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(7), blocks: vec![] });
    let last = [&EMPTY_REPORT[..], &padded].concat();
    assert_eq!(parse_compound(&last), Ok(vec![empty.clone(), empty]));
    let first = [&padded[..], &EMPTY_REPORT].concat();
    assert_eq!(parse_compound(&first), Err(RtcpError::Padding { offset: 0 }));
}

#[test]
fn padding_is_neither_content_nor_longer_than_the_packet() {
    let description = [0xA1, SDES, 0, 4, 0, 0, 0, 7, 1, 1, b'c', 0, 0, 0, 0, 0, 0, 0, 0, 8];
    let data = [&EMPTY_REPORT[..], &description].concat();
    let cname = RtcpPacket::SourceDescription { ssrc: Ssrc(7), cname: "c".to_owned() };
    assert_eq!(parse_compound(&data).unwrap()[1..], [cname]);
    for padding in [0, 3, 20] {
        let mut data = data.clone();
        *data.last_mut().unwrap() = padding;
        let error = parse_compound(&data);
        assert!(matches!(error, Err(RtcpError::Padding { .. })), "{padding}: {error:?}");
    }
}

#[test]
fn packets_of_other_types_are_passed_over_unread() {
    let data = [&EMPTY_REPORT[..], &[0x9F, 204, 0, 0]].concat();
    assert_eq!(parse_compound(&data).unwrap()[1..], [RtcpPacket::Other { packet_type: 204 }]);
    assert_eq!(write_compound(&[RtcpPacket::Other { packet_type: 204 }]).len(), 0);
}

#[test]
fn the_32nd_block_goes_into_a_second_report() {
    for (count, packets) in [(31, 1), (32, 2), (62, 2), (63, 3)] {
        let report = ReceiverReport { ssrc: Ssrc(7), blocks: blocks(count) };
        let data = write_compound(&[RtcpPacket::ReceiverReport(report.clone())]);
        let parsed = parse_compound(&data).unwrap();
        assert_eq!(parsed.len(), packets, "{count} blocks");
        let again = parsed.into_iter().flat_map(|packet| match packet {
            RtcpPacket::ReceiverReport(report) => report.blocks,
            _ => vec![],
        });
        assert_eq!(again.collect::<Vec<_>>(), report.blocks);
    }
}

#[test]
fn texts_are_cut_at_255_bytes_between_characters() {
    let report = RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(7), blocks: vec![] });
    let long = "é".repeat(200);
    let bye = RtcpPacket::Bye { ssrcs: vec![Ssrc(7)], reason: Some(long.clone()) };
    let name = RtcpPacket::SourceDescription { ssrc: Ssrc(7), cname: long };
    let parsed = parse_compound(&write_compound(&[report, name, bye])).unwrap();
    let cut = "é".repeat(127);
    assert_eq!(parsed[1], RtcpPacket::SourceDescription { ssrc: Ssrc(7), cname: cut.clone() });
    assert_eq!(parsed[2], RtcpPacket::Bye { ssrcs: vec![Ssrc(7)], reason: Some(cut) });
}

#[test]
fn rtp_and_rtcp_are_told_apart_on_one_port() {
    assert!(is_rtcp(&EMPTY_REPORT));
    assert!(is_rtcp(&[0x80, 192]) && is_rtcp(&[0x80, 223]));
    assert!(!is_rtcp(&[0x80, 191]) && !is_rtcp(&[0x80, 224]));
    assert!(!is_rtcp(&[0x80, 96]) && !is_rtcp(&[0x80, 0x80 | 96]));
    assert!(!is_rtcp(&[0x40, 200]) && !is_rtcp(&[0x80]));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        first in report(),
        others in prop::collection::vec(packet(), 0..4),
    ) {
        let packets: Vec<_> = std::iter::once(first).chain(others).collect();
        prop_assert_eq!(parse_compound(&write_compound(&packets)), Ok(packets));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(
        header in prop_oneof![Just(SR), Just(RR), Just(SDES), Just(BYE), Just(RTPFB), Just(XR), any::<u8>()],
        first: u8,
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        // Framed rightly, so that the readers of content are reached.
        let words = body.len() / 4;
        let framed = [&[first & 0x3F | 0x80, header, 0, words as u8], &body[..words * 4]].concat();
        let data = [&EMPTY_REPORT[..], &framed].concat();
        if let Ok(packets) = parse_compound(&data) {
            prop_assert!(packets.len() <= 1 + MAX_COUNT);
            let sequences = packets.iter().map(|packet| match packet {
                RtcpPacket::Nack(nack) => nack.sequences.len(),
                _ => 0,
            });
            prop_assert!(sequences.sum::<usize>() <= 64 / 4 * 17);
        }
        let _ = parse_compound(&body);
    }
}
