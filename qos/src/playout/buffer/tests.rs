use super::*;
use proptest::prelude::*;

const CAPACITY: i64 = 200;

fn ms(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

fn unit(sequence: u64, start: i64, duration: i64) -> Unit {
    Unit { sequence, media_time: ms(start), duration: ms(duration), data: Bytes::new() }
}

fn buffer() -> Buffer {
    Buffer::new(ms(20), ms(CAPACITY))
}

fn taken(buffer: &mut Buffer, position: i64) -> Option<u64> {
    match buffer.take(ms(position)) {
        Taken::Unit(unit) => Some(unit.sequence),
        Taken::Missing { .. } => None,
    }
}

#[test]
fn units_come_out_in_the_order_of_their_media_time() {
    let mut buffer = buffer();
    for sequence in [2, 0, 3, 1] {
        let pushed = buffer.push(unit(sequence, 20 * sequence as i64, 20));
        assert_eq!(pushed, Pushed::Accepted);
    }
    for sequence in 0..4 {
        assert_eq!(taken(&mut buffer, 20 * sequence as i64), Some(sequence));
    }
    assert!(buffer.is_empty());
}

#[test]
fn what_is_whole_ends_at_the_first_hole() {
    let mut buffer = buffer();
    assert_eq!(buffer.whole(ms(0)), MediaTime::ZERO);
    for sequence in [0, 1, 2, 4, 5] {
        buffer.push(unit(sequence, 20 * sequence as i64, 20));
    }
    for (position, whole) in [(0, 60), (30, 30), (60, 0), (70, 0), (80, 40), (120, 0)] {
        assert_eq!(buffer.whole(ms(position)), ms(whole), "from {position} on");
    }
    buffer.push(unit(3, 60, 20));
    assert_eq!(buffer.whole(ms(0)), ms(120));
}

#[test]
fn the_second_copy_of_a_waiting_unit_is_a_duplicate() {
    let mut buffer = buffer();
    assert_eq!(buffer.push(unit(1, 20, 20)), Pushed::Accepted);
    assert_eq!(buffer.push(unit(1, 20, 20)), Pushed::Duplicate);
    assert_eq!(buffer.len(), 1);
}

#[test]
fn a_unit_is_late_from_the_instant_that_its_end_has_been_played() {
    let mut buffer = buffer();
    assert_eq!(buffer.take(ms(100)), Taken::Missing { duration: ms(20) });
    assert_eq!(buffer.push(unit(5, 100, 20)), Pushed::Late);
    assert_eq!(buffer.push(unit(6, 101, 20)), Pushed::Accepted);
}

#[test]
fn before_the_first_take_no_unit_is_late() {
    let mut buffer = buffer();
    assert_eq!(buffer.push(unit(5, 100, 20)), Pushed::Accepted);
    assert_eq!(buffer.push(unit(1, -60, 20)), Pushed::Accepted);
    assert_eq!(buffer.next(ms(-1_000)).map(|unit| unit.sequence), Some(1));
}

#[test]
fn a_gap_is_missing_up_to_the_next_unit_and_at_most_one_nominal_unit() {
    let mut buffer = buffer();
    buffer.push(unit(2, 50, 20));
    assert_eq!(buffer.take(ms(0)), Taken::Missing { duration: ms(20) });
    assert_eq!(buffer.take(ms(20)), Taken::Missing { duration: ms(20) });
    assert_eq!(buffer.take(ms(40)), Taken::Missing { duration: ms(10) });
    assert_eq!(taken(&mut buffer, 50), Some(2));
}

#[test]
fn a_unit_that_began_earlier_is_handed_out_while_it_reaches_beyond_the_position() {
    let mut early = buffer();
    early.push(unit(0, 0, 20));
    let over = early.clone().take(ms(20));
    assert_eq!(over, Taken::Missing { duration: ms(20) });
    let Taken::Unit(partly) = early.take(ms(19)) else { panic!("one millisecond is left") };
    assert_eq!(partly.media_time, MediaTime::ZERO);
}

#[test]
fn capacity_counts_from_the_position_and_to_the_end_of_the_unit() {
    let mut buffer = buffer();
    buffer.seek(ms(1_000));
    assert_eq!(buffer.push(unit(1, 1_000 + CAPACITY - 20, 20)), Pushed::Accepted);
    assert_eq!(buffer.push(unit(2, 1_001 + CAPACITY - 20, 20)), Pushed::Full);
}

#[test]
fn capacity_bounds_the_span_of_units_before_playback_begins() {
    let mut buffer = buffer();
    assert_eq!(buffer.push(unit(9, 1_000, 20)), Pushed::Accepted);
    assert_eq!(buffer.push(unit(1, 1_020 - CAPACITY, 20)), Pushed::Accepted);
    assert_eq!(buffer.push(unit(0, 1_000 - CAPACITY, 20)), Pushed::Full);
    assert_eq!(buffer.push(unit(10, 1_020, 20)), Pushed::Full);
}

#[test]
fn the_number_of_units_is_bounded_however_short_they_say_they_are() {
    let mut buffer = buffer();
    let accepted = (0..1_000_000)
        .filter(|&flicks| {
            let tiny = Unit {
                media_time: MediaTime::from_flicks(flicks),
                duration: MediaTime::from_flicks(1),
                ..unit(flicks as u64, 0, 0)
            };
            buffer.push(tiny) == Pushed::Accepted
        })
        .count();
    assert_eq!(accepted, 11 * 8);
}

#[test]
fn depth_reaches_to_the_end_of_the_last_unit_and_is_never_negative() {
    let mut buffer = buffer();
    assert_eq!(buffer.depth(ms(0)), MediaTime::ZERO);
    buffer.push(unit(0, 0, 20));
    buffer.push(unit(3, 60, 20));
    assert_eq!(buffer.depth(ms(10)), ms(70));
    assert_eq!(buffer.depth(ms(500)), MediaTime::ZERO);
}

#[test]
fn seeking_back_makes_earlier_units_welcome_and_forward_drops_them() {
    let mut buffer = buffer();
    buffer.seek(ms(1_000));
    assert_eq!(buffer.push(unit(40, 800, 20)), Pushed::Late);
    buffer.push(unit(51, 1_020, 20));
    buffer.push(unit(52, 1_040, 20));
    buffer.seek(ms(1_040));
    assert_eq!(buffer.len(), 1, "a short jump ahead keeps what is still to come");
    buffer.seek(ms(100));
    assert!(buffer.is_empty(), "far back, what was held lies beyond the capacity");
    assert_eq!(buffer.push(unit(5, 100, 20)), Pushed::Accepted);
}

#[test]
fn clearing_forgets_the_position() {
    let mut buffer = buffer();
    buffer.seek(ms(1_000));
    buffer.push(unit(50, 1_000, 20));
    buffer.clear();
    assert!(buffer.is_empty());
    assert_eq!(buffer.push(unit(0, 0, 20)), Pushed::Accepted);
}

#[test]
fn the_ends_of_the_timeline_are_no_trap() {
    let mut buffer = Buffer::new(MediaTime::ZERO, ms(-1));
    let extreme = |flicks| Unit {
        media_time: MediaTime::from_flicks(flicks),
        duration: MediaTime::from_flicks(i64::MAX),
        ..unit(0, 0, 0)
    };
    assert_eq!(buffer.push(extreme(i64::MAX)), Pushed::Accepted);
    assert_eq!(buffer.push(extreme(i64::MIN)), Pushed::Full);
    let Taken::Missing { duration } = buffer.take(MediaTime::from_flicks(i64::MIN)) else {
        panic!("nothing begins here")
    };
    assert_eq!(duration, MediaTime::from_flicks(1));
}

/// What the buffer must do, said as plainly as possible: a map of starts to ends.
#[derive(Default)]
struct Model {
    position: Option<i64>,
    held: BTreeMap<i64, (u64, i64)>,
}

impl Model {
    fn push(&mut self, sequence: u64, start: i64, duration: i64) -> Pushed {
        let end = start + duration;
        if self.position.is_some_and(|position| end <= position) {
            return Pushed::Late;
        }
        if self.held.contains_key(&start) {
            return Pushed::Duplicate;
        }
        let mut with = self.held.clone();
        with.insert(start, (sequence, end));
        let from = self.position.unwrap_or(*with.first_key_value().unwrap().0);
        let reach = if self.position.is_some() {
            end
        } else {
            end.max(self.held.last_key_value().map_or(end, |(_, &(_, end))| end))
        };
        if reach - from > CAPACITY {
            return Pushed::Full;
        }
        self.held = with;
        Pushed::Accepted
    }

    /// The sequence number of the unit, or how long there is none.
    fn take(&mut self, position: i64) -> Result<u64, i64> {
        let gone = self.held.iter().take_while(|&(_, &(_, end))| end <= position).count();
        for _ in 0..gone {
            self.held.pop_first();
        }
        let (taken, end) = match self.held.first_key_value() {
            Some((&start, &(sequence, end))) if start <= position => {
                self.held.pop_first();
                (Ok(sequence), end)
            }
            next => {
                let missing = next.map_or(20, |(&start, _)| (start - position).min(20));
                (Err(missing), position + missing)
            }
        };
        self.position = Some(self.position.map_or(end, |reached| reached.max(end)));
        taken
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(i64, i64),
    Take,
    Skip(i64),
    Seek(i64),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (-10i64..40, prop::sample::select(vec![5i64, 10, 20, 20, 20, 60]))
            .prop_map(|(slot, duration)| Step::Push(slot * 10, duration)),
        8 => Just(Step::Take),
        2 => (1i64..50).prop_map(Step::Skip),
        1 => (-100i64..400).prop_map(Step::Seek),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #[test]
    fn the_buffer_does_what_the_model_does(steps in prop::collection::vec(step(), 1..200)) {
        let (mut buffer, mut model, mut position) = (buffer(), Model::default(), 0);
        for (sequence, step) in steps.into_iter().enumerate() {
            let sequence = sequence as u64;
            match step {
                Step::Push(start, duration) => prop_assert_eq!(
                    buffer.push(unit(sequence, start, duration)),
                    model.push(sequence, start, duration)
                ),
                Step::Take => match (buffer.take(ms(position)), model.take(position)) {
                    (Taken::Unit(unit), Ok(sequence)) => {
                        prop_assert_eq!(unit.sequence, sequence);
                        position = unit.end().as_millis();
                    }
                    (Taken::Missing { duration }, Err(missing)) => {
                        prop_assert_eq!(duration, ms(missing));
                        position += missing;
                    }
                    (taken, wanted) => prop_assert!(false, "{taken:?} is not {wanted:?}"),
                },
                Step::Skip(by) => position += by,
                Step::Seek(to) => {
                    buffer.seek(ms(to));
                    position = to;
                    model.position = Some(to);
                    model.held.retain(|_, (_, end)| *end > to && *end <= to + CAPACITY);
                }
                Step::Clear => {
                    buffer.clear();
                    model = Model::default();
                }
            }
            prop_assert_eq!(buffer.len(), model.held.len());
            let last = model.held.last_key_value().map_or(position, |(_, &(_, end))| end);
            prop_assert_eq!(buffer.depth(ms(position)), ms((last - position).max(0)));
            let next = model.held.values().find(|(_, end)| *end > position);
            prop_assert_eq!(
                buffer.next(ms(position)).map(|unit| unit.sequence),
                next.map(|&(sequence, _)| sequence)
            );
        }
    }

    #[test]
    fn every_accepted_unit_of_a_shuffled_stream_is_played_once_and_in_order(
        (order, lost) in (1usize..10).prop_flat_map(|n| (
            Just((0..n as u64).collect::<Vec<_>>()).prop_shuffle(),
            prop::collection::vec(any::<bool>(), n),
        )),
    ) {
        let mut buffer = buffer();
        let sent = order.len() as i64;
        for &sequence in order.iter().filter(|&&sequence| !lost[sequence as usize]) {
            prop_assert_eq!(buffer.push(unit(sequence, 20 * sequence as i64, 20)), Pushed::Accepted);
        }
        for slot in 0..sent {
            let arrived = (!lost[slot as usize]).then_some(slot as u64);
            prop_assert_eq!(taken(&mut buffer, 20 * slot), arrived);
        }
    }
}
