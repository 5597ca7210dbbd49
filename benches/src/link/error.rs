//! [`LinkError`].

use std::path::PathBuf;

use cantus_qos::quantity::QuantityError;

use super::named;

/// Why there is no such link.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LinkError {
    /// No standing link has this name.
    #[error("no link is called `{name}` (there are {})", named::names())]
    UnknownName {
        /// The name asked for.
        name: String,
    },
    /// A word that is neither one of tc-netem(8) nor one of ours.
    #[error(
        "`{word}` is no word of a link (known: delay, distribution, keep-order, loss, step, \
             duplicate, reorder, gap, rate, limit, trace)"
    )]
    UnknownWord {
        /// The word.
        word: String,
    },
    /// A part of netem that is not emulated here.
    #[error("`{word}` is not emulated")]
    NotEmulated {
        /// The netem words.
        word: String,
    },
    /// The words end where a value must follow.
    #[error("`{word}` must be followed by {what}")]
    MissingValue {
        /// The word before the end.
        word: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// A word that only refines another one, without it.
    #[error("`{word}` needs `{needs}` before it")]
    Orphan {
        /// The word.
        word: &'static str,
        /// What it refines.
        needs: &'static str,
    },
    /// A value that cannot be read.
    #[error("after `{word}`: {source}")]
    Quantity {
        /// The word before the value.
        word: &'static str,
        /// What is wrong with it.
        source: QuantityError,
    },
    /// A value that makes no sense, though it can be read.
    #[error("{what} cannot be {value}")]
    OutOfRange {
        /// What the value is.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A delivery trace that cannot be read.
    #[error("cannot read the delivery trace {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A line of a delivery trace that is no millisecond, or earlier than the line before.
    #[error(
        "line {line} of the delivery trace is `{text}`, \
             not a millisecond at or after the line before"
    )]
    BadTraceLine {
        /// Counted from 1.
        line: usize,
        /// The line, cut to its first characters.
        text: String,
    },
    /// A delivery trace in which nothing is ever delivered, or everything at instant zero.
    #[error("the delivery trace has no length")]
    EmptyTrace,
}
