//! The standing links: a packet into the link, and what comes out.

use std::time::Duration;

use bytes::Bytes;
use cantus_bench::link::{Ecn, Link, LinkSpec, Packet, STANDING_LINKS};
use cantus_qos::time::MonoTime;

use crate::stage::{Stage, Step};

/// Media and repair of a listener at 200 ms.
const RATE: f64 = 50.0 * (1.0 + 5.0 / 7.0);

pub(crate) fn stages() -> Vec<Stage> {
    STANDING_LINKS.iter().map(|&(name, _)| Stage::new(name, RATE, through)).collect()
}

/// One packet every 12 ms.
fn through(name: &'static str) -> Step {
    let spec = LinkSpec::named(name).expect("a standing link");
    let mut link = Link::new(&spec, 1).expect("a standing link");
    let data = Bytes::from_static(&[0; 252]);
    let mut now = MonoTime::ZERO;
    Box::new(move || {
        now += Duration::from_millis(12);
        let (data, ecn) = (data.clone(), Ecn::NotCapable);
        link.push(
            now,
            Packet { data, size: 280, entered: now, tag: 0, ecn, queued: Duration::ZERO },
        );
        while let Some(packet) = link.pop(now) {
            divan::black_box(packet);
        }
        while link.pop_dropped().is_some() {}
    })
}
