//! `list` and `info`: one question, one answer.

use std::time::Duration;

use cantus_qos::rtsp::{FEATURE, FramingError};
use cantus_qos::spec::sdp::{Description, SdpError};
use rtsp_types::{Method, Response, StatusCode, headers};

use super::Clock;
use super::link::{Arrival, ConnectError, Link};
use crate::client::dialogue::Dialogue;
use crate::client::terms;
use crate::error::PlayError;
use crate::trust::Trust;
use crate::url::StreamUrl;

const PATIENCE: Duration = Duration::from_secs(10);

/// Why a question has no answer. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The server could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server wants to know who asks, or does not believe it.
    #[error(transparent)]
    LogIn(PlayError),
    /// The server says no.
    #[error("{url}: the server answers with {status}: {reason}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The status code.
        status: u16,
        /// The server's words.
        reason: String,
    },
    /// The server says nothing.
    #[error("{url}: the server does not answer")]
    NoAnswer {
        /// What was asked for.
        url: String,
    },
    /// The server speaks something else.
    #[error("{url}: the server does not speak RTSP: {cause}")]
    NotRtsp {
        /// What was asked for.
        url: String,
        /// What is wrong.
        cause: FramingError,
    },
    /// The list is none.
    #[error("{url}: the list of presentations cannot be read: {cause}")]
    Listing {
        /// What was asked for.
        url: String,
        /// What is wrong.
        cause: serde_json::Error,
    },
    /// The description is none.
    #[error("{url}: the description cannot be read: {cause}")]
    Description {
        /// What was asked for.
        url: String,
        /// What is wrong.
        cause: SdpError,
    },
}

/// The catalogue of a streamer, as it tells it.
///
/// # Errors
///
/// If it cannot be reached, or gives no list.
pub async fn list(url: &StreamUrl, trust: Trust) -> Result<serde_json::Value, QueryError> {
    let body = ask(url, trust, "application/json").await?;
    serde_json::from_slice(&body)
        .map_err(|cause| QueryError::Listing { url: url.to_string(), cause })
}

/// The description of one presentation.
///
/// # Errors
///
/// If the server cannot be reached, or does not have it.
pub async fn describe(url: &StreamUrl, trust: Trust) -> Result<Description, QueryError> {
    let body = ask(url, trust, "application/sdp").await?;
    Description::parse(&body)
        .map_err(|cause| QueryError::Description { url: url.to_string(), cause })
}

async fn ask(url: &StreamUrl, trust: Trust, accept: &str) -> Result<Vec<u8>, QueryError> {
    let mut link = Link::connect(url, trust).await?;
    let no_answer = || QueryError::NoAnswer { url: url.to_string() };
    let answer = tokio::time::timeout(PATIENCE, converse(&mut link, url, accept)).await;
    link.close(super::GOODBYE).await;
    let response = answer.map_err(|_| no_answer())??.ok_or_else(no_answer)?;
    if !response.status().is_success() {
        return Err(refusal(url, &response));
    }
    Ok(response.into_body())
}

fn refusal(url: &StreamUrl, response: &Response<Vec<u8>>) -> QueryError {
    let (asked, reason) = (url.to_string(), terms::words(response));
    match response.status() {
        StatusCode::Unauthorized => {
            QueryError::LogIn(PlayError::LogIn { url: asked, shown: url.user().is_some() })
        }
        status => QueryError::Refused { url: asked, status: status.into(), reason },
    }
}

async fn converse(
    link: &mut Link,
    url: &StreamUrl,
    accept: &str,
) -> Result<Option<Response<Vec<u8>>>, QueryError> {
    let clock = Clock::start();
    let mut dialogue = Dialogue::new(url.user().cloned());
    let extra = [(headers::ACCEPT, accept.to_owned()), (headers::SUPPORTED, FEATURE.to_owned())];
    dialogue.request(clock.now(), (), Method::Describe, url.as_url().as_str(), &extra);
    loop {
        // The question, and the same again for a server that wants to know who asks.
        while let Some(data) = dialogue.pop_outgoing() {
            link.control(data);
        }
        match link.arrival().await {
            Arrival::Control(data) => dialogue.receive(&data),
            Arrival::Packet { .. } => continue,
            Arrival::Closed => return Ok(None),
        }
        let reply = dialogue.next(clock.now());
        let reply = reply.map_err(|cause| QueryError::NotRtsp { url: url.to_string(), cause })?;
        if let Some(reply) = reply {
            return Ok(Some(reply.response));
        }
    }
}
