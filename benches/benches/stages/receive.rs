//! The whole receive pipeline, fed with the packets of a real session.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use cantus_bench::link::{Ecn, Link, LinkSpec, Packet};
use cantus_bench::sim::Media;
use cantus_player::client::{Client, News, Playing};
use cantus_player::pipeline::Pipeline;
use cantus_player::wish::{Carrier, Latency, Wish};
use cantus_qos::delivery::Channel;
use cantus_qos::roq::FlowId;
use cantus_qos::time::{MonoTime, NtpTime};
use cantus_streamer::encoding::Codec;
use cantus_streamer::server::{MAX_CONNECTIONS, Server, ServerConfig};
use cantus_streamer::wire::{self, ConnectionId, Destination, Fetch, Fetched, Input, Output};
use divan::black_box;

use crate::stage::{Stage, Step};

/// How much is played: a little less than after which the streamer ends a session whose listener
/// reports nothing, as this one does not.
const LENGTH: Duration = Duration::from_secs(14);

const CONNECTION: ConnectionId = ConnectionId(1);
const MEDIA_PORTS: (u16, u16) = (6_970, 6_971);
/// The first of the player's ports.
const FIRST_PORT: u16 = 50_000;

pub(crate) static MEDIA: LazyLock<Media> =
    LazyLock::new(|| Media::synthetic(LENGTH).expect("room for a sound"));

static OPUS: LazyLock<Session> = LazyLock::new(|| Session::capture(Codec::Opus));
static L16: LazyLock<Session> = LazyLock::new(|| Session::capture(Codec::L16));

pub(crate) fn stages() -> Vec<Stage> {
    vec![
        Stage::new("receive pipeline, opus with decoding, bursty", OPUS.rate(), |_| OPUS.replay()),
        Stage::new("receive pipeline, l16, bursty", L16.rate(), |_| L16.replay()),
    ]
}

/// A packet that came to the player.
#[derive(Clone, Debug)]
struct Arrival {
    at: MonoTime,
    flow: FlowId,
    channel: Channel,
    data: Bytes,
}

/// A session across `bursty` at 200 ms, as its player met it.
#[derive(Debug)]
struct Session {
    wish: Wish,
    begun: MonoTime,
    playing: Playing,
    arrivals: Vec<Arrival>,
}

impl Session {
    /// Plays it: control takes no time, what else the streamer sends crosses the link.
    fn capture(codec: Codec) -> Self {
        let ntp_at_zero = NtpTime::from_unix(Duration::from_secs(1_700_000_000));
        let url = "rtsp://streamer.invalid/synthetic".parse().expect("a URL");
        let wish = Wish {
            codec: codec.into(),
            latency: Latency::Fixed(Duration::from_millis(200)),
            shared_clock: Some(ntp_at_zero),
            ..Wish::new(url, Carrier::Udp)
        };
        let config = ServerConfig {
            max_bitrate: None,
            max_sessions: None,
            max_connections: MAX_CONNECTIONS,
            users: None,
            media_ports: MEDIA_PORTS,
            ntp_at_zero,
            cname: "cantus@streamer.invalid".to_owned(),
        };
        let link = LinkSpec::named("bursty").expect("a standing link");
        let mut stage = Rehearsal {
            now: MonoTime::ZERO,
            client: Client::new(wish.clone()),
            server: Server::new(config, [1; 32]),
            link: Link::new(&link, 1).expect("a standing link"),
            flows: Vec::new(),
            playing: None,
            arrivals: Vec::new(),
        };
        stage.play();
        let (begun, playing) = stage.playing.expect("the streamer plays");
        Self { wish, begun, playing, arrivals: stage.arrivals }
    }

    /// Packets a second.
    fn rate(&self) -> f64 {
        self.arrivals.len() as f64 / LENGTH.as_secs_f64()
    }

