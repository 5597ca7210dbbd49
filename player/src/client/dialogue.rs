//! Requests and their answers, matched by CSeq.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::rtsp::{Challenge, FramingError, Incoming, MessageBuffer, write_request};
use cantus_qos::time::MonoTime;
use rtsp_types::{HeaderName, Method, Request, Response, Url, Version, headers};

use super::login::Login;
use crate::url::User;

/// Without an answer for this long the server counts as gone. Control runs on a reliable
/// transport, so asking again would not help.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that asks for something else each time is not asked for ever.
const MOST_TRIES: u32 = 3;

/// Requests under way, named by `Step`.
#[derive(Debug)]
pub(crate) struct Dialogue<Step> {
    next_cseq: u32,
    login: Login,
    open: VecDeque<Open<Step>>,
    incoming: MessageBuffer,
    outgoing: VecDeque<Bytes>,
}

#[derive(Debug)]
struct Open<Step> {
    cseq: u32,
    step: Step,
    sent: MonoTime,
    asked: Asked,
}

/// A request, as long as it may have to be repeated.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    url: String,
    extra: Vec<(HeaderName, String)>,
    /// What was shown with it, and how often it was sent.
    shown: Option<Challenge>,
    times: u32,
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Reply<Step> {
    /// Which request.
    pub step: Step,
    /// Its answer.
    pub response: Response<Vec<u8>>,
    /// How long it took.
    pub round_trip: Duration,
}

impl<Step: Copy + PartialEq> Dialogue<Step> {
    /// Nothing asked, nothing answered. A server that wants to know gets to know that it is `user`.
    pub(crate) fn new(user: Option<User>) -> Self {
        Self {
            next_cseq: 1,
            login: Login::new(user),
            open: VecDeque::new(),
            incoming: MessageBuffer::new(),
            outgoing: VecDeque::new(),
        }
    }

    /// Sends a request. A URL that the server made up and that is none is left out.
    pub(crate) fn request(
        &mut self,
        now: MonoTime,
        step: Step,
        method: Method,
        url: &str,
        extra: &[(HeaderName, String)],
    ) {
        let (url, extra) = (url.to_owned(), extra.to_vec());
        self.send(now, step, Asked { method, url, extra, shown: None, times: 0 });
    }

    fn send(&mut self, now: MonoTime, step: Step, asked: Asked) {
        let cseq = self.next_cseq;
        self.next_cseq += 1;
        let mut builder = Request::builder(asked.method.clone(), Version::V1_0);
        // What is proven is the text of the request line, not what it was read from.
        let url = Url::parse(&asked.url).ok();
        let uri = url.as_ref().map_or("*", Url::as_str).to_owned();
        if let Some(url) = url {
            builder = builder.request_uri(url);
        }
        builder = builder
            .header(headers::CSEQ, cseq.to_string())
            .header(headers::USER_AGENT, concat!("Cantus/", env!("CARGO_PKG_VERSION")));
        if let Some(shown) = self.login.authorization(&asked.method, &uri) {
            builder = builder.header(headers::AUTHORIZATION, shown);
        }
        for (name, value) in &asked.extra {
            builder = builder.header(name.clone(), value.as_str());
        }
        self.outgoing.push_back(write_request(&builder.build(Vec::new())));
        let shown = self.login.challenge().cloned();
        let asked = Asked { shown, times: asked.times + 1, ..asked };
        self.open.push_back(Open { cseq, step, sent: now, asked });
    }

    /// Bytes came.
    pub(crate) fn receive(&mut self, data: &[u8]) {
        self.incoming.push(data);
    }

    /// The next answer to one of our requests; whatever else comes is passed over.
    ///
    /// # Errors
    ///
    /// If what comes is not RTSP; then nothing more can be read.
    pub(crate) fn next(&mut self, now: MonoTime) -> Result<Option<Reply<Step>>, FramingError> {
        while let Some(incoming) = self.incoming.next()? {
            let Incoming::Response(response) = incoming else { continue };
            let cseq = response.header(&headers::CSEQ).map(|value| value.as_str().trim());
            let cseq = cseq.and_then(|value| value.parse::<u32>().ok());
            let place = self.open.iter().position(|open| Some(open.cseq) == cseq);
            let Some(open) = place.and_then(|place| self.open.remove(place)) else { continue };
            let (asked, shown) = (&open.asked, open.asked.shown.as_ref());
            if asked.times < MOST_TRIES && self.login.is_asked(&response, shown) {
                self.send(now, open.step, open.asked);
                continue;
            }
            let round_trip = now.since(open.sent);
            return Ok(Some(Reply { step: open.step, response, round_trip }));
        }
        Ok(None)
    }

    /// Bytes to be written.
    pub(crate) fn pop_outgoing(&mut self) -> Option<Bytes> {
        self.outgoing.pop_front()
    }

    /// Whether a request waits for its answer.
    pub(crate) fn is_open(&self, step: Step) -> bool {
        self.open.iter().any(|open| open.step == step)
    }

    /// The request that has waited too long, told once, and how long it has waited.
    pub(crate) fn overdue(&mut self, now: MonoTime) -> Option<(Step, Duration)> {
        let open = self.open.front().filter(|open| now >= open.sent + PATIENCE)?;
        let told = (open.step, now.since(open.sent));
        self.open.pop_front();
        Some(told)
    }

