//! What was asked for, and what the server promises.

use cantus_qos::rtsp::CANTUS_QOS;
use cantus_qos::spec::QosSpec;
use cantus_qos::stats::report::Term;
use cantus_qos::time::MonoTime;
use rtsp_types::{Method, Response, StatusCode};

use super::{Client, News, Step};
use crate::error::{PlayError, in_one_line};
use crate::wish::Less;

impl Client {
    /// What is promised from the beginning: what was asked for where the server offers no less, or
    /// what it offers where that is to be taken. A server that says nothing promises nothing, and
    /// is held to what was asked for.
    ///
    /// # Errors
    ///
    /// [`PlayError::Less`] where less is offered, and not to be taken.
    pub(super) fn agree(&mut self, response: &Response<Vec<u8>>) -> Result<QosSpec, PlayError> {
        self.offered = offered(response).or(self.offered);
        let asked = self.wish.full_spec();
        let Some(offered) = self.offered else { return Ok(asked) };
        let short = asked.shortfall(&offered);
        match self.wish.less {
            Less::Ignore => Ok(asked),
            Less::Take => Ok(asked.taking(&offered)),
            Less::Refuse if short.is_empty() => Ok(asked),
            Less::Refuse => Err(PlayError::Less {
                url: self.wish.url.to_string(),
                offered: Box::new(offered),
                short: Box::new(only(&asked, &short)),
            }),
        }
    }

    /// Asks for other terms while it plays.
    pub(crate) fn renegotiate(&mut self, now: MonoTime, terms: &QosSpec) {
        if !self.cantus || self.session.is_none() || self.over {
            return;
        }
        let (mut extra, base) = (self.belonging(), self.base.clone());
        extra.push((CANTUS_QOS.clone(), terms.to_string()));
        self.dialogue.request(now, Step::Renegotiate, Method::SetParameter, &base, &extra);
    }

    /// An answer says what is promised now, or that there is no session any more.
    pub(super) fn on_told(&mut self, response: &Response<Vec<u8>>) {
        if response.status() == StatusCode::SessionNotFound {
            self.keep_alive_at = None;
            self.news.push_back(News::Ended(words(response)));
            return;
        }
        let Some(offered) = offered(response) else { return };
        if self.offered.replace(offered) != Some(offered) {
            self.news.push_back(News::Terms(offered));
        }
    }
}

/// What an answer promises.
pub(super) fn offered(response: &Response<Vec<u8>>) -> Option<QosSpec> {
    response.header(&CANTUS_QOS)?.as_str().parse().ok()
}

/// The one line in which a refusal says why.
pub(crate) fn words(response: &Response<Vec<u8>>) -> String {
    let words = String::from_utf8_lossy(response.body());
    let line = words.lines().next().map(str::trim).filter(|line| !line.is_empty());
    in_one_line(line.unwrap_or_else(|| response.reason_phrase()))
}

/// These terms of `spec` alone.
fn only(spec: &QosSpec, terms: &[Term]) -> QosSpec {
    let has = |term| terms.contains(&term);
    QosSpec {
        delay: spec.delay.filter(|_| has(Term::Delay)),
        jitter: spec.jitter.filter(|_| has(Term::Jitter)),
        loss: spec.loss.filter(|_| has(Term::Loss)),
        skew: spec.skew.filter(|_| has(Term::Skew)),
        setup: spec.setup.filter(|_| has(Term::Setup)),
        rate: spec.rate.filter(|_| has(Term::Rate)),
        mode: None,
    }
}
