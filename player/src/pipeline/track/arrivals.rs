//! Which packets of a stream came by themselves: what the sender is told of its losses.

use std::collections::VecDeque;

/// Packets that one report tells of at most.
const SPAN: usize = 4_096;

/// What came since the last report, packet by packet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// The number of the first packet, once there is one.
    begin: Option<u64>,
    came: VecDeque<bool>,
}

impl Arrivals {
    /// A packet came by itself. One that the last report has told of is not told of again.
    pub(super) fn push(&mut self, number: u64) {
        let begin = *self.begin.get_or_insert(number);
        let Some(place) = number.checked_sub(begin) else { return };
        // After a leap that long, what was before it tells nothing.
        let Some(place) = usize::try_from(place).ok().filter(|place| *place < SPAN) else {
            self.begin = Some(number);
            self.came = VecDeque::from([true]);
            return;
        };
        if place >= self.came.len() {
            self.came.resize(place + 1, false);
        }
        self.came[place] = true;
    }

    /// The number of the first packet since the last call, and for each one whether it came;
    /// `None` where there is none.
    pub(super) fn take(&mut self) -> Option<(u64, VecDeque<bool>)> {
        let begin = self.begin.filter(|_| !self.came.is_empty())?;
        let came = std::mem::take(&mut self.came);
        self.begin = Some(begin.saturating_add(came.len() as u64));
        Some((begin, came))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_goes_on_where_the_last_one_ended() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.take(), None);
        [7, 9, 8, 11].into_iter().for_each(|number| arrivals.push(number));
        assert_eq!(arrivals.take(), Some((7, VecDeque::from([true, true, true, false, true]))));
        arrivals.push(10);
        assert_eq!(arrivals.take(), None, "it was told of as lost");
        arrivals.push(13);
        assert_eq!(arrivals.take(), Some((12, VecDeque::from([false, true]))));
    }

    #[test]
    fn a_leap_costs_nothing() {
        let mut arrivals = Arrivals::default();
        arrivals.push(7);
        arrivals.push(u64::MAX);
        assert_eq!(arrivals.take(), Some((u64::MAX, VecDeque::from([true]))));
    }
}
