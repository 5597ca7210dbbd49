use proptest::prelude::*;

use super::*;
use crate::fec::block::Layout;
use crate::payload::l16;

fn payload_type(number: u8) -> PayloadType {
    PayloadType::new(number).unwrap()
}

fn audio(codec: AudioCodec, format: AudioFormat, packet_time: MediaTime) -> Medium {
    Medium::Audio { codec, format, packet_time, longest: None }
}

fn track(number: u8, control: &str, medium: Medium) -> Track {
    Track {
        control: control.to_owned(),
        name: String::new(),
        medium,
        payload_type: payload_type(number),
        send_time_id: None,
        profile: Profile::Avp,
        retransmission: None,
        congestion_feedback: false,
    }
}

fn opus(number: u8, control: &str, format: AudioFormat) -> Track {
    track(number, control, audio(AudioCodec::Opus, format, MediaTime::from_millis(20)))
}

pub(super) fn opus_mono(number: u8) -> Track {
    opus(number, "", AudioFormat::OPUS_MONO)
}

pub(super) fn l16_stereo(number: u8) -> Track {
    let format = AudioFormat::new(44_100, 2).unwrap();
    let packet_time = format.duration(l16::frames_per_packet(format));
    track(number, "", audio(AudioCodec::L16, format, packet_time))
}

fn parse(sdp: &str) -> Description {
    Description::parse(sdp.as_bytes()).unwrap()
}

fn presentation() -> Description {
    let mut narration = opus(96, "audio", AudioFormat::OPUS_STEREO);
    narration.name = "Narration".to_owned();
    narration.send_time_id = ExtensionId::new(1);
    narration.congestion_feedback = true;
    let repair =
        Medium::Repair { protects: "audio".to_owned(), scheme: Scheme::Block(Layout::Adu) };
    Description {
        title: "A walk".to_owned(),
        duration: Some(MediaTime::from_millis(90_500)),
        tracks: vec![
            narration,
            track(98, "en", Medium::Text { language: "en".to_owned() }),
            track(99, "repair", repair),
        ],
    }
}

#[test]
fn a_presentation_is_written_as_documented() {
    let expected = "v=0\n\
        o=- 0 0 IN IP4 0.0.0.0\n\
        s=A walk\n\
        c=IN IP4 0.0.0.0\n\
        t=0 0\n\
        a=control:*\n\
        a=range:npt=0.000-90.500\n\
        a=group:FEC-FR 0 2\n\
        m=audio 0 RTP/AVP 96\n\
        i=Narration\n\
        a=rtpmap:96 opus/48000/2\n\
        a=fmtp:96 sprop-stereo=1;stereo=1\n\
        a=ptime:20\n\
        a=control:audio\n\
        a=extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n\
        a=rtcp-fb:* ack ccfb\n\
        a=mid:0\n\
        m=text 0 RTP/AVP 98\n\
        a=rtpmap:98 x-cantus-cue/1000\n\
        a=lang:en\n\
        a=control:en\n\
        m=application 0 UDP/FEC 99\n\
        a=fec-repair-flow: encoding-id=8; ss-fssi=E:1173,S:0,m:8\n\
        a=control:repair\n\
        a=mid:2\n";
    let written = presentation().to_sdp();
    assert_eq!(written, expected.replace('\n', "\r\n"));
    assert_eq!(parse(&written), presentation());
}

#[test]
fn a_track_may_be_offered_repair_of_more_than_one_scheme() {
    let mut description = presentation();
    let scheme = Scheme::Sliding;
    let sliding = Medium::Repair { protects: "audio".to_owned(), scheme };
    description.tracks.push(track(99, "sliding", sliding));
    let written = description.to_sdp();
    assert!(written.contains("a=group:FEC-FR 0 2\r\na=group:FEC-FR 0 3\r\n"), "{written}");
    let flow = "a=fec-repair-flow: encoding-id=10; ss-fssi=E:1173,WSR:127\r\n";
    assert!(written.contains(flow), "{written}");
    assert_eq!(parse(&written), description);
}

