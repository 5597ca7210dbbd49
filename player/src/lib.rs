//! `cantus-player`: what the network delivers, late, lossy and out of order, back to steady sound
//! with the words on time.

pub mod decode;
pub mod sink;
pub mod trust;

#[cfg(test)]
mod scratch;
