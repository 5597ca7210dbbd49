//! The link as a whole.

use super::*;

use proptest::prelude::*;

use super::words::specs;

#[test]
fn a_clean_link_delivers_everything_at_once_and_in_order() {
    let arrivals = send(&mut link("clean"), 1_000, TICK, 200);
    assert!(arrivals.iter().all(|arrival| arrival.at == arrival.sent));
    assert!(arrivals.iter().map(|arrival| arrival.tag).eq(0..1_000));
}

#[test]
fn a_driver_that_comes_late_does_not_delay_what_is_still_on_the_way() {
    for words in ["delay 30ms rate 160kbit", "delay 30ms rate 160kbit queue 5"] {
        let mut link = link(words);
        link.push(MonoTime::ZERO, packet(0, 200));
        link.push(MonoTime::ZERO, packet(1, 200));
        assert_eq!(link.pop(MonoTime::from_millis(49)).map(|packet| packet.tag), Some(0));
        assert_eq!(link.pop(MonoTime::from_millis(49)), None);
        assert_eq!(link.next_deadline(), Some(MonoTime::from_millis(50)));
        assert_eq!(link.pop(MonoTime::from_millis(50)).map(|packet| packet.tag), Some(1));
    }
}

#[test]
fn dropped_packets_are_told_with_their_cause() {
    for (words, cause) in
        [("rate 160kbit limit 1", DropCause::Overflow), ("loss 100%", DropCause::Loss)]
    {
        let mut link = link(words);
        link.push(MonoTime::ZERO, packet(0, 200));
        link.push(MonoTime::ZERO, packet(1, 200));
        let dropped = std::iter::from_fn(|| link.pop_dropped()).last();
        assert_eq!(dropped, Some(Dropped { tag: 1, at: MonoTime::ZERO, cause }));
    }
}

#[test]
fn an_impairment_more_leaves_the_luck_of_the_others_as_it_was() {
    let few = "delay 40ms 15ms distribution normal loss 10%";
    let lossy = send(&mut link(few), 2_000, TICK, 200);
    let more = format!("{few} corrupt 50% reorder 0.000001% seed 7");
    assert_eq!(lossy, send(&mut link(&more), 2_000, TICK, 0));
}

#[test]
fn the_same_seed_brings_the_same_and_another_seed_something_else() {
    let spec = LinkSpec::named("storm").unwrap();
    let run = |seed| send(&mut Link::new(&spec, seed).unwrap(), 2_000, TICK, 200);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_seed_among_the_words_is_the_one_that_counts() {
    let run = |words, seed| send(&mut Link::new(&spec(words), seed).unwrap(), 2_000, TICK, 200);
    assert_eq!(run("storm seed 5", 1), run("storm", 5));
    assert_eq!(run("storm seed 5", 1), run("storm seed 5", 2));
}

#[test]
fn the_way_back_has_the_same_model_and_its_own_luck() {
    let (mut there, mut back) = Link::pair(&LinkSpec::named("heavy").unwrap(), SEED).unwrap();
    let there = send(&mut there, 20_000, TICK, 200);
    let back = send(&mut back, 20_000, TICK, 200);
    assert_share(there.len(), 20_000, 0.8);
    assert_share(back.len(), 20_000, 0.8);
    assert_ne!(there, back);
}

/// The same link without the files that are not there.
fn without_files(spec: LinkSpec) -> LinkSpec {
    let missing = |distribution: &Distribution| distribution.table().is_err();
    LinkSpec {
        jitter: spec.jitter.filter(|jitter| !missing(&jitter.distribution)),
        slot: spec.slot.filter(|slot| match &slot.pause {
            Pause::Between(..) => true,
            Pause::Drawn { distribution, .. } => !missing(distribution),
        }),
        trace: spec.trace.filter(|trace| matches!(trace, TraceSource::Generated(_))),
        replay: None,
        ..spec
    }
}

proptest! {
    #[test]
    fn every_packet_arrives_or_is_dropped(
        spec in specs(),
        sizes in prop::collection::vec(0usize..2_000, 0..60),
    ) {
        let mut link = Link::new(&without_files(spec), SEED).unwrap();
        let mut arrivals = Vec::new();
        for (tag, &size) in sizes.iter().enumerate() {
            let now = MonoTime::from_millis(tag as u64);
            collect(&mut link, now, &mut arrivals);
            link.push(now, packet(tag as u64, size));
        }
        collect(&mut link, MonoTime::from_nanos(u64::MAX), &mut arrivals);
        let counts = link.counts();
        prop_assert_eq!(counts.entered, sizes.len() as u64);
        prop_assert_eq!(counts.left, arrivals.len() as u64);
        prop_assert_eq!(
            counts.entered + counts.duplicated,
            counts.left + counts.lost + counts.overflowed
        );
        prop_assert!(arrivals.iter().all(|arrival| arrival.at >= arrival.sent));
        prop_assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
    }

    #[test]
    fn it_does_not_matter_how_often_a_link_is_asked(spec in specs(), millis in 2u64..20) {
        let spec = without_files(spec);
        let mut often = Link::new(&spec, SEED).unwrap();
        let mut seldom = Link::new(&spec, SEED).unwrap();
        for tag in 0..30 {
            let now = MonoTime::from_millis(tag * millis);
            often.push(now, packet(tag, 100));
            often.advance(MonoTime::from_millis(tag * millis + millis / 2));
            seldom.push(now, packet(tag, 100));
        }
        let end = MonoTime::from_nanos(u64::MAX / 4);
        often.advance(end);
        seldom.advance(end);
        prop_assert_eq!(often.arrived, seldom.arrived);
    }
}