    /// Hands one packet to the pipeline, and does all that is due before it.
    fn replay(&'static self) -> Step {
        let pipeline = || Pipeline::new(self.begun, &self.wish, &self.playing).expect("sound");
        let (mut chain, mut now, mut next) = (pipeline(), self.begun, 0);
        Box::new(move || {
            if next == self.arrivals.len() {
                (chain, now, next) = (pipeline(), self.begun, 0);
            }
            let Arrival { at, flow, channel, data } = self.arrivals[next].clone();
            while let Some(due) = chain.next_deadline(now).filter(|due| *due <= at) {
                now = due.max(now + Duration::from_nanos(1));
                while let Some(block) = chain.pop_sound(now) {
                    black_box(block);
                }
                while let Some(cue) = chain.pop_cue(now) {
                    black_box(cue);
                }
                while let Some(report) = chain.pop_report(now) {
                    black_box(report);
                }
            }
            now = now.max(at);
            chain.on_packet(now, flow, channel, data);
            next += 1;
        })
    }
}

/// A streamer, a client and the link between them.
struct Rehearsal {
    now: MonoTime,
    client: Client,
    server: Server,
    link: Link,
    /// By their pairs of ports.
    flows: Vec<FlowId>,
    playing: Option<(MonoTime, Playing)>,
    arrivals: Vec<Arrival>,
}

impl Rehearsal {
    fn play(&mut self) {
        let carrier = wire::Carrier::Tcp([192, 0, 2, 2].into());
        self.server.handle(self.now, Input::Connected { connection: CONNECTION, carrier });
        self.client.start(self.now);
        while self.now < MonoTime::ZERO + LENGTH {
            let server = self.step();
            let deadlines = [server, self.client.next_deadline(), self.link.next_deadline()];
            let next = deadlines.into_iter().flatten().min().expect("a session goes on");
            self.now = next.max(self.now + Duration::from_nanos(1));
        }
    }

    /// All that happens now; when the server has more to do.
    fn step(&mut self) -> Option<MonoTime> {
        loop {
            while let Some(news) = self.client.pop_news(self.now) {
                self.on_news(news);
            }
            while let Some(data) = self.client.pop_control() {
                let input = Input::Control { connection: CONNECTION, data: &data };
                self.server.handle(self.now, input);
            }
            match self.server.poll(self.now) {
                Output::Control { data, .. } => self.client.receive(self.now, &data),
                Output::Fetch { connection, fetch: Fetch::Programme(key) } => {
                    let programme = MEDIA.programme(&key).expect("the synthetic presentation");
                    let fetched = Fetched::Programme(programme);
                    self.server.handle(self.now, Input::Fetched { connection, fetched });
                }
                Output::Transmit(transmit) => self.transmit(transmit),
                Output::Wait(deadline) => {
                    self.receive();
                    return deadline;
                }
                Output::Encode(_)
                | Output::Fetch { .. }
                | Output::Granted { .. }
                | Output::Close { .. }
                | Output::Cut { .. } => {}
            }
        }
    }

    fn on_news(&mut self, news: News) {
        match news {
            News::Bind(flow) => {
                let rtp = FIRST_PORT + 2 * self.flows.len() as u16;
                self.flows.push(flow);
                self.client.bound(self.now, flow, (rtp, rtp + 1));
            }
            News::Playing(playing) => self.playing = Some((self.now, playing)),
            News::Failed(error) => panic!("{error}"),
            News::Ended(why) => panic!("{why}"),
            News::Peer(..) | News::RoundTrip(_) | News::Terms(_) => {}
        }
    }

    fn transmit(&mut self, transmit: wire::Transmit) {
        let Destination::Udp(to) = transmit.destination else { return };
        let (size, tag) = (transmit.wire_size(), to.port().into());
        let (data, entered, ecn) = (transmit.data, self.now, Ecn::NotCapable);
        self.link.push(entered, Packet { data, size, entered, tag, ecn, queued: Duration::ZERO });
    }

    fn receive(&mut self) {
        while let Some(packet) = self.link.pop(self.now) {
            let place = packet.tag as u16 - FIRST_PORT;
            let channel = if place.is_multiple_of(2) { Channel::Rtp } else { Channel::Rtcp };
            let flow = self.flows[usize::from(place / 2)];
            self.arrivals.push(Arrival { at: self.now, flow, channel, data: packet.data });
        }
    }
}