    /// When a request becomes overdue.
    pub(crate) fn next_deadline(&self) -> Option<MonoTime> {
        self.open.front().map(|open| open.sent + PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use rtsp_types::StatusCode;

    use super::*;

    fn answer(cseq: u32) -> Vec<u8> {
        format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n\r\n").into_bytes()
    }

    fn asked() -> Dialogue<char> {
        let mut dialogue = Dialogue::new(None);
        for step in ['a', 'b'] {
            dialogue.request(MonoTime::ZERO, step, Method::Options, "rtsp://h/x", &[]);
        }
        dialogue
    }

    #[test]
    fn answers_find_their_request_in_any_order_and_only_once() {
        let mut dialogue = asked();
        dialogue.receive(&[answer(2), answer(2), answer(7), answer(1)].concat());
        let now = MonoTime::from_millis(30);
        let first = dialogue.next(now).unwrap().unwrap();
        assert_eq!((first.step, first.round_trip), ('b', Duration::from_millis(30)));
        assert_eq!(dialogue.next(now).unwrap().unwrap().step, 'a');
        assert!(dialogue.next(now).unwrap().is_none());
    }

    #[test]
    fn a_request_is_overdue_after_ten_seconds_and_not_before() {
        let mut dialogue = asked();
        let deadline = dialogue.next_deadline().unwrap();
        assert_eq!(deadline, MonoTime::from_millis(10_000));
        assert!(dialogue.overdue(MonoTime::from_millis(9_999)).is_none());
        assert_eq!(dialogue.overdue(deadline), Some(('a', Duration::from_secs(10))));
        assert_eq!(dialogue.overdue(deadline).map(|it| it.0), Some('b'));
        assert!(dialogue.overdue(deadline).is_none());
    }

    /// What a server asks for, and what is sent again for it.
    fn challenged(dialogue: &mut Dialogue<char>, cseq: u32, nonce: &str) -> Option<String> {
        let challenge = format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\"\r\n");
        let answer = format!("RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\n{challenge}\r\n");
        dialogue.receive(answer.as_bytes());
        while dialogue.pop_outgoing().is_some() {}
        let reply = dialogue.next(MonoTime::ZERO).unwrap();
        assert!(reply.is_none_or(|reply| reply.response.status() == StatusCode::Unauthorized));
        Some(String::from_utf8(dialogue.pop_outgoing()?.to_vec()).unwrap())
    }

    fn as_user() -> Dialogue<char> {
        as_user_of("rtsp://h/x")
    }

    fn as_user_of(url: &str) -> Dialogue<char> {
        let user = User { name: "me".into(), password: "secret".into() };
        let mut dialogue = Dialogue::new(Some(user));
        dialogue.request(MonoTime::ZERO, 'a', Method::Describe, url, &[]);
        dialogue
    }

    #[test]
    fn what_is_proven_is_the_text_of_the_request_line_whatever_the_server_made_of_its_url() {
        for url in ["rtsp://h/x", "rtsp://h/a talk", "RTSP://H/ä?q", "track1"] {
            let again = challenged(&mut as_user_of(url), 1, "one").unwrap();
            let sent = again.split(' ').nth(1).unwrap();
            assert!(again.contains(&format!("uri=\"{sent}\"")), "{again}");
        }
    }

    #[test]
    fn a_request_is_repeated_with_the_proof_that_was_asked_for_and_later_ones_have_it_at_once() {
        let mut dialogue = as_user();
        let again = challenged(&mut dialogue, 1, "one").unwrap();
        assert!(again.contains("DESCRIBE rtsp://h/x") && again.contains("CSeq: 2"), "{again}");
        let shown = again.lines().find_map(|line| line.strip_prefix("Authorization: ")).unwrap();
        let shown: cantus_qos::rtsp::Credentials = shown.parse().unwrap();
        assert!(shown.prove("DESCRIBE", "secret"), "{again}");
        dialogue.request(MonoTime::ZERO, 'b', Method::Play, "rtsp://h/x", &[]);
        let play = String::from_utf8(dialogue.pop_outgoing().unwrap().to_vec()).unwrap();
        assert!(play.contains("nonce=\"one\""), "{play}");
    }

    #[test]
    fn a_proof_that_is_refused_is_not_shown_again_and_new_questions_have_an_end() {
        let mut dialogue = as_user();
        assert!(challenged(&mut dialogue, 1, "one").is_some());
        assert_eq!(challenged(&mut dialogue, 2, "one"), None, "the password is wrong");
        let mut dialogue = as_user();
        let asked = (1..9).filter(|n| challenged(&mut dialogue, *n, &n.to_string()).is_some());
        assert_eq!(asked.count(), 2);
    }

    #[test]
    fn who_has_no_name_shows_none() {
        assert_eq!(challenged(&mut asked(), 1, "one"), None);
    }

    #[test]
    fn noise_is_an_error_and_not_a_panic() {
        let mut dialogue = asked();
        dialogue.receive(&[0xff; 16_384]);
        assert!(dialogue.next(MonoTime::ZERO).is_err());
    }
}
