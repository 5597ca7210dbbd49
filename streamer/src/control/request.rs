//! A request, read once and completely.

use cantus_qos::rtsp::{CANTUS_FEC, CANTUS_QOS, FEATURE, HeaderError, NptRange, TransportHeader};
use cantus_qos::spec::{Protection, QosSpec};
use rtsp_types::{HeaderName, Method, Request, StatusCode, Url, Version, headers};

use super::reply::Reply;
use super::target::Target;
use crate::encoding::Codec;

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
    /// The transports that SETUP offers, most wanted first.
    pub transports: Option<TransportHeader>,
    /// The quality that is wished.
    pub spec: QosSpec,
    /// The repair that is wished.
    pub protection: Protection,
    /// Whether anything follows the headers.
    pub has_body: bool,
    accept: Option<String>,
    range: Option<String>,
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
        let text = |name: &HeaderName| request.header(name).map(|value| value.as_str());
        if text(&headers::CSEQ).is_none() {
            return Err(bad("the request has no CSeq"));
        }
        check_required(text(&headers::REQUIRE))?;
        let url = request.request_uri().cloned();
        let target = url.as_ref().map(Target::parse).transpose();
        let target = target.map_err(|why| Reply::refuse(StatusCode::NotFound, why))?;
        let session = text(&headers::SESSION)
            .map(|id| id.split(';').next().unwrap_or_default().trim().to_owned());
        Ok(Self {
            method: request.method().clone(),
            url,
            target,
            session,
            pipelined: text(&headers::PIPELINED_REQUESTS).map(|id| id.trim().to_owned()),
            cantus: tags(text(&headers::SUPPORTED)).any(|tag| tag == FEATURE),
            transports: text(&headers::TRANSPORT).map(TransportHeader::parse),
            spec: parsed(text(&CANTUS_QOS))?.unwrap_or_default(),
            protection: parsed(text(&CANTUS_FEC))?.unwrap_or_default(),
            has_body: !request.body().is_empty(),
            accept: text(&headers::ACCEPT).map(str::to_owned),
            range: text(&headers::RANGE).map(str::to_owned),
        })
    }

    /// Whether a body of this media type may answer (RFC 2326, section 12.1; what is not said is
    /// not refused).
    pub(super) fn accepts(&self, media_type: &str) -> bool {
        let Some(accept) = &self.accept else { return true };
        let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
        accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0"));
            let any_of_kind =
                name.strip_suffix("/*").is_some_and(|it| it.eq_ignore_ascii_case(kind));
            !refused && (name == "*/*" || any_of_kind || name.eq_ignore_ascii_case(media_type))
        })
    }

    /// The range that PLAY asks for. Other methods carry the header without a meaning for us.
    pub(super) fn range(&self) -> Result<Option<NptRange>, HeaderError> {
        self.range.as_deref().map(str::parse).transpose()
    }

    /// The codec that the URL names, in its track or in its query.
    pub(super) fn codec(&self) -> Option<Codec> {
        let target = self.target.as_ref()?;
        target.track.as_ref().and_then(|track| track.codec).or(target.codec)
    }
}

fn tags(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|tag| !tag.is_empty())
}

/// What a client requires and we do not have is said, not passed over (RFC 2326, section 12.32).
fn check_required(required: Option<&str>) -> Result<(), Reply> {
    let unknown: Vec<&str> = tags(required).filter(|tag| *tag != FEATURE).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let why = "a feature is required that this server does not have";
    let reply = Reply::refuse(StatusCode::OptionNotSupported, why);
    Err(reply.header(headers::UNSUPPORTED, unknown.join(", ")))
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
