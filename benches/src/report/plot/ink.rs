//! What plots are drawn with: names of colours, which the page gives a value by day and by night.

use plotters::style::RGBColor;

/// A colour by its role.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) enum Ink {
    /// What is written.
    Text,
    /// Lines behind everything.
    Grid,
    /// UDP, and what comes by itself.
    First,
    /// QUIC, and what is recovered.
    Second,
    /// The promise: the playout line.
    Third,
    /// What is missing.
    Bad,
    /// What others reach.
    Other,
    /// Bounds.
    Bound,
}

impl Ink {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Text,
        Self::Grid,
        Self::First,
        Self::Second,
        Self::Third,
        Self::Bad,
        Self::Other,
        Self::Bound,
    ];

    /// The CSS variable that holds it.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Text => "--soft",
            Self::Grid => "--grid",
            Self::First => "--first",
            Self::Second => "--second",
            Self::Third => "--third",
            Self::Bad => "--bad",
            Self::Other => "--other",
            Self::Bound => "--bound",
        }
    }

    /// A colour that stands for it until the SVG is written: no plot uses these for themselves.
    pub(super) fn stand_in(self) -> RGBColor {
        RGBColor(0xFA, 0xFB, self as u8)
    }

    /// The stand-ins of an SVG replaced by the variables.
    pub(super) fn dye(svg: &str) -> String {
        Self::ALL.into_iter().fold(svg.to_owned(), |svg, ink| {
            let RGBColor(red, green, blue) = ink.stand_in();
            let stand_in = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
            svg.replace(&stand_in, &format!("\"var({})\"", ink.variable()))
        })
    }
}
