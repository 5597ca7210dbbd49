//! `cantus-player`: what the network delivers, late, lossy and out of order, back to steady sound
//! with the words on time.

pub mod cli;
pub mod decode;
pub mod sink;
pub mod subtitles;
pub mod trust;
pub mod url;

#[cfg(test)]
mod scratch;
