//! The loop that carries packets: one link, many sockets, and a thread that is woken at once.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use cantus_qos::time::MonoTime;

use super::socket::is_passing;
use super::toll::SharedToll;
use crate::duplex::{Direction, Duplex, Enter, Forward, SharedLog};
use crate::lateness::Lateness;
use crate::vigil::{self, Bell, Clock, Vigil};

/// The largest UDP payload.
const MAX_DATAGRAM: usize = 65_535;
/// Datagrams that are taken from a socket between two looks at the link: a flood must not delay
/// what is due.
const BATCH: usize = 64;
/// The mark of the bell. Those of sockets are smaller.
const BELL: u64 = u64::MAX - 1;

/// The sockets of a courier, and the ways between them.
pub(super) trait Ways: Send + 'static {
    /// What the courier can be told to change about them.
    type Order: Send + 'static;

    /// Has the sockets watched that there are when the courier starts.
    fn watch(&self, _vigil: &Vigil) -> io::Result<()> {
        Ok(())
    }

    /// Changes something, and has watched what is new.
    fn obey(&mut self, vigil: &Vigil, order: Self::Order);

    /// The socket that is watched by this mark.
    fn socket(&self, mark: u64) -> Option<&UdpSocket>;

    /// What `data` that came to the socket of `mark` is on the link; `None` if it is turned away.
    fn entrance(
        &mut self,
        now: MonoTime,
        vigil: &Vigil,
        mark: u64,
        from: SocketAddr,
        data: &[u8],
    ) -> Option<Enter>;

    /// The socket from which a packet that has come through the link leaves, and where it goes
    /// unless the socket is connected.
    fn exit(&self, direction: Direction, route: u32) -> Option<(&UdpSocket, Option<SocketAddr>)>;

    /// Does what is due by time alone; when it is due again.
    fn tend(&mut self, _now: MonoTime) -> Option<MonoTime> {
        None
    }

    /// Datagrams that the kernel dropped before the courier saw them.
    fn overruns(&self) -> u64;
}

/// A courier at work. It ends with this.
#[derive(Debug)]
pub(super) struct Courier<O> {
    orders: Option<Sender<O>>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

impl<O: Send + 'static> Courier<O> {
    /// Sends a courier on these ways, between which there is this link.
    ///
    /// # Errors
    ///
    /// If the system gives no thread or file descriptor.
    pub(super) fn start<W: Ways<Order = O>>(
        clock: Clock,
        ways: W,
        duplex: Duplex,
        log: SharedLog,
        toll: SharedToll,
    ) -> io::Result<Self> {
        let bell = Bell::new()?;
        let vigil = Vigil::new(clock)?;
        vigil.watch(&bell, BELL)?;
        ways.watch(&vigil)?;
        let (sender, orders) = channel();
        let round = Round {
            clock,
            vigil,
            bell: bell.clone(),
            orders,
            ways,
            duplex,
            log,
            lateness: Lateness::default(),
        };
        let thread = vigil::thread("cantus-courier", move || round.run(&toll))?;
        Ok(Self { orders: Some(sender), bell, thread: Some(thread) })
    }

    /// Gives an order, which is obeyed before whatever comes to a socket after this.
    pub(super) fn order(&self, order: O) {
        if let Some(orders) = &self.orders {
            // A courier that has ended obeys no more; what ended it was told where it happened.
            let _ = orders.send(order);
            self.bell.ring();
        }
    }
}

impl<O> Drop for Courier<O> {
    fn drop(&mut self) {
        // The bell and nobody who could give orders: it is over.
        self.orders = None;
        self.bell.ring();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("a courier has panicked: this is a bug of ours");
        }
    }
}

/// What the thread works with.
struct Round<W: Ways> {
    clock: Clock,
    vigil: Vigil,
    bell: Bell,
    orders: Receiver<W::Order>,
    ways: W,
    duplex: Duplex,
    log: SharedLog,
    lateness: Lateness,
}

impl<W: Ways> Round<W> {
    fn run(mut self, toll: &SharedToll) {
        if let Err(error) = self.carry() {
            tracing::error!(%error, "a courier cannot wait any more");
        }
        toll.add(&self.lateness, self.ways.overruns());
    }

    fn carry(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            let now = self.forward();
            let deadlines = [self.ways.tend(now), self.duplex.next_deadline()];
            self.vigil.wait(deadlines.into_iter().flatten().min(), &mut ready)?;
            // Orders first: what comes to the sockets may depend on them.
            if ready.contains(&BELL) && !self.obey() {
                return Ok(());
            }
            for &mark in ready.iter().filter(|&&mark| mark != BELL) {
                self.receive(mark, &mut buffer);
            }
        }
    }

    /// Obeys what has been ordered; `false` when it is over.
    fn obey(&mut self) -> bool {
        self.bell.silence();
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.ways.obey(&self.vigil, order),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn receive(&mut self, mark: u64, buffer: &mut [u8]) {
        for _ in 0..BATCH {
            let Some(socket) = self.ways.socket(mark) else {
                return;
            };
            match socket.recv_from(buffer) {
                Ok((length, from)) => self.enter(mark, from, &buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "a socket of a relay failed, and is read no more");
                    // It is watched, or it would not be here.
                    let _ = self.vigil.forget(socket);
                    return;
                }
            }
        }
    }

    fn enter(&mut self, mark: u64, from: SocketAddr, data: &[u8]) {
        let now = self.clock.now();
        match self.ways.entrance(now, &self.vigil, mark, from, data) {
            Some(enter) => self.duplex.push(now, enter),
            None => self.log.on_refused(),
        }
    }

    /// Sends everything that has come through the link; the instant at which no more had.
    fn forward(&mut self) -> MonoTime {
        let mut now = self.clock.now();
        while let Some(Forward { direction, route, data, due, .. }) = self.duplex.pop(now) {
            let sent = match self.ways.exit(direction, route) {
                Some((socket, Some(to))) => socket.send_to(&data, to).is_ok(),
                Some((socket, None)) => socket.send(&data).is_ok(),
                None => false,
            };
            now = self.clock.now();
            if sent {
                self.lateness.record(due, now);
            } else {
                self.log.on_unsent();
            }
        }
        now
    }
}
