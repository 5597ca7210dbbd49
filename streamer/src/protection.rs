//! Which repair a listener's promise has room for.

use std::time::Duration;

use cantus_qos::fec::block::BlockShape;
use cantus_qos::fec::sliding::EncodingWindow;
use cantus_qos::fec::{Fit, Scheme};
use cantus_qos::spec::{Protection, Sliding};
use cantus_qos::time::MediaTime;

/// The delay that is assumed of a listener who states none.
pub(crate) const USUAL_DELAY: Duration = Duration::from_millis(200);

/// What a block and its repair may take of the delay. The rest is for the path and its jitter.
const BLOCK_SHARE: f64 = 0.73;

/// Repair per source packet. A repair packet is longer than the payload it repairs, by the headers
/// of the source packet and its own: at 96 kbit/s of Opus this makes 84 % in bytes.
const REPAIR_SHARE: f64 = 0.75;

/// Repair packets that leave in the time of two units. Odd, so that they fall between the source
/// packets: what leaves at one instant shares a UDP packet on QUIC, and its fate.
const REPAIR_PER_TWO_UNITS: u32 = 9;

/// Long blocks need a smaller share for the same residual: from the one length to the other it
/// goes down to half. The longer one is the bound of k, by the work of decoding.
const MIDDLING_BLOCK: u8 = 20;
const LONG_BLOCK: u8 = 60;
const LONG_BLOCK_SHARE: f64 = 0.5;

/// Less repair than this is none.
const LEAST_SHARE: f64 = 0.01;

/// Where the longest block leaves room, so many are interleaved at most: they outlast a burst of
/// two seconds.
const DEEPEST: u8 = 4;

/// Blocks of one shape, and how many of them are interleaved.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) struct Blocks {
    /// Source and repair packets of each.
    pub(crate) shape: BlockShape,
    /// How many are open at once, source packets going round robin.
    pub(crate) depth: u8,
}

/// A sliding window, and how much repair is made over it.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(crate) struct Window {
    /// Repair packets to a source packet.
    pub(crate) share: f64,
    /// What each covers.
    pub(crate) covers: EncodingWindow,
}

/// The repair of one track, as it is granted.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(crate) enum Granted {
    /// Over blocks.
    Blocks(Blocks),
    /// Over a sliding window.
    Sliding(Window),
}

impl Granted {
    /// Repair packets to a source packet.
    pub(crate) fn share(self) -> f64 {
        match self {
            Self::Blocks(blocks) => blocks.shape.overhead(),
            Self::Sliding(window) => window.share,
        }
    }

    /// The same with at most `share`; `None` if that leaves no repair.
    pub(crate) fn within(self, share: f64) -> Option<Self> {
        match self {
            Self::Blocks(blocks) => {
                let source = blocks.shape.source();
                let most = (f64::from(source) * share).floor() as u8;
                let shape = BlockShape::new(source, blocks.shape.repair().min(most)).ok()?;
                (shape.repair() > 0).then_some(Self::Blocks(Blocks { shape, ..blocks }))
            }
            Self::Sliding(window) => {
                let share = window.share.min(share);
                (share >= LEAST_SHARE).then_some(Self::Sliding(Window { share, ..window }))
            }
        }
    }

    /// How much later than its sending a unit can be heard at the earliest if this is to repair it:
    /// the first of a block waits for the last; over a window the next repair packet will do.
    pub(crate) fn least_delay(self, unit: MediaTime) -> Duration {
        let unit = unit.to_duration();
        let Self::Blocks(Blocks { shape, depth }) = self else { return unit };
        let depth = u32::from(depth);
        let repair = unit * (2 * depth * u32::from(shape.repair())) / REPAIR_PER_TWO_UNITS;
        unit * (depth * u32::from(shape.source())).saturating_sub(1) + repair
    }

    /// As it is told to the listener.
    pub(crate) fn told(self) -> Protection {
        match self {
            Self::Blocks(blocks) => Protection::Fixed(blocks.shape),
            Self::Sliding(Window { share, covers }) => {
                Protection::Sliding(Sliding { share: Some(share), window: Some(covers) })
            }
        }
    }
}

/// Between two repair packets of a block of units `unit` long.
///
/// Further apart they would share fewer bursts with each other, but the block would have to be
/// shorter for it: measured on packet-stepped and time-stepped bursts and on independent losses,
/// the longer block is worth more.
pub(crate) fn repair_interval(unit: Duration) -> Duration {
    unit * 2 / REPAIR_PER_TWO_UNITS
}

