//! [`Mistake`].

use std::fmt;

/// Characters of a line that are shown.
const SHOWN: usize = 60;

/// Why a text is no plan, and where, in one line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The number of the line, counted from 1, and its beginning; `None` for what is in no line,
    /// such as a missing key.
    line: Option<(usize, String)>,
    message: String,
}

impl Mistake {
    /// What `error` found in `text`.
    pub fn of(text: &str, error: &toml::de::Error) -> Self {
        // A missing key is found at the beginning, where it is not.
        let span = error.span().filter(|_| !error.message().starts_with("missing field"));
        let start = span.map(|span| span.start);
        let line = start.and_then(|start| {
            let number = text.get(..start)?.matches('\n').count();
            let beginning = text.lines().nth(number)?.trim().chars().take(SHOWN).collect();
            Some((number + 1, beginning))
        });
        Self { line, message: error.message().trim().replace('\n', "; ") }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((number, beginning)) = &self.line {
            write!(f, "line {number}, `{beginning}`: ")?;
        }
        f.write_str(&self.message)
    }
}
