//! Reading and writing links.

use super::*;

use cantus_qos::quantity::Bitrate;
use proptest::prelude::*;

fn share(percent: f64) -> Share {
    Share::of(percent / 100.0).unwrap()
}

fn chance(percent: f64, correlation: f64) -> Option<Chance> {
    Some(Chance { share: share(percent), correlation: share(correlation) })
}

#[test]
fn every_clause_of_netem_is_read() {
    let read = spec(
        "limit 2k delay 100ms 10ms 25% distribution pareto loss random 0.3% 25% ecn \
         corrupt 0.1% 5% duplicate 1% 2% reorder 25% 50% gap 5 rate 5kbit 20 100 5 \
         slot 800us 1ms packets 32 bytes 64k seed 99",
    );
    let expected = LinkSpec {
        delay: Duration::from_millis(100),
        jitter: Some(Jitter {
            deviation: Duration::from_millis(10),
            correlation: share(25.0),
            distribution: Distribution::Pareto,
        }),
        loss: Loss::Random(chance(0.3, 25.0).unwrap()),
        ecn: true,
        duplicate: chance(1.0, 2.0),
        corrupt: chance(0.1, 5.0),
        reorder: Some(Reorder { chance: chance(25.0, 50.0).unwrap(), gap: 5 }),
        rate: Some(Rate {
            bitrate: Bitrate::from_kbps(5),
            packet_overhead: 20,
            cell_size: 100,
            cell_overhead: 5,
        }),
        slot: Some(Slot {
            pause: Pause::Between(Duration::from_micros(800), Duration::from_millis(1)),
            packets: Some(32),
            bytes: Some(65536),
        }),
        limit: 2048,
        seed: Some(99),
        ..LinkSpec::default()
    };
    assert_eq!(read, expected);
}

#[test]
fn lines_of_a_script_work_as_they_stand() {
    for (line, words) in [
        ("tc qdisc add dev eth0 root netem delay 100ms", "delay 100ms"),
        ("tc qdisc add dev eth0 root handle 1: netem delay 10ms 100ms", "delay 10ms 100ms"),
        ("# tc qdisc change dev eth0 root netem loss 0.3% 25%", "loss 0.3% 25%"),
        (
            "$ sudo /sbin/tc qdisc replace dev wlan0 root netem rate 5kbit 20 100 5",
            "rate 5kbit 20 100 5",
        ),
        (
            "tc qdisc add dev eth0 parent 30:1 handle 31: \\\n   netem delay 200ms 10ms distribution normal",
            "delay 200ms 10ms distribution normal",
        ),
        ("netem delay 10ms", "delay 10ms"),
        ("thin tc qdisc add dev lo root netem loss 1%", "thin loss 1%"),
        ("thin netem loss 1%", "thin loss 1%"),
    ] {
        assert_eq!(spec(line), spec(words), "{line}");
    }
}

#[test]
fn words_are_cut_short_as_in_tc() {
    for (short, long) in [
        ("d 10ms 1ms dist normal", "delay 10ms 1ms distribution normal"),
        ("lat 10ms", "delay 10ms"),
        ("l 5", "limit 5"),
        ("lo 1%", "loss 1%"),
        ("drop 1%", "loss 1%"),
        ("du 1%", "duplicate 1%"),
        ("delay 1ms re 5% g 3", "delay 1ms reorder 5% gap 3"),
        ("ra 8kbit", "rate 8kbit"),
        ("s 5", "seed 5"),
        ("sl 1ms", "slot 1ms"),
        ("c 1%", "corrupt 1%"),
    ] {
        assert_eq!(spec(short), spec(long), "{short}");
    }
}

#[test]
fn words_stand_in_any_order() {
    let expected = spec("delay 10ms 2ms distribution normal loss 1% ecn reorder 5% gap 3");
    let turned = "gap 3 ecn distribution normal reorder 5% loss 1% delay 10ms 2ms";
    assert_eq!(spec(turned), expected);
    let stepped = "step 20ms loss gemodel 1%";
    assert_eq!(spec(stepped), spec("loss gemodel 1% step 20ms"));
    assert_eq!(spec("queue 9 rate 8kbit"), spec("rate 8kbit queue 9"));
}

#[test]
fn bare_numbers_have_the_units_of_tc() {
    assert_eq!(spec("delay 40000 5000 1 loss 1 25"), spec("delay 40ms 5ms 1% loss 1% 25%"));
    assert_eq!(spec("rate 160000"), spec("rate 160kbit"));
    assert_eq!(spec("slot 800"), spec("slot 800ns"));
    assert_eq!(spec("rate 20kbps"), spec("rate 160kbit"));
}

