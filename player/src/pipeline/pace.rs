//! How long playback waits, and how it is brought nearer to what the network asks for.

use std::time::Duration;

use cantus_qos::payload::AudioFormat;
use cantus_qos::playout::{Adapter, Adjustment, TargetConfig, TargetDelay, TimeScale};
use cantus_qos::spec::QosSpec;
use cantus_qos::time::{MediaTime, TimeDelta};

use super::paths::Paths;
use crate::wish::Latency;

/// Stored media starts with this much: the streamer runs ahead, and soon there is more.
const STORED_START: Duration = Duration::from_millis(300);

/// With `auto`, of the units that come by themselves one in two hundred may be late; and for the
/// others, waiting 3 ms more must save one unit in a hundred. What that is worth is a choice: with
/// less, plain jitter interrupts the sound too often; with more, a few stragglers let everybody wait
/// (where delays are Pareto distributed, as on the link `storm`, for twice as long as half of the
/// units need). What is lost is waited for only where it was promised that it would be heard.
///
/// Half a second from end to end is more than conversation bears (ITU-T G.114), so playback waits
/// for no more than a second where it stands still: then it goes on without what is missing.
const AUTO: TargetConfig = TargetConfig {
    minimum: Duration::from_millis(5),
    maximum: Duration::from_secs(1),
    start: Duration::from_millis(60),
    late_share: 0.005,
    worth: Some(Duration::from_millis(300)),
    loss: None,
};

/// Where nothing is asked for again, so much behind the newest unit a missing one of stored media
/// may still be repaired, and as long playback waits for it.
const STORED_HOPE: MediaTime = MediaTime::from_millis(3_000);

/// Stored media waits this long for anything at all, a little less than after which the server
/// counts as gone (`ending`): a mobile network may stand still for fourteen seconds.
const PATIENCE: Duration = Duration::from_secs(17);

/// The least that is left for jitter where path and sink take more than was promised.
const LEAST: Duration = Duration::from_millis(20);

/// A promised latency that a sink with a clock of its own misses by no more is let be: scaling a
/// block changes it by up to 15 ms, and is not to overshoot to the other side.
const SLACK: Duration = Duration::from_millis(10);

/// Where a delay bounds `auto`, the target stays so far below it: by a period, playback may be above
/// its target.
const OVERSHOOT: Duration = Duration::from_millis(15);

/// By what part of the difference the longest lead of a sink comes down to the latest.
const SINK_FORGETTING: u32 = 64;

/// One block in so many may be scaled to bring a promised latency back.
const SHARE: i64 = 5;

/// The latency of playback: held constant where it is promised, adapted where it is `auto`.
#[derive(Debug)]
pub(crate) struct Pace {
    latency: Latency,
    config: TargetConfig,
    paths: Paths,
    /// The delay that a latency of our own choice is not to exceed, where one is promised.
    bound: Option<Duration>,
    /// Whether units that are lost are waited for: a share of them was promised.
    for_all: bool,
    adapter: Adapter,
    scale: TimeScale,
    /// How long before they are heard a sink with a clock takes samples; `None` if it has none.
    sink: Option<Duration>,
    /// How long before they are due samples leave for a sink without a clock.
    lead: Duration,
    /// How much sound has to pass unscaled before the next block may be scaled.
    rest: MediaTime,
    rate: cantus_qos::time::ClockRate,
    channels: usize,
}

impl Pace {
    /// The pace that `latency` asks for under `terms`, of sound in `format` that leaves `lead` before
    /// it is due where the sink has no clock.
    pub(crate) fn new(
        latency: Latency,
        terms: &QosSpec,
        lead: Duration,
        format: AudioFormat,
    ) -> Self {
        let config = TargetConfig { loss: terms.loss, ..AUTO };
        Self {
            latency,
            config,
            paths: Paths::new(1, config),
            bound: terms.delay,
            for_all: terms.loss.is_some(),
            adapter: Adapter::new(),
            scale: TimeScale::new(format),
            sink: None,
            lead,
            rest: MediaTime::ZERO,
            rate: format.rate,
            channels: usize::from(format.channels),
        }
    }

    /// The same of `tracks` that are not kept together: each has what it needs.
    pub(crate) fn of_tracks(self, tracks: usize) -> Self {
        Self { paths: Paths::new(tracks, self.config), ..self }
    }

    /// What tells how long the `track`-th track needs.
    pub(crate) fn path(&mut self, track: usize) -> &mut TargetDelay {
        self.paths.of(track)
    }

