use super::*;

/// Of a table as it comes with iproute2 6.1: the values at some places, and their sum, each
/// multiplied by a power of 31, in 64 bits.
fn assert_table(distribution: Distribution, places: [(usize, i16); 7], fingerprint: u64) {
    let Table(values) = distribution.table().unwrap().unwrap();
    assert_eq!(values.len(), 4096);
    for (place, value) in places {
        assert_eq!(values[place], value, "{distribution:?} at {place}");
    }
    let sum = values
        .iter()
        .fold(0u64, |sum, &value| sum.wrapping_mul(31).wrapping_add_signed(i64::from(value)));
    assert_eq!(sum, fingerprint, "{distribution:?}");
}

#[test]
fn the_computed_tables_are_those_that_come_with_tc_to_the_last_value() {
    assert_table(
        Distribution::Normal,
        [
            (0, -32768),
            (1, -28307),
            (409, -10504),
            (2048, 0),
            (3072, 5526),
            (4054, 18989),
            (4095, 28858),
        ],
        0x11f9_6edb_25f8_3a1b,
    );
    assert_table(
        Distribution::Pareto,
        [
            (0, -5461),
            (1, -5460),
            (409, -5072),
            (2048, -2622),
            (3072, 955),
            (4054, 32767),
            (4095, 32767),
        ],
        0x9ba1_7a13_c269_b604,
    );
    assert_table(
        Distribution::ParetoNormal,
        [
            (0, -12305),
            (1, -11171),
            (409, -6430),
            (2048, -1966),
            (3072, 2097),
            (4054, 29322),
            (4095, 31789),
        ],
        0xec88_3815_aded_7ca0,
    );
}

#[test]
fn a_word_is_a_built_in_shape_a_path_or_the_name_of_an_installed_table() {
    for (word, meant) in [
        ("normal", Distribution::Normal),
        ("paretonormal", Distribution::ParetoNormal),
        ("experimental", Distribution::Installed("experimental".into())),
        ("./experimental", Distribution::File("./experimental".into())),
        ("my.dist", Distribution::File("my.dist".into())),
    ] {
        assert_eq!(Distribution::named(word), meant);
        assert_eq!(meant.to_string(), word);
    }
}

#[test]
fn a_table_that_is_not_there_is_named_with_the_places_looked_at() {
    let missing = Distribution::Installed("no-such-shape".into());
    let error = missing.table().unwrap_err().to_string();
    assert!(error.contains("`no-such-shape.dist`") && error.contains("/tc"), "{error}");
    let misspelt = Distribution::Installed("noraml".into());
    let error = misspelt.table().unwrap_err().to_string();
    assert!(error.ends_with(" (did you mean `normal`?)"), "{error}");
    let missing = Distribution::File("no/such/table.dist".into());
    let error = missing.table().unwrap_err().to_string();
    assert!(error.contains("distribution table no/such/table.dist"), "{error}");
}

#[test]
fn a_table_is_read_past_its_comments_and_a_bad_value_is_named_with_its_line() {
    let table = Table::parse("# shape\n -1 0\n1\t32767\n-32768\n").unwrap();
    assert_eq!(*table.0, [-1, 0, 1, 32767, -32768]);
    for (text, line) in [("1\n2 x\n", 2), ("40000\n", 1), ("# x\n1.5\n", 2)] {
        let error = Table::parse(text).unwrap_err();
        assert!(matches!(error, LinkError::BadLine { line: found, .. } if found == line), "{text}");
    }
    assert_eq!(Table::parse("# nothing\n"), Err(LinkError::Empty { what: WHAT }));
    let long = "1 ".repeat(LONGEST + 1);
    assert_eq!(Table::parse(&long), Err(LinkError::TooLong { what: WHAT, most: LONGEST }));
}

fn spread(mean: u64, deviation: u64, table: Option<&str>) -> Spread {
    let table = table.map(|text| Table::parse(text).unwrap());
    Spread::new(Duration::from_nanos(mean), Duration::from_nanos(deviation), table)
}

#[test]
fn a_value_is_the_mean_and_a_table_entry_in_8192ths_of_the_deviation_rounded() {
    let spread = spread(1_000_000, 100_000, Some("8192 -8192 1 -1 4096 16384"));
    let values: Vec<_> = (0..6).map(|number| spread.at(number).as_nanos()).collect();
    // 100,000 / 8192 is 12.2.
    let expected = [1_100_000, 900_000, 1_000_012, 999_988, 1_050_000, 1_200_000];
    assert_eq!(values, expected);
    assert_eq!(spread.at(6), spread.at(0));
}

#[test]
fn without_a_table_a_value_is_the_remainder_of_the_number() {
    let spread = spread(50, 10, None);
    let values: Vec<_> = (18..23).map(|number| spread.at(number).as_nanos()).collect();
    assert_eq!(values, [58, 59, 40, 41, 42]);
}

#[test]
fn a_deviation_is_cut_off_at_31_bits_of_nanoseconds() {
    let wide = spread(0, 10_000_000_000, None);
    assert_eq!(wide.at(0).as_nanos(), -i64::from(i32::MAX));
    assert_eq!(spread(7, 0, None).at(99).as_nanos(), 7);
    assert!(!spread(7, 0, None).varies());
}
