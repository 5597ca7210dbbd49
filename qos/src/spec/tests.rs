use std::time::Duration;

use proptest::prelude::*;

use super::admission::{Admission, Class, Limits, Refusal};
use super::*;

fn spec(text: &str) -> Result<QosSpec, SpecError> {
    text.parse()
}

#[test]
fn every_term_is_read_and_written() {
    let text = "delay<=200ms,jitter<=30ms,loss<=1%,skew<=40ms,setup<=2s,rate<=160k,mode=stored";
    let expected = QosSpec {
        delay: Some(Duration::from_millis(200)),
        jitter: Some(Duration::from_millis(30)),
        loss: Some(0.01),
        skew: Some(Duration::from_millis(40)),
        setup: Some(Duration::from_secs(2)),
        rate: Some(Bitrate::from_kbps(160)),
        mode: Some(Mode::Stored),
    };
    assert_eq!(spec(text), Ok(expected));
    assert_eq!(expected.to_string(), text);
}

#[test]
fn order_and_white_space_do_not_matter() {
    let spaced = spec(" rate <= 96500 , mode = best-effort ,").unwrap();
    assert_eq!(spaced.to_string(), "rate<=96500,mode=best-effort");
    assert_eq!(spec(""), Ok(QosSpec::default()));
    assert_eq!(QosSpec::default().to_string(), "");
}

#[test]
fn what_is_no_spec_says_why_in_one_line() {
    for (text, why) in [
        ("delay", "`delay` is not a term (write it like delay<=200ms or mode=stored)"),
        ("delay=200ms", "`delay=200ms` is not a term (write it like delay<=200ms or mode=stored)"),
        ("mode<=live", "`mode<=live` is not a term (write it like delay<=200ms or mode=stored)"),
        ("delay<=200", "delay: `200` has no unit (write the duration like 200ms or 1.5s)"),
        ("loss<=2", "loss: `2` is too large for a share"),
        ("mode=fast", "unknown mode `fast` (known: live, stored, best-effort)"),
        ("delay<=1s,delay<=2s", "`delay` stands twice"),
        ("speed<=1", "unknown term `speed` (known: delay, jitter, loss, skew, setup, rate, mode)"),
    ] {
        assert_eq!(spec(text).unwrap_err().to_string(), why);
    }
}

#[test]
fn a_rate_is_granted_up_to_the_limit_and_not_a_bit_beyond() {
    let limit = Bitrate::from_kbps(300);
    let mut admission = Admission::new(Limits { rate: Some(limit), sessions: None });
    let first = admission.request(Class::Reserved, Bitrate::from_kbps(160)).unwrap();
    let refused = admission.request(Class::Reserved, Bitrate::from_bps(140_001)).unwrap_err();
    let possible = Bitrate::from_kbps(140);
    assert_eq!(refused, Refusal::Rate { limit, in_use: first.rate(), possible });
    assert_eq!(
        refused.to_string(),
        "160 kbit/s of 300 kbit/s are in use: at most 140 kbit/s can be granted"
    );

    let second = admission.request(Class::Reserved, possible).unwrap();
    assert_eq!(admission.in_use(), limit);
    admission.release(first);
    assert_eq!(admission.in_use(), possible);
    admission.release(second);
    assert_eq!(admission.sessions(), 0);
}

#[test]
fn sessions_are_counted_too() {
    let mut admission = Admission::new(Limits { rate: None, sessions: Some(1) });
    let only = admission.request(Class::Reserved, Bitrate::from_bps(u64::MAX)).unwrap();
    assert_eq!(
        admission.request(Class::Reserved, Bitrate::ZERO),
        Err(Refusal::Sessions { limit: 1 })
    );
    admission.release(only);
    assert!(admission.request(Class::Reserved, Bitrate::ZERO).is_ok());
}

#[test]
fn a_change_counts_only_the_difference_and_a_refused_one_changes_nothing() {
    let limit = Bitrate::from_kbps(300);
    let mut admission = Admission::new(Limits { rate: Some(limit), sessions: Some(2) });
    let other = admission.request(Class::Reserved, Bitrate::from_kbps(100)).unwrap();
    let mut grant = admission.request(Class::Reserved, Bitrate::from_kbps(150)).unwrap();
    assert_eq!(admission.change(&mut grant, Bitrate::from_kbps(200)), Ok(()));
    assert!(admission.change(&mut grant, Bitrate::from_kbps(201)).is_err());
    assert_eq!(grant.rate(), Bitrate::from_kbps(200));
    assert_eq!(admission.in_use(), limit);
    admission.release(other);
    assert_eq!(admission.in_use(), grant.rate());
}

