//! Three clocks, three types, no implicit mixing.
//!
//! * [`MonoTime`]: this machine's monotonic clock. Deadlines and arrivals are told in it.
//! * [`MediaTime`]: the timeline of the presentation. Samples and cues are placed on it.
//! * [`NtpTime`]: the sender's wall clock, as RTCP carries it.
//!
//! [`TimeDelta`] is a signed span between two instants of one clock. Going from one clock to
//! another is the business of [`sync`](crate::sync), never of an arithmetic operator.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::time::Duration;

const NANOS_PER_SEC: i128 = 1_000_000_000;

/// An instant of the local monotonic clock, in nanoseconds since an origin that the driver chose.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct MonoTime(u64);

impl MonoTime {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// The instant `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole microseconds since the origin.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// Seconds since the origin, for display.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for MonoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}s", self.as_secs_f64())
    }
}

impl Add<Duration> for MonoTime {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for MonoTime {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Duration> for MonoTime {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Add<TimeDelta> for MonoTime {
    type Output = Self;
    fn add(self, span: TimeDelta) -> Self {
        Self(self.0.saturating_add_signed(span.0))
    }
}

impl Sub for MonoTime {
    type Output = TimeDelta;
    fn sub(self, earlier: Self) -> TimeDelta {
        TimeDelta(self.0.wrapping_sub(earlier.0) as i64)
    }
}

/// A signed span of real time, in nanoseconds.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct TimeDelta(i64);

impl TimeDelta {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros * 1_000)
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The span in milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The span in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span without its sign.
    pub const fn abs(self) -> Duration {
        Duration::from_nanos(self.0.unsigned_abs())
    }

    /// The span as a duration, zero where it is negative.
    pub const fn max_zero(self) -> Duration {
        Duration::from_nanos(if self.0 < 0 { 0 } else { self.0 as u64 })
    }

    /// The nearest whole nanosecond to `seconds`.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1e9).round() as i64)
    }
}

impl fmt::Debug for TimeDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.3}ms", self.as_millis_f64())
    }
}

impl From<Duration> for TimeDelta {
    fn from(span: Duration) -> Self {
        Self(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Add for TimeDelta {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for TimeDelta {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for TimeDelta {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// A position or a length on the media timeline.
///
/// Counted in *flicks* (1/705,600,000 s), so that a sample of 44.1 kHz, a sample of 48 kHz, a
/// millisecond and a tick of 90 kHz are all whole numbers and nothing is ever rounded on the way.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct MediaTime(i64);

impl MediaTime {
    /// Flicks in a second.
    pub const FLICKS_PER_SEC: i64 = 705_600_000;

    /// The beginning of the presentation.
    pub const ZERO: Self = Self(0);

    /// A position of `flicks` flicks.
    pub const fn from_flicks(flicks: i64) -> Self {
        Self(flicks)
    }

    /// The position in flicks.
    pub const fn as_flicks(self) -> i64 {
        self.0
    }

    /// A position of `millis` milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * (Self::FLICKS_PER_SEC / 1_000))
    }

    /// The position in whole milliseconds, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(Self::FLICKS_PER_SEC / 1_000)
    }

    /// The position in whole microseconds, rounded to the nearest.
    pub const fn as_micros(self) -> i64 {
        ((self.0 as i128 * 1_000_000 + Self::FLICKS_PER_SEC as i128 / 2)
            .div_euclid(Self::FLICKS_PER_SEC as i128)) as i64
    }

    /// The position in seconds, for display.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / Self::FLICKS_PER_SEC as f64
    }

    /// `ticks` of a clock that runs at `rate`; exact where the rate divides the flick.
    pub const fn from_ticks(ticks: i64, rate: ClockRate) -> Self {
        let hz = rate.hz() as i128;
        Self((ticks as i128 * Self::FLICKS_PER_SEC as i128).div_euclid(hz) as i64)
    }

    /// The position in ticks of a clock that runs at `rate`, rounded to the nearest.
    pub const fn ticks(self, rate: ClockRate) -> i64 {
        let per_sec = Self::FLICKS_PER_SEC as i128;
        (self.0 as i128 * rate.hz() as i128 + per_sec / 2).div_euclid(per_sec) as i64
    }

    /// The span of real time that this much media takes at normal speed.
    pub const fn to_delta(self) -> TimeDelta {
        let per_sec = Self::FLICKS_PER_SEC as i128;
        TimeDelta((self.0 as i128 * NANOS_PER_SEC + per_sec / 2).div_euclid(per_sec) as i64)
    }

    /// The same as a duration, zero where it is negative.
    pub const fn to_duration(self) -> Duration {
        self.to_delta().max_zero()
    }

    /// How much media plays in `span` of real time at normal speed.
    pub const fn from_delta(span: TimeDelta) -> Self {
        let per_sec = Self::FLICKS_PER_SEC as i128;
        Self((span.0 as i128 * per_sec + NANOS_PER_SEC / 2).div_euclid(NANOS_PER_SEC) as i64)
    }

    /// How much media plays in `span` of real time at normal speed.
    pub fn from_duration(span: Duration) -> Self {
        Self::from_delta(span.into())
    }
}

impl fmt::Debug for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}s", self.as_secs_f64())
    }
}

