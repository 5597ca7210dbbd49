//! The numbers of a track's units, whatever packets they travel in.

use std::collections::VecDeque;

use cantus_qos::time::MediaTime;

/// Units of one packet that are counted: 120 ms in units of 2.5 ms.
const MOST_PARTS: u64 = 48;

/// Leaps of the timestamps that are remembered, the latest ones.
const LEAPS: usize = 64;

/// Numbers units by their place on the timeline: a unit is so much sound as SDP says that a packet
/// holds, and a packet may hold more than one. So what is lost is counted in sound, not in packets.
///
/// Packets need not begin where units do, for their lengths may vary. A unit is in the packet that
/// holds its first sample; a short packet may hold none.
///
/// A sender that is silent for a while (DTX) goes on with the next sequence number at a later time:
/// what lies between was never sent, and has no numbers.
#[derive(Clone, Debug)]
pub(super) struct Numbering {
    unit: MediaTime,
    /// The number of one unit, and where it begins.
    base: Option<(u64, MediaTime)>,
    /// The last packet in order, and where it ends.
    latest: Option<(u64, MediaTime)>,
    /// Where all ends, if that is known; to about a millisecond.
    end: Option<MediaTime>,
    /// From where on there are so many numbers fewer.
    leaps: VecDeque<(MediaTime, i64)>,
}

impl Numbering {
    /// Of units that play for `unit`.
    pub(super) fn new(unit: MediaTime) -> Self {
        Self { unit, base: None, latest: None, end: None, leaps: VecDeque::new() }
    }

    /// The unit `number` begins at `at`, and all ends at `end`, if that is known.
    pub(super) fn begin(&mut self, number: u64, at: MediaTime, end: Option<MediaTime>) {
        (self.base, self.end) = (Some((number, at)), end);
    }

    /// Where the first unit that is known begins.
    pub(super) fn begins(&self) -> Option<MediaTime> {
        self.base.map(|(_, begin)| begin)
    }

    /// How many units there are in `length`, begun ones included.
    pub(super) fn units(&self, length: MediaTime) -> u64 {
        let unit = self.unit.as_flicks().max(1) as u64;
        (length.as_flicks().max(0) as u64).div_ceil(unit)
    }

    /// The packet `number` holds the sound from `at` to `end`. Where nothing was known, its first
    /// unit has its number.
    pub(super) fn on_packet(&mut self, number: u64, at: MediaTime, end: MediaTime) {
        self.base.get_or_insert((number, at));
        match self.latest {
            Some((latest, reached)) if number == latest.wrapping_add(1) => {
                let leap = (at - reached).as_flicks() / self.unit.as_flicks().max(1);
                if leap > 0 {
                    self.leap(at, leap);
                }
            }
            Some((latest, _)) if number <= latest => return,
            _ => {}
        }
        self.latest = Some((number, end));
    }

    fn leap(&mut self, at: MediaTime, units: i64) {
        self.leaps.push_back((at, units));
        if self.leaps.len() > LEAPS {
            self.leaps.pop_front();
        }
    }

    /// The numbers of the units whose first sample lies in the packet that begins at `at` and ends at
    /// `end`, and where each begins.
    ///
    /// Timestamps of others are now and then rounded: a packet that begins a little after a unit does
    /// holds it all the same, and the one before it does not.
    pub(super) fn in_packet(
        &self,
        at: MediaTime,
        end: MediaTime,
    ) -> impl Iterator<Item = (u64, MediaTime)> + use<> {
        let slack = self.slack();
        let earliest = at - slack;
        // Nothing comes after the last packet, however short it is.
        let latest = match self.end.is_some_and(|over| end + slack >= over) {
            true => end,
            false => end - slack,
        };
        let first = self.unit_at(earliest).map(|(_, begin)| match begin < earliest {
            true => begin + self.unit,
            false => begin,
        });
        let first = first.filter(|begin| *begin < latest);
        // Asked for within the packet, so that what a silent sender left out is left out.
        let first = first.and_then(|begin| Some((self.at(begin.max(at))?.0, begin)));
        let count = first.map_or(0, |(_, begin)| self.units(latest - begin).min(MOST_PARTS));
        let length = self.unit.as_flicks();
        let part = move |(first, begin): (u64, MediaTime), part: u64| {
            let before = MediaTime::from_flicks(length.saturating_mul(part as i64));
            (first.saturating_add(part), begin + before)
        };
        (0..count).filter_map(move |it| Some(part(first?, it)))
    }

    /// The numbers of the units that are missing where nothing is there from `from` to `to`.
    pub(super) fn in_gap(&self, from: MediaTime, to: MediaTime) -> impl Iterator<Item = u64> {
        let mut position = from;
        std::iter::from_fn(move || {
            let (number, begin) = self.at(position).filter(|_| position < to)?;
            position = begin + self.unit;
            (begin + self.slack() < to).then_some(number)
        })
    }

    /// So much after a unit the packet that holds it may begin.
    fn slack(&self) -> MediaTime {
        MediaTime::from_flicks(self.unit.as_flicks() / 8)
    }

    /// The number of the unit that is played at `position`, and where it begins; `None` before any
    /// is known.
    pub(super) fn at(&self, position: MediaTime) -> Option<(u64, MediaTime)> {
        let (number, _) = self.base?;
        let (units, begin) = self.unit_at(position)?;
        let passed = self.leaps.iter().filter(|(from, _)| *from <= position);
        let skipped: i64 = passed.map(|(_, units)| units).sum();
        Some((number.checked_add_signed(units.checked_sub(skipped)?)?, begin))
    }

