//! What is promised, and what becomes of it.
//!
//! Unit `n` is presented at `20 n` ms.

use cantus_qos::stats::report::{Party, PromiseReport, Term};

use super::*;
use crate::wish::Less;

fn asking(qos: &str, offer: &'static str) -> House {
    let mut wish = fixed();
    wish.spec = qos.parse().unwrap();
    let mut server = StandIn::new(100);
    server.offer = Some(offer);
    House::new(wish, server)
}

fn promise(house: &House, term: Term) -> PromiseReport {
    let mut promise = house.report().promise.into_iter();
    promise.find(|it| it.term == term).expect("it was promised")
}

#[test]
fn an_offer_that_is_no_less_than_was_asked_for_is_taken() {
    let mut house = asking("loss<=1%,rate<=160k", "delay<=200ms,loss<=1%,rate<=83200");
    house.stream(0..100);
    house.run(ms(10_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
}

#[test]
fn an_offer_of_less_is_one_line_that_says_what_and_how_to_take_it() {
    let mut house = asking("loss<=1%", "delay<=380ms,rate<=115200");
    house.run(ms(10_000));
    assert_eq!(
        house.failure(),
        "rtsp://test/talk: the server offers delay<=380ms,rate<=115200 and not \
         delay<=200ms,loss<=1%: ask for less with --qos, or play all the same with --less take"
    );
    assert!(house.server.asked.iter().any(|asked| asked.starts_with("TEARDOWN")), "and it leaves");
}

#[test]
fn an_offer_that_is_to_be_taken_is_the_promise_from_then_on() {
    let mut wish = fixed();
    wish.spec = "loss<=1%".parse().unwrap();
    wish.less = Less::Take;
    let mut server = StandIn::new(100);
    server.offer = Some("delay<=380ms,rate<=115200");
    let mut house = House::new(wish, server);
    house.stream(0..100);
    house.run(ms(10_000));
    assert_eq!(house.first().0, ms(10 + 380));
    let report = house.report();
    let terms: Vec<(Term, f64)> = report.promise.iter().map(|it| (it.term, it.promised)).collect();
    assert_eq!(terms, [(Term::Delay, 380.0)], "nothing is promised of losses");
    assert_eq!(report.kept(), Some(true));
}

#[test]
fn an_offer_that_is_to_be_ignored_changes_nothing() {
    let mut wish = fixed();
    wish.less = Less::Ignore;
    let mut server = StandIn::new(100);
    server.offer = Some("delay<=380ms");
    let mut house = House::new(wish, server);
    house.stream(0..100);
    house.run(ms(10_000));
    assert_eq!(house.first().0, ms(10 + 200));
    assert_eq!(promise(&house, Term::Delay).promised, 200.0);
}

#[test]
fn a_server_that_says_nothing_is_held_to_what_was_asked_for() {
    let mut house = House::new(fixed(), StandIn::new(100));
    house.stream(0..100);
    house.run(ms(10_000));
    assert_eq!(promise(&house, Term::Delay).promised, 200.0);
}

/// What leaves the server at its instant comes `delay` later.
fn come(house: &mut House, range: std::ops::Range<usize>, delay: u64) {
    range.for_each(|index| house.send(ms(index as u64 * 20 + delay), &unit(index)));
}

#[test]
fn where_the_path_has_become_too_slow_another_delay_is_asked_for_and_the_promise_broken() {
    let mut server = StandIn::new(1_000);
    server.offer = Some("delay<=200ms");
    let mut house = House::new(fixed(), server);
    come(&mut house, 0..300, 10);
    come(&mut house, 300..1_000, 310);
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    // Delays are above the fastest packet's: 200 ms after 10 ms. Too late as of unit 300, at 6,310.
    let asked = house.server.asked.iter().filter(|asked| asked.starts_with("SET_PARAMETER"));
    assert_eq!(asked.collect::<Vec<_>>(), ["SET_PARAMETER delay<=320ms,mode=live"]);
    let report = house.report();
    let [change] = &report.renegotiated[..] else { panic!("{:?}", report.renegotiated) };
    assert_eq!((change.at_ms, change.by), (9_310.0, Party::Player));
    let delay = promise(&house, Term::Delay);
    assert_eq!((delay.promised, delay.measured, delay.kept), (200.0, Some(320.0), Some(false)));
    let [broken] = delay.broken[..] else { panic!("{:?}", delay.broken) };
    assert!((9_000.0..10_000.0).contains(&broken.from_ms), "{broken:?}");
    assert_eq!(delay.broken_for_ms, Some(broken.until_ms - broken.from_ms));
    let audio = house.audio();
    // Nothing is heard between what came in time before and what is in time after.
    assert!((150..170).contains(&audio.late), "{}", audio.late);
}

#[test]
fn a_rate_that_the_server_lowers_is_told_by_the_next_sign_of_life() {
    let mut server = StandIn::new(500);
    server.offer = Some("rate<=115200");
    let mut wish = wish();
    wish.latency = Latency::Auto;
    let mut house = House::new(wish, server);
    house.stream(0..500);
    house.run(ms(3_000));
    assert!(house.report().renegotiated.is_empty());
    house.server.offer = Some("rate<=69600");
    house.run(ms(20_000));
    let report = house.report();
    let [change] = &report.renegotiated[..] else { panic!("{:?}", report.renegotiated) };
    assert_eq!((change.by, &*change.terms), (Party::Server, "rate<=69600"));
    assert!(change.at_ms < 8_100.0, "{change:?}");
}
