//! What a listener wishes of forward error correction.

use std::fmt;
use std::str::FromStr;

use crate::fec::{BlockShape, FecError};

/// The wish for repair, as the `Cantus-FEC` header and `--fec` carry it: `auto`, `off`, or a block
/// such as `5+4` (source and repair packets).
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub enum Protection {
    /// No repair.
    Off,
    /// A block that fits the promised delay.
    #[default]
    Auto,
    /// This block.
    Fixed(BlockShape),
}

impl FromStr for Protection {
    type Err = FecError;

    fn from_str(text: &str) -> Result<Self, FecError> {
        match text.trim() {
            "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            shape => shape.parse().map(Self::Fixed),
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Auto => f.write_str("auto"),
            Self::Fixed(shape) => shape.fmt(f),
        }
    }
}
