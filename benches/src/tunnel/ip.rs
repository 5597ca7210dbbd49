//! The programs `ip` and `tc` of iproute2.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::TunnelError;

/// Runs `ip` with these words.
///
/// # Errors
///
/// [`TunnelError::NoProgram`], or [`TunnelError::Refused`] with what it says.
pub(super) fn ip(words: &[&str]) -> Result<(), TunnelError> {
    run("ip", words)
}

/// Runs `tc` with these words.
///
/// # Errors
///
/// As [`ip`].
pub(super) fn tc(words: &[&str]) -> Result<(), TunnelError> {
    run("tc", words)
}

fn run(program: &'static str, words: &[&str]) -> Result<(), TunnelError> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        // Out of reach of the terminal's Ctrl-C: half of a set-up is harder to take down.
        .process_group(0)
        .output()
        .map_err(|cause| missing(program, cause))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    Err(TunnelError::Refused {
        command: format!("{program} {}", words.join(" ")),
        message: message.join("; "),
    })
}

/// Why `program` of iproute2 could not be started.
pub(super) fn missing(program: &'static str, cause: io::Error) -> TunnelError {
    match cause.kind() {
        io::ErrorKind::NotFound => TunnelError::NoProgram { program },
        _ => TunnelError::Start { command: program.to_owned(), cause },
    }
}
