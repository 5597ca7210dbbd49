//! Setting up: a flow for each track that was chosen, one by one or all at once.

use cantus_qos::roq::FlowId;
use cantus_qos::rtsp::{CANTUS_FEC, CANTUS_QOS, Transport};
use cantus_qos::spec::Protection;
use cantus_qos::time::MonoTime;
use rtsp_types::{Method, Response, headers};

use super::{Client, News, Role, Step, terms};
use crate::error::PlayError;

impl Client {
    /// Ports are open for a flow.
    pub fn bound(&mut self, now: MonoTime, flow: FlowId, ports: (u16, u16)) {
        if let Some(plan) = self.flows.iter_mut().find(|plan| plan.id == flow) {
            plan.ports = Some(ports);
        }
        if self.flows.iter().all(|plan| plan.ports.is_some()) {
            self.set_up(now);
        }
    }

    /// Sends every SETUP and PLAY at once, or the first SETUP only.
    pub(super) fn set_up(&mut self, now: MonoTime) {
        if !self.cantus {
            return self.send_setup(now, 0);
        }
        for index in 0..self.flows.len() {
            self.send_setup(now, index);
        }
        self.send_play(now);
    }

    fn send_setup(&mut self, now: MonoTime, index: usize) {
        let plan = &self.flows[index];
        let mut extra = self.belonging();
        extra.push((headers::TRANSPORT, plan.offer(self.wish.carrier, self.cantus)));
        if self.cantus {
            let spec = self.wish.full_spec().to_string();
            if !spec.is_empty() {
                extra.push((CANTUS_QOS.clone(), spec));
            }
            if matches!(plan.role, Role::Repair { .. }) {
                extra.push((CANTUS_FEC.clone(), self.wish.protection.to_string()));
            }
        }
        let url = plan.url.clone();
        self.dialogue.request(now, Step::Setup(index), Method::Setup, &url, &extra);
    }

    pub(super) fn on_set_up(&mut self, now: MonoTime, index: usize, response: &Response<Vec<u8>>) {
        let missing = |header| PlayError::Header { request: "SETUP", header };
        let session = response.header(&headers::SESSION).and_then(|it| it.as_str().parse().ok());
        let Some(session) = session else { return self.fail(missing("Session")) };
        self.session = Some(session);
        let transport = response.header(&headers::TRANSPORT);
        let Some(Ok(transport)) = transport.map(|it| it.as_str().parse::<Transport>()) else {
            return self.fail(missing("Transport"));
        };
        self.offered = terms::offered(response).or(self.offered);
        let plan = &mut self.flows[index];
        plan.accepted = true;
        if let Some(shape) = response.header(&CANTUS_FEC) {
            plan.protection = shape.as_str().parse::<Protection>().ok();
        }
        if let Transport::Udp { server: Some(ports), .. } = transport {
            self.news.push_back(News::Peer(plan.id, ports));
        }
        let (Transport::Udp { ssrc, .. }
        | Transport::Quic { ssrc, .. }
        | Transport::Interleaved { ssrc, .. }) = transport;
        plan.ssrc = ssrc;
        self.after_setup(now, index);
    }

    /// Repair and subtitles are not worth failing for; sound is.
    pub(super) fn on_setup_refused(
        &mut self,
        now: MonoTime,
        index: usize,
        response: &Response<Vec<u8>>,
    ) {
        if matches!(self.flows[index].role, Role::Audio { .. }) {
            let error = self.refusal(Step::Setup(index), response);
            return self.fail(error);
        }
        self.after_setup(now, index);
    }

    fn after_setup(&mut self, now: MonoTime, index: usize) {
        if self.cantus {
            return;
        }
        if index + 1 < self.flows.len() {
            self.send_setup(now, index + 1);
        } else {
            self.send_play(now);
        }
    }
}
