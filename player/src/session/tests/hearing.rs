//! Sinks with a clock, and subtitles by what is heard.

use super::*;
use crate::stand_in::words;

fn clocked() -> Wish {
    let mut wish = fixed();
    wish.sink_clock = SinkClock::Sink;
    wish
}

#[test]
fn a_sink_with_a_clock_gets_silence_until_the_start_and_then_every_sample_once() {
    let mut house = House::new(clocked(), StandIn::new(100));
    house.stream(0..100);
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    house.assert_heard(&sent(0..100 * FRAMES));
    let lead_in = house.sound.iter().take_while(|(_, position, _)| position.is_none()).count();
    let (silence, sound) = house.sound.split_at(lead_in);
    assert!(silence.iter().all(|(.., samples)| samples.iter().all(|it| *it == 0.0)));
    assert!(sound.iter().all(|(_, position, _)| position.is_some()));
    assert_eq!(house.first(), (ms(210), media(0)));
    assert_eq!(house.report().first_sound_ms, Some(210.0));
}

#[test]
fn positions_follow_each_other_without_a_gap() {
    let mut house = House::new(clocked(), StandIn::new(50));
    house.stream(0..50);
    house.run(ms(60_000));
    let mut expected = media(0);
    for (_, position, samples) in &house.sound {
        let Some(position) = position else { continue };
        assert_eq!(*position, expected);
        expected += MediaTime::from_ticks(samples.len() as i64, stand_in::format().rate);
    }
    assert_eq!(expected, media(1_000));
}

fn subtitled(wish: Wish) -> House {
    let mut house = House::new(wish, StandIn::new(100));
    house.stream(0..100);
    for (id, start) in [(1, 0), (2, 500), (3, 1_990)] {
        // Copies are shown once.
        house.arrive(ms(20), TEXT, Channel::Rtp, words(id, start, 100));
        house.arrive(ms(25), TEXT, Channel::Rtp, words(id, start, 100));
    }
    house.run(ms(60_000));
    house
}

#[test]
fn subtitles_come_exactly_with_their_sound_up_to_the_last() {
    let house = subtitled(fixed());
    let exact = |at, id| (ms(at), id, TimeDelta::ZERO);
    assert_eq!(house.shown, [exact(210, 1), exact(710, 2), exact(2_200, 3)]);
    assert_eq!(house.report().sync.subtitle_skew_ms.count, 3);
}

#[test]
fn subtitles_follow_what_a_sink_lets_be_heard_not_what_it_was_handed() {
    let house = subtitled(clocked());
    let exact = |at, id| (ms(at), id, TimeDelta::ZERO);
    assert_eq!(house.shown, [exact(210, 1), exact(710, 2), exact(2_200, 3)]);
}

#[test]
fn cues_that_show_already_where_sound_begins_come_with_its_first_sample() {
    let mut wish = fixed();
    wish.from = media(1_000);
    let mut house = House::new(wish, StandIn::new(100));
    house.stream(0..50);
    for (id, start, duration) in [(1, 500, 500), (2, 600, 401), (3, 100, 1_500), (4, 1_000, 10)] {
        house.arrive(ms(15), TEXT, Channel::Rtp, words(id, start, duration));
    }
    house.run(ms(60_000));
    let at = house.first().0;
    let expected = [3, 2, 4].map(|id| (at, id, TimeDelta::ZERO));
    assert_eq!(house.shown, expected, "the first is over");
    let report = house.report();
    assert_eq!(report.streams[1].late, 0);
    assert_eq!(report.sync.subtitle_skew_ms.max, Some(0.0));
}
