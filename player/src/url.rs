//! Addresses of presentations: `quic://host[:4433]/name`, `rtsp://host[:8554]/name`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use rtsp_types::{Host, Url};

/// How the streamer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Media and control over one encrypted QUIC connection.
    Quic,
    /// Control over TCP, media over UDP, nothing encrypted.
    Rtsp,
}

impl Scheme {
    /// The port where the URL names none.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Quic => 4_433,
            Self::Rtsp => 8_554,
        }
    }

    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quic => "quic",
            Self::Rtsp => "rtsp",
        }
    }
}

/// The address of a streamer, and of a presentation on it if it names one. It is displayed with
/// its port and percent-encoded, and reads back as the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamUrl {
    scheme: Scheme,
    host: String,
    port: u16,
    url: Url,
    name: String,
    user: Option<User>,
}

/// Who listens, for a server that wants to know: `rtsp://name:password@host/talk`. Neither is shown
/// with the URL.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What only they know; empty where none was given.
    pub password: String,
}

/// Passwords are not for logs.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// What a server has, and is asked for.
    Server(StreamUrl),
    /// What an SDP file describes, and comes unasked.
    Described(PathBuf),
}

impl From<StreamUrl> for Source {
    fn from(url: StreamUrl) -> Self {
        Self::Server(url)
    }
}

impl FromStr for Source {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_file = !text.contains("://") && text.to_ascii_lowercase().ends_with(".sdp");
        match is_file {
            true => Ok(Self::Described(text.into())),
            false => text.parse::<StreamUrl>()?.with_presentation().map(Self::Server),
        }
    }
}

/// Text that is not an address of ours. Each is one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not begin with a scheme and two slashes.
    #[error(
        "'{0}' is not a URL: quic://host/name and rtsp://host/name are; an SDP file ends in .sdp"
    )]
    Form(String),
    /// A scheme that nothing here speaks.
    #[error("cannot play '{0}://': quic:// and rtsp:// are the schemes that work")]
    Scheme(String),
    /// No host between the slashes.
    #[error("'{0}' names no host: quic://host/name")]
    Host(String),
    /// The port is 0, or beyond 65535, or not a number, or the host is malformed.
    #[error("'{url}' cannot be read: {reason}")]
    Authority {
        /// What was given.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A name or a password that is not UTF-8 once it is decoded.
    #[error("the name and the password before '@{0}' are not UTF-8")]
    User(String),
    /// A part that our streamers give no meaning to.
    #[error("'{part}' after the name of the presentation means nothing to {scheme}://")]
    Tail {
        /// The scheme.
        scheme: &'static str,
        /// The query or the fragment, with its mark.
        part: String,
    },
    /// The name is not UTF-8 once it is decoded.
    #[error("the name of the presentation in '{0}' is not UTF-8")]
    Name(String),
    /// A presentation is asked for and none is named.
    #[error("'{0}' names no presentation; 'cantus-player list {0}' shows what there is")]
    NoPresentation(String),
}

impl StreamUrl {
    /// How the streamer is reached.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host name or address, as a resolver takes it: an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`, an IPv6 address in brackets. Pins are kept by it.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The name of the presentation, decoded; empty for the streamer as a whole.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who listens, where the URL says it.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The URL of a request (RFC 2326, section 3.2).
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// The same, if it names a presentation.
    ///
    /// # Errors
    ///
    /// [`UrlError::NoPresentation`] if it does not.
    pub fn with_presentation(self) -> Result<Self, UrlError> {
        if self.name.is_empty() {
            return Err(UrlError::NoPresentation(self.to_string()));
        }
        Ok(self)
    }
}

