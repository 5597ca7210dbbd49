//! When a sink with a clock of its own plays what it was handed.

use std::time::Duration;

use cantus_qos::sync::{Drift, DriftMeter, PlayoutClock};
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use super::handed::HandOver;
use super::{Block, Pipeline};

/// Weight of one measurement against those before it.
const SMOOTHING: i64 = 16;
/// A measurement farther off than this is no jitter: the sound broke off, or the player was put
/// to sleep between reading the sink and reading its own clock.
const STRAY: Duration = Duration::from_millis(5);
/// So many such measurements in a row, and the sound did break off.
const STRAYS: u32 = 3;

/// Follows what a sink says about how long it takes until all that it has is heard.
///
/// Each measurement jitters by as long as the system keeps the player or the sink waiting, which
/// neither the start of the sound nor the instant of a cue is to show. So the sink is taken to
/// play steadily; measurements only bend that line a little, and move it when they insist.
#[derive(Debug, Default)]
pub(super) struct SinkTime {
    /// Sound of this length was handed over, silence included.
    handed: MediaTime,
    /// When each instant of it is heard; `None` before the first measurement.
    line: Option<PlayoutClock>,
    strays: u32,
    meter: DriftMeter,
}

impl SinkTime {
    /// The sink says at `now` that all it was handed is heard in `pending`.
    pub(super) fn measure(&mut self, now: MonoTime, pending: Duration) {
        let end = now + pending;
        let line = self.line.get_or_insert(PlayoutClock::new(end, self.handed));
        let error = end - line.heard_at(self.handed);
        let strays = error.abs() > STRAY;
        self.strays = if strays { self.strays + 1 } else { 0 };
        if !strays {
            let offset = (end - MonoTime::ZERO) - self.handed.to_delta();
            self.meter.observe(now, offset);
            line.delay(TimeDelta::from_nanos(error.as_nanos() / SMOOTHING));
        } else if self.strays == STRAYS {
            self.strays = 0;
            *line = PlayoutClock::new(end, self.handed);
            self.meter.interrupt();
        }
    }

    /// How fast the sink's clock parts from ours: positive where it is slow. `None` until that can
    /// be told.
    pub(super) fn drift(&self) -> Option<Drift> {
        self.meter.drift()
    }

    /// When the next sample that is handed over will be heard; `None` before any measurement.
    pub(super) fn next_heard(&self) -> Option<MonoTime> {
        self.line.map(|line| line.heard_at(self.handed))
    }

    /// Sound of this length was handed over.
    pub(super) fn hand(&mut self, length: MediaTime) {
        self.handed += length;
    }
}

impl Pipeline {
    /// A sink with a clock says that it has played all that it was handed in `pending`.
    pub fn on_sink(&mut self, now: MonoTime, pending: Duration) {
        // At the end the sink runs dry, which tells nothing about when the end is heard.
        if self.is_rendered() {
            return;
        }
        self.sink.measure(now, pending);
        let (next, held) = (self.next_heard(), self.held());
        if let Some((playout, heard_at)) = self.playout.as_mut().zip(next) {
            *playout = PlayoutClock::new(heard_at, self.position);
            self.sounded = Some(PlayoutClock::new(now + pending + held, self.position));
        }
    }

    /// Samples for a sink that wants `frames` and has said when it plays them
    /// ([`on_sink`](Self::on_sink)).
    pub fn pull_sound(&mut self, now: MonoTime, frames: usize) -> Option<Block> {
        if self.is_rendered() {
            return None;
        }
        let heard_at = self.next_heard()?;
        self.pace.sink_takes(heard_at.since(now));
        let start = self.start_at().filter(|_| self.playout.is_none());
        let block = match start {
            Some(start) if start > heard_at => self.lead_in(self.frames(start - heard_at), frames),
            None if self.playout.is_none() => self.lead_in(frames, frames),
            _ => {
                self.playout = Some(PlayoutClock::new(heard_at, self.position));
                self.render(now, HandOver::heard(heard_at))?
            }
        };
        let frames = block.samples.len() / usize::from(self.format().channels);
        self.sink.hand(self.format().duration(frames));
        Some(block)
    }

    /// Silence before the first sample.
    fn lead_in(&self, wait: usize, most: usize) -> Block {
        self.mix.silence(wait.clamp(1, most.max(1)))
    }

    fn frames(&self, span: TimeDelta) -> usize {
        MediaTime::from_delta(span).ticks(self.format().rate).max(0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: MediaTime = MediaTime::from_millis(20);

    /// A player that wakes every 20 ms and hands over 20 ms, to a sink that is 60 ms behind.
    fn steady(measurements: u64) -> (SinkTime, MonoTime) {
        let mut time = SinkTime::default();
        let mut now = MonoTime::ZERO;
        for _ in 0..measurements {
            time.measure(now, Duration::from_millis(60));
            time.hand(UNIT);
            now += Duration::from_millis(20);
        }
        (time, now)
    }

    fn millis(at: Option<MonoTime>) -> f64 {
        at.map_or(f64::NAN, MonoTime::as_secs_f64) * 1e3
    }

    #[test]
    fn nothing_is_known_before_the_sink_was_asked() {
        assert_eq!(SinkTime::default().next_heard(), None);
    }

    #[test]
    fn a_steady_sink_is_followed_to_the_nanosecond() {
        let (time, now) = steady(50);
        assert_eq!(time.next_heard(), Some(now + Duration::from_millis(60)));
    }

    #[test]
    fn one_measurement_gone_astray_moves_nothing_and_three_do() {
        let (mut time, now) = steady(50);
        let before = time.next_heard();
        let late = Duration::from_millis(60 + 30);
        time.measure(now, late);
        time.measure(now, late);
        assert_eq!(time.next_heard(), before);
        time.measure(now, Duration::from_millis(60));
        time.measure(now, late);
        assert_eq!(time.next_heard(), before, "two and one are not three in a row");
        time.measure(now, late);
        time.measure(now, late);
        assert_eq!(time.next_heard(), Some(now + late));
    }

    #[test]
    fn what_is_no_stray_bends_the_line_by_a_sixteenth() {
        for (off, moved) in [(5_000, 5_000.0 / 16.0), (5_001, 0.0), (-4_800, -300.0)] {
            let (mut time, now) = steady(50);
            let before = millis(time.next_heard());
            time.measure(now, Duration::from_micros((60_000 + off) as u64));
            let change = 1e3 * (millis(time.next_heard()) - before);
            assert!((change - moved).abs() < 0.01, "{off}: {change}");
        }
    }

    #[test]
    fn a_sink_that_drifts_is_followed_without_a_step() {
        let (mut time, mut now) = steady(1);
        // 1,000 parts in a million: far more than any sound card.
        let mut last = millis(time.next_heard());
        for _ in 0..5_000 {
            now += Duration::from_micros(20_020);
            time.measure(now, Duration::from_millis(60));
            let next = millis(time.next_heard());
            assert!((next - last - 20.0).abs() < 0.1 || last < 200.0, "{last} {next}");
            time.hand(UNIT);
            last = next;
        }
        let wanted = now.as_secs_f64() * 1e3 + 60.0;
        assert!((last - wanted).abs() < 0.5, "{last} is not {wanted}");
        let drift = time.drift().expect("a hundred seconds are enough");
        assert!((drift.rate - 1e-3).abs() < 1e-6, "{drift:?}");
    }
}
