//! The numbers of a track's units, whatever packets they travel in.

use std::collections::VecDeque;

use cantus_qos::time::MediaTime;

/// Leaps of the timestamps that are remembered, the latest ones.
const LEAPS: usize = 64;

/// Numbers units by their place on the timeline: a unit is so much sound as SDP says that a packet
/// holds, and a packet may hold more than one. So what is lost is counted in sound, not in packets.
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
    /// From where on there are so many numbers fewer.
    leaps: VecDeque<(MediaTime, i64)>,
}

impl Numbering {
    /// Of units that play for `unit`.
    pub(super) fn new(unit: MediaTime) -> Self {
        Self { unit, base: None, latest: None, leaps: VecDeque::new() }
    }

    /// The unit `number` begins at `at`.
    pub(super) fn begin(&mut self, number: u64, at: MediaTime) {
        self.base = Some((number, at));
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

    /// The number of the unit that is played at `position`, and where it begins; `None` before any
    /// is known.
    pub(super) fn at(&self, position: MediaTime) -> Option<(u64, MediaTime)> {
        let (number, begin) = self.base?;
        let unit = self.unit.as_flicks().max(1);
        let units = (position - begin).as_flicks().div_euclid(unit);
        let begin = begin + MediaTime::from_flicks(units.saturating_mul(unit));
        let passed = self.leaps.iter().filter(|(from, _)| *from <= position);
        let skipped: i64 = passed.map(|(_, units)| units).sum();
        Some((number.checked_add_signed(units.checked_sub(skipped)?)?, begin))
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

    #[test]
    fn any_numbers_and_times_are_survived() {
        let mut numbering = Numbering::new(UNIT);
        for step in 0..10_000_u64 {
            let at = MediaTime::from_flicks((step as i64).wrapping_mul(0x0123_4567_89ab_cdef) >> 8);
            numbering.on_packet(step, at, at + UNIT);
            let _ = numbering.at(at);
        }
        assert!(numbering.leaps.len() <= LEAPS);
    }
}
