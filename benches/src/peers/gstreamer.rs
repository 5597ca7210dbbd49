//! GStreamer: `rtpjitterbuffer` on its own, and with what GStreamer has against losses.
//!
//! Everything is `gst-launch-1.0`. `udpsink` sends at once (`sync=false`), so that a frame is
//! handed over when the jitter buffer, or the decoder behind it, gives it out.

use super::wiring::{CommandLine, End, Terms, Wiring};

/// The program of both ends.
pub const PROGRAM: &str = "gst-launch-1.0";
/// The program that tells which elements there are.
pub const INSPECTOR: &str = "gst-inspect-1.0";

/// Payload types beside that of the frames: RTX (RFC 4588), RED (RFC 2198), ULPFEC (RFC 5109).
const RTX: u8 = 97;
const RED: u8 = 63;
const ULPFEC: u8 = 122;

/// How GStreamer protects the frames.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// Not at all.
    Plain,
    /// Retransmission (RFC 4588), asked for by NACK (RFC 4585).
    Rtx,
    /// Each packet carries the payload of the one `distance` before it (RFC 2198).
    Red {
        /// In packets.
        distance: u8,
    },
    /// Parity packets (RFC 5109).
    UlpFec {
        /// Parity packets for a hundred packets.
        percentage: u8,
    },
    /// Parity over the rows and columns of a matrix of packets (SMPTE ST 2022-1).
    Matrix {
        /// Packets in a row.
        columns: u8,
        /// Packets in a column.
        rows: u8,
    },
}

impl Scheme {
    /// The lanes of the link, by who sends first.
    pub fn lanes(self) -> &'static [End] {
        use End::{Receiver, Sender};
        match self {
            Self::Plain | Self::Red { .. } | Self::UlpFec { .. } => &[Sender],
            // Media, and the reports of either end.
            Self::Rtx => &[Sender, Sender, Receiver],
            // Media, columns, rows.
            Self::Matrix { .. } => &[Sender, Sender, Sender],
        }
    }

    /// The elements that it needs, beside those for sockets.
    pub fn elements(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["rtpjitterbuffer"],
            Self::Rtx => {
                &["rtpjitterbuffer", "rtpsession", "rtpssrcdemux", "rtprtxsend", "rtprtxreceive"]
            }
            Self::Red { .. } => &["rtpjitterbuffer", "rtpredenc", "rtpreddec"],
            Self::UlpFec { .. } => {
                &["rtpjitterbuffer", "rtpulpfecenc", "rtpulpfecdec", "rtpstorage", "rtpssrcdemux"]
            }
            Self::Matrix { .. } => &["rtpjitterbuffer", "rtpst2022-1-fecenc", "rtpst2022-1-fecdec"],
        }
    }

    /// The source of the frames: `rtpst2022-1-fecenc` takes only those of source 0.
    pub fn ssrc(self) -> u32 {
        match self {
            Self::Matrix { .. } => 0,
            _ => 4660,
        }
    }

    /// Both ends.
    pub fn wire(self, terms: &Terms) -> Wiring {
        let (sender, receiver) = match self {
            Self::Plain => plain(terms),
            Self::Rtx => rtx(self, terms),
            Self::Red { distance } => red(terms, distance),
            Self::UlpFec { percentage } => ulp_fec(terms, percentage),
            Self::Matrix { columns, rows } => matrix(terms, columns, rows),
        };
        let line = |words: String| CommandLine::of_words(PROGRAM, &format!("-q {words}"));
        Wiring { sender: line(sender), receiver: line(receiver) }
    }
}

const CAPS: &str = "application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS";

/// Takes RTP from a port of this machine.
fn from(port: u16) -> String {
    format!("udpsrc address=127.0.0.1 port={port} caps={CAPS}")
}

/// Sends to a port of this machine.
fn to(port: u16) -> String {
    format!("udpsink host=127.0.0.1 port={port} sync=false async=false")
}

fn jitter_buffer(terms: &Terms) -> String {
    format!("rtpjitterbuffer latency={} drop-on-latency=true", terms.hold_ms())
}

fn plain(terms: &Terms) -> (String, String) {
    let (input, near) = (from(terms.input), to(terms.near(0)));
    let (far, buffer, output) = (from(terms.far(0)), jitter_buffer(terms), to(terms.output));
    (format!("{input} ! {near}"), format!("{far} ! {buffer} ! {output}"))
}

