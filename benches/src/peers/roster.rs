//! Who is measured: every peer by name, what it needs, and the choice among them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cantus_qos::rtp::Ssrc;

use super::gstreamer::{self, Scheme};
use super::presence::Need;
use super::wiring::{End, Terms, Wiring};
use super::{rist, srt};
use crate::plan::Transport;

/// Somebody who can be asked to carry sound.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    /// What it is called here: the family, then how it protects.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// How it is measured.
    pub kind: Kind,
}

/// How a peer is measured.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// By arithmetic: what the link alone does to frames that are played after a constant time.
    Bare,
    /// With streamer and player through the relay, by the player's report.
    Cantus(Transport),
    /// With two programs of another project, by frames of ours.
    Foreign(Foreign),
    /// Not at all: it carries sound from file to file, and no frames that somebody could number.
    Roc,
}

/// Another project's way to carry frames.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Foreign {
    /// GStreamer.
    GStreamer(Scheme),
    /// Secure Reliable Transport.
    Srt(srt::Protection),
    /// Reliable Internet Stream Transport.
    Rist(rist::Profile),
}

const fn foreign(name: &'static str, foreign: Foreign, about: &'static str) -> Peer {
    Peer { name, about, kind: Kind::Foreign(foreign) }
}

const fn gst(name: &'static str, scheme: Scheme, about: &'static str) -> Peer {
    foreign(name, Foreign::GStreamer(scheme), about)
}

const fn srt(name: &'static str, protection: srt::Protection, about: &'static str) -> Peer {
    foreign(name, Foreign::Srt(protection), about)
}

/// All peers, in the order of the table.
pub const ROSTER: &[Peer] = &[
    Peer { name: "bare", about: "no protection, by arithmetic: the floor", kind: Kind::Bare },
    Peer {
        name: "cantus-quic",
        about: "this streamer and player over QUIC",
        kind: Kind::Cantus(Transport::Quic),
    },
    Peer {
        name: "cantus-udp",
        about: "this streamer and player over UDP",
        kind: Kind::Cantus(Transport::Rtsp),
    },
    gst("gst-plain", Scheme::Plain, "rtpjitterbuffer on its own"),
    gst("gst-rtx", Scheme::Rtx, "retransmission (RFC 4588) asked for by NACK"),
    gst("gst-red-1", Scheme::Red { distance: 1 }, "RED (RFC 2198): each frame again with the next"),
    gst("gst-red-3", Scheme::Red { distance: 3 }, "RED: each frame again with the third after it"),
    gst("gst-red-5", Scheme::Red { distance: 5 }, "RED: each frame again with the fifth after it"),
    gst("gst-ulpfec-50", Scheme::UlpFec { percentage: 50 }, "ULPFEC (RFC 5109), one for two"),
    gst("gst-ulpfec-100", Scheme::UlpFec { percentage: 100 }, "ULPFEC, one for one"),
    gst(
        "gst-2022-4x2",
        Scheme::Matrix { columns: 4, rows: 2 },
        "SMPTE ST 2022-1, 4 columns, 2 rows",
    ),
    gst(
        "gst-2022-3x3",
        Scheme::Matrix { columns: 3, rows: 3 },
        "SMPTE ST 2022-1, 3 columns, 3 rows",
    ),
    srt("srt-arq", srt::Protection::Arq, "SRT, what is missing is asked for"),
    srt(
        "srt-fec-3",
        srt::Protection::Fec { columns: 3, rows: 1 },
        "SRT, one parity packet for three, and ARQ",
    ),
    srt(
        "srt-fec-4x4",
        srt::Protection::Fec { columns: 4, rows: 4 },
        "SRT, parity over rows and columns of four, and ARQ",
    ),
    foreign("rist-simple", Foreign::Rist(rist::Profile::Simple), "RIST, simple profile"),
    foreign("rist-main", Foreign::Rist(rist::Profile::Main), "RIST, main profile"),
    Peer { name: "roc", about: "Roc toolkit", kind: Kind::Roc },
];

impl Peer {
    /// What must be on this machine for it.
    pub fn needs(&self) -> Vec<Need> {
        match self.kind {
            Kind::Bare | Kind::Cantus(_) => Vec::new(),
            Kind::Roc => vec![Need::program("roc-send", "roc-toolkit-tools, from 13 on")],
            Kind::Foreign(foreign) => foreign.needs(),
        }
    }
}

