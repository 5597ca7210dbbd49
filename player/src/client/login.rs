//! Showing who listens, where a server asks for it (RFC 2326, section 11.1; RFC 7616).

use cantus_qos::rtsp::Challenge;
use rtsp_types::{Method, Response, StatusCode, headers};

use crate::url::User;

/// A user, and what the server wants to see of them.
#[derive(Debug, Default)]
pub(super) struct Login {
    user: Option<User>,
    challenge: Option<Challenge>,
}

impl Login {
    /// Of the user that the URL names.
    pub(super) fn new(user: Option<User>) -> Self {
        Self { user, challenge: None }
    }

    /// What every request shows, once something was asked for.
    pub(super) fn authorization(&self, method: &Method, uri: &str) -> Option<String> {
        let (user, challenge) = self.user.as_ref().zip(self.challenge.as_ref())?;
        let credentials = (user.name.as_str(), user.password.as_str());
        Some(challenge.answer(credentials, method.into(), uri).to_string())
    }

    /// Whether `response` asks for something that was not shown yet, to a request that has shown
    /// `before`: then the request is worth repeating.
    pub(super) fn is_asked(
        &mut self,
        response: &Response<Vec<u8>>,
        before: Option<&Challenge>,
    ) -> bool {
        if response.status() != StatusCode::Unauthorized || self.user.is_none() {
            return false;
        }
        let asked = response.header(&headers::WWW_AUTHENTICATE);
        let asked = asked.and_then(|value| Challenge::best(Challenge::read_all(value.as_str())));
        let is_new = asked.is_some() && asked.as_ref() != before;
        if is_new {
            self.challenge = asked;
        }
        is_new
    }

    /// What is shown at present.
    pub(super) fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }
}
