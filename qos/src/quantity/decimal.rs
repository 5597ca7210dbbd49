//! Decimal numbers without floating point.

/// A non-negative decimal number: `digits` / 10^`places`.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Decimal {
    digits: u128,
    places: u32,
}

/// More digits than this cannot be meant; with as many, no product below overflows.
const MOST_DIGITS: usize = 24;

impl Decimal {
    /// Splits `text` after its leading number, or `None` where it does not begin with one.
    ///
    /// A number is `12`, `1.5` or `.5`: no sign, no exponent.
    pub(super) fn split(text: &str) -> Option<(Self, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let length = whole.len() + fraction.len();
        if length == 0 || length > MOST_DIGITS || number.ends_with('.') || fraction.contains('.') {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes());
        let digits = digits.fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'));
        Some((Self { digits, places: fraction.len() as u32 }, rest))
    }

    /// The number times `unit`, rounded to the nearest integer; `None` beyond 64 bits.
    pub(super) fn times(self, unit: u64) -> Option<u64> {
        let scale = 10u128.pow(self.places);
        let product = self.digits.checked_mul(u128::from(unit))?;
        u64::try_from((product + scale / 2) / scale).ok()
    }
}
