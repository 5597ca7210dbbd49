//! Which packet holds which sound.

use std::collections::VecDeque;

use cantus_qos::time::MediaTime;

/// Stretches that are remembered, the latest ones: a sender changes the length of its packets as
/// rarely as its path does.
const STRETCHES: usize = 64;

/// A packet: its number, where it begins and how long it plays.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) struct Place {
    pub number: u64,
    pub media_time: MediaTime,
    pub duration: MediaTime,
}

impl Place {
    fn end(&self) -> MediaTime {
        self.media_time + self.duration
    }

    fn length(&self) -> i64 {
        self.duration.as_flicks().max(1)
    }

    /// The packet that holds `position`, as if all were as long as this one.
    fn reach(&self, position: MediaTime) -> Option<Self> {
        let packets = (position - self.media_time).as_flicks().div_euclid(self.length());
        let number = self.number.checked_add_signed(packets)?;
        let begin = MediaTime::from_flicks(packets.saturating_mul(self.length()));
        Some(Self { number, media_time: self.media_time + begin, ..*self })
    }
}

/// Follows how long packets are: a sender may join what was in several, and what is missing long
/// before its newest one is to be asked for by its own number.
#[derive(Clone, Default, Debug)]
pub(super) struct Packets {
    /// The first packet of each stretch of packets that are equally long.
    stretches: VecDeque<Place>,
    /// The latest packet in order, or the first that is expected.
    latest: Option<Place>,
}

impl Packets {
    /// The stream begins with `first`.
    pub(super) fn begin(&mut self, first: Place) {
        self.stretches = VecDeque::from([first]);
        self.latest = Some(first);
    }

    /// How long the latest packet plays.
    pub(super) fn duration(&self) -> Option<MediaTime> {
        self.latest.map(|latest| latest.duration)
    }

    /// A packet came. Whether it is the latest.
    pub(super) fn note(&mut self, packet: Place) -> bool {
        let Some(latest) = self.latest else {
            self.begin(packet);
            return true;
        };
        if packet.number < latest.number {
            return false;
        }
        let expected = latest.reach(packet.media_time);
        if packet.duration != latest.duration || expected.map(|it| it.number) != Some(packet.number)
        {
            self.stretches.push_back(change(latest, packet).unwrap_or(packet));
            if self.stretches.len() > STRETCHES {
                self.stretches.pop_front();
            }
        }
        self.latest = Some(packet);
        true
    }

    /// The packet that is played at `position`; `None` before any is known.
    pub(super) fn at(&self, position: MediaTime) -> Option<Place> {
        let next = self.stretches.partition_point(|first| first.media_time <= position);
        self.stretches.get(next.saturating_sub(1))?.reach(position)
    }
}

/// The first packet that is as long as `new`, where those that are missing between `old` and `new`
/// are as long as one or the other.
fn change(old: Place, new: Place) -> Option<Place> {
    let missing = i64::try_from(new.number.checked_sub(old.number)?.checked_sub(1)?).ok()?;
    let gap = (new.media_time - old.end()).as_flicks();
    let surplus = gap.checked_sub(missing.checked_mul(new.length())?)?;
    let as_old = surplus.checked_div(old.length() - new.length())?;
    let exact = as_old.checked_mul(old.length() - new.length())? == surplus;
    (exact && (0..=missing).contains(&as_old)).then(|| Place {
        number: old.number + 1 + as_old as u64,
        media_time: old.end() + MediaTime::from_flicks(as_old * old.length()),
        duration: new.duration,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64, at: i64, length: i64) -> Place {
        let (media_time, duration) = (MediaTime::from_millis(at), MediaTime::from_millis(length));
        Place { number, media_time, duration }
    }

    fn after(packets: &[Place]) -> Packets {
        let mut known = Packets::default();
        for packet in packets {
            assert!(known.note(*packet), "{packet:?}");
        }
        known
    }

    fn numbers(packets: &Packets, at: &[i64]) -> Vec<u64> {
        let number = |at: &i64| packets.at(MediaTime::from_millis(*at)).unwrap().number;
        at.iter().map(number).collect()
    }

    #[test]
    fn packets_that_were_shorter_keep_their_numbers_when_longer_ones_follow() {
        let known = after(&[place(10, 100, 20), place(11, 120, 20), place(12, 140, 60)]);
        assert_eq!(
            numbers(&known, &[60, 100, 119, 120, 140, 199, 200]),
            [8, 10, 10, 11, 12, 12, 13]
        );
        assert_eq!(known.at(MediaTime::from_millis(199)), Some(place(12, 140, 60)));
    }

    #[test]
    fn where_the_change_was_lost_it_is_where_the_numbers_fit() {
        // 11 and 12 of 20 ms, 13 of 40 ms.
        let known = after(&[place(10, 100, 20), place(14, 200, 40)]);
        assert_eq!(numbers(&known, &[120, 140, 160, 199, 200]), [11, 12, 13, 13, 14]);
        let back = after(&[place(10, 100, 40), place(14, 220, 20)]);
        assert_eq!(numbers(&back, &[140, 179, 180, 200, 220]), [11, 11, 12, 13, 14]);
    }

    #[test]
    fn after_a_silence_numbers_go_on_from_the_next_packet() {
        let known = after(&[place(10, 100, 20), place(11, 900, 20), place(12, 920, 20)]);
        assert_eq!(numbers(&known, &[100, 900, 920]), [10, 11, 12]);
    }

    #[test]
    fn what_comes_out_of_order_changes_nothing() {
        let mut known = after(&[place(10, 100, 20), place(13, 160, 20)]);
        assert!(!known.note(place(11, 120, 20)));
        assert_eq!(known.duration(), Some(MediaTime::from_millis(20)));
        assert_eq!(numbers(&known, &[120, 140, 180]), [11, 12, 14]);
    }
}
