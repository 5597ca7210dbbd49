//! A request, read once and completely.

use cantus_qos::rtsp::{CANTUS_FEC, CANTUS_QOS, FEATURE, NptRange, TransportHeader};
use cantus_qos::spec::{Protection, QosSpec};
use rtsp_types::{HeaderName, Method, Request, StatusCode, Url, Version, headers};

use super::reply::Reply;
use super::target::Target;

/// What a request asks, with every header that we heed parsed.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The method.
    pub method: Method,
    /// The URL as it came; `OPTIONS *` has none.
    pub url: Option<Url>,
    /// What the URL points at.
    pub target: Option<Target>,
    /// The session that the request belongs to.
    pub session: Option<String>,
    /// The group of requests sent without waiting for a session (RFC 7826, section 18.33).
    pub pipelined: Option<String>,
    /// Whether the client understands what only our own ends know.
    pub cantus: bool,
    /// Whether the client wants JSON.
    pub json: bool,
    /// The transports that SETUP offers, most wanted first.
    pub transports: Option<TransportHeader>,
    /// The range that PLAY asks for.
    pub range: Option<NptRange>,
    /// The quality that is wished.
    pub spec: QosSpec,
    /// The repair that is wished.
    pub protection: Protection,
}

impl Asked {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// The refusal to send where a header that matters cannot be understood.
    pub(super) fn read(request: &Request<Vec<u8>>) -> Result<Self, Reply> {
        if request.version() != Version::V1_0 {
            let why = "this server speaks RTSP/1.0";
            return Err(Reply::refuse(StatusCode::RTSPVersionNotSupported, why));
        }
        if request.header(&headers::CSEQ).is_none() {
            return Err(bad("the request has no CSeq"));
        }
        let url = request.request_uri().cloned();
        let target = match &url {
            Some(url) => {
                Some(Target::parse(url).map_err(|why| Reply::refuse(StatusCode::NotFound, why))?)
            }
            None => None,
        };
        let text = |name: &HeaderName| request.header(name).map(|value| value.as_str());
        let session = text(&headers::SESSION)
            .map(|id| id.split(';').next().unwrap_or_default().trim().to_owned());
        let tags = text(&headers::SUPPORTED).unwrap_or_default();
        let accept = text(&headers::ACCEPT).unwrap_or_default();
        Ok(Self {
            method: request.method().clone(),
            url,
            target,
            session,
            pipelined: text(&headers::PIPELINED_REQUESTS).map(|id| id.trim().to_owned()),
            cantus: tags.split(',').any(|tag| tag.trim() == FEATURE),
            json: accept.contains("application/json"),
            transports: text(&headers::TRANSPORT).map(TransportHeader::parse),
            range: parsed(text(&headers::RANGE))?,
            spec: parsed(text(&CANTUS_QOS))?.unwrap_or_default(),
            protection: parsed(text(&CANTUS_FEC))?.unwrap_or_default(),
        })
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    value: Option<&str>,
) -> Result<Option<T>, Reply> {
    value.map(str::parse).transpose().map_err(bad)
}

/// 400 with its reason.
pub(super) fn bad(why: impl std::fmt::Display) -> Reply {
    Reply::refuse(StatusCode::BadRequest, why)
}
