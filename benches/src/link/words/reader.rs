//! The words that are left to read, and where each stands.

use std::time::Duration;

use cantus_qos::quantity::Bitrate;

use super::super::{Chance, LinkError, Share};
use super::units::{self, Bare, Flaw};

const TIME: &str = "a time such as 20ms";
const SHARE: &str = "a percentage such as 1%";

/// Words of a link, of which those up to `next` are read.
#[derive(Debug, Default)]
pub(super) struct Reader<'a> {
    words: Vec<&'a str>,
    next: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // A backslash at the end of a line is not a word.
        Self { words: text.split_whitespace().filter(|word| *word != "\\").collect(), next: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.next += 1;
        Some(word)
    }

    /// Reads the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek() == Some(word);
        self.next += usize::from(is_next);
        is_next
    }

    /// Where the word stands that was read last.
    pub(super) fn at(&self) -> usize {
        self.next
    }

    /// Reads up to `word`, and it too, if it is still to come.
    pub(super) fn skip_to(&mut self, word: &str) -> bool {
        let found = self.words[self.next..].iter().position(|next| *next == word);
        self.next += found.map_or(0, |found| found + 1);
        found.is_some()
    }

    /// What must follow `word`.
    pub(super) fn value(
        &mut self,
        word: &'static str,
        what: &'static str,
    ) -> Result<&'a str, LinkError> {
        let at = self.at();
        self.next().ok_or(LinkError::MissingValue { at, word, what })
    }

    pub(super) fn time(&mut self, word: &'static str) -> Result<Duration, LinkError> {
        self.read(word, TIME, |text| units::time(text, Bare::Microseconds))
    }

    pub(super) fn slot_time(&mut self) -> Result<Duration, LinkError> {
        self.read("slot", TIME, |text| units::time(text, Bare::Nanoseconds))
    }

    pub(super) fn share(&mut self, word: &'static str) -> Result<Share, LinkError> {
        self.read(word, SHARE, units::share)
    }

    /// The share that may follow, if a number does.
    pub(super) fn further_share(&mut self, word: &'static str) -> Result<Option<Share>, LinkError> {
        self.number_follows().then(|| self.share(word)).transpose()
    }

    /// As many shares as follow, and in place of the others what netem takes when they are not said.
    pub(super) fn further_shares<const N: usize>(
        &mut self,
        word: &'static str,
        mut shares: [Share; N],
    ) -> Result<[Share; N], LinkError> {
        for share in &mut shares {
            let Some(said) = self.further_share(word)? else {
                break;
            };
            *share = said;
        }
        Ok(shares)
    }

    /// A share, and perhaps its correlation; `None` for a share of nothing.
    pub(super) fn chance(&mut self, word: &'static str) -> Result<Option<Chance>, LinkError> {
        let share = self.share(word)?;
        let correlation = self.further_share(word)?.unwrap_or_default();
        Ok((!share.is_none()).then_some(Chance { share, correlation }))
    }

    pub(super) fn seed(&mut self) -> Result<u64, LinkError> {
        self.read("seed", "a whole number of 64 bits", |text| {
            text.parse().map_err(|_| Flaw::Malformed)
        })
    }

    pub(super) fn rate(&mut self) -> Result<Bitrate, LinkError> {
        let what = "a rate such as 160kbit, or 20kbps for as many bytes";
        self.read("rate", what, units::rate)
    }

    pub(super) fn size(
        &mut self,
        word: &'static str,
        what: &'static str,
    ) -> Result<u32, LinkError> {
        self.read(word, what, units::size)
    }

    pub(super) fn integer<T: TryFrom<i64>>(
        &mut self,
        word: &'static str,
        what: &'static str,
    ) -> Result<T, LinkError> {
        self.read(word, what, |text| {
            let number = units::integer(text)?;
            let flaw = if number < 0 { Flaw::Negative } else { Flaw::Malformed };
            T::try_from(number).map_err(|_| flaw)
        })
    }

    /// Whether the next word begins as a number does: `tc` does not look further either.
    pub(super) fn number_follows(&self) -> bool {
        self.peek().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// As [`Reader::number_follows`], where there may be a minus sign.
    pub(super) fn signed_number_follows(&self) -> bool {
        self.number_follows() || self.peek().is_some_and(|word| word.starts_with('-'))
    }

    fn read<T>(
        &mut self,
        word: &'static str,
        what: &'static str,
        reading: impl FnOnce(&str) -> Result<T, Flaw>,
    ) -> Result<T, LinkError> {
        let text = self.value(word, what)?;
        let at = self.at();
        reading(text).map_err(|flaw| {
            let value = shown(text);
            match flaw {
                Flaw::Negative => LinkError::Negative { at, word, value },
                Flaw::TooMuch if what == SHARE => LinkError::OverTheWhole { at, word, value },
                Flaw::Malformed | Flaw::TooMuch => LinkError::BadValue { at, word, value, what },
            }
        })
    }
}

/// A word from outside, cut to what a message has room for.
pub(super) fn shown(word: &str) -> String {
    word.chars().map(|c| if c.is_control() { '?' } else { c }).take(40).collect()
}
