//! When the sender sent it, told in our own time.

use std::time::Duration;

use cantus_qos::rtp::AbsSendTime;
use cantus_qos::sync::{Drift, SenderClock};
use cantus_qos::time::{MediaTime, MonoTime, NtpTime};

/// A clock that shows something else than ours, by more than a set-up takes, is not ours.
const SAME_CLOCK: Duration = Duration::from_secs(10);

/// The sender's clock and its nominal timeline.
///
/// Cantus senders say when the range begins by their clock (in the answer to PLAY, then in every
/// SR), and each packet says when it left. From others only the media time is known, which stands
/// for the sending time: true for live senders, and good enough for the rest.
#[derive(Debug)]
pub(crate) struct SenderTime {
    clock: SenderClock,
    /// What the sender's clock shows when `from` is presented nominally.
    start: NtpTime,
    from: MediaTime,
    /// When we heard of it: tells the 64 s circles of the sending time apart.
    known_at: MonoTime,
    uses_send_time: bool,
}

impl SenderTime {
    /// The range begins at `from`, by the sender's clock at `start` if it said so; we heard at
    /// `now`. `shared` is the wall clock at our zero, where the sender goes by it too.
    pub(crate) fn new(
        now: MonoTime,
        from: MediaTime,
        start: Option<NtpTime>,
        shared: Option<NtpTime>,
    ) -> Self {
        let uses_send_time = start.is_some();
        let shared = start.zip(shared).filter(|(start, ntp_at_zero)| {
            let ours = ntp_at_zero.offset(now - MonoTime::ZERO);
            start.since(ours).abs() <= SAME_CLOCK
        });
        let clock = match shared {
            Some((_, ntp_at_zero)) => SenderClock::shared(ntp_at_zero),
            None => SenderClock::new(),
        };
        let start = start.unwrap_or_else(|| NtpTime::from_unix(Duration::ZERO));
        Self { clock, start, from, known_at: now, uses_send_time }
    }

    /// What the sender's clock shows when `media_time` is presented nominally.
    pub(crate) fn nominal(&self, media_time: MediaTime) -> NtpTime {
        self.start.offset((media_time - self.from).to_delta())
    }

    /// When `media_time` is presented nominally, in our time; `None` before any packet.
    pub(crate) fn nominal_at(&self, media_time: MediaTime) -> Option<MonoTime> {
        self.clock.to_local(self.nominal(media_time))
    }

    /// When a packet says that it was sent, by the sender's clock.
    fn told(&self, now: MonoTime, sent: Option<AbsSendTime>) -> Option<NtpTime> {
        let sent = sent.filter(|_| self.uses_send_time)?;
        // The clocks may part by more than half a circle in the long run.
        let about = self.clock.to_sender(now);
        Some(sent.near(about.unwrap_or(self.start.offset(now - self.known_at))))
    }

    /// When a packet left by the sender's clock, where that is known: what does not say so left at
    /// its nominal instant.
    pub(crate) fn departure(
        &self,
        now: MonoTime,
        sent: Option<AbsSendTime>,
        media_time: MediaTime,
    ) -> Option<NtpTime> {
        self.uses_send_time.then(|| self.sent_ntp(now, sent, media_time))
    }

    fn sent_ntp(&self, now: MonoTime, sent: Option<AbsSendTime>, media_time: MediaTime) -> NtpTime {
        self.told(now, sent).unwrap_or_else(|| self.nominal(media_time))
    }

    /// Whether the sender says when the range began, and every packet when it left.
    pub(crate) fn is_told(&self) -> bool {
        self.uses_send_time
    }

    /// What leaves the sender nominally when that leaves which comes at `now`; `None` before any packet.
    pub(crate) fn presented(&self, now: MonoTime) -> Option<MediaTime> {
        let sent = self.clock.to_sender(now)?;
        Some(self.from + MediaTime::from_delta(sent.since(self.start)))
    }

    /// What came so far stands for other instants than it was taken to.
    pub(crate) fn on_moved(&mut self) {
        self.clock.interrupt();
    }

    /// A packet came.
    pub(crate) fn on_arrival(
        &mut self,
        now: MonoTime,
        sent: Option<AbsSendTime>,
        media_time: MediaTime,
    ) {
        let sent = self.sent_ntp(now, sent, media_time);
        self.clock.on_arrival(now, sent);
    }

    /// When a packet was sent, in our time.
    pub(crate) fn sent_at(
        &self,
        now: MonoTime,
        sent: Option<AbsSendTime>,
        media_time: MediaTime,
    ) -> Option<MonoTime> {
        self.clock.to_local(self.sent_ntp(now, sent, media_time))
    }

    /// A round trip was measured.
    pub(crate) fn on_round_trip(&mut self, round_trip: Duration) {
        self.clock.on_round_trip(round_trip);
    }

    /// How fast the sender's clock parts from ours.
    pub(crate) fn drift(&self) -> Option<Drift> {
        self.clock.drift()
    }

    /// By how much all this may be wrong.
    pub(crate) fn uncertainty(&self) -> Option<Duration> {
        self.clock.uncertainty()
    }
}
