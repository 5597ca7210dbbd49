//! One linear equation over missing packets.

use std::ops::Range;

use reed_solomon_erasure::galois_8::{div, mul_slice, mul_slice_xor};

use crate::fec::adui;

/// What some missing packets add up to, each multiplied with a coefficient.
///
/// Packets are known by their places, numbers that do not wrap. Neither the first nor the last
/// coefficient is zero, and there is one at least.
#[derive(Clone, Debug)]
pub(super) struct Equation {
    /// The place of the first packet; the coefficients are of it and those that follow.
    first: u64,
    coefficients: Vec<u8>,
    sum: Vec<u8>,
}

impl Equation {
    /// `None` where all coefficients are zero: then it says nothing of any packet.
    pub(super) fn new(first: u64, coefficients: Vec<u8>, sum: Vec<u8>) -> Option<Self> {
        Self { first, coefficients, sum }.trimmed()
    }

    /// The oldest packet in it.
    pub(super) fn oldest(&self) -> u64 {
        self.first
    }

    /// From the oldest packet in it to before the one after the newest.
    pub(super) fn span(&self) -> Range<u64> {
        self.first..self.first + self.coefficients.len() as u64
    }

    /// Bytes that it takes.
    pub(super) fn held(&self) -> usize {
        self.coefficients.len() + self.sum.len()
    }

    /// The sum alone.
    pub(super) fn into_sum(self) -> Vec<u8> {
        self.sum
    }

    /// Whether only one packet is left in it: its sum is that packet, once the coefficient is 1.
    pub(super) fn is_solved(&self) -> bool {
        self.coefficients.len() == 1
    }

    /// The coefficient of a packet.
    pub(super) fn coefficient(&self, place: u64) -> u8 {
        let index = place.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.coefficients.get(index)).copied().unwrap_or(0)
    }

    /// The same with 1 for the oldest packet.
    pub(super) fn normalised(self) -> Self {
        let factor = div(1, self.coefficients[0]);
        if factor == 1 {
            return self;
        }
        let scaled = |bytes: &[u8]| {
            let mut product = vec![0; bytes.len()];
            mul_slice(factor, bytes, &mut product);
            product
        };
        let (coefficients, sum) = (scaled(&self.coefficients), scaled(&self.sum));
        Self { first: self.first, coefficients, sum }
    }

    /// The same without `place`, by adding a multiple of `other`, in which its coefficient is 1
    /// and which has no older packet; `None` where nothing is left.
    pub(super) fn without(mut self, place: u64, other: &Self) -> Option<Self> {
        let factor = self.coefficient(place);
        if factor == 0 {
            return Some(self);
        }
        // The other begins where `place` is, which is within this one.
        let begin = (other.first - self.first) as usize;
        let end = begin + other.coefficients.len();
        if self.coefficients.len() < end {
            self.coefficients.resize(end, 0);
        }
        if self.sum.len() < other.sum.len() {
            self.sum.resize(other.sum.len(), 0);
        }
        mul_slice_xor(factor, &other.coefficients, &mut self.coefficients[begin..end]);
        mul_slice_xor(factor, &other.sum, &mut self.sum[..other.sum.len()]);
        self.trimmed()
    }

    /// The same with a packet known and taken out; `None` where nothing is left, or where the sum
    /// is too short for it: then somebody has lied.
    pub(super) fn knowing(mut self, place: u64, packet: &[u8]) -> Option<Self> {
        let coefficient = self.coefficient(place);
        if coefficient == 0 {
            return Some(self);
        }
        if adui::PREFIX + packet.len() > self.sum.len() {
            return None;
        }
        adui::add(coefficient, packet, &mut self.sum);
        self.coefficients[(place - self.first) as usize] = 0;
        self.trimmed()
    }

    fn trimmed(mut self) -> Option<Self> {
        let last = self.coefficients.iter().rposition(|&coefficient| coefficient != 0)?;
        self.coefficients.truncate(last + 1);
        let zeros = self.coefficients.iter().take_while(|&&coefficient| coefficient == 0).count();
        if zeros > 0 {
            self.coefficients.drain(..zeros);
            self.first += zeros as u64;
        }
        Some(self)
    }
}
