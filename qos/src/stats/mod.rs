//! Statistics: what the network did to a stream, what the user got, and the report of both.
//!
//! * [`InterarrivalJitter`] and [`Reception`]: the numbers that a receiver owes its sender
//!   (RFC 3550, appendices A.1, A.3 and A.8).
//! * [`Ledger`]: the fate of every unit of a stream, from which loss, residual and the
//!   [`trace`] come.
//! * [`LossRuns`]: how long the losses in a row were; [`LossPattern`]: how they are now.
//! * [`Distribution`]: quantiles of delays and skews.
//! * [`RoundTrip`]: how long question and answer take, and how much that varies.
//! * [`Passage`]: how good it sounded, estimated by the E-model.
//! * [`report`]: the document that says whether the promise was kept.
//!
//! All of them are fed by events and read at any time; none of them grows with the length of a
//! session.

mod distribution;
mod fate;
mod jitter;
mod ledger;
mod loss;
mod loss_pattern;
mod quality;
mod reception;
pub mod report;
mod round_trip;
pub mod trace;

pub use distribution::Distribution;
pub use fate::{Fate, Recovery, UnitRecord};
pub use jitter::InterarrivalJitter;
pub use ledger::{Arrival, Ledger, Outcome, Totals, Unheard};
pub use loss::LossRuns;
pub use loss_pattern::LossPattern;
pub use quality::{Encoding, Passage};
pub use reception::Reception;
pub use round_trip::RoundTrip;
