//! What the relay changes in the dialogue: the ports of SETUP. No sockets here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rtsp_types::{Method, Request, Response, headers};

use super::transport::{self, Ports};

/// Requests whose answers are waited for.
const MAX_PENDING: usize = 64;

/// The requests that are on their way, by CSeq.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    pending: BTreeMap<String, Pending>,
}

#[derive(Copy, Clone, Debug)]
enum Pending {
    Setup(Ask),
    Teardown,
}

/// A SETUP request, as the client meant it and as the relay answers for it.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Ask {
    /// The number of the media path.
    pub(super) path: u32,
    /// The client's own ports.
    pub(super) client: Ports,
    /// The relay's ports that face the client.
    pub(super) facing_client: Ports,
    /// The relay's address that the client sees.
    pub(super) seen_by_client: IpAddr,
}

/// What an answer of the server means for the media.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Settled {
    /// Nothing.
    Nothing,
    /// The path is set up: the server's own ports.
    Path { path: u32, server: Ports },
    /// The path will not be used: refused, or the media go another way.
    NoPath { path: u32 },
    /// All paths are torn down.
    Teardown,
}

/// The client's own ports, if `request` sets up UDP.
pub(super) fn client_ports(request: &Request<Vec<u8>>) -> Option<Ports> {
    if *request.method() != Method::Setup {
        return None;
    }
    transport::ports(request.header(&headers::TRANSPORT)?.as_str(), "client_port")
}

impl Dialogue {
    /// Puts the relay's own ports into a SETUP request on its way to the server.
    pub(super) fn on_setup(
        &mut self,
        request: &mut Request<Vec<u8>>,
        ask: Ask,
        facing_server: Ports,
        seen_by_server: IpAddr,
    ) {
        let Some(cseq) = request.header(&headers::CSEQ) else {
            return;
        };
        let cseq = cseq.as_str().to_owned();
        if let Some(header) = request.header_mut(&headers::TRANSPORT) {
            let ours = transport::with_ports(header.as_str(), "client_port", facing_server);
            let address = seen_by_server.to_canonical().to_string();
            *header = transport::with_value(&ours, "destination", &address).into();
        }
        self.remember(cseq, Pending::Setup(ask));
    }

    /// Remembers a request that the relay passes on as it is.
    pub(super) fn on_request(&mut self, request: &Request<Vec<u8>>) {
        if let (Method::Teardown, Some(cseq)) = (request.method(), request.header(&headers::CSEQ)) {
            self.remember(cseq.as_str().to_owned(), Pending::Teardown);
        }
    }

    /// Puts the relay's own ports into the answer to a SETUP on its way to the client.
    pub(super) fn on_response(&mut self, response: &mut Response<Vec<u8>>) -> Settled {
        let cseq = response.header(&headers::CSEQ).map(|cseq| cseq.as_str().to_owned());
        let success = response.status().is_success();
        match cseq.and_then(|cseq| self.pending.remove(&cseq)) {
            Some(Pending::Setup(ask)) => match response.header_mut(&headers::TRANSPORT) {
                Some(header) if success => answer(header, ask),
                _ => Settled::NoPath { path: ask.path },
            },
            Some(Pending::Teardown) if success => Settled::Teardown,
            _ => Settled::Nothing,
        }
    }

    fn remember(&mut self, cseq: String, pending: Pending) {
        if self.pending.len() >= MAX_PENDING {
            self.pending.pop_first();
        }
        self.pending.insert(cseq, pending);
    }
}

