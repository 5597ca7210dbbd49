//! SETUP: a flow for one track.
//!
//! Everything is decided before anything is changed: a SETUP that is refused leaves no trace.

use std::sync::Arc;

use cantus_qos::fec::Scheme;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtsp::{CANTUS_FEC, CANTUS_QOS, SessionHeader};
use cantus_qos::spec::admission::{Class, Grant, Refusal};
use cantus_qos::spec::{Mode, Protection as Wish, QosSpec};
use cantus_qos::time::MonoTime;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtsp_types::{StatusCode, headers};

use super::flow::{Feed, Follows, Needs};
use super::reply::Reply;
use super::request::{Asked, bad};
use super::route::Choice;
use super::{Control, SessionId};
use crate::pipeline::{Pipeline, SenderReports, StreamSeed};
use crate::programme::Programme;
use crate::protection::{self, Granted};
use crate::session::{Flow, FlowKind, Route, Session, TIMEOUT};
use crate::wire::{Carrier, ConnectionId};

/// What a subtitle track may use: a line of text, eight times, every few seconds.
const TEXT_RATE: Bitrate = Bitrate::from_kbps(8);

/// Sessions that one connection may set up; no listener hears more at a time.
const MAX_SESSIONS: usize = 64;

/// What SETUP has decided.
struct Plan {
    kind: FlowKind,
    choice: Choice,
    rate: Bitrate,
    repair: Option<Granted>,
    feed: Feed,
}

/// What a SETUP is about.
struct Context<'a> {
    connection: ConnectionId,
    carrier: Carrier,
    programme: Arc<Programme>,
    session: Option<&'a Session>,
    /// What is wished of the session: its first SETUP says so.
    spec: QosSpec,
}

impl Control {
    pub(super) fn setup(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Reply {
        self.try_setup(now, connection, asked).unwrap_or_else(|refusal| refusal)
    }

    fn try_setup(
        &mut self,
        now: MonoTime,
        connection: ConnectionId,
        asked: &Asked,
    ) -> Result<Reply, Reply> {
        let session = self.session_of(connection, asked);
        let random = ChaCha8Rng::from_rng(&mut self.random);
        let seed = self.stream_seed();
        let context = self.context(connection, asked, session)?;
        if context.session.is_some_and(|session| session.is_playing(now)) {
            return Err(not_valid("SETUP is not possible while playing"));
        }
        let plan = self.plan(&context, asked, seed)?;
        let Context { carrier, programme, spec, .. } = context;
        let id = match session {
            Some(id) => self.widen(now, id, plan.rate)?,
            None => {
                let grant = self.admit(connection, class(&spec), plan.rate)?;
                let reports = SenderReports::new(self.config.cname.clone(), random);
                let others = !asked.cantus && matches!(plan.choice.route, Route::Udp { .. });
                let reports = if others { reports.lingering() } else { reports };
                let pipeline = Pipeline::new(plan.rate, self.wall, reports);
                let owner = (connection, carrier);
                let session = Session::new(now, owner, programme, spec, pipeline, grant);
                self.open_session(now, asked, session)
            }
        };
        let reply = self.add_flow(now, id, asked, plan);
        self.share_out(now);
        Ok(reply)
    }

    fn context(
        &self,
        connection: ConnectionId,
        asked: &Asked,
        session: Option<SessionId>,
    ) -> Result<Context<'_>, Reply> {
        let state = self.connections.get(&connection);
        let state = state.ok_or_else(|| bad("the connection is gone"))?;
        let session = session.and_then(|id| self.sessions.peek(id));
        let described = || state.described().map(|(_, programme)| programme.clone());
        let programme = session.map(|session| session.programme.clone()).or_else(described);
        Ok(Context {
            connection,
            carrier: state.carrier(),
            programme: programme
                .ok_or_else(|| Reply::refuse(StatusCode::NotFound, "no such presentation"))?,
            session,
            spec: session.map_or(asked.spec, |session| session.spec),
        })
    }

