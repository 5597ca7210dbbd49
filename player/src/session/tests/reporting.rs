//! What the player reports.

use cantus_qos::rtcp::{self, RtcpPacket, XrBlock};
use cantus_qos::spec::sdp::Retransmission;

use super::*;

#[test]
fn losses_are_told_and_never_at_the_end_of_a_packet_which_wireshark_reads_beyond() {
    let mut server = StandIn::new(200);
    server.description.tracks[0].retransmission = Some(Retransmission {
        payload_type: stand_in::payload_type(101),
        time: Duration::from_secs(1),
        reduced_size: true,
    });
    let mut house = House::new(fixed(), server);
    house.stream(0..50);
    house.stream(53..200);
    house.run(ms(10_000));
    let compounds = house.reports.iter().map(|data| rtcp::parse_compound(data).unwrap());
    let extended = compounds.flatten().filter_map(|packet| match packet {
        RtcpPacket::ExtendedReport(report) => Some(report.blocks),
        _ => None,
    });
    let is_losses = |block: &XrBlock| matches!(block, XrBlock::LossRle(_));
    let mut lost = 0;
    for blocks in extended {
        assert!(!is_losses(blocks.last().unwrap()), "{blocks:?}");
        let losses = blocks.iter().filter_map(|block| match block {
            XrBlock::LossRle(losses) => Some(losses),
            _ => None,
        });
        let runs = losses.flat_map(|losses| losses.runs());
        lost += runs.filter(|run| !run.came).map(|run| run.length).sum::<u16>();
    }
    assert_eq!(lost, 3);
}
