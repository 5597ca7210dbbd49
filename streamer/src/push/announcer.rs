//! Tells those who look for sessions about a push to a group (SAP, RFC 2974).

use std::net::SocketAddr;

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::sap::{self, Announcement};
use cantus_qos::time::MonoTime;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::wire::{Destination, Transmit};

/// Announces at the beginning, again every few minutes, and deletes at the end.
///
/// Others who announce to the same group are not counted: more than three hundred would have to be
/// there before the interval grew. Packets go as far as the media, not with a TTL of 255: who cannot
/// hear the one needs not be told by the other.
#[derive(Debug)]
pub(super) struct Announcer {
    to: SocketAddr,
    announcement: Announcement,
    random: ChaCha8Rng,
    /// When it is announced again; `None` once it is deleted.
    next: Option<MonoTime>,
}

impl Announcer {
    pub(super) fn new(to: SocketAddr, announcement: Announcement, random: ChaCha8Rng) -> Self {
        Self { to, announcement, random, next: Some(MonoTime::ZERO) }
    }

    /// What is due at `now`; once the session `is_over`, its deletion.
    pub(super) fn pop(&mut self, now: MonoTime, is_over: bool) -> Option<Transmit> {
        let next = self.next?;
        if is_over {
            self.next = None;
            return Some(self.transmit(self.announcement.deletion()));
        }
        if now < next {
            return None;
        }
        let packet = self.announcement.packet();
        let random = self.random.random::<f64>();
        self.next = Some(now + sap::interval(1, packet.len(), random));
        Some(self.transmit(packet))
    }

    fn transmit(&self, data: Bytes) -> Transmit {
        Transmit {
            destination: Destination::Udp(self.to),
            channel: Channel::Rtcp,
            class: DeliveryClass::Asynchronous,
            data,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        self.next
    }

    /// Whether the session is deleted.
    pub(super) fn is_silent(&self) -> bool {
        self.next.is_none()
    }
}
