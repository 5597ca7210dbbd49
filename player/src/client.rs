//! The request-reply side of the player: RTSP 1.0, pure.
//!
//! DESCRIBE tells what there is; each track that is wanted is SET UP on a flow of its own, then
//! PLAY. A server that knows `cantus.media` gets SETUPs and PLAY in one go (RFC 7826, section
//! 18.33), so that sound is two round trips away; any other gets them one by one.

pub(crate) mod dialogue;
mod flows;
mod login;
mod setup;
pub(crate) mod terms;

pub use flows::{FlowPlan, Role};

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::roq::FlowId;
use cantus_qos::rtsp::{CANTUS_CLOCK, FEATURE, NptRange, NptStart, RtpInfo, SessionHeader};
use cantus_qos::spec::QosSpec;
use cantus_qos::spec::sdp::{AudioCodec, Description};
use cantus_qos::time::{MediaTime, MonoTime, NtpTime};
use rtsp_types::{HeaderName, Method, Response, StatusCode, headers};

use crate::decode::OpusDecoder;
use crate::error::PlayError;
use crate::wish::{Carrier, Wish};
use dialogue::{Dialogue, Reply};

/// Between signs of life, which also measure the round trip; never longer than the server's
/// time-out allows.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// No server needs to hear of us more often than this.
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// A server that begins no earlier than this before the wished place has understood it. One that
/// begins elsewhere cannot seek there.
const LEAD_IN: MediaTime = MediaTime::from_millis(250);

/// The name of our one group of pipelined requests.
const GROUP: &str = "1";

/// A request that was sent.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
enum Step {
    Describe,
    Setup(usize),
    Play,
    KeepAlive,
    Renegotiate,
    Teardown,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Describe => "DESCRIBE",
            Self::Setup(_) => "SETUP",
            Self::Play => "PLAY",
            Self::KeepAlive => "GET_PARAMETER",
            Self::Renegotiate => "SET_PARAMETER",
            Self::Teardown => "TEARDOWN",
        }
    }
}

/// What the client tells the player.
#[derive(Debug)]
pub enum News {
    /// Open a pair of ports for a flow.
    Bind(FlowId),
    /// The server's ports of a flow.
    Peer(FlowId, (u16, u16)),
    /// A request was answered after so long.
    RoundTrip(Duration),
    /// Media is on its way.
    Playing(Playing),
    /// The server promises something else from now on.
    Terms(QosSpec),
    /// The server has ended the session, and says why.
    Ended(String),
    /// It cannot go on.
    Failed(PlayError),
}

/// What the answer to PLAY says.
#[derive(Clone, Debug)]
pub struct Playing {
    /// What was described.
    pub description: Description,
    /// The flows that were set up.
    pub flows: Vec<FlowPlan>,
    /// The range that is sent.
    pub range: (MediaTime, Option<MediaTime>),
    /// Where the sound begins: what is sent before this is decoded and not heard.
    pub from: MediaTime,
    /// What the sender's clock showed at the start of the range.
    pub clock: Option<NtpTime>,
    /// What is promised: what was asked for, or the offer that was taken.
    pub terms: QosSpec,
    /// Whether it is sent without having been asked for: nobody tells when it begins, and perhaps
    /// nobody when it ends.
    pub pushed: bool,
}

/// The client (pure).
#[derive(Debug)]
pub struct Client {
    wish: Wish,
    dialogue: Dialogue<Step>,
    news: VecDeque<News>,
    description: Option<Description>,
    base: String,
    cantus: bool,
    flows: Vec<FlowPlan>,
    session: Option<SessionHeader>,
    /// What the server promised last.
    offered: Option<QosSpec>,
    over: bool,
    keep_alive_at: Option<MonoTime>,
}

impl Client {
    /// A client that has asked nothing yet.
    pub fn new(wish: Wish) -> Self {
        Self {
            base: wish.url.to_string(),
            dialogue: Dialogue::new(wish.user.clone()),
            wish,
            news: VecDeque::new(),
            description: None,
            cantus: false,
            flows: Vec::new(),
            session: None,
            offered: None,
            over: false,
            keep_alive_at: None,
        }
    }

