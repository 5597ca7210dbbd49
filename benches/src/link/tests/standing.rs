//! The standing links.

use super::*;

use rand::RngExt;

#[test]
fn every_standing_link_delivers_most_of_a_stream() {
    for (name, words) in STANDING_LINKS {
        let spec = LinkSpec::named(name).unwrap();
        assert_eq!(spec, words.parse().unwrap(), "{name}");
        let count = 3_000;
        let arrivals = send(&mut Link::new(&spec, SEED).unwrap(), count, TICK, 300);
        assert!(arrivals.len() as u64 > count / 2, "{name}: {}", arrivals.len());
    }
}

#[test]
fn thin_has_a_queue_of_fifty_behind_its_delay() {
    for (sent, delivered) in [(50, 50), (51, 50), (80, 50)] {
        let mut link = link("thin");
        let arrivals = send(&mut link, sent, Duration::ZERO, 200);
        assert_eq!(arrivals.len(), delivered);
        assert_eq!(link.counts().overflowed, sent - delivered as u64);
    }
}

#[test]
fn a_real_trace_takes_the_place_of_the_generated_one_where_it_is_there() {
    let directory = std::env::temp_dir().join(format!("cantus-traces-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(Carrier::Lte.file_name()), "4\n10\n").unwrap();
    let lte = LinkSpec::named("lte").unwrap().with_traces_from(&directory);
    let umts = LinkSpec::named("umts").unwrap().with_traces_from(&directory);
    let arrivals = send(&mut Link::new(&lte, SEED).unwrap(), 3, Duration::ZERO, 1500);
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(delays(&arrivals), [30.0, 34.0, 40.0]);
    assert_eq!(umts.trace, Some(TraceSource::Generated(Carrier::Umts)));
}

/// Figures measured with a seed stay comparable while the seed loses the same packets: number n of
/// the stream decides about packet n, whatever is done to that number on the way.
#[test]
fn a_seed_loses_the_packets_it_always_lost() {
    let count = 20_000;
    let lost_by = |name| {
        let mut link = Link::new(&LinkSpec::named(name).unwrap(), SEED).unwrap();
        lost(&send(&mut link, count, TICK, 200), count)
    };

    let mut rng = random::stream(SEED, random::Role::Loss);
    let _: f64 = rng.random();
    let heavy: Vec<bool> = (0..count).map(|_| rng.random::<f64>() < 0.2).collect();
    assert_eq!(lost_by("heavy"), heavy);

    let mut rng = random::stream(SEED, random::Role::LossChain);
    let mut is_bad = false;
    let bursty = (0..count).map(|_| {
        let lost = is_bad;
        is_bad ^= rng.random::<f64>() < if is_bad { 0.25 } else { 0.01 };
        lost
    });
    let bursty: Vec<bool> = bursty.collect();
    assert_eq!(lost_by("bursty"), bursty);
}
