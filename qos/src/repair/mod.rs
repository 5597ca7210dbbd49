//! Repair by retransmission: who misses a packet asks for it, as long as the answer can still be
//! played.
//!
//! An [`Asker`] at the receiver knows when each unit of an isochronous stream is due and until
//! when it can be played, and so when it is worth asking for. An [`Answerer`] at the sender keeps
//! what it has sent for as long as that was promised to be of use, and sends it again, as
//! retransmission packets ([`rtx`], RFC 4588). Requests travel as [`Nack`](crate::rtcp::Nack).

mod answerer;
mod asker;
mod cadence;
mod playout;
pub mod rtx;

pub use answerer::{AnswerPolicy, Answerer, AnswererCounts};
pub use asker::{AskPolicy, Asker, AskerCounts};
pub use playout::Playout;