#[test]
fn a_plain_description_has_nothing_that_a_plain_client_does_not_know() {
    let description = Description {
        title: String::new(),
        duration: None,
        tracks: vec![opus(96, "audio", AudioFormat::OPUS_MONO)],
    };
    let written = description.to_sdp();
    assert_eq!(
        written.replace("\r\n", "\n"),
        "v=0\no=- 0 0 IN IP4 0.0.0.0\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\na=control:*\n\
         m=audio 0 RTP/AVP 96\na=rtpmap:96 opus/48000/2\na=fmtp:96 sprop-stereo=0;stereo=0\n\
         a=ptime:20\na=control:audio\n"
    );
    assert_eq!(parse(&written), description);
}

#[test]
fn what_is_sent_again_is_announced_as_rfc_4588_has_it() {
    for reduced_size in [false, true] {
        let time = Duration::from_millis(3_000);
        let retransmission =
            Some(Retransmission { payload_type: payload_type(97), time, reduced_size });
        let profile = Profile::Avpf;
        let track = Track { profile, retransmission, ..opus(96, "audio", AudioFormat::OPUS_MONO) };
        let description = Description { tracks: vec![track], ..Default::default() };
        let written = description.to_sdp();
        let rsize = if reduced_size { "a=rtcp-rsize\n" } else { "" };
        let expected = format!(
            "m=audio 0 RTP/AVPF 96 97\nb=RS:2500\nb=RR:20000\na=rtpmap:96 opus/48000/2\n\
             a=fmtp:96 sprop-stereo=0;stereo=0\na=rtcp-fb:96 nack\n{rsize}\
             a=rtpmap:97 rtx/48000/2\na=fmtp:97 apt=96;rtx-time=3000\na=ptime:20\n"
        );
        assert!(written.replace("\r\n", "\n").contains(&expected), "{written}");
        assert_eq!(parse(&written), description);
    }
}

#[test]
fn l16_tells_rate_channels_and_packets_of_odd_length() {
    let track = Track { control: "1".to_owned(), ..l16_stereo(10) };
    let description = Description { tracks: vec![track], ..Default::default() };
    let written = description.to_sdp();
    assert!(written.contains("a=rtpmap:10 L16/44100/2\r\na=ptime:4.988662\r\n"), "{written}");
    assert_eq!(parse(&written), description, "to the frame");
}

#[test]
fn what_ffmpeg_sends_is_read() {
    let description = parse(
        "SDP:\nv=0\no=- 0 0 IN IP4 127.0.0.1\ns=No Name\nc=IN IP4 127.0.0.1\nt=0 0\n\
         a=tool:libavformat 60.16.100\nm=audio 5004 RTP/AVP 97\nb=AS:96\n\
         a=rtpmap:97 opus/48000/2\na=fmtp:97 sprop-stereo=1\n",
    );
    assert_eq!(description.title, "No Name");
    assert_eq!(description.duration, None);
    assert_eq!(description.tracks, [opus(97, "", AudioFormat::OPUS_STEREO)]);
}

#[test]
fn static_payload_types_need_no_map() {
    let of = |number: u8| {
        let sdp = format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio 5004 RTP/AVP {number}\r\nb=AS:1411\r\n"
        );
        parse(&sdp).tracks
    };
    let l16 = |number, channels| {
        let format = AudioFormat::new(44_100, channels).unwrap();
        track(number, "", audio(AudioCodec::L16, format, MediaTime::from_millis(20)))
    };
    assert_eq!(of(10), [l16(10, 2)]);
    assert_eq!(of(11), [l16(11, 1)]);
    let g711 = |number, codec| {
        let telephone = AudioFormat::new(8_000, 1).unwrap();
        track(number, "", audio(codec, telephone, MediaTime::from_millis(20)))
    };
    assert_eq!(of(0), [g711(0, AudioCodec::Pcmu)]);
    assert_eq!(of(8), [g711(8, AudioCodec::Pcma)]);
    assert_eq!(of(3), [], "GSM is not ours");
}