#[test]
fn what_is_not_said_is_what_netem_takes() {
    let none = Share::NONE;
    let step = Step::PerPacket;
    let (p, r) = (share(10.0), share(10.0).rest());
    let gemodel = Loss::GilbertElliott { p, r, bad: Share::WHOLE, good: none, step };
    assert_eq!(spec("loss gemodel 10%").loss, gemodel);
    let state = Loss::State { p13: p, p31: r, p32: none, p23: Share::WHOLE, p14: none };
    assert_eq!(spec("loss state 10%").loss, state);
    assert_eq!(spec("delay 1ms reorder 5%").reorder.map(|reorder| reorder.gap), Some(1));
    assert_eq!(spec("delay 1ms reorder 5% gap 0"), spec("delay 1ms reorder 5%"));
    assert_eq!(spec("").limit, 1000);
    assert_eq!(spec("slot 2ms"), spec("slot 2ms 2ms packets 0 bytes 0"));
    assert_eq!(spec("slot 0"), LinkSpec::default());
    for nothing in ["loss 0%", "duplicate 0%", "corrupt 0 25%", "reorder 0%", "delay 0 0"] {
        assert_eq!(spec(nothing), LinkSpec::default(), "{nothing}");
    }
}

#[test]
fn a_negative_overhead_is_no_new_word() {
    let rate = spec("rate 8kbit -14 48 -5 loss 1%").rate.unwrap();
    assert_eq!((rate.packet_overhead, rate.cell_size, rate.cell_overhead), (-14, 48, -5));
}

#[test]
fn a_standing_link_can_be_varied() {
    let thinner = spec("thin rate 96kbit");
    assert_eq!(thinner.rate, Some(Bitrate::from_kbps(96).into()));
    assert_eq!((thinner.queue, thinner.delay), (Some(50), Duration::from_millis(30)));
    let jittery = spec("wifi distribution pareto loss 5%");
    assert_eq!(jittery.jitter.unwrap().distribution, Distribution::Pareto);
    assert_eq!(jittery.loss, spec("loss 5%").loss);
}

#[test]
fn our_own_words_are_read_beside_them() {
    let read =
        spec("delay 1ms keep-order loss gemodel 1% step 20ms trace lte queue 9 replay a.txt");
    assert!(read.keep_order);
    assert!(matches!(read.loss, Loss::GilbertElliott { step: Step::Every(TICK), .. }));
    assert_eq!(read.trace, Some(TraceSource::Generated(Carrier::Lte)));
    assert_eq!((read.queue, read.replay), (Some(9), Some("a.txt".into())));
    assert_eq!(spec("trace a.down").trace, Some(TraceSource::File("a.down".into())));
}

#[test]
fn a_share_is_written_with_as_few_digits_as_tell_it_apart() {
    for text in ["0%", "1%", "25%", "33.3%", "0.001%", "99.9999%", "100%"] {
        let read = spec(&format!("loss gemodel {text}")).loss;
        assert!(read.to_string().starts_with(&format!(" loss gemodel {text} ")), "{read}");
    }
}

#[test]
fn a_time_is_written_in_units_that_older_tc_reads_too() {
    for (nanos, text) in [(0, "0ms"), (1_500, "1.500us"), (20_000_000, "20ms"), (7, "0.007us")] {
        let spec = LinkSpec { delay: Duration::from_nanos(nanos), ..LinkSpec::default() };
        assert_eq!(spec.to_string(), format!("limit 1000 delay {text}"));
    }
}

fn shares() -> impl Strategy<Value = Share> {
    prop_oneof![
        any::<u32>().prop_map(|steps| Share::of(f64::from(steps) / f64::from(u32::MAX)).unwrap()),
        (0u32..=10_000).prop_map(|hundredths| share(f64::from(hundredths) / 100.0)),
    ]
}

fn some_share() -> impl Strategy<Value = Share> {
    shares().prop_filter("nothing is left out", |share| !share.is_none())
}

fn chances() -> impl Strategy<Value = Chance> {
    (some_share(), shares()).prop_map(|(share, correlation)| Chance { share, correlation })
}

fn distributions() -> impl Strategy<Value = Distribution> {
    prop::sample::select(vec![
        Distribution::Uniform,
        Distribution::Normal,
        Distribution::Pareto,
        Distribution::ParetoNormal,
        Distribution::Installed("experimental".into()),
        Distribution::File("tables/mine.dist".into()),
    ])
}

