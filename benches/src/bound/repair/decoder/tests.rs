use super::*;

use proptest::collection::vec;
use proptest::prelude::*;

/// A prime so large that chance has no part in the rank of a random matrix.
const PRIME: u128 = (1 << 61) - 1;

#[derive(Clone, Debug)]
enum Event {
    Sent,
    /// The frame sent so many before the last one comes.
    Frame(u64),
    /// A symbol over so many of the last frames, without the very last ones, comes.
    Symbol(u64, u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Sent),
        1 => (0u64..6).prop_map(Event::Frame),
        2 => (0u64..6, 0u64..3).prop_map(|(reach, gap)| Event::Symbol(reach, gap)),
    ]
}

/// Equations with random coefficients, kept in row echelon form.
#[derive(Default)]
struct Elimination {
    rows: Vec<Vec<u128>>,
    state: u64,
}

impl Elimination {
    fn coefficient(&mut self) -> u128 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(mixed ^ (mixed >> 31)) % (PRIME - 1) + 1
    }

    fn add(&mut self, frames: Range<u64>, width: usize) {
        let row = (0..width as u64)
            .map(|frame| if frames.contains(&frame) { self.coefficient() } else { 0 })
            .collect();
        self.rows.push(row);
    }

    /// The frames whose unit vector lies in the row space.
    fn known(&self, width: usize) -> BTreeSet<u64> {
        let mut rows = self.rows.clone();
        let mut pivots = Vec::new();
        for column in 0..width {
            let below = pivots.len();
            let Some(found) = (below..rows.len()).find(|&row| rows[row][column] != 0) else {
                continue;
            };
            rows.swap(below, found);
            let inverse = power(rows[below][column], PRIME - 2);
            rows[below].iter_mut().for_each(|cell| *cell = *cell * inverse % PRIME);
            let pivot = rows[below].clone();
            let others = rows.iter_mut().enumerate().filter(|(index, _)| *index != below);
            for (_, row) in others {
                let factor = PRIME - row[column];
                row.iter_mut().zip(&pivot).for_each(|(cell, one)| {
                    *cell = (*cell + factor * one) % PRIME;
                });
            }
            pivots.push(column);
        }
        let alone = |row: &Vec<u128>| row.iter().filter(|cell| **cell != 0).count() == 1;
        let known = rows.iter().zip(&pivots).filter(|(row, _)| alone(row));
        known.map(|(_, &column)| column as u64).collect()
    }
}

fn power(base: u128, mut exponent: u128) -> u128 {
    let (mut result, mut square) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * square % PRIME;
        }
        square = square * square % PRIME;
        exponent >>= 1;
    }
    result
}

proptest! {
    #[test]
    fn what_is_known_is_what_elimination_over_a_large_field_finds(
        events in vec(event(), 1..40),
        seed: u64,
    ) {
        let width = events.iter().filter(|event| matches!(event, Event::Sent)).count();
        let mut elimination = Elimination { rows: Vec::new(), state: seed };
        let mut decoder = Decoder::default();
        let mut known = BTreeSet::new();
        let mut sent = 0;
        for event in events {
            match event {
                Event::Sent => {
                    decoder.on_sent(sent);
                    sent += 1;
                }
                Event::Frame(back) => {
                    let Some(frame) = sent.checked_sub(back + 1) else { continue };
                    elimination.add(frame..frame + 1, width);
                    known.extend(decoder.on_frame(frame));
                }
                Event::Symbol(reach, gap) => {
                    let end = sent.saturating_sub(gap);
                    let covers = end.saturating_sub(reach)..end;
                    elimination.add(covers.clone(), width);
                    known.extend(decoder.on_symbol(covers));
                }
            }
            prop_assert_eq!(&known, &elimination.known(width));
        }
    }
}

fn sorted(mut frames: Vec<u64>) -> Vec<u64> {
    frames.sort_unstable();
    frames
}

#[test]
fn as_many_symbols_as_frames_are_missing_bring_them_all() {
    let mut decoder = Decoder::default();
    (0..5).for_each(|frame| decoder.on_sent(frame));
    assert_eq!(decoder.on_frame(4), [4]);
    assert_eq!(decoder.on_frame(4), [0u64; 0], "a copy says nothing new");
    assert!(decoder.on_symbol(1..5).is_empty() && decoder.on_symbol(1..5).is_empty());
    assert_eq!(sorted(decoder.on_symbol(1..5)), [1, 2, 3]);
    assert!(decoder.is_unknown(0) && !decoder.is_unknown(2));
}

#[test]
fn an_equation_over_a_forgotten_frame_serves_the_others_but_a_symbol_does_not() {
    let mut decoder = Decoder::default();
    (0..4).for_each(|frame| decoder.on_sent(frame));
    assert!(decoder.on_symbol(0..2).is_empty() && decoder.on_symbol(0..3).is_empty());
    decoder.forget_before(1);
    assert!(decoder.on_symbol(0..4).is_empty());
    assert_eq!(sorted(decoder.on_frame(2)), [0, 1, 2]);
    assert!(decoder.is_unknown(3));
}

#[test]
fn what_can_serve_nobody_is_forgotten() {
    let mut decoder = Decoder::default();
    for frame in 0..10_000u64 {
        decoder.on_sent(frame);
        if frame % 4 == 0 {
            decoder.on_symbol(frame.saturating_sub(8)..frame + 1);
        }
        decoder.forget_before(frame.saturating_sub(16));
    }
    assert!(decoder.equations.len() <= 8 && decoder.unknown.len() <= 32, "{decoder:?}");
}
