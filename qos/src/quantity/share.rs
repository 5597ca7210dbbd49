//! Shares of a whole.

use super::{Quantity, QuantityError};

const SHARE: Quantity = Quantity { name: "share", example: "1% or 0.01" };

/// Reads a share of a whole, from 0 to 1: `1%` and `0.01` are the same.
///
/// # Errors
///
/// [`QuantityError`] where the text is no number, or more than the whole.
pub fn parse_share(text: &str) -> Result<f64, QuantityError> {
    let share = parse_ratio(text)?;
    if share > 1.0 {
        return Err(SHARE.too_large(text));
    }
    Ok(share)
}

/// Reads a ratio, which unlike a share may exceed the whole: `120%` and `1.2` are the same.
///
/// # Errors
///
/// [`QuantityError`] where the text is no number.
pub fn parse_ratio(text: &str) -> Result<f64, QuantityError> {
    let trimmed = text.trim();
    let (number, whole) = match trimmed.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (trimmed, 1.0),
    };
    // The standard parser also reads signs, exponents and "inf": only plain decimals are shares.
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(SHARE.malformed(text));
    }
    Ok(number.parse::<f64>().map_err(|_| SHARE.malformed(text))? / whole)
}

/// Writes a share or a ratio so that [`parse_share`] or [`parse_ratio`] reads the same one back: as a percentage where that is
/// exact, `1%`, and as a fraction otherwise.
pub fn share_text(share: f64) -> String {
    let percent = format!("{}%", share * 100.0);
    match parse_ratio(&percent) {
        Ok(read) if read == share => percent,
        _ => format!("{share}"),
    }
}
