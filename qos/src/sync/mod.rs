//! Bringing streams together: whose clock says what, and what to do when they part.
//!
//! [`SenderClock`] maps the sender's wall clock to ours. [`StreamTimeline`] maps the RTP timestamps
//! of one stream to the media timeline that all streams of a presentation share.
//! [`PlayoutClock`] says when a place on the media timeline is *heard*; [`DriftMeter`], how much
//! faster one clock runs than another. On top of these,
//! [`CueSchedule`] keeps discrete media (subtitles) with the continuous, and [`TrackAlignment`]
//! keeps two continuous streams with each other, both by rules that the application states
//! ([`SkewRule`]); [`LipSync`] says where they belong, by what sender reports say.

mod alignment;
mod cues;
mod drift;
mod lip_sync;
mod playout_clock;
mod sender_clock;
mod timeline;

pub use alignment::{Correction, TrackAlignment};
pub use cues::{Admitted, CueEvent, CueSchedule};
pub use drift::{Drift, DriftMeter};
pub use lip_sync::{LipSync, Reported};
pub use playout_clock::PlayoutClock;
pub use sender_clock::SenderClock;
pub use timeline::StreamTimeline;

use std::time::Duration;

/// How far two related streams may part, and what is done beyond that.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct SkewRule {
    /// The largest skew that is let be.
    pub tolerance: Duration,
    /// What is done about a larger one.
    pub beyond: BeyondTolerance,
}

/// What to do with a stream whose skew has left its tolerance.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum BeyondTolerance {
    /// Leave out what is behind: late cues are not shown, late samples are dropped.
    Skip,
    /// Show or play it all the same, late.
    Hold,
    /// Make up for it by playing a little faster or slower. Discrete media cannot be stretched
    /// and are held.
    Stretch,
}