    /// Decides everything about a flow.
    fn plan(&self, context: &Context<'_>, asked: &Asked, seed: StreamSeed) -> Result<Plan, Reply> {
        let Context { programme, session, .. } = context;
        let track = asked.target.as_ref().and_then(|target| target.track.as_ref());
        let kind = match track {
            Some(track) => track.kind.clone(),
            // A client that sets up the presentation itself means its only track.
            None if programme.audio.len() == 1 => FlowKind::Audio(0),
            None => {
                return Err(Reply::refuse(
                    StatusCode::AggregateOperationNotAllowed,
                    "which track?",
                ));
            }
        };
        if session.is_some_and(|session| has(session, &kind)) {
            return Err(not_valid("this track is set up already"));
        }
        let offered = asked.transports.as_ref().ok_or_else(|| bad("SETUP has no Transport"))?;
        let next_flow = session.map_or(1, |session| session.flows.len() as u64 + 1);
        let next_flow = FlowId::new(next_flow).ok_or_else(|| bad("too many flows"))?;
        let choice = self.choose_route(context.connection, context.carrier, offered, next_flow)?;
        let (flow, cantus) = (choice.flow, asked.cantus);
        let (feed, rate, repair) = match &kind {
            FlowKind::Audio(index) => {
                let rate = programme.audio_rate(*index).ok_or_else(no_track)?;
                (Feed::audio(programme, *index, flow, cantus, context.needs(), seed), rate, None)
            }
            FlowKind::Repair(index, scheme) => {
                let media = programme.audio_rate(*index).ok_or_else(no_track)?;
                let protects = session.and_then(|it| it.flow(&FlowKind::Audio(*index)));
                let protects =
                    protects.ok_or_else(|| not_valid("set up what is to be repaired first"))?;
                let granted = context.repair(asked.protection, *scheme, *index, media)?;
                let flows = (flow, protects.id);
                // What was wished in particular stays, however much room there comes to be.
                let follows = (asked.protection == Wish::Auto).then(|| Follows {
                    delay: context.spec.delay.unwrap_or(protection::USUAL_DELAY),
                    runs_ahead: context.runs_ahead(),
                });
                let feed = Feed::repair(programme, *index, flows, granted, follows, seed);
                (feed, media.mul_f64(granted.share()), Some(granted))
            }
            FlowKind::Text(language) => {
                let feed = Feed::text(programme, language, flow, choice.route, cantus, seed);
                (feed, TEXT_RATE, None)
            }
        };
        context.check_wished_rate(rate)?;
        Ok(Plan { kind, choice, rate, repair, feed: feed.ok_or_else(no_track)? })
    }

    /// The rate for a new session.
    fn admit(
        &mut self,
        connection: ConnectionId,
        class: Class,
        rate: Bitrate,
    ) -> Result<Grant, Reply> {
        if self.sessions.of_connection(connection).len() >= MAX_SESSIONS {
            let why = format!("{MAX_SESSIONS} sessions on one connection are enough");
            return Err(Reply::refuse(StatusCode::ServiceUnavailable, why));
        }
        self.admission.request(class, rate).map_err(refuse)
    }

    /// More rate for a session that is there.
    fn widen(&mut self, now: MonoTime, id: SessionId, rate: Bitrate) -> Result<SessionId, Reply> {
        let admission = &mut self.admission;
        let widened = self.sessions.update(now, id, |session| {
            let total = session.wanted_rate() + rate;
            admission.change(&mut session.grant, total)
        });
        widened.ok_or_else(super::session_not_found)?.map_err(refuse)?;
        Ok(id)
    }

    fn open_session(&mut self, now: MonoTime, asked: &Asked, session: Session) -> SessionId {
        let id = SessionId(self.random.next_u64());
        let state = self.connections.get_mut(&session.connection);
        self.sessions.insert(now, id, session);
        if let Some((group, state)) = asked.pipelined.clone().zip(state) {
            state.note_pipelined(group, id, |id| self.sessions.peek(id).is_some());
        }
        id
    }

