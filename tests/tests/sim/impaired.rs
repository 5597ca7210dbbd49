//! One impairment at a time, and packets taken away one by one.

use cantus_bench::duplex::Kind;
use cantus_bench::sim::{Media, Outcome, Passing, Scenario, Verdict};
use cantus_player::wish::Carrier;
use cantus_qos::fec::block::BlockShape;
use cantus_qos::spec::Protection;

use crate::stage::{
    CARRIERS, SAMPLES, assert_completed, assert_whole, play, play_with, scenario, sole,
};

/// Packets to the player of one kind that `lost` names are lost.
fn losing(kind: Kind, lost: impl Fn(u64) -> bool) -> impl FnMut(&Passing) -> Verdict {
    use cantus_bench::duplex::Direction;
    move |passing| {
        let here = passing.direction == Direction::ToClient && passing.kind == kind;
        if here && lost(passing.index) { Verdict::Drop } else { Verdict::Pass }
    }
}

fn narration(protection: Protection) -> Scenario {
    without_retransmission(scenario("narration", "delay 30ms", Carrier::Udp))
        .with_protection(protection)
}

/// What repair alone does: nothing is asked for again.
fn without_retransmission(scenario: Scenario) -> Scenario {
    Scenario { retransmission: false, ..scenario }
}

fn play_losing(scenario: &Scenario, hook: impl FnMut(&Passing) -> Verdict) -> Outcome {
    let media: &Media = &SAMPLES;
    let outcome = play_with(media, scenario, hook);
    assert_completed(&outcome);
    outcome
}

#[test]
fn at_200_ms_no_unit_is_late_for_30_ms_of_jitter() {
    for carrier in CARRIERS {
        for link in [
            "delay 60ms 30ms distribution normal keep-order",
            "delay 60ms 30ms distribution normal",
            "delay 60ms 30ms",
        ] {
            assert_whole(&play(&SAMPLES, &scenario("narration", link, carrier)));
        }
    }
}

#[test]
fn reordering_and_duplication_alone_lose_nothing() {
    for carrier in CARRIERS {
        let link = "delay 40ms duplicate 20% reorder 25% gap 3";
        let outcome = play(&SAMPLES, &scenario("narration", link, carrier));
        assert_whole(&outcome);
        assert!(outcome.there.duplicated > 0 && outcome.there.reordered > 0);
        if carrier == Carrier::Udp {
            let stream = sole(&outcome);
            assert!(stream.duplicate > 0 && stream.reordered > 0, "and the report tells");
        }
    }
}

#[test]
fn the_first_packets_may_be_lost() {
    for count in [1, 10, 100] {
        let bare = narration(Protection::Off);
        let outcome = play_losing(&bare, losing(Kind::Media, |index| index < count));
        let stream = sole(&outcome);
        assert_eq!((stream.expected, stream.lost_network), (3_050, count));
        assert_eq!((stream.late, stream.recovered_fec), (0, 0));
        assert_eq!(stream.loss_runs.get(&(count as u32)), Some(&1));
        assert_eq!(stream.residual, Some(count as f64 / 3_050.0));
    }
}

#[test]
fn the_first_packet_of_a_block_is_repaired_as_any_other() {
    let outcome = play_losing(&narration(Protection::Auto), losing(Kind::Media, |i| i == 0));
    let stream = sole(&outcome);
    assert_eq!((stream.lost_network, stream.recovered_fec), (1, 1));
    assert_eq!(stream.residual, Some(0.0));
}

/// Blocks of five and three: the block that begins with unit 500 loses `count` units.
fn losing_of_a_block(count: u64) -> Outcome {
    let shape = BlockShape::new(5, 3).expect("a block");
    let lost = losing(Kind::Media, move |index| (500..500 + count).contains(&index));
    play_losing(&narration(Protection::Fixed(shape)), lost)
}

#[test]
fn a_block_gives_back_as_many_units_as_it_has_repair() {
    let outcome = losing_of_a_block(3);
    let stream = sole(&outcome);
    assert_eq!((stream.lost_network, stream.recovered_fec), (3, 3));
    assert_eq!((stream.residual, stream.concealed_ms), (Some(0.0), Some(0.0)));
}

#[test]
fn a_block_that_lost_one_more_gives_back_none_and_playback_goes_on() {
    let outcome = losing_of_a_block(4);
    let stream = sole(&outcome);
    assert_eq!((stream.lost_network, stream.recovered_fec), (4, 0));
    assert_eq!(stream.concealed_ms, Some(80.0));
}

#[test]
fn a_whole_block_with_its_repair_may_be_lost() {
    use cantus_bench::duplex::Direction;
    let shape = BlockShape::new(5, 3).expect("a block");
    let outcome = play_losing(&narration(Protection::Fixed(shape)), |passing| {
        let lost = match passing.kind {
            Kind::Media => (500..505).contains(&passing.index),
            Kind::Repair => (300..303).contains(&passing.index),
            _ => false,
        };
        let here = passing.direction == Direction::ToClient;
        if here && lost { Verdict::Drop } else { Verdict::Pass }
    });
    let stream = sole(&outcome);
    assert_eq!((stream.lost_network, stream.recovered_fec, stream.late), (5, 0, 0));
    assert_eq!(stream.residual, Some(5.0 / 3_050.0));
    assert_eq!(stream.concealed_ms, Some(100.0));
}

#[test]
fn without_any_rtcp_of_the_streamer_playback_goes_on_beyond_the_time_out_of_the_session() {
    let rtcp = losing(Kind::Rtcp, |_| true);
    let outcome = play_losing(&narration(Protection::Auto), rtcp);
    assert_whole(&outcome);
    assert!(outcome.elapsed.as_secs() > 60, "{:?}", outcome.elapsed);
}

#[test]
fn without_any_repair_what_the_network_loses_is_what_is_missing() {
    let lossy = without_retransmission(scenario("narration", "heavy", Carrier::Udp));
    let outcome = play_losing(&lossy, losing(Kind::Repair, |_| true));
    let stream = sole(&outcome);
    assert_eq!((stream.recovered_fec, stream.bytes.repair), (0, 0));
    let missing = (stream.lost_network + stream.late) as f64 / stream.expected as f64;
    assert!(missing > 0.15);
    assert_eq!(stream.residual, Some(missing));
}
