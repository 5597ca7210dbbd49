//! The whole player without its sockets and its sink.
//!
//! 1. [`Player::start`] once the control connection is there.
//! 2. [`Player::handle`] is told what happened.
//! 3. [`Player::poll`] is called until it answers [`Output::Wait`].
//! 4. The driver waits for input or for the instant that it named, and begins again.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::roq::FlowId;
use cantus_qos::spec::QosSpec;
use cantus_qos::stats::report::Party;
use cantus_qos::time::MonoTime;

use crate::client::{Client, News, Playing};
use crate::error::PlayError;
use crate::pipeline::Pipeline;
use crate::wire::{Ending, Event, Input, Output};
use crate::wish::Wish;

/// No network carries longer packets to us than this; what is longer is not media.
const LONGEST_PACKET: usize = 2_048;

/// Media that overtakes the answer to PLAY is held, up to this many bytes.
const HELD: usize = 64 * 1024;

/// And no more packets than this, however short.
const MOST_HELD: usize = 512;

/// Changes of the terms that are remembered, the first ones.
const RENEGOTIATIONS: usize = 64;

/// Changes of the terms, and who wanted them.
#[derive(Debug, Default)]
pub(crate) struct Renegotiations(pub Vec<(MonoTime, Party, QosSpec)>);

impl Renegotiations {
    fn push(&mut self, now: MonoTime, by: Party, terms: QosSpec) {
        if self.0.len() < RENEGOTIATIONS {
            self.0.push((now, by, terms));
        }
    }
}

/// A player (pure).
#[derive(Debug)]
pub struct Player {
    pub(crate) wish: Wish,
    pub(crate) pipeline: Option<Pipeline>,
    pub(crate) playing: Option<Playing>,
    pub(crate) asked_at: MonoTime,
    pub(crate) playing_at: Option<MonoTime>,
    pub(crate) round_trip: Option<Duration>,
    /// Terms that were changed while it played.
    pub(crate) renegotiated: Renegotiations,
    /// Who asks for it; `None` where it comes unasked.
    client: Option<Client>,
    held: VecDeque<(MonoTime, FlowId, Channel, Bytes)>,
    held_bytes: usize,
    outbox: VecDeque<Output>,
    ended: bool,
}

impl Player {
    /// A player that has not begun.
    pub fn new(wish: Wish) -> Self {
        let client = Client::new(wish.clone());
        Self::with(Some(client), wish)
    }

    /// A player of what is pushed to it, as soon as it is started.
    pub fn receiving(wish: Wish, feed: Playing) -> Self {
        Self { playing: Some(feed), ..Self::with(None, wish) }
    }

    fn with(client: Option<Client>, wish: Wish) -> Self {
        Self {
            renegotiated: Renegotiations::default(),
            client,
            wish,
            pipeline: None,
            playing: None,
            asked_at: MonoTime::ZERO,
            playing_at: None,
            round_trip: None,
            held: VecDeque::new(),
            held_bytes: 0,
            outbox: VecDeque::new(),
            ended: false,
        }
    }

    /// The control connection is there, or the ports are open to which it comes unasked. `asked_at`
    /// is when the user asked: set-up counts from then.
    pub fn start(&mut self, now: MonoTime, asked_at: MonoTime) {
        self.asked_at = asked_at;
        match (&mut self.client, self.playing.take()) {
            (Some(client), _) => client.start(now),
            (None, Some(feed)) => self.on_playing(now, feed),
            (None, None) => {}
        }
    }

    /// Something happened at `now`. For a packet that is when the system took it, which may be before
    /// what was told already: a busy machine comes to it late, and that is no jitter of the network.
    pub fn handle(&mut self, now: MonoTime, input: Input<'_>) {
        match input {
            Input::Control(data) => {
                self.client.iter_mut().for_each(|client| client.receive(now, data));
            }
            Input::Packet { flow, channel, data } => self.on_packet(now, flow, channel, data),
            Input::Bound { flow, ports } => {
                self.client.iter_mut().for_each(|client| client.bound(now, flow, ports));
            }
            Input::SinkWants { frames, pending } => self.on_sink_wants(now, frames, pending),
            Input::RoundTrip(round_trip) => self.on_round_trip(round_trip),
            Input::Stop => self.end(now, Ending::Stopped),
            Input::Closed => self.on_closed(now),
        }
    }

    /// What is to be done at `now`.
    pub fn poll(&mut self, now: MonoTime) -> Output {
        while let Some(news) = self.client.as_mut().and_then(|client| client.pop_news(now)) {
            self.on_news(now, news);
        }
        if !self.ended && self.outbox.is_empty() {
            self.advance(now);
        }
        if let Some(data) = self.client.as_mut().and_then(Client::pop_control) {
            return Output::Control(data);
        }
        if let Some(output) = self.outbox.pop_front() {
            return output;
        }
        Output::Wait(self.next_deadline(now))
    }

    /// Whether everything was played that was wanted, where that has an end.
    pub fn is_rendered(&self) -> bool {
        self.pipeline.as_ref().is_some_and(Pipeline::is_rendered)
    }

