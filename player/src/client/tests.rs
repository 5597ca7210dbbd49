use super::*;
use crate::stand_in::{Refusal, StandIn, URL, wish};
use crate::wish::Latency;
use cantus_qos::rtsp::Profile;

/// Client and server exchange what they have until both are silent; the news.
fn converse(client: &mut Client, server: &mut StandIn, now: MonoTime) -> Vec<News> {
    let mut news = Vec::new();
    loop {
        let told = std::iter::from_fn(|| client.pop_news(now)).count_into(&mut news);
        let mut said = 0;
        while let Some(data) = client.pop_control() {
            for answer in server.answer(&data) {
                client.receive(now, answer.as_bytes());
            }
            said += 1;
        }
        if told + said == 0 {
            return news;
        }
    }
}

trait CountInto: Iterator + Sized {
    fn count_into(self, out: &mut Vec<Self::Item>) -> usize {
        let before = out.len();
        out.extend(self);
        out.len() - before
    }
}

impl<I: Iterator> CountInto for I {}

fn begun(wish: Wish, server: &mut StandIn) -> (Client, Vec<News>) {
    let mut client = Client::new(wish);
    client.start(MonoTime::ZERO);
    let news = converse(&mut client, server, MonoTime::ZERO);
    (client, news)
}

fn playing(news: &[News]) -> &Playing {
    let playing = news.iter().find_map(|news| match news {
        News::Playing(playing) => Some(playing),
        _ => None,
    });
    playing.unwrap_or_else(|| panic!("it does not play: {news:?}"))
}

