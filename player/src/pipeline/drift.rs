//! The sender's pace, kept by sound that is played by another clock.

use std::time::Duration;

use cantus_qos::sync::Drift;
use cantus_qos::time::{MediaTime, TimeDelta};

#[cfg(test)]
mod day;
#[cfg(test)]
mod tests;

/// Where a slower drift than [`Drift::WORTH`] has moved the sound by so much, it is corrected all
/// the same: sooner than it would have to be scaled.
const MOVED: Duration = Duration::from_millis(5);
/// What the sound is off by is made up for over so long ...
const RETURN_SECONDS: f64 = 100.0;
/// ... and by this much at most, beside the drift.
const RETURN: f64 = 50e-6;
/// The stretch changes by so much in a second at most.
const GLIDE: f64 = 60e-6;
/// No pair of quartzes is farther apart; what measures more has measured something else.
const MOST: f64 = 1e-3;
/// Sound that is off by more has broken off or jumped: that is where it is kept from now on.
const JUMP: Duration = Duration::from_millis(20);

/// Decides by how much sound is stretched so that it keeps the pace of its sender.
///
/// It begins where the drift is [worth it](Drift::WORTH) with 95 % confidence; or, where it is
/// slower but sure, when it has moved the sound by 5 ms. Until then nothing is stretched.
/// From then on the stretch is the drift, as measured, and as much more as brings the sound back to
/// where it was within 100 s: an estimate that is off by one part in a million would move it by
/// 86 ms in a day.
///
/// Nobody hears it. Listeners tell two tones of 1 kHz apart from a difference of some 2,000 parts in a
/// million on, under the best conditions (Micheyl, Xiao and Oxenham, Hearing Research, 2012, look at
/// twelve studies); here they differ by 300 or so, and that comes about in 5 s.
#[derive(Debug, Default)]
pub(super) struct DriftCorrection {
    /// What the sound is stretched by at present; `None` before the first time.
    stretch: Option<f64>,
    /// The delay at which the sound is kept, where none is promised.
    kept: Option<TimeDelta>,
    copes: bool,
}

impl DriftCorrection {
    /// By how much the next `block` is stretched, a share of its length: positive makes it longer.
    /// `None` where it is not to be touched.
    ///
    /// `drift` is how fast the sender's clock parts from the one that plays, positive where the
    /// sender is slow. `delay` is how long after its sending the block is heard, and `promised` how
    /// long that is to be, where it is promised.
    pub(super) fn steer(
        &mut self,
        drift: Option<Drift>,
        delay: Option<TimeDelta>,
        promised: Option<Duration>,
        block: MediaTime,
    ) -> Option<f64> {
        let error = delay.map_or(TimeDelta::ZERO, |delay| self.error(delay, promised));
        let sure = drift.is_some_and(Drift::is_sure);
        self.copes = error.abs() <= JUMP && (self.stretch.is_some() || !sure);
        let drift = drift?;
        let moved = drift.exceeds(0.0) && error.abs() >= MOVED;
        if self.stretch.is_none() && !drift.exceeds(Drift::WORTH) && !moved {
            return None;
        }
        let back = (error.as_secs_f64() / RETURN_SECONDS).clamp(-RETURN, RETURN);
        let wanted = (drift.rate - back).clamp(-MOST, MOST);
        let glide = GLIDE * block.as_secs_f64();
        let before = self.stretch.unwrap_or_default();
        self.stretch = Some(before + (wanted - before).clamp(-glide, glide));
        self.stretch
    }

    /// By how much sound is stretched at present; `None` where it is not to be touched.
    pub(super) fn stretch(&self) -> Option<f64> {
        self.stretch
    }

    /// Whether what the sound is off by is left to it: it is being brought back, or it is not known
    /// yet whether it will have to be. Otherwise it may be scaled.
    pub(super) fn copes(&self) -> bool {
        self.copes
    }

    /// The sound was moved by `change` on purpose.
    pub(super) fn moved(&mut self, change: TimeDelta) {
        self.kept = self.kept.map(|kept| kept + change);
    }

    /// By how much the sound comes too late.
    fn error(&mut self, delay: TimeDelta, promised: Option<Duration>) -> TimeDelta {
        let kept = promised.map(TimeDelta::from).or(self.kept).unwrap_or(delay);
        let jumped = promised.is_none() && (delay - kept).abs() > JUMP;
        let kept = if jumped { delay } else { kept };
        self.kept = Some(kept);
        delay - kept
    }
}