fn answer(header: &mut headers::HeaderValue, ask: Ask) -> Settled {
    let Some(server) = transport::ports(header.as_str(), "server_port") else {
        return Settled::NoPath { path: ask.path };
    };
    let ours = transport::with_ports(header.as_str(), "server_port", ask.facing_client);
    let ours = transport::with_ports(&ours, "client_port", ask.client);
    let address = ask.seen_by_client.to_canonical().to_string();
    *header = transport::with_value(&ours, "source", &address).into();
    Settled::Path { path: ask.path, server }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtsp_types::{StatusCode, Version};
    use std::net::Ipv4Addr;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const ASK: Ask =
        Ask { path: 3, client: (5000, 5001), facing_client: (6000, 6001), seen_by_client: LOCAL };

    fn setup(transport: &str) -> Request<Vec<u8>> {
        let request = Request::builder(Method::Setup, Version::V1_0);
        request.header(headers::CSEQ, "4").header(headers::TRANSPORT, transport).build(Vec::new())
    }

    fn answered(status: StatusCode, transport: &str) -> Response<Vec<u8>> {
        let response = Response::builder(Version::V1_0, status);
        response.header(headers::CSEQ, "4").header(headers::TRANSPORT, transport).build(Vec::new())
    }

    fn asked() -> Dialogue {
        let mut dialogue = Dialogue::default();
        let mut request = setup("RTP/AVP;unicast;client_port=5000-5001");
        dialogue.on_setup(&mut request, ASK, (7000, 7001), LOCAL);
        let header = request.header(&headers::TRANSPORT).unwrap();
        assert_eq!(header.as_str(), "RTP/AVP;unicast;client_port=7000-7001");
        dialogue
    }

    #[test]
    fn each_side_sees_the_ports_of_the_relay_and_its_own() {
        let mut answer = answered(
            StatusCode::Ok,
            "RTP/AVP;unicast;client_port=7000-7001;server_port=8000-8001;source=127.0.0.9",
        );
        let settled = asked().on_response(&mut answer);
        assert_eq!(settled, Settled::Path { path: 3, server: (8000, 8001) });
        let header = answer.header(&headers::TRANSPORT).unwrap();
        let expected =
            "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;source=127.0.0.1";
        assert_eq!(header.as_str(), expected);
    }

    #[test]
    fn a_refused_setup_leaves_no_path() {
        let mut refused = answered(StatusCode::UnsupportedTransport, "RTP/AVP");
        assert_eq!(asked().on_response(&mut refused), Settled::NoPath { path: 3 });
        let mut interleaved = answered(StatusCode::Ok, "RTP/AVP/TCP;interleaved=0-1");
        assert_eq!(asked().on_response(&mut interleaved), Settled::NoPath { path: 3 });
    }

    #[test]
    fn only_a_setup_over_udp_needs_a_path() {
        assert_eq!(client_ports(&setup("RTP/AVP;client_port=5000-5001")), Some((5000, 5001)));
        assert_eq!(client_ports(&setup("RTP/AVP/TCP;interleaved=0-1")), None);
        let play = Request::builder(Method::Play, Version::V1_0);
        let play = play.header(headers::TRANSPORT, "RTP/AVP;client_port=5000-5001");
        assert_eq!(client_ports(&play.build(Vec::new())), None);
    }

    #[test]
    fn an_answer_that_nobody_waits_for_passes_as_it_is() {
        let mut dialogue = Dialogue::default();
        let mut answer = answered(StatusCode::Ok, "RTP/AVP;server_port=8000-8001");
        let before = answer.clone();
        assert_eq!(dialogue.on_response(&mut answer), Settled::Nothing);
        assert_eq!(answer, before);
    }

    #[test]
    fn a_teardown_ends_the_paths_when_the_server_agrees() {
        for (status, expected) in
            [(StatusCode::Ok, Settled::Teardown), (StatusCode::SessionNotFound, Settled::Nothing)]
        {
            let mut dialogue = Dialogue::default();
            let request = Request::builder(Method::Teardown, Version::V1_0);
            dialogue.on_request(&request.header(headers::CSEQ, "4").build(Vec::new()));
            assert_eq!(dialogue.on_response(&mut answered(status, "")), expected);
        }
    }

    #[test]
    fn requests_without_answers_do_not_pile_up() {
        let mut dialogue = Dialogue::default();
        for cseq in 0..1000 {
            let request = Request::builder(Method::Teardown, Version::V1_0);
            let request = request.header(headers::CSEQ, cseq.to_string());
            dialogue.on_request(&request.build(Vec::new()));
        }
        assert_eq!(dialogue.pending.len(), MAX_PENDING);
    }
}
