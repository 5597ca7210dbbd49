//! The `Session` header (RFC 2326, section 12.37).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::HeaderError;

/// Names a session, and tells how long the server keeps it without a sign of life.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionHeader {
    /// The identifier, opaque to the client.
    pub id: String,
    /// After how long without a sign of life the server ends the session, in whole seconds; 60 s
    /// where it does not say.
    pub timeout: Option<Duration>,
}

impl FromStr for SessionHeader {
    type Err = HeaderError;

    /// Reads `12345678;timeout=60`. A timeout that is no number is passed over.
    fn from_str(value: &str) -> Result<Self, HeaderError> {
        let wrong = |reason| HeaderError::new("Session", value, reason);
        let (id, parameters) = value.split_once(';').unwrap_or((value, ""));
        let id = id.trim();
        if id.is_empty() || id.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(wrong("the identifier is one word"));
        }
        let timeout = parameters
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("timeout"))
            .and_then(|(_, seconds)| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        Ok(Self { id: id.to_owned(), timeout })
    }
}

impl fmt::Display for SessionHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        match self.timeout {
            Some(timeout) => write!(f, ";timeout={}", timeout.as_secs()),
            None => Ok(()),
        }
    }
}