/// The session is given more bandwidth for reports than the 5 % of RFC 3550, section 6.2, or it
/// asks for one packet in seven tenths of a second: too late for most.
fn rtx(scheme: Scheme, terms: &Terms) -> (String, String) {
    let session = "rtpsession name=s rtp-profile=avpf bandwidth=400000 rtcp-fraction=200000 \
                   rtcp-rr-bandwidth=100000 rtcp-rs-bandwidth=2500 rtcp-min-interval=100000000";
    let map = format!("payload-type-map=application/x-rtp-pt-map,96=(uint){RTX}");
    let (input, ssrc) = (from(terms.input), scheme.ssrc());
    let (near, reports) = (to(terms.near(0)), to(terms.near(1)));
    let back = terms.far(2);
    let sender = format!(
        "{session} {input},payload=96,ssrc=(uint){ssrc} ! rtprtxsend {map} ! s.send_rtp_sink \
         s.send_rtp_src ! {near} s.send_rtcp_src ! {reports} \
         udpsrc address=127.0.0.1 port={back} ! s.recv_rtcp_sink"
    );
    let (far, buffer, output) = (from(terms.far(0)), jitter_buffer(terms), to(terms.output));
    let (reports, back) = (terms.far(1), to(terms.near(2)));
    let receiver = format!(
        "{session} {far} ! s.recv_rtp_sink s.recv_rtp_src ! rtprtxreceive {map} \
         ! rtpssrcdemux name=d d. ! {buffer} do-retransmission=true ! {output} \
         udpsrc address=127.0.0.1 port={reports} ! s.recv_rtcp_sink s.send_rtcp_src ! {back}"
    );
    (sender, receiver)
}

fn red(terms: &Terms, distance: u8) -> (String, String) {
    let (input, near) = (from(terms.input), to(terms.near(0)));
    let (far, buffer, output) = (from(terms.far(0)), jitter_buffer(terms), to(terms.output));
    (
        format!("{input} ! rtpredenc pt={RED} distance={distance} ! {near}"),
        format!("{far} ! rtpreddec pt={RED} ! {buffer} ! {output}"),
    )
}

/// Without `multipacket=false` it would wait for a marker bit, which speech seldom has.
fn ulp_fec(terms: &Terms, percentage: u8) -> (String, String) {
    let (input, near) = (from(terms.input), to(terms.near(0)));
    let (far, buffer, output) = (from(terms.far(0)), jitter_buffer(terms), to(terms.output));
    let encoder = format!("rtpulpfecenc pt={ULPFEC} percentage={percentage} multipacket=false");
    (
        format!("{input} ! {encoder} ! {near}"),
        format!(
            "{far} ! rtpstorage size-time=1000000000 ! rtpssrcdemux ! {buffer} do-lost=true \
             ! rtpulpfecdec pt={ULPFEC} ! {output}"
        ),
    )
}

fn matrix(terms: &Terms, columns: u8, rows: u8) -> (String, String) {
    let (input, near) = (from(terms.input), terms.near.iter().map(|&port| to(port)));
    let near: Vec<_> = near.collect();
    let sender = format!(
        "{input} ! rtpst2022-1-fecenc name=e columns={columns} rows={rows} pt=96 e.src ! {} \
         e.fec_0 ! {} e.fec_1 ! {}",
        near[0], near[1], near[2]
    );
    let far: Vec<_> = terms.far.iter().map(|&port| from(port)).collect();
    let (buffer, output) = (jitter_buffer(terms), to(terms.output));
    let receiver = format!(
        "rtpst2022-1-fecdec name=d size-time=1000000000 {} ! d.sink {} ! d.fec_0 {} ! d.fec_1 \
         d.src ! {buffer} ! {output}",
        far[0], far[1], far[2]
    );
    (sender, receiver)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::wiring::tests::terms;

    const SCHEMES: [Scheme; 5] = [
        Scheme::Plain,
        Scheme::Rtx,
        Scheme::Red { distance: 3 },
        Scheme::UlpFec { percentage: 50 },
        Scheme::Matrix { columns: 4, rows: 2 },
    ];

    #[test]
    fn a_plain_peer_is_two_sockets_and_a_buffer_that_holds_what_it_is_told() {
        let Wiring { sender, receiver } = Scheme::Plain.wire(&terms(1));
        let caps = format!("caps={CAPS}");
        let quiet = "gst-launch-1.0 -q udpsrc address=127.0.0.1";
        let sink = "udpsink host=127.0.0.1";
        let rest = "sync=false async=false";
        assert_eq!(
            sender.to_string(),
            format!("{quiet} port=1000 {caps} '!' {sink} port=3000 {rest}")
        );
        assert_eq!(
            receiver.to_string(),
            format!(
                "{quiet} port=4000 {caps} '!' rtpjitterbuffer latency=145 drop-on-latency=true \
                 '!' {sink} port=2000 {rest}"
            )
        );
    }

    #[test]
    fn every_scheme_uses_each_of_its_ports_once_and_only_the_elements_that_it_names() {
        for scheme in SCHEMES {
            let lanes = scheme.lanes();
            let Wiring { sender, receiver } = scheme.wire(&terms(lanes.len() as u16));
            let uses = |line: &CommandLine, port: u16| {
                line.arguments.iter().filter(|word| **word == format!("port={port}")).count()
            };
            assert_eq!((uses(&sender, 1000), uses(&receiver, 2000)), (1, 1), "{scheme:?}");
            for (lane, end) in (0u16..).zip(lanes) {
                let (first, second) = match end {
                    End::Sender => (&sender, &receiver),
                    End::Receiver => (&receiver, &sender),
                };
                assert_eq!((uses(first, 3000 + lane), uses(second, 4000 + lane)), (1, 1));
            }
            for word in sender.arguments.iter().chain(&receiver.arguments) {
                let named = scheme.elements().contains(&word.as_str());
                assert!(!word.starts_with("rtp") || word.contains('=') || named, "{word}");
            }
        }
    }
}