impl Foreign {
    /// The lanes of the link, by who sends first.
    pub fn lanes(self) -> &'static [End] {
        match self {
            Self::GStreamer(scheme) => scheme.lanes(),
            Self::Srt(_) => srt::LANES,
            Self::Rist(profile) => profile.lanes(),
        }
    }

    /// The source that its frames have.
    pub fn ssrc(self) -> Ssrc {
        match self {
            Self::GStreamer(scheme) => Ssrc(scheme.ssrc()),
            Self::Srt(_) | Self::Rist(_) => Ssrc(4660),
        }
    }

    /// How long its receiver is to hold packets, so that frames are handed over `latency` after
    /// they were sent: what is left after the base delay, less what the program is late by itself.
    pub fn hold(self, latency: Duration, delay: Duration) -> Duration {
        let own = match self {
            Self::GStreamer(_) => Duration::from_millis(5),
            // They look at their queues every ten milliseconds, and what they take for the base
            // delay moves with the jitter by about as much.
            Self::Srt(_) | Self::Rist(_) => Duration::from_millis(25),
        };
        latency.saturating_sub(delay).saturating_sub(own)
    }

    /// Both ends.
    pub fn wire(self, terms: &Terms) -> Wiring {
        match self {
            Self::GStreamer(scheme) => scheme.wire(terms),
            Self::Srt(protection) => protection.wire(terms),
            Self::Rist(profile) => profile.wire(terms),
        }
    }

    fn needs(self) -> Vec<Need> {
        match self {
            Self::GStreamer(scheme) => {
                let program = Need::program(gstreamer::PROGRAM, "gstreamer1.0-tools");
                let sockets = ["udpsrc", "udpsink"];
                let elements = sockets.iter().chain(scheme.elements());
                let good =
                    |element: &&'static str| Need::element(element, "gstreamer1.0-plugins-good");
                std::iter::once(program).chain(elements.map(good)).collect()
            }
            Self::Srt(_) => vec![Need::program(srt::PROGRAM, "srt-tools")],
            Self::Rist(_) => [rist::SENDER, rist::RECEIVER]
                .map(|program| Need::program(program, "rist-tools"))
                .to_vec(),
        }
    }
}

/// Peers that a user named: one by its name, or a family by what their names begin with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice(String);

/// Nobody has this name.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("no peer is called `{0}`; there are {names}", names = names())]
pub struct UnknownPeer(String);

impl Choice {
    /// Whether `peer` is meant.
    pub fn takes(&self, peer: &Peer) -> bool {
        let rest = peer.name.strip_prefix(&self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

impl FromStr for Choice {
    type Err = UnknownPeer;

    fn from_str(text: &str) -> Result<Self, UnknownPeer> {
        let choice = Self(text.to_owned());
        match ROSTER.iter().any(|peer| choice.takes(peer)) {
            true => Ok(choice),
            false => Err(UnknownPeer(text.to_owned())),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The peers that are meant, in the order of the table; all where nobody is named.
pub fn chosen(choices: &[Choice]) -> Vec<&'static Peer> {
    let meant = |peer: &&Peer| choices.is_empty() || choices.iter().any(|it| it.takes(peer));
    ROSTER.iter().filter(meant).collect()
}

fn names() -> String {
    ROSTER.iter().map(|peer| peer.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(choices: &[&str]) -> Vec<&'static str> {
        let choices: Vec<_> = choices.iter().map(|text| text.parse().unwrap()).collect();
        chosen(&choices).iter().map(|peer| peer.name).collect()
    }

    #[test]
    fn a_peer_is_chosen_by_its_name_and_a_family_by_its_beginning() {
        assert_eq!(names(&["rist"]), ["rist-simple", "rist-main"]);
        assert_eq!(names(&["srt-fec-3", "bare"]), ["bare", "srt-fec-3"]);
        assert_eq!(names(&["gst-red"]), ["gst-red-1", "gst-red-3", "gst-red-5"]);
        assert_eq!(names(&[]).len(), ROSTER.len());
    }

    #[test]
    fn an_unknown_peer_is_answered_with_those_that_there_are() {
        for text in ["", "rtsp", "gst-re", "gst-red-1x", "-"] {
            let error = text.parse::<Choice>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("no peer is called `{text}`; there are bare, ")));
            assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn names_are_distinct_and_no_name_is_the_family_of_another() {
        for peer in ROSTER {
            let choice: Choice = peer.name.parse().unwrap();
            assert_eq!(chosen(&[choice]), [peer]);
        }
    }

    #[test]
    fn what_is_held_is_what_the_latency_leaves() {
        let ms = Duration::from_millis;
        let srt = Foreign::Srt(srt::Protection::Arq);
        assert_eq!(srt.hold(ms(200), ms(40)), ms(135));
        assert_eq!(srt.hold(ms(40), ms(40)), ms(0));
    }
}
