//! Variable-length integers (RFC 9000, section 16).
//!
//! The two most significant bits of the first byte tell how many bytes there are: 1, 2, 4 or 8.

use bytes::{BufMut, BytesMut};

use super::RoqError;

/// The largest number that fits: 2^62 - 1.
pub const MAX_VARINT: u64 = (1 << 62) - 1;

/// The longest encoding.
pub(super) const MAX_BYTES: usize = 8;

/// Appends a number in as few bytes as it takes.
///
/// # Errors
///
/// [`RoqError::NumberTooLarge`] beyond [`MAX_VARINT`]; nothing is appended.
pub fn write_varint(out: &mut BytesMut, value: u64) -> Result<(), RoqError> {
    if value > MAX_VARINT {
        return Err(RoqError::NumberTooLarge { value });
    }
    put(out, value);
    Ok(())
}

/// Appends a number that is known not to exceed [`MAX_VARINT`].
pub(super) fn put(out: &mut impl BufMut, value: u64) {
    match value {
        0..0x40 => out.put_u8(value as u8),
        0x40..0x4000 => out.put_u16(value as u16 | 0x4000),
        0x4000..0x4000_0000 => out.put_u32(value as u32 | 0x8000_0000),
        _ => out.put_u64(value | 0xc000_0000_0000_0000),
    }
}

/// Reads a number from the front of `data`: the number, and how many bytes it took. `None` while
/// bytes are missing. Encodings longer than needed are fine.
pub fn read_varint(data: &[u8]) -> Option<(u64, usize)> {
    let first = *data.first()?;
    let length = 1 << (first >> 6);
    let rest = data.get(1..length)?;
    let value = rest.iter().fold(u64::from(first & 0x3f), |sum, byte| sum << 8 | u64::from(*byte));
    Some((value, length))
}
