use super::*;
use proptest::prelude::*;

/// `update_seq` and `init_seq` of RFC 3550, appendix A.1, line by line, in C's integers.
#[derive(Default)]
struct Reference {
    max_seq: u16,
    cycles: u32,
    base_seq: u32,
    bad_seq: u32,
    probation: u32,
    received: u32,
    known: bool,
}

const RTP_SEQ_MOD: u32 = 1 << 16;
const MAX_DROPOUT: u32 = 3000;
const MAX_MISORDER: u32 = 100;
const MIN_SEQUENTIAL: u32 = 2;

impl Reference {
    fn init_seq(&mut self, seq: u16) {
        self.base_seq = seq.into();
        self.max_seq = seq;
        self.bad_seq = RTP_SEQ_MOD + 1;
        self.cycles = 0;
        self.received = 0;
    }

    fn first_packet(&mut self, seq: u16) {
        self.init_seq(seq);
        self.max_seq = seq.wrapping_sub(1);
        self.probation = MIN_SEQUENTIAL;
        self.known = true;
    }

    fn update_seq(&mut self, seq: u16) -> bool {
        if !self.known {
            self.first_packet(seq);
        }
        let udelta = seq.wrapping_sub(self.max_seq);
        if self.probation != 0 {
            if seq == self.max_seq.wrapping_add(1) {
                self.probation -= 1;
                self.max_seq = seq;
                if self.probation == 0 {
                    self.init_seq(seq);
                    self.received += 1;
                    return true;
                }
            } else {
                self.probation = MIN_SEQUENTIAL - 1;
                self.max_seq = seq;
            }
            return false;
        } else if u32::from(udelta) < MAX_DROPOUT {
            if seq < self.max_seq {
                self.cycles += RTP_SEQ_MOD;
            }
            self.max_seq = seq;
        } else if u32::from(udelta) <= RTP_SEQ_MOD - MAX_MISORDER {
            if u32::from(seq) == self.bad_seq {
                self.init_seq(seq);
            } else {
                self.bad_seq = (u32::from(seq) + 1) & (RTP_SEQ_MOD - 1);
                return false;
            }
        }
        self.received += 1;
        true
    }

    fn expected(&self) -> u32 {
        self.cycles + u32::from(self.max_seq) - self.base_seq + 1
    }
}

fn verdicts(sequences: &[u16]) -> Vec<Verdict> {
    let mut source = SourceValidator::new();
    sequences.iter().map(|&sequence| source.on_packet(Sequence(sequence))).collect()
}

#[test]
fn two_packets_in_a_row_make_a_source_valid() {
    use Verdict::{Probation, Valid};
    assert_eq!(verdicts(&[7, 9, 11, 12, 14]), [Probation, Probation, Probation, Valid, Valid]);
}

#[test]
fn an_announced_source_is_valid_from_its_first_packet() {
    let mut source = SourceValidator::announced();
    assert_eq!(source.expected(), 0);
    assert_eq!(source.on_packet(Sequence(40_000)), Verdict::Valid);
    assert_eq!(source.on_packet(Sequence(40_002)), Verdict::Valid);
    assert_eq!((source.expected(), source.received()), (3, 2));
}

#[test]
fn a_gap_of_2999_is_loss_and_one_of_3000_a_jump() {
    use Verdict::{Bad, Probation, Valid};
    assert_eq!(verdicts(&[0, 1, 1 + 2_999]), [Probation, Valid, Valid]);
    assert_eq!(verdicts(&[0, 1, 1 + 3_000]), [Probation, Valid, Bad]);
}

#[test]
fn a_packet_99_behind_is_late_and_one_100_behind_a_jump() {
    use Verdict::{Bad, Probation, Valid};
    assert_eq!(verdicts(&[499, 500, 401]), [Probation, Valid, Valid]);
    assert_eq!(verdicts(&[499, 500, 400]), [Probation, Valid, Bad]);
}

#[test]
fn two_packets_in_a_row_after_a_jump_are_a_restart() {
    use Verdict::{Bad, Probation, Restarted, Valid};
    let heard = verdicts(&[0, 1, 20_000, 20_001, 20_002]);
    assert_eq!(heard, [Probation, Valid, Bad, Restarted, Valid]);
    let strayed = verdicts(&[0, 1, 20_000, 2, 30_000, 3]);
    assert_eq!(strayed, [Probation, Valid, Bad, Valid, Bad, Valid]);
}

#[test]
fn ten_wraps_are_counted() {
    let mut source = SourceValidator::new();
    for packet in 0..10 * 65_536 + 5 {
        source.on_packet(Sequence((packet as u16).wrapping_add(65_000)));
    }
    // The first packet was on probation.
    assert_eq!(source.expected(), 10 * 65_536 + 4);
    assert_eq!(source.received(), source.expected());
}

/// Streams with loss, reordering, duplicates, stray packets and restarts, near the wrap as well.
fn streams() -> impl Strategy<Value = Vec<u16>> {
    let step = prop_oneof![
        20 => Just(1i32),
        4 => 2..50i32,
        2 => -120..=0i32,
        1 => 2_990..3_010i32,
        1 => any::<i16>().prop_map(i32::from),
    ];
    (any::<u16>(), prop::collection::vec(step, 0..400)).prop_map(|(first, steps)| {
        let mut sequence = first;
        let mut next = |step: i32| {
            sequence = sequence.wrapping_add(step as u16);
            sequence
        };
        std::iter::once(first).chain(steps.into_iter().map(&mut next)).collect()
    })
}

proptest! {
    #[test]
    fn every_packet_is_judged_and_counted_as_the_rfc_does(sequences in streams()) {
        let (mut source, mut reference) = (SourceValidator::new(), Reference::default());
        for sequence in sequences {
            let verdict = source.on_packet(Sequence(sequence));
            let valid = matches!(verdict, Verdict::Valid | Verdict::Restarted);
            prop_assert_eq!(valid, reference.update_seq(sequence), "packet {}", sequence);
            prop_assert_eq!(source.received(), u64::from(reference.received));
            if reference.received > 0 {
                prop_assert_eq!(source.expected(), u64::from(reference.expected()));
            }
        }
    }
}
