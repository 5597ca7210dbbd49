//! `cantus-player`: what the network delivers, late, lossy and out of order, back to steady sound
//! with the words on time.
//!
//! [`session::Player`] is the whole player without its sockets and its sink: a [`client`] that
//! speaks RTSP, or a [`feed`] that nobody has to ask for, and a [`pipeline`]: forward error correction, playout buffer, decoder and
//! concealment, mix, time scale, and the cues that wait for the sound they belong to. It is told
//! what happened ([`wire::Input`]) and says what to do ([`wire::Output`]). [`drive`] is the loop
//! that owns the clock, the sockets, the [`sink`] and the [`subtitles`].

pub mod cli;
pub mod client;
pub mod decode;
pub mod drive;
pub mod error;
pub mod feed;
pub mod pipeline;
mod report;
pub mod session;
pub mod sink;
pub mod subtitles;
pub mod trust;
pub mod url;
pub mod wire;
pub mod wish;

#[cfg(test)]
mod scratch;
#[cfg(test)]
mod stand_in;
