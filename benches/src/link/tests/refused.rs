//! What is no link, and how that is said: one line, the place, and what would be right.

use super::*;

#[track_caller]
fn assert_refused(words: &str, message: &str) {
    let error = match words.parse::<LinkSpec>() {
        Ok(spec) => panic!("`{words}` was read as `{spec}`"),
        Err(error) => error.to_string(),
    };
    assert_eq!(error, message, "{words}");
}

#[test]
fn an_unknown_word_has_its_place_and_the_nearest_known_one() {
    for (words, message) in [
        ("dealy 20ms", "word 1: `dealy` is no word of a link (did you mean `delay`?)"),
        ("burtsy", "word 1: `burtsy` is no word of a link (did you mean `bursty`?)"),
        ("delay 20ms los 1% lsos 2%", "word 5: `lsos` is no word of a link (did you mean `loss`?)"),
        (
            "delay 20ms keeporder",
            "word 3: `keeporder` is no word of a link (did you mean `keep-order`?)",
        ),
        (
            "tc qdisc add dev eth0 root netem delay 1ms ratio 8kbit",
            "word 10: `ratio` is no word of a link (did you mean `rate`?)",
        ),
        ("delay 20ms bandwidth 8kbit", "word 3: `bandwidth` is no word of a link"),
        ("delay 20ms netem", "word 3: `netem` is no word of a link"),
        ("20ms", "word 1: `20ms` is no word of a link"),
        (
            "tc qdisc add dev eth0 root tbf rate 8kbit",
            "word 1: this is a line of `tc`, but `netem` is not in it",
        ),
    ] {
        assert_refused(words, message);
    }
}

#[test]
fn a_missing_value_is_named() {
    for (words, message) in [
        ("delay", "word 1: `delay` must be followed by a time such as 20ms"),
        (
            "loss",
            "word 1: `loss` must be followed by a percentage, or `random`, `state` or `gemodel`",
        ),
        ("loss random", "word 2: `loss` must be followed by a percentage such as 1%"),
        (
            "delay 1ms loss gemodel",
            "word 4: `loss gemodel` must be followed by a percentage such as 1%",
        ),
        ("limit", "word 1: `limit` must be followed by a number of packets"),
        (
            "rate",
            "word 1: `rate` must be followed by a rate such as 160kbit, or 20kbps for as many bytes",
        ),
        ("slot 1ms packets", "word 3: `packets` must be followed by a number of packets"),
        ("slot distribution normal 1ms", "word 4: `slot` must be followed by a time such as 20ms"),
        (
            "delay 1ms 1ms distribution",
            "word 4: `distribution` must be followed by uniform, normal, pareto, paretonormal, or \
             the name or path of a table",
        ),
        ("trace", "word 1: `trace` must be followed by umts, lte or a file"),
        ("replay", "word 1: `replay` must be followed by a file"),
        ("seed", "word 1: `seed` must be followed by a whole number of 64 bits"),
    ] {
        assert_refused(words, message);
    }
}

#[test]
fn a_value_that_is_none_is_named_with_what_it_should_be() {
    for (words, message) in [
        ("delay soon", "word 2: `soon` after `delay` is not a time such as 20ms"),
        ("delay 2h", "word 2: `2h` after `delay` is not a time such as 20ms"),
        ("delay loss 1%", "word 2: `loss` after `delay` is not a time such as 20ms"),
        (
            "loss often",
            "word 2: `often` after `loss` is not a percentage, or `random`, `state` or `gemodel`",
        ),
        ("loss 1ms", "word 2: `1ms` after `loss` is not a percentage such as 1%"),
        (
            "rate 160k",
            "word 2: `160k` after `rate` is not a rate such as 160kbit, or 20kbps for as many bytes",
        ),
        (
            "rate 50%",
            "word 2: `50%` after `rate` is not a rate such as 160kbit, or 20kbps for as many bytes",
        ),
        ("limit many", "word 2: `many` after `limit` is not a number of packets"),
        ("delay 1ms reorder 5% gap 1.5", "word 6: `1.5` after `gap` is not a number of packets"),
        ("rate 8kbit 14x", "word 3: `14x` after `rate` is not an overhead in bytes"),
        ("seed -1", "word 2: `-1` after `seed` is not a whole number of 64 bits"),
    ] {
        assert_refused(words, message);
    }
}

