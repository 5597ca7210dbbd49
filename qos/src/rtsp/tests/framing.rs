use bytes::Bytes;
use proptest::prelude::*;
use rtsp_types::{Method, Request, Response, StatusCode, Version, headers};

use crate::rtsp::{
    CANTUS_QOS, FramingError, Incoming, MAX_BODY, MAX_HEAD, MAX_LINE, MessageBuffer,
    write_interleaved, write_request, write_response,
};

const DESCRIBE: &str = "DESCRIBE rtsp://127.0.0.1:8554/narration RTSP/1.0\r\n\
    Accept: application/sdp\r\nCSeq: 2\r\nUser-Agent: Lavf60.16.100\r\n\r\n";

/// Everything in `bytes`, pushed in chunks of `chunk` bytes.
fn read_in_chunks(bytes: &[u8], chunk: usize) -> Result<Vec<Incoming>, FramingError> {
    let mut buffer = MessageBuffer::new();
    let mut messages = Vec::new();
    for chunk in bytes.chunks(chunk) {
        buffer.push(chunk);
        while let Some(message) = buffer.next()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

fn read(bytes: &[u8]) -> Result<Vec<Incoming>, FramingError> {
    read_in_chunks(bytes, usize::MAX)
}

fn request(bytes: &[u8]) -> Request<Vec<u8>> {
    match read(bytes).unwrap().as_slice() {
        [Incoming::Request(request)] => request.clone(),
        other => panic!("not one request: {other:?}"),
    }
}

fn write(message: &Incoming) -> Bytes {
    match message {
        Incoming::Request(request) => write_request(request),
        Incoming::Response(response) => write_response(response),
        Incoming::Interleaved { channel, data } => write_interleaved(*channel, data).unwrap(),
    }
}

#[test]
fn a_request_comes_out_with_its_headers() {
    let request = request(DESCRIBE.as_bytes());
    assert_eq!(request.method(), &Method::Describe);
    assert_eq!(request.version(), Version::V1_0);
    assert_eq!(request.request_uri().unwrap().path(), "/narration");
    assert_eq!(request.header(&headers::CSEQ).unwrap().as_str(), "2");
    assert_eq!(request.header(&headers::USER_AGENT).unwrap().as_str(), "Lavf60.16.100");
}

#[test]
fn unknown_methods_and_headers_are_kept() {
    let request = request(b"DANCE * RTSP/1.0\r\nCSeq: 1\r\ncantus-qos: delay<=200ms\r\n\r\n");
    assert_eq!(request.method(), &Method::Extension("DANCE".to_owned()));
    assert_eq!(request.request_uri(), None);
    assert_eq!(request.header(&CANTUS_QOS).unwrap().as_str(), "delay<=200ms");
}

#[test]
fn a_header_is_never_taken_for_one_whose_name_begins_like_its_own() {
    let both = b"DESCRIBE * RTSP/1.0\r\nAccept-Language: fr\r\nAccept: application/sdp\r\n\
        CSeq-Old: 1\r\n:\r\nContent: x\r\nContent-Length: 0\r\nX-Own: kept\r\n\r\n";
    let request = request(both);
    assert_eq!(request.header(&headers::ACCEPT).unwrap().as_str(), "application/sdp");
    assert_eq!(request.header(&headers::CONTENT_LENGTH).unwrap().as_str(), "0");
    assert_eq!(request.header(&headers::CSEQ), None);
    let own = rtsp_types::HeaderName::from_static_str("x-own").unwrap();
    assert_eq!(request.header(&own).unwrap().as_str(), "kept");
}

#[test]
fn bodies_follow_their_length_and_the_next_message_follows_the_body() {
    let stream = [
        "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n",
        DESCRIBE,
        "RTSP/1.0 404 Stream Not Found\r\nCSeq: 3\r\n\r\n",
    ]
    .concat();
    let messages = read(stream.as_bytes()).unwrap();
    let [Incoming::Response(first), Incoming::Request(_), Incoming::Response(last)] =
        messages.as_slice()
    else {
        panic!("{messages:?}");
    };
    assert_eq!(first.body(), b"v=0\r\n");
    assert_eq!(last.status(), StatusCode::NotFound);
    assert_eq!(last.reason_phrase(), "Stream Not Found");
}

#[test]
fn one_message_byte_by_byte_is_the_same_message() {
    let stream = ["\r\n", "ANNOUNCE * RTSP/1.0\r\nContent-Length: 3\r\n\r\nabc", DESCRIBE].concat();
    let whole = read(stream.as_bytes()).unwrap();
    assert_eq!(whole.len(), 2);
    assert_eq!(read_in_chunks(stream.as_bytes(), 1).unwrap(), whole);
}

#[test]
fn interleaved_frames_stand_between_messages() {
    let mut stream = b"$\x01\x00\x04abcd".to_vec();
    stream.extend(DESCRIBE.as_bytes());
    stream.extend(b"$\x00\x00\x00");
    for chunk in [1, 3, stream.len()] {
        let messages = read_in_chunks(&stream, chunk).unwrap();
        let frame = |channel, data| Incoming::Interleaved { channel, data };
        assert_eq!(messages[0], frame(1, Bytes::from_static(b"abcd")));
        assert!(matches!(&messages[1], Incoming::Request(_)));
        assert_eq!(messages[2], frame(0, Bytes::new()));
        assert_eq!(messages.len(), 3);
    }
    let longest = write_interleaved(0, &[7; 65_535]).unwrap();
    assert_eq!(read_in_chunks(&longest, 1_000).unwrap().len(), 1);
    assert_eq!(write_interleaved(0, &[7; 65_536]), None);
}

#[test]
fn line_ends_of_lf_alone_and_leading_empty_lines_are_tolerated() {
    let lf = DESCRIBE.replace("\r\n", "\n");
    assert_eq!(request(lf.as_bytes()), request(DESCRIBE.as_bytes()));
    let late = format!("\r\n\n\r\n\r\n{DESCRIBE}");
    assert_eq!(request(late.as_bytes()), request(DESCRIBE.as_bytes()));
    assert_eq!(read(b"\r\n\r\n\n").unwrap(), []);
}

#[test]
fn folded_headers_are_joined() {
    let folded = b"PLAY * RTSP/1.0\r\nRange:\r\n npt=0-\r\nSupported: a,\r\n\tb\r\n\r\n";
    let request = request(folded);
    assert_eq!(request.header(&headers::RANGE).unwrap().as_str(), "npt=0-");
    assert_eq!(request.header(&headers::SUPPORTED).unwrap().as_str(), "a, b");
}

#[test]
fn a_line_may_have_8_kib_and_not_a_byte_more() {
    let with_line = |length: usize| {
        let padding = "x".repeat(length - "X: ".len());
        format!("OPTIONS * RTSP/1.0\r\nX: {padding}\r\n\r\n").into_bytes()
    };
    for chunk in [1, usize::MAX] {
        assert!(read_in_chunks(&with_line(MAX_LINE), chunk).is_ok());
        let refused = read_in_chunks(&with_line(MAX_LINE + 1), chunk);
        assert_eq!(refused, Err(FramingError::LineTooLong));
    }
    let endless = read_in_chunks(&[b'x'; 64 * 1_024], 1_000);
    assert_eq!(endless, Err(FramingError::LineTooLong), "it has no end at all");
    assert_eq!(FramingError::LineTooLong.status(), StatusCode::BadRequest);
}

#[test]
fn a_head_may_have_32_kib_and_not_a_byte_more() {
    let with_head = |length: usize| {
        let mut head = "OPTIONS * RTSP/1.0\r\n".to_owned();
        while head.len() + 1_000 < length - 100 {
            head.push_str(&format!("X: {}\r\n", "x".repeat(995)));
        }
        let rest = length - head.len() - "X: \r\n\r\n".len();
        head.push_str(&format!("X: {}\r\n\r\n", "x".repeat(rest)));
        assert_eq!(head.len(), length);
        head.into_bytes()
    };
    for chunk in [1, usize::MAX] {
        assert_eq!(read_in_chunks(&with_head(MAX_HEAD), chunk).unwrap().len(), 1);
        let refused = read_in_chunks(&with_head(MAX_HEAD + 1), chunk);
        assert_eq!(refused, Err(FramingError::HeadTooLong));
    }
}

#[test]
fn a_body_may_have_64_kib_and_a_longer_one_is_refused_before_it_comes() {
    let with_body = |length: &str| format!("X * RTSP/1.0\r\nContent-Length: {length}\r\n\r\n");
    let announced = |length: &str| read(with_body(length).as_bytes());
    let mut longest = with_body(&MAX_BODY.to_string()).into_bytes();
    longest.resize(longest.len() + MAX_BODY, b'x');
    assert_eq!(request(&longest).body().len(), MAX_BODY);

    for (length, known) in [
        ("65537", 65_537),
        ("100000000000", 100_000_000_000),
        ("99999999999999999999999999", u64::MAX),
    ] {
        let error = announced(length).unwrap_err();
        assert_eq!(error, FramingError::BodyTooLong { announced: known });
        assert_eq!(error.status(), StatusCode::RequestMessageBodyTooLarge);
    }
    for length in ["-1", "+5", "5 5", "", "0x5", "5\r\nContent-Length: 5"] {
        let error = announced(length).unwrap_err();
        assert!(matches!(error, FramingError::ContentLength { .. }), "{length}: {error}");
        assert_eq!(error.status(), StatusCode::BadRequest);
    }
}

#[test]
fn nonsense_is_a_bad_request_and_a_strange_version_is_named() {
    for nonsense in [
        "GET / HTTP/1.1\r\n\r\n",
        " OPTIONS * RTSP/1.0\r\n\r\n",
        "OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
        "OPTIONS * RTSP/1.0\r\nX: a\rb\r\n\r\n",
        "OPTIONS * RTSP/1.0\r\nX: a\0b\r\n\r\n",
        "OPTIONS /relative RTSP/1.0\r\n\r\n",
        "RTSP/1.0 0 OK\r\n\r\n",
        "RTSP/1.0 OK\r\n\r\n",
        "OPTIONS * RTSP/1.0\r\nContent-Length : 5\r\n\r\n",
    ] {
        let error = read(nonsense.as_bytes()).unwrap_err();
        assert!(matches!(error, FramingError::Malformed { .. }), "{nonsense:?}: {error}");
        assert_eq!(error.status(), StatusCode::BadRequest);
    }
    assert!(matches!(read(b"\xff\xfe * RTSP/1.0\n\n"), Err(FramingError::Malformed { .. })));

    let error = read(b"OPTIONS * RTSP/3.0\r\n\r\n").unwrap_err();
    assert_eq!(error.status(), StatusCode::RTSPVersionNotSupported);
}

#[test]
fn an_error_is_final_and_keeps_nothing() {
    let mut buffer = MessageBuffer::new();
    buffer.push(b"nonsense\r\n\r\n");
    let error = buffer.next().unwrap_err();
    buffer.push(DESCRIBE.as_bytes());
    assert_eq!(buffer.next(), Err(error));
    assert_eq!(buffer.buffered(), 0);
}

#[test]
fn what_we_write_has_its_length() {
    let response = Response::builder(Version::V1_0, StatusCode::Ok)
        .reason_phrase("OK")
        .header(headers::CSEQ, "2")
        .header(headers::CONTENT_TYPE, "application/sdp")
        .build(b"v=0\r\n".to_vec());
    let written = write_response(&response);
    assert_eq!(
        written.as_ref(),
        b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\nContent-Type: application/sdp\r\nCSeq: 2\r\n\r\n\
          v=0\r\n"
    );
    assert_eq!(read(&written).unwrap(), [Incoming::Response(response)]);
}

/// Something between a message and noise.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        Just("OPTIONS * RTSP/1.0".to_owned()),
        Just("PLAY rtsp://host/a RTSP/1.0".to_owned()),
        Just("RTSP/1.0 200 OK".to_owned()),
        "[A-Z]{0,8} (rtsp://)?[ -~]{0,20} RTSP/[0-3]\\.[01]",
        "RTSP/1\\.0 [0-9]{1,4} \\PC{0,10}",
        "\\PC{0,30}",
    ];
    let header = prop_oneof![
        "Content-Length: [0-9]{1,3}",
        "[A-Za-z-]{0,10}:[ \t]{0,2}[ -~]{0,20}",
        "[ \t]{1,2}[ -~]{0,10}",
        "\\PC{0,20}",
    ];
    let end = prop_oneof![Just("\r\n"), Just("\n"), Just("\r")];
    let message = (start, prop::collection::vec(header, 0..5), end, "[ -~\r\n]{0,40}").prop_map(
        |(start, headers, end, body)| {
            let head: String = headers.iter().map(|header| format!("{header}{end}")).collect();
            format!("{start}{end}{head}{end}{body}").into_bytes()
        },
    );
    let frame = prop::collection::vec(any::<u8>(), 0..20)
        .prop_map(|data| write_interleaved(3, &data).unwrap().to_vec());
    let noise = prop::collection::vec(any::<u8>(), 0..40);
    prop::collection::vec(prop_oneof![4 => message, 2 => frame, 1 => noise], 1..4)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic_and_cutting_them_changes_nothing(
        stream in hostile(), chunk in 1usize..50,
    ) {
        prop_assert_eq!(read_in_chunks(&stream, chunk).is_ok(), read(&stream).is_ok());
        if let Ok(messages) = read(&stream) {
            prop_assert_eq!(read_in_chunks(&stream, chunk).unwrap(), messages);
        }
    }

    #[test]
    fn what_is_read_writes_back_to_the_same(stream in hostile()) {
        for message in read(&stream).unwrap_or_default() {
            prop_assert_eq!(read(&write(&message)).unwrap(), [message]);
        }
    }

    #[test]
    fn less_than_a_message_stays_behind(
        chunks in prop::collection::vec(
            (prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n')], 1..40), 0usize..200),
            0..20,
        ),
        start in prop_oneof![
            Just("X * RTSP/1.0\r\nContent-Length: 65536\r\n\r\n"), Just("$a\x7f\x7f"), Just("X: "),
        ],
    ) {
        let mut buffer = MessageBuffer::new();
        buffer.push(start.as_bytes());
        for (bytes, times) in chunks {
            buffer.push(&bytes.repeat(times));
            while let Ok(Some(_)) = buffer.next() {}
            prop_assert!(buffer.buffered() <= MAX_HEAD + MAX_BODY);
        }
    }
}
