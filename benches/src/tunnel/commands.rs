//! The commands at the two ends: started together, ended together.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::time;

use super::ip::missing;
use super::namespace::Namespace;
use super::{Ended, Side, TunnelError, Until};
use crate::signals::Signals;

/// How long a command has to end by itself once it is told to.
const GRACE: Duration = Duration::from_secs(3);
/// How often one looks whether what nobody waits for has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A command at each end, running.
#[derive(Debug)]
pub(super) struct Commands<'a> {
    hosts: &'a (Namespace, Namespace),
    left: Option<ExitStatus>,
    right: Option<ExitStatus>,
    ends: mpsc::UnboundedReceiver<(Side, io::Result<ExitStatus>)>,
}

impl<'a> Commands<'a> {
    /// Starts both.
    ///
    /// # Errors
    ///
    /// If the system refuses; that a command is not found is its shell's to say.
    pub(super) fn start(
        hosts: &'a (Namespace, Namespace),
        left: &str,
        right: &str,
    ) -> Result<Self, TunnelError> {
        let (ended, ends) = mpsc::unbounded_channel();
        for (side, host, script) in [(Side::Left, &hosts.0, left), (Side::Right, &hosts.1, right)] {
            // Ctrl-C comes to us alone, so that both are told to end once and in good time.
            let child = host.shell(script).process_group(0).spawn();
            let child = child.map_err(|cause| missing("ip", cause))?;
            let ended = ended.clone();
            wait_for(child, move |status| _ = ended.send((side, status)))
                .map_err(|cause| TunnelError::Start { command: script.to_owned(), cause })?;
        }
        Ok(Self { hosts, left: None, right: None, ends })
    }

    /// Waits until those have ended that are to be waited for, the time is up or a signal comes;
    /// then ends what still runs.
    pub(super) async fn finish(
        mut self,
        until: Until,
        length: Option<Duration>,
        signals: &mut Signals,
    ) -> Ended {
        let time_is_up = async {
            match length {
                Some(length) => time::sleep(length).await,
                None => std::future::pending().await,
            }
        };
        let signal = tokio::select! {
            () = self.reach(until) => None,
            () = time_is_up => None,
            signal = signals.next() => Some(signal),
        };
        // What ends from here on was told to.
        let by_themselves = (self.left, self.right);
        self.end().await;
        let (left, right) = by_themselves;
        Ended { left, right, signal }
    }

    async fn reach(&mut self, until: Until) {
        let done = |left: bool, right: bool| match until {
            Until::Both => left && right,
            Until::Left => left,
            Until::Right => right,
        };
        while !done(self.left.is_some(), self.right.is_some()) {
            self.next().await;
        }
    }

    async fn next(&mut self) {
        let Some((side, status)) = self.ends.recv().await else {
            return std::future::pending().await;
        };
        let status = status.unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
        match side {
            Side::Left => self.left = Some(status),
            Side::Right => self.right = Some(status),
        }
    }

    /// Tells all that still runs to end, what the commands left in the background too, and ends it
    /// if it does not.
    async fn end(&mut self) {
        for signal in [Signal::TERM, Signal::KILL] {
            let (left, right) = self.hosts;
            let running = left.signal(signal) | right.signal(signal);
            if !running && self.left.is_some() && self.right.is_some() {
                return;
            }
            let _ = time::timeout(GRACE, self.deserted()).await;
        }
    }

    /// Waits until nothing runs on either host.
    async fn deserted(&mut self) {
        self.reach(Until::Both).await;
        let (left, right) = self.hosts;
        let mut looks = time::interval(LOOK);
        while !(left.is_deserted() && right.is_deserted()) {
            looks.tick().await;
        }
    }
}

/// Tells `tell` when a child has ended, from a thread of its own.
fn wait_for(
    mut child: Child,
    tell: impl FnOnce(io::Result<ExitStatus>) + Send + 'static,
) -> io::Result<()> {
    let thread = thread::Builder::new().name("command".into());
    thread.spawn(move || tell(child.wait())).map(drop)
}