#[test]
fn more_than_the_whole_and_less_than_nothing_are_refused() {
    for (words, message) in [
        ("loss 101%", "word 2: `101%` after `loss` is more than 100%"),
        ("loss 1% 250%", "word 3: `250%` after `loss` is more than 100%"),
        ("loss gemodel 1% 25% 100.1%", "word 5: `100.1%` after `loss gemodel` is more than 100%"),
        ("duplicate 1e9", "word 2: `1e9` after `duplicate` is more than 100%"),
        ("delay -5ms", "word 2: `-5ms` after `delay` is negative"),
        ("delay 5ms -5ms", "word 3: `-5ms` after `delay` is negative"),
        ("loss -1%", "word 2: `-1%` after `loss` is negative"),
        ("rate -8kbit", "word 2: `-8kbit` after `rate` is negative"),
        ("limit -1", "word 2: `-1` after `limit` is negative"),
        ("slot 1ms packets -1", "word 4: `-1` after `packets` is negative"),
        ("loss state 60% 1% 1% 1% 50%", "p13 and p14 together cannot be 110.0%"),
        ("loss state 1% 60% 50%", "p31 and p32 together cannot be 110.0%"),
    ] {
        assert_refused(words, message);
    }
}

#[test]
fn a_word_that_refines_another_needs_it() {
    for (words, message) in [
        (
            "delay 20ms 25%",
            "word 3: the correlation `25%` needs a jitter before it: delay TIME JITTER CORRELATION",
        ),
        ("delay 20ms distribution normal", "word 3: `distribution` needs `delay TIME JITTER`"),
        ("delay 0ms 5ms distribution normal", "word 4: `distribution` needs `delay TIME JITTER`"),
        ("reorder 25%", "word 1: `reorder` needs `delay TIME`"),
        ("gap 5 delay 10ms", "word 1: `gap` needs `reorder PERCENT`"),
        ("delay 1ms ecn", "word 3: `ecn` needs `loss`"),
        ("loss 1% step 20ms", "word 3: `step` needs `loss gemodel`"),
        ("delay 1ms queue 5", "word 3: `queue` needs `rate RATE`"),
        ("packets 5", "word 1: `packets` is no word of a link"),
    ] {
        assert_refused(words, message);
    }
}

#[test]
fn one_thing_too_many_is_refused() {
    for (words, message) in [
        ("loss 1% 2% 3%", "word 4: `3%` is one value more than `loss` takes"),
        ("delay 1ms 2ms 3% 4%", "word 5: `4%` is one value more than `delay` takes"),
        ("loss 1% loss gemodel 2%", "word 3: the loss has been said already"),
    ] {
        assert_refused(words, message);
    }
}

#[test]
fn what_no_link_can_be_is_refused() {
    for (words, message) in [
        ("delay 7200s", "the delay cannot be 7200s"),
        ("delay 1ms 7200s", "the jitter cannot be 7200s"),
        ("limit 0", "the limit cannot be 0"),
        ("rate 8kbit queue 0", "the queue cannot be 0"),
        ("rate 7bit", "the rate cannot be 7 bit/s"),
        ("rate 8kbit 0 48 -48", "the overhead of a cell cannot be -48"),
        ("loss gemodel 1% 25% step 1us", "the step cannot be 1us"),
        ("slot 5ms 1ms", "the longest pause between slots cannot be 1ms"),
        ("slot distribution normal 5ms 0", "the jitter of slots cannot be 0ms"),
    ] {
        assert_refused(words, message);
    }
}

#[test]
fn a_name_that_no_standing_link_has_is_refused_with_those_there_are() {
    let error = LinkSpec::named("wet string").unwrap_err().to_string();
    assert!(error.contains("`wet string`") && error.contains("bursty-t"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named_before_anything_starts() {
    for (words, what) in [
        ("delay 9ms 1ms distribution no/such.dist", "the distribution table no/such.dist"),
        ("slot distribution no/such.dist 1ms 1ms", "the distribution table no/such.dist"),
        ("trace no/such.down", "the delivery trace no/such.down"),
        ("replay no/such.txt", "the replay no/such.txt"),
    ] {
        let error = Link::pair(&spec(words), SEED).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot read {what}: ")), "{error}");
    }
}
