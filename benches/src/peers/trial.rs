//! The course of one trial, as a pure machine in anybody's time.
//!
//! ```text
//! settling   frames cross a link that only delays, until the peer hands them over in time
//! measuring  frames cross the link under test, and count
//! running    some more frames, so that the last ones that count are repaired like the others
//! ```
//!
//! A peer is thus set up, and has learnt the base delay, before the link turns bad: what is
//! compared is how media are protected, not how well a handshake got through. And the luck of the
//! link begins with the first frame that counts, whoever carries it and however long it took to
//! get there.
//!
//! # The calling contract
//!
//! [`Trial::poll`] is called until it returns `None`, and again at [`Trial::next_deadline`];
//! [`Trial::on_handed`] whenever the peer hands a frame over.

use std::time::Duration;

use cantus_qos::stats::Distribution;
use cantus_qos::time::MonoTime;

use super::frame::{Frame, PERIOD};

/// Frames that must have been handed over in time, one after the other, before any counts.
const SETTLED: u32 = 100;
/// How long a peer may take for that.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How much longer than the latency is waited for what is late.
const GRACE: Duration = Duration::from_millis(500);

/// What is to be done now.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Give this frame to the peer.
    Send(Frame),
    /// From now on packets cross the link under test.
    Impair,
    /// It is over; see [`Trial::tally`].
    End,
}

/// One trial.
#[derive(Debug)]
pub struct Trial {
    latency: Duration,
    began: MonoTime,
    /// The next frame.
    next: u32,
    /// When it is due.
    due: MonoTime,
    /// Frames handed over in time so far, since the last that was not.
    through: u32,
    /// Whether any was handed over at all.
    lives: bool,
    /// The first frame that counts, once there is one, and when it was due.
    first: Option<(u32, MonoTime)>,
    /// Of each frame that counts, how long it took.
    delays: Vec<Option<Duration>>,
    ended: bool,
}

/// What became of the frames that count.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many there were.
    pub frames: u32,
    /// Were never handed over.
    pub missing: u32,
    /// Were handed over more than the latency after they were sent.
    pub late: u32,
    /// From sending to handing over, of all that were.
    pub delays: Distribution,
}

impl Trial {
    /// A trial that counts `frames` frames, each of which must be handed over within `latency`.
    pub fn new(now: MonoTime, frames: u32, latency: Duration) -> Self {
        let delays = vec![None; frames as usize];
        Self {
            latency,
            began: now,
            next: 0,
            due: now,
            through: 0,
            lives: false,
            first: None,
            delays,
            ended: false,
        }
    }

    /// The next thing to do at `now`.
    pub fn poll(&mut self, now: MonoTime) -> Option<Step> {
        if self.ended || now < self.due {
            return None;
        }
        if self.first.is_none() && self.through >= SETTLED {
            self.first = Some((self.next, self.due));
            return Some(Step::Impair);
        }
        if self.end().is_some_and(|end| self.due >= end) {
            self.ended = true;
            return Some(Step::End);
        }
        let frame = Frame { number: self.next, sent: now };
        self.next += 1;
        self.due += PERIOD;
        Some(Step::Send(frame))
    }

    /// When [`Trial::poll`] must be called again; `None` after the end.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        (!self.ended).then_some(self.due)
    }

    /// A frame was handed over. Only the first time counts.
    pub fn on_handed(&mut self, now: MonoTime, frame: Frame) {
        let delay = now.since(frame.sent);
        self.lives = true;
        self.through = if delay <= self.latency { self.through + 1 } else { 0 };
        let place = self.first.and_then(|(first, _)| frame.number.checked_sub(first));
        if let Some(first) = place.and_then(|place| self.delays.get_mut(place as usize)) {
            first.get_or_insert(delay);
        }
    }

    /// Whether the trial ended before any frame counted: the peer never got going.
    pub fn is_stillborn(&self) -> bool {
        self.ended && self.first.is_none()
    }

    /// Whether any frame was handed over, in time or not.
    pub fn is_alive(&self) -> bool {
        self.lives
    }

    /// For how long frames counted, from the instant of [`Step::Impair`].
    pub fn measured(&self) -> Duration {
        PERIOD * self.delays.len() as u32
    }

    /// What became of the frames.
    pub fn tally(&self) -> Tally {
        Tally::of(self.latency, self.delays.iter().copied())
    }

    /// When it is over: late frames have had their time, or patience has come to its end.
    fn end(&self) -> Option<MonoTime> {
        Some(match self.first {
            Some((_, from)) => from + self.measured() + self.latency + GRACE,
            None => self.began + PATIENCE,
        })
    }
}

