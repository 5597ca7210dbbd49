//! `cantus-bench`: emulated networks, and what streaming across them comes to.
//!
//! * [`link`]: what a network does to packets, as a pure machine in virtual time.
//! * [`duplex`]: both directions of one, and the log of what became of every packet.
//! * [`vigil`]: waiting in real time, to tens of microseconds.
//! * [`lateness`]: how late that is, beside how late this machine is by itself.
//! * [`relay`]: such a network in real time, between real sockets.
//! * [`plan`]: what a session across a link is to be, written as TOML.
//! * [`probe`]: what it sounded like, measured without asking the player.
//! * [`sim`]: such a session in virtual time.
//! * [`matrix`]: many of them, everything with everything.
//! * [`report`]: what they came to, as tables and plots; [`compare`]: what got better or worse.
//! * [`bound`]: what an ideal player and an ideal sender make of the same network.
//! * [`peers`]: what GStreamer, SRT and RIST make of the same links.
//! * [`stage`]: streamer, relay and player on this machine, for [`demo`] and [`session`]s of plans.
//! * [`tunnel`]: two hosts on this machine, joined by an emulated IP link or by the kernel's netem.
//! * [`count`]: numbered packets across any network.
//! * [`agreement`]: whether our links do what the kernel's netem does.

pub mod agreement;
pub mod bound;
pub mod cli;
pub mod compare;
pub mod count;
pub mod demo;
pub mod duplex;
pub mod lateness;
pub mod link;
pub mod matrix;
pub mod peers;
pub mod plan;
pub mod probe;
pub mod relay;
pub mod report;
pub mod session;
mod signals;
pub mod sim;
pub mod stage;
pub mod tunnel;
pub mod vigil;