fn losses() -> impl Strategy<Value = Loss> {
    let step = prop_oneof![
        Just(Step::PerPacket),
        (1u64..100).prop_map(|millis| Step::Every(Duration::from_millis(millis)))
    ];
    prop_oneof![
        Just(Loss::None),
        chances().prop_map(Loss::Random),
        (shares(), shares(), shares()).prop_map(|(p13, p31, p23)| Loss::State {
            p13,
            p31,
            p32: p31.rest(),
            p23,
            p14: p13.rest(),
        }),
        (shares(), shares(), shares(), shares(), step)
            .prop_map(|(p, r, bad, good, step)| Loss::GilbertElliott { p, r, bad, good, step }),
    ]
}

fn rates() -> impl Strategy<Value = Rate> {
    let rate = (8u64..10_000_000_000, -100i32..100, 0u32..200, 0i32..20);
    rate.prop_map(|(bps, packet_overhead, cell_size, cell_overhead)| Rate {
        bitrate: Bitrate::from_bps(bps),
        packet_overhead,
        cell_size,
        cell_overhead,
    })
}

fn slots() -> impl Strategy<Value = Slot> {
    let nanos = |range| Strategy::prop_map(range, Duration::from_nanos);
    let pause = prop_oneof![
        (nanos(1u64..1_000_000), nanos(0u64..1_000_000))
            .prop_map(|(least, more)| Pause::Between(least, least + more)),
        (distributions(), nanos(0u64..1_000_000), nanos(1u64..1_000_000)).prop_map(
            |(distribution, delay, deviation)| Pause::Drawn { delay, deviation, distribution }
        ),
    ];
    (pause, prop::option::of(1u32..100), prop::option::of(1u32..100_000))
        .prop_map(|(pause, packets, bytes)| Slot { pause, packets, bytes })
}

fn jitters() -> impl Strategy<Value = Jitter> {
    (1u64..100_000_000, shares(), distributions()).prop_map(|(nanos, correlation, distribution)| {
        Jitter { deviation: Duration::from_nanos(nanos), correlation, distribution }
    })
}

/// Any link that can be; the files of some are not there.
pub(super) fn specs() -> impl Strategy<Value = LinkSpec> {
    let reorder = (chances(), 1u32..100).prop_map(|(chance, gap)| Reorder { chance, gap });
    let trace = prop::sample::select(vec![
        TraceSource::Generated(Carrier::Umts),
        TraceSource::File("drive.down".into()),
    ]);
    let replay = Just(std::path::PathBuf::from("drive.txt"));
    (
        (1u64..1_000_000_000, prop::option::of(jitters()), any::<bool>()),
        (losses(), any::<bool>(), prop::option::of(chances()), prop::option::of(chances())),
        (prop::option::of(reorder), prop::option::of(rates()), prop::option::of(slots())),
        (1usize..5_000, prop::option::of(1usize..100), prop::option::of(any::<u64>())),
        (prop::option::of(trace), prop::option::of(replay)),
    )
        .prop_map(|(delays, fates, queue, limits, (trace, replay))| {
            let (delay, jitter, keep_order) = delays;
            let (loss, ecn, duplicate, corrupt) = fates;
            let (reorder, rate, slot) = queue;
            let (limit, queue, seed) = limits;
            let bottleneck = rate.is_some() || trace.is_some();
            LinkSpec {
                delay: Duration::from_nanos(delay),
                jitter,
                keep_order,
                loss,
                ecn: ecn && loss != Loss::None,
                replay,
                duplicate,
                corrupt,
                reorder,
                rate,
                slot,
                limit,
                queue: queue.filter(|_| bottleneck),
                trace,
                seed,
            }
        })
}

proptest! {
    #[test]
    fn a_spec_survives_being_written_and_read(spec in specs()) {
        let read: LinkSpec = spec.to_string().parse().unwrap();
        prop_assert_eq!(read, spec);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9% .-]{0,60}") {
        if let Ok(spec) = text.parse::<LinkSpec>() {
            prop_assert!(spec.check().is_ok());
        }
    }

    #[test]
    fn any_line_of_known_words_is_read_or_refused(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "delay", "loss", "state", "gemodel", "random", "ecn", "corrupt", "duplicate",
                "reorder", "gap", "rate", "slot", "distribution", "packets", "bytes", "seed",
                "limit", "step", "queue", "trace", "replay", "keep-order", "netem", "tc", "lte",
                "normal", "1%", "25%", "10ms", "5", "0", "-3", "1e9", "8kbit", "x",
            ]),
            0..14,
        ),
    ) {
        if let Ok(spec) = words.join(" ").parse::<LinkSpec>() {
            prop_assert!(spec.check().is_ok());
            prop_assert_eq!(spec.to_string().parse(), Ok(spec));
        }
    }
}