    /// Whether playback, which is heard `delay` after its nominal sending and has stood still for
    /// `stood`, waits where there is nothing to be played: what is not there yet is still to be
    /// heard, a little later.
    pub(crate) fn waits(&self, delay: Option<TimeDelta>, stood: MediaTime) -> bool {
        match self.latency {
            Latency::Fixed(_) => false,
            Latency::Stored => stood < MediaTime::from_duration(PATIENCE),
            Latency::Auto => delay.is_some_and(|delay| self.excess(delay) < self.longest().into()),
        }
    }

    /// Whether what can be heard no earlier than `delay` after its sending is heard in the long run.
    pub(crate) fn bears(&self, delay: TimeDelta) -> bool {
        let longest = match self.latency {
            Latency::Fixed(promised) => promised,
            Latency::Auto => self.fastest() + self.longest(),
            Latency::Stored => self.fastest() + PATIENCE,
        };
        delay <= longest.into()
    }

    /// Whether it waits where something is missing that was asked for, and nothing at all has come
    /// for so long. Stored media has no instant at which it must be heard: it is a reliable stream
    /// until the path to its server counts as gone.
    pub(crate) fn waits_for_answer(&self, quiet: Duration) -> bool {
        self.is_stored() && quiet < PATIENCE
    }

    /// The same where nothing is asked for, and `depth` is there from here on: what is long past the
    /// newest unit is repaired by now, or never.
    pub(crate) fn waits_for_repair(&self, depth: MediaTime, stood: MediaTime) -> bool {
        self.is_stored() && depth < STORED_HOPE && stood < STORED_HOPE
    }

    /// How long after its instant a unit that was asked for is waited for.
    pub(crate) fn patience(&self) -> Duration {
        if self.is_stored() { PATIENCE } else { Duration::ZERO }
    }

    /// Whether the sender may run ahead, and playback falls behind.
    pub(crate) fn is_stored(&self) -> bool {
        self.latency == Latency::Stored
    }

    /// By how much longer playback waits than it must, where the latency is ours to choose.
    pub(crate) fn surplus(&self, delay: Option<TimeDelta>) -> Duration {
        match (self.latency, delay) {
            (Latency::Auto, Some(delay)) => (self.excess(delay) - self.target().into()).max_zero(),
            _ => Duration::ZERO,
        }
    }

    /// How much longer than the fastest packet takes playback is to wait.
    fn target(&self) -> Duration {
        self.paths.target().min(self.longest())
    }

    /// How much longer it may wait: no longer than was promised, where the path leaves that much.
    fn longest(&self) -> Duration {
        let (Latency::Auto, Some(bound)) = (self.latency, self.bound) else { return AUTO.maximum };
        let taken = self.fastest() + self.ahead() + OVERSHOOT;
        bound.saturating_sub(taken).clamp(AUTO.minimum, AUTO.maximum)
    }

    /// By how much later than it is due now a unit is still of use, if it can be repaired, where
    /// playback has `stood` still. Where what is lost is waited for, it is asked for as long as
    /// playback would wait, once it knows that it comes. Elsewhere, to hear what could have been in
    /// time only because playback stood still would make everything after it late.
    pub(crate) fn hope(&self, stood: MediaTime) -> TimeDelta {
        match (self.latency, self.for_all) {
            (Latency::Auto, true) => (self.longest() - self.target()).into(),
            (Latency::Auto, false) => TimeDelta::ZERO - stood.to_delta(),
            _ => TimeDelta::ZERO,
        }
    }

    /// How long a packet that takes as long as half of them is to be buffered, and how long at most:
    /// where that is ours to choose, and known by now.
    pub(crate) fn buffers(&self) -> Option<(Duration, Duration)> {
        let median = self.paths.median().filter(|_| self.latency == Latency::Auto)?;
        let before = median - self.fastest().into();
        let from = |longest: Duration| (TimeDelta::from(longest) - before).max_zero();
        Some((from(self.target()), from(self.longest())))
    }

    /// By how much longer than the fastest packet takes a delay is, the sink left out.
    fn excess(&self, delay: TimeDelta) -> TimeDelta {
        delay - TimeDelta::from(self.fastest() + self.ahead())
    }

    /// How long after its nominal sending the first unit is heard. Samples leave for the sink
    /// before they are heard, which adds to what the network needs; and where a sink with a clock
    /// and the network need more than was promised, playback is as near to the promise as it can
    /// be.
    pub(crate) fn start_delay(&self) -> Duration {
        let sink = self.ahead();
        match (self.latency, self.sink) {
            (Latency::Fixed(delay), None) => delay,
            (Latency::Fixed(delay), Some(_)) => delay.max(self.fastest() + LEAST + SLACK + sink),
            (Latency::Stored, _) => self.fastest() + STORED_START + sink,
            (Latency::Auto, _) => self.feasible(),
        }
    }

