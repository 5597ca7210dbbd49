//! From packets that arrive late, bursty, lossy and out of order to steady sound.
//!
//! * [`Buffer`] puts data units in the order of their media time and says what is missing.
//! * [`TargetDelay`] learns from the arrivals how long playback has to wait, so that no more
//!   than the share of units asked for comes too late.
//! * [`Adapter`] compares that with how long playback waits at present, and asks for a block to
//!   be shortened or lengthened where the two are too far apart.
//! * [`TimeScale`] does so, by whole periods of the sound.
//! * [`Concealer`] fills what never came: it lets the sound go on in its own period and fade.
//! * [`StepLimit`] joins what a codec makes up in its place, and [`ComfortNoise`] takes over where it
//!   has faded.
//!
//! A block here is interleaved `f32`, full scale at ±1: `frames × channels` samples, a frame being
//! one sample of every channel. All channels are stretched and extended by the same lag, so that
//! the image between them stays where it is.
//!
//! Units are pulled at the pace of the sink:
//!
//! ```
//! use bytes::Bytes;
//! use cantus_qos::playout::{Buffer, Pushed, Taken, Unit};
//! use cantus_qos::time::MediaTime;
//!
//! let unit = |sequence: u64| Unit {
//!     sequence,
//!     media_time: MediaTime::from_millis(20 * sequence as i64),
//!     duration: MediaTime::from_millis(20),
//!     data: Bytes::new(),
//! };
//! let mut buffer = Buffer::new(MediaTime::from_millis(20), MediaTime::from_millis(1_000));
//! assert_eq!(buffer.push(unit(2)), Pushed::Accepted);
//! assert_eq!(buffer.push(unit(0)), Pushed::Accepted);
//!
//! let mut position = MediaTime::ZERO;
//! let mut played = Vec::new();
//! while buffer.next(position).is_some() {
//!     match buffer.take(position) {
//!         Taken::Unit(unit) => {
//!             played.push(Some(unit.sequence));
//!             position = unit.end();
//!         }
//!         Taken::Missing { duration } => {
//!             played.push(None);
//!             position += duration;
//!         }
//!     }
//! }
//! assert_eq!(played, [Some(0), None, Some(2)]);
//! ```

mod adapter;
mod buffer;
mod comfort;
mod concealment;
mod fade;
mod fastest;
mod histogram;
mod pitch;
mod recent;
#[cfg(test)]
pub(crate) mod signals;
mod step;
mod target;
#[cfg(test)]
mod tests;
mod time_scale;

pub use adapter::{Adapter, Adjustment};
pub use buffer::{Buffer, Pushed, Taken, Unit};
pub use comfort::ComfortNoise;
pub use concealment::Concealer;
pub use step::StepLimit;
pub use target::{TargetConfig, TargetDelay};
pub use time_scale::TimeScale;
