//! Each impairment against its closed form.

use super::*;

use cantus_qos::quantity::Bitrate;
use proptest::prelude::*;

const SEED: u64 = 7;

fn packet(tag: u64, size: usize) -> Packet {
    Packet { data: Bytes::new(), size, entered: MonoTime::ZERO, tag }
}

fn link(words: &str) -> Link {
    Link::new(&words.parse().unwrap(), SEED).unwrap()
}

/// A packet that arrived.
#[derive(Clone, Debug, PartialEq)]
struct Arrival {
    tag: u64,
    sent: MonoTime,
    at: MonoTime,
}

impl Arrival {
    fn delay_ms(&self) -> f64 {
        (self.at - self.sent).as_millis_f64()
    }
}

fn collect(link: &mut Link, until: MonoTime, arrivals: &mut Vec<Arrival>) {
    while let Some(at) = link.next_deadline().filter(|&at| at <= until) {
        while let Some(packet) = link.pop(at) {
            arrivals.push(Arrival { tag: packet.tag, sent: packet.entered, at });
        }
    }
}

/// Sends `count` packets of `size` bytes, one every `interval`, and waits for the last.
fn send(link: &mut Link, count: u64, interval: Duration, size: usize) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    for tag in 0..count {
        let now = MonoTime::ZERO + interval * tag as u32;
        collect(link, now, &mut arrivals);
        link.push(now, packet(tag, size));
    }
    collect(link, MonoTime::from_nanos(u64::MAX), &mut arrivals);
    arrivals
}

/// Lengths of the runs of lost packets, of `count` sent.
fn bursts(arrivals: &[Arrival], count: u64) -> Vec<u64> {
    let mut present = vec![false; count as usize];
    for arrival in arrivals {
        present[arrival.tag as usize] = true;
    }
    let runs = present.chunk_by(|a, b| a == b);
    runs.filter(|run| !run[0]).map(|run| run.len() as u64).collect()
}

fn quantile(mut values: Vec<f64>, rank: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(rank * (values.len() - 1) as f64) as usize]
}

fn delays(arrivals: &[Arrival]) -> Vec<f64> {
    arrivals.iter().map(Arrival::delay_ms).collect()
}

#[track_caller]
fn assert_near(measured: f64, expected: f64, tolerance: f64) {
    let off = (measured - expected).abs();
    assert!(off <= tolerance, "{measured} is not {expected} +- {tolerance}");
}

const TICK: Duration = Duration::from_millis(20);

#[test]
fn a_clean_link_delivers_everything_at_once_and_in_order() {
    let arrivals = send(&mut link("clean"), 1_000, TICK, 200);
    assert!(arrivals.iter().all(|arrival| arrival.at == arrival.sent));
    assert!(arrivals.iter().map(|arrival| arrival.tag).eq(0..1_000));
}

#[test]
fn independent_losses_have_the_stated_share_and_run_lengths() {
    let count = 200_000;
    let arrivals = send(&mut link("loss 20%"), count, TICK, 200);
    let runs = bursts(&arrivals, count);
    assert_near(1.0 - arrivals.len() as f64 / count as f64, 0.2, 0.004);
    assert_near(runs.iter().sum::<u64>() as f64 / runs.len() as f64, 1.0 / 0.8, 0.01);
}

#[test]
fn a_gilbert_elliott_chain_loses_p_of_p_plus_r_in_bursts_of_one_over_r() {
    let count = 400_000;
    let arrivals = send(&mut link("loss gemodel 1% 25%"), count, TICK, 200);
    let runs = bursts(&arrivals, count);
    assert_near(1.0 - arrivals.len() as f64 / count as f64, 0.01 / 0.26, 0.0015);
    assert_near(runs.iter().sum::<u64>() as f64 / runs.len() as f64, 4.0, 0.15);
}

#[test]
fn a_gilbert_elliott_chain_with_losses_in_both_states_has_the_weighted_mean() {
    let count = 400_000;
    let arrivals = send(&mut link("loss gemodel 2% 8% 50% 1%"), count, TICK, 200);
    assert_near(1.0 - arrivals.len() as f64 / count as f64, 0.2 * 0.5 + 0.8 * 0.01, 0.004);
}

#[test]
fn a_packet_stepped_chain_starts_in_the_good_state() {
    for seed in 0..200 {
        let spec: LinkSpec = "loss gemodel 100% 0%".parse().unwrap();
        let arrivals = send(&mut Link::new(&spec, seed).unwrap(), 5, TICK, 200);
        assert_eq!(arrivals.iter().map(|arrival| arrival.tag).collect::<Vec<_>>(), [0]);
    }
}

