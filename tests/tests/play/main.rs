//! Streamer and player in real time over loopback sockets. Two seconds of latency, so that a busy
//! machine is no failure.

mod clean;
mod gone;
mod login;
mod roc;
mod seek;
mod stage;
