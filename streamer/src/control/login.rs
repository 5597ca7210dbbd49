//! Who may ask, where not everybody may (RFC 2326, section 11.1; RFC 7616).

use cantus_qos::rtsp::{Algorithm, Challenge, Credentials, DigestAnswer};
use rand::Rng;
use rtsp_types::{Method, Request, StatusCode, Url, headers};
use tracing::debug;

use super::Control;
use super::reply::Reply;
use super::request::bad;
use super::target::Target;
use crate::wire::ConnectionId;

/// What the password is for.
const REALM: &str = "Cantus";

/// Wrong passwords on one connection. Who guesses needs a new one for each few.
const TRIES: u32 = 8;

/// How the log-in on a connection stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    /// What proofs are made with: one for each connection, so that a proof shown on another is
    /// worth nothing.
    nonce: Option<String>,
    refused: u32,
}

impl Login {
    /// Whether enough was tried.
    pub(super) fn is_exhausted(&self) -> bool {
        self.refused >= TRIES
    }
}

impl Control {
    /// Whether a request may be answered; OPTIONS of anybody.
    pub(super) fn admit_user(
        &mut self,
        connection: ConnectionId,
        request: &Request<Vec<u8>>,
    ) -> Result<(), Reply> {
        let Some(users) = self.config.users.clone() else { return Ok(()) };
        if *request.method() == Method::Options {
            return Ok(());
        }
        let Some(state) = self.connections.get_mut(&connection) else { return Ok(()) };
        let login = state.login();
        let shown = request.header(&headers::AUTHORIZATION).map(|value| value.as_str().parse());
        let shown: Option<Credentials> = shown.transpose().map_err(bad)?;
        if let Some(shown) = shown {
            let is_ours = match &shown {
                Credentials::Basic { .. } => true,
                Credentials::Digest(answer) => {
                    answer.realm == REALM && Some(&answer.nonce) == login.nonce.as_ref()
                }
            };
            // Of who is not there, the same is worked out.
            let password = users.password(shown.name());
            let method: &str = request.method().into();
            let proven = shown.prove(method, password.unwrap_or_default());
            if is_ours && proven && password.is_some() {
                login.refused = 0;
                return check_resource(&shown, request.request_uri());
            }
            login.refused += 1;
        }
        let random = &mut self.random;
        let new = || format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
        let nonce = login.nonce.get_or_insert_with(new).clone();
        let why = "this streamer wants a name and a password";
        let realm = || REALM.to_owned();
        let digest =
            |algorithm| Challenge::Digest { realm: realm(), nonce: nonce.clone(), algorithm };
        // The best first; but ffmpeg takes the last of several digests, and knows MD5 alone.
        Err(Reply::refuse(StatusCode::Unauthorized, why)
            .challenge(&digest(Algorithm::Sha256))
            .challenge(&digest(Algorithm::Md5))
            .challenge(&Challenge::Basic { realm: realm() }))
    }
}

/// A proof is one for what is asked for, and for nothing else (RFC 7616, section 3.4.6): where it was
/// made for something else, somebody else may have seen it and use it.
fn check_resource(shown: &Credentials, asked: Option<&Url>) -> Result<(), Reply> {
    let Credentials::Digest(DigestAnswer { uri, .. }) = shown else { return Ok(()) };
    let designates = match asked {
        Some(_) if uri.is_empty() => false,
        Some(asked) => asked.join(uri).is_ok_and(|meant| designates(&meant, asked)),
        None => uri == "*",
    };
    if designates {
        return Ok(());
    }
    let asked = asked.map_or("*", Url::as_str);
    debug!(uri, asked, "a proof was shown for something else");
    Err(bad("the uri of the digest designates something else than the request"))
}

/// Whether both are the same, under whatever host name, for there may be a proxy between. Clients
/// built on live555 (VLC) name the presentation also where they ask for a track.
fn designates(meant: &Url, asked: &Url) -> bool {
    match (Target::parse(meant), Target::parse(asked)) {
        (Ok(meant), Ok(asked)) => meant.holds(&asked),
        // What is not ours is refused for what it is.
        _ => meant.path() == asked.path(),
    }
}