#[test]
fn a_time_stepped_chain_has_bursts_of_the_same_length_in_time_whoever_sends() {
    let spec = "loss gemodel 1% 25% step 20ms";
    for interval in [Duration::from_millis(5), TICK, Duration::from_millis(10)] {
        let count = (TICK.as_nanos() / interval.as_nanos()) as u64 * 200_000;
        let runs = bursts(&send(&mut link(spec), count, interval, 200), count);
        let mean = runs.iter().sum::<u64>() as f64 / runs.len() as f64;
        assert_near(mean * interval.as_secs_f64(), 0.080, 0.003);
    }
}

#[test]
fn a_time_stepped_chain_is_a_matter_of_time_alone() {
    let spec = "loss gemodel 3% 20% step 20ms";
    let sparse = send(&mut link(spec), 5_000, TICK, 200);
    let dense = send(&mut link(spec), 20_000, TICK / 4, 200);
    let through: Vec<_> = dense.iter().filter(|arrival| arrival.tag % 4 == 0).collect();
    assert!(sparse.iter().map(|arrival| arrival.sent).eq(through.iter().map(|a| a.sent)));
}

#[test]
fn normal_jitter_has_the_quantiles_of_the_normal_distribution() {
    let arrivals = send(&mut link("delay 100ms 15ms distribution normal"), 100_000, TICK, 200);
    for (rank, deviations) in [(0.05, -1.645), (0.5, 0.0), (0.95, 1.645), (0.99, 2.326)] {
        assert_near(quantile(delays(&arrivals), rank), 100.0 + 15.0 * deviations, 0.4);
    }
}

#[test]
fn uniform_jitter_stays_within_its_bounds() {
    let delays = delays(&send(&mut link("delay 100ms 10ms"), 100_000, TICK, 200));
    assert_near(quantile(delays.clone(), 0.0), 90.0, 0.01);
    assert_near(quantile(delays.clone(), 0.25), 95.0, 0.2);
    assert_near(quantile(delays, 1.0), 110.0, 0.01);
}

#[test]
fn pareto_jitter_has_the_quantiles_of_shape_three_and_ends_at_four_deviations() {
    let arrivals = send(&mut link("delay 80ms 40ms distribution pareto"), 100_000, TICK, 200);
    let expected = |rank: f64| 80.0 + 40.0 * ((1.0 - rank).powf(-1.0 / 3.0) - 1.5) * 4.0 / 3.0;
    for (rank, tolerance) in [(0.0, 0.1), (0.25, 0.3), (0.5, 0.4), (0.9, 1.5)] {
        assert_near(quantile(delays(&arrivals), rank), expected(rank), tolerance);
    }
    assert_near(quantile(delays(&arrivals), 1.0), 80.0 + 4.0 * 40.0, 0.1);
}

#[test]
fn a_delay_is_never_negative() {
    let delays = delays(&send(&mut link("delay 10ms 30ms distribution normal"), 10_000, TICK, 200));
    assert_eq!(quantile(delays.clone(), 0.0), 0.0);
    let at_once = delays.iter().filter(|&&delay| delay == 0.0).count();
    assert_near(at_once as f64 / 10_000.0, 0.369, 0.02);
}

#[test]
fn jitter_reorders_unless_order_is_kept() {
    let words = "delay 60ms 30ms distribution normal";
    let mut free = link(words);
    send(&mut free, 10_000, TICK, 200);
    assert!(free.counts().reordered > 1_000);

    let mut kept = link(&format!("{words} keep-order"));
    let arrivals = send(&mut kept, 10_000, TICK, 200);
    assert_eq!(kept.counts().reordered, 0);
    assert!(arrivals.iter().map(|arrival| arrival.tag).eq(0..10_000));
}

#[test]
fn a_kept_order_departs_at_the_later_of_its_own_time_and_the_one_before() {
    let words = "delay 60ms 30ms distribution normal";
    let mut free = send(&mut link(words), 2_000, TICK, 200);
    let kept = send(&mut link(&format!("{words} keep-order")), 2_000, TICK, 200);
    free.sort_by_key(|arrival| arrival.tag);
    let mut previous = MonoTime::ZERO;
    for (free, kept) in free.iter().zip(&kept) {
        previous = previous.max(free.at);
        assert_eq!(kept.at, previous);
    }
}

#[test]
fn duplicates_have_the_stated_share_and_the_mark_of_their_original() {
    let mut link = link("duplicate 5%");
    let arrivals = send(&mut link, 100_000, TICK, 200);
    assert_near(link.counts().duplicated as f64 / 100_000.0, 0.05, 0.003);
    assert_eq!(arrivals.len() as u64, 100_000 + link.counts().duplicated);
    let doubled = arrivals.windows(2).filter(|pair| pair[0].tag == pair[1].tag).count();
    assert_eq!(doubled as u64, link.counts().duplicated);
}

