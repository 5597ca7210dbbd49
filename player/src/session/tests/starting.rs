//! How playback begins.

use super::*;

/// A house whose server has described itself, and keeps the answers to the rest back.
fn waiting(units: i64) -> House {
    let mut house = House::new(fixed(), StandIn::new(units));
    house.answers = false;
    house.poll();
    let describe = house.unanswered.remove(0);
    house.ask(&describe);
    house.poll();
    assert_eq!(house.unanswered.len(), 4, "SETUPs and PLAY");
    house
}

#[test]
fn the_whole_range_is_heard_exactly_and_at_the_promised_delay() {
    let mut house = House::new(fixed(), StandIn::new(100));
    house.stream(0..100);
    house.run(ms(10_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    house.assert_heard(&sent(0..100 * FRAMES));
    assert_eq!(house.first(), (ms(210), media(0)), "200 ms after the fastest packet says");
    assert_eq!(house.now, ms(210 + 2_000), "it ends when the last sample has been heard");
    let audio = house.audio();
    assert_eq!((audio.expected, audio.received, audio.late), (100, 100, 0));
    assert_eq!(audio.residual, Some(0.0));
}

#[test]
fn media_that_overtakes_the_answer_to_play_is_held_up_to_64_kib() {
    let mut house = waiting(1_000);
    (0..300).for_each(|index| house.send(ms(10), &unit(index)));
    house.run(ms(20));
    house.answer_all();
    house.run(ms(21));
    let held = 64 * 1024 / unit(0).write(None).len();
    let payload = house.player.pipeline.as_ref().unwrap().tracks[0].intake.traffic.media;
    assert_eq!(payload as usize, held * FRAMES * 2);
}

#[test]
fn what_was_held_counts_from_when_it_came() {
    let mut house = waiting(50);
    house.stream(0..50);
    house.run(ms(95));
    house.answer_all();
    house.run(ms(10_000));
    assert_eq!(house.first().0, ms(210));
    house.assert_heard(&sent(0..50 * FRAMES));
}

#[test]
fn without_rtp_info_the_first_packet_is_the_beginning() {
    let mut server = StandIn::new(50);
    server.rtp_info = false;
    let mut house = House::new(fixed(), server);
    house.stream(0..50);
    house.run(ms(10_000));
    assert!(matches!(house.ending, Some(Ending::Completed)));
    house.assert_heard(&sent(0..50 * FRAMES));
    assert_eq!(house.audio().expected, 50);
}

#[test]
fn with_rtp_info_lost_units_at_both_ends_are_missed() {
    let mut house = House::new(fixed(), StandIn::new(50));
    house.stream(2..48);
    house.run(ms(10_000));
    assert!(matches!(house.ending, Some(Ending::Completed)));
    let audio = house.audio();
    assert_eq!((audio.expected, audio.lost_network, audio.late), (50, 4, 0));
    assert_eq!(house.heard().len(), 50 * FRAMES, "concealed, not cut off");
    // The first unit after a gap is faded in.
    assert_eq!(house.heard()[3 * FRAMES..48 * FRAMES], sent(3 * FRAMES..48 * FRAMES));
}

#[test]
fn sound_begins_and_ends_at_the_wished_samples() {
    let mut wish = fixed();
    wish.from = media(205);
    wish.length = Some(media(390));
    let mut server = StandIn::new(100);
    // The server begins at the unit that holds the wished place.
    server.range = Some("npt=0.200-0.595");
    let mut house = House::new(wish, server);
    house.stream(0..20);
    house.run(ms(10_000));
    assert_eq!(house.range, Some((media(205), Some(media(595)))));
    house.assert_heard(&sent(5 * 8..395 * 8));
    assert_eq!(house.first().1, media(205));
    assert_eq!(house.audio().expected, 20);
}

#[test]
fn the_pre_roll_of_opus_is_decoded_unheard_and_counts_for_nothing() {
    let mut wish = fixed();
    wish.from = media(1_000);
    let mut house = House::new(wish, StandIn::opus(100));
    for index in 0..54 {
        house.send(ms(10 + index as u64 * 20), &stand_in::silence(index));
    }
    house.run(ms(10_000));
    assert_eq!(house.server.asked[4], "PLAY npt=0.920-");
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    assert_eq!(house.range, Some((media(1_000), Some(media(2_000)))));
    assert_eq!(house.first(), (ms(10 + 80 + 200), media(1_000)));
    let audio = house.audio();
    assert_eq!((audio.expected, audio.received, audio.late), (50, 50, 0));
    assert_eq!((audio.played_ms, audio.concealed_ms), (Some(1_000.0), Some(0.0)));
}

#[test]
fn a_lost_pre_roll_is_no_loss() {
    let mut wish = fixed();
    wish.from = media(1_000);
    let mut house = House::new(wish, StandIn::opus(100));
    for index in 4..54 {
        house.send(ms(10 + index as u64 * 20), &stand_in::silence(index));
    }
    house.run(ms(10_000));
    let audio = house.audio();
    assert_eq!((audio.expected, audio.lost_network), (50, 0));
    assert_eq!(audio.concealed_ms, Some(0.0));
}

#[test]
fn stored_media_starts_early_and_then_grows_a_deep_buffer() {
    let zero = NtpTime::from_unix(Duration::from_secs(1_700_000_000));
    let mut wish = wish();
    wish.latency = Latency::Stored;
    let mut server = StandIn::new(500);
    server.clock = Some(zero);
    server.description.tracks[0].send_time_id = stand_in::send_time_id();
    let mut house = House::new(wish, server);
    // Twice as fast as they are presented.
    for index in 0..500u64 {
        let sent = zero.offset(TimeDelta::from_millis(index as i64 * 10));
        let data = stand_in::stamped(unit(index as usize), sent);
        house.arrive(ms(15 + index * 10), AUDIO, Channel::Rtp, data);
    }
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)));
    let start = house.first().0;
    assert!(start >= ms(300) && start <= ms(350), "{start:?}");
    house.assert_heard(&sent(0..500 * FRAMES));
    let deepest = house.player.pipeline.as_ref().unwrap().depths.max().unwrap();
    assert!(deepest > TimeDelta::from_millis(4_500), "{deepest:?}");
}

#[test]
fn a_clock_that_is_not_shared_after_all_is_not_believed() {
    let mut wish = fixed();
    wish.shared_clock = Some(NtpTime::from_unix(Duration::from_secs(1_700_000_000)));
    let mut server = StandIn::new(50);
    server.clock = Some(NtpTime::from_unix(Duration::from_secs(1_900_000_000)));
    let mut house = House::new(wish, server);
    house.stream(0..50);
    house.run(ms(10_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "it would wait for years");
}
