//! What a listener wishes of forward error correction.

use std::fmt;
use std::str::FromStr;

use crate::fec::block::{BlockError, BlockShape};

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

/// Text that wishes nothing that could be had.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
#[error("repair is auto, off or K+R such as 20+10: {0}")]
pub struct ProtectionError(BlockError);

impl FromStr for Protection {
    type Err = ProtectionError;

    fn from_str(text: &str) -> Result<Self, ProtectionError> {
        match text.trim() {
            "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            shape => shape.parse().map(Self::Fixed).map_err(ProtectionError),
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
