//! Delivery in slots.

use std::time::Duration;

use cantus_qos::time::{MonoTime, TimeDelta};
use rand_chacha::ChaCha8Rng;

use super::distribution::{Spread, Table};
use super::random::{Role, stream, uniform};
use super::{Pause, Slot};

/// When packets may leave: the slots of `netem_dequeue` and `get_slot_next` of `sch_netem.c`.
///
/// A slot that has begun goes on until it has delivered its packets or bytes, or until a packet is
/// due after it began. Then the next one begins a pause later, counted from now.
#[derive(Debug)]
pub(super) struct Slots {
    pause: Draw,
    rng: ChaCha8Rng,
    packets: i64,
    bytes: i64,
    /// When the slot begins; before the first packet there is none.
    begins: Option<MonoTime>,
    packets_left: i64,
    bytes_left: i64,
}

/// How a pause is drawn.
#[derive(Debug)]
enum Draw {
    Between { least: u64, span: u64 },
    Spread(Spread),
}

impl Slots {
    /// `table`: that of the distribution of `slot`, if it has one.
    pub(super) fn new(slot: &Slot, table: Option<Table>, seed: u64) -> Self {
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let pause = match slot.pause {
            Pause::Between(least, most) => {
                Draw::Between { least: nanos(least), span: nanos(most.saturating_sub(least)) }
            }
            Pause::Drawn { delay, deviation, .. } => {
                Draw::Spread(Spread::new(delay, deviation, table))
            }
        };
        let endless = |limit: Option<u32>| limit.map_or(i64::MAX, i64::from);
        Self {
            pause,
            rng: stream(seed, Role::Slot),
            packets: endless(slot.packets),
            bytes: endless(slot.bytes),
            begins: None,
            packets_left: 0,
            bytes_left: 0,
        }
    }

    /// Looks at the packet that is next in line, due at `due`: if the slot began before that, it is
    /// over, and the next one is drawn.
    pub(super) fn look(&mut self, now: MonoTime, due: MonoTime) {
        if self.begins.is_none_or(|begins| begins < due) {
            self.turn(now);
        }
    }

    /// When the packet that was looked at may leave, if it is due by then.
    pub(super) fn begins(&self) -> MonoTime {
        self.begins.unwrap_or_default()
    }

    /// A packet of `size` bytes has left.
    pub(super) fn spend(&mut self, now: MonoTime, size: usize) {
        self.packets_left -= 1;
        self.bytes_left -= size as i64;
        if self.packets_left <= 0 || self.bytes_left <= 0 {
            self.turn(now);
        }
    }

    fn turn(&mut self, now: MonoTime) {
        let number = uniform(&mut self.rng);
        let pause = match &self.pause {
            &Draw::Between { least, span } => {
                let more = (u128::from(number) * u128::from(span)) >> 32;
                TimeDelta::from(Duration::from_nanos(least + more as u64))
            }
            Draw::Spread(spread) => spread.at(number),
        };
        self.begins = Some(now + pause);
        self.packets_left = self.packets;
        self.bytes_left = self.bytes;
    }
}
