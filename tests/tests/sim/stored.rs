//! `--latency stored`: a reliable stream, which stands still rather than lose anything.

use std::time::Duration;

use cantus_bench::duplex::{Direction, Kind};
use cantus_bench::sim::{Media, Outcome, Passing, Scenario, Verdict};
use cantus_player::wish::{Carrier, Latency};
use cantus_qos::rtcp::{self, RtcpPacket};
use cantus_qos::spec::Protection;
use cantus_qos::time::MonoTime;

use crate::stage::{
    CARRIERS, LONG, SAMPLES, assert_completed, first, play, play_with, scenario, sole,
};

/// Links that lose or hold back, but are never down for seconds.
const STANDING: [&str; 9] =
    ["clean", "wifi", "bursty", "bursty-t", "bad", "bad-t", "heavy", "storm", "thin"];

/// A latency that a conversation bears.
const FIXED: Duration = Duration::from_millis(200);

fn stored(seconds: i64, link: &str, carrier: Carrier) -> Scenario {
    let whole = scenario(Media::SYNTHETIC, link, carrier);
    first(seconds, Scenario { latency: Latency::Stored, ..whole })
}

/// Every unit was heard, however long it was waited for.
#[track_caller]
fn assert_nothing_lost(outcome: &Outcome, what: &str) {
    assert!(outcome.is_completed(), "{what}: {:?}", outcome.ending);
    let stream = sole(outcome);
    assert!(stream.expected > 0);
    assert_eq!((stream.late, stream.residual), (0, Some(0.0)), "{what}");
}

/// What it took beyond 280 bytes a frame, both ways, in shares of that.
fn overhead(outcome: &Outcome) -> f64 {
    let stream = sole(outcome);
    let all = stream.bytes.total() as f64;
    all / (280 * stream.expected) as f64 - 1.0
}

/// What leaves for the player between two instants, in seconds, is lost.
fn outage(from: u64, until: u64) -> impl FnMut(&Passing) -> Verdict {
    let down = MonoTime::from_millis(from * 1_000)..MonoTime::from_millis(until * 1_000);
    move |passing| match down.contains(&passing.now) {
        true if passing.direction == Direction::ToClient => Verdict::Drop,
        _ => Verdict::Pass,
    }
}

#[test]
fn stored_media_loses_nothing_on_any_link_that_is_not_down_and_begins_within_three_seconds() {
    for carrier in CARRIERS {
        for link in STANDING {
            for seed in [1, 2] {
                let outcome = play(&LONG, &stored(30, link, carrier).with_seed(seed));
                assert_nothing_lost(&outcome, &format!("{link}, {carrier:?}, seed {seed}"));
                let start = outcome.report.first_sound_ms.unwrap();
                assert!(start <= 3_000.0, "{link}, {carrier:?}, seed {seed}: {start} ms");
            }
        }
    }
}

#[test]
fn stored_media_begins_early_and_ends_deep() {
    for (carrier, round_trips) in [(Carrier::Udp, 5.0), (Carrier::Quic, 3.0)] {
        let outcome = play(&LONG, &stored(60, "delay 40ms", carrier));
        assert_nothing_lost(&outcome, "a link without loss");
        assert_eq!(sole(&outcome).stalls, Some(0));
        let report = &outcome.report;
        let start = report.first_sound_ms.unwrap();
        assert!(start <= 300.0 + round_trips * 80.0, "{carrier:?}: {start} ms");
        assert!(report.buffer_ms.max.unwrap() >= 28_000.0, "{:?}", report.buffer_ms);
    }
}

#[test]
fn in_ten_minutes_stored_media_loses_nothing_and_pays_less_for_it_than_a_fixed_latency() {
    for (link, most) in [("bursty-t", 0.25), ("bad", 0.5), ("heavy", 0.5)] {
        let stored = stored(600, link, Carrier::Udp);
        let fixed = Scenario { latency: Latency::Fixed(FIXED), ..stored.clone() };
        let (stored, fixed) = (play(&LONG, &stored), play(&LONG, &fixed));
        assert_nothing_lost(&stored, link);
        let overheads = (overhead(&stored), overhead(&fixed));
        assert!(overheads.0 <= most && overheads.0 < overheads.1, "{link}: {overheads:?}");
    }
}

#[test]
fn an_outage_shorter_than_what_is_buffered_is_not_even_heard() {
    // QUIC doubles the time between its probes, and may take as long again to notice the end.
    for (carrier, until) in [(Carrier::Udp, 20), (Carrier::Quic, 16)] {
        let outcome = play_with(&LONG, &stored(60, "delay 40ms", carrier), outage(12, until));
        assert_nothing_lost(&outcome, "seconds of outage");
        assert_eq!(sole(&outcome).stalls, Some(0), "{carrier:?}");
    }
}

