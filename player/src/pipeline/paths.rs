//! What the paths of the tracks ask for.

use std::time::Duration;

use cantus_qos::playout::{TargetConfig, TargetDelay};
use cantus_qos::time::TimeDelta;

/// How long playback is to wait, by what each track needs: tracks that somebody else keeps together
/// may come one behind the other, and none of them is to be late for being only one of two.
#[derive(Debug)]
pub(super) struct Paths(Vec<TargetDelay>);

impl Paths {
    /// So many paths, one at least, each of which asks by `config`.
    pub(super) fn new(count: usize, config: TargetConfig) -> Self {
        Self((0..count.max(1)).map(|_| TargetDelay::new(config)).collect())
    }

    /// The path of the track that is the `index`-th; the last one is that of all from there on.
    pub(super) fn of(&mut self, index: usize) -> &mut TargetDelay {
        let last = self.0.len() - 1;
        &mut self.0[index.min(last)]
    }

    /// The transit time of the fastest packet of late on any of them.
    pub(super) fn fastest(&self) -> Option<TimeDelta> {
        self.0.iter().filter_map(TargetDelay::fastest).min()
    }

    /// How much longer than that packet takes playback is to wait for all of them.
    pub(super) fn target(&self) -> Duration {
        let fastest = self.fastest().unwrap_or_default();
        let behind = |path: &TargetDelay| (path.fastest().unwrap_or(fastest) - fastest).max_zero();
        self.0.iter().map(|path| behind(path) + path.target()).max().unwrap_or_default()
    }

    /// The transit time that half of the packets of late exceed, on the slowest path; `None` while
    /// that is not known of any.
    pub(super) fn median(&self) -> Option<TimeDelta> {
        self.0.iter().filter_map(TargetDelay::median).max()
    }
}
