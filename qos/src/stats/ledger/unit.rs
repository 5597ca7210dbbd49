//! What is known of a unit while it may still be heard, and what became of it then.

use super::Recovery;
use crate::time::{MediaTime, MonoTime, TimeDelta};

/// One unit within the window.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Unit {
    pub(super) came: Option<Came>,
    /// A copy came by itself.
    pub(super) received: bool,
    pub(super) hearing: Hearing,
}

/// The first copy of a unit.
#[derive(Copy, Clone, Debug)]
pub(super) struct Came {
    pub(super) at: MonoTime,
    pub(super) media_time: MediaTime,
    pub(super) sent: Option<MonoTime>,
    pub(super) recovery: Recovery,
}

/// What the playout did with a unit.
#[derive(Copy, Clone, Debug, Default)]
pub(super) enum Hearing {
    #[default]
    Pending,
    InTime(MonoTime),
    TooLate(MonoTime),
    Missed,
}

/// What became of a unit when its turn came.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Outcome {
    /// It was heard.
    Heard {
        /// When.
        at: MonoTime,
        /// How long after its sending, where that is known.
        delay: Option<TimeDelta>,
    },
    /// It was not there.
    Missed,
}
