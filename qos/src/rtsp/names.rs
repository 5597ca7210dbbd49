//! Header names that can be told apart.

use std::collections::BTreeSet;

/// The headers that RTSP 1.0 and ourselves look up by name.
const KNOWN: [&str; 32] = [
    "accept",
    "allow",
    "authorization",
    "bandwidth",
    "blocksize",
    "cantus-clock",
    "cantus-fec",
    "cantus-qos",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-type",
    "cseq",
    "date",
    "location",
    "pipelined-requests",
    "public",
    "range",
    "require",
    "rtp-info",
    "scale",
    "server",
    "session",
    "speed",
    "supported",
    "transport",
    "unsupported",
    "user-agent",
    "www-authenticate",
];

/// The names of one message, none of them the beginning of another.
///
/// The ordering of names in rtsp-types 0.1.3 compares only as many bytes as the shorter one has:
/// `Accept-Language` is taken for `Accept`, and their values are merged. So of two such headers
/// only one may reach it: the one that is [known](KNOWN), or else the first.
#[derive(Debug)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The known names: they have their places, whether the message has them or not.
    pub(super) fn new() -> Self {
        Self(KNOWN.into_iter().map(str::to_owned).collect())
    }

    /// Whether a header of this name may stay.
    pub(super) fn admit(&mut self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        // While no name begins another, only the neighbours in the order can be such a pair.
        let before = self.0.range::<String, _>(..&name).next_back();
        let extends = before.is_some_and(|before| name.starts_with(before.as_str()));
        let after = self.0.range::<String, _>(&name..).next();
        let begins = after.is_some_and(|after| *after != name && after.starts_with(&name));
        if extends || begins {
            return false;
        }
        self.0.insert(name);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_known_name_begins_another() {
        let begins =
            |name: &str| KNOWN.iter().any(|other| *other != name && other.starts_with(name));
        assert!(!KNOWN.into_iter().any(begins));
    }

    #[test]
    fn known_names_come_first_and_then_the_first_that_comes() {
        let mut names = Names::new();
        for (name, admitted) in [
            ("Accept", true),
            ("Accept-Language", false),
            ("C", false),
            ("", false),
            ("X-Sub", true),
            ("x-sub", true),
            ("X-Subject", false),
            ("X", false),
            ("X-T", true),
        ] {
            assert_eq!(names.admit(name), admitted, "{name}");
        }
    }
}
