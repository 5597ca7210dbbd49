//! The pacer.

use std::collections::BTreeMap;

use super::TokenBucket;
use crate::quantity::Bitrate;
use crate::time::MonoTime;

/// Holds items until their release time has come and a [`TokenBucket`] lets them out.
///
/// Items leave in the order of their release times, those of equal time in the order in which they
/// were pushed. One that waits for tokens holds back those behind it: smaller ones would otherwise
/// overtake it for ever.
///
/// The queue has no bound of its own; who fills it looks at [`queued_bytes`](Self::queued_bytes).
#[derive(Clone, Debug)]
pub struct Pacer<T> {
    bucket: TokenBucket,
    queue: BTreeMap<(MonoTime, u64), Queued<T>>,
    pushed: u64,
    queued_bytes: usize,
}

#[derive(Clone, Debug)]
struct Queued<T> {
    bytes: usize,
    item: T,
}

impl<T> Pacer<T> {
    /// An empty pacer over this bucket.
    pub const fn new(bucket: TokenBucket) -> Self {
        Self { bucket, queue: BTreeMap::new(), pushed: 0, queued_bytes: 0 }
    }

    /// Queues an item that takes `bytes` on the wire and must not leave before `release_at`.
    pub fn push(&mut self, release_at: MonoTime, bytes: usize, item: T) {
        self.queue.insert((release_at, self.pushed), Queued { bytes, item });
        self.pushed += 1;
        self.queued_bytes += bytes;
    }

    /// The next item, if it may leave now.
    pub fn pop(&mut self, now: MonoTime) -> Option<T> {
        let head = self.queue.first_entry()?;
        let (release_at, _) = *head.key();
        if now < release_at || !self.bucket.take(now, head.get().bytes) {
            return None;
        }
        let Queued { bytes, item } = head.remove();
        self.queued_bytes -= bytes;
        Some(item)
    }

    /// What [`pop`](Self::pop) gave did not leave: its `bytes` are there for what follows.
    pub fn give_back(&mut self, bytes: usize) {
        self.bucket.give_back(bytes);
    }

    /// When [`pop`](Self::pop) will next give something, not before `now`; `None` if nothing waits
    /// or the rate is zero.
    pub fn next_deadline(&self, now: MonoTime) -> Option<MonoTime> {
        let (&(release_at, _), head) = self.queue.first_key_value()?;
        let ready_at = self.bucket.ready_at(now, head.bytes);
        (ready_at < TokenBucket::NEVER).then(|| ready_at.max(release_at))
    }

    /// Changes the rate; what the bucket has saved up stays.
    pub fn set_rate(&mut self, now: MonoTime, rate: Bitrate) {
        self.bucket.set_rate(now, rate);
    }

    /// The rate of the bucket.
    pub const fn rate(&self) -> Bitrate {
        self.bucket.rate()
    }

    /// Items that wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes that wait.
    pub const fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Drops all that waits: after a seek, or at the end.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
    }
}

#[cfg(test)]
mod tests;