    /// The delay at which playback is to stay, where one is promised.
    pub(crate) fn promised(&self) -> Option<Duration> {
        matches!(self.latency, Latency::Fixed(_)).then(|| self.start_delay())
    }

    /// The promised latency becomes another.
    pub(crate) fn renew(&mut self, delay: Duration) {
        self.latency = Latency::Fixed(delay);
    }

    /// The least latency at which playback could begin, by what is known of the path.
    pub(crate) fn feasible(&self) -> Duration {
        self.fastest() + self.target() + self.ahead()
    }

    /// A sink with a clock of its own takes samples so long before they are heard.
    pub(crate) fn sink_takes(&mut self, lead: Duration) {
        // The longest counts, for a unit that comes after it was taken is late.
        let before = self.sink.unwrap_or(lead);
        self.sink = Some(lead.max(before - before.saturating_sub(lead) / SINK_FORGETTING));
    }

    /// How long before they are heard samples leave.
    fn ahead(&self) -> Duration {
        self.sink.unwrap_or(self.lead)
    }

    /// How long before they are heard a sink with a clock takes samples; zero if it has none.
    pub(crate) fn sink_lead(&self) -> Duration {
        self.sink.unwrap_or_default()
    }

    fn fastest(&self) -> Duration {
        self.paths.fastest().unwrap_or_default().max_zero()
    }

    /// Shortens or lengthens a block that is heard `delay` after its nominal sending, where the
    /// latency is ours to choose. Gives by how much later everything after it is heard.
    pub(crate) fn adapt(
        &mut self,
        delay: Option<TimeDelta>,
        block: MediaTime,
        samples: &mut Vec<f32>,
    ) -> TimeDelta {
        let (Latency::Auto, Some(delay)) = (self.latency, delay) else { return TimeDelta::ZERO };
        let scaled = match self.adapter.decide(self.excess(delay), self.target(), block) {
            Adjustment::Keep => None,
            Adjustment::Shorten => self.scale.shorten(samples),
            Adjustment::Lengthen => self.scale.lengthen(samples),
        };
        let change = self.replace(samples, scaled);
        if change != TimeDelta::ZERO {
            self.adapter.scaled();
        }
        change
    }

    /// As [`adapt`](Self::adapt), for a sink with a clock of its own: where the latency is promised
    /// too, the sound is brought back to it when the sink has broken off.
    pub(crate) fn hold(
        &mut self,
        delay: Option<TimeDelta>,
        block: MediaTime,
        samples: &mut Vec<f32>,
    ) -> TimeDelta {
        let (Latency::Fixed(_), Some(delay)) = (self.latency, delay) else {
            return self.adapt(delay, block, samples);
        };
        self.rest = (self.rest - block).max(MediaTime::ZERO);
        let error = delay - self.start_delay().into();
        if error.abs() <= SLACK || self.rest > MediaTime::ZERO {
            return TimeDelta::ZERO;
        }
        let scaled = match error.as_nanos() > 0 {
            true => self.scale.shorten(samples),
            false => self.scale.lengthen(samples),
        };
        let change = self.replace(samples, scaled);
        if change != TimeDelta::ZERO {
            self.rest = MediaTime::from_flicks(block.as_flicks().saturating_mul(SHARE));
        }
        change
    }

    /// By how much longer `samples` have become, if they were `scaled`.
    fn replace(&self, samples: &mut Vec<f32>, scaled: Option<Vec<f32>>) -> TimeDelta {
        let Some(scaled) = scaled else { return TimeDelta::ZERO };
        let more = (scaled.len() / self.channels) as i64 - (samples.len() / self.channels) as i64;
        *samples = scaled;
        MediaTime::from_ticks(more, self.rate).to_delta()
    }

