//! What became of one unit.

use crate::time::{MediaTime, MonoTime};

/// How the first copy of a unit came.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Default)]
pub enum Recovery {
    /// By itself, as it was sent.
    #[default]
    None,
    /// Computed from repair packets.
    Fec,
    /// Sent once more.
    Retransmission,
}

/// What became of a unit, or of one more copy of it.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Fate {
    /// Heard, or shown, in time.
    Played,
    /// It came, but was heard late or not at all.
    Late,
    /// It never came.
    Lost,
    /// A copy of a unit that was there already.
    Duplicate,
}

/// The life of one unit, for the [`trace`](super::trace).
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct UnitRecord {
    /// The unrolled sequence number.
    pub sequence: u64,
    /// Its place on the media timeline; unknown for what never came.
    pub media_time: Option<MediaTime>,
    /// When it was sent, mapped to the player's clock.
    pub sent: Option<MonoTime>,
    /// When it arrived, or was recovered.
    pub arrived: Option<MonoTime>,
    /// How it came.
    pub recovery: Recovery,
    /// When it was heard, or shown.
    pub played: Option<MonoTime>,
    /// What became of it.
    pub fate: Fate,
}
