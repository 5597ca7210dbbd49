use super::*;
use proptest::prelude::*;

const UNIT: Duration = Duration::from_millis(20);

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

/// The unit `number` is played at `at`, and waited for up to `patience` where it is missing, in ms.
fn playout(number: u64, at: u64, patience: u64) -> Playout {
    Playout { number, at: ms(at), unit: UNIT, patience: Duration::from_millis(patience) }
}

/// A stream that has come steadily, 40 ms after it was sent, up to unit 49 at 1020 ms; the round
/// trip is 80 ms, a unit is played `latency` after it was sent.
fn steady(policy: AskPolicy, latency: u64) -> Asker {
    let mut asker = Asker::new(policy, UNIT);
    (0..60).for_each(|_| asker.on_round_trip(Duration::from_millis(80)));
    asker.set_playout(playout(0, latency, 0));
    (0..50).for_each(|number| arrive(&mut asker, number));
    asker
}

fn arrive(asker: &mut Asker, number: u64) {
    asker.on_arrival(ms(number * 20 + 40), number, ms(number * 20), Recovery::None);
}

/// What is asked for when, up to `until`, if nothing more comes.
fn requests(asker: &mut Asker, until: MonoTime) -> Vec<(u64, Vec<u64>)> {
    let mut requests = Vec::new();
    while let Some(at) = asker.next_deadline().filter(|at| *at <= until) {
        if let Some(numbers) = asker.pop(at) {
            requests.push((at.as_micros().div_ceil(1_000), numbers));
        }
    }
    requests
}

#[test]
fn a_unit_that_was_overtaken_is_asked_for_at_once_and_again_when_the_answer_is_overdue() {
    let mut asker = steady(AskPolicy::default(), 400);
    arrive(&mut asker, 51);
    arrive(&mut asker, 52);
    assert_eq!(asker.pop(ms(1_080)), Some(vec![50]));
    assert_eq!(asker.pop(ms(1_080)), None);
    assert_eq!(requests(&mut asker, ms(1_085)), []);
    asker.end_at(52);
    assert_eq!(requests(&mut asker, ms(1_239)), [(1_160, vec![50])]);
}

#[test]
fn what_has_come_or_was_recovered_is_not_asked_for() {
    for how in [Recovery::None, Recovery::Fec, Recovery::Retransmission] {
        let mut asker = steady(AskPolicy::default(), 400);
        asker.end_at(51);
        arrive(&mut asker, 51);
        asker.on_arrival(ms(1_070), 50, ms(1_000), how);
        assert_eq!(requests(&mut asker, ms(2_000)), [], "{how:?}");
    }
}

#[test]
fn in_a_burst_each_unit_is_asked_for_as_it_becomes_overdue() {
    let mut asker = steady(AskPolicy::default(), 200);
    // Due at 1040, 1060 and so on, and so steady that 2.5 ms are overdue; and again 40 ms later.
    let asked = requests(&mut asker, ms(1_110));
    let expected = [vec![50], vec![51], vec![50, 52], vec![51, 53]];
    let expected = [1_043, 1_063, 1_083, 1_103].into_iter().zip(expected).collect::<Vec<_>>();
    assert_eq!(asked, expected);
}

#[test]
fn while_the_path_is_down_there_is_one_request_a_round_trip() {
    let mut asker = steady(AskPolicy::default(), 2_000);
    let asked = requests(&mut asker, ms(2_000));
    let probes: Vec<u64> = asked.iter().map(|(at, _)| *at).filter(|at| *at > 1_124).collect();
    assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= 80), "{probes:?}");
    assert!((9..=11).contains(&probes.len()), "{probes:?}");
    let (_, last) = asked.last().unwrap();
    assert!(last.len() > 40, "all that is missing, in one packet: {last:?}");
    arrive(&mut asker, 100);
    asker.end_at(100);
    assert!(asker.next_deadline().is_some_and(|at| at < ms(2_130)), "and then at once again");
}

