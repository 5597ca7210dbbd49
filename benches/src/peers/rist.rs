//! RIST: `ristsender` and `ristreceiver`, which repeat what was asked for again.

use super::wiring::{CommandLine, End, Terms, Wiring};

/// The program that has the frames.
pub const SENDER: &str = "ristsender";
/// The program that wants them.
pub const RECEIVER: &str = "ristreceiver";

/// The profile of RIST.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Profile {
    /// RTP and RTCP on a port each, the second one above the first (VSF TR-06-1).
    Simple,
    /// Both in a tunnel through one port (VSF TR-06-2).
    Main,
}

impl Profile {
    /// The lanes of the link, by who sends first.
    pub fn lanes(self) -> &'static [End] {
        match self {
            Self::Simple => &[End::Sender, End::Sender],
            Self::Main => &[End::Sender],
        }
    }

    /// Both ends. The sender calls.
    pub fn wire(self, terms: &Terms) -> Wiring {
        let profile = match self {
            Self::Simple => 0,
            Self::Main => 1,
        };
        let hold = terms.hold_ms();
        let line = |program, from: String, to: String| {
            let words = format!("-p {profile} -b {hold} -i {from} -o {to}");
            CommandLine::of_words(program, &words)
        };
        let (near, far) = (terms.near(0), terms.far(0));
        let udp = |port: u16| format!("udp://127.0.0.1:{port}");
        Wiring {
            sender: line(
                SENDER,
                udp(terms.input),
                format!("rist://127.0.0.1:{near}?buffer={hold}"),
            ),
            receiver: line(
                RECEIVER,
                format!("rist://@127.0.0.1:{far}?buffer={hold}"),
                udp(terms.output),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::wiring::tests::terms;

    #[test]
    fn the_receiver_listens_and_the_sender_calls() {
        let Wiring { sender, receiver } = Profile::Main.wire(&terms(1));
        assert_eq!(
            sender.to_string(),
            "ristsender -p 1 -b 145 -i udp://127.0.0.1:1000 -o 'rist://127.0.0.1:3000?buffer=145'"
        );
        assert_eq!(
            receiver.to_string(),
            "ristreceiver -p 1 -b 145 -i 'rist://@127.0.0.1:4000?buffer=145' \
             -o udp://127.0.0.1:2000"
        );
        assert_eq!(Profile::Simple.wire(&terms(2)).sender.arguments[1], "0");
        assert_eq!(Profile::Simple.lanes().len(), 2);
    }
}