#[test]
fn the_stated_share_of_packets_skips_the_delay() {
    let arrivals = send(&mut link("delay 50ms reorder 25%"), 100_000, TICK, 200);
    let skipped = arrivals.iter().filter(|arrival| arrival.at == arrival.sent).count();
    assert_near(skipped as f64 / 100_000.0, 0.25, 0.005);
}

#[test]
fn with_a_gap_every_nth_packet_skips_the_delay() {
    let arrivals = send(&mut link("delay 50ms reorder 100% gap 5"), 100, TICK, 200);
    let skipped = arrivals.iter().filter(|arrival| arrival.at == arrival.sent);
    assert!(skipped.map(|arrival| arrival.tag).eq((4..100).step_by(5)));
}

#[test]
fn a_bottleneck_sends_at_its_rate_one_packet_after_the_other() {
    let mut link = link("delay 30ms rate 160kbit limit 50");
    let arrivals = send(&mut link, 10, Duration::ZERO, 200);
    for (index, arrival) in arrivals.iter().enumerate() {
        assert_eq!(arrival.delay_ms(), 30.0 + 10.0 * (index + 1) as f64);
    }
}

#[test]
fn a_bottleneck_below_its_rate_adds_only_the_time_of_the_packet() {
    let arrivals = send(&mut link("rate 160kbit"), 100, TICK, 400);
    assert!(arrivals.iter().all(|arrival| arrival.delay_ms() == 20.0));
}

#[test]
fn the_queue_of_a_bottleneck_holds_its_limit_and_not_one_more() {
    for (sent, delivered) in [(50, 50), (51, 50), (80, 50)] {
        let mut link = link("rate 160kbit limit 50");
        let arrivals = send(&mut link, sent, Duration::ZERO, 200);
        assert_eq!(arrivals.len(), delivered);
        assert_eq!(link.counts().overflowed, sent - delivered as u64);
    }
}

#[test]
fn a_driver_that_comes_late_does_not_delay_what_is_still_on_the_way() {
    let mut link = link("delay 30ms rate 160kbit");
    link.push(MonoTime::ZERO, packet(0, 200));
    link.push(MonoTime::ZERO, packet(1, 200));
    assert_eq!(link.pop(MonoTime::from_millis(49)).map(|packet| packet.tag), Some(0));
    assert_eq!(link.pop(MonoTime::from_millis(49)), None);
    assert_eq!(link.next_deadline(), Some(MonoTime::from_millis(50)));
    assert_eq!(link.pop(MonoTime::from_millis(50)).map(|packet| packet.tag), Some(1));
}

#[test]
fn dropped_packets_are_told_with_their_cause() {
    let mut link = link("rate 160kbit limit 1");
    link.push(MonoTime::ZERO, packet(0, 200));
    link.push(MonoTime::ZERO, packet(1, 200));
    let dropped = Dropped { tag: 1, at: MonoTime::ZERO, cause: DropCause::Overflow };
    assert_eq!(link.pop_dropped(), Some(dropped));
    assert_eq!(link.pop_dropped(), None);
}

#[test]
fn a_node_more_leaves_the_luck_of_the_others_as_it_was() {
    let lossy = send(&mut link("delay 40ms 15ms distribution normal loss 10%"), 2_000, TICK, 200);
    let more = "delay 40ms 15ms distribution normal loss 10% rate 100mbit reorder 0% limit 100";
    let more = send(&mut link(more), 2_000, TICK, 0);
    assert_eq!(lossy, more);
}