/// 300 kbit/s of which one session of best effort wants 200 and another 60.
fn shared() -> (Admission, [admission::Grant; 2]) {
    let limits = Limits { rate: Some(Bitrate::from_kbps(300)), sessions: None };
    let mut admission = Admission::new(limits);
    let grants = [200, 60]
        .map(|kbps| admission.request(Class::BestEffort, Bitrate::from_kbps(kbps)).unwrap());
    (admission, grants)
}

#[test]
fn best_effort_is_what_is_cut_first_and_grows_again_when_there_is_room() {
    let (mut admission, mut grants) = shared();
    let mut rates = |admission: &Admission| {
        grants.each_mut().map(|grant| {
            admission.renew(grant);
            grant.rate().as_bps() / 1_000
        })
    };
    assert_eq!(rates(&admission), [200, 60]);
    assert_eq!(admission.possible(Class::Reserved), Some(Bitrate::from_kbps(300)));
    let live = admission.request(Class::Reserved, Bitrate::from_kbps(160)).unwrap();
    assert_eq!(rates(&admission), [80, 60], "equal shares, and no more than is wanted");
    let other = admission.request(Class::Reserved, Bitrate::from_kbps(100)).unwrap();
    assert_eq!(rates(&admission), [20, 20]);
    assert!(admission.request(Class::Reserved, Bitrate::from_kbps(41)).is_err());
    assert_eq!(admission.in_use(), Bitrate::from_kbps(300));
    [live, other].into_iter().for_each(|grant| admission.release(grant));
    assert_eq!(rates(&admission), [200, 60]);
}

#[test]
fn best_effort_takes_nothing_from_those_who_were_promised_something() {
    let limits = Limits { rate: Some(Bitrate::from_kbps(300)), sessions: None };
    let mut admission = Admission::new(limits);
    let live = admission.request(Class::Reserved, Bitrate::from_kbps(280)).unwrap();
    let wanted = Bitrate::from_kbps(80);
    let effort = admission.request(Class::BestEffort, wanted).unwrap();
    assert_eq!((live.rate(), effort.rate()), (Bitrate::from_kbps(280), Bitrate::from_kbps(20)));
    let refused = admission.request(Class::BestEffort, wanted).unwrap_err();
    assert!(matches!(refused, Refusal::Rate { .. }), "a share of an eighth is none: {refused}");
    assert_eq!(admission.sessions(), 2);
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_read_writes_back_to_the_same(text in prop_oneof![
        "\\PC{0,40}",
        "((delay|jitter|skew|setup)<=[0-9.]{1,6}(ms|us|s)|loss<=[0-9.]{1,5}%?|rate<=[0-9]{1,7}[kM]?\
         |mode=(live|stored|best-effort),?){0,4}",
    ]) {
        if let Ok(read) = spec(&text) {
            prop_assert_eq!(spec(&read.to_string()), Ok(read));
        }
    }

    #[test]
    fn grants_never_exceed_the_limits(
        limit in 0u64..1_000,
        wishes in prop::collection::vec((any::<bool>(), any::<bool>(), 0u64..400), 0..60),
    ) {
        let limits = Limits { rate: Some(Bitrate::from_bps(limit)), sessions: Some(4) };
        let mut admission = Admission::new(limits);
        let mut grants = Vec::new();
        for (release, effort, rate) in wishes {
            let class = if effort { Class::BestEffort } else { Class::Reserved };
            if release {
                grants.pop().into_iter().for_each(|grant| admission.release(grant));
            } else {
                grants.extend(admission.request(class, Bitrate::from_bps(rate)));
            }
            grants.iter_mut().for_each(|grant| {
                admission.renew(grant);
            });
            let granted = grants.iter().map(|grant| grant.rate()).sum::<Bitrate>();
            prop_assert_eq!(admission.in_use(), granted);
            prop_assert!(granted.as_bps() <= limit);
            prop_assert!(admission.sessions() == grants.len() && grants.len() <= 4);
        }
    }
}
