//! `cantus-bench lateness`: what the relay itself does to a steady stream.
//!
//! ```text
//! sender  -- numbered packets -->  relay, a link of constant delay  -->  receiver
//!                                  bare forwarder, beside it
//! ```

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU32;
use std::thread::JoinHandle;
use std::time::Duration;

use super::{RelayError, RelayRecord, socket, udp};
use crate::cli::LatenessOptions;
use crate::count::Numbered;
use crate::duplex::DirectionCounts;
use crate::lateness::Lateness;
use crate::link::LinkSpec;
use crate::vigil::{self, Bell, Clock, Vigil};

/// The link of a trial: nothing but time, and room for all, so that what is missing was lost by the
/// relay.
const LINK: &str = "delay 5ms limit 1000000";
const DELAY: Duration = Duration::from_millis(5);
/// The size of a packet: sound in RTP.
const SIZE: usize = 200;
/// How often the sender wakes at most; between, it sends several packets at once.
const TICK: Duration = Duration::from_micros(200);
/// The longest trial.
const MAX_LENGTH: Duration = Duration::from_secs(60);
/// How long the receiver waits for more when the sender has ended.
const GRACE: Duration = Duration::from_millis(500);
/// The marks of what the receiver watches.
const PACKETS: u64 = 0;
const END: u64 = 1;

/// A steady stream.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Trial {
    /// Packets per second.
    pub rate: NonZeroU32,
    /// How long, at most a minute.
    pub length: Duration,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct TrialRecord {
    /// Packets that were sent.
    pub sent: u64,
    /// How long the sending took. It is longer than asked for where the sender was held up: then
    /// it goes on where it is, and does not send the rest at once.
    pub took: Duration,
    /// Packets that came to the receiver, each counted once.
    pub received: u64,
    /// Packets that were dropped because the receiver's own socket was full.
    pub missed: u64,
    /// From sender to receiver, beyond the link's delay: what both sides of the relay add, and the
    /// receiver's own waking.
    pub through: Lateness,
    /// What the relay says.
    pub relay: RelayRecord,
}

/// Makes the trials that are asked for, and prints what came of each.
///
/// # Errors
///
/// As [`Trial::run`].
pub async fn lateness(options: &LatenessOptions) -> Result<(), RelayError> {
    for _ in 0..options.runs {
        for &rate in &options.rates {
            let record = Trial { rate, length: options.length }.run().await?;
            println!("{record}\n");
        }
    }
    Ok(())
}

impl TrialRecord {
    /// Packets that are missing and that the receiver did not miss: the relay lost them.
    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received + self.missed)
    }

    /// Packets per second that were sent.
    pub fn rate(&self) -> f64 {
        self.sent as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

impl fmt::Display for TrialRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, took, received, missed, through, relay } = self;
        let DirectionCounts { entered, delivered, .. } = relay.log.counts().to_server;
        writeln!(f, "{:.0} packets/s for {:.1} s, link '{LINK}'", self.rate(), took.as_secs_f64())?;
        writeln!(
            f,
            "sent {sent}, seen by the relay {entered}, passed on {delivered}, received {received}"
        )?;
        writeln!(f, "lost by the relay {}, missed by the receiver {missed}", self.lost())?;
        writeln!(f, "{relay}")?;
        write!(f, "sent to received {through} beyond the link's delay")?;
        // What else the machine did meanwhile (proc_loadavg(5)).
        match std::fs::read_to_string("/proc/loadavg") {
            Ok(load) => write!(f, "\nload average     {}", load.split(' ').next().unwrap_or("")),
            Err(_) => Ok(()),
        }
    }
}

impl Trial {
    fn packets(self) -> u32 {
        let length = self.length.min(MAX_LENGTH);
        let packets = u128::from(self.rate.get()) * length.as_nanos() / 1_000_000_000;
        u32::try_from(packets).unwrap_or(u32::MAX).max(1)
    }

