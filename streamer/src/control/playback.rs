//! PLAY, PAUSE, GET_PARAMETER and TEARDOWN.

use cantus_qos::rtsp::{CANTUS_CLOCK, NptRange, NptStart, RtpInfo};
use cantus_qos::time::MonoTime;
use rtsp_types::{StatusCode, headers};

use super::reply::Reply;
use super::request::Asked;
use super::target::Track;
use super::{SessionId, encode};
use crate::server::Server;
use crate::session::StartPoint;
use crate::wire::ConnectionId;

impl Server {
    pub(super) fn play(&mut self, now: MonoTime, connection: ConnectionId, asked: &Asked) -> Reply {
        let Some(id) = self.session_of(connection, asked) else { return session_not_found() };
        let (from, until) = match &asked.range {
            Some(NptRange { start: NptStart::At(from), end }) => (Some(*from), *end),
            Some(NptRange { start: NptStart::Now, end }) => (None, *end),
            None => (None, None),
        };
        let clock = self.wall.at(now);
        let played = self.sessions.update(now, id, |session| {
            if from.is_some_and(|from| from > session.programme.presentation.duration) {
                return None;
            }
            // PLAY without a range while playing changes nothing (RFC 2326, section 10.5).
            if session.is_playing() && asked.range.is_none() {
                return Some(None);
            }
            let points = session.play(now, from, until);
            Some(Some((points, session.start_points(points.0))))
        });
        match played.flatten() {
            None => Reply::refuse(StatusCode::InvalidRange, "the range begins after the end"),
            Some(None) => with_session(Reply::ok(), id),
            Some(Some(((from, until), points))) => {
                let range = NptRange { start: NptStart::At(from), end: Some(until) };
                with_session(Reply::ok(), id)
                    .header(headers::RANGE, range.to_string())
                    .header(headers::RTP_INFO, self.rtp_info(id, asked, &points))
                    .header(CANTUS_CLOCK.clone(), format!("{:016x}", clock.to_bits()))
            }
        }
    }

    fn rtp_info(&self, id: SessionId, asked: &Asked, points: &[StartPoint]) -> String {
        let Some(session) = self.sessions.peek(id) else { return String::new() };
        let base = asked.url.as_ref().map(|url| {
            let mut base = url.clone();
            base.set_query(None);
            base.set_path(&format!("/{}/", encode(&session.programme.presentation.name)));
            base.to_string()
        });
        let base = base.unwrap_or_default();
        let info = points.iter().map(|point| {
            let info = RtpInfo {
                url: format!("{base}{}", Track::control(session.programme.codec, &point.kind)),
                sequence: Some(point.sequence),
                timestamp: Some(point.timestamp),
            };
            info.to_string()
        });
        info.collect::<Vec<_>>().join(",")
    }

    pub(super) fn pause(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Reply {
        let Some(id) = self.session_of(connection, asked) else { return session_not_found() };
        self.sessions.update(now, id, |session| session.pause(now));
        with_session(Reply::ok(), id)
    }

    /// Without a body it is a keep-alive and a measure of the round trip; we have no parameters.
    pub(super) fn get_parameter(&mut self, connection: ConnectionId, asked: &Asked) -> Reply {
        match (&asked.session, self.session_of(connection, asked)) {
            (Some(_), None) => session_not_found(),
            (_, Some(id)) => with_session(Reply::ok(), id),
            (None, None) => Reply::ok(),
        }
    }

    pub(super) fn teardown(&mut self, connection: ConnectionId, asked: &Asked) -> Reply {
        let Some(id) = self.session_of(connection, asked) else { return session_not_found() };
        self.end_session(id);
        Reply::ok()
    }
}

fn session_not_found() -> Reply {
    Reply::refuse(StatusCode::SessionNotFound, "no such session")
}

fn with_session(reply: Reply, id: SessionId) -> Reply {
    reply.header(headers::SESSION, id.to_string())
}