    /// Whether [`Event::Ended`] was told.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    fn next_deadline(&self, now: MonoTime) -> Option<MonoTime> {
        let pipeline = self.pipeline.as_ref().filter(|_| !self.ended);
        let pipeline = pipeline.and_then(|pipeline| pipeline.next_deadline(now));
        let client = self.client.as_ref().and_then(Client::next_deadline);
        client.into_iter().chain(pipeline).min()
    }

    /// The next thing that is due: one at a time, for a server can make a minute of sound due at
    /// once.
    fn advance(&mut self, now: MonoTime) {
        let Some(pipeline) = &mut self.pipeline else { return };
        if let Some(block) = pipeline.pop_sound(now) {
            let event = Event::Sound { samples: block.samples, position: block.position };
            return self.outbox.push_back(Output::Event(event));
        }
        if let Some((cue, skew)) = pipeline.pop_cue(now) {
            return self.outbox.push_back(Output::Event(Event::Show { cue, skew }));
        }
        if let Some(packet) = pipeline.pop_report(now) {
            return self.outbox.push_back(transmit(packet));
        }
        if let Some(delay) = pipeline.pop_renewed() {
            let terms = QosSpec { delay: Some(delay), ..*pipeline.watch.spec() };
            if let Some(client) = &mut self.client {
                client.renegotiate(now, &terms);
                self.renegotiated.push(now, Party::Player, terms);
            }
        }
        if pipeline.is_over(now) {
            self.end(now, Ending::Completed);
        } else if let Some(after) = pipeline.fell_silent(now) {
            self.end(now, Ending::Silent { after });
        } else if let Some(error) = pipeline.broken(now) {
            self.end(now, Ending::Failed(error));
        }
    }

    fn on_packet(&mut self, now: MonoTime, flow: FlowId, channel: Channel, data: Bytes) {
        if data.len() > LONGEST_PACKET {
            return;
        }
        match &mut self.pipeline {
            Some(pipeline) if !self.ended => pipeline.on_packet(now, flow, channel, data),
            Some(_) => {}
            None if self.held_bytes + data.len() <= HELD && self.held.len() < MOST_HELD => {
                self.held_bytes += data.len();
                self.held.push_back((now, flow, channel, data));
            }
            None => {}
        }
    }

    fn on_sink_wants(&mut self, now: MonoTime, frames: usize, pending: Duration) {
        let Some(pipeline) = self.pipeline.as_mut().filter(|_| !self.ended) else { return };
        let channels = usize::from(pipeline.format().channels);
        pipeline.on_sink(now, pending);
        let mut written = 0;
        while written < frames {
            let Some(block) = pipeline.pull_sound(now, frames - written) else { break };
            written += (block.samples.len() / channels).max(1);
            let event = Event::Sound { samples: block.samples, position: block.position };
            self.outbox.push_back(Output::Event(event));
        }
    }

    fn on_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(self.round_trip.map_or(round_trip, |it| it.min(round_trip)));
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.on_round_trip(round_trip);
        }
    }

    fn on_closed(&mut self, now: MonoTime) {
        match &mut self.pipeline {
            Some(pipeline) => pipeline.on_closed(),
            None => self.end(now, Ending::Failed(PlayError::Closed)),
        }
    }

    fn on_news(&mut self, now: MonoTime, news: News) {
        match news {
            News::Bind(flow) => self.outbox.push_back(Output::Bind(flow)),
            News::Peer(flow, ports) => self.outbox.push_back(Output::Peer { flow, ports }),
            News::RoundTrip(round_trip) => self.on_round_trip(round_trip),
            News::Playing(playing) => self.on_playing(now, playing),
            News::Terms(terms) => self.renegotiated.push(now, Party::Server, terms),
            News::Ended(reason) => {
                self.pipeline.iter_mut().for_each(|pipeline| pipeline.on_ended(reason.clone()));
            }
            News::Failed(error) => self.end(now, Ending::Failed(error)),
        }
    }

    fn on_playing(&mut self, now: MonoTime, playing: Playing) {
        let mut pipeline = match Pipeline::new(now, &self.wish, &playing) {
            Ok(pipeline) => pipeline,
            Err(error) => return self.end(now, Ending::Failed(error)),
        };
        pipeline.watch.on_setup(self.asked_at, now);
        if let Some(round_trip) = self.round_trip {
            pipeline.on_round_trip(round_trip);
        }
        self.outbox.push_back(Output::Event(Event::Ready {
            format: pipeline.format(),
            title: playing.description.title.clone(),
            range: (pipeline.position(), pipeline.until()),
        }));
        for (at, flow, channel, data) in self.held.drain(..) {
            pipeline.on_packet(at, flow, channel, data);
        }
        self.playing_at = Some(now);
        self.playing = Some(playing);
        self.pipeline = Some(pipeline);
    }

    /// Ends once: goodbye to the server, then the word to the application.
    fn end(&mut self, now: MonoTime, ending: Ending) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if let Some(pipeline) = &mut self.pipeline {
            self.outbox.extend(pipeline.bye(now).into_iter().map(transmit));
            pipeline.watch.finish(now);
            let (pushed, rendered) = (pipeline.pushed, pipeline.is_rendered());
            for track in &mut pipeline.tracks {
                match ending {
                    // What the listener did not want to hear is not late.
                    Ending::Stopped => track.stock.ledger.stop(),
                    Ending::Completed if pushed && rendered => track.stock.ledger.stop(),
                    // Nobody knows whether more was sent; a goodbye comes when it comes, and what
                    // was made up until then was never missing.
                    Ending::Silent { .. } => track.finish_with_what_came(),
                    Ending::Completed if pushed => track.finish_with_what_came(),
                    Ending::Completed | Ending::Failed(_) => track.stock.ledger.finish(),
                }
            }
        }
        self.client.iter_mut().for_each(|client| client.teardown(now));
        self.outbox.push_back(Output::Event(Event::Ended(ending)));
    }
}

fn transmit(packet: crate::pipeline::Packet) -> Output {
    let class = DeliveryClass::Synchronous;
    Output::Transmit { flow: packet.flow, channel: packet.channel, class, data: packet.data }
}

#[cfg(test)]
mod tests;
