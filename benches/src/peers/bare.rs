//! What the link alone does to frames that nothing protects and that are played a constant time
//! after they were sent: the floor that every other figure must be explained against.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::frame::{BARE, PERIOD};
use super::passage::{Passage, Traffic};
use super::trial::Tally;
use crate::duplex::{Direction, Duplex, Enter, Kind, SharedLog};
use crate::link::{Ecn, LinkError, LinkSpec};

/// Sends `frames` frames across `link` in virtual time. The luck is the same that the frames of a
/// peer meet that sends nothing else.
///
/// # Errors
///
/// As [`Duplex::new`].
pub fn run(
    link: &LinkSpec,
    seed: u64,
    latency: Duration,
    frames: u32,
) -> Result<Passage, LinkError> {
    let log = SharedLog::default();
    let mut duplex = Duplex::new(link, seed, log.clone())?;
    for number in 0..frames {
        let now = MonoTime::ZERO + PERIOD * number;
        while duplex.pop(now).is_some() {}
        let (direction, kind) = (Direction::ToClient, Kind::Media);
        let (data, overhead, ecn) = (Bytes::new(), BARE, Ecn::NotCapable);
        let enter = Enter { direction, route: 0, kind, data, overhead, ecn };
        duplex.push(now, enter);
    }
    while let Some(next) = duplex.next_deadline() {
        while duplex.pop(next).is_some() {}
    }
    let log = log.snapshot();
    let delays = log.entries().iter().map(|entry| Some(entry.due?.since(entry.entered)));
    let tally = Tally::of(latency, delays);
    Ok(Passage::of(&tally, Traffic::of(&log, MonoTime::ZERO + PERIOD * frames)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(link: &str, latency: u64) -> Passage {
        run(&link.parse().unwrap(), 1, Duration::from_millis(latency), 10_000).unwrap()
    }

    #[test]
    fn without_protection_all_losses_are_missing_and_nothing_is_sent_beside_the_frames() {
        let passage = floor("delay 40ms loss 20%", 200);
        assert!((0.18..0.22).contains(&passage.share()), "{}", passage.share());
        assert_eq!((passage.overhead, passage.feedback, passage.late), (0.0, 0.0, 0));
        assert_eq!(passage.delay_max_ms, Some(40.0));
    }

    #[test]
    fn what_takes_longer_than_the_latency_is_late() {
        assert_eq!(floor("delay 40ms", 40).late, 0);
        assert_eq!(floor("delay 40ms", 39).late, 10_000);
    }
}
