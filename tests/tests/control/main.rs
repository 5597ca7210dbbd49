//! The request-reply side of the streamer: a pure server, driven with bytes in virtual time.

mod addresses;
mod breakers;
mod crowd;
mod describe;
mod house;
mod interleaved;
mod limits;
mod login;
mod malformed;
mod ownership;
mod pipelined;
mod playback;
mod setup;
mod terms;
mod timeout;
