//! Signals that end the player properly.

/// The numbers of the signals (signal(7)).
const INTERRUPT: i32 = 2;
#[cfg(unix)]
const TERMINATE: i32 = 15;

/// Ctrl-C and SIGTERM.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
    /// A file that may not grow (`ulimit -f`) is a full disk, not a reason to be killed.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    _file_size: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// From now on signals are told instead of ending the process.
    pub(super) fn new() -> Self {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate()).ok(),
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            _file_size: signal(SignalKind::from_raw(25)).ok(),
        }
    }

    /// The number of the next signal.
    pub(super) async fn next(&mut self) -> i32 {
        #[cfg(unix)]
        if let Some(terminate) = &mut self.terminate {
            return tokio::select! {
                _ = tokio::signal::ctrl_c() => INTERRUPT,
                _ = terminate.recv() => TERMINATE,
            };
        }
        // Where the system has no signals, nothing ends it but itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPT
    }
}