impl Add for MediaTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MediaTime {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MediaTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl SubAssign for MediaTime {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

/// Ticks per second of a media clock (RFC 3550, "RTP timestamp clock rate").
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct ClockRate(NonZeroU32);

impl ClockRate {
    /// 48 kHz, the clock of Opus at every bandwidth (RFC 7587, section 4.1).
    pub const OPUS: Self = Self::literal(48_000);
    /// 44.1 kHz, the rate of compact discs and of the static payload types of L16 (RFC 3551).
    pub const CD: Self = Self::literal(44_100);
    /// 1 kHz, the clock of our cues.
    pub const MILLISECONDS: Self = Self::literal(1_000);

    const fn literal(hz: u32) -> Self {
        match NonZeroU32::new(hz) {
            Some(hz) => Self(hz),
            None => panic!("a clock rate is not zero"),
        }
    }

    /// A clock of `hz` ticks a second, or `None` for zero.
    pub fn new(hz: u32) -> Option<Self> {
        NonZeroU32::new(hz).map(Self)
    }

    /// Ticks a second.
    pub const fn hz(self) -> u32 {
        self.0.get()
    }
}

/// An instant of the sender's wall clock: seconds since 1900 in 32.32 fixed point
/// (RFC 3550, section 4).
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct NtpTime(u64);

impl NtpTime {
    /// From the 64 bits on the wire.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits on the wire.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The middle 32 bits, as `LSR` and `DLSR` have them (RFC 3550, section 6.4.1).
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// The instant `span` after the UNIX epoch.
    pub fn from_unix(span: Duration) -> Self {
        const EPOCH: u64 = 2_208_988_800;
        let fraction = ((u64::from(span.subsec_nanos()) << 32) + 500_000_000) / 1_000_000_000;
        Self(((span.as_secs() + EPOCH) << 32).wrapping_add(fraction))
    }

    /// The span from `earlier` to this instant, right across the wrap of 2036.
    pub const fn since(self, earlier: Self) -> TimeDelta {
        let ticks = self.0.wrapping_sub(earlier.0) as i64 as i128;
        TimeDelta(((ticks * NANOS_PER_SEC + (1 << 31)) >> 32) as i64)
    }

    /// The instant `span` later.
    pub const fn offset(self, span: TimeDelta) -> Self {
        let nanos = span.0 as i128;
        Self(
            self.0.wrapping_add(
                (((nanos << 32) + NANOS_PER_SEC / 2).div_euclid(NANOS_PER_SEC)) as u64,
            ),
        )
    }
}

impl fmt::Debug for NtpTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ntp {:.6}s", self.0 as f64 / (1u64 << 32) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sample_of_every_rate_is_a_whole_number_of_flicks() {
        for hz in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 90_000, 96_000, 1_000] {
            assert_eq!(MediaTime::FLICKS_PER_SEC % hz, 0, "{hz} Hz");
        }
    }

    #[test]
    fn the_unix_epoch_is_2208988800_seconds_after_1900() {
        assert_eq!(NtpTime::from_unix(Duration::ZERO).to_bits() >> 32, 2_208_988_800);
    }

    #[test]
    fn ntp_spans_are_right_across_the_wrap_of_2036() {
        let before = NtpTime::from_bits(u64::MAX - (1 << 31) + 1);
        let after = NtpTime::from_bits(1 << 31);
        assert_eq!(after.since(before), TimeDelta::from_millis(1_000));
        assert_eq!(before.since(after), TimeDelta::from_millis(-1_000));
    }

    proptest! {
        #[test]
        fn sample_counts_survive_the_way_through_media_time(
            ticks in -1i64 << 40..1i64 << 40,
            hz in prop::sample::select(vec![8_000u32, 44_100, 48_000, 90_000, 1_000]),
        ) {
            let rate = ClockRate::new(hz).unwrap();
            prop_assert_eq!(MediaTime::from_ticks(ticks, rate).ticks(rate), ticks);
        }

        #[test]
        fn sample_counts_survive_the_way_through_nanoseconds(
            ticks in 0i64..1i64 << 40,
            hz in prop::sample::select(vec![44_100u32, 48_000, 90_000]),
        ) {
            let rate = ClockRate::new(hz).unwrap();
            let there = MediaTime::from_ticks(ticks, rate).to_delta();
            prop_assert_eq!(MediaTime::from_delta(there).ticks(rate), ticks);
        }

        #[test]
        fn ntp_keeps_spans_to_the_nanosecond(nanos in -1i64 << 50..1i64 << 50) {
            let start = NtpTime::from_unix(Duration::from_secs(1_700_000_000));
            let span = TimeDelta::from_nanos(nanos);
            prop_assert_eq!(start.offset(span).since(start), span);
        }
    }
}
