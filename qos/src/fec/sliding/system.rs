//! The equations over missing packets, kept reduced.

use std::collections::BTreeMap;

use super::equation::Equation;

/// A system of linear equations in reduced echelon form: each begins with a packet of its own, its
/// *pivot*, which is in no other.
///
/// So a packet is determined exactly if it is alone in its equation, whatever comes next takes one
/// pass over the equations, and of packets too old to matter nothing is lost by dropping the
/// equations that begin with them: they say nothing of younger ones that others do not say.
#[derive(Clone, Debug)]
pub(super) struct System {
    /// By their pivots.
    equations: BTreeMap<u64, Equation>,
    most_held: usize,
}

impl Default for System {
    fn default() -> Self {
        Self { equations: BTreeMap::new(), most_held: usize::MAX }
    }
}

/// A packet that was determined: its place, and its symbol.
pub(super) type Solution = (u64, Vec<u8>);

impl System {
    /// Equations that are kept at most. One more puts out that with the oldest pivot.
    pub(super) const MOST: usize = 255;

    /// The same with no more than `bytes` of equations: beyond, those with the oldest pivots go.
    pub(super) fn with_most_held(self, bytes: usize) -> Self {
        Self { most_held: bytes, ..self }
    }

    /// Whether nothing is missing of which something is known.
    pub(super) fn is_empty(&self) -> bool {
        self.equations.is_empty()
    }

    /// One more equation; what is determined by it. Costs at most two additions of an equation for
    /// each that there is.
    pub(super) fn insert(&mut self, equation: Equation) -> Vec<Solution> {
        let mut rest = Some(equation);
        let span = rest.as_ref().map_or(0..0, Equation::span);
        // What is added brings in no pivot of another, so those of the span are all there are.
        for (&pivot, known) in self.equations.range(span) {
            rest = rest.and_then(|equation| equation.without(pivot, known));
        }
        match rest {
            Some(equation) => self.settle(equation.normalised()),
            None => Vec::new(),
        }
    }

    /// A packet has become known; what is determined by it. Costs at most two additions for each
    /// equation.
    pub(super) fn know(&mut self, place: u64, packet: &[u8]) -> Vec<Solution> {
        let mut solved = Vec::new();
        let own = self.equations.remove(&place);
        for pivot in self.touching(place) {
            let equation = self.equations.remove(&pivot);
            let rest = equation.and_then(|equation| equation.knowing(place, packet));
            solved.extend(rest.and_then(|equation| self.keep_or_solve(equation)));
        }
        if let Some(rest) = own.and_then(|equation| equation.knowing(place, packet)) {
            solved.extend(self.settle(rest.normalised()));
        }
        solved
    }

    /// Gives up the packets before `place`.
    pub(super) fn forget_before(&mut self, place: u64) {
        if self.equations.first_key_value().is_some_and(|(&pivot, _)| pivot < place) {
            self.equations = self.equations.split_off(&place);
        }
    }

    /// Takes in an equation that begins with 1 for a packet that is no pivot, and has no pivot in
    /// it.
    fn settle(&mut self, equation: Equation) -> Vec<Solution> {
        let mut solved = Vec::new();
        for pivot in self.touching(equation.oldest()) {
            let other = self.equations.remove(&pivot);
            let rest = other.and_then(|other| other.without(equation.oldest(), &equation));
            solved.extend(rest.and_then(|other| self.keep_or_solve(other)));
        }
        solved.extend(self.keep_or_solve(equation));
        while self.equations.len() > Self::MOST || self.held() > self.most_held {
            self.equations.pop_first();
        }
        solved
    }

    /// The pivots of the equations with this packet in them, beside that of which it is the pivot.
    fn touching(&self, place: u64) -> Vec<u64> {
        let before = self.equations.range(..place);
        let touched = before.filter(|(_, equation)| equation.coefficient(place) != 0);
        touched.map(|(&pivot, _)| pivot).collect()
    }

    fn keep_or_solve(&mut self, equation: Equation) -> Option<Solution> {
        if equation.is_solved() {
            return Some((equation.oldest(), equation.into_sum()));
        }
        self.equations.insert(equation.oldest(), equation);
        None
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.equations.values().map(Equation::held).sum()
    }

    /// Equations kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.equations.len()
    }
}