#[test]
fn nothing_is_asked_for_that_could_not_be_played_any_more() {
    let policy = AskPolicy { hope: 0.0, ..AskPolicy::default() };
    let mut asker = steady(policy, 150);
    asker.end_at(51);
    // Unit 50 is played at 1150: who asks after 1070 asks in vain.
    asker.on_arrival(ms(1_071), 51, ms(1_020), Recovery::None);
    assert_eq!(requests(&mut asker, ms(3_000)), []);
    let mut asker = steady(policy, 150);
    asker.end_at(51);
    asker.on_arrival(ms(1_069), 51, ms(1_020), Recovery::None);
    assert!(!requests(&mut asker, ms(3_000)).is_empty());
}

#[test]
fn without_time_to_wait_for_an_answer_requests_overlap_as_long_as_one_can_make_it() {
    for (latency, expected) in [(170, &[1_060][..]), (230, &[1_060, 1_100, 1_140])] {
        let mut asker = steady(AskPolicy::default(), latency);
        asker.end_at(51);
        arrive(&mut asker, 51);
        let asked: Vec<_> = requests(&mut asker, ms(3_000)).iter().map(|(at, _)| *at).collect();
        assert_eq!(asked, expected, "{latency}");
    }
}

#[test]
fn what_playback_waits_for_is_asked_for_until_it_comes() {
    let mut asker = steady(AskPolicy::default(), 400);
    asker.end_at(51);
    arrive(&mut asker, 51);
    // Playback stands still before unit 50, and is planned anew again and again.
    let mut asked = 0;
    for at in (1_060..3_000).step_by(10) {
        asker.set_playout(playout(50, at.max(1_400), 9_000));
        asked += u32::from(asker.pop(ms(at)).is_some_and(|numbers| numbers == [50]));
        assert!(asker.awaits(50) && !asker.awaits(49) && !asker.awaits(52), "at {at}");
    }
    assert!((18..=24).contains(&asked), "once a round trip of 80 ms: {asked}");
    asker.on_arrival(ms(3_000), 50, ms(1_000), Recovery::Retransmission);
    assert!(!asker.awaits(50));
    assert_eq!(requests(&mut asker, ms(5_000)), []);
}

#[test]
fn what_is_far_from_its_instant_is_asked_for_again_without_hurry() {
    let mut asker = steady(AskPolicy::default(), 400);
    asker.end_at(51);
    arrive(&mut asker, 51);
    asker.set_playout(playout(0, 7_400, 9_000));
    let asked: Vec<u64> = requests(&mut asker, ms(3_000)).into_iter().map(|(at, _)| at).collect();
    assert!(asked.len() >= 3, "{asked:?}");
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{asked:?}");
}

#[test]
fn what_nobody_answers_though_answers_could_come_is_not_awaited_for_ever() {
    let mut asker = steady(AskPolicy::default(), 400);
    arrive(&mut asker, 51);
    let mut at = 1_080;
    for number in 52.. {
        at += 20;
        arrive(&mut asker, number);
        asker.set_playout(playout(50, at, 9_000));
        asker.pop(ms(at));
        if !asker.awaits(50) {
            break;
        }
    }
    assert!((3_000..6_000).contains(&at), "{at}");
}

#[test]
fn on_a_path_that_upsets_the_order_a_gap_proves_nothing_at_first() {
    let mut asker = steady(AskPolicy::default(), 400);
    asker.end_at(53);
    arrive(&mut asker, 51);
    asker.on_arrival(ms(1_072), 50, ms(1_000), Recovery::None);
    asker.on_arrival(ms(1_075), 53, ms(1_060), Recovery::None);
    let asked = requests(&mut asker, ms(1_120));
    assert_eq!(asked, [(1_087, vec![52])], "one has come 12 ms after it was overtaken");
}

#[test]
fn the_first_and_the_last_unit_are_missed_too() {
    let mut asker = Asker::new(AskPolicy::default(), UNIT);
    asker.begin_at(0);
    asker.end_at(4);
    asker.on_arrival(ms(60), 1, ms(20), Recovery::None);
    assert_eq!(asker.pop(ms(60)), Some(vec![0]));
    (2..4).for_each(|number| arrive(&mut asker, number));
    let asked: Vec<u64> =
        requests(&mut asker, ms(500)).into_iter().flat_map(|(_, numbers)| numbers).collect();
    assert!(asked.contains(&4) && !asked.contains(&5), "{asked:?}");
}

