//! What both directions of a path do: [`PathSpec`].

use std::fmt;
use std::time::Duration;

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
}

impl PathSpec {
    /// The way there and the way back, with the luck that `seed` brings. The way back is that of a
    /// [`Link::pair`] of its own spec, so that its luck is not that of the way there.
    ///
    /// # Errors
    ///
    /// As [`Link::new`], for either way.
    pub fn links(&self, seed: u64) -> Result<(Link, Link), LinkError> {
        let (there, back) = Link::pair(&self.there, seed)?;
        match &self.back {
            Some(spec) => Ok((there, Link::pair(spec, seed)?.1)),
            None => Ok((there, back)),
        }
    }

    /// The base delays there and back: those of what is never lost, such as an RTSP message.
    pub fn delays(&self) -> (Duration, Duration) {
        (self.there.delay, self.back.as_ref().unwrap_or(&self.there).delay)
    }
}

/// Both ways alike, each with luck of its own.
impl From<LinkSpec> for PathSpec {
    fn from(there: LinkSpec) -> Self {
        Self { there, back: None }
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
        match &self.back {
            Some(back) => write!(f, "{}, back {back}", self.there),
            None => self.there.fmt(f),
        }
    }
}