#[test]
fn what_ffmpeg_writes_beside_what_it_sends_tells_where_that_comes() {
    let sdp = "SDP:\nv=0\no=- 0 0 IN IP4 127.0.0.1\ns=No Name\nc=IN IP4 239.1.2.3/16\nt=0 0\n\
        a=tool:libavformat 59.27.100\nm=audio 5004 RTP/AVP 97\nb=AS:96\n\
        a=rtpmap:97 opus/48000/2\na=fmtp:97 sprop-stereo=1\n\
        m=video 5008 RTP/AVP 98\na=rtpmap:98 H264/90000\n\
        m=audio 5006 RTP/AVP 0\nc=IN IP4 127.0.0.1\na=rtcp-mux\n\
        m=audio 5010 RTP/AVP 10\na=rtcp:5020 IN IP4 192.0.2.1\n\
        m=audio 0 RTP/AVP 8\n";
    let (description, destinations) = Description::parse_placed(sdp.as_bytes()).unwrap();
    let numbers = description.tracks.iter().map(|track| track.payload_type.get());
    assert_eq!(numbers.collect::<Vec<_>>(), [97, 0, 10], "nothing comes to port 0");
    let at = |address: &str| address.parse().unwrap();
    let expected = [
        (at("239.1.2.3:5004"), at("239.1.2.3:5005")),
        (at("127.0.0.1:5006"), at("127.0.0.1:5006")),
        (at("239.1.2.3:5010"), at("192.0.2.1:5020")),
    ];
    assert_eq!(destinations, expected.map(|(rtp, rtcp)| Destination { rtp, rtcp }));
    assert!(destinations[1].is_shared());
}

#[test]
fn what_does_not_tell_where_it_comes_is_not_waited_for() {
    for lines in ["", "c=IN IP4 localhost\r\n", "c=IN IP6 x/1\r\n"] {
        let sdp = format!("v=0\r\ns=x\r\n{lines}t=0 0\r\nm=audio 65535 RTP/AVP 0\r\n");
        let (description, destinations) = Description::parse_placed(sdp.as_bytes()).unwrap();
        assert_eq!((description.tracks.len(), destinations.len()), (0, 0), "{lines}");
    }
}

#[test]
fn what_the_gstreamer_server_sends_is_read() {
    let description = parse(
        "v=0\r\no=- 1188340656180883 1 IN IP4 127.0.0.1\r\ns=Session streamed with GStreamer\r\n\
         i=rtsp-server\r\nt=0 0\r\na=tool:GStreamer\r\na=type:broadcast\r\n\
         a=control:rtsp://127.0.0.1:8554/test/\r\na=range:npt=0-12.5\r\n\
         m=video 0 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\nb=AS:2000\r\n\
         a=rtpmap:96 H264/90000\r\na=framerate:30\r\n\
         a=fmtp:96 packetization-mode=1;profile-level-id=42c015;sprop-parameter-sets=Z0LAFdk=,aMuBcsg=\r\n\
         a=control:rtsp://127.0.0.1:8554/test/stream=0\r\na=ts-refclk:local\r\n\
         m=audio 0 RTP/AVPF 97 99\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:97 OPUS/48000/2\r\n\
         a=rtcp-fb:97 nack\r\na=fmtp:97 sprop-maxcapturerate=48000; sprop-stereo=0\r\n\
         a=rtpmap:99 rtx/48000\r\na=fmtp:99 apt=97\r\n\
         a=extmap:3/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
         a=control:rtsp://127.0.0.1:8554/test/stream=1\r\na=mediaclk:sender\r\n\
         m=audio 0 RTP/AVP 98\r\na=rtpmap:98 L16/16000\r\na=ptime:10\r\na=control:stream=2\r\n",
    );
    let control = "rtsp://127.0.0.1:8554/test/stream=1";
    let mut first = opus(97, control, AudioFormat::OPUS_MONO);
    first.send_time_id = ExtensionId::new(3);
    first.profile = Profile::Avpf;
    let (payload_type, time) = (payload_type(99), Duration::ZERO);
    first.retransmission = Some(Retransmission { payload_type, time, reduced_size: false });
    let format = AudioFormat::new(16_000, 1).unwrap();
    let second = audio(AudioCodec::L16, format, MediaTime::from_millis(10));
    assert_eq!(description.title, "Session streamed with GStreamer");
    assert_eq!(description.duration, Some(MediaTime::from_millis(12_500)));
    assert_eq!(description.tracks, [first, track(98, "stream=2", second)]);
}

