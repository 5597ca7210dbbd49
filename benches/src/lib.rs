//! `cantus-bench`: emulated networks, and what streaming across them comes to.
//!
//! * [`link`]: what a network does to packets, as a pure machine in virtual time.
//! * [`duplex`]: both directions of one, and the log of what became of every packet.
//! * [`vigil`]: waiting in real time, to tens of microseconds.
//! * [`relay`]: such a network in real time, between real sockets.
//! * [`plan`]: what a session across a link is to be, written as TOML.
//! * [`sim`]: such a session in virtual time.
//! * [`peers`]: what GStreamer, SRT and RIST make of the same links.
//! * [`stage`]: streamer, relay and player on this machine, for [`demo`] and real-time runs.

pub mod cli;
pub mod demo;
pub mod duplex;
pub mod link;
pub mod peers;
pub mod plan;
pub mod relay;
pub mod sim;
pub mod stage;
pub mod vigil;
