//! The two Reed-Solomon codes, both over GF(2^8) with the polynomial 0x11D.
//!
//! Byte by byte, the `k` source symbols are the values of a polynomial of degree below `k` at the
//! points `x_0 .. x_(k-1)`; the symbol `i >= k` is its value at `x_i`. Any `k` values determine the
//! polynomial, so any `k` symbols of a block give back the others (the code is MDS). That is the
//! same as multiplying the Vandermonde matrix of the points by the inverse of its top square, as
//! RFC 5510, section 8.2.1 and Roc have it, without inverting anything: by Lagrange, the weight of
//! source symbol `j` in symbol `i` is
//!
//! ```text
//! prod_m (x_i - x_m) / (x_i - x_j) / prod_(m != j) (x_j - x_m)        0 <= m < k
//! ```
//!
//! The layouts differ in their points only.

use std::collections::BTreeMap;

use bytes::Bytes;
use reed_solomon_erasure::galois_8::{div, exp, mul, mul_slice, mul_slice_xor};

use super::Layout;

/// The generator of the field's multiplicative group, "alpha" in RFC 5510.
const ALPHA: u8 = 2;

impl Layout {
    /// The point at which symbol `symbol` is the value of the block's polynomial.
    fn point(self, symbol: u8) -> u8 {
        match (self, symbol) {
            (Self::Adu, n) => exp(ALPHA, usize::from(n)),
            (Self::Rs8m, 0) => 0,
            (Self::Rs8m, n) => exp(ALPHA, usize::from(n - 1)),
        }
    }
}

/// The code for blocks of one `k`. Rows of its generator matrix are made when first needed.
#[derive(Clone, Debug)]
pub(super) struct Code {
    layout: Layout,
    points: Vec<u8>,
    /// `1 / prod_(m != j) (x_j - x_m)`
    weights: Vec<u8>,
    rows: BTreeMap<u8, Box<[u8]>>,
}

impl Code {
    fn new(layout: Layout, source_length: u8) -> Self {
        let points: Vec<u8> = (0..source_length).map(|symbol| layout.point(symbol)).collect();
        let weight = |&own: &u8| {
            let others = points.iter().filter(|&&other| other != own);
            div(1, others.fold(1, |product, other| mul(product, own ^ other)))
        };
        let weights = points.iter().map(weight).collect();
        Self { layout, points, weights, rows: BTreeMap::new() }
    }

    fn source_length(&self) -> usize {
        self.points.len()
    }

    /// What each source symbol contributes to the repair symbol `symbol`, which is at least `k`
    /// and at most 254.
    fn row(&mut self, symbol: u8) -> &[u8] {
        let (points, weights) = (&self.points, &self.weights);
        let at = self.layout.point(symbol);
        self.rows.entry(symbol).or_insert_with(|| {
            let all = points.iter().fold(1, |product, point| mul(product, at ^ point));
            let coefficient = |(point, weight)| div(mul(all, weight), at ^ point);
            points.iter().copied().zip(weights.iter().copied()).map(coefficient).collect()
        })
    }

    /// Adds the repair symbol `symbol` of the source packets to `sum`.
    pub(super) fn encode(&mut self, symbol: u8, source: &[Bytes], sum: &mut [u8]) {
        let layout = self.layout;
        for (&coefficient, packet) in self.row(symbol).iter().zip(source) {
            layout.add(coefficient, packet, sum);
        }
    }

    /// The missing source symbols of a block, in order, from at least as many repair symbols, all
    /// of one length.
    ///
    /// Only the equations of the losses are solved, so the cost grows with what was lost and not
    /// with the square of the block.
    pub(super) fn decode(
        &mut self,
        source: &BTreeMap<u8, Bytes>,
        repair: &BTreeMap<u8, Bytes>,
    ) -> Vec<(u8, Bytes)> {
        let missing: Vec<u8> =
            (0..self.source_length() as u8).filter(|symbol| !source.contains_key(symbol)).collect();
        // Each equation: the coefficients of the missing symbols, then what they add up to.
        let mut equations: Vec<Vec<u8>> = repair
            .iter()
            .take(missing.len())
            .map(|(&symbol, sum)| self.equation(symbol, sum, source, &missing))
            .collect();
        solve(&mut equations);
        let symbols = equations.into_iter().map(|row| Bytes::from(row).slice(missing.len()..));
        missing.iter().copied().zip(symbols).collect()
    }

    fn equation(
        &mut self,
        symbol: u8,
        sum: &[u8],
        source: &BTreeMap<u8, Bytes>,
        missing: &[u8],
    ) -> Vec<u8> {
        let layout = self.layout;
        let row = self.row(symbol);
        let mut equation = Vec::with_capacity(missing.len() + sum.len());
        equation.extend(missing.iter().map(|&index| row[usize::from(index)]));
        equation.extend_from_slice(sum);
        let rest = &mut equation[missing.len()..];
        for (&index, packet) in source {
            layout.add(row[usize::from(index)], packet, rest);
        }
        equation
    }
}

/// Gauss-Jordan elimination of `n` equations whose first `n` bytes are coefficients. There is no
/// search for pivots: in an MDS code every square part of the repair rows is invertible, the
/// leading ones too, so none can be zero.
fn solve(equations: &mut [Vec<u8>]) {
    for pivot in 0..equations.len() {
        let unscaled = std::mem::take(&mut equations[pivot]);
        let mut scaled = vec![0; unscaled.len()];
        mul_slice(div(1, unscaled[pivot]), &unscaled, &mut scaled);
        for equation in equations.iter_mut().filter(|equation| !equation.is_empty()) {
            mul_slice_xor(equation[pivot], &scaled, equation);
        }
        equations[pivot] = scaled;
    }
}

/// The codes used last, most recent first: blocks closed early and changes of shape come and go.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    layout: Layout,
    recent: Vec<Code>,
}

impl Codes {
    /// A code holds up to 16 kB; few shapes are in use at a time.
    const CAPACITY: usize = 8;

    pub(super) const fn new(layout: Layout) -> Self {
        Self { layout, recent: Vec::new() }
    }

    /// The code for blocks of `source_length` source packets.
    pub(super) fn of(&mut self, source_length: u8) -> &mut Code {
        let known =
            self.recent.iter().position(|code| code.source_length() == usize::from(source_length));
        match known {
            Some(index) => self.recent[..=index].rotate_right(1),
            None => {
                self.recent.truncate(Self::CAPACITY - 1);
                self.recent.insert(0, Code::new(self.layout, source_length));
            }
        }
        &mut self.recent[0]
    }
}

#[cfg(test)]
mod tests;
