//! OPTIONS and DESCRIBE: who is offered what.

use cantus_qos::fec::Scheme;
use cantus_qos::fec::block::Layout;
use cantus_qos::spec::sdp::{AudioCodec, Medium};

use crate::house::{House, description, header, status};

const CANTUS: (&str, &str) = ("Supported", "cantus.media");

#[test]
fn options_tells_the_methods_for_a_url_and_for_the_server() {
    let mut house = House::new();
    let client = house.tcp();
    let answer = house.ask(client, "OPTIONS", "/narration", &[]);
    assert_eq!(status(&answer), 200);
    let methods = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN";
    assert_eq!(header(&answer, "Public"), methods);
    house.send(client, b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n");
    assert_eq!(status(&house.answers(client)[0]), 200);
}

#[test]
fn one_of_ours_is_offered_sound_repair_and_every_language() {
    let mut house = House::new();
    let client = house.quic();
    let answer = house.ask(client, "DESCRIBE", "/narration", &[CANTUS]);
    assert_eq!(status(&answer), 200);
    assert_eq!(header(&answer, "Content-Base"), "rtsp://host/narration/");
    assert_eq!(header(&answer, "Supported"), "cantus.media");
    let tracks = description(&answer).tracks;
    let languages: Vec<&str> = tracks.iter().filter_map(language).collect();
    assert_eq!(languages, ["en", "fr", "vi"]);
    let repair = tracks.iter().filter_map(|track| match &track.medium {
        Medium::Repair { protects, scheme } if protects == "opus/1" => Some(*scheme),
        _ => None,
    });
    let repair: Vec<Scheme> = repair.collect();
    assert_eq!(repair, [Scheme::Sliding, Scheme::Block(Layout::Adu)]);
    let audio = &tracks[0];
    assert!(matches!(audio.medium, Medium::Audio { codec: AudioCodec::Opus, .. }));
    assert!(audio.send_time_id.is_some());
}

fn language(track: &cantus_qos::spec::sdp::Track) -> Option<&str> {
    match &track.medium {
        Medium::Text { language } => Some(language),
        _ => None,
    }
}

#[test]
fn any_other_client_is_shown_plain_sound_and_nothing_else() {
    let mut house = House::new();
    let client = house.tcp();
    let answer = house.ask(client, "DESCRIBE", "/narration", &[("Accept", "application/sdp")]);
    let sdp = String::from_utf8(answer.body().clone()).unwrap();
    assert_eq!(sdp.matches("m=").count(), 1, "{sdp}");
    // What it does not know, it passes over: packets that come again have the second type.
    assert!(sdp.contains("m=audio 0 RTP/AVPF 96 97\r\n"), "{sdp}");
    assert!(!sdp.contains("extmap") && !sdp.contains("FEC"), "{sdp}");
}

#[test]
fn the_codec_of_the_query_is_described() {
    let mut house = House::new();
    let client = house.tcp();
    let answer = house.ask(client, "DESCRIBE", "/duet?codec=l16", &[]);
    let tracks = description(&answer).tracks;
    assert_eq!(tracks.len(), 2);
    assert_eq!(tracks[1].control, "l16/2");
    assert_eq!(header(&answer, "Content-Base"), "rtsp://host/duet/");
    assert_eq!(status(&house.ask(client, "DESCRIBE", "/duet?codec=mp3", &[])), 404);
}

#[test]
fn the_catalogue_is_json_where_json_is_accepted() {
    let mut house = House::new();
    let client = house.tcp();
    for accept in [&[("Accept", "application/json")][..], &[("Accept", "text/html, */*")], &[]] {
        let answer = house.ask(client, "DESCRIBE", "/", accept);
        assert_eq!(status(&answer), 200, "{accept:?}");
        assert_eq!(header(&answer, "Content-Type"), "application/json");
        let listing: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        let names = listing["presentations"].as_array().unwrap().iter().map(|it| &it["name"]);
        assert!(names.into_iter().any(|name| name == "narration"), "{listing}");
    }
    for accept in ["application/sdp", "application/json;q=0", "text/*"] {
        assert_eq!(status(&house.ask(client, "DESCRIBE", "/", &[("Accept", accept)])), 406);
    }
}

#[test]
fn a_presentation_is_described_only_where_sdp_is_accepted() {
    let mut house = House::new();
    let client = house.tcp();
    for (accept, expected) in
        [("application/sdp", 200), ("application/*", 200), ("application/json", 406)]
    {
        let answer = house.ask(client, "DESCRIBE", "/duet", &[("Accept", accept)]);
        assert_eq!(status(&answer), expected, "{accept}");
    }
}

#[test]
fn what_is_required_and_not_there_is_named() {
    let mut house = House::new();
    let client = house.tcp();
    let answer =
        house.ask(client, "DESCRIBE", "/duet", &[("Require", "cantus.media, time.travel")]);
    assert_eq!(status(&answer), 551);
    assert_eq!(header(&answer, "Unsupported"), "time.travel");
    assert_eq!(status(&house.ask(client, "OPTIONS", "/", &[("Require", "cantus.media")])), 200);
}