    /// Begins: the control connection is there.
    pub fn start(&mut self, now: MonoTime) {
        let mut url = self.wish.url.clone();
        if self.wish.codec == AudioCodec::L16 {
            url.set_query(Some("codec=l16"));
        }
        let extra = [
            (headers::ACCEPT, "application/sdp".to_owned()),
            (headers::SUPPORTED, FEATURE.to_owned()),
        ];
        self.dialogue.request(now, Step::Describe, Method::Describe, url.as_str(), &extra);
    }

    /// Bytes came on the control connection.
    pub fn receive(&mut self, now: MonoTime, data: &[u8]) {
        self.dialogue.receive(data);
        while !self.over {
            match self.dialogue.next(now) {
                Ok(Some(reply)) => self.on_reply(now, reply),
                Ok(None) => break,
                Err(error) => self.fail(PlayError::NotRtsp(error)),
            }
        }
    }

    /// Ends the session, even one that has been asked for and not yet been granted. Nobody waits
    /// for the answer.
    pub fn teardown(&mut self, now: MonoTime) {
        if self.session.is_some() || self.dialogue.is_open(Step::Setup(0)) {
            let (extra, base) = (self.belonging(), self.base.clone());
            self.dialogue.request(now, Step::Teardown, Method::Teardown, &base, &extra);
        }
        self.over = true;
    }

    /// Bytes to be written to the control connection.
    pub fn pop_control(&mut self) -> Option<Bytes> {
        self.dialogue.pop_outgoing()
    }

    /// What there is to tell.
    pub fn pop_news(&mut self, now: MonoTime) -> Option<News> {
        if !self.over {
            self.watch(now);
        }
        self.news.pop_front()
    }