impl fmt::Display for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl FromStr for StreamUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = without_user(text);
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(UrlError::Form(shown));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "quic" => Scheme::Quic,
            "rtsp" => Scheme::Rtsp,
            other => return Err(UrlError::Scheme(excerpt(other))),
        };
        if rest.is_empty() || rest.starts_with(['/', ':']) {
            return Err(UrlError::Host(shown));
        }
        let mut url = Url::parse(text)
            .map_err(|error| UrlError::Authority { url: shown, reason: error.to_string() })?;
        let user = taken_user(&mut url)?;
        let shown = excerpt(url.as_str());
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_ascii_lowercase(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(UrlError::Host(shown)),
        };
        let port = url.port().unwrap_or(scheme.default_port());
        if port == 0 {
            return Err(UrlError::Authority { url: shown, reason: "there is no port 0".into() });
        }
        check_tail(scheme, &url)?;
        let name = decoded(url.path()).ok_or(UrlError::Name(shown.clone()))?;
        let unusable = |reason| UrlError::Authority { url: shown.clone(), reason };
        url.set_port(Some(port)).map_err(|()| unusable("it takes no port".to_owned()))?;
        if url.path().is_empty() {
            url.set_path("/");
        }
        Ok(Self { scheme, host, port, url, name, user })
    }
}

/// Takes name and password out of the URL, which is shown and sent without them.
fn taken_user(url: &mut Url) -> Result<Option<User>, UrlError> {
    let password = url.password().unwrap_or_default().to_owned();
    let name = url.username().to_owned();
    if name.is_empty() && password.is_empty() {
        return Ok(None);
    }
    let unreadable = || UrlError::User(excerpt(url.host_str().unwrap_or_default()));
    let read = |text: &str| unescaped(text.as_bytes()).ok_or_else(unreadable);
    let user = User { name: read(&name)?, password: read(&password)? };
    // Only a URL without a host has no place for them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(Some(user))
}

/// Other people's RTSP servers have queries; a fragment never leaves the client.
fn check_tail(scheme: Scheme, url: &Url) -> Result<(), UrlError> {
    let query = url.query().filter(|_| scheme == Scheme::Quic).map(|query| format!("?{query}"));
    match query.or_else(|| url.fragment().map(|fragment| format!("#{fragment}"))) {
        Some(part) => Err(UrlError::Tail { scheme: scheme.as_str(), part: excerpt(&part) }),
        None => Ok(()),
    }
}

/// A path without the slashes around it and without percent-encoding.
fn decoded(path: &str) -> Option<String> {
    unescaped(path.trim_matches('/').as_bytes())
}

/// Text without percent-encoding (RFC 3986, section 2.1).
fn unescaped(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0) as u8;
                bytes.push(digit(high) << 4 | digit(low));
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// What is shown of a text that cannot be read: not who listens. Their password may hold a slash
/// that should have been escaped, so that what stands before the last `@` is not shown, wherever
/// the authority ends.
fn without_user(text: &str) -> String {
    let begin = text.find("://").map_or(0, |end| end + "://".len());
    let (scheme, rest) = text.split_at(begin);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    excerpt(&format!("{scheme}{rest}"))
}

