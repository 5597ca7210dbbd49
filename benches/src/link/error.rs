//! [`LinkError`].

use std::path::PathBuf;

use super::named;

/// Why there is no such link. Words are counted from 1, from the beginning of what was given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LinkError {
    /// No standing link has this name.
    #[error("no link is called `{name}` (there are {})", named::names())]
    UnknownName {
        /// The name asked for.
        name: String,
    },
    /// A word that is neither one of tc-netem(8) nor one of ours.
    #[error("word {at}: `{word}` is no word of a link{}", did_you_mean(*near))]
    UnknownWord {
        /// Where it stands.
        at: usize,
        /// The word.
        word: String,
        /// The word that looks most like it, if one does.
        near: Option<&'static str>,
    },
    /// A value after the last that a word takes.
    #[error("word {at}: `{value}` is one value more than `{word}` takes")]
    OneTooMany {
        /// Where it stands.
        at: usize,
        /// The value.
        value: String,
        /// The word before the values.
        word: &'static str,
    },
    /// A command line of `tc` that sets up something else.
    #[error("word {at}: this is a line of `tc`, but `netem` is not in it")]
    NoNetem {
        /// Where the line begins.
        at: usize,
    },
    /// The words end where a value must follow.
    #[error("word {at}: `{word}` must be followed by {what}")]
    MissingValue {
        /// Where the word stands after which they end.
        at: usize,
        /// The word that takes the value.
        word: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// A value that cannot be read.
    #[error("word {at}: `{value}` after `{word}` is not {what}")]
    BadValue {
        /// Where it stands.
        at: usize,
        /// The word before the values.
        word: &'static str,
        /// The value.
        value: String,
        /// What it should be.
        what: &'static str,
    },
    /// A value below zero, where that makes no sense.
    #[error("word {at}: `{value}` after `{word}` is negative")]
    Negative {
        /// Where it stands.
        at: usize,
        /// The word before the values.
        word: &'static str,
        /// The value.
        value: String,
    },
    /// More than the whole.
    #[error("word {at}: `{value}` after `{word}` is more than 100%")]
    OverTheWhole {
        /// Where it stands.
        at: usize,
        /// The word before the values.
        word: &'static str,
        /// The value.
        value: String,
    },
    /// A correlation of delays that do not vary.
    #[error(
        "word {at}: the correlation `{value}` needs a jitter before it: \
             delay TIME JITTER CORRELATION"
    )]
    NoJitter {
        /// Where the correlation stands.
        at: usize,
        /// The correlation.
        value: String,
    },
    /// A word that only refines another one, without it.
    #[error("word {at}: `{word}` needs `{needs}`")]
    Orphan {
        /// Where it stands.
        at: usize,
        /// The word.
        word: &'static str,
        /// What it refines.
        needs: &'static str,
    },
    /// Loss is said a second time: netem has one loss model.
    #[error("word {at}: the loss has been said already")]
    LossTwice {
        /// Where it stands.
        at: usize,
    },
    /// A value that makes no sense, though it can be read.
    #[error("{what} cannot be {value}")]
    OutOfRange {
        /// What the value is.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A file that cannot be read.
    #[error("cannot read the {what} {}: {reason}", path.display())]
    Unreadable {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A distribution that is neither built in nor where `tc` has its tables.
    #[error(
        "no table `{name}.dist` for `distribution {name}` in {}{}",
        directories.join(", "), did_you_mean(*near)
    )]
    NoTable {
        /// The name of the distribution.
        name: String,
        /// The built-in one that looks most like it, if one does.
        near: Option<&'static str>,
        /// Where it was looked for.
        directories: Vec<String>,
    },
    /// A line of a file that is not what it should be.
    #[error("line {line} of the {what} is `{text}`, not {expected}")]
    BadLine {
        /// What the file should hold.
        what: &'static str,
        /// Counted from 1.
        line: usize,
        /// The line, cut to its first characters.
        text: String,
        /// What a line should be.
        expected: &'static str,
    },
    /// A file with more lines than one is read of.
    #[error("the {what} is too long: it has more than {most} values")]
    TooLong {
        /// What the file should hold.
        what: &'static str,
        /// How many are read.
        most: usize,
    },
    /// A distribution table or a replay without a value.
    #[error("the {what} is empty")]
    Empty {
        /// What the file should hold.
        what: &'static str,
    },
    /// A delivery trace in which nothing is ever delivered, or everything at instant zero.
    #[error("the delivery trace has no length")]
    EmptyTrace,
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"))
}
