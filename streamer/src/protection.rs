//! Which block a listener's promise has room for.

use std::time::Duration;

use cantus_qos::fec::BlockShape;
use cantus_qos::spec::Protection;
use cantus_qos::time::MediaTime;

/// The delay that is assumed of a listener who states none.
const USUAL_DELAY: Duration = Duration::from_millis(200);

/// What a block and its repair may take of the delay. The rest is for the path and its jitter.
const BLOCK_SHARE: f64 = 0.73;

/// Repair per source packet. A repair packet is longer than the payload it repairs, by the headers
/// of the source packet and its own: at 96 kbit/s of Opus this makes 84 % in bytes.
const REPAIR_SHARE: f64 = 0.75;

/// Repair packets that leave in the time of one unit.
const REPAIR_PER_UNIT: u32 = 4;

/// Long blocks need a smaller share for the same residual; and k is bounded by the work of decoding.
const LONG_BLOCK: u8 = 20;
const LONG_BLOCK_SHARE: f64 = 0.5;

/// Between two repair packets of a block of units `unit` long.
///
/// Further apart they would share fewer bursts with each other, but the block would have to be
/// shorter for it: measured on packet-stepped and time-stepped bursts and on independent losses,
/// the longer block is worth more.
pub(crate) fn repair_interval(unit: Duration) -> Duration {
    unit / REPAIR_PER_UNIT
}

/// Chooses the block for units `unit` long, to be played `delay` after they are sent; `None` where
/// nothing is wished or nothing fits.
///
/// A block of k source and r repair packets must be received before its first unit is played. The
/// source packets take k - 1 units; the repair packets follow, [`repair_interval`] apart. The
/// longest block that fits wins: one long block beats two short ones over the same window.
pub(crate) fn choose(
    wish: Protection,
    delay: Option<Duration>,
    unit: MediaTime,
) -> Option<BlockShape> {
    match wish {
        Protection::Off => None,
        Protection::Fixed(shape) => Some(shape),
        Protection::Auto => fit(delay.unwrap_or(USUAL_DELAY), unit.to_duration()),
    }
}

fn fit(delay: Duration, unit: Duration) -> Option<BlockShape> {
    let window = delay.mul_f64(BLOCK_SHARE).as_secs_f64() / unit.as_secs_f64();
    let longest = (1..=LONG_BLOCK).rev().find_map(|source| {
        let share = if source >= LONG_BLOCK { LONG_BLOCK_SHARE } else { REPAIR_SHARE };
        let repair = (f64::from(source) * share).floor() as u8;
        let takes = f64::from(source - 1) + f64::from(repair) / f64::from(REPAIR_PER_UNIT);
        (repair > 0 && takes <= window).then_some((source, repair))
    });
    let (source, repair) = longest?;
    BlockShape::new(source, repair).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: MediaTime = MediaTime::from_millis(20);

    fn auto(delay: u64) -> Option<BlockShape> {
        choose(Protection::Auto, Some(Duration::from_millis(delay)), UNIT)
    }

    #[test]
    fn a_block_and_its_repair_are_out_well_before_the_first_unit_is_due() {
        for delay in [60, 100, 150, 200, 250, 400, 1_000, 5_000] {
            let Some(shape) = auto(delay) else { continue };
            let takes = 20 * (u64::from(shape.source()) - 1) + 5 * u64::from(shape.repair());
            assert!(takes as f64 <= delay as f64 * BLOCK_SHARE, "{shape} takes {takes} of {delay}");
            assert!(shape.overhead() <= REPAIR_SHARE, "{shape}");
        }
    }

    #[test]
    fn a_longer_delay_never_gets_a_shorter_block() {
        let blocks: Vec<u8> =
            (40..600).step_by(10).filter_map(auto).map(|shape| shape.source()).collect();
        assert!(blocks.is_sorted());
    }

    #[test]
    fn no_delay_leaves_no_room_for_repair() {
        assert_eq!(auto(20), None);
        assert_eq!(choose(Protection::Off, None, UNIT), None);
    }

    #[test]
    fn what_is_fixed_is_taken_as_it_is() {
        let shape = BlockShape::new(18, 10).unwrap();
        assert_eq!(choose(Protection::Fixed(shape), None, UNIT), Some(shape));
    }
}
