use proptest::prelude::*;
use reed_solomon_erasure::{Field, ReedSolomon, galois_8};

use super::*;

fn rows(layout: Layout, source_length: u8, repair: u8) -> Vec<Vec<u8>> {
    let mut code = Code::new(layout, source_length);
    (source_length..source_length + repair).map(|symbol| code.row(symbol).to_vec()).collect()
}

#[test]
fn rs8m_has_rocs_repair_rows() {
    assert_eq!(rows(Layout::Rs8m, 2, 2), [[3, 2], [5, 4]]);
    assert_eq!(rows(Layout::Rs8m, 3, 2), [[15, 8, 6], [45, 48, 28]]);
    let long = [231, 146, 75, 8, 40, 99, 206, 156, 213, 9, 249, 46, 233, 70, 211, 162, 21, 238];
    assert_eq!(rows(Layout::Rs8m, 18, 1), [long]);
}

#[test]
fn adu_has_the_repair_rows_of_rfc_5510() {
    assert_eq!(rows(Layout::Adu, 2, 2), [[2, 3], [6, 7]]);
}

#[test]
fn a_block_of_one_is_repeated() {
    for layout in [Layout::Adu, Layout::Rs8m] {
        assert!(rows(layout, 1, 254).iter().all(|row| row == &[1]), "{layout:?}");
    }
}

#[test]
fn the_cache_is_bounded_and_keeps_the_code_in_use() {
    let mut codes = Codes::new(Layout::Adu);
    for source_length in 1..=100 {
        assert_eq!(codes.of(20).source_length(), 20);
        assert_eq!(codes.of(source_length).source_length(), usize::from(source_length));
        assert!(codes.recent.len() <= Codes::CAPACITY);
    }
    assert!(codes.recent.iter().any(|code| code.source_length() == 20));
}

/// The same codes by matrix inversion: the library's codec over a field whose points are ours.
macro_rules! codec_with_points {
    ($name:ident, $layout:expr) => {
        #[derive(Debug)]
        struct $name;

        impl Field for $name {
            const ORDER: usize = 256;
            type Elem = u8;

            fn add(a: u8, b: u8) -> u8 {
                galois_8::Field::add(a, b)
            }
            fn mul(a: u8, b: u8) -> u8 {
                galois_8::Field::mul(a, b)
            }
            fn div(a: u8, b: u8) -> u8 {
                galois_8::Field::div(a, b)
            }
            fn exp(a: u8, n: usize) -> u8 {
                galois_8::Field::exp(a, n)
            }
            fn zero() -> u8 {
                0
            }
            fn one() -> u8 {
                1
            }
            fn nth_internal(n: usize) -> u8 {
                $layout.point(n as u8)
            }
        }
    };
}

codec_with_points!(AduPoints, Layout::Adu);
codec_with_points!(Rs8mPoints, Layout::Rs8m);

/// The repair rows of a codec: what it makes of the unit vectors.
fn rows_by_inversion<F: Field<Elem = u8>>(source_length: u8, repair: u8) -> Vec<Vec<u8>> {
    let (k, r) = (usize::from(source_length), usize::from(repair));
    let unit = |index| (0..k).map(|column| u8::from(column == index)).collect::<Vec<u8>>();
    let source: Vec<Vec<u8>> = (0..k).map(unit).collect();
    let mut repair = vec![vec![0; k]; r];
    ReedSolomon::<F>::new(k, r).unwrap().encode_sep(&source, &mut repair).unwrap();
    repair
}

#[test]
fn the_longest_blocks_have_the_rows_of_matrix_inversion() {
    for (source_length, repair) in [(1, 254), (128, 127), (254, 1)] {
        assert_eq!(
            rows(Layout::Adu, source_length, repair),
            rows_by_inversion::<AduPoints>(source_length, repair)
        );
        assert_eq!(
            rows(Layout::Rs8m, source_length, repair),
            rows_by_inversion::<Rs8mPoints>(source_length, repair)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_block_has_the_rows_of_matrix_inversion(
        source_length in 1u8..60,
        repair in 1u8..40,
    ) {
        prop_assert_eq!(
            rows(Layout::Adu, source_length, repair),
            rows_by_inversion::<AduPoints>(source_length, repair)
        );
        prop_assert_eq!(
            rows(Layout::Rs8m, source_length, repair),
            rows_by_inversion::<Rs8mPoints>(source_length, repair)
        );
    }
}
