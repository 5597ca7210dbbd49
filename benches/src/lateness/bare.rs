//! The yardstick: a forwarder without an emulator.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Lateness;
use crate::vigil::{self, Clock};

/// How often a packet is fed to it: often enough for a p99 after a few seconds, and hardly any
/// work for the machine.
const INTERVAL: Duration = Duration::from_millis(2);
/// How long it keeps each packet. Less than the interval, so that one never waits for another.
const DELAY: Duration = Duration::from_millis(1);
/// How long either end waits for a packet before it looks whether it is over.
const PATIENCE: Duration = Duration::from_millis(100);
/// The size of what it is fed.
const PAYLOAD: [u8; 200] = [0; 200];

/// The simplest that delays packets at all: receives one, sleeps until its time, sends it, and so
/// on. It is fed a small steady stream of its own over loopback.
///
/// What it is late by is the machine's doing: no emulator can be less late on the same machine at
/// the same time. Like a relay, it has a [thread](vigil::thread) that is woken at once.
#[derive(Debug)]
pub struct BareForwarder {
    ends: Arc<AtomicBool>,
    forwarder: Option<JoinHandle<Lateness>>,
    feeder: Option<JoinHandle<()>>,
}

impl BareForwarder {
    /// Starts one, and what feeds it.
    ///
    /// # Errors
    ///
    /// If the system gives no sockets or threads.
    pub fn start() -> io::Result<Self> {
        let [feed, inlet] = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
        let (feed, inlet) = (feed?, inlet?);
        feed.connect(inlet.local_addr()?)?;
        inlet.connect(feed.local_addr()?)?;
        for socket in [&feed, &inlet] {
            socket.set_read_timeout(Some(PATIENCE))?;
        }
        let ends = Arc::new(AtomicBool::new(false));
        let clock = Clock::start();
        let forwarder = vigil::thread("cantus-bare", {
            let ends = ends.clone();
            move || forward(clock, &inlet, &ends)
        })?;
        let feeder = std::thread::Builder::new().name("cantus-feeder".to_owned());
        let feeder = feeder.spawn({
            let ends = ends.clone();
            move || self::feed(clock, &feed, &ends)
        })?;
        Ok(Self { ends, forwarder: Some(forwarder), feeder: Some(feeder) })
    }

    /// Ends it within milliseconds; how late it was.
    pub fn stop(mut self) -> Lateness {
        self.end()
    }

    fn end(&mut self) -> Lateness {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(feeder) = self.feeder.take()
            && feeder.join().is_err()
        {
            tracing::warn!("a feeder has panicked: this is a bug of ours");
        }
        let lateness = self.forwarder.take().map(JoinHandle::join);
        lateness.and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for BareForwarder {
    fn drop(&mut self) {
        self.end();
    }
}

/// Forwards at least one packet, and others until it is over.
fn forward(clock: Clock, inlet: &UdpSocket, ends: &AtomicBool) -> Lateness {
    let mut lateness = Lateness::default();
    let mut buffer = PAYLOAD;
    loop {
        match inlet.recv(&mut buffer) {
            Ok(length) => {
                let due = clock.now() + DELAY;
                clock.sleep_until(due);
                if inlet.send(&buffer[..length]).is_ok() {
                    lateness.record(due, clock.now());
                }
            }
            Err(error) if is_patience(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "the bare forwarder's socket failed");
                return lateness;
            }
        }
        if ends.load(Ordering::Relaxed) {
            return lateness;
        }
    }
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

fn feed(clock: Clock, feed: &UdpSocket, ends: &AtomicBool) {
    let mut next = clock.now();
    loop {
        // The last one is sent when it is over, so that the forwarder notices.
        let last = ends.load(Ordering::Relaxed);
        // Somebody waits for it at the other end: to wake them is a part of sending, as it is for
        // a relay.
        let there_and_back = feed.send(&PAYLOAD).and_then(|_| feed.recv(&mut [0; 1]));
        if let Err(error) = there_and_back {
            tracing::debug!(%error, "a packet of the bare forwarder went astray");
        }
        if last {
            return;
        }
        // After a pause it goes on from where it is: in a burst one would wait for the other.
        next = (next + INTERVAL).max(clock.now());
        clock.sleep_until(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_forwarder_that_is_stopped_tells_how_late_it_was() {
        let bare = BareForwarder::start().unwrap();
        assert!(bare.stop().quantiles().is_some_and(|it| it.count >= 1));
    }

    #[test]
    fn a_bare_forwarder_that_is_dropped_ends_too() {
        let bare = BareForwarder::start().unwrap();
        let ends = bare.ends.clone();
        drop(bare);
        // Both threads have let go of what they shared.
        assert_eq!(Arc::strong_count(&ends), 1);
    }
}
