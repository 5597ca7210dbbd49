//! What both directions of a path do: [`PathSpec`].

use std::fmt;
use std::time::Duration;

use cantus_qos::quantity::duration_text;
use cantus_qos::time::MonoTime;
use serde::{Deserialize, Serialize};

use super::{Link, LinkError, LinkSpec};

/// Both directions of a path. What runs in virtual time and what runs in real time build their
/// links from this: the same path and seed are the same network.
///
/// ```
/// use cantus_bench::link::{LinkSpec, PathSpec};
///
/// let alike = PathSpec::from(LinkSpec::named("wifi")?);
/// let unlike = PathSpec { back: Some("rate 64kbit".parse()?), ..alike };
/// let (there, back) = unlike.links(7)?;
/// # Ok::<(), cantus_bench::link::LinkError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PathSpec {
    /// The way there, on which the media go: from the streamer to the player.
    pub there: LinkSpec,
    /// The way back of feedback and requests, where it is another link.
    pub back: Option<LinkSpec>,
    /// Other links that take their place later, on both ways, in the order of their instants.
    pub changes: Vec<Change>,
}

/// From an instant on, another link. What was sent before still comes as the one before has it,
/// and may be overtaken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When, since the beginning of the session.
    #[serde(with = "span")]
    pub at: Duration,
    /// The link.
    pub link: LinkSpec,
}

impl PathSpec {
    /// The way there and the way back, with the luck that `seed` brings. The way back is that of a
    /// [`Link::pair`] of its own spec, so that its luck is not that of the way there.
    ///
    /// # Errors
    ///
    /// As [`Link::new`], for either way.
    pub fn links(&self, seed: u64) -> Result<(Link, Link), LinkError> {
        let (mut there, mut back) = Link::pair(&self.there, seed)?;
        if let Some(spec) = &self.back {
            back = Link::pair(spec, seed)?.1;
        }
        let mut changes: Vec<&Change> = self.changes.iter().collect();
        changes.sort_by_key(|change| change.at);
        for Change { at, link } in changes {
            let at = MonoTime::ZERO + *at;
            let next = Link::pair(link, seed)?;
            (there, back) = (there.followed_by(at, next.0), back.followed_by(at, next.1));
        }
        Ok((there, back))
    }

    /// The base delays there and back: those of what is never lost, such as an RTSP message.
    pub fn delays(&self) -> (Duration, Duration) {
        (self.there.delay, self.back.as_ref().unwrap_or(&self.there).delay)
    }
}

/// Both ways alike, each with luck of its own.
impl From<LinkSpec> for PathSpec {
    fn from(there: LinkSpec) -> Self {
        Self { there, back: None, changes: Vec::new() }
    }
}

/// Both ways alike, each with luck of its own.
impl From<&LinkSpec> for PathSpec {
    fn from(there: &LinkSpec) -> Self {
        there.clone().into()
    }
}

impl fmt::Display for PathSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.there.fmt(f)?;
        if let Some(back) = &self.back {
            write!(f, ", back {back}")?;
        }
        for Change { at, link } in &self.changes {
            write!(f, ", from {} on {link}", duration_text(*at))?;
        }
        Ok(())
    }
}

/// A span as people write it.
mod span {
    use std::time::Duration;

    use cantus_qos::quantity::{duration_text, parse_duration};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(span: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&duration_text(*span))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        parse_duration(&String::deserialize(input)?).map_err(de::Error::custom)
    }
}
