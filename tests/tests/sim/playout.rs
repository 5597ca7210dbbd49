//! Adaptive playout: what `auto` waits for, and how soon it follows a path that changes.

use std::time::Duration;

use cantus_bench::bound::Playback;
use cantus_bench::link::{Change, PathSpec};
use cantus_bench::sim::{Capture, Media, Outcome, Scenario, UnitFate};
use cantus_player::wish::{Carrier, Latency};
use cantus_qos::spec::Protection;
use cantus_qos::stats::{Fate, Recovery};
use cantus_qos::time::MonoTime;

use crate::stage::{LONG, assert_completed, first, play, scenario, sole};

/// `auto` without code, and requests as ever, for so many seconds, with the fates of all units.
fn auto(link: &str, seconds: i64) -> Scenario {
    let scenario = first(seconds, scenario(Media::SYNTHETIC, link, Carrier::Udp));
    Scenario {
        latency: Latency::Auto,
        protection: Protection::Off,
        capture: Capture { fates: true, ..Capture::default() },
        ..scenario
    }
}

fn playback(outcome: &Outcome) -> Playback {
    let stream = sole(outcome);
    let waited = stream.waited_ms.expect("it is told") / 20.0;
    let playback = Playback::of_stream(&outcome.fates, &stream.name).expect("units were heard");
    playback.with_waits(waited.round() as usize)
}

#[test]
fn auto_is_no_slower_than_a_neteq_like_buffer_on_the_same_arrivals() {
    // Its medians from the source to the decoder, and the share that it decodes out of order.
    for (link, median, late) in [
        ("wifi", 50.0, 0.0),
        ("bursty", 86.0, 0.0),
        ("bad", 137.0, 0.0),
        ("heavy", 70.0, 0.0),
        ("storm", 112.0, 0.121),
    ] {
        let outcome = play(&LONG, &auto(link, 120));
        assert_completed(&outcome);
        let stream = sole(&outcome);
        let delay = stream.delay_ms.p50.expect("units were heard");
        assert!(delay <= median, "{link}: {delay} ms");
        // What came again came too late for either.
        let is_late = |fate: &&UnitFate| {
            fate.record.fate == Fate::Late && fate.record.recovery == Recovery::None
        };
        let came_late = outcome.fates.iter().filter(is_late).count();
        assert!(came_late as f64 <= late * stream.expected as f64, "{link}: {came_late}");
    }
}

#[test]
fn auto_waits_little_longer_than_the_best_constant_delay_that_interrupts_as_long() {
    for link in ["wifi", "bursty", "bad", "heavy", "storm", "bursty-t", "bad-t"] {
        let outcome = play(&LONG, &auto(link, 120).with_seed(2));
        let playback = playback(&outcome);
        let best = playback.bound_without_waits().expect("units came").constant;
        let ratio = playback.mean.as_secs_f64() / best.as_secs_f64();
        assert!(ratio <= 1.15, "{link}: {:?} is {ratio} of {best:?}", playback.mean);
    }
}

#[test]
fn where_a_path_stands_still_auto_waits_less_than_any_constant_delay_with_as_few_late() {
    for link in ["umts", "lte"] {
        let playback = playback(&play(&LONG, &auto(link, 120)));
        let best = playback.bound().expect("units came").constant;
        assert!(playback.mean <= best.mul_f64(0.9), "{link}: {:?} of {best:?}", playback.mean);
    }
}

/// Every 20 s another link.
fn changing() -> PathSpec {
    let links = ["wifi", "bursty", "thin", "clean", "bad"];
    let mut changes = links.iter().zip(0..).map(|(link, number)| Change {
        at: Duration::from_secs(20 * number),
        link: link.parse().expect("a standing link"),
    });
    let first = changes.next().expect("a link").link;
    PathSpec { changes: changes.collect(), ..first.into() }
}

/// From sending to being heard, in milliseconds, of the units sent in these seconds.
fn delays(outcome: &Outcome, seconds: std::ops::Range<u64>) -> Vec<f64> {
    let span =
        MonoTime::from_millis(1_000 * seconds.start)..MonoTime::from_millis(1_000 * seconds.end);
    let heard = outcome.fates.iter().filter(|fate| fate.record.fate == Fate::Played);
    let delays = heard.filter_map(|fate| {
        let (sent, played) = (fate.record.sent?, fate.record.played?);
        span.contains(&sent).then(|| played.since(sent).as_secs_f64() * 1e3)
    });
    delays.collect()
}