    /// Sends it through a relay on loopback.
    ///
    /// # Errors
    ///
    /// [`RelayError`].
    pub async fn run(self) -> Result<TrialRecord, RelayError> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let inlet = socket::bind(any).map_err(RelayError::System)?;
        let to = inlet.local_addr().map_err(RelayError::System)?;
        let relay = udp::start(any, to, LINK.parse::<LinkSpec>().map_err(RelayError::Link)?, 1)?;
        let streamed = self.stream(inlet, relay.address()).await.map_err(RelayError::System)?;
        let (Sent { sent, took }, Received { received, missed, through }) = streamed;
        Ok(TrialRecord { sent, took, received, missed, through, relay: relay.stop().await })
    }

    async fn stream(self, inlet: UdpSocket, to: SocketAddr) -> io::Result<(Sent, Received)> {
        let clock = Clock::start();
        let outlet = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        outlet.connect(to)?;
        let bell = Bell::new()?;
        let mut vigil = Vigil::new(clock)?;
        vigil.watch(&inlet, PACKETS)?;
        vigil.watch(&bell, END)?;
        let all = self.packets();
        let end = bell.clone();
        let receiver = vigil::thread("cantus-receiver", move || {
            receive(clock, &mut vigil, &end, &inlet, all)
        })?;
        let sender = vigil::thread("cantus-sender", move || send(clock, &outlet, self.rate, all))?;
        let sent = ended(sender).await;
        bell.ring();
        Ok((sent?, ended(receiver).await??))
    }
}

/// Waits for a thread without holding up the runtime.
async fn ended<T: Send + 'static>(thread: JoinHandle<T>) -> io::Result<T> {
    let joined = tokio::task::spawn_blocking(move || thread.join()).await.map(Result::ok);
    // What panics has said so.
    joined.ok().flatten().ok_or_else(|| io::Error::other("a thread of the trial has panicked"))
}

struct Sent {
    sent: u64,
    took: Duration,
}

fn send(clock: Clock, outlet: &UdpSocket, rate: NonZeroU32, all: u32) -> Sent {
    let mut packet = [0; SIZE];
    let interval = Duration::from_secs(1) / rate.get();
    let start = clock.now();
    let (mut sent, mut due) = (0, start);
    for number in 0..all {
        if clock.now() < due {
            // Then a few are due at once, if more than that are due in a tick.
            clock.sleep_until(due + TICK.saturating_sub(interval));
        }
        // After a pause it goes on from where it is: the stream is to be steady.
        due = (due + interval).max(clock.now() - 2 * TICK);
        Numbered { number, sent: clock.now() }.write(&mut packet);
        // Nobody may be there yet, or any more; then it is not received either.
        sent += u64::from(outlet.send(&packet).is_ok());
    }
    Sent { sent, took: clock.now().since(start) }
}

struct Received {
    received: u64,
    missed: u64,
    through: Lateness,
}

/// Receives until everything has come, or nothing has for a while after the end.
fn receive(
    clock: Clock,
    vigil: &mut Vigil,
    end: &Bell,
    inlet: &UdpSocket,
    all: u32,
) -> io::Result<Received> {
    let mut seen = vec![false; all as usize];
    let mut received = 0;
    let mut through = Lateness::default();
    let (mut ready, mut packet) = (Vec::new(), [0; SIZE]);
    let mut until = None;
    while received < u64::from(all) && until.is_none_or(|until| clock.now() < until) {
        vigil.wait(until, &mut ready)?;
        while let Ok(length) = inlet.recv(&mut packet) {
            let Some(Numbered { number, sent }) = Numbered::read(&packet[..length]) else {
                continue;
            };
            through.record(sent + DELAY, clock.now());
            if let Some(seen) = seen.get_mut(number as usize) {
                received += u64::from(!std::mem::replace(seen, true));
            }
        }
        if end.silence() {
            until = Some(clock.now() + GRACE);
        }
    }
    Ok(Received { received, missed: socket::overruns([inlet]), through })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(rate: u32, length: Duration) -> Trial {
        Trial { rate: NonZeroU32::new(rate).unwrap(), length }
    }

    #[test]
    fn a_trial_sends_what_its_rate_and_length_make_and_never_without_end() {
        assert_eq!(trial(50_000, Duration::from_secs(5)).packets(), 250_000);
        assert_eq!(trial(3, Duration::from_millis(500)).packets(), 1);
        assert_eq!(trial(1, Duration::ZERO).packets(), 1);
        let longest = trial(200_000, MAX_LENGTH).packets();
        assert_eq!(trial(200_000, Duration::MAX).packets(), longest);
    }

    #[tokio::test]
    async fn every_packet_of_a_trial_is_accounted_for() {
        let record = trial(20_000, Duration::from_millis(20)).run().await.unwrap();
        let TrialRecord { sent, received, missed, relay, .. } = &record;
        let counts = relay.log.counts().to_server;
        assert_eq!(*sent, 400);
        assert_eq!(counts.entered + relay.overruns, *sent);
        assert_eq!(counts.delivered, received + missed);
        assert_eq!(record.lost(), relay.overruns);
        assert_eq!(record.through.quantiles().map(|it| it.count), Some(*received));
        assert_eq!(relay.lateness.quantiles().map(|it| it.count), Some(counts.delivered));
    }
}
