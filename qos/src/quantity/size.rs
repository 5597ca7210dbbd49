//! Amounts of data.

use super::decimal::Decimal;
use super::{Quantity, QuantityError};

const SIZE: Quantity = Quantity { name: "size", example: "64k or 16KiB" };

/// Reads a number of bytes: `1200`, `64k`, `20MB` (powers of 1000) or `16KiB` (powers of 1024).
///
/// # Errors
///
/// [`QuantityError`] where the text is not a size, or exceeds 64 bits.
pub fn parse_size(text: &str) -> Result<u64, QuantityError> {
    let (number, unit) = Decimal::split(text.trim()).ok_or_else(|| SIZE.malformed(text))?;
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "k" | "K" | "kB" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "Ki" | "KiB" => 1 << 10,
        "Mi" | "MiB" => 1 << 20,
        "Gi" | "GiB" => 1 << 30,
        _ => return Err(SIZE.malformed(text)),
    };
    number.times(factor).ok_or_else(|| SIZE.too_large(text))
}