    fn add_flow(&mut self, now: MonoTime, id: SessionId, asked: &Asked, plan: Plan) -> Reply {
        let Plan { kind, choice, rate, repair, feed } = plan;
        let ssrc = feed.ssrc();
        let flow = Flow { id: choice.flow, kind, route: choice.route, rate };
        let granted = self.sessions.update(now, id, |session| {
            feed.join(&mut session.pipeline);
            if let Some(repair) = repair {
                session.needs(repair.least_delay(session.programme.unit_duration()));
            }
            if matches!(flow.kind, FlowKind::Audio(_)) {
                session.guard(flow.id, flow.route, asked.cantus);
                if asked.cantus {
                    session.govern(rate);
                }
            }
            session.add_flow(now, flow);
            (session.connection, session.granted_spec())
        });
        let session = SessionHeader { id: id.to_string(), timeout: Some(TIMEOUT) };
        let mut reply = Reply::ok()
            .header(headers::TRANSPORT, choice.answer(ssrc))
            .header(headers::SESSION, session.to_string());
        if let Some(group) = &asked.pipelined {
            reply = reply.header(headers::PIPELINED_REQUESTS, group.clone());
        }
        if let Some((connection, spec)) = granted {
            self.tell_granted(connection);
            if asked.cantus {
                reply = reply.header(CANTUS_QOS.clone(), spec.to_string());
            }
        }
        if let Some(granted) = repair {
            reply = reply.header(CANTUS_FEC.clone(), granted.told().to_string());
        }
        reply
    }
}

impl Context<'_> {
    fn in_use(&self) -> Bitrate {
        self.session.map_or(Bitrate::ZERO, Session::wanted_rate)
    }

    /// Whether media runs ahead of its time, so that there comes to be more room for repair.
    fn runs_ahead(&self) -> bool {
        matches!(self.spec.mode, Some(Mode::Stored | Mode::BestEffort))
    }

    fn needs(&self) -> Needs {
        Needs { delay: self.spec.delay, runs_ahead: self.runs_ahead() }
    }

    /// A listener who says what the session may take gets no more than that.
    fn check_wished_rate(&self, rate: Bitrate) -> Result<(), Reply> {
        let total = self.in_use() + rate;
        match self.spec.rate {
            Some(limit) if total > limit => {
                let why = format!("{total} are needed, and {limit} were allowed");
                Err(Reply::not_enough_bandwidth(why, limit.saturating_sub(self.in_use())))
            }
            _ => Ok(()),
        }
    }

    /// The repair that fits the delay and, unless something certain is wished, the rate.
    fn repair(
        &self,
        wish: Wish,
        scheme: Scheme,
        index: usize,
        media: Bitrate,
    ) -> Result<Granted, Reply> {
        let refuse = |why: &str| Reply::refuse(StatusCode::NotAcceptable, why);
        let unit = self.programme.audio.get(index).ok_or_else(no_track)?.unit_duration();
        let granted = protection::choose(wish, scheme, self.spec.delay, unit);
        let granted = granted.ok_or_else(|| match (wish, scheme) {
            (Wish::Off, _) => refuse("no repair was wished"),
            (Wish::Fixed(_), Scheme::Sliding) | (Wish::Sliding(_), Scheme::Block(_)) => {
                refuse("what was wished is repair by another scheme: set that up")
            }
            _ => refuse("the delay leaves no room for repair"),
        })?;
        match self.spec.rate {
            Some(limit) if wish == Wish::Auto => {
                let room = limit.saturating_sub(self.in_use());
                let share = room.as_bps() as f64 / media.as_bps().max(1) as f64;
                granted.within(share).ok_or_else(|| refuse("the rate leaves no room for repair"))
            }
            _ => Ok(granted),
        }
    }
}

/// How a session with these terms is admitted; who says nothing is promised what is live.
pub(super) fn class(spec: &QosSpec) -> Class {
    spec.mode.map_or(Class::Reserved, Mode::class)
}

/// 453 says what would be possible, 503 that there is no place at all.
fn refuse(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::Rate { possible, .. } => Reply::not_enough_bandwidth(refusal, possible),
        Refusal::Sessions { .. } => Reply::refuse(StatusCode::ServiceUnavailable, refusal),
    }
}

/// Whether this track is set up already; a track is repaired by one scheme only.
fn has(session: &Session, kind: &FlowKind) -> bool {
    match kind {
        FlowKind::Repair(index, _) => {
            let repairs =
                |flow: &Flow| matches!(flow.kind, FlowKind::Repair(it, _) if it == *index);
            session.flows.iter().any(repairs)
        }
        kind => session.flow(kind).is_some(),
    }
}

fn no_track() -> Reply {
    Reply::refuse(StatusCode::NotFound, "no such track")
}

fn not_valid(why: &str) -> Reply {
    Reply::refuse(StatusCode::MethodNotValidInThisState, why).header(
        headers::ALLOW,
        "OPTIONS, DESCRIBE, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN",
    )
}
