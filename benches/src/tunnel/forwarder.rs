//! The loop that passes IP packets between two devices, through an emulated network.

use std::io;
use std::thread::JoinHandle;

use cantus_qos::stats::Distribution;

use super::device::Device;
use super::packet;
use crate::duplex::{Direction, Duplex, Enter, Forward, SharedLog};
use crate::link::Ecn;
use crate::vigil::{self, Bell, Clock, Vigil};

/// Packets read from one device before the others get their turn.
const BATCH: usize = 64;

/// The marks of what the loop watches.
const LEFT: u64 = 0;
const RIGHT: u64 = 1;
const STOP: u64 = 2;

/// A running loop, on a thread of its own. It ends with this handle.
#[derive(Debug)]
pub(super) struct Forwarder {
    thread: Option<JoinHandle<Distribution>>,
    stop: Bell,
}

impl Forwarder {
    /// Passes packets between `left` and `right` from now on: those from the left meet the way to
    /// the client of `duplex`, those from the right the way to the server.
    ///
    /// # Errors
    ///
    /// If the system has no thread or no descriptor left.
    pub(super) fn start(
        left: Device,
        right: Device,
        duplex: Duplex,
        log: SharedLog,
    ) -> io::Result<Self> {
        let clock = Clock::start();
        let vigil = Vigil::new(clock)?;
        let stop = Bell::new()?;
        vigil.watch(&left, LEFT)?;
        vigil.watch(&right, RIGHT)?;
        vigil.watch(&stop, STOP)?;
        let lateness = Distribution::new();
        let passing = Loop { clock, left, right, duplex, log, lateness };
        let thread = vigil::thread("tunnel", move || passing.run(vigil))?;
        Ok(Self { thread: Some(thread), stop })
    }

    /// Ends it: by how much packets left later than the link let them go.
    pub(super) fn stop(mut self) -> Distribution {
        self.end().unwrap_or_default()
    }

    fn end(&mut self) -> Option<Distribution> {
        self.stop.ring();
        self.thread.take()?.join().ok()
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.end();
    }
}

struct Loop {
    clock: Clock,
    left: Device,
    right: Device,
    duplex: Duplex,
    log: SharedLog,
    lateness: Distribution,
}

impl Loop {
    /// Passes packets until it is stopped; its lateness.
    fn run(mut self, mut vigil: Vigil) -> Distribution {
        let mut ready = Vec::new();
        while !ready.contains(&STOP) {
            let passed = self.accept(&ready).and_then(|()| {
                self.forward();
                vigil.wait(self.duplex.next_deadline(), &mut ready)
            });
            if let Err(error) = passed {
                tracing::error!(%error, "the tunnel collapsed");
                break;
            }
        }
        self.lateness
    }

    /// Takes what the kernels of both sides send.
    fn accept(&mut self, ready: &[u64]) -> io::Result<()> {
        for &mark in ready {
            let (device, direction) = match mark {
                LEFT => (&mut self.left, Direction::ToClient),
                _ => (&mut self.right, Direction::ToServer),
            };
            for _ in 0..BATCH {
                let Some(data) = device.receive()? else {
                    break;
                };
                if !packet::is_chatter(&data) {
                    let (kind, ecn) = (packet::kind(&data), packet::ecn(&data));
                    let enter = Enter { direction, route: 0, kind, data, overhead: 0, ecn };
                    self.duplex.push(self.clock.now(), enter);
                }
            }
        }
        Ok(())
    }

    /// Sends what has come through.
    fn forward(&mut self) {
        let now = self.clock.now();
        while let Some(Forward { direction, data, due, ecn, .. }) = self.duplex.pop(now) {
            self.lateness.record(self.clock.now().since(due).into());
            let to = match direction {
                Direction::ToClient => &self.right,
                Direction::ToServer => &self.left,
            };
            let is_news = ecn == Ecn::Marked && packet::ecn(&data) != ecn;
            let sent = if is_news { to.send(&packet::marked(&data)) } else { to.send(&data) };
            if sent.is_err() {
                self.log.on_unsent();
            }
        }
    }
}