/// What the path that changes makes of three seeds, and which of them it is.
fn across_changes(
    protections: impl IntoIterator<Item = Protection>,
) -> impl Iterator<Item = (String, Outcome)> {
    let scenario = || Scenario { path: changing(), ..auto("clean", 100) };
    protections.into_iter().flat_map(move |protection| {
        (1..=3).map(move |seed| {
            let outcome = play(&LONG, &Scenario { protection, ..scenario() }.with_seed(seed));
            assert_completed(&outcome);
            (format!("{protection:?}, seed {seed}"), outcome)
        })
    })
}

#[test]
fn auto_is_settled_within_five_seconds_of_each_change_of_the_path() {
    for (way, outcome) in across_changes([Protection::Off, Protection::Auto]) {
        for change in (0..100).step_by(20) {
            let mean = |from: u64, to: u64| {
                let delays = delays(&outcome, change + from..change + to);
                delays.iter().sum::<f64>() / delays.len() as f64
            };
            let (soon, settled) = (mean(5, 8), mean(10, 19));
            let most = (0.15 * settled).max(12.0);
            let apart = (soon - settled).abs();
            assert!(apart <= most, "{way}, from {change} s on: {soon}, then {settled} ms");
        }
    }
}

#[test]
fn a_path_that_changes_makes_no_stall_of_200_ms() {
    for (way, outcome) in across_changes([Protection::Off, Protection::Auto]) {
        let heard = outcome.fates.iter().filter(|fate| fate.record.fate == Fate::Played);
        let mut heard: Vec<(u64, MonoTime)> =
            heard.filter_map(|fate| Some((fate.record.sequence, fate.record.played?))).collect();
        heard.sort();
        for pair in heard.windows(2) {
            let [(before, at), (after, next)] = [pair[0], pair[1]];
            // What the network lost is missing in any case.
            let lost = Duration::from_millis(20) * (after - before - 1) as u32;
            let stall = next.since(at).saturating_sub(Duration::from_millis(20) + lost);
            assert!(stall <= Duration::from_millis(200), "{way}: {stall:?} before unit {after}");
        }
    }
}

/// `auto` with these terms beside it.
fn promised(link: &str, terms: &str) -> Scenario {
    Scenario { promise: terms.parse().expect("terms"), ..auto(link, 120) }
}

#[test]
fn auto_waits_for_repair_as_long_as_the_promised_loss_asks_for_and_no_longer() {
    for link in ["bursty", "bad", "heavy", "storm"] {
        let of = |terms| {
            let outcome = play(&LONG, &promised(link, terms));
            let stream = sole(&outcome);
            let delay = stream.delay_ms.p50.expect("units were heard");
            (stream.residual.expect("units were expected"), delay)
        };
        let ((none, soon), (much, later), (little, last)) =
            (of(""), of("loss<=3%"), of("loss<=1%"));
        assert!(none > 0.03 && much <= 0.03 && little <= 0.01, "{link}: {none} {much} {little}");
        assert!(soon < later && later < last, "{link}: {soon} {later} {last} ms");
    }
}

#[test]
fn a_promised_delay_bounds_what_auto_waits_for_repair() {
    let outcome = play(&LONG, &promised("bad", "delay<=250ms,loss<=1%"));
    let stream = sole(&outcome);
    assert!(stream.delay_ms.max.expect("units were heard") <= 250.0, "{:?}", stream.delay_ms);
    assert!(stream.delay_ms.p50.expect("units were heard") >= 200.0, "{:?}", stream.delay_ms);
}

#[test]
fn code_is_sent_to_auto_only_as_far_as_it_can_be_in_time() {
    let of = |link, protection| {
        let outcome = play(&LONG, &Scenario { protection, ..auto(link, 60) });
        let stream = sole(&outcome);
        let cost = stream.bytes.repair as f64 / stream.bytes.media as f64;
        (cost, stream.residual.expect("units were expected"))
    };
    // Bursts are longer than auto waits there.
    let (cost, _) = of("bad", Protection::Auto);
    assert!(cost < 0.1, "{cost}");
    let (cost, coded) = of("heavy", Protection::Auto);
    let (_, plain) = of("heavy", Protection::Off);
    assert!(cost < 0.8 && coded < 0.6 * plain, "{cost}: {coded} of {plain}");
}

#[test]
fn what_comes_late_and_in_order_is_heard_all_the_same() {
    let outcome = play(&LONG, &auto("delay 40ms 15ms distribution normal keep-order", 60));
    let stream = sole(&outcome);
    assert_eq!((stream.late, stream.residual), (0, Some(0.0)));
    assert!(stream.waited_ms.expect("it is told") > 0.0);
}
