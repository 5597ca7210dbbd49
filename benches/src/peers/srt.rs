//! SRT: `srt-live-transmit`, which repeats what was asked for again (ARQ) and can add parity.

use super::frame::BARE;
use super::wiring::{CommandLine, End, Terms, Wiring};

/// The program of both ends.
pub const PROGRAM: &str = "srt-live-transmit";

/// Everything goes through one port.
pub const LANES: &[End] = &[End::Sender];

/// How SRT protects the frames.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Protection {
    /// What is missing is asked for.
    Arq,
    /// Parity packets over a matrix, and what is missing is asked for all the same.
    Fec {
        /// Packets in a row.
        columns: u8,
        /// Packets in a column; 1 for rows only.
        rows: u8,
    },
}

impl Protection {
    /// Both ends. The sender calls.
    pub fn wire(self, terms: &Terms) -> Wiring {
        let (near, far) = (terms.near(0), terms.far(0));
        let (chunk, filter) = match self {
            Self::Arq => (String::new(), String::new()),
            // Parity packets have the size of the largest payload, so that must be said; and the
            // program forgets it unless it is also told to read less at a time.
            Self::Fec { columns, rows } => (
                "-chunk:1316 ".to_owned(),
                format!(
                    "&payloadsize={}&packetfilter=fec,cols:{columns},rows:{rows},arq:always",
                    BARE - 28
                ),
            ),
        };
        let srt = |port: u16, mode: &str| {
            let hold = terms.hold_ms();
            format!("srt://127.0.0.1:{port}?mode={mode}&transtype=live&latency={hold}{filter}")
        };
        let udp = |port: u16| format!("udp://127.0.0.1:{port}");
        let line = |from, to| CommandLine::of_words(PROGRAM, &format!("{chunk}{from} {to}"));
        Wiring {
            sender: line(udp(terms.input), srt(near, "caller")),
            receiver: line(srt(far, "listener"), udp(terms.output)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::wiring::tests::terms;

    #[test]
    fn both_ends_agree_on_latency_and_filter() {
        let plain = Protection::Arq.wire(&terms(1));
        assert_eq!(
            plain.sender.to_string(),
            "srt-live-transmit udp://127.0.0.1:1000 \
             'srt://127.0.0.1:3000?mode=caller&transtype=live&latency=145'"
        );
        let Wiring { sender, receiver } = Protection::Fec { columns: 4, rows: 2 }.wire(&terms(1));
        assert_eq!(
            receiver.arguments,
            [
                "-chunk:1316",
                "srt://127.0.0.1:4000?mode=listener&transtype=live&latency=145&payloadsize=252\
                 &packetfilter=fec,cols:4,rows:2,arq:always",
                "udp://127.0.0.1:2000",
            ]
        );
        assert!(sender.arguments[2].ends_with("fec,cols:4,rows:2,arq:always"));
    }
}
