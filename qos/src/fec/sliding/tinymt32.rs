//! TinyMT32, a small Mersenne Twister (RFC 8682), in the parameter set that RFC 8681 uses.

/// The generator: 127 bits of state.
#[derive(Clone, Debug)]
pub(super) struct TinyMt32([u32; 4]);

impl TinyMt32 {
    const MAT1: u32 = 0x8f70_11ee;
    const MAT2: u32 = 0xfc78_ff1f;
    const TMAT: u32 = 0x3793_fdff;

    /// Rounds in which the seed is spread over the state, and rounds that are thrown away.
    const MIN_LOOP: usize = 8;
    const PRE_LOOP: usize = 8;

    /// A generator that begins with `seed`.
    pub(super) fn new(seed: u32) -> Self {
        let mut state = [seed, Self::MAT1, Self::MAT2, Self::TMAT];
        for round in 1..Self::MIN_LOOP {
            let last = state[(round - 1) % 4];
            let mixed = (last ^ (last >> 30)).wrapping_mul(1_812_433_253);
            state[round % 4] ^= mixed.wrapping_add(round as u32);
        }
        // RFC 8682 leaves out the period certification of the original: with this parameter set
        // no seed leads to the state of zeros that it is there to avoid.
        let mut generator = Self(state);
        (0..Self::PRE_LOOP).for_each(|_| generator.step());
        generator
    }

    fn step(&mut self) {
        let [zero, one, two, three] = self.0;
        let mut x = (zero & 0x7fff_ffff) ^ one ^ two;
        let mut y = three;
        x ^= x << 1;
        y ^= (y >> 1) ^ x;
        // All ones where y is odd, else zero.
        let odd = (y & 1).wrapping_neg();
        self.0 = [one, two ^ (odd & Self::MAT1), x ^ (y << 10) ^ (odd & Self::MAT2), y];
    }

    /// The next 32 bits.
    pub(super) fn next(&mut self) -> u32 {
        self.step();
        let [zero, _, two, three] = self.0;
        let sum = zero.wrapping_add(two >> 8);
        three ^ sum ^ ((sum & 1).wrapping_neg() & Self::TMAT)
    }

    /// The next number from 0 to 15 (RFC 8681, section 3.5).
    pub(super) fn next_of_16(&mut self) -> u8 {
        (self.next() & 0xf) as u8
    }

    /// The next number from 0 to 255 (RFC 8681, section 3.5).
    pub(super) fn next_of_256(&mut self) -> u8 {
        (self.next() & 0xff) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_rfc_8682() {
        // Figure 2: the first 50 for a seed of 1.
        #[rustfmt::skip]
        let published = [
            2_545_341_989, 981_918_433, 3_715_302_833, 2_387_538_352, 3_591_001_365,
            3_820_442_102, 2_114_400_566, 2_196_103_051, 2_783_359_912, 764_534_509,
            643_179_475, 1_822_416_315, 881_558_334, 4_207_026_366, 3_690_273_640,
            3_240_535_687, 2_921_447_122, 3_984_931_427, 4_092_394_160, 44_209_675,
            2_188_315_343, 2_908_663_843, 1_834_519_336, 3_774_670_961, 3_019_990_707,
            4_065_554_902, 1_239_765_502, 4_035_716_197, 3_412_127_188, 552_822_483,
            161_364_450, 353_727_785, 140_085_994, 149_132_008, 2_547_770_827,
            4_064_042_525, 4_078_297_538, 2_057_335_507, 622_384_752, 2_041_665_899,
            2_193_913_817, 1_080_849_512, 33_160_901, 662_956_935, 642_999_063,
            3_384_709_977, 1_723_175_122, 3_866_752_252, 521_822_317, 2_292_524_454,
        ];
        let mut generator = TinyMt32::new(1);
        assert_eq!(published.map(|_| generator.next()), published);
    }

    #[test]
    fn small_numbers_are_those_of_rfc_8681() {
        // Figures 9 and 10: the first 50 for a seed of 1.
        let of_256 = [
            37, 225, 177, 176, 21, 246, 54, 139, 168, 237, 211, 187, 62, 190, 104, 135, 210, 99,
            176, 11, 207, 35, 40, 113, 179, 214, 254, 101, 212, 211, 226, 41, 234, 232, 203, 29,
            194, 211, 112, 107, 217, 104, 197, 135, 23, 89, 210, 252, 109, 166,
        ];
        let of_16 = [
            5, 1, 1, 0, 5, 6, 6, 11, 8, 13, 3, 11, 14, 14, 8, 7, 2, 3, 0, 11, 15, 3, 8, 1, 3, 6,
            14, 5, 4, 3, 2, 9, 10, 8, 11, 13, 2, 3, 0, 11, 9, 8, 5, 7, 7, 9, 2, 12, 13, 6,
        ];
        let mut generator = TinyMt32::new(1);
        assert_eq!(of_256.map(|_| generator.next_of_256()), of_256);
        let mut generator = TinyMt32::new(1);
        assert_eq!(of_16.map(|_| generator.next_of_16()), of_16);
    }
}