#[test]
fn an_outage_longer_than_what_is_buffered_is_waited_for() {
    let outcome = play_with(&LONG, &stored(30, "delay 40ms", Carrier::Udp), outage(2, 8));
    assert_nothing_lost(&outcome, "six seconds of outage");
    let stream = sole(&outcome);
    assert!(stream.stalls >= Some(1), "{:?}", stream.stalls);
    assert!((2_000.0..6_000.0).contains(&stream.waited_ms.unwrap()), "{:?}", stream.waited_ms);
}

#[test]
fn playback_that_has_fallen_far_behind_gets_what_it_misses_and_is_not_flooded() {
    // Half of the time nothing comes, and the rest is not enough to catch up.
    let link = "delay 40ms rate 160kbit limit 200";
    for carrier in CARRIERS {
        let outcome = play_with(&LONG, &stored(60, link, carrier), |passing| {
            let seconds = passing.now.since(MonoTime::ZERO).as_secs();
            match passing.direction == Direction::ToClient && seconds % 8 >= 4 {
                true => Verdict::Drop,
                false => Verdict::Pass,
            }
        });
        assert_nothing_lost(&outcome, "a path that is down half of the time");
        let stream = sole(&outcome);
        assert!(stream.waited_ms >= Some(15_000.0), "{carrier:?}: {:?}", stream.waited_ms);
        assert!(outcome.report.buffer_ms.max.unwrap() <= 32_000.0, "{carrier:?}");
    }
}

#[test]
fn what_is_held_lets_stored_media_keep_its_rate_where_the_path_is_narrow_for_a_while() {
    let outcome = play(&LONG, &stored(120, "lte", Carrier::Udp));
    assert_nothing_lost(&outcome, "a path that is narrow now and then");
    let stream = sole(&outcome);
    // 96 kbit/s in frames of 20 ms.
    assert!(stream.bytes.media >= stream.expected * 240 * 99 / 100, "{:?}", stream.bytes);
}

#[test]
fn what_is_lost_at_the_very_end_is_asked_for_though_the_server_has_said_goodbye() {
    let scenario = stored(4, "delay 40ms", Carrier::Udp);
    let mut goodbyes = 0;
    let outcome = play_with(&LONG, &scenario, |passing| {
        let is_goodbye = |packet: &RtcpPacket| matches!(packet, RtcpPacket::Bye { .. });
        let reports = rtcp::parse_compound(&passing.data).unwrap_or_default();
        let here = passing.direction == Direction::ToClient;
        goodbyes += u32::from(here && reports.iter().any(is_goodbye));
        match here && passing.kind == Kind::Media && passing.index >= 190 {
            true => Verdict::Drop,
            false => Verdict::Pass,
        }
    });
    assert_nothing_lost(&outcome, "the last ten units");
    assert!(goodbyes > 0);
    assert_eq!(sole(&outcome).lost_network, 10);
}

#[test]
fn what_is_lost_at_the_very_beginning_is_waited_for() {
    for carrier in CARRIERS {
        let link = "delay 40ms loss gemodel 3% 20%";
        let scenario = stored(3, link, carrier).with_protection(Protection::Off);
        for seed in 1..=20 {
            let outcome = play(&LONG, &scenario.clone().with_seed(seed));
            assert_nothing_lost(&outcome, &format!("{carrier:?}, seed {seed}"));
        }
    }
}

#[test]
fn two_tracks_wait_for_each_other_and_lose_nothing() {
    for carrier in CARRIERS {
        let duet = first(20, scenario("duet", "bad", carrier));
        let outcome = play(&SAMPLES, &Scenario { latency: Latency::Stored, ..duet });
        assert!(outcome.is_completed(), "{:?}", outcome.ending);
        assert_eq!(outcome.audio().count(), 2);
        for stream in outcome.audio() {
            assert_eq!((stream.late, stream.residual), (0, Some(0.0)), "{}", stream.name);
        }
    }
}

#[test]
fn without_fec_stored_media_waits_for_what_was_asked_for_again() {
    let bare = scenario("narration", "delay 40ms loss random 5%", Carrier::Udp);
    let bare = Scenario { latency: Latency::Stored, ..bare.with_protection(Protection::Off) };
    let outcome = play(&SAMPLES, &bare);
    assert_nothing_lost(&outcome, "five percent");
    assert!(sole(&outcome).network_loss() > Some(0.03));
}

#[test]
fn where_nothing_is_asked_for_again_a_code_keeps_four_losses_in_five() {
    for link in ["bursty", "heavy"] {
        let bare = Scenario { retransmission: false, ..stored(60, link, Carrier::Udp) };
        let outcome = play(&LONG, &bare);
        assert_completed(&outcome);
        let stream = sole(&outcome);
        assert_eq!(stream.recovered_retransmission, 0);
        let kept = 1.0 - stream.residual.unwrap() / stream.network_loss().unwrap();
        assert!(kept >= 0.8, "{link}: {kept}");
    }
}
