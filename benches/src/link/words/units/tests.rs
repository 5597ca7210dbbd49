use super::*;

fn nanos(text: &str) -> Result<u64, Flaw> {
    time(text, Bare::Microseconds).map(|span| span.as_nanos() as u64)
}

#[test]
fn a_time_has_the_units_of_tc_in_any_case_and_a_bare_one_is_in_microseconds() {
    for text in ["40ms", "40msec", "40MSECS", "0.04s", "0.04sec", "4e-2secs", "40000us", "40000"] {
        assert_eq!(nanos(text), Ok(40_000_000), "{text}");
    }
    assert_eq!(nanos("17ns"), Ok(17));
    assert_eq!(nanos("17nsecs"), Ok(17));
    assert_eq!(time("800", Bare::Nanoseconds), Ok(Duration::from_nanos(800)));
}

#[test]
fn a_time_that_is_none_is_refused() {
    for text in ["", "ms", "1h", "1m", "1ecs", "1s2", "one", "1..5s", "NaN", "inf", "ms1"] {
        assert_eq!(nanos(text), Err(Flaw::Malformed), "{text}");
    }
    assert_eq!(nanos("-5ms"), Err(Flaw::Negative));
    assert_eq!(nanos("1e30s"), Err(Flaw::TooMuch));
}

#[test]
fn a_percentage_stands_with_its_sign_or_without() {
    for text in ["25%", "25", "2.5e1%", "25.000%"] {
        assert_eq!(share(text).map(Share::steps), Ok(1 << 30), "{text}");
    }
    assert_eq!(share("0%"), Ok(Share::NONE));
    assert_eq!(share("100%"), Ok(Share::WHOLE));
    assert_eq!(share("100.001%"), Err(Flaw::TooMuch));
    assert_eq!(share("-1%"), Err(Flaw::Negative));
    assert_eq!(share("1%%"), Err(Flaw::Malformed));
}

#[test]
fn a_rate_is_in_bits_and_in_bytes_where_it_ends_in_bps() {
    for (text, bits) in [
        ("160kbit", 160_000),
        ("160KBit", 160_000),
        ("160000", 160_000),
        ("20kbps", 160_000),
        ("20KBps", 160_000),
        ("1.5mbit", 1_500_000),
        ("1Mibit", 1 << 20),
        ("1kibps", 8 << 10),
        ("2gbit", 2_000_000_000),
        ("1tbit", 1_000_000_000_000),
        ("5bit", 5),
        ("3bps", 24),
    ] {
        assert_eq!(rate(text).map(Bitrate::as_bps), Ok(bits), "{text}");
    }
    for text in ["160k", "1ibit", "1kb", "50%", "kbit", "1kbit/s"] {
        assert_eq!(rate(text), Err(Flaw::Malformed), "{text}");
    }
}

#[test]
fn a_size_counts_in_powers_of_1024() {
    for (text, bytes) in [("1000", 1000), ("2k", 2048), ("2KB", 2048), ("1mbit", 131_072)] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    assert_eq!(size("4g"), Err(Flaw::TooMuch));
    assert_eq!(size("1q"), Err(Flaw::Malformed));
}

#[test]
fn an_integer_is_read_as_c_reads_it() {
    for (text, value) in [("0", 0), ("14", 14), ("-14", -14), ("0x10", 16), ("010", 8)] {
        assert_eq!(integer(text), Ok(value), "{text}");
    }
    for text in ["", "-", "08", "0x", "1.5", "--1", "+1", "9999999999999999999"] {
        assert_eq!(integer(text), Err(Flaw::Malformed), "{text}");
    }
}
