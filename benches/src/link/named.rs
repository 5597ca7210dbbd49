//! The standing links of the bench.

use super::LinkSpec;

/// Names of the standing links, each with the words it stands for.
///
/// The twins `bursty-t` and `bad-t` step their loss chain with time rather than with each packet:
/// real bursts last their time, and do not get shorter because more packets are sent.
pub const STANDING_LINKS: [(&str, &str); 11] = [
    ("clean", ""),
    ("wifi", "delay 20ms 10ms distribution normal keep-order loss 1%"),
    ("bursty", "delay 40ms 15ms distribution normal keep-order loss gemodel 1% 25%"),
    ("bad", "delay 60ms 30ms distribution normal keep-order loss gemodel 3% 20%"),
    ("heavy", "delay 40ms 10ms distribution normal keep-order loss 20%"),
    ("storm", "delay 80ms 40ms distribution pareto loss 2%"),
    ("thin", "delay 30ms rate 160kbit queue 50"),
    ("bursty-t", "delay 40ms 15ms distribution normal keep-order loss gemodel 1% 25% step 20ms"),
    ("bad-t", "delay 60ms 30ms distribution normal keep-order loss gemodel 3% 20% step 20ms"),
    ("umts", "delay 30ms trace umts queue 100"),
    ("lte", "delay 30ms trace lte queue 100"),
];

/// The standing link called `name`.
pub(super) fn find(name: &str) -> Option<LinkSpec> {
    let (_, words) = STANDING_LINKS.iter().find(|(known, _)| *known == name)?;
    Some(words.parse().expect("the words of the standing links are right: a test reads them all"))
}

/// All names, for a message.
pub(super) fn names() -> String {
    STANDING_LINKS.map(|(name, _)| name).join(", ")
}
