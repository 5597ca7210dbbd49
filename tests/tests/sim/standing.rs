//! The standing links of the bench.

use cantus_bench::link::STANDING_LINKS;
use cantus_player::wish::Carrier;

use crate::stage::{CARRIERS, LONG, SAMPLES, assert_completed, first, play, scenario};

fn same_twice(carrier: Carrier) {
    for (link, _) in STANDING_LINKS {
        let scenario = first(20, scenario("narration", link, carrier)).with_seed(3);
        let [one, two] = [play(&SAMPLES, &scenario), play(&SAMPLES, &scenario)];
        assert_eq!(one.report.to_json(), two.report.to_json(), "{link}");
        assert_eq!((one.there, one.back), (two.there, two.back), "{link}");
        assert_eq!((one.cues, one.log), (two.cues, two.log), "{link}");
        assert_eq!(one.elapsed, two.elapsed, "{link}");
    }
}

#[test]
fn the_same_seed_gives_the_same_report_over_udp() {
    same_twice(Carrier::Udp);
}

#[test]
fn the_same_seed_gives_the_same_report_over_quic() {
    same_twice(Carrier::Quic);
}

#[test]
fn another_seed_gives_another_report_where_there_is_luck() {
    let on = |seed| {
        let scenario = first(20, scenario("narration", "bursty", Carrier::Udp));
        play(&SAMPLES, &scenario.with_seed(seed)).report
    };
    assert_ne!(on(1), on(2));
}

#[test]
fn no_cue_is_missing_on_any_standing_link() {
    for carrier in CARRIERS {
        for (link, _) in STANDING_LINKS {
            for seed in 1..=3 {
                let scenario = first(120, scenario("synthetic", link, carrier)).with_seed(seed);
                let outcome = play(&LONG, &scenario);
                assert_completed(&outcome);
                let ids: Vec<u32> = outcome.cues.iter().map(|shown| shown.cue.id).collect();
                assert_eq!(ids, (1..=48).collect::<Vec<_>>(), "{link} {carrier:?} seed {seed}");
            }
        }
    }
}

#[test]
fn a_link_without_luck_is_played_whole() {
    for carrier in CARRIERS {
        for link in ["delay 40ms", "delay 150ms", "delay 30ms rate 400kbit limit 50"] {
            crate::stage::assert_whole(&play(&SAMPLES, &scenario("narration", link, carrier)));
        }
    }
}
