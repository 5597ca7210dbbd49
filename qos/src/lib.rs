//! `cantus-qos`: everything that a streamer and a player must agree on, or measure.
//!
//! A *data stream* is a sequence of *data units* ([`payload::MediaUnit`]) that carry a media time.
//! The streamer turns units into RTP packets, protects them ([`fec`]) and paces them
//! ([`shaping`]); the player puts them back in order, waits as long as the jitter demands and
//! fills what is missing ([`playout`]), and keeps several streams together ([`sync`]). What was
//! promised is a [`spec::QosSpec`]; what came of it is a [`stats::report::QosReport`].
//!
//! # What this crate refuses to do
//!
//! It opens no socket, starts no thread, reads no clock and draws no random number. Time is an
//! argument ([`time::MonoTime`]), randomness is an argument, packets are arguments. So whatever
//! is built on it runs in virtual time as well as in real time, and the same inputs give the same
//! outputs.
//!
//! # The calling contract of a stage
//!
//! 1. `push(now, item)` hands a stage something that has arrived.
//! 2. `pop(now)` is called until it returns `None`; each item it gives goes to the next stage.
//! 3. `next_deadline()` says when `pop` must be called again if nothing is pushed before.
//!
//! `now` never goes backwards. Stages never fail on what comes from the network: they count it and
//! drop it. Constructors return `Result` where their arguments can be wrong.
//!
//! # Rooms, from the ground up
//!
//! `time`, `quantity`, `delivery`, `sap` · `rtp` · `rtcp`, `roq`, `rtsp`, `payload`, `fec`, `stats` ·
//! `shaping`, `repair`, `playout`, `sync` · `spec`. A room imports only from rooms named before it.

pub mod delivery;
pub mod fec;
pub mod payload;
pub mod playout;
pub mod quantity;
pub mod repair;
pub mod roq;
pub mod rtcp;
pub mod rtp;
pub mod rtsp;
pub mod sap;
pub mod shaping;
pub mod spec;
pub mod stats;
pub mod sync;
pub mod time;
