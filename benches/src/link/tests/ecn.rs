//! Marking in place of losing.

use super::*;

fn like(ecn: Ecn) -> Packet {
    Packet { ecn, ..packet(0, 200) }
}

#[test]
fn what_can_be_marked_is_marked_and_not_lost() {
    let mut link = link("loss 25% ecn");
    let arrivals = send_like(&mut link, &like(Ecn::Capable), 40_000, TICK);
    assert_eq!(arrivals.len(), 40_000);
    let marked = arrivals.iter().filter(|arrival| arrival.ecn == Ecn::Marked).count();
    assert_share(marked, 40_000, 0.25);
    assert_eq!((link.counts().marked, link.counts().lost), (marked as u64, 0));
}

#[test]
fn what_is_marked_already_stays_so_and_arrives() {
    let arrivals = send_like(&mut link("loss 100% ecn"), &like(Ecn::Marked), 100, TICK);
    assert_eq!(arrivals.len(), 100);
    assert!(arrivals.iter().all(|arrival| arrival.ecn == Ecn::Marked));
}

#[test]
fn what_cannot_be_marked_is_lost() {
    assert_eq!(send_like(&mut link("loss 100% ecn"), &like(Ecn::NotCapable), 100, TICK), []);
}

#[test]
fn without_the_word_everything_is_lost_as_before() {
    let mut marking = link("loss 25% ecn");
    let mut losing = link("loss 25%");
    let marked = send_like(&mut marking, &like(Ecn::Capable), 1_000, TICK);
    let through = send_like(&mut losing, &like(Ecn::Capable), 1_000, TICK);
    let unmarked = marked.into_iter().filter(|arrival| arrival.ecn == Ecn::Capable);
    assert!(unmarked.eq(through));
}

#[test]
fn a_mark_is_on_the_copy_too() {
    let arrivals = send_like(
        &mut link("loss gemodel 100% 0% ecn duplicate 100%"),
        &like(Ecn::Capable),
        2,
        TICK,
    );
    let marks: Vec<_> = arrivals.iter().map(|arrival| arrival.ecn).collect();
    // The first packet meets the good state, and its copy the bad one.
    assert_eq!(marks, [Ecn::Marked, Ecn::Capable, Ecn::Marked, Ecn::Marked]);
}