    /// Media time that was left out and put in.
    pub(crate) fn scaled(&self) -> (MediaTime, MediaTime) {
        let time = |frames: u64| MediaTime::from_ticks(frames as i64, self.rate);
        (time(self.scale.removed()), time(self.scale.added()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_qos::time::MonoTime;

    const MS: fn(i64) -> TimeDelta = TimeDelta::from_millis;
    const UNIT: MediaTime = MediaTime::from_millis(20);

    fn promised(millis: u64) -> Pace {
        pace(Latency::Fixed(Duration::from_millis(millis)), "")
    }

    fn pace(latency: Latency, terms: &str) -> Pace {
        let terms = terms.parse().expect("terms");
        Pace::new(latency, &terms, Duration::ZERO, AudioFormat::OPUS_MONO)
    }

    /// 20 ms of 100 Hz, which can be scaled by whole waves of 10 ms.
    fn tone() -> Vec<f32> {
        (0..960).map(|n| (n as f32 * std::f32::consts::TAU / 480.0).sin() / 2.0).collect()
    }

    fn held(pace: &mut Pace, delay: TimeDelta) -> TimeDelta {
        pace.hold(Some(delay), UNIT, &mut tone())
    }

    #[test]
    fn a_promise_is_kept_where_path_and_sink_leave_room_for_it() {
        let mut pace = promised(200);
        assert_eq!(pace.start_delay(), Duration::from_millis(200));
        pace.sink_takes(Duration::from_millis(170));
        assert_eq!(pace.start_delay(), Duration::from_millis(200));
    }

    #[test]
    fn a_sink_that_takes_longer_than_was_promised_is_waited_for() {
        let mut pace = promised(60);
        pace.path(0).observe(MonoTime::ZERO, MS(30));
        assert_eq!(pace.start_delay(), Duration::from_millis(60));
        pace.sink_takes(Duration::from_millis(100));
        assert_eq!(pace.start_delay(), Duration::from_millis(30 + 20 + 10 + 100));
    }

    #[test]
    fn the_longest_lead_of_a_sink_counts_and_is_forgotten_slowly() {
        let mut pace = promised(0);
        let mut least = |lead| {
            pace.sink_takes(Duration::from_micros(lead));
            pace.start_delay().as_micros() as u64 - 30_000
        };
        let leads = [100_000, 120_000, 56_000].map(&mut least);
        assert_eq!(leads, [100_000, 120_000, 119_000]);
    }

    #[test]
    fn what_the_network_needs_comes_on_top_of_what_the_sink_takes() {
        for latency in [Latency::Auto, Latency::Stored] {
            let mut pace = pace(latency, "");
            let without = pace.start_delay();
            pace.sink_takes(Duration::from_millis(100));
            let with = pace.start_delay();
            assert_eq!(with, without + Duration::from_millis(100), "{latency}");
        }
    }

    /// A path on which every tenth unit is lost, and one half of those back 100 ms later.
    fn lossy(terms: &str) -> Pace {
        let mut pace = pace(Latency::Auto, terms);
        for unit in 0..1_000 {
            let now = MonoTime::from_millis(20 * unit);
            pace.path(0).expect(now, 1);
            match unit % 20 {
                7 => pace.path(0).observe_repaired(now, MS(140)),
                17 => {}
                _ => pace.path(0).observe(now, MS(40)),
            }
        }
        pace
    }

    #[test]
    fn what_is_repaired_is_waited_for_and_hoped_for_only_where_a_share_was_promised() {
        let mut pace = lossy("");
        let hope = |pace: &Pace| pace.hope(MediaTime::from_millis(30));
        assert_eq!((pace.feasible().as_millis(), hope(&pace)), (45, MS(-30)));
        pace = lossy("loss<=6%");
        assert_eq!(pace.feasible().as_millis(), 141);
        assert_eq!(hope(&pace), (AUTO.maximum - pace.target()).into());
    }

    #[test]
    fn a_promised_delay_bounds_what_auto_waits_and_never_below_what_the_path_takes() {
        for (terms, feasible) in [("delay<=100ms", 85), ("delay<=20ms", 45), ("delay<=9s", 141)] {
            let pace = lossy(&format!("{terms},loss<=6%"));
            assert_eq!(pace.feasible().as_millis(), feasible, "{terms}");
            let waits = |delay| pace.waits(Some(MS(delay)), MediaTime::ZERO);
            assert_eq!((waits(84), waits(1_000)), (feasible >= 85, feasible > 85), "{terms}");
        }
    }

    #[test]
    fn a_promised_latency_is_brought_back_from_both_sides_of_the_slack() {
        for (delay, scaled) in [(210, 0), (211, -1), (190, 0), (189, 1)] {
            let mut pace = promised(200);
            let change = held(&mut pace, MS(delay));
            assert_eq!(change.as_nanos().signum(), scaled, "{delay}: {change:?}");
            assert!(change.abs() <= Duration::from_millis(15), "{change:?}");
        }
    }

    #[test]
    fn one_block_in_five_is_scaled_at_most() {
        let mut pace = promised(200);
        let scaled: Vec<bool> =
            (0..11).map(|_| held(&mut pace, MS(300)) != TimeDelta::ZERO).collect();
        let expected: Vec<bool> = (0..11).map(|n| n % 5 == 0).collect();
        assert_eq!(scaled, expected);
    }
}
