//! Ours, in virtual time.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use crate::count::{Arrival, Observation};
use crate::link::{Ecn, Link, LinkError, LinkSpec, Packet};

/// Sends packets of `size` bytes at the instants `sent` through one way of a link of ours; what an
/// observer at its end sees. Instants are counted from the first.
///
/// # Errors
///
/// As [`Link::new`].
pub fn replay(
    spec: &LinkSpec,
    seed: u64,
    sent: &[MonoTime],
    size: usize,
) -> Result<Observation, LinkError> {
    let mut link = Link::new(spec, seed)?;
    let start = sent.first().copied().unwrap_or_default();
    let sent: Vec<_> = sent.iter().map(|at| MonoTime::ZERO + at.since(start)).collect();
    let whole = Bytes::from(vec![0; size]);
    let mut arrivals = Vec::new();
    for (number, &entered) in (0..).zip(&sent) {
        drain(&mut link, Some(entered), &whole, &mut arrivals);
        let (data, ecn) = (whole.clone(), Ecn::NotCapable);
        link.push(
            entered,
            Packet { data, size, entered, tag: number, ecn, queued: Duration::ZERO },
        );
    }
    drain(&mut link, None, &whole, &mut arrivals);
    Ok(Observation::new(sent, arrivals).expect("a link lets out only what went in"))
}

/// Takes what arrives until `until`, whole.
fn drain(link: &mut Link, until: Option<MonoTime>, whole: &Bytes, arrivals: &mut Vec<Arrival>) {
    while let Some(at) = link.next_deadline().filter(|&at| until.is_none_or(|until| at <= until)) {
        while let Some(packet) = link.pop(at) {
            if packet.data == *whole {
                arrivals.push(Arrival { number: packet.tag as u32, at });
            }
        }
    }
}
