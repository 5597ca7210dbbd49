//! Packets that nobody of ours has sent.

use bytes::Bytes;
use cantus_bench::duplex::{Direction, Kind};
use cantus_bench::sim::{Outcome, Passing, Scenario, Verdict};
use cantus_player::wish::Carrier;

use crate::stage::{
    CARRIERS, SAMPLES, assert_completed, assert_whole, play, play_with, scenario, sole,
};

/// Numbers that look random and are the same each time.
fn noise(index: u64, salt: u64) -> Bytes {
    let mut state = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let length = usize::from(byte()) + usize::from(byte());
    (0..length).map(|_| byte()).collect()
}

/// Noise of no meaning, and noise that begins like an RTP packet of ours.
fn forged(passing: &Passing) -> Vec<Bytes> {
    let mut like_ours = passing.data.to_vec();
    let forgery = noise(passing.index, 7);
    let keep = like_ours.len().min(8);
    like_ours.truncate(keep);
    like_ours.extend_from_slice(&forgery);
    vec![noise(passing.index, 0), Bytes::from(like_ours)]
}

fn among_forgeries(scenario: &Scenario) -> Outcome {
    play_with(&SAMPLES, scenario, |passing| {
        if passing.direction != Direction::ToClient || passing.index % 4 != 0 {
            return Verdict::Pass;
        }
        let mut packets = forged(passing);
        packets.push(passing.data.clone());
        Verdict::Replace(packets)
    })
}

#[test]
fn noise_on_the_wire_does_not_disturb_a_session() {
    for carrier in CARRIERS {
        let scenario = scenario("sync-test", "delay 30ms", carrier);
        let outcome = among_forgeries(&scenario);
        assert_completed(&outcome);
        if carrier == Carrier::Quic {
            assert_whole(&outcome);
        } else {
            // Over UDP a forgery that guesses everything else may take the place of one unit.
            assert!(
                sole(&outcome).residual.expect("units") <= 0.01,
                "{}",
                outcome.report.summary()
            );
        }
    }
}

#[test]
fn noise_does_not_keep_repair_from_repairing() {
    let retransmission = false;
    let lossy = Scenario { retransmission, ..scenario("narration", "heavy", Carrier::Udp) };
    let quiet = play(&SAMPLES, &lossy);
    let noisy = play_with(&SAMPLES, &lossy, |passing| match passing.kind {
        Kind::Media | Kind::Repair if passing.direction == Direction::ToClient => {
            // After the packet, and through a network that draws its luck for it too.
            Verdict::Replace(vec![passing.data.clone(), noise(passing.index, 1)])
        }
        _ => Verdict::Pass,
    });
    assert_completed(&noisy);
    let (quiet, noisy) = (sole(&quiet), sole(&noisy));
    assert!(noisy.recovered_fec * 10 >= quiet.recovered_fec * 9, "{noisy:?} {quiet:?}");
}
