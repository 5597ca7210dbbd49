//! Quantities as people write them: rates, spans of time, sizes and shares.
//!
//! Command lines, scenario plans and the `Cantus-QoS` header all carry text such as `160k`,
//! `200ms` or `1%`. It is read here and nowhere else, exactly: decimal fractions never pass
//! through floating point, except where the quantity itself is a fraction.
//!
//! | quantity | examples | units |
//! |---|---|---|
//! | [`Bitrate`] | `160k` `1.5Mbit/s` `96000` | bits per second, powers of 1000 |
//! | duration | `200ms` `1.5s` `1m30s` | `h` `m` `s` `ms` `us` `ns` |
//! | size | `64k` `20MB` `16KiB` | bytes, powers of 1000 or (with an `i`) of 1024 |
//! | share | `1%` `0.01` | none, from 0 to 1 |

mod bitrate;
mod decimal;
mod duration;
mod share;
mod size;
#[cfg(test)]
mod tests;

pub use bitrate::Bitrate;
pub use duration::{duration_text, parse_duration, parse_latency_millis};
pub use share::{parse_ratio, parse_share, share_text};
pub use size::parse_size;

/// Why a text is not the quantity that was asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum QuantityError {
    /// It does not look like one at all.
    #[error("`{text}` is not a {quantity} (write it like {example})")]
    Malformed {
        /// What was read, cut to its first characters.
        text: String,
        /// The name of the quantity.
        quantity: &'static str,
        /// A text that would have been right.
        example: &'static str,
    },
    /// A bare number stands where the unit decides the meaning.
    #[error("`{text}` has no unit (write the {quantity} like {example})")]
    NoUnit {
        /// What was read, cut to its first characters.
        text: String,
        /// The name of the quantity.
        quantity: &'static str,
        /// A text that would have been right.
        example: &'static str,
    },
    /// It is beyond what the type can hold, or beyond the whole where it is a share.
    #[error("`{text}` is too large for a {quantity}")]
    TooLarge {
        /// What was read, cut to its first characters.
        text: String,
        /// The name of the quantity.
        quantity: &'static str,
    },
}

/// What a parser of this room reads: its name, and a good example for its errors.
#[derive(Copy, Clone, Debug)]
struct Quantity {
    name: &'static str,
    example: &'static str,
}

impl Quantity {
    fn malformed(self, text: &str) -> QuantityError {
        QuantityError::Malformed { text: excerpt(text), quantity: self.name, example: self.example }
    }

    fn no_unit(self, text: &str) -> QuantityError {
        QuantityError::NoUnit { text: excerpt(text), quantity: self.name, example: self.example }
    }

    fn too_large(self, text: &str) -> QuantityError {
        QuantityError::TooLarge { text: excerpt(text), quantity: self.name }
    }
}

/// The beginning of a text from outside, short enough for one line of an error message.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 40;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect()
}
