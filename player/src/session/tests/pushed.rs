//! What comes unasked begins when it begins, and ends when nothing comes any more.

use cantus_qos::rtcp::{self, RtcpPacket, SenderReport};
use cantus_qos::rtp::{PayloadType, RtpTimestamp, Ssrc};

use super::*;
use crate::feed::{Feed, FeedUrl};
use crate::stand_in::SSRC;

const SDP: &str = "v=0\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 5004 RTP/AVP 97\r\na=rtpmap:97 L16/8000/1\r\n";

fn listening(feed: impl FnOnce(&Wish) -> Feed) -> House {
    listening_as(fixed(), feed)
}

fn listening_as(wish: Wish, feed: impl FnOnce(&Wish) -> Feed) -> House {
    let feed = feed(&wish);
    let mut house = House::new(wish.clone(), StandIn::new(1));
    house.player = Player::receiving(wish, feed.playing);
    house.player.start(MonoTime::ZERO, MonoTime::ZERO);
    house
}

fn described() -> House {
    described_for(None)
}

/// So much is to be heard.
fn described_for(length: Option<MediaTime>) -> House {
    let wish = Wish { length, ..fixed() };
    listening_as(wish, |wish| Feed::described("x.sdp", SDP.as_bytes(), wish).unwrap())
}

/// The units of `range` arrive in time, `after` the player began to listen.
fn push(house: &mut House, after: u64, range: std::ops::Range<usize>) {
    range.for_each(|index| house.send(ms(after + index as u64 * 20), &unit(index)));
}

/// The last report of this source.
pub(super) fn goodbye(ssrc: Ssrc) -> Bytes {
    goodbye_for(ssrc, None)
}

fn goodbye_for(ssrc: Ssrc, reason: Option<&str>) -> Bytes {
    let report = SenderReport {
        ssrc,
        ntp: NtpTime::from_bits(1 << 40),
        rtp: RtpTimestamp(0),
        packets: 0,
        octets: 0,
        blocks: vec![],
    };
    let bye = RtcpPacket::Bye { ssrcs: vec![ssrc], reason: reason.map(str::to_owned) };
    rtcp::write_compound(&[RtcpPacket::SenderReport(report), bye])
}

#[test]
fn it_is_waited_for_however_long_it_takes_and_heard_until_the_sender_says_goodbye() {
    let mut house = described();
    push(&mut house, 300_000, 0..100);
    house.arrive(ms(302_000), AUDIO, Channel::Rtcp, goodbye(SSRC));
    house.run(ms(400_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    assert_eq!(house.first().0, ms(300_200));
    house.assert_heard(&sent(0..100 * FRAMES));
    let audio = house.audio();
    assert_eq!((audio.expected, audio.received, audio.late), (100, 100, 0));
    assert!(!house.player.is_rendered());
}

#[test]
fn where_nobody_says_goodbye_silence_is_the_end_and_nothing_counts_as_lost_for_it() {
    let mut house = described();
    push(&mut house, 10, 0..100);
    house.run(ms(60_000));
    assert!(
        matches!(house.ending, Some(Ending::Silent { after }) if after == Duration::from_secs(5)),
        "{:?}",
        house.ending
    );
    let audio = house.audio();
    assert_eq!((audio.expected, audio.received, audio.residual), (100, 100, Some(0.0)));
    assert_eq!(audio.played_ms, Some(2_000.0));
    let heard = house.heard();
    assert_eq!(heard[..100 * FRAMES], sent(0..100 * FRAMES));
    assert!(heard.len() <= 160 * FRAMES, "a file is not filled with what is made up");
}

#[test]
fn a_goodbye_that_comes_late_makes_nothing_lost() {
    let mut house = described();
    push(&mut house, 10, 0..100);
    house.arrive(ms(3_010), AUDIO, Channel::Rtcp, goodbye(SSRC));
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    let audio = house.audio();
    assert_eq!((audio.expected, audio.received, audio.residual), (100, 100, Some(0.0)));
    let (played, concealed) = (audio.played_ms, audio.concealed_ms);
    let nothing = "what is heard until then stands for nothing";
    assert_eq!((played, concealed), (Some(2_000.0), Some(0.0)), "{nothing}");
}

#[test]
fn a_goodbye_is_the_end_whatever_its_reason_and_however_much_was_wanted() {
    for length in [None, Some(media(10_000))] {
        for reason in [None, Some("the show is over")] {
            let mut house = described_for(length);
            push(&mut house, 10, 0..100);
            house.arrive(ms(2_020), AUDIO, Channel::Rtcp, goodbye_for(SSRC, reason));
            house.run(ms(60_000));
            let what = format!("{length:?}, {reason:?}: {:?}", house.ending);
            assert!(matches!(house.ending, Some(Ending::Completed)), "{what}");
            assert!(!house.player.is_rendered() && house.now < ms(4_000), "{what}");
            let audio = house.audio();
            assert_eq!((audio.expected, audio.received, audio.late), (100, 100, 0), "{what}");
        }
    }
}

#[test]
fn what_comes_beyond_the_length_that_was_wanted_is_not_late() {
    let mut house = described_for(Some(media(1_000)));
    push(&mut house, 10, 0..100);
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    assert!(house.player.is_rendered());
    house.assert_heard(&sent(0..50 * FRAMES));
    let audio = house.audio();
    assert_eq!((audio.expected, audio.late, audio.residual), (50, 0, Some(0.0)));
}

#[test]
fn after_a_pause_it_goes_on_where_it_would_have_been() {
    let mut house = described();
    push(&mut house, 10, 0..50);
    push(&mut house, 10, 200..250);
    house.run(ms(60_000));
    let heard = house.heard();
    assert_eq!(heard[..50 * FRAMES], sent(0..50 * FRAMES));
    assert_eq!(heard[202 * FRAMES..250 * FRAMES], sent(202 * FRAMES..250 * FRAMES));
}

#[test]
fn of_a_url_any_dynamic_payload_type_is_believed_and_then_no_other() {
    let mut house = listening(|wish| {
        let url: FeedUrl = "rtp://127.0.0.1:5004?pt=l16/8000".parse().unwrap();
        Feed::at(&url, wish).unwrap()
    });
    push(&mut house, 10, 0..100);
    for index in 20..40 {
        let other = RtpPacket { payload_type: PayloadType::new(101).unwrap(), ..unit(index + 7) };
        house.send(ms(11 + index as u64 * 20), &other);
    }
    house.run(ms(60_000));
    assert_eq!(house.heard()[..100 * FRAMES], sent(0..100 * FRAMES));
    assert_eq!(house.audio().duplicate, 0);
}

#[test]
fn its_sender_is_told_what_came() {
    let mut house = described();
    push(&mut house, 10, 0..100);
    house.run(ms(2_000));
    let told = house.reports.iter().filter_map(|report| rtcp::parse_compound(report).ok());
    let blocks = told.flatten().filter_map(|packet| match packet {
        RtcpPacket::ReceiverReport(report) => report.blocks.first().map(|block| block.ssrc),
        _ => None,
    });
    let sources: Vec<Ssrc> = blocks.collect();
    assert!(!sources.is_empty() && sources.iter().all(|source| *source == SSRC));
}
