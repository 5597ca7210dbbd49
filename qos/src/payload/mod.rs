//! What the data units of a stream carry.

use crate::time::ClockRate;

/// The shape of decoded sound.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct AudioFormat {
    /// Frames per second.
    pub rate: ClockRate,
    /// Samples in a frame: 1 or 2.
    pub channels: u8,
}
