//! `cantus-bench`: emulated networks, and what streaming across them comes to.
//!
//! * [`link`]: what a network does to packets, as a pure machine in virtual time.
//! * [`duplex`]: both directions of one, and the log of what became of every packet.
//! * [`relay`]: the same in real time, between real sockets.
//! * [`plan`]: what a session across a link is to be, written as TOML.
//! * [`sim`]: such a session in virtual time.
//! * [`matrix`]: many of them, everything with everything.
//! * [`report`]: what they came to, as tables and plots; [`compare`]: what got better or worse.
//! * [`bound`]: what an ideal player and an ideal sender make of the same network.
//! * [`stage`]: streamer, relay and player on this machine, for [`demo`] and real-time runs.

pub mod bound;
pub mod cli;
pub mod compare;
pub mod demo;
pub mod duplex;
pub mod link;
pub mod matrix;
pub mod plan;
pub mod relay;
pub mod report;
pub mod sim;
pub mod stage;
