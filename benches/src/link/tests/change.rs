//! One link after another.

use super::*;

#[test]
fn from_its_instant_on_another_link_has_what_is_sent() {
    let next =
        link("delay 10ms loss 100%").followed_by(MonoTime::from_millis(80), link("delay 20ms"));
    let mut link = link("delay 50ms").followed_by(MonoTime::from_millis(40), next);
    let arrivals = send(&mut link, 6, Duration::from_millis(20), 100);
    // Two cross the first, two are lost on the second, and those on the third overtake nobody.
    assert_eq!(tags(&arrivals), [0, 1, 4, 5]);
    assert_eq!(delays(&arrivals), [50.0, 50.0, 20.0, 20.0]);
    let counts = link.counts();
    assert_eq!((counts.entered, counts.lost, counts.left), (6, 2, 4));
}
