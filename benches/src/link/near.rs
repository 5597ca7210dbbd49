//! The known word that a misspelt one looks most like.

/// The word of `known` that is at most two slips away from `word`, the nearest first.
pub(super) fn nearest(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let shown: Vec<char> = word.to_lowercase().chars().take(LONGEST).collect();
    let slips = known.into_iter().map(|known| (slips(&shown, known), known));
    let (slips, nearest) = slips.min_by_key(|&(slips, _)| slips)?;
    (slips <= 2 && slips < nearest.len().min(shown.len())).then_some(nearest)
}

/// No known word is nearly as long.
const LONGEST: usize = 32;

/// Letters to add, leave out, replace, or swap with their neighbour (the optimal string alignment
/// distance).
fn slips(word: &[char], known: &str) -> usize {
    let known: Vec<char> = known.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (i, letter) in word.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in known.iter().enumerate() {
            let replaced = row[j] + usize::from(letter != other);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *letter == known[j - 1] && word[i - 1] == *other {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[known.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["delay", "loss", "rate", "gap", "keep-order"];

    #[test]
    fn a_slip_or_two_are_forgiven() {
        for (word, meant) in [
            ("dealy", "delay"),
            ("dely", "delay"),
            ("lose", "loss"),
            ("LOSS", "loss"),
            ("keeporder", "keep-order"),
            ("ratee", "rate"),
        ] {
            assert_eq!(nearest(word, KNOWN), Some(meant), "{word}");
        }
    }

    #[test]
    fn what_looks_like_nothing_known_has_no_neighbour() {
        for word in ["", "x", "zz", "bandwidth", "99%"] {
            assert_eq!(nearest(word, KNOWN), None, "{word}");
        }
    }

    #[test]
    fn a_word_without_end_is_looked_at_only_at_its_beginning() {
        assert_eq!(nearest(&"delay".repeat(100_000), KNOWN), None);
    }
}