    /// The unit that is played at `position`, counted from the first that was known, and where it
    /// begins.
    fn unit_at(&self, position: MediaTime) -> Option<(i64, MediaTime)> {
        let (_, begin) = self.base?;
        let unit = self.unit.as_flicks().max(1);
        let units = (position - begin).as_flicks().div_euclid(unit);
        Some((units, begin + MediaTime::from_flicks(units.saturating_mul(unit))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: MediaTime = MediaTime::from_millis(20);
    const MS: fn(i64) -> MediaTime = MediaTime::from_millis;

    fn number(numbering: &Numbering, at: i64) -> u64 {
        numbering.at(MS(at)).unwrap().0
    }

    #[test]
    fn a_packet_of_three_units_has_three_numbers_and_a_lost_one_leaves_three_out() {
        let mut numbering = Numbering::new(UNIT);
        numbering.on_packet(7, MS(100), MS(120));
        numbering.on_packet(8, MS(120), MS(180));
        numbering.on_packet(10, MS(240), MS(300));
        assert_eq!(
            [100, 120, 140, 160, 180, 240].map(|at| number(&numbering, at)),
            [7, 8, 9, 10, 11, 14]
        );
        assert_eq!(numbering.at(MS(150)), Some((9, MS(140))));
    }

    #[test]
    fn what_a_silent_sender_leaves_out_has_no_numbers() {
        let mut numbering = Numbering::new(UNIT);
        numbering.on_packet(7, MS(0), MS(20));
        numbering.on_packet(8, MS(420), MS(440));
        numbering.on_packet(9, MS(440), MS(460));
        assert_eq!((number(&numbering, 0), number(&numbering, 420)), (7, 8));
        assert_eq!(number(&numbering, 440), 9);
    }

    /// The numbers of the units in packets that follow each other, each so many milliseconds long.
    fn held(numbering: &mut Numbering, lengths: &[i64]) -> Vec<Vec<u64>> {
        let mut begin = MS(0);
        let packets = lengths.iter().zip(0..).map(|(length, number)| {
            let end = begin + MS(*length);
            numbering.on_packet(number, begin, end);
            let held = numbering.in_packet(begin, end).map(|(number, _)| number).collect();
            begin = end;
            held
        });
        packets.collect()
    }

    #[test]
    fn of_packets_whose_lengths_vary_each_unit_is_in_one() {
        let held = held(&mut Numbering::new(UNIT), &[20, 13, 20, 2, 1, 24, 120, 7, 40]);
        // They begin at 0, 20, 33, 53, 55, 56, 80, 200 and 207; units at 0, 20, 40...
        let expected: [&[u64]; 9] =
            [&[0], &[1], &[2], &[], &[], &[3], &[4, 5, 6, 7, 8, 9], &[10], &[11, 12]];
        assert_eq!(held, expected);
    }

    #[test]
    fn of_two_packets_that_begin_with_a_unit_and_soon_after_it_one_holds_it() {
        let held = held(&mut Numbering::new(UNIT), &[20, 1, 19, 20, 2, 20]);
        let expected: [&[u64]; 6] = [&[0], &[], &[1], &[2], &[], &[3]];
        assert_eq!(held, expected);
    }

    #[test]
    fn the_last_packet_holds_the_last_unit_however_short_they_are() {
        for (end, length) in [(41, 1), (41, 2), (42, 1), (50, 10), (60, 20)] {
            let mut numbering = Numbering::new(UNIT);
            numbering.begin(0, MS(0), Some(MS(end)));
            let held = held(&mut numbering, &[20, 20, length]);
            assert_eq!(held, [[0], [1], [2]], "{end}");
        }
    }

    #[test]
    fn timestamps_that_are_rounded_lose_no_unit() {
        let mut numbering = Numbering::new(UNIT);
        for (number, at) in [(7, 0), (8, 19), (9, 41), (10, 61), (11, 79)] {
            numbering.on_packet(number, MS(at), MS(at + 20));
            let held = numbering.in_packet(MS(at), MS(at + 20)).map(|(number, _)| number);
            assert_eq!(held.collect::<Vec<_>>(), [number]);
        }
    }

    #[test]
    fn what_is_missing_are_the_units_that_were_in_the_packets_that_are_not_there() {
        let mut numbering = Numbering::new(UNIT);
        numbering.begin(7, MS(0), None);
        let missing = |from, to| numbering.in_gap(MS(from), MS(to)).collect::<Vec<_>>();
        assert_eq!(missing(20, 40), [8]);
        assert_eq!(missing(20, 60), [8, 9]);
        assert_eq!(missing(20, 41), [8], "the next packet begins a little late");
        assert_eq!(missing(20, 21), [] as [u64; 0]);
        assert_eq!(missing(33, 53), [8, 9], "the first of them may have been there");
        assert_eq!(missing(40, 40), [] as [u64; 0]);
    }

    #[test]
    fn any_numbers_and_times_are_survived() {
        let mut numbering = Numbering::new(UNIT);
        for step in 0..10_000_u64 {
            let at = MediaTime::from_flicks((step as i64).wrapping_mul(0x0123_4567_89ab_cdef) >> 8);
            numbering.on_packet(step, at, at + UNIT);
            let _ = numbering.at(at);
            assert!(numbering.in_packet(at, at + UNIT).count() <= 2);
        }
        assert!(numbering.leaps.len() <= LEAPS);
    }
}
