//! What a player did, to be held against the bound.

use std::time::Duration;

use cantus_qos::stats::{Fate, UnitRecord};

use super::playout::{PlayoutBound, Unit, WINDOW, playout_within};
use crate::sim::UnitFate;

/// The playout of one stream of a run, from the fates of its units.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Playback {
    /// The units that came, in media order.
    pub units: Vec<Unit>,
    /// How many were heard in time.
    pub played: usize,
    /// How many came, but were heard late or not at all.
    pub late: usize,
    /// How many more could have been given up in the time that playback waited for late ones. A
    /// constant delay gives them up.
    pub waits: usize,
    /// From sending to being heard, the mean over the units heard in time.
    pub mean: Duration,
}

impl Playback {
    /// The playout of a stream; `None` where nothing of it was heard. Units whose sending time is
    /// not known, as those that never came, count for nothing, and so do copies.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a UnitRecord>) -> Option<Self> {
        let mut units = Vec::new();
        let (mut played, mut late, mut sum) = (0, 0, Duration::ZERO);
        for record in records {
            let Some(sent) = record.sent else { continue };
            match (record.fate, record.played) {
                (Fate::Played, Some(heard)) => {
                    played += 1;
                    sum += heard.since(sent);
                }
                (Fate::Late, _) => late += 1,
                _ => continue,
            }
            units.push(Unit { sent, available: record.arrived });
        }
        let mean =
            Duration::from_nanos((sum.as_nanos() / u128::try_from(played).ok()?.max(1)) as u64);
        (played > 0).then_some(Self { units, played, late, waits: 0, mean })
    }

    /// The same where playback stood still for as long as `waits` units play.
    #[must_use]
    pub fn with_waits(self, waits: usize) -> Self {
        Self { waits, ..self }
    }

    /// The playout of the stream called `stream` in what a simulated run has kept.
    pub fn of_stream(fates: &[UnitFate], stream: &str) -> Option<Self> {
        let of_it = fates.iter().filter(|fate| fate.stream == stream);
        Self::of(of_it.map(|fate| &fate.record))
    }

    /// Of the units that came, how many were late or were waited for.
    pub fn late_share(&self) -> f64 {
        (self.late + self.waits) as f64 / (self.played + self.late) as f64
    }

    /// What was possible with as many units late. The ratios of interest are `mean` to
    /// `constant` and to `optimum_mean`.
    pub fn bound(&self) -> Option<PlayoutBound> {
        playout_within(&self.units, self.late, WINDOW)
    }

    /// The same with the sound interrupted for as long: what was waited for is late too.
    pub fn bound_without_waits(&self) -> Option<PlayoutBound> {
        playout_within(&self.units, self.late + self.waits, WINDOW)
    }
}
