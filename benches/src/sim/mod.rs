//! Whole sessions in virtual time: streamer, network and players as one pure machine.
//!
//! One [`Server`](cantus_streamer::server::Server), one
//! [`Player`](cantus_player::session::Player) and a pair of [`Link`](crate::link::Link)s are
//! joined and stepped from deadline to deadline: nothing sleeps, no socket is opened, and an hour
//! of streaming takes seconds. A [`Scenario`] says what is played across what; [`run`] plays it
//! and gives the [`Outcome`]; [`run_with`] lets a test lay hands on packets on their way.
//!
//! * Over UDP, media, repair, cues and RTCP are datagrams of the links; RTSP travels beside them
//!   on a reliable ordered pipe with the links' base delay.
//! * Over QUIC, both ends are quinn's own protocol machine (`quinn-proto`), and every UDP packet
//!   that it makes crosses the links.
//!
//! Others may share the links with a session, and come later: further players of the same streamer,
//! and transfers without end under TCP's congestion controls.
//!
//! # What is the same each time
//!
//! The same scenario and binary give the same report to the last bit. Over QUIC, TLS draws key
//! shares and session tickets from the system all the same; they change what is in a packet, not
//! how long it is or when it leaves.
//!
//! # The two clocks are one
//!
//! A player maps the sender's clock by the fastest packet less half the smallest round trip, and
//! jitter makes that wrong by some milliseconds. Here both ends live on one clock and the player is
//! told so: a latency of 200 ms is 200 ms, neither more nor less.

mod bulk;
mod carriage;
mod clock;
mod listener;
mod media;
mod outcome;
mod party;
mod passage;
mod path;
mod place;
mod quic;
mod scenario;
mod simulation;
mod udp;

pub use media::{Media, MediaError};
pub use outcome::{Amount, Companion, Milestone, Offered, Outcome, ShownCue, Sound, UnitFate};
pub use passage::{Passing, Verdict};
pub use quic::QuicError;
pub use scenario::{Capture, Scenario, ScenarioError};
pub use simulation::{SimError, run, run_with};
