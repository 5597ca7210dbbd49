//! The command line of `cantus-bench`: a file a command.

mod agreement;
mod compare;
mod count;
mod demo;
mod lateness;
mod link;
mod matrix;
mod netem;
mod peers;
mod run;
mod sim;

pub use agreement::AgreementOptions;
pub use compare::CompareOptions;
pub use count::{CountEnd, CountReceive, CountSend};
pub use demo::{Carrier, DemoOptions};
pub use lateness::LatenessOptions;
pub use link::{LinkOptions, NoCommand};
pub use matrix::MatrixOptions;
pub use netem::NetemOptions;
pub use peers::{NamedLink, PeersOptions};
pub use run::RunOptions;
pub use sim::SimOptions;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cantus-bench demo                                  narration over the bursty link
  cantus-bench demo --link bad --transport udp --media music --for 20s
  cantus-bench sim plan.toml                         a plan in virtual time
  cantus-bench run plan.toml --out wav:out.wav       the same in real time
  cantus-bench matrix benches/plans/standing.toml    every standing link, with a report to look at
  cantus-bench compare old/results.json new/results.json
  cantus-bench link --tun --left CMD --right CMD -- bursty
                                                     any two programs across a link, as root
  cantus-bench netem --listen 127.0.0.1:4434 --to 127.0.0.1:4433 -- delay 40ms loss 1%
                                                     any client and server that speak UDP

A link is a standing one (clean, wifi, bursty, bad, heavy, storm, thin, bursty-t, bad-t, umts,
lte), words of tc-netem such as 'delay 40ms 15ms loss gemodel 1% 25%', or both.";

/// The whole command line.
#[derive(Debug, Clone, Parser)]
#[command(name = "cantus-bench", version, about = "Emulates networks and measures what streaming across them comes to", after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Play a sample across an emulated link on this machine, and say how it went
    Demo(Box<DemoOptions>),
    /// Run a plan in virtual time and print its report
    Sim(SimOptions),
    /// Run a plan in real time, through a relay on this machine
    Run(RunOptions),
    /// Run everything with everything, with several seeds, in virtual time; tables and plots
    Matrix(MatrixOptions),
    /// Say what got better or worse between the results of two matrices
    ///
    /// Exit status: 0 if nothing got worse, 1 if something did, 2 if they cannot be compared.
    Compare(CompareOptions),
    /// Put an emulated network before any UDP or RTSP server, without privileges
    Netem(Box<NetemOptions>),
    /// Measure how late and lossy the relay itself is on this machine
    Lateness(LatenessOptions),
    /// Join two hosts on this machine by an emulated IP link, and run a command on each
    Link(Box<LinkOptions>),
    /// Send or receive numbered packets, to see what a network does to them
    #[command(subcommand)]
    Count(CountEnd),
    /// Compare what was counted across the kernel's netem with what our emulator does
    Agreement(AgreementOptions),
    /// Run GStreamer, SRT and RIST across the same links, and compare
    Peers(Box<PeersOptions>),
}
