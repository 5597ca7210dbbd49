//! PLAY, PAUSE, GET_PARAMETER and TEARDOWN.

use cantus_qos::rtsp::{CANTUS_CLOCK, CANTUS_QOS, NptRange, NptStart, RtpInfo};
use cantus_qos::spec::QosSpec;
use cantus_qos::time::MonoTime;
use rtsp_types::{StatusCode, headers};

use super::reply::Reply;
use super::request::Asked;
use super::target::Track;
use super::{Control, SessionId, base_url, session_not_found};
use crate::session::StartPoint;
use crate::wire::ConnectionId;

impl Control {
    pub(super) fn play(&mut self, now: MonoTime, connection: ConnectionId, asked: &Asked) -> Reply {
        let id = match self.whole_session(connection, asked) {
            Ok(id) => id,
            Err(refusal) => return refusal,
        };
        let range = match asked.range() {
            Ok(range) => range,
            Err(why) => return Reply::refuse(StatusCode::InvalidRange, why),
        };
        let playing = self.sessions.peek(id).is_some_and(|session| session.is_playing(now));
        let (from, until) = match range {
            Some(NptRange { start: NptStart::At(from), end }) => (Some(from), end),
            Some(NptRange { start: NptStart::Now, end }) => (None, end),
            // What plays already plays on.
            None if playing => return with_session(Reply::ok(), id),
            None => (None, None),
        };
        let played = self.sessions.update(now, id, |session| {
            let range = session.play(now, from, until)?;
            Some((range, session.start_points(range.0)))
        });
        let Some(((from, until), points)) = played.flatten() else {
            let why = "there is no such range in the presentation";
            return Reply::refuse(StatusCode::InvalidRange, why);
        };
        let range = NptRange { start: NptStart::At(from), end: Some(until) };
        self.with_terms(with_session(Reply::ok(), id), id, asked)
            .header(headers::RANGE, range.to_string())
            .header(headers::RTP_INFO, self.rtp_info(id, asked, &points))
            .header(CANTUS_CLOCK.clone(), format!("{:016x}", self.wall.at(now).to_bits()))
    }

    fn rtp_info(&self, id: SessionId, asked: &Asked, points: &[StartPoint]) -> String {
        let Some(session) = self.sessions.peek(id) else { return String::new() };
        let base = base_url(asked.url.as_ref(), &session.programme.presentation.name);
        let info = points.iter().map(|point| RtpInfo {
            url: format!("{base}{}", Track::control(session.programme.codec, &point.kind)),
            sequence: Some(point.sequence),
            timestamp: Some(point.timestamp),
        });
        RtpInfo::list_text(&info.collect::<Vec<_>>())
    }

    /// A session that does not play is paused already.
    pub(super) fn pause(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Reply {
        let id = match self.whole_session(connection, asked) {
            Ok(id) => id,
            Err(refusal) => return refusal,
        };
        let position = self.sessions.update(now, id, |session| session.pause(now));
        let range = position.map(|at| NptRange { start: NptStart::At(at), end: None });
        let range = range.map_or_else(String::new, |range| range.to_string());
        with_session(Reply::ok(), id).header(headers::RANGE, range)
    }

    /// The terms that a session has now, where its listener understands them. They may have changed
    /// since they were told.
    fn with_terms(&self, reply: Reply, id: SessionId, asked: &Asked) -> Reply {
        match self.sessions.peek(id).filter(|_| asked.cantus) {
            Some(session) => reply.header(CANTUS_QOS.clone(), session.granted_spec().to_string()),
            None => reply,
        }
    }

    /// Other terms for a session that goes on, as `Cantus-QoS`; we have no other parameters. Of who
    /// does not know us, it is a keep-alive like any other (RFC 7826, section 10.5).
    pub(super) fn set_parameter(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Reply {
        if !asked.cantus && asked.spec == QosSpec::default() {
            return self.get_parameter(connection, asked);
        }
        if asked.has_body || !asked.cantus {
            return no_parameters();
        }
        let id = match self.whole_session(connection, asked) {
            Ok(id) => id,
            Err(refusal) => return refusal,
        };
        self.sessions.update(now, id, |session| session.renegotiate(&asked.spec));
        self.with_terms(with_session(Reply::ok(), id), id, asked)
    }

    /// Without a body it is a keep-alive and a measure of the round trip; we have no parameters.
    pub(super) fn get_parameter(&mut self, connection: ConnectionId, asked: &Asked) -> Reply {
        if asked.has_body {
            return no_parameters();
        }
        match self.session_of(connection, asked) {
            Some(id) => self.with_terms(with_session(Reply::ok(), id), id, asked),
            None => Reply::ok(),
        }
    }

    pub(super) fn teardown(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Reply {
        match self.whole_session(connection, asked) {
            Ok(id) => {
                self.end_session(now, id);
                Reply::ok()
            }
            Err(refusal) => refusal,
        }
    }

    /// The session that a request is about as a whole: its tracks keep time with each other, and
    /// none of several plays alone (RFC 2326, section 11.3.12).
    fn whole_session(&self, connection: ConnectionId, asked: &Asked) -> Result<SessionId, Reply> {
        let id = self.session_of(connection, asked).ok_or_else(|| self.no_session(asked))?;
        let session = self.sessions.peek(id).ok_or_else(session_not_found)?;
        let target = asked.target.as_ref();
        let name = target.and_then(|target| target.name.as_deref());
        if name.is_some_and(|name| name != session.programme.presentation.name) {
            return Err(session_not_found());
        }
        if session.flows.len() > 1 && target.is_some_and(|target| target.track.is_some()) {
            let why = "the tracks of a session play together: use the URL of the presentation";
            return Err(Reply::refuse(StatusCode::OnlyAggregateOperationAllowed, why));
        }
        Ok(id)
    }
}

fn no_parameters() -> Reply {
    Reply::refuse(StatusCode::ParameterNotUnderstood, "this server has no parameters")
}

fn with_session(reply: Reply, id: SessionId) -> Reply {
    reply.header(headers::SESSION, id.to_string())
}