#[test]
fn an_answer_measures_the_round_trip_where_there_was_one_request_only() {
    let mut asker = Asker::new(AskPolicy::default(), UNIT);
    asker.begin_at(0);
    arrive(&mut asker, 1);
    assert_eq!(asker.pop(ms(60)), Some(vec![0]));
    asker.on_arrival(ms(130), 0, ms(0), Recovery::Retransmission);
    assert_eq!(asker.round_trip().smoothed(), Some(Duration::from_millis(70)));
    assert_eq!(asker.counts().answered, 1);
}

#[test]
fn a_leap_of_the_numbers_costs_no_more_than_the_most_that_can_be_missing() {
    let mut asker = steady(AskPolicy::default(), 400);
    asker.on_arrival(ms(1_050), 1 << 40, ms(1_000), Recovery::None);
    assert!(asker.missing.len() as u64 <= Asker::MOST_MISSING);
    asker.on_arrival(ms(1_050), u64::MAX, ms(1_000), Recovery::None);
    assert!(asker.missing.len() as u64 <= Asker::MOST_MISSING);
}

proptest! {
    #[test]
    fn whatever_comes_requests_keep_to_the_budget_and_deadlines_lead_on(
        losses in prop::collection::vec(0u8..4, 50..400),
        latency in 60u64..3_000,
        round_trip in 1u64..400,
    ) {
        let mut asker = Asker::new(AskPolicy::default(), UNIT);
        asker.on_round_trip(Duration::from_millis(round_trip));
        asker.set_playout(playout(0, latency, 0));
        let mut requests = 0u64;
        for (number, lost) in losses.iter().enumerate() {
            let number = number as u64;
            let now = ms(number * 20 + 40);
            let mut steps = 0;
            while let Some(at) = asker.next_deadline().filter(|at| *at <= now) {
                requests += u64::from(asker.pop(at).is_some());
                steps += 1;
                prop_assert!(steps < 200, "no instant is named for ever");
            }
            if *lost != 0 {
                asker.on_arrival(now, number, ms(number * 20), Recovery::None);
            }
        }
        let most = (TokenBucket::LEAST_BURST / REQUEST + losses.len() + 2) as u64;
        prop_assert!(requests <= most, "{requests} of {most}");
    }
}

#[test]
fn where_answers_come_slowly_in_the_order_of_requests_none_is_given_up() {
    let mut asker = steady(AskPolicy::default(), 400);
    let mut at = 1_080;
    // A hundred are missing, and ten a second are sent once more.
    arrive(&mut asker, 150);
    for number in 50..150 {
        for _ in 0..5 {
            at += 20;
            asker.set_playout(playout(number, at, 9_000));
            asker.pop(ms(at));
            assert!((number..150).all(|number| asker.awaits(number)), "at {at}");
        }
        asker.on_arrival(ms(at), number, ms(1_000), Recovery::Retransmission);
    }
}

#[test]
fn what_is_not_sent_again_though_later_requests_are_answered_is_given_up() {
    let mut asker = steady(AskPolicy::default(), 400);
    let mut given_up_at = None;
    for number in 51..1_000 {
        let now = ms(number * 20 + 40);
        // One in ten is lost, and sent once more after a round trip.
        match number % 10 {
            0 => {}
            4 if number > 54 => asker.on_arrival(now, number - 4, ms(0), Recovery::Retransmission),
            _ => {}
        }
        if number % 10 != 0 {
            arrive(&mut asker, number);
        }
        asker.set_playout(playout(50, number * 20 + 40, 9_000));
        asker.pop(now);
        given_up_at = given_up_at.or((!asker.awaits(50)).then_some(number));
    }
    // Thirty of them have come by then.
    assert_eq!(given_up_at, Some(50 + 30 * 10 + 4));
}
