//! What the luck of each run follows from.

use std::str::FromStr;

use serde::Deserialize;

/// Seeds: so many from 1 on, or these.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(untagged, expecting = "seeds is how many, or a list of whole numbers")]
pub enum Seeds {
    /// 1 to this.
    Count(u64),
    /// These.
    List(Vec<u64>),
}

impl Seeds {
    /// All of them.
    pub fn list(&self) -> Vec<u64> {
        match self {
            Self::Count(count) => (1..=*count).collect(),
            Self::List(list) => list.clone(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Count(count) => usize::try_from(*count).unwrap_or(usize::MAX),
            Self::List(list) => list.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Seeds {
    fn default() -> Self {
        Self::Count(5)
    }
}

impl FromStr for Seeds {
    type Err = String;

    /// `5` is how many; `7,8,9` or `7,` are these.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |word: &str| {
            word.trim().parse().map_err(|_| format!("`{word}` is no seed: a whole number"))
        };
        if !text.contains(',') {
            return match number(text)? {
                0 => Err("with no seed there is nothing to run".to_owned()),
                count => Ok(Self::Count(count)),
            };
        }
        let words = text.trim_end_matches(',').split(',');
        words.map(number).collect::<Result<_, _>>().map(Self::List)
    }
}
