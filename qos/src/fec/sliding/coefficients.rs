//! The coefficients of a repair packet (RFC 8681, section 3.6), over GF(2^8).

use super::tinymt32::TinyMt32;

/// An endless row of coefficients, of which both ends make the same from the repair key.
#[derive(Clone, Debug)]
pub(super) struct Coefficients {
    random: TinyMt32,
    density: u8,
}

impl Coefficients {
    /// The density threshold at which no coefficient is zero.
    pub(super) const DENSE: u8 = 15;

    /// `density` is from 0 to 15; in the mean (`density` + 1) of 16 coefficients are not zero.
    pub(super) fn new(key: u16, density: u8) -> Self {
        Self { random: TinyMt32::new(key.into()), density }
    }

    fn next_but_zero(&mut self) -> u8 {
        loop {
            match self.random.next_of_256() {
                0 => {}
                coefficient => return coefficient,
            }
        }
    }
}

impl Iterator for Coefficients {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let zero = self.density < Self::DENSE && self.random.next_of_16() > self.density;
        Some(if zero { 0 } else { self.next_but_zero() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the algorithm of figure 3 and the numbers of figures 9 and 10.
    #[test]
    fn dense_rows_are_the_numbers_of_the_generator_without_its_zeros() {
        let row: Vec<u8> = Coefficients::new(1, 15).take(10).collect();
        assert_eq!(row, [37, 225, 177, 176, 21, 246, 54, 139, 168, 237]);
        for key in 0..2_000 {
            assert!(Coefficients::new(key, 15).take(64).all(|coefficient| coefficient != 0));
        }
    }

    #[test]
    fn thin_rows_draw_first_whether_and_then_what() {
        // The generator gives 5, 1, 1, 0, 5, 6 of 16, and at the same places 37, 225, 177, 176,
        // 21, 246 of 256. 5 is above 4: none. 1 is not: 177. 0 is not: 21. 6 is: none.
        let row: Vec<u8> = Coefficients::new(1, 4).take(4).collect();
        assert_eq!(row, [0, 177, 21, 0]);
    }

    #[test]
    fn the_share_of_coefficients_that_are_not_zero_is_as_announced() {
        for density in [0, 3, 7, 11] {
            let some = Coefficients::new(7, density).take(16_000).filter(|it| *it != 0).count();
            let expected = 1_000 * (usize::from(density) + 1);
            assert!(some.abs_diff(expected) < 300, "{density}: {some} of 16000");
        }
    }
}