#[test]
fn what_cannot_be_meant_is_skipped_or_taken_as_the_default() {
    let tracks = |block: &str| parse(&format!("v=0\r\ns=x\r\nt=0 0\r\n{block}")).tracks;
    for block in [
        "m=audio 0 RTP/AVP 96\r\n",
        "m=audio 0 RTP/AVP 200\r\na=rtpmap:200 opus/48000/2\r\n",
        "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 opus/8000/2\r\n",
        "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 L16/48000/6\r\n",
        "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 L16/4294967295/2\r\n",
        "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 L16\r\n",
        "m=text 0 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n",
        "m=application 0 UDP/FEC 99\r\na=fec-repair-flow: encoding-id=6\r\na=mid:1\r\n",
        "m=application 0 UDP/FEC 99\r\na=fec-repair-flow: encoding-id=8\r\na=mid:1\r\n",
    ] {
        assert_eq!(tracks(block), [], "{block}");
    }
    for time in ["0", "-20", "soon", "201", "1e9", "99999999999999999999999999"] {
        let block =
            format!("m=audio 0 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\na=ptime:{time}\r\n");
        assert_eq!(tracks(&block), [opus(96, "", AudioFormat::OPUS_MONO)], "{time}");
    }
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let description = parse(
        "v=0\r\ns=\x1b[2Jtitle\r\nt=0 0\r\nm=text 0 RTP/AVP 98\r\ni=na\x07me\r\n\
         a=rtpmap:98 x-cantus-cue/1000\r\na=lang:\x1ben\r\n",
    );
    assert_eq!(description.title, "[2Jtitle");
    assert_eq!(description.tracks[0].name, "name");
    assert_eq!(description.tracks[0].medium, Medium::Text { language: "en".to_owned() });
}

#[test]
fn what_is_no_description_is_refused() {
    for sdp in ["", "HTTP/1.1 200 OK\r\n", "v=1\r\n", "s=x\r\n", "v=0\r\nm=audio\r\n"] {
        let error = Description::parse(sdp.as_bytes()).unwrap_err();
        assert!(matches!(error, SdpError::Syntax(_)), "{sdp:?}");
    }
    let mut longest = b"v=0\r\ns=".to_vec();
    longest.resize(MAX_SDP, b'x');
    assert!(Description::parse(&longest).is_ok());
    longest.push(b'x');
    let too_long = SdpError::TooLong { bytes: MAX_SDP + 1 };
    assert_eq!(Description::parse(&longest), Err(too_long));
}

fn any_medium() -> impl Strategy<Value = Medium> {
    let time = prop_oneof![
        Just(MediaTime::from_millis(20)),
        (1i64..140_000_000).prop_map(MediaTime::from_flicks)
    ];
    let opus = (any::<bool>(), time.clone()).prop_map(|(stereo, time)| {
        let format = if stereo { AudioFormat::OPUS_STEREO } else { AudioFormat::OPUS_MONO };
        audio(AudioCodec::Opus, format, time)
    });
    let codecs = [AudioCodec::L16, AudioCodec::Pcmu, AudioCodec::Pcma];
    let l16 = (prop::sample::select(codecs.to_vec()), 8_000u32..=192_000, 1u8..=2, time);
    let l16 = l16.prop_map(|(codec, hz, channels, time)| {
        audio(codec, AudioFormat::new(hz, channels).unwrap(), time)
    });
    let text = "[a-z]{2}(-[A-Z]{2})?".prop_map(|language| Medium::Text { language });
    prop_oneof![opus, l16, text]
}