#[test]
fn the_same_seed_brings_the_same_and_another_seed_something_else() {
    let spec = LinkSpec::named("storm").unwrap();
    let run = |seed| send(&mut Link::new(&spec, seed).unwrap(), 2_000, TICK, 200);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn the_way_back_has_the_same_model_and_its_own_luck() {
    let (mut there, mut back) = Link::pair(&LinkSpec::named("heavy").unwrap(), SEED).unwrap();
    let there = send(&mut there, 20_000, TICK, 200);
    let back = send(&mut back, 20_000, TICK, 200);
    assert_near(there.len() as f64 / 20_000.0, 0.8, 0.01);
    assert_near(back.len() as f64 / 20_000.0, 0.8, 0.01);
    assert_ne!(there, back);
}

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
fn a_standing_link_can_be_varied() {
    let spec: LinkSpec = "thin rate 96kbit".parse().unwrap();
    assert_eq!(spec.rate, Some(Bitrate::from_kbps(96)));
    assert_eq!((spec.limit, spec.delay), (50, Duration::from_millis(30)));
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

#[test]
fn gemodel_fills_in_what_netem_fills_in() {
    let spec: LinkSpec = "loss gemodel 10%".parse().unwrap();
    let expected =
        Loss::GilbertElliott { p: 0.1, r: 0.9, bad: 1.0, good: 0.0, step: Step::PerPacket };
    assert_eq!(spec.loss, expected);
}

#[test]
fn words_that_mean_nothing_are_refused_with_the_reason() {
    for (words, message) in [
        ("dealy 20ms", "`dealy` is no word of a link"),
        ("delay", "`delay` must be followed by a time such as 20ms"),
        ("delay 20", "has no unit"),
        ("delay 20ms 5ms 25%", "`correlation of delay` is not emulated"),
        ("delay 20ms distribution normal", "`distribution` needs `delay TIME JITTER` before it"),
        ("delay 20ms 5ms distribution paretonormal", "is not emulated"),
        ("loss 1", "has no unit"),
        ("loss 101%", "too large"),
        ("loss state 1%", "`loss state` is not emulated"),
        ("loss 1% step 20ms", "`step` needs `loss gemodel` before it"),
        ("loss gemodel 1% 25% step 1us", "the step cannot be 1µs"),
        ("corrupt 1%", "`corrupt` is not emulated"),
        ("gap 5", "`gap` needs `reorder` before it"),
        ("delay 20ms reorder 5% gap 0", "the gap cannot be 0"),
        ("rate 100kbps", "write kbit"),
        ("rate 0kbit", "the rate cannot be 0"),
        ("limit 0", "the limit cannot be 0"),
        ("limit many", "limit cannot be many"),
        ("delay 2h", "the delay cannot be"),
    ] {
        let error = words.parse::<LinkSpec>().unwrap_err().to_string();
        assert!(error.contains(message), "{words}: {error}");
    }
    let error = LinkSpec::named("wet string").unwrap_err().to_string();
    assert!(error.contains("`wet string`") && error.contains("bursty-t"), "{error}");
}

fn shares() -> impl Strategy<Value = f64> {
    (0u32..=10_000).prop_map(|hundredths| f64::from(hundredths) / 100.0 / 100.0)
}

fn losses() -> impl Strategy<Value = Loss> {
    let step = prop_oneof![
        Just(Step::PerPacket),
        (1u64..100).prop_map(|millis| Step::Every(Duration::from_millis(millis)))
    ];
    prop_oneof![
        Just(Loss::None),
        (shares(), shares()).prop_map(|(share, correlation)| Loss::Random { share, correlation }),
        (shares(), shares(), shares(), shares(), step)
            .prop_map(|(p, r, bad, good, step)| { Loss::GilbertElliott { p, r, bad, good, step } }),
    ]
}

fn specs() -> impl Strategy<Value = LinkSpec> {
    let shape = prop::sample::select(vec![
        Distribution::Uniform,
        Distribution::Normal,
        Distribution::Pareto,
    ]);
    let jitter = (0u64..100_000, shape).prop_map(|(micros, distribution)| Jitter {
        deviation: Duration::from_micros(micros),
        distribution,
    });
    let reorder = (shares(), shares(), 1u32..100).prop_map(|(share, correlation, gap)| Reorder {
        share,
        correlation,
        gap,
    });
    let rate = (1u64..10_000_000).prop_map(Bitrate::from_bps);
    let trace = prop::sample::select(vec![
        TraceSource::Generated(Carrier::Umts),
        TraceSource::File("drive.down".into()),
    ]);
    (
        (0u64..1_000_000, prop::option::of(jitter), any::<bool>(), losses()),
        (shares(), prop::option::of(reorder), prop::option::of(rate), 1usize..5_000),
        prop::option::of(trace),
    )
        .prop_map(
            |((delay, jitter, keep_order, loss), (duplicate, reorder, rate, limit), trace)| {
                let delay = Duration::from_micros(delay);
                LinkSpec { delay, jitter, keep_order, loss, duplicate, reorder, rate, limit, trace }
            },
        )
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
    fn every_packet_arrives_or_is_dropped(
        mut spec in specs(),
        sizes in prop::collection::vec(0usize..2_000, 0..60),
    ) {
        spec.trace = None;
        let mut link = Link::new(&spec, SEED).unwrap();
        for (tag, &size) in sizes.iter().enumerate() {
            link.push(MonoTime::from_millis(tag as u64), packet(tag as u64, size));
        }
        let mut arrivals = Vec::new();
        collect(&mut link, MonoTime::from_nanos(u64::MAX), &mut arrivals);
        let counts = link.counts();
        prop_assert_eq!(counts.entered, sizes.len() as u64);
        prop_assert_eq!(counts.left, arrivals.len() as u64);
        prop_assert_eq!(
            counts.entered + counts.duplicated,
            counts.left + counts.lost + counts.overflowed
        );
    }
}
