//! Quantities with units.

mod bitrate;

pub use bitrate::Bitrate;