/// A description as a streamer makes it: every track has a control URL of its own, and every
/// repair track protects an audio track.
fn any_description() -> impl Strategy<Value = Description> {
    let tracks = (any_medium(), 0u8..128, "[!-~]{1,5}( [!-~]{1,5})?", 0u8..=15, any::<bool>());
    let tracks = prop::collection::vec(tracks, 0..5);
    ("[!-,.-~]\\PC{0,10}[!-~]", prop::option::of(1i64..1 << 50), tracks).prop_map(
        |(title, duration, media)| {
            let mut tracks = Vec::new();
            for (index, (medium, number, name, id, protected)) in media.into_iter().enumerate() {
                let is_audio = matches!(medium, Medium::Audio { .. });
                let mut track = track(number, &format!("track{index}"), medium);
                track.name = name;
                track.send_time_id = ExtensionId::new(id);
                let protects = track.control.clone();
                tracks.push(track);
                if is_audio && protected {
                    let scheme = match number % 3 {
                        0 => Scheme::Block(Layout::Adu),
                        1 => Scheme::Block(Layout::Rs8m),
                        _ => Scheme::Sliding,
                    };
                    let control = format!("repair{index}");
                    let repair = Medium::Repair { protects, scheme };
                    tracks.push(self::track(number, &control, repair));
                }
            }
            let duration = duration.map(MediaTime::from_flicks);
            Description { title, duration, tracks }
        },
    )
}

proptest! {
    #[test]
    fn descriptions_survive_the_wire(description in any_description()) {
        prop_assert_eq!(Description::parse(description.to_sdp().as_bytes()), Ok(description));
    }

    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        lines in prop::collection::vec(
            "([a-z]=)?(audio|text|application|rtpmap:|fmtp:|extmap:|mid:|group:FEC-FR|\
             fec-repair-flow: encoding-id=8|opus/48000/2|L16/|range:npt=|ptime:| |[0-9]{1,5}|\
             \\PC{0,3}){0,5}",
            0..12,
        ),
    ) {
        let _ = Description::parse(&bytes);
        let _ = Description::parse_placed(&bytes);
        let sdp = format!("v=0\r\n{}", lines.join("\r\n"));
        if let Ok(description) = Description::parse(sdp.as_bytes()) {
            let _ = description.to_sdp();
        }
    }

    #[test]
    fn what_is_read_writes_back_to_the_same(
        description in any_description(), at: prop::sample::Index, byte: u8,
    ) {
        let mut sdp = description.to_sdp().into_bytes();
        let at = at.index(sdp.len());
        sdp[at] = byte;
        if let Ok(read) = Description::parse(&sdp) {
            prop_assert_eq!(Description::parse(read.to_sdp().as_bytes()), Ok(read));
        }
    }
}

#[test]
fn the_longest_packet_is_told_and_read_where_there_is_one() {
    let opus = |longest| Medium::Audio {
        codec: AudioCodec::Opus,
        format: AudioFormat::OPUS_STEREO,
        packet_time: MediaTime::from_millis(20),
        longest,
    };
    for longest in [None, Some(MediaTime::from_millis(60))] {
        let track = track(96, "audio", opus(longest));
        let description = Description { tracks: vec![track], ..Description::default() };
        let written = description.to_sdp();
        assert_eq!(written.contains("a=maxptime:60\r\n"), longest.is_some(), "{written}");
        let read = Description::parse(written.as_bytes()).unwrap();
        assert_eq!(read.tracks[0].medium, opus(longest));
    }
}
