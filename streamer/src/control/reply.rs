//! Answers to requests.

use bytes::Bytes;
use cantus_qos::quantity::Bitrate;
use cantus_qos::rtsp::{Challenge, write_response};
use rtsp_types::{HeaderName, Response, StatusCode, Version, headers};

/// An answer in the making: status, headers, body.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    challenges: Vec<String>,
    body: Vec<u8>,
}

impl Reply {
    /// 200.
    pub(super) fn ok() -> Self {
        Self::of(StatusCode::Ok)
    }

    /// A refusal, with one line that says why.
    pub(super) fn refuse(status: StatusCode, why: impl std::fmt::Display) -> Self {
        Self::of(status).body("text/plain; charset=utf-8", format!("{why}\n").into_bytes())
    }

    /// 453: the rate is not there; `possible` is.
    pub(super) fn not_enough_bandwidth(why: impl std::fmt::Display, possible: Bitrate) -> Self {
        Self::refuse(StatusCode::NotEnoughBandwidth, why)
            .header(cantus_qos::rtsp::CANTUS_QOS.clone(), format!("rate<={}", possible.as_bps()))
    }

    fn of(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), challenges: Vec::new(), body: Vec::new() }
    }

    /// Asks for a log-in, beside other ways to do it.
    pub(super) fn challenge(mut self, challenge: &Challenge) -> Self {
        self.challenges.push(challenge.to_string());
        self
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body.
    pub(super) fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.headers.push((headers::CONTENT_TYPE, content_type.to_owned()));
        self.body = body;
        self
    }

    /// The status, for the log.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The bytes of the message, in answer to the request with `cseq`.
    ///
    /// Challenges have a line each: as one list, which rtsp-types would make of them, hardly any
    /// client can read them.
    pub(super) fn into_bytes(mut self, cseq: Option<&str>) -> Bytes {
        let challenges = std::mem::take(&mut self.challenges);
        let message = write_response(&self.into_response(cseq));
        if challenges.is_empty() {
            return message;
        }
        let start = message.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (status, rest) = message.split_at(start);
        let line = |challenge: &String| format!("WWW-Authenticate: {challenge}\r\n");
        let lines: String = challenges.iter().map(line).collect();
        [status, lines.as_bytes(), rest].concat().into()
    }

    fn into_response(self, cseq: Option<&str>) -> Response<Vec<u8>> {
        let mut builder = Response::builder(Version::V1_0, self.status);
        if let Some(cseq) = cseq {
            builder = builder.header(headers::CSEQ, cseq);
        }
        builder = builder.header(headers::SERVER, concat!("Cantus/", env!("CARGO_PKG_VERSION")));
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        builder.build(self.body)
    }
}
