//! Which frames can be computed: generic rank.
//!
//! A repair symbol is an equation over the frames that it covers. Over a large field with random
//! coefficients the rank of a system is, but for a chance that vanishes, the size of the greatest
//! matching of equations to unknowns (Edmonds, *Systems of distinct representatives and linear
//! algebra*, 1967), and an unknown is determined exactly if every greatest matching contains it:
//! if no alternating path leads to it from an unknown left over (Dulmage and Mendelsohn, 1958).
//! So nothing is computed here but paths in a small graph, and what comes out is what a code
//! without any accident gives.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Keeps the equations received, and says which frames follow from them.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Frames sent of which the content is not known, each with the equation matched to it.
    unknown: BTreeMap<u64, Option<u64>>,
    /// Independent equations, by the order in which they came: the frames that each covers.
    equations: BTreeMap<u64, Range<u64>>,
    came: u64,
    /// Of frames before this one nobody knows any more whether they are known.
    forgotten: u64,
}

impl Decoder {
    /// A frame was sent: symbols from now on may cover it.
    pub(super) fn on_sent(&mut self, frame: u64) {
        self.unknown.insert(frame, None);
    }

    /// A frame came; it, and what else is known by it, unless all was known before.
    pub(super) fn on_frame(&mut self, frame: u64) -> Vec<u64> {
        let Some(matched) = self.unknown.remove(&frame) else { return Vec::new() };
        if let Some(equation) = matched {
            self.keep_if_independent(equation);
        }
        let mut known = self.solve();
        known.push(frame);
        known
    }

    /// A symbol that covers these frames came; the frames that are known by it. It is of no use
    /// if some of them are forgotten.
    pub(super) fn on_symbol(&mut self, covers: Range<u64>) -> Vec<u64> {
        if covers.start < self.forgotten {
            return Vec::new();
        }
        self.equations.insert(self.came, covers);
        self.came += 1;
        self.keep_if_independent(self.came - 1);
        self.solve()
    }

    /// Whether this frame was sent and is not known.
    pub(super) fn is_unknown(&self, frame: u64) -> bool {
        self.unknown.contains_key(&frame)
    }

    /// Forgets the frames before `first`, but for those that equations kept cover, and the
    /// equations over none but those before it.
    pub(super) fn forget_before(&mut self, first: u64) {
        self.forgotten = self.forgotten.max(first);
        if self.unknown.first_key_value().is_none_or(|(&frame, _)| frame >= first) {
            return;
        }
        self.equations.retain(|_, covers| covers.end > first);
        let begin = self.equations.values().map(|covers| covers.start).min();
        let equations = &self.equations;
        self.unknown.retain(|&frame, matched| {
            if matched.is_some_and(|equation| !equations.contains_key(&equation)) {
                *matched = None;
            }
            frame >= first || begin.is_some_and(|begin| frame >= begin)
        });
    }

    /// An equation that follows from the others goes: it will say nothing new later either.
    fn keep_if_independent(&mut self, equation: u64) {
        if !self.augment(equation, &mut BTreeSet::new()) {
            self.equations.remove(&equation);
        }
    }

    /// Finds an unknown for the equation, if need be by finding others for those in its way.
    fn augment(&mut self, equation: u64, tried: &mut BTreeSet<u64>) -> bool {
        let covers = self.equations[&equation].clone();
        let covered: Vec<(u64, Option<u64>)> =
            self.unknown.range(covers).map(|(&frame, &matched)| (frame, matched)).collect();
        for (frame, matched) in covered {
            if !tried.insert(frame) {
                continue;
            }
            if matched.is_none_or(|other| self.augment(other, tried)) {
                self.unknown.insert(frame, Some(equation));
                return true;
            }
        }
        false
    }

    /// Takes out the unknowns that are determined, with the equations that determine them.
    fn solve(&mut self) -> Vec<u64> {
        if self.equations.is_empty() {
            return Vec::new();
        }
        let matched: BTreeMap<u64, u64> = self
            .unknown
            .iter()
            .filter_map(|(&frame, &equation)| Some((equation?, frame)))
            .collect();
        let mut open: Vec<u64> =
            self.unknown.iter().filter(|(_, matched)| matched.is_none()).map(|(&f, _)| f).collect();
        let mut determined = matched.clone();
        while let Some(frame) = open.pop() {
            let touched: Vec<u64> = determined
                .keys()
                .copied()
                .filter(|equation| self.equations[equation].contains(&frame))
                .collect();
            open.extend(touched.into_iter().filter_map(|equation| determined.remove(&equation)));
        }
        for (equation, frame) in &determined {
            self.equations.remove(equation);
            self.unknown.remove(frame);
        }
        determined.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
