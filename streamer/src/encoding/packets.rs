//! Packets that one thread makes in order and many others read.

use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};

/// Places for a known number of packets, filled from the first to the last. Reading never waits.
#[derive(Debug)]
pub(super) struct Packets {
    places: Box<[OnceLock<Bytes>]>,
    /// Packets after which there are no more: fewer than places if the encoder gave up.
    end: AtomicU64,
    finished: Mutex<bool>,
    changed: Condvar,
}

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Ready(Bytes),
    Pending,
    End,
}

impl Packets {
    /// Places for `count` packets, and the one that fills them.
    pub(super) fn new(count: u64) -> (Arc<Self>, Writer) {
        let packets = Arc::new(Self {
            places: (0..count).map(|_| OnceLock::new()).collect(),
            end: AtomicU64::new(count),
            finished: Mutex::default(),
            changed: Condvar::default(),
        });
        let writer = Writer { packets: Arc::downgrade(&packets), next: 0 };
        (packets, writer)
    }

    pub(super) fn get(&self, index: u64) -> Packet {
        // The end is lowered only after the last packet before it is in its place.
        if index >= self.end.load(Ordering::Acquire) {
            return Packet::End;
        }
        match self.places[index as usize].get() {
            Some(packet) => Packet::Ready(packet.clone()),
            None => Packet::Pending,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        *self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait(&self) {
        let finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        let finished = self.changed.wait_while(finished, |finished| !*finished);
        drop(finished);
    }
}

/// Fills the places in order. Once it is dropped, whatever it has left empty lies past the end.
#[derive(Debug)]
pub(super) struct Writer {
    packets: Weak<Packets>,
    next: u64,
}

/// Nobody holds the packets any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Abandoned;

impl Writer {
    /// Puts `packet` into the next place.
    pub(super) fn push(&mut self, packet: Bytes) -> Result<(), Abandoned> {
        let packets = self.packets.upgrade().ok_or(Abandoned)?;
        if let Some(place) = packets.places.get(self.next as usize) {
            place.get_or_init(|| packet);
            self.next += 1;
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(packets) = self.packets.upgrade() {
            packets.end.store(self.next, Ordering::Release);
            *packets.finished.lock().unwrap_or_else(PoisonError::into_inner) = true;
            packets.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_appear_one_after_the_other() {
        let (packets, mut writer) = Packets::new(2);
        assert_eq!(packets.get(0), Packet::Pending);
        writer.push(Bytes::from_static(b"a")).unwrap();
        assert_eq!(packets.get(0), Packet::Ready(Bytes::from_static(b"a")));
        assert_eq!(packets.get(1), Packet::Pending);
        assert_eq!(packets.get(2), Packet::End);
        assert!(!packets.is_complete());
    }

    #[test]
    fn what_a_writer_leaves_empty_lies_past_the_end() {
        let (packets, mut writer) = Packets::new(3);
        writer.push(Bytes::from_static(b"a")).unwrap();
        drop(writer);
        assert_eq!(packets.get(0), Packet::Ready(Bytes::from_static(b"a")));
        assert_eq!(packets.get(1), Packet::End);
        packets.wait();
        assert!(packets.is_complete());
    }

    #[test]
    fn a_writer_learns_that_nobody_reads() {
        let (packets, mut writer) = Packets::new(3);
        drop(packets);
        assert_eq!(writer.push(Bytes::new()), Err(Abandoned));
    }
}
