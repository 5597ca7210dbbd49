//! Quantities as `tc` reads them: see "PARAMETERS" in tc(8), and `lib/utils.c` and
//! `lib/utils_math.c` of iproute2 for what that does not say.
//!
//! They are not those of [`cantus_qos::quantity`]: a bare time has a unit here, `k` is 1024 in a
//! size, and `kbps` means kilobytes.

use std::time::Duration;

use cantus_qos::quantity::Bitrate;

use super::super::Share;

/// Why a text is not a quantity.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// It does not look like one.
    Malformed,
    /// It is below zero.
    Negative,
    /// It is more than the whole, or than fits.
    TooMuch,
}

/// The unit of a time that has none.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Bare {
    /// As tc(8) says.
    Microseconds,
    /// As `tc` takes it after `slot`, whatever tc(8) says.
    Nanoseconds,
}

/// A time: `s`, `ms`, `us` or `ns`, also as `sec`, `msecs` and so on.
pub(super) fn time(text: &str, bare: Bare) -> Result<Duration, Flaw> {
    let (number, unit) = number(text)?;
    let nanos = match (unit.to_ascii_lowercase().as_str(), bare) {
        ("s" | "sec" | "secs", _) => 1e9,
        ("ms" | "msec" | "msecs", _) => 1e6,
        ("us" | "usec" | "usecs", _) | ("", Bare::Microseconds) => 1e3,
        ("ns" | "nsec" | "nsecs", _) | ("", Bare::Nanoseconds) => 1.0,
        _ => return Err(Flaw::Malformed),
    };
    whole(number * nanos).map(Duration::from_nanos)
}

/// A percentage, with its sign or without.
pub(super) fn share(text: &str) -> Result<Share, Flaw> {
    match number(text)? {
        (percent, "%" | "") => Share::of(percent / 100.0).ok_or(Flaw::TooMuch),
        _ => Err(Flaw::Malformed),
    }
}

/// A rate: bits per second, or bytes in the units that end in `bps`.
pub(super) fn rate(text: &str) -> Result<Bitrate, Flaw> {
    let (number, unit) = number(text)?;
    let unit = unit.to_ascii_lowercase();
    let (prefix, bits) = match (unit.strip_suffix("bps"), unit.strip_suffix("bit")) {
        (Some(prefix), _) => (prefix, 8.0),
        (None, Some(prefix)) => (prefix, 1.0),
        (None, None) if unit.is_empty() => ("", 1.0),
        (None, None) => return Err(Flaw::Malformed),
    };
    let (letter, base) = match prefix.strip_suffix('i') {
        Some(letter) if !letter.is_empty() => (letter, 1024.0),
        _ => (prefix, 1000.0_f64),
    };
    let power = match letter {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(Flaw::Malformed),
    };
    whole(number * bits * base.powi(power)).map(Bitrate::from_bps)
}

/// A size, of which `k`, `m` and `g` are powers of 1024.
pub(super) fn size(text: &str) -> Result<u32, Flaw> {
    let (number, unit) = number(text)?;
    let bytes = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1024.0,
        "m" | "mb" => 1024.0 * 1024.0,
        "g" | "gb" => 1024.0 * 1024.0 * 1024.0,
        "kbit" => 1024.0 / 8.0,
        "mbit" => 1024.0 * 1024.0 / 8.0,
        "gbit" => 1024.0 * 1024.0 * 1024.0 / 8.0,
        _ => return Err(Flaw::Malformed),
    };
    u32::try_from((number * bytes) as u64).map_err(|_| Flaw::TooMuch)
}

/// An integer as C writes it: decimal, `0x` hexadecimal, or octal after a zero.
pub(super) fn integer(text: &str) -> Result<i64, Flaw> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return Err(Flaw::Malformed);
    }
    i64::from_str_radix(digits, radix).map(|number| sign * number).map_err(|_| Flaw::Malformed)
}

/// The number at the beginning, which is not negative, and what follows it.
fn number(text: &str) -> Result<(f64, &str), Flaw> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let mantissa = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.');
    let mantissa = mantissa.unwrap_or(unsigned.len());
    let end = mantissa + exponent(&unsigned[mantissa..]);
    let (number, rest) = text.split_at(text.len() - unsigned.len() + end);
    let number: f64 = number.parse().map_err(|_| Flaw::Malformed)?;
    if number < 0.0 { Err(Flaw::Negative) } else { Ok((number, rest)) }
}

/// The length of the exponent that `text` begins with; 0 if it does not.
fn exponent(text: &str) -> usize {
    let Some(after) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 { 0 } else { text.len() - digits.len() + length }
}

fn whole(number: f64) -> Result<u64, Flaw> {
    if number <= u64::MAX as f64 / 2.0 { Ok(number.round() as u64) } else { Err(Flaw::TooMuch) }
}

#[cfg(test)]
mod tests;