    /// When [`pop_news`](Self::pop_news) has something to do.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        if self.over {
            return None;
        }
        self.keep_alive_at.into_iter().chain(self.dialogue.next_deadline()).min()
    }

    fn fail(&mut self, error: PlayError) {
        self.over = true;
        self.news.push_back(News::Failed(error));
    }

    /// Sends signs of life, and gives up where a request is left unanswered.
    fn watch(&mut self, now: MonoTime) {
        if self.keep_alive_at.is_some_and(|at| at <= now) {
            self.keep_alive(now);
        }
        match self.dialogue.overdue(now) {
            // While media comes the server is there; its silence is watched for elsewhere.
            Some((Step::KeepAlive | Step::Renegotiate, _)) => {}
            Some((step, after)) => self.fail(PlayError::NoAnswer { request: step.name(), after }),
            None => {}
        }
    }

    fn keep_alive(&mut self, now: MonoTime) {
        let Some(session) = &self.session else { return };
        let timeout = session.timeout.unwrap_or(Duration::from_secs(60));
        let (extra, base) = (self.belonging(), self.base.clone());
        self.dialogue.request(now, Step::KeepAlive, Method::GetParameter, &base, &extra);
        let interval = KEEP_ALIVE.min(timeout / 3).max(SHORTEST_KEEP_ALIVE);
        self.keep_alive_at = Some(now + interval);
    }

    fn on_reply(&mut self, now: MonoTime, reply: Reply<Step>) {
        self.news.push_back(News::RoundTrip(reply.round_trip));
        let Reply { step, response, .. } = reply;
        match step {
            Step::KeepAlive | Step::Renegotiate => self.on_told(&response),
            Step::Teardown => {}
            Step::Setup(index) if !response.status().is_success() => {
                self.on_setup_refused(now, index, &response);
            }
            _ if !response.status().is_success() => {
                let error = self.refusal(step, &response);
                self.fail(error);
            }
            Step::Describe => self.on_described(now, &response),
            Step::Setup(index) => self.on_set_up(now, index, &response),
            Step::Play => self.on_playing(now, &response),
        }
    }

    fn on_described(&mut self, now: MonoTime, response: &Response<Vec<u8>>) {
        let description = match Description::parse(response.body()) {
            Ok(description) => description,
            Err(error) => return self.fail(error.into()),
        };
        if let Some(base) = response.header(&headers::CONTENT_BASE) {
            self.base = base.as_str().trim().to_owned();
        }
        let tags = response.header(&headers::SUPPORTED).map_or("", |value| value.as_str());
        self.cantus = tags.split(',').any(|tag| tag.trim() == FEATURE);
        self.flows = flows::choose(&description, &self.wish, &self.base);
        for plan in &mut self.flows {
            plan.feedback_at_once = self.cantus;
            plan.retransmission = plan.retransmission.filter(|_| self.wish.retransmission);
        }
        if !self.flows.iter().any(|plan| matches!(plan.role, Role::Audio { .. })) {
            return self.fail(PlayError::NoAudio { url: self.wish.url.to_string() });
        }
        self.description = Some(description);
        match self.wish.carrier {
            Carrier::Quic => self.set_up(now),
            Carrier::Udp => {
                self.news.extend(self.flows.iter().map(|plan| News::Bind(plan.id)));
            }
        }
    }

    /// The group or the session that a request belongs to.
    fn belonging(&self) -> Vec<(HeaderName, String)> {
        let group = match &self.session {
            Some(session) => Some((headers::SESSION, session.id.clone())),
            None => self.cantus.then(|| (headers::PIPELINED_REQUESTS, GROUP.to_owned())),
        };
        let supported = self.cantus.then(|| (headers::SUPPORTED, FEATURE.to_owned()));
        group.into_iter().chain(supported).collect()
    }

    fn send_play(&mut self, now: MonoTime) {
        let mut extra = self.belonging();
        let end = self.wish.length.map(|length| self.wish.from + length);
        let start = (self.wish.from - self.lead_in()).max(MediaTime::ZERO);
        let range = NptRange { start: NptStart::At(start), end };
        extra.push((headers::RANGE, range.to_string()));
        let base = self.base.clone();
        self.dialogue.request(now, Step::Play, Method::Play, &base, &extra);
    }

    /// How much before the wished place must be decoded for the sound there to be right.
    fn lead_in(&self) -> MediaTime {
        let opus =
            |plan: &FlowPlan| matches!(plan.role, Role::Audio { codec: AudioCodec::Opus, .. });
        if self.flows.iter().any(opus) { OpusDecoder::PRE_ROLL } else { MediaTime::ZERO }
    }

    fn on_playing(&mut self, now: MonoTime, response: &Response<Vec<u8>>) {
        let text = |name: &HeaderName| response.header(name).map(|value| value.as_str());
        let range = text(&headers::RANGE).and_then(|range| range.parse::<NptRange>().ok());
        let start = match range {
            Some(NptRange { start: NptStart::At(start), .. }) => start,
            _ => self.wish.from,
        };
        let wished = start..=start + LEAD_IN;
        let from = if wished.contains(&self.wish.from) { self.wish.from } else { start };
        let described = self.description.as_ref().and_then(|it| it.duration);
        let asked = self.wish.length.map(|length| self.wish.from + length);
        let until = range.and_then(|range| range.end).or(asked).or(described);
        if until.is_some_and(|until| until <= from) {
            let (url, from) = (self.wish.url.to_string(), from.as_secs_f64());
            return self.fail(PlayError::Nothing { url, from });
        }
        for info in text(&headers::RTP_INFO).map(RtpInfo::parse_list).unwrap_or_default() {
            flows::note_start(&mut self.flows, &info);
        }
        let terms = match self.agree(response) {
            Ok(terms) => terms,
            Err(error) => return self.fail(error),
        };
        let clock = text(&CANTUS_CLOCK).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let Some(description) = self.description.clone() else { return };
        self.keep_alive_at = Some(now + Duration::from_secs(1));
        self.news.push_back(News::Playing(Playing {
            description,
            flows: self.flows.iter().filter(|plan| plan.accepted).cloned().collect(),
            range: (start, until),
            from,
            clock: clock.map(NtpTime::from_bits),
            terms,
            pushed: false,
        }));
    }

    fn refusal(&self, step: Step, response: &Response<Vec<u8>>) -> PlayError {
        let url = self.wish.url.to_string();
        let reason = terms::words(response);
        match response.status() {
            StatusCode::NotFound => PlayError::Unknown { url },
            StatusCode::Unauthorized => PlayError::LogIn { url, shown: self.wish.user.is_some() },
            StatusCode::NotEnoughBandwidth | StatusCode::ServiceUnavailable => {
                let possible = terms::offered(response).and_then(|spec| spec.rate);
                PlayError::Full { url, reason, possible }
            }
            status => {
                PlayError::Refused { url, request: step.name(), status: status.into(), reason }
            }
        }
    }
}

#[cfg(test)]
mod tests;
