//! Kernels over rows.

use super::{assert_close, numbers, some};
use crate::{Cpu, LayerNorm, add, dot, gelu_all, max_rows, normalise, scale, softmax, sum_rows};
use proptest::prelude::*;

/// The error function by its series (small arguments) or its continued fraction (large ones).
fn erf(z: f64) -> f64 {
    if z < 0.0 {
        return -erf(-z);
    }
    if z < 3.0 {
        let (mut term, mut sum) = (z, z);
        for n in 1..80 {
            term *= -z * z / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let mut fraction = 0.0;
    for n in (1..60).rev() {
        fraction = f64::from(n) / 2.0 / (z + fraction);
    }
    1.0 - (-z * z).exp() / (std::f64::consts::PI.sqrt() * (z + fraction))
}

#[test]
fn gelu_is_the_exact_one() {
    let numbers: Vec<f32> = (-3000..3001).map(|at| at as f32 / 250.0).collect();
    let exact = |&x: &f32| {
        let x = f64::from(x);
        x / 2.0 * (1.0 + erf(x / 2.0_f64.sqrt()))
    };
    let expected: Vec<f64> = numbers.iter().map(exact).collect();
    for cpu in Cpu::tested() {
        let mut found = numbers.clone();
        gelu_all(cpu, &mut found);
        // The fit is good to 6e-7 of x; the rest is rounding.
        assert_close(&found, &expected, 3e-6, cpu.name());
    }
}

proptest! {
    #[test]
    fn layer_norm_has_mean_and_deviation(
        (hidden, rows) in (1usize..80, 1usize..4),
        epsilon in prop::sample::select(vec![1e-12_f32, 1e-5]),
        seed in any::<u8>(),
    ) {
        let row = some(hidden * rows, seed);
        let more = some(hidden * rows, seed.wrapping_add(1));
        let norm = LayerNorm {
            weight: some(hidden, seed.wrapping_add(2)),
            bias: some(hidden, seed.wrapping_add(3)),
            epsilon,
        };
        let mut expected = Vec::new();
        let mut spread = f64::INFINITY;
        for (row, more) in row.chunks_exact(hidden).zip(more.chunks_exact(hidden)) {
            let sums = row.iter().zip(more).map(|(a, b)| f64::from(a + b));
            let sums: Vec<f64> = sums.collect();
            let mean = sums.iter().sum::<f64>() / hidden as f64;
            let squares = sums.iter().map(|x| (x - mean) * (x - mean));
            let deviation = (squares.sum::<f64>() / hidden as f64 + f64::from(epsilon)).sqrt();
            let most = sums.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            spread = spread.min(deviation / most.max(1e-30));
            for (at, x) in sums.iter().enumerate() {
                let (weight, bias) = (f64::from(norm.weight[at]), f64::from(norm.bias[at]));
                expected.push((x - mean) / deviation * weight + bias);
            }
        }
        // A row of nearly one value is all rounding.
        prop_assume!(spread > 1e-2);
        for cpu in Cpu::tested() {
            let mut found = row.clone();
            norm.add(cpu, &mut found, &more);
            let weights = norm.weight.iter().fold(1.0_f32, |most, w| most.max(w.abs()));
            assert_close(&found, &expected, 1e-5 * f64::from(weights) / spread, cpu.name());

            let mut sums = row.clone();
            add(cpu, &mut sums, &more);
            let mut beside = vec![f32::NAN; row.len()];
            norm.apply(cpu, &sums, &mut beside);
            prop_assert_eq!(&beside, &found, "{}", cpu);
            let expected: Vec<f32> = row.iter().zip(&more).map(|(a, b)| a + b).collect();
            prop_assert_eq!(sums, expected, "{}", cpu);
        }
    }

    #[test]
    fn softmax_is_a_distribution(row in (0usize..70).prop_flat_map(numbers), by in 0.01_f32..2.0) {
        let most = row.iter().map(|&x| f64::from(x * by)).fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = row.iter().map(|&x| (f64::from(x * by) - most).exp()).collect();
        let total: f64 = shares.iter().sum();
        let expected: Vec<f64> = shares.iter().map(|share| share / total).collect();
        for cpu in Cpu::tested() {
            let mut found = row.clone();
            softmax(cpu, &mut found, by);
            // An exponent of some hundreds has a rounding error of that many units.
            assert_close(&found, &expected, 1e-4, cpu.name());
        }
    }

    #[test]
    fn a_dot_product_is_the_sum_of_products(
        (a, b) in (0usize..200).prop_flat_map(|len| (numbers(len), numbers(len))),
    ) {
        let products = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        let size: f64 = products.clone().map(f64::abs).sum();
        let expected: f64 = products.sum();
        for cpu in Cpu::tested() {
            let off = (f64::from(dot(cpu, &a, &b)) - expected).abs();
            prop_assert!(off <= 1e-6 * (1.0 + size), "{cpu}: off by {off}");
        }
    }

    #[test]
    fn columns_are_summed_and_their_largest_found(
        (hidden, rows) in (1usize..40, 1usize..9),
        seed in any::<u8>(),
    ) {
        let all = some(hidden * rows, seed);
        let column = |at: usize| all.iter().skip(at).step_by(hidden).map(|&x| f64::from(x));
        let sums: Vec<f64> = (0..hidden).map(|at| column(at).sum()).collect();
        let most: Vec<f64> = (0..hidden).map(|at| column(at).fold(f64::MIN, f64::max)).collect();
        for cpu in Cpu::tested() {
            let mut found = vec![f32::NAN; hidden];
            sum_rows(cpu, &all, &mut found);
            assert_close(&found, &sums, 1e-4, cpu.name());
            max_rows(cpu, &all, &mut found);
            assert_close(&found, &most, 0.0, cpu.name());
        }
    }

    #[test]
    fn a_normalised_row_has_length_one(row in (1usize..70).prop_flat_map(numbers)) {
        prop_assume!(row.iter().any(|x| x.abs() > 1e-3));
        for cpu in Cpu::tested() {
            let mut found = row.clone();
            normalise(cpu, &mut found);
            let length: f64 = found.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            prop_assert!((length - 1.0).abs() < 1e-5, "{cpu}: {length}");
            scale(cpu, &mut found, 2.0);
            prop_assert!((f64::from(dot(cpu, &found, &found)) - 4.0).abs() < 1e-4);
        }
    }
}

#[test]
fn a_row_without_a_length_stays() {
    for cpu in Cpu::tested() {
        let mut zeros = [0.0; 19];
        normalise(cpu, &mut zeros);
        assert_eq!(zeros, [0.0; 19]);
        let mut infinite = [f32::INFINITY, 1.0];
        normalise(cpu, &mut infinite);
        assert_eq!(infinite, [f32::INFINITY, 1.0]);
    }
}