fn failure(news: &[News]) -> String {
    let failure = news.iter().find_map(|news| match news {
        News::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    failure.unwrap_or_else(|| panic!("it does not fail: {news:?}"))
}

fn refusing(on: &'static str, status: &'static str, headers: &'static str) -> StandIn {
    let mut server = StandIn::new(100);
    server.refusals.push(Refusal { on, status, headers });
    server
}

#[test]
fn one_of_us_gets_every_setup_and_play_at_once() {
    let mut server = StandIn::new(100);
    let mut client = Client::new(wish());
    client.start(MonoTime::ZERO);
    let describe = client.pop_control().unwrap();
    let answers = server.answer(&describe);
    client.receive(MonoTime::ZERO, answers[0].as_bytes());
    let requests: Vec<Bytes> = std::iter::from_fn(|| client.pop_control()).collect();
    assert_eq!(requests.len(), 4, "three tracks and PLAY, without waiting");
    let grouped =
        |request: &Bytes| String::from_utf8_lossy(request).contains("Pipelined-Requests: 1\r\n");
    assert!(requests.iter().all(grouped), "{requests:?}");
}

#[test]
fn another_server_gets_one_request_after_the_other_within_its_session() {
    let mut server = StandIn::new(100);
    server.cantus = false;
    let mut client = Client::new(wish());
    client.start(MonoTime::ZERO);
    for expected in ["DESCRIBE talk", "SETUP talk/audio", "SETUP talk/repair", "SETUP talk/text"] {
        let request = client.pop_control().unwrap();
        assert!(client.pop_control().is_none(), "one at a time");
        let answers = server.answer(&request);
        assert_eq!(server.asked.last().unwrap(), expected);
        client.receive(MonoTime::ZERO, answers[0].as_bytes());
    }
    let play = client.pop_control().unwrap();
    assert!(String::from_utf8_lossy(&play).contains("Session: 12\r\n"));
}

#[test]
fn each_track_of_another_server_is_asked_for_by_the_profile_that_it_is_described_with() {
    for (profile, asked) in [(Profile::Avp, "RTP/AVP/"), (Profile::Avpf, "RTP/AVPF/")] {
        let mut server = StandIn::new(100);
        server.cantus = false;
        server.description.tracks.truncate(1);
        server.description.tracks[0].profile = profile;
        let mut client = Client::new(wish());
        client.start(MonoTime::ZERO);
        let describe = client.pop_control().unwrap();
        client.receive(MonoTime::ZERO, server.answer(&describe)[0].as_bytes());
        let setup = client.pop_control().unwrap();
        let transport = format!("Transport: {asked}");
        assert!(String::from_utf8_lossy(&setup).contains(&transport), "{profile}");
    }
}

#[test]
fn repair_and_subtitles_may_be_refused_and_sound_may_not() {
    let mut server = refusing("SETUP talk/text", "404 No", "");
    let (_, news) = begun(wish(), &mut server);
    let names: Vec<&str> = playing(&news).flows.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(names, ["audio"]);
    let mut server = refusing("SETUP talk/audio", "461 Unsupported Transport", "");
    let (client, news) = begun(wish(), &mut server);
    let why = "rtsp://test/talk: the server answers SETUP with 461: Unsupported Transport";
    assert_eq!(failure(&news), why);
    assert_eq!(client.next_deadline(), None, "nothing more will come of it");
}

#[test]
fn a_full_server_tells_what_would_be_possible() {
    let granted = "Cantus-QoS: rate<=20000\r\n";
    let mut server = refusing("SETUP talk/audio", "453 Not Enough Bandwidth", granted);
    let (_, news) = begun(wish(), &mut server);
    let why = "the server is full: at most 20 kbit/s would be possible";
    assert_eq!(failure(&news), format!("{URL}: {why}"));
    let mut server = refusing("SETUP talk/audio", "503 All Seats Taken", "");
    let (_, news) = begun(wish(), &mut server);
    assert_eq!(failure(&news), format!("{URL}: the server is full: All Seats Taken"));
}

#[test]
fn what_the_server_does_not_have_is_named() {
    let (_, news) = begun(wish(), &mut refusing("DESCRIBE", "404 Not Found", ""));
    assert!(failure(&news).starts_with("rtsp://test/talk: no such presentation"));
    let mut server = StandIn::new(100);
    server.description.tracks.remove(0);
    let (_, news) = begun(wish(), &mut server);
    assert_eq!(failure(&news), format!("{URL} has no audio track that can be played"));
}

#[test]
fn opus_is_asked_for_80_ms_before_the_wished_place_and_l16_is_not() {
    let asked = |mut server: StandIn, from: i64| {
        let mut wish = wish();
        wish.from = MediaTime::from_millis(from);
        wish.length = Some(MediaTime::from_millis(500));
        let (_, news) = begun(wish, &mut server);
        assert_eq!(playing(&news).from, MediaTime::from_millis(from), "heard from");
        server.asked.last().unwrap().clone()
    };
    assert_eq!(asked(StandIn::opus(100), 1_005), "PLAY npt=0.925-1.505");
    assert_eq!(asked(StandIn::opus(100), 80), "PLAY npt=0.000-0.580");
    assert_eq!(asked(StandIn::opus(100), 30), "PLAY npt=0.000-0.530");
    assert_eq!(asked(StandIn::new(100), 1_005), "PLAY npt=1.005-1.505");
}

#[test]
fn sound_begins_where_a_server_that_cannot_seek_begins() {
    let mut wish = wish();
    wish.from = MediaTime::from_millis(1_000);
    let from = |range| {
        let mut server = StandIn::opus(100);
        server.range = Some(range);
        let (_, news) = begun(wish.clone(), &mut server);
        playing(&news).from.as_millis()
    };
    assert_eq!(from("npt=0.920-2.000"), 1_000);
    assert_eq!(from("npt=0.750-2.000"), 1_000);
    assert_eq!(from("npt=0.749-2.000"), 749);
    assert_eq!(from("npt=1.001-2.000"), 1_001);
    assert_eq!(from("npt=0.000-2.000"), 0);
}

#[test]
fn a_range_that_holds_nothing_is_an_error() {
    let mut server = StandIn::new(100);
    server.range = Some("npt=2.000-2.000");
    let (_, news) = begun(wish(), &mut server);
    assert_eq!(failure(&news), format!("{URL}: there is nothing to play from 2.0 s on"));
}

#[test]
fn the_wished_quality_is_asked_for_and_the_mode_with_it() {
    let mut wish = wish();
    wish.latency = Latency::Stored;
    let mut client = Client::new(wish);
    client.start(MonoTime::ZERO);
    let mut server = StandIn::new(100);
    let describe = client.pop_control().unwrap();
    client.receive(MonoTime::ZERO, server.answer(&describe)[0].as_bytes());
    let setup = client.pop_control().unwrap();
    assert!(String::from_utf8_lossy(&setup).contains("Cantus-QoS: mode=stored\r\n"));
}

#[test]
fn a_server_that_never_answers_is_given_up_after_ten_seconds() {
    let mut client = Client::new(wish());
    client.start(MonoTime::ZERO);
    assert_eq!(client.next_deadline(), Some(MonoTime::from_millis(10_000)));
    assert!(client.pop_news(MonoTime::from_millis(9_999)).is_none());
    let news: Vec<News> = client.pop_news(MonoTime::from_millis(10_000)).into_iter().collect();
    assert_eq!(failure(&news), "the server has not answered DESCRIBE for 10 s");
}

#[test]
fn signs_of_life_go_out_and_nobody_hangs_up_for_a_late_answer() {
    let mut server = StandIn::new(100);
    let (mut client, _) = begun(wish(), &mut server);
    for at in [1_000, 6_000] {
        let at = MonoTime::from_millis(at);
        assert_eq!(client.next_deadline(), Some(at));
        converse(&mut client, &mut server, at);
        assert_eq!(server.asked.last().unwrap(), "GET_PARAMETER talk");
    }
    for at in 11..60 {
        let news = client.pop_news(MonoTime::from_millis(at * 1_000));
        assert!(news.is_none(), "{news:?}");
    }
    assert!(client.pop_control().is_some(), "asked, and not answered");
}

#[test]
fn a_session_that_was_asked_for_is_torn_down_before_it_was_granted() {
    let mut server = StandIn::new(100);
    let mut client = Client::new(wish());
    client.start(MonoTime::ZERO);
    let describe = client.pop_control().unwrap();
    client.receive(MonoTime::ZERO, server.answer(&describe)[0].as_bytes());
    client.teardown(MonoTime::ZERO);
    let requests: Vec<Bytes> = std::iter::from_fn(|| client.pop_control()).collect();
    let last = String::from_utf8_lossy(requests.last().unwrap()).into_owned();
    assert!(last.starts_with("TEARDOWN "), "{last}");
    assert!(last.contains("Pipelined-Requests: 1\r\n"), "{last}");
    assert_eq!(client.next_deadline(), None, "nobody waits for the answer");
}

#[test]
fn nothing_is_torn_down_where_nothing_was_set_up() {
    let mut client = Client::new(wish());
    client.start(MonoTime::ZERO);
    client.pop_control().unwrap();
    client.teardown(MonoTime::ZERO);
    assert!(client.pop_control().is_none());
}

#[test]
fn sample_rates_that_nobody_sends_are_not_played() {
    use cantus_qos::payload::AudioFormat;
    use cantus_qos::spec::sdp::Medium;
    use cantus_qos::time::ClockRate;
    for (hz, plays) in [(7_999, false), (8_000, true), (192_000, true), (192_001, false)] {
        let mut server = StandIn::new(100);
        server.description.tracks[0].medium = Medium::Audio {
            codec: AudioCodec::L16,
            format: AudioFormat { rate: ClockRate::new(hz).unwrap(), channels: 1 },
            packet_time: MediaTime::from_millis(20),
            longest: None,
        };
        let (_, news) = begun(wish(), &mut server);
        let failed = news.iter().any(|news| matches!(news, News::Failed(_)));
        assert_eq!(failed, !plays, "{hz} Hz");
    }
}
