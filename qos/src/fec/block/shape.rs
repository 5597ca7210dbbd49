//! The shape of a block: how many source and how many repair packets.

use std::fmt;
use std::str::FromStr;

use super::BlockError;

/// `k` source packets protected by `r` repair packets; written `k+r`, as in `20+10`.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct BlockShape {
    source: u8,
    repair: u8,
}

impl BlockShape {
    /// A block of `source` (at least 1) and `repair` packets, at most 255 together: RFC 5510 has
    /// that many different points in GF(2^8).
    pub fn new(source: u8, repair: u8) -> Result<Self, BlockError> {
        if source == 0 || source.checked_add(repair).is_none() {
            return Err(BlockError::Shape { source_packets: source, repair_packets: repair });
        }
        Ok(Self { source, repair })
    }

    /// Source packets of a full block: `k`.
    pub const fn source(self) -> u8 {
        self.source
    }

    /// Repair packets of a full block: `r`.
    pub const fn repair(self) -> u8 {
        self.repair
    }

    /// Repair packets per source packet: 0.5 for `20+10`.
    pub fn overhead(self) -> f64 {
        f64::from(self.repair) / f64::from(self.source)
    }

    /// Repair packets for a block that is closed with `source` packets: its share, rounded up, so
    /// that closing early never costs more than one packet beyond the overhead agreed.
    pub(super) fn repair_for(self, source: u8) -> u8 {
        let share = u16::from(self.repair) * u16::from(source);
        share.div_ceil(u16::from(self.source)) as u8
    }
}

impl fmt::Display for BlockShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.source, self.repair)
    }
}

impl FromStr for BlockShape {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self, BlockError> {
        let malformed = || BlockError::ShapeText { text: text.chars().take(40).collect() };
        let (source, repair) = text.split_once('+').ok_or_else(malformed)?;
        let packets = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse().map_err(|_| malformed()),
            false => Err(malformed()),
        };
        Self::new(packets(source)?, packets(repair)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_a_source_packet_and_at_most_255_packets() {
        assert!(BlockShape::new(1, 0).is_ok());
        assert!(BlockShape::new(0, 1).is_err());
        assert!(BlockShape::new(200, 55).is_ok());
        assert_eq!(
            BlockShape::new(200, 56),
            Err(BlockError::Shape { source_packets: 200, repair_packets: 56 })
        );
    }

    #[test]
    fn shapes_read_as_they_are_written() {
        for text in ["1+0", "20+10", "200+55"] {
            assert_eq!(text.parse::<BlockShape>().unwrap().to_string(), text);
        }
        for text in ["", "+", "20", "20+", "+10", "20+10+1", "20 + 10", "256+1", "-1+2", "+1+2"] {
            assert!(text.parse::<BlockShape>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn overhead_is_repair_per_source() {
        assert_eq!(BlockShape::new(20, 10).unwrap().overhead(), 0.5);
        assert_eq!(BlockShape::new(7, 0).unwrap().overhead(), 0.0);
    }

    #[test]
    fn a_short_block_gets_its_share_of_repair_rounded_up() {
        let shape = BlockShape::new(20, 10).unwrap();
        assert_eq!([1, 2, 3, 19, 20].map(|source| shape.repair_for(source)), [1, 1, 2, 10, 10]);
        assert_eq!(BlockShape::new(20, 0).unwrap().repair_for(3), 0);
    }
}
