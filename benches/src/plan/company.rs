//! Who else crosses the path of a session.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cantus_player::wish::Carrier;
use cantus_qos::quantity::{duration_text, parse_duration};

/// The most that share a path with a session.
const MOST: usize = 100;

/// Everybody who shares a path with the session of a plan, in virtual time.
///
/// Written as a list with commas: `udp` and `quic` are further sessions with the same streamer,
/// which play the same; `reno` and `cubic` are transfers without end from the streamer's side, under
/// these congestion controls of TCP. Each may come later than the session: `quic from 20s, cubic`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Company(Vec<Neighbour>);

/// One of them.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// What it is.
    pub flow: Flow,
    /// When it comes, since the beginning of the session.
    pub from: Duration,
}

/// What can share a path with a session.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Flow {
    /// Another session.
    Session(Carrier),
    /// A transfer without end that yields as TCP does.
    Tcp(Congestion),
}

/// How it yields to others.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Congestion {
    /// RFC 5681, as RFC 9002 has it.
    Reno,
    /// RFC 9438.
    Cubic,
}

/// Nobody who could share a path.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CompanyError {
    /// Not one of them.
    #[error("`{0}` cannot share a path: write udp, quic, reno or cubic, and ` from 20s` if later")]
    Who(String),
    /// Too many.
    #[error("{0} are too many to share a path: at most {MOST}")]
    Many(usize),
}

impl Company {
    /// Nobody.
    pub fn none() -> Self {
        Self::default()
    }

    /// In the order in which they were written.
    pub fn neighbours(&self) -> &[Neighbour] {
        &self.0
    }

    /// Whether the session has the path to itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Company {
    type Err = CompanyError;

    fn from_str(text: &str) -> Result<Self, CompanyError> {
        if text.trim().is_empty() {
            return Ok(Self::none());
        }
        let neighbours: Vec<Neighbour> =
            text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        match neighbours.len() {
            many if many > MOST => Err(CompanyError::Many(many)),
            _ => Ok(Self(neighbours)),
        }
    }
}

impl FromStr for Neighbour {
    type Err = CompanyError;

    fn from_str(text: &str) -> Result<Self, CompanyError> {
        let nobody = || CompanyError::Who(text.trim().to_owned());
        let mut words = text.split_whitespace();
        let flow = match words.next() {
            Some("udp" | "rtsp") => Flow::Session(Carrier::Udp),
            Some("quic") => Flow::Session(Carrier::Quic),
            Some("reno") => Flow::Tcp(Congestion::Reno),
            Some("cubic") => Flow::Tcp(Congestion::Cubic),
            _ => return Err(nobody()),
        };
        let from = match (words.next(), words.next(), words.next()) {
            (None, ..) => Duration::ZERO,
            (Some("from"), Some(from), None) => parse_duration(from).map_err(|_| nobody())?,
            _ => return Err(nobody()),
        };
        Ok(Self { flow, from })
    }
}

impl fmt::Display for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, neighbour) in self.0.iter().enumerate() {
            f.write_str(if n > 0 { ", " } else { "" })?;
            neighbour.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.flow {
            Flow::Session(Carrier::Udp) => "udp",
            Flow::Session(Carrier::Quic) => "quic",
            Flow::Tcp(Congestion::Reno) => "reno",
            Flow::Tcp(Congestion::Cubic) => "cubic",
        })?;
        match self.from {
            Duration::ZERO => Ok(()),
            from => write!(f, " from {}", duration_text(from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_is_read_and_written() {
        let company: Company = "quic from 20s, cubic".parse().unwrap();
        let quic = Neighbour { flow: Flow::Session(Carrier::Quic), from: Duration::from_secs(20) };
        let cubic = Neighbour { flow: Flow::Tcp(Congestion::Cubic), from: Duration::ZERO };
        assert_eq!(company.neighbours(), [quic, cubic]);
        assert_eq!(company.to_string(), "quic from 20s, cubic");
        assert_eq!("".parse(), Ok(Company::none()));
    }

    #[test]
    fn who_cannot_share_a_path_is_named() {
        for text in ["bbr", "udp at 20s", "udp from", "udp from 20", "udp, ", "cubic from 1s 2s"] {
            let error = text.parse::<Company>().unwrap_err().to_string();
            assert!(error.contains("cannot share a path"), "{error}");
        }
        assert_eq!(
            "udp,".repeat(200).trim_end_matches(',').parse::<Company>(),
            Err(CompanyError::Many(200))
        );
    }
}