/// Chooses the repair by `scheme` for units `unit` long, to be played `delay` after they are sent;
/// `None` where nothing is wished, nothing fits, or another scheme is meant.
pub(crate) fn choose(
    wish: Protection,
    scheme: Scheme,
    delay: Option<Duration>,
    unit: MediaTime,
) -> Option<Granted> {
    let delay = delay.unwrap_or(USUAL_DELAY);
    match (scheme, wish) {
        (Scheme::Block(_), Protection::Fixed(shape)) => {
            Some(Granted::Blocks(Blocks { shape, depth: 1 }))
        }
        (Scheme::Block(_), Protection::Auto) => fit(delay, unit, REPAIR_SHARE).map(Granted::Blocks),
        (
            Scheme::Sliding,
            Protection::Sliding(Sliding { share: Some(share), window: Some(covers) }),
        ) => Some(Granted::Sliding(Window { share, covers })),
        (Scheme::Sliding, Protection::Sliding(wish)) => {
            let fit = slide(delay, unit, REPAIR_SHARE)?;
            let share = wish.share.unwrap_or(fit.share);
            let covers = wish.window.unwrap_or(fit.covers);
            Some(Granted::Sliding(Window { share, covers }))
        }
        (Scheme::Sliding, Protection::Auto) => slide(delay, unit, Fit::MOST).map(Granted::Sliding),
        _ => None,
    }
}

/// The window that fits into `room`: all that can still be in time, with at most `share` repair
/// packets to a source packet. What the path loses tells later how much of that is used.
pub(crate) fn slide(room: Duration, unit: MediaTime, share: f64) -> Option<Window> {
    let oldest = room.mul_f64(BLOCK_SHARE);
    let units = oldest.as_secs_f64() / unit.as_secs_f64();
    (units >= 1.0).then_some(Window { share, covers: EncodingWindow::last(oldest) })
}

/// The blocks that fit into `room`, with at most `share` repair packets per source packet.
///
/// A block of k source and r repair packets must be received before its first unit is played. The
/// source packets take k - 1 units; the repair packets follow, [`repair_interval`] apart. The
/// longest block that fits wins: one long block beats two short ones over the same window. Only
/// when k is at its bound do several blocks share the window, interleaved.
pub(crate) fn fit(room: Duration, unit: MediaTime, share: f64) -> Option<Blocks> {
    let window = room.mul_f64(BLOCK_SHARE).as_secs_f64() / unit.as_secs_f64();
    let per_unit = f64::from(REPAIR_PER_TWO_UNITS) / 2.0;
    (1..=LONG_BLOCK).rev().find_map(|source| {
        let repair = (f64::from(source) * share.min(share_of(source))).floor() as u8;
        let takes = |depth: u8| {
            let depth = f64::from(depth);
            depth * f64::from(source) - 1.0 + depth * f64::from(repair) / per_unit
        };
        if repair == 0 || takes(1) > window {
            return None;
        }
        let deepest = if source == LONG_BLOCK { DEEPEST } else { 1 };
        let depth = (1..=deepest).rev().find(|depth| takes(*depth) <= window).unwrap_or(1);
        Some(Blocks { shape: BlockShape::new(source, repair).ok()?, depth })
    })
}

