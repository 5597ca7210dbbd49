//! `cantus-streamer`: serves audio and subtitles as timed data units over QUIC and UDP.
//!
//! A [`catalogue`](catalogue::Catalogue) is a directory of presentations; their
//! [`encoding`](encoding::Encoding)s are made once and shared. A [`server`](server::Server) is the
//! whole streamer without its sockets: it is told what happened and says what to do. Listeners ask
//! it through [`control`]; each has a [`session`](session::Session), and in it a [`pipeline`]:
//! source, packetizer, forward error correction, interleaver, pacer. A [`push`] feeds such a pipeline
//! to an address that nobody has asked from. [`drive`] has the loops that own the clock and the
//! sockets.

mod cap;
pub mod catalogue;
pub mod cli;
pub mod control;
pub mod drive;
pub mod encoding;
pub mod greeting;
pub mod pipeline;
pub mod programme;
mod protection;
pub mod push;
pub mod quic;
pub mod server;
pub mod session;
pub mod sessions;
pub mod users;
pub mod wire;

#[cfg(test)]
mod media;