impl Tally {
    /// Counts frames, by how long each took, against the latency.
    pub fn of(latency: Duration, delays: impl IntoIterator<Item = Option<Duration>>) -> Self {
        let mut tally = Self::default();
        for delay in delays {
            tally.frames += 1;
            match delay {
                Some(delay) => {
                    tally.late += u32::from(delay > latency);
                    tally.delays.record(delay.into());
                }
                None => tally.missing += 1,
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const LATENCY: Duration = Duration::from_millis(200);

    /// Runs a trial with a peer that takes `delay` for a frame, or loses it; `None` for the frame
    /// before any count. When the link turned bad, and how the trial stood at its end.
    fn run(
        frames: u32,
        delay: impl Fn(Option<u32>) -> Option<Duration>,
    ) -> (Option<MonoTime>, Trial) {
        let mut now = MonoTime::from_millis(5);
        let mut trial = Trial::new(now, frames, LATENCY);
        let (mut under_way, mut impaired) = (Vec::<(MonoTime, Frame)>::new(), None);
        loop {
            while let Some(step) = trial.poll(now) {
                match step {
                    Step::Send(frame) => {
                        let place = trial.first.map(|(first, _)| frame.number - first);
                        under_way.extend(delay(place).map(|delay| (now + delay, frame)));
                    }
                    Step::Impair => impaired = Some(now),
                    Step::End => return (impaired, trial),
                }
            }
            let arrivals = under_way.iter().map(|&(at, _)| at);
            now = arrivals.chain(trial.next_deadline()).min().unwrap();
            let (here, there) = under_way.into_iter().partition(|&(at, _)| at <= now);
            under_way = there;
            for (at, frame) in here {
                trial.on_handed(at, frame);
            }
        }
    }

    #[test]
    fn a_frame_is_in_time_up_to_the_latency_and_late_beyond_it() {
        let (_, trial) = run(50, |place| match place {
            Some(7) => None,
            Some(8) => Some(LATENCY),
            Some(9) => Some(LATENCY + Duration::from_nanos(1)),
            Some(49) => Some(LATENCY + 300 * MS),
            _ => Some(40 * MS),
        });
        let tally = trial.tally();
        assert_eq!((tally.frames, tally.missing, tally.late), (50, 1, 2));
        assert_eq!(tally.delays.count(), 49);
    }

    #[test]
    fn nothing_counts_before_a_hundred_frames_have_come_through() {
        let (impaired, trial) = run(10, |place| place.map(|_| 30 * MS).or(Some(70 * MS)));
        // Frame 99 is handed over 70 ms after it is due; the next frame due is the first to count.
        let first = MonoTime::from_millis(5) + PERIOD * 99 + 80 * MS;
        assert_eq!(impaired, Some(first));
        let tally = trial.tally();
        assert_eq!((tally.frames, tally.missing, tally.late), (10, 0, 0));
        assert_eq!(trial.measured(), 200 * MS);
    }

    #[test]
    fn a_peer_that_hands_nothing_over_or_all_of_it_too_late_is_given_up_after_a_while() {
        for delay in [None, Some(LATENCY + MS)] {
            let (impaired, trial) = run(10, |_| delay);
            assert_eq!(trial.is_alive(), delay.is_some());
            assert_eq!(impaired, None);
            assert!(trial.is_stillborn());
            assert_eq!(trial.next_deadline(), None);
        }
    }

    #[test]
    fn a_frame_that_comes_twice_counts_as_it_came_first() {
        let mut trial = Trial::new(MonoTime::ZERO, 1, LATENCY);
        trial.first = Some((0, MonoTime::ZERO));
        let frame = Frame { number: 0, sent: MonoTime::ZERO };
        trial.on_handed(MonoTime::from_millis(100), frame);
        trial.on_handed(MonoTime::from_millis(300), frame);
        assert_eq!(trial.tally().late, 0);
    }
}