/// So much of a wrong text as fits into a line, without what a terminal would obey.
fn excerpt(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<StreamUrl, UrlError> {
        text.parse()
    }

    #[test]
    fn each_scheme_has_its_port() {
        assert_eq!(parse("quic://host/talk").unwrap().authority(), "host:4433");
        assert_eq!(parse("rtsp://host/talk").unwrap().authority(), "host:8554");
        assert_eq!(parse("quic://host:1/talk").unwrap().authority(), "host:1");
        assert_eq!(parse("QUIC://Host:65535/talk").unwrap().authority(), "host:65535");
    }

    #[test]
    fn addresses_of_both_kinds_are_hosts() {
        let url = parse("quic://[::1]/talk").unwrap();
        assert_eq!((url.host(), url.authority().as_str()), ("::1", "[::1]:4433"));
        let url = parse("rtsp://127.0.0.1:554/talk").unwrap();
        assert_eq!((url.host(), url.port()), ("127.0.0.1", 554));
    }

    #[test]
    fn names_are_decoded_and_displayed_encoded() {
        let url = parse("quic://host/my%20talk%2fone").unwrap();
        assert_eq!(url.name(), "my talk/one");
        assert_eq!(url.to_string(), "quic://host:4433/my%20talk%2fone");
        assert_eq!(parse("quic://host/Gespräch/").unwrap().name(), "Gespräch");
        assert_eq!(parse("quic://host/100%/").unwrap().name(), "100%");
        assert!(matches!(parse("quic://host/%ff"), Err(UrlError::Name(_))));
    }

    #[test]
    fn a_streamer_as_a_whole_has_no_presentation() {
        for text in ["quic://host", "quic://host/"] {
            let url = parse(text).unwrap();
            assert_eq!(url.name(), "");
            let line = url.with_presentation().unwrap_err().to_string();
            assert!(line.contains("cantus-player list quic://host:4433/"), "{line}");
        }
        assert!(parse("quic://host/a").unwrap().with_presentation().is_ok());
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_the_reason() {
        let form = |text: &str| Err(UrlError::Form(text.into()));
        assert_eq!(parse("talk.wav"), form("talk.wav"));
        assert_eq!(parse("host:4433/talk"), form("host:4433/talk"));
        assert_eq!(parse(""), form(""));
        assert_eq!(parse("http://host/talk"), Err(UrlError::Scheme("http".into())));
        for text in ["quic://", "quic:///talk", "rtsp://:554/talk"] {
            assert_eq!(parse(text), Err(UrlError::Host(text.into())));
        }
        for text in ["quic://host:0/a", "quic://host:65536/a", "quic://host:x/a", "quic://[::1/a"] {
            assert!(matches!(parse(text), Err(UrlError::Authority { .. })), "{text}");
        }
    }

    #[test]
    fn a_user_is_known_and_never_shown() {
        let url = parse("rtsp://me:p%40ss@host/a").unwrap();
        let user = User { name: "me".into(), password: "p@ss".into() };
        assert_eq!((url.user(), url.to_string().as_str()), (Some(&user), "rtsp://host:8554/a"));
        assert!(!format!("{url:?}").contains("p@ss"), "{url:?}");
        assert_eq!(parse("quic://me@host/a").unwrap().user().unwrap().password, "");
        assert_eq!(parse("quic://host/a").unwrap().user(), None);
        for text in [
            "rtsp://%ff:pw@host/a",
            "rtsp://me:pw@host:0/a",
            "rtsp://me:pw@host:99999/a",
            "rtsp://me:p@pw@host:99999/a",
            "rtsp://me:pw/pw@host/a",
            "rtsp://me:pw@/a",
            "rtsp://me:pw@host/%ff",
            "me:pw@host/a",
        ] {
            let line = parse(text).unwrap_err().to_string();
            assert!(!line.contains("pw"), "{line}");
        }
        let line = parse("rtsp://me:pw@host:0/a@b").unwrap_err().to_string();
        assert!(line.contains("'rtsp://host:0/a@b'"), "{line}");
    }

    #[test]
    fn a_query_is_for_the_servers_of_others_only() {
        assert_eq!(parse("rtsp://host/a?x=1").unwrap().as_url().query(), Some("x=1"));
        assert!(
            matches!(parse("quic://host/a?x=1"), Err(UrlError::Tail { part, .. }) if part == "?x=1")
        );
        assert!(
            matches!(parse("rtsp://host/a#b"), Err(UrlError::Tail { part, .. }) if part == "#b")
        );
    }

    proptest! {
        #[test]
        fn what_is_displayed_reads_back_as_the_same(
            scheme in "quic|rtsp", host in "[a-z][a-z0-9.]{0,20}", port in 1u16.., name in "\\PC{0,20}",
        ) {
            if let Ok(url) = parse(&format!("{scheme}://{host}:{port}/{name}")) {
                prop_assert_eq!(parse(&url.to_string()), Ok(url));
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = parse(&text);
            let _ = parse(&format!("quic://{text}"));
        }

        #[test]
        fn errors_are_one_line(text in any::<String>()) {
            if let Err(error) = parse(&text) {
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
    }
}
