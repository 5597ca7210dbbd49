use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn bps(text: &str) -> Result<u64, QuantityError> {
    text.parse::<Bitrate>().map(Bitrate::as_bps)
}

#[test]
fn bit_rates_are_read_in_every_usual_spelling() {
    for text in ["160k", "160K", "160kbit", "160kbit/s", "160 kbit/s", "160kbps", "160000", "0.16M"]
    {
        assert_eq!(bps(text), Ok(160_000), "{text}");
    }
    assert_eq!(bps("1.5Mbit"), Ok(1_500_000));
    assert_eq!(bps("2M"), Ok(2_000_000));
    assert_eq!(bps("1G"), Ok(1_000_000_000));
}

#[test]
fn what_is_no_bit_rate_is_refused() {
    for text in ["", "k", "-1k", "1e5", "160kB", "160k/s", "1.", "1..5", "1.2.3", "١k", "1µ"] {
        assert!(matches!(bps(text), Err(QuantityError::Malformed { .. })), "{text}");
    }
    assert_eq!(bps("18446744073709551615"), Ok(u64::MAX));
    assert!(matches!(bps("18446744073709551616"), Err(QuantityError::TooLarge { .. })));
    assert!(matches!(bps("99999999999999999999999G"), Err(QuantityError::TooLarge { .. })));
}

#[test]
fn bit_rates_are_shown_in_the_unit_that_reads_best() {
    let shown = |bps| Bitrate::from_bps(bps).to_string();
    assert_eq!(shown(0), "0 bit/s");
    assert_eq!(shown(999), "999 bit/s");
    assert_eq!(shown(1_000), "1 kbit/s");
    assert_eq!(shown(96_000), "96 kbit/s");
    assert_eq!(shown(96_500), "96.5 kbit/s");
    assert_eq!(shown(1_500_000), "1.5 Mbit/s");
    assert_eq!(shown(1_501_001), "1501.001 kbit/s");
}

#[test]
fn a_rate_knows_bytes_and_time() {
    let rate = Bitrate::from_kbps(96);
    assert_eq!(rate.bytes_in(Duration::from_millis(20)), 240);
    assert_eq!(rate.time_for(240), Duration::from_millis(20));
    assert_eq!(Bitrate::ZERO.time_for(1), Duration::MAX);
    assert_eq!(Bitrate::ZERO.bytes_in(Duration::MAX), 0);
    assert_eq!(Bitrate::from_bps(u64::MAX).bytes_in(Duration::MAX), u64::MAX);
    assert_eq!(Bitrate::over(240, Duration::from_millis(20)), rate);
    assert_eq!(Bitrate::over(1, Duration::ZERO), Bitrate::from_bps(u64::MAX));
    assert_eq!([rate, rate].into_iter().sum::<Bitrate>(), Bitrate::from_kbps(192));
}

#[test]
fn durations_are_read_with_their_units() {
    let read = |text| parse_duration(text).unwrap();
    assert_eq!(read("200ms"), Duration::from_millis(200));
    assert_eq!(read(" 2s "), Duration::from_secs(2));
    assert_eq!(read("1.5s"), Duration::from_millis(1_500));
    assert_eq!(read("250us"), Duration::from_micros(250));
    assert_eq!(read("250µs"), Duration::from_micros(250));
    assert_eq!(read("1m30s"), Duration::from_secs(90));
    assert_eq!(read("1h 2m 3.5s"), Duration::from_millis(3_723_500));
}

#[test]
fn durations_without_unit_or_in_rising_order_are_refused() {
    assert!(matches!(parse_duration("200"), Err(QuantityError::NoUnit { .. })));
    assert!(matches!(parse_duration("1m30"), Err(QuantityError::NoUnit { .. })));
    for text in ["", "ms", "-1s", "30s1m", "1s1s", "1us1µs", "1 day", "s1", "1s,", "∞s"] {
        assert!(matches!(parse_duration(text), Err(QuantityError::Malformed { .. })), "{text}");
    }
    assert!(matches!(parse_duration("9999999999h"), Err(QuantityError::TooLarge { .. })));
}

