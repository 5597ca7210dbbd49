use std::time::Duration;

use proptest::prelude::*;

use crate::roq::FlowId;
use crate::rtp::{RtpTimestamp, Sequence, Ssrc};
use crate::rtsp::{
    NptRange, NptStart, Profile, RtpInfo, SessionHeader, Transport, TransportHeader,
};
use crate::time::MediaTime;

fn udp(client: (u16, u16)) -> Transport {
    Transport::Udp {
        profile: Profile::Avp,
        client,
        server: None,
        destination: None,
        multicast: false,
        ssrc: None,
    }
}

#[test]
fn udp_transports_of_real_clients_are_read() {
    // ffmpeg, GStreamer, a client that names one port only.
    for (text, client) in [
        ("RTP/AVP/UDP;unicast;client_port=24576-24577", (24_576, 24_577)),
        ("RTP/AVP;unicast;client_port=5000-5001;mode=\"PLAY\"", (5_000, 5_001)),
        ("RTP/AVP;unicast;client_port=5000", (5_000, 5_001)),
    ] {
        assert_eq!(text.parse(), Ok(udp(client)), "{text}");
    }
}

#[test]
fn the_answer_of_a_server_is_read() {
    let text = "RTP/AVPF;unicast;destination=10.0.0.2;source=10.0.0.1;client_port=5000-5001;\
                server_port=6000-6001;ssrc=0A0B0C0D;mode=\"play\"";
    let transport = Transport::Udp {
        profile: Profile::Avpf,
        client: (5_000, 5_001),
        server: Some((6_000, 6_001)),
        destination: Some("10.0.0.2".to_owned()),
        multicast: false,
        ssrc: Some(Ssrc(0x0a0b_0c0d)),
    };
    assert_eq!(text.parse(), Ok(transport.clone()));
    assert_eq!(
        transport.to_string(),
        "RTP/AVPF;unicast;destination=10.0.0.2;client_port=5000-5001;server_port=6000-6001;\
         ssrc=0A0B0C0D"
    );
}

#[test]
fn multicast_ports_are_those_of_the_group() {
    let text = "RTP/AVP;multicast;destination=224.2.0.1;port=3456-3457";
    let transport: Transport = text.parse().unwrap();
    assert!(matches!(transport, Transport::Udp { multicast: true, client: (3_456, 3_457), .. }));
    assert_eq!(transport.to_string(), text);
}

#[test]
fn quic_and_interleaved_transports_are_read() {
    let quic =
        Transport::Quic { profile: Profile::Avpf, flow: FlowId::new(1).unwrap(), ssrc: None };
    assert_eq!("RTP/AVPF/QUIC;unicast;flow=1".parse(), Ok(quic.clone()));
    assert_eq!(quic.to_string(), "RTP/AVPF/QUIC;unicast;flow=1");
    let tcp = Transport::Interleaved { profile: Profile::Avp, channels: (0, 1), ssrc: None };
    assert_eq!("RTP/AVP/TCP;unicast;interleaved=0-1;mode=play".parse(), Ok(tcp));
}

#[test]
fn alternatives_keep_their_order_and_unknown_ones_stand_apart() {
    let header = TransportHeader::parse(
        "RTP/SAVP;unicast;client_port=1-2, RTP/AVP/TCP;interleaved=0-1,RTP/AVP;unicast;\
         client_port=5000-5001,RAW/RAW/UDP;unicast,,",
    );
    let [Transport::Interleaved { .. }, second] = header.alternatives.as_slice() else {
        panic!("{header:?}");
    };
    assert_eq!(second, &udp((5_000, 5_001)));
    assert_eq!(header.unknown, ["RTP/SAVP;unicast;client_port=1-2", "RAW/RAW/UDP;unicast"]);
}

#[test]
fn transports_that_lack_what_they_need_are_refused() {
    for text in [
        "",
        "RTP",
        "RTP/AVP;unicast",
        "RTP/AVP;unicast;client_port=70000-70001",
        "RTP/AVP;unicast;client_port=65535",
        "RTP/AVP;unicast;client_port=a-b",
        "RTP/AVP;multicast;client_port=1-2",
        "RTP/AVP;unicast;client_port=1-2;mode=record",
        "RTP/AVP/TCP;unicast",
        "RTP/AVP/TCP;interleaved=255",
        "RTP/AVPF/QUIC;unicast",
        "RTP/AVPF/QUIC;unicast;flow=0",
        "RTP/AVPF/QUIC;unicast;flow=4611686018427387904",
        "RTP/AVPF/SCTP;unicast",
    ] {
        assert!(text.parse::<Transport>().is_err(), "{text}");
    }
}

