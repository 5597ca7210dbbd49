//! `cantus-bench`: emulated networks, and what streaming across them comes to.
//!
//! * [`link`]: what a network does to packets, as a pure machine in virtual time.
//! * [`duplex`]: both directions of one, and the log of what became of every packet.
//! * [`relay`]: the same in real time, between real sockets.
//! * [`plan`]: what a session across a link is to be, written as TOML.
//! * [`probe`]: what it sounded like, measured without asking the player.
//! * [`sim`]: such a session in virtual time.
//! * [`stage`]: streamer, relay and player on this machine, for [`demo`] and real-time runs.

pub mod cli;
pub mod demo;
pub mod duplex;
pub mod link;
pub mod plan;
pub mod probe;
pub mod relay;
pub mod sim;
pub mod stage;