#[test]
fn a_bare_latency_is_milliseconds() {
    assert_eq!(parse_latency_millis("200"), Ok(Duration::from_millis(200)));
    assert_eq!(parse_latency_millis("0.5"), Ok(Duration::from_micros(500)));
    assert_eq!(parse_latency_millis("2s"), Ok(Duration::from_secs(2)));
    assert!(matches!(parse_latency_millis("auto"), Err(QuantityError::Malformed { .. })));
}

#[test]
fn sizes_tell_thousands_from_1024s() {
    assert_eq!(parse_size("1200"), Ok(1_200));
    assert_eq!(parse_size("64k"), Ok(64_000));
    assert_eq!(parse_size("20MB"), Ok(20_000_000));
    assert_eq!(parse_size("16KiB"), Ok(16_384));
    assert_eq!(parse_size("1.5 GiB"), Ok(3 << 29));
    assert!(matches!(parse_size("64kb"), Err(QuantityError::Malformed { .. })));
}

#[test]
fn a_share_ends_at_the_whole() {
    assert_eq!(parse_share("1%"), Ok(0.01));
    assert_eq!(parse_share("0.01"), Ok(0.01));
    assert_eq!(parse_share("100%"), Ok(1.0));
    assert!(matches!(parse_share("100.1%"), Err(QuantityError::TooLarge { .. })));
    assert!(matches!(parse_share("1.001"), Err(QuantityError::TooLarge { .. })));
    for text in ["", "%", "-1%", "nan", "inf", "1e-2", "1%%"] {
        assert!(matches!(parse_share(text), Err(QuantityError::Malformed { .. })), "{text}");
    }
}

#[test]
fn an_error_is_one_short_line_however_long_the_text() {
    let error = parse_duration(&"x\n".repeat(10_000)).unwrap_err().to_string();
    assert!(error.len() < 120 && !error.contains('\n'), "{error}");
    assert_eq!(
        parse_duration("200").unwrap_err().to_string(),
        "`200` has no unit (write the duration like 200ms or 1.5s)"
    );
}

proptest! {
    #[test]
    fn no_text_panics_a_parser(text in "\\PC{0,40}|[0-9.]{0,40}[a-zA-Zµ%/ ]{0,6}") {
        let _ = text.parse::<Bitrate>();
        let _ = parse_duration(&text);
        let _ = parse_latency_millis(&text);
        let _ = parse_size(&text);
        let _ = parse_share(&text);
    }

    #[test]
    fn a_bit_rate_shown_reads_back_the_same(bps in any::<u64>()) {
        let rate = Bitrate::from_bps(bps);
        prop_assert_eq!(rate.to_string().parse(), Ok(rate));
    }

    #[test]
    fn a_duration_written_reads_back_the_same(nanos in any::<u64>(), zeros in 0u32..10) {
        let span = Duration::from_nanos(nanos / 10u64.pow(zeros) * 10u64.pow(zeros));
        prop_assert_eq!(parse_duration(&duration_text(span)), Ok(span));
    }

    #[test]
    fn a_share_written_reads_back_the_same(share in prop_oneof![
        (0u32..=10_000).prop_map(|n| f64::from(n) / 10_000.0),
        (0u32..=1_000_000).prop_map(|n| f64::from(n) / 1_000_000.0),
    ]) {
        prop_assert_eq!(parse_share(&share_text(share)), Ok(share));
    }

    #[test]
    fn the_time_for_some_bytes_lets_just_these_pass(
        bps in 1_000u64..10_000_000_000, bytes in 1usize..1_000_000,
    ) {
        let rate = Bitrate::from_bps(bps);
        let span = rate.time_for(bytes);
        prop_assert!(rate.bytes_in(span) >= bytes as u64);
        prop_assert!(rate.bytes_in(span - Duration::from_nanos(1)) < bytes as u64);
    }
}