/// Repair per source packet of a block of `source` packets.
fn share_of(source: u8) -> f64 {
    let beyond = f64::from(source.saturating_sub(MIDDLING_BLOCK));
    let way = beyond / f64::from(LONG_BLOCK - MIDDLING_BLOCK);
    REPAIR_SHARE + (LONG_BLOCK_SHARE - REPAIR_SHARE) * way
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_qos::fec::block::Layout;

    const UNIT: MediaTime = MediaTime::from_millis(20);

    const BLOCKS: Scheme = Scheme::Block(Layout::Adu);

    fn auto(delay: u64) -> Option<Blocks> {
        match choose(Protection::Auto, BLOCKS, Some(Duration::from_millis(delay)), UNIT)? {
            Granted::Blocks(blocks) => Some(blocks),
            Granted::Sliding(_) => None,
        }
    }

    fn sliding(wish: &str, delay: u64) -> Option<String> {
        let delay = Some(Duration::from_millis(delay));
        let granted = choose(wish.parse().unwrap(), Scheme::Sliding, delay, UNIT)?;
        Some(granted.told().to_string())
    }

    #[test]
    fn a_block_and_its_repair_are_out_well_before_the_first_unit_is_due() {
        for delay in [60, 100, 150, 200, 250, 400, 1_000, 5_000] {
            let Some(Blocks { shape, depth }) = auto(delay) else { continue };
            let depth = f64::from(depth);
            let takes = depth * 20.0 * f64::from(shape.source()) - 20.0
                + depth * f64::from(shape.repair()) * 40.0 / 9.0;
            assert!(takes <= delay as f64 * BLOCK_SHARE, "{shape} takes {takes} of {delay}");
            assert!(shape.overhead() <= REPAIR_SHARE, "{shape}");
        }
    }

    #[test]
    fn a_longer_delay_never_gets_a_shorter_block() {
        let blocks: Vec<u8> =
            (40..600).step_by(10).filter_map(auto).map(|blocks| blocks.shape.source()).collect();
        assert!(blocks.is_sorted());
    }

    #[test]
    fn blocks_are_interleaved_only_when_they_cannot_grow() {
        for delay in (40..15_000).step_by(50) {
            let Some(Blocks { shape, depth }) = auto(delay) else { continue };
            assert!(depth == 1 || shape.source() == LONG_BLOCK, "{delay}: {shape} x {depth}");
        }
        assert_eq!(auto(10_000).map(|blocks| blocks.depth), Some(DEEPEST));
    }

    #[test]
    fn repair_never_leaves_at_the_instant_of_a_source_packet() {
        let interval = repair_interval(UNIT.to_duration());
        let meets = |step: u32| (interval * step).as_nanos() % UNIT.to_duration().as_nanos() < 9;
        assert!(!(1..=8).any(meets));
    }

    #[test]
    fn no_delay_leaves_no_room_for_repair() {
        assert_eq!(auto(20), None);
        assert_eq!(choose(Protection::Off, BLOCKS, None, UNIT), None);
        assert_eq!(choose(Protection::Off, Scheme::Sliding, None, UNIT), None);
        assert_eq!(sliding("auto", 20), None);
    }

    #[test]
    fn a_certain_block_needs_its_time_and_one_that_was_chosen_has_it() {
        let shape = BlockShape::new(18, 9).unwrap();
        let least = |blocks| Granted::Blocks(blocks).least_delay(UNIT);
        let needs = |depth| least(Blocks { shape, depth }).as_millis();
        assert_eq!((needs(1), needs(2)), (17 * 20 + 40, 35 * 20 + 80));
        for delay in [60, 200, 1_000, 9_000] {
            let blocks = auto(delay).unwrap();
            assert!(least(blocks) <= Duration::from_millis(delay), "{blocks:?}");
        }
    }

    #[test]
    fn what_is_fixed_is_taken_as_it_is() {
        let shape = BlockShape::new(18, 10).unwrap();
        let fixed = choose(Protection::Fixed(shape), BLOCKS, None, UNIT);
        assert_eq!(fixed, Some(Granted::Blocks(Blocks { shape, depth: 1 })));
        assert_eq!(sliding("sliding:120%/30ms-1s", 60).as_deref(), Some("sliding:120%/30ms-1s"));
    }

    #[test]
    fn a_window_is_what_can_still_be_in_time_where_none_is_wished() {
        assert_eq!(sliding("auto", 200).as_deref(), Some("sliding:88%/146ms"));
        assert_eq!(sliding("sliding", 200).as_deref(), Some("sliding:75%/146ms"));
        assert_eq!(sliding("sliding:40%", 100).as_deref(), Some("sliding:40%/73ms"));
        assert_eq!(sliding("auto", 10_000).as_deref(), Some("sliding:88%/7300ms"));
    }

    #[test]
    fn a_scheme_does_not_grant_what_is_wished_of_the_other() {
        assert_eq!(sliding("5+4", 200), None);
        let wish = "sliding:80%".parse().unwrap();
        assert_eq!(choose(wish, BLOCKS, None, UNIT), None);
    }

    #[test]
    fn repair_is_cut_to_the_share_that_there_is_room_for() {
        let shape = |repair| BlockShape::new(5, repair).unwrap();
        let blocks = |repair| Granted::Blocks(Blocks { shape: shape(repair), depth: 1 });
        assert_eq!(blocks(4).within(10.0), Some(blocks(4)));
        assert_eq!(blocks(4).within(0.8), Some(blocks(4)));
        assert_eq!(blocks(4).within(0.79), Some(blocks(3)));
        assert_eq!(blocks(4).within(0.2), Some(blocks(1)));
        assert_eq!(blocks(4).within(0.19), None);
        let covers = EncodingWindow::last(Duration::from_millis(150));
        let window = |share| Granted::Sliding(Window { share, covers });
        assert_eq!(window(0.75).within(1.0), Some(window(0.75)));
        assert_eq!(window(0.75).within(0.3), Some(window(0.3)));
        assert_eq!(window(0.75).within(0.009), None);
    }
}
