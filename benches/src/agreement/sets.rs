//! Which parameters go through both.

/// Parameters of netem, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParameterSet {
    /// What its logs are called.
    pub name: String,
    /// The words of tc-netem(8).
    pub words: String,
}

/// A file that is none of parameter sets.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SetsError {
    /// A line without words behind its name, or with a name that makes no file name.
    #[error("line {line}: `{text}` is not a name of letters, digits and -, and words of netem")]
    Line {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// Two sets of one name.
    #[error("there are two sets called {0}")]
    Twice(String),
    /// No sets at all.
    #[error("there is no set in it")]
    Empty,
}

/// Reads a file of sets: a name and words on each line, and comments after `#`.
///
/// # Errors
///
/// [`SetsError`].
pub fn parse_sets(text: &str) -> Result<Vec<ParameterSet>, SetsError> {
    let mut sets: Vec<ParameterSet> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_text = line.split('#').next().unwrap_or_default().trim();
        if line_text.is_empty() {
            continue;
        }
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let parts = line_text.split_once(char::is_whitespace).filter(|(name, _)| is_name(name));
        let wrong = SetsError::Line { line: index + 1, text: line.to_owned() };
        let (name, words) = parts.ok_or(wrong)?;
        if sets.iter().any(|set| set.name == name) {
            return Err(SetsError::Twice(name.to_owned()));
        }
        sets.push(ParameterSet { name: name.to_owned(), words: words.trim().to_owned() });
    }
    if sets.is_empty() { Err(SetsError::Empty) } else { Ok(sets) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_a_name_and_words() {
        let sets = parse_sets("# sets\nrandom  loss 5%\n\nlate delay 9ms  # a comment\n").unwrap();
        let parts: Vec<_> =
            sets.iter().map(|set| (set.name.as_str(), set.words.as_str())).collect();
        assert_eq!(parts, [("random", "loss 5%"), ("late", "delay 9ms")]);
    }

    #[test]
    fn what_is_no_set_is_refused_with_its_line() {
        assert_eq!(parse_sets("# none"), Err(SetsError::Empty));
        assert_eq!(
            parse_sets("a loss 1%\n../b loss 1%"),
            Err(SetsError::Line { line: 2, text: "../b loss 1%".into() })
        );
        assert!(matches!(parse_sets("alone"), Err(SetsError::Line { line: 1, .. })));
        assert_eq!(parse_sets("a loss 1%\na loss 2%"), Err(SetsError::Twice("a".into())));
    }

    #[test]
    fn the_sets_of_make_netem_are_sets_of_links() {
        let sets = parse_sets(include_str!("../../netem/sets")).unwrap();
        for ParameterSet { name, words } in sets {
            let spec = words.parse::<crate::link::LinkSpec>();
            assert!(spec.is_ok(), "{name}: {words}: {spec:?}");
        }
    }
}
