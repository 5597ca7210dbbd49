//! Circuit breakers (RFC 8083): what nobody hears is not sent on, and what somebody hears is.

use std::time::Duration;

use cantus_bench::duplex::{Direction, Kind};
use cantus_bench::link::STANDING_LINKS;
use cantus_bench::sim::{Outcome, Passing, Scenario, Verdict};
use cantus_player::wire::Ending;
use cantus_player::wish::{Carrier, Latency};
use cantus_qos::time::MonoTime;
use cantus_streamer::encoding::Codec;

use crate::stage::{CARRIERS, LONG, SAMPLES, assert_completed, first, play, play_with, scenario};

/// When the path breaks.
const BREAKS: MonoTime = MonoTime::from_millis(5_000);

/// A minute of speech, of which `gone` is not let through from five seconds on; when the streamer
/// sent its last packet of media.
fn broken(scenario: &Scenario, gone: impl Fn(&Passing) -> bool) -> (Outcome, Duration) {
    let mut last = MonoTime::ZERO;
    let outcome = play_with(&SAMPLES, scenario, |passing| {
        if passing.direction == Direction::ToClient && passing.kind == Kind::Media {
            last = passing.now;
        }
        if passing.now >= BREAKS && gone(passing) { Verdict::Drop } else { Verdict::Pass }
    });
    assert_eq!(outcome.sessions_left, 0, "the session is over");
    (outcome, last.since(BREAKS))
}

fn narration(carrier: Carrier) -> Scenario {
    scenario("narration", "delay 40ms", carrier)
}

#[track_caller]
fn line(outcome: &Outcome) -> String {
    match &outcome.ending {
        Some(Ending::Failed(why)) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn where_no_media_gets_through_and_reports_do_the_streamer_stops_and_the_player_says_why() {
    let (outcome, last) = broken(&narration(Carrier::Udp), |passing| {
        passing.direction == Direction::ToClient
            && matches!(passing.kind, Kind::Media | Kind::Repair)
    });
    assert!((15..=17).contains(&last.as_secs()), "fifteen seconds and a report: {last:?}");
    let line = line(&outcome);
    let why = "reports of the listener say that nothing has arrived for";
    assert!(line.starts_with("the server has ended the session, because"), "{line}");
    assert!(line.contains(why), "{line}");
}

#[test]
fn where_no_report_gets_through_the_streamer_stops_after_three_intervals_of_five_seconds() {
    {
        let (outcome, last) =
            broken(&narration(Carrier::Udp), |passing| passing.direction == Direction::ToServer);
        assert!((14..=15).contains(&last.as_secs()), "{last:?}");
        let line = line(&outcome);
        assert!(line.contains("no report has come from the listener for 15 s"), "{line}");
    }
}

#[test]
fn live_media_goes_on_after_an_outage_longer_than_those_of_a_mobile_path() {
    // QUIC's probes come ever more rarely: after seven seconds the next may take as long.
    for (carrier, back_at) in [(Carrier::Udp, 20), (Carrier::Quic, 17)] {
        let outcome = play_with(&SAMPLES, &narration(carrier), |passing| {
            let second = passing.now.since(MonoTime::ZERO).as_secs();
            if (10..back_at).contains(&second) { Verdict::Drop } else { Verdict::Pass }
        });
        assert!(outcome.is_completed(), "{carrier:?}: {:?} {:?}", outcome.ending, outcome.elapsed);
    }
}

#[test]
fn stored_media_outlasts_an_outage_as_long_as_what_is_buffered() {
    let stored = Scenario { latency: Latency::Stored, ..narration(Carrier::Udp) };
    let mut dropped = 0;
    let outcome = play_with(&SAMPLES, &stored, |passing| {
        let during = (20..29).contains(&passing.now.since(MonoTime::ZERO).as_secs());
        dropped += u64::from(during);
        if during { Verdict::Drop } else { Verdict::Pass }
    });
    assert!(dropped > 100);
    assert_completed(&outcome);
}

#[test]
fn every_standing_link_is_played_to_its_end() {
    for carrier in CARRIERS {
        for (link, _) in STANDING_LINKS {
            for latency in [Latency::Fixed(Duration::from_millis(200)), Latency::Stored] {
                let scenario = first(40, scenario("synthetic", link, carrier)).with_seed(4);
                let scenario = Scenario { latency, ..scenario };
                let outcome = play(&LONG, &scenario);
                assert_completed(&outcome);
            }
        }
    }
}

#[test]
fn ten_times_what_tcp_would_send_is_ended() {
    // Music in L16 takes 170 packets a second, its repair as many: where a third of them is lost
    // and the round trip is a fifth of a second, TCP would send ten.
    let link = "delay 150ms loss 35%";
    let codec = Codec::L16;
    let scenario = first(60, scenario("music", link, Carrier::Udp));
    let outcome = play(&SAMPLES, &Scenario { codec, ..scenario });
    let line = line(&outcome);
    assert!(line.contains("the path is congested"), "{line}");
    assert!(outcome.elapsed.as_secs() < 20, "{:?}", outcome.elapsed);
}
