//! Similarities of rows of brain floats.

use super::{numbers, some};
use crate::{Cpu, round_to_brain, similarities, similarity_of_rows};
use proptest::prelude::*;

fn widened(row: &[u16]) -> Vec<f64> {
    let widen = |&half: &u16| f64::from(f32::from_bits(u32::from(half) << 16));
    row.iter().map(widen).collect()
}

/// The product of two rows, and the sum of the sizes of its parts.
fn product(a: &[f64], b: &[f64]) -> (f64, f64) {
    let parts = a.iter().zip(b).map(|(a, b)| a * b);
    (parts.clone().sum(), parts.map(f64::abs).sum())
}

proptest! {
    #[test]
    fn similarities_are_sums_of_products(
        (dimensions, count) in (1usize..150, 0usize..6),
        seed in any::<u8>(),
    ) {
        let query = some(dimensions, seed);
        let exact: Vec<f64> = query.iter().map(|&x| f64::from(x)).collect();
        let floats = some(dimensions * count, seed.wrapping_add(1));
        for cpu in Cpu::tested() {
            let mut rows = vec![0; floats.len()];
            round_to_brain(cpu, &floats, &mut rows);
            let rows: Vec<&[u16]> = rows.chunks_exact(dimensions).collect();
            let mut found = vec![f32::NAN; count];
            similarities(cpu, &query, &rows, &mut found);
            for (row, &found) in rows.iter().zip(&found) {
                let (expected, size) = product(&exact, &widened(row));
                let off = (f64::from(found) - expected).abs();
                prop_assert!(off <= 1e-6 * (1.0 + size), "{cpu}: off by {off}");

                let mut alone = [f32::NAN];
                similarities(cpu, &query, &[row], &mut alone);
                prop_assert_eq!(alone[0].to_bits(), found.to_bits(), "{} alone", cpu);

                let (expected, size) = product(&widened(rows[0]), &widened(row));
                let off = (f64::from(similarity_of_rows(cpu, rows[0], row)) - expected).abs();
                prop_assert!(off <= 1e-6 * (1.0 + size), "{cpu}: off by {off} of rows");
            }
        }
    }

    #[test]
    fn rounding_is_to_the_nearest(row in (0usize..70).prop_flat_map(numbers)) {
        for cpu in Cpu::tested() {
            let mut found = vec![0; row.len()];
            round_to_brain(cpu, &row, &mut found);
            for (&number, rounded) in row.iter().zip(widened(&found)) {
                // Eight bits: a step is 2^-7 of a number at most, and half of it is lost.
                let off = (rounded - f64::from(number)).abs();
                prop_assert!(off <= f64::from(number).abs() / 256.0, "{cpu}: {number}, {rounded}");
            }
        }
    }
}