#[test]
fn ranges_are_read_in_both_notations() {
    let millis = MediaTime::from_millis;
    let range = |start, end| NptRange { start: NptStart::At(millis(start)), end };
    let open = |start| range(start, None);
    for (text, expected) in [
        ("npt=30-40", range(30_000, Some(millis(40_000)))),
        ("npt=0.000-", open(0)),
        ("npt=0:01:30.5-", open(90_500)),
        ("npt = 12:34:56.789-; time=19970123T143720Z", open(45_296_789)),
        ("npt=now-", NptRange { start: NptStart::Now, end: None }),
        ("npt=-40", NptRange { start: NptStart::Now, end: Some(millis(40_000)) }),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
    assert_eq!(range(90_500, Some(millis(100_000))).to_string(), "npt=90.500-100.000");
    assert_eq!(NptRange { start: NptStart::Now, end: None }.to_string(), "npt=now-");
}

#[test]
fn what_is_no_range_is_refused() {
    for text in [
        "",
        "npt",
        "npt=",
        "npt=-",
        "npt=5",
        "npt=a-",
        "npt=0:60:00-",
        "npt=0:00:60-",
        "npt=1:2-",
        "npt=1:2:3:4-",
        "npt=-1-2",
        "npt=+1-2",
        "npt=1.2.3-",
        "npt=99999999999-",
        "npt=99999999999999999999-",
        "clock=19961108T142300Z-",
        "smpte=10:07:00-",
    ] {
        assert!(text.parse::<NptRange>().is_err(), "{text}");
    }
}

#[test]
fn rtp_info_tells_where_each_stream_begins() {
    let text = "url=rtsp://host/a,b;v=1/track1;seq=45102;rtptime=12345678, \
                url=track2;rtptime=9;ssrc=1";
    let list = RtpInfo::parse_list(text);
    let expected = [
        RtpInfo {
            url: "rtsp://host/a,b;v=1/track1".to_owned(),
            sequence: Some(Sequence(45_102)),
            timestamp: Some(RtpTimestamp(12_345_678)),
        },
        RtpInfo { url: "track2".to_owned(), sequence: None, timestamp: Some(RtpTimestamp(9)) },
    ];
    assert_eq!(list, expected);
    assert_eq!(
        RtpInfo::list_text(&list),
        "url=rtsp://host/a,b;v=1/track1;seq=45102;rtptime=12345678,url=track2;rtptime=9"
    );
}

#[test]
fn rtp_info_without_url_or_with_wrong_numbers_says_less() {
    assert_eq!(RtpInfo::parse_list(""), []);
    assert_eq!(RtpInfo::parse_list("seq=1;rtptime=2"), []);
    let [info] = RtpInfo::parse_list("url=a;seq=70000;rtptime=-1").try_into().unwrap();
    assert_eq!(info, RtpInfo { url: "a".to_owned(), sequence: None, timestamp: None });
}

#[test]
fn a_session_has_an_identifier_and_perhaps_a_timeout() {
    let session = |id: &str, timeout: Option<u64>| SessionHeader {
        id: id.to_owned(),
        timeout: timeout.map(Duration::from_secs),
    };
    assert_eq!("12345678".parse(), Ok(session("12345678", None)));
    assert_eq!("ab-_.$ ; Timeout = 60".parse(), Ok(session("ab-_.$", Some(60))));
    assert_eq!("ab;timeout=soon".parse(), Ok(session("ab", None)));
    assert_eq!(session("ab", Some(60)).to_string(), "ab;timeout=60");
    for text in ["", ";timeout=60", "a b", "a\tb"] {
        assert!(text.parse::<SessionHeader>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_a_header(text in "\\PC{0,60}") {
        let _ = TransportHeader::parse(&text);
        let _ = text.parse::<NptRange>();
        let _ = RtpInfo::parse_list(&text);
        let _ = text.parse::<SessionHeader>();
    }

    #[test]
    fn transports_read_write_back_to_the_same(text in
        "RTP/AVPF?(/UDP|/TCP|/QUIC)?;(unicast|multicast)(;(client_port|port|server_port|\
         interleaved|flow|ssrc|destination)=[0-9a-f]{1,5}(-[0-9]{1,3})?){0,5}"
    ) {
        for transport in TransportHeader::parse(&text).alternatives {
            prop_assert_eq!(transport.to_string().parse(), Ok(transport));
        }
    }

    #[test]
    fn ranges_survive_the_wire_to_the_flick(
        start in prop::option::of(0i64..1 << 50), end in prop::option::of(0i64..1 << 50),
    ) {
        let start = start.map_or(NptStart::Now, |at| NptStart::At(MediaTime::from_flicks(at)));
        let range = NptRange { start, end: end.map(MediaTime::from_flicks) };
        prop_assert_eq!(range.to_string().parse(), Ok(range));
    }

    #[test]
    fn rtp_info_read_writes_back_to_the_same(text in
        "((url=|URL=)[a-z/,;=]{0,8}(;seq=[0-9]{0,5}|;rtptime=[0-9]{1,4}|;[a-z]=1){0,3}, ?){0,4}"
    ) {
        let list = RtpInfo::parse_list(&text);
        prop_assert_eq!(RtpInfo::parse_list(&RtpInfo::list_text(&list)), list);
    }

    #[test]
    fn sessions_survive_the_wire(text in "[0-9A-Za-z$_.+-]{1,20}(;[a-z]{1,7}=?[0-9]{0,22}){0,2}") {
        let session: SessionHeader = text.parse().unwrap();
        prop_assert_eq!(session.to_string().parse(), Ok(session));
    }
}
