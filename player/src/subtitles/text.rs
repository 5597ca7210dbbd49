//! The text of a cue, as a terminal or a file may see it.
//!
//! Text from the network is not to be trusted: an escape sequence in it could move the cursor,
//! change the title of the window, or write to the clipboard. What remains here is text and ends
//! of lines, nothing else.

use std::iter::Peekable;
use std::str::Chars;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
const STRING_TERMINATOR: char = '\u{9c}';

/// The lines of `text` without control characters and escape sequences (ECMA-48), without blanks
/// around them, and without the lines that are then empty.
pub(super) fn lines(text: &str) -> Vec<String> {
    clean(text).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            '\t' => clean.push(' '),
            ESCAPE => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut rest),
            other if other.is_control() => {}
            other => clean.push(other),
        }
    }
    clean
}

/// What follows an ESC: one of the sequences, or intermediate bytes and a final one.
fn skip_escape(rest: &mut Peekable<Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some('P' | 'X' | ']' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        _ => {
            while rest.next_if(|character| matches!(character, ' '..='/')).is_some() {}
            rest.next_if(|character| matches!(character, '0'..='~'));
        }
    }
}

/// Parameters, intermediate bytes and the final byte of a CSI sequence (ECMA-48, section 5.4).
fn skip_control_sequence(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|character| matches!(character, ' '..='?')).is_some() {}
    rest.next_if(|character| matches!(character, '@'..='~'));
}

/// A command string (ECMA-48, section 5.6), up to BEL, ST or the end of its line: a string that
/// never ends does not swallow the rest of the cue.
fn skip_string(rest: &mut Peekable<Chars<'_>>) {
    while let Some(&character) = rest.peek() {
        match character {
            '\n' => return,
            BELL | STRING_TERMINATOR => {
                rest.next();
                return;
            }
            ESCAPE => {
                rest.next();
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {
                rest.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let text = "Où est-elle ?\n日本語, العربية, 👩‍👧 <i>so</i> [laughs]";
        assert_eq!(lines(text).join("\n"), text);
    }

    #[test]
    fn escape_sequences_go_with_all_that_belongs_to_them() {
        for hostile in [
            "a\u{1b}[31;1mb",                 // colour
            "a\u{1b}[2J\u{1b}[Hb",            // clears the screen
            "a\u{9b}2Jb",                     // the same in one character
            "a\u{1b}]0;title\u{7}b",          // names the window
            "a\u{1b}]52;c;ZXZpbA==\u{1b}\\b", // writes to the clipboard
            "a\u{9d}0;title\u{9c}b",
            "a\u{1b}P1$r\u{1b}\\b", // device control
            "a\u{1b}(0b",           // another character set
            "a\u{1b}cb",            // resets the terminal
            "a\u{7}\u{8}\u{0}\u{7f}\u{85}b",
        ] {
            assert_eq!(lines(hostile).concat(), "ab", "{hostile:?}");
        }
    }

    #[test]
    fn a_string_without_an_end_swallows_no_more_than_its_line() {
        assert_eq!(lines("a\u{1b}]0;title\nb"), ["a", "b"]);
    }

    #[test]
    fn ends_of_lines_are_told_in_one_way_and_empty_lines_are_none() {
        assert_eq!(lines("a\r\nb\rc\u{2028}d\n\n  \n e\t\n"), ["a", "b", "c", "d", "e"]);
    }

    proptest! {
        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            for line in lines(&text) {
                prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
            }
        }

        #[test]
        fn no_sequence_survives_among_sequences(
            text in "[\u{1b}\u{9b}\u{9d}\u{7}\\[\\]P;0-9mJab\n\r]{0,60}",
        ) {
            for line in lines(&text) {
                prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
            }
        }

        #[test]
        fn text_without_control_characters_is_never_changed(line in "[^\\p{C}\\p{Z}]{1,60}") {
            prop_assert_eq!(lines(&line), [line]);
        }
    }
}
