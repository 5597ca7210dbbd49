//! What a listener wishes of forward error correction.

use std::fmt;
use std::str::FromStr;

use crate::fec::block::{BlockError, BlockShape};
use crate::fec::sliding::{EncodingWindow, RepairPace};
use crate::quantity::{QuantityError, duration_text, parse_duration, parse_ratio, share_text};

/// The wish for repair, as the `Cantus-FEC` header and `--fec` carry it: `auto`, `off`, a block
/// such as `5+4` (source and repair packets), or a sliding window such as `sliding:80%/150ms`.
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub enum Protection {
    /// No repair.
    Off,
    /// What fits the promised delay.
    #[default]
    Auto,
    /// This block.
    Fixed(BlockShape),
    /// A sliding window.
    Sliding(Sliding),
}

/// Repair over a window that slides along.
///
/// Written `sliding:SHARE/WINDOW`: repair packets to a source packet, and how old the packets are
/// that each covers. The window is the age of the oldest, or of the newest and the oldest, as in
/// `40ms-150ms`; where it is left out, what can still be in time. `sliding` alone leaves both out.
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub struct Sliding {
    /// Repair packets to a source packet; `None`: as many as for `auto`.
    pub share: Option<f64>,
    /// What each covers; `None`: what can still be in time.
    pub window: Option<EncodingWindow>,
}

/// Text that wishes nothing that could be had.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
#[error(
    "repair is auto, off, K+R such as 20+10, or sliding:SHARE/WINDOW such as sliding:80%/150ms: {0}"
)]
pub struct ProtectionError(WishError);

/// What is wrong with it.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
enum WishError {
    #[error(transparent)]
    Block(#[from] BlockError),
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    #[error("{0} is more than eight repair packets to a source packet, or none")]
    Share(String),
    #[error("the newest packet of a window is younger than the oldest, {0} is not so")]
    Window(String),
}

impl FromStr for Protection {
    type Err = ProtectionError;

    fn from_str(text: &str) -> Result<Self, ProtectionError> {
        Self::read(text.trim()).map_err(ProtectionError)
    }
}

impl Protection {
    fn read(text: &str) -> Result<Self, WishError> {
        match (text, text.split_once(':')) {
            ("off", _) => Ok(Self::Off),
            ("auto", _) => Ok(Self::Auto),
            ("sliding", _) => Ok(Self::Sliding(Sliding::default())),
            (_, Some(("sliding", terms))) => Sliding::read(terms).map(Self::Sliding),
            (shape, _) => Ok(Self::Fixed(shape.parse()?)),
        }
    }
}

impl Sliding {
    fn read(text: &str) -> Result<Self, WishError> {
        let (share, window) = match text.split_once('/') {
            Some((share, window)) => (share, Some(read_window(window)?)),
            None => (text, None),
        };
        let ratio = parse_ratio(share)?;
        if ratio <= 0.0 || ratio > RepairPace::MOST {
            return Err(WishError::Share(share.trim().to_owned()));
        }
        Ok(Self { share: Some(ratio), window })
    }
}

fn read_window(text: &str) -> Result<EncodingWindow, WishError> {
    let Some((newest, oldest)) = text.split_once('-') else {
        return Ok(EncodingWindow::last(parse_duration(text)?));
    };
    let (newest, oldest) = (parse_duration(newest)?, parse_duration(oldest)?);
    if newest >= oldest {
        return Err(WishError::Window(text.trim().to_owned()));
    }
    Ok(EncodingWindow { oldest, newest })
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Auto => f.write_str("auto"),
            Self::Fixed(shape) => shape.fmt(f),
            Self::Sliding(sliding) => sliding.fmt(f),
        }
    }
}

impl fmt::Display for Sliding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sliding")?;
        let Some(share) = self.share else { return Ok(()) };
        write!(f, ":{}", share_text(share))?;
        match self.window {
            Some(EncodingWindow { oldest, newest }) if newest.is_zero() => {
                write!(f, "/{}", duration_text(oldest))
            }
            Some(EncodingWindow { oldest, newest }) => {
                write!(f, "/{}-{}", duration_text(newest), duration_text(oldest))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn wishes_read_as_they_are_written() {
        for text in [
            "off",
            "auto",
            "20+10",
            "sliding",
            "sliding:80%",
            "sliding:120%/150ms",
            "sliding:75%/40ms-150ms",
            "sliding:12.5%/1500us",
        ] {
            assert_eq!(text.parse::<Protection>().unwrap().to_string(), text);
        }
        let window = EncodingWindow {
            oldest: Duration::from_millis(150),
            newest: Duration::from_millis(40),
        };
        let wish = Sliding { share: Some(0.8), window: Some(window) };
        assert_eq!("sliding:0.8/40ms-150ms".parse(), Ok(Protection::Sliding(wish)));
    }

    #[test]
    fn what_nobody_can_have_is_refused_with_the_forms_there_are() {
        for text in [
            "",
            "20",
            "slide:80%",
            "sliding:",
            "sliding:0",
            "sliding:900%",
            "sliding:80",
            "sliding:80%/",
            "sliding:80%/150",
            "sliding:80%/150ms-40ms",
            "sliding:80%/40ms-40ms",
            "sliding:80%/1ms-2ms-3ms",
        ] {
            let error = text.parse::<Protection>().unwrap_err().to_string();
            let forms = "repair is auto, off, K+R such as 20+10, or sliding:SHARE/WINDOW";
            assert!(error.starts_with(forms), "{text:?}: {error}");
        }
    }
}
