//! The loop: what comes goes to the player, and what the player says is done.

use std::time::Duration;

use cantus_qos::time::MonoTime;
use tokio::time::sleep_until;

use super::clock::Clock;
use super::link::{Arrival, Link};
use super::show::Show;
use super::signals::Signals;
use super::{Failure, Finish};
use crate::session::Player;
use crate::wire::{Ending, Event, Input, Output};

/// How often a sound card is asked whether it wants samples.
const SINK_PERIOD: Duration = Duration::from_millis(5);

/// How often the status line is drawn.
const STATUS_PERIOD: Duration = Duration::from_millis(200);

/// So many that have come are taken before anything else is seen to.
const ARRIVALS_AT_ONCE: usize = 64;

/// A sound card that has stopped does not hold up the end for longer than this.
const DRAIN: Duration = Duration::from_secs(3);

/// Sound servers hold a little more than they say: one of PipeWire's steps, 21 ms, through ALSA.
const TAIL: Duration = Duration::from_millis(50);

/// What is played, what it comes by, and where it goes.
pub(super) struct Session<'a, 'b> {
    clock: &'a Clock,
    player: &'a mut Player,
    show: &'a mut Show<'b>,
    link: &'a mut Link,
    ending: Option<Ending>,
}

impl<'a, 'b> Session<'a, 'b> {
    /// Nothing is played yet.
    pub(super) fn new(
        clock: &'a Clock,
        player: &'a mut Player,
        show: &'a mut Show<'b>,
        link: &'a mut Link,
    ) -> Self {
        Self { clock, player, show, link, ending: None }
    }

    /// Plays to the end, or to a signal.
    pub(super) async fn run(&mut self, signals: &mut Signals) -> Result<Finish, Failure> {
        let mut interrupted = None;
        let mut status_at = MonoTime::ZERO;
        while self.ending.is_none() {
            self.take_all();
            self.feed_sink();
            let deadline = self.poll()?;
            if self.ending.is_some() {
                break;
            }
            let now = self.clock.now();
            if status_at <= now {
                status_at = now + STATUS_PERIOD;
                self.show.status(now, self.player);
            }
            let sink = self.show.wanted().map(|_| now + SINK_PERIOD);
            let wake = deadline.into_iter().chain(sink).min().unwrap_or(status_at).min(status_at);
            tokio::select! {
                arrival = self.link.arrival() => self.take(arrival),
                () = sleep_until(self.clock.timer(wake)) => {}
                signal = signals.next() => {
                    interrupted = Some(signal);
                    self.handle(Input::Stop);
                }
            }
        }
        self.poll()?;
        if let (Some(Ending::Stopped), Some(signal)) = (&self.ending, interrupted) {
            return Ok(Finish::Interrupted(signal));
        }
        let interrupted = tokio::select! {
            () = self.drain() => None,
            signal = signals.next() => Some(signal),
        };
        match &self.ending {
            Some(Ending::Silent { after }) => {
                let after = after.as_secs();
                self.show.note(&format!(
                    "nothing has come for {after} s, and the sender has not said goodbye"
                ));
            }
            Some(Ending::Completed) if !self.player.is_rendered() => {
                self.show.note("the sender has said goodbye");
            }
            _ => {}
        }
        match (self.ending.take(), interrupted) {
            (Some(Ending::Failed(error)), _) => Err(error.into()),
            (_, Some(signal)) => Ok(Finish::Interrupted(signal)),
            (_, None) => Ok(Finish::Completed),
        }
    }

    /// What is written to a sound card is to be heard.
    async fn drain(&mut self) {
        let until = self.clock.now() + DRAIN;
        while self.show.pending() > Duration::ZERO && self.clock.now() < until {
            sleep_until(self.clock.timer(self.clock.now() + SINK_PERIOD)).await;
        }
        if self.show.wanted().is_some() {
            sleep_until(self.clock.timer(self.clock.now() + TAIL)).await;
        }
    }

    /// Something of ours has failed: the server is told that we leave, and nothing is shown any
    /// more.
    pub(super) fn take_leave(&mut self) {
        let now = self.clock.now();
        self.player.handle(now, Input::Stop);
        loop {
            match self.player.poll(now) {
                Output::Wait(_) => return,
                Output::Control(data) => self.link.control(data),
                Output::Transmit { flow, channel, class, data } => {
                    self.link.transmit(flow, channel, class, &data);
                }
                Output::Bind(_) | Output::Peer { .. } | Output::Event(_) => {}
            }
        }
    }

    /// What has come by now is known to the player before it is asked what it makes of it.
    fn take_all(&mut self) {
        for _ in 0..ARRIVALS_AT_ONCE {
            let Some(arrival) = self.link.arrived() else { return };
            self.take(arrival);
        }
    }

    fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Control(data) => self.handle(Input::Control(&data)),
            Arrival::Packet { flow, channel, data, came } => {
                let at = self.clock.at(came);
                self.player.handle(at, Input::Packet { flow, channel, data });
            }
            Arrival::Closed => self.handle(Input::Closed),
        }
    }

    /// The player is told of something that happens now.
    fn handle(&mut self, input: Input<'_>) {
        self.player.handle(self.clock.now(), input);
    }

    fn feed_sink(&mut self) {
        if let Some(round_trip) = self.link.round_trip() {
            self.handle(Input::RoundTrip(round_trip));
        }
        if let Some(frames) = self.show.wanted() {
            let pending = self.show.pending();
            self.handle(Input::SinkWants { frames, pending });
        }
    }

    /// Does everything that is due; the instant of the next.
    fn poll(&mut self) -> Result<Option<MonoTime>, Failure> {
        loop {
            let now = self.clock.now();
            match self.player.poll(now) {
                Output::Wait(deadline) => return Ok(deadline),
                Output::Control(data) => self.link.control(data),
                Output::Bind(flow) => {
                    let ports = self.link.bind(flow)?;
                    self.player.handle(now, Input::Bound { flow, ports });
                }
                Output::Peer { flow, ports } => self.link.peer(flow, ports),
                Output::Transmit { flow, channel, class, data } => {
                    self.link.transmit(flow, channel, class, &data);
                }
                Output::Event(Event::Ended(ending)) => self.ending = Some(ending),
                Output::Event(event) => self.show.event(event)?,
            }
        }
    }
}
