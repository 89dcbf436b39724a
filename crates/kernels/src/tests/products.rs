//! Matrix products in every format, and attention.

use super::{assert_close, numbers, some};
use crate::lanes::to_brain;
use crate::{Activation, Cpu, Format, Heads, Left, Linear, Matrix, Room, attention};
use proptest::prelude::*;

const FORMATS: [Format; 4] = [Format::Float, Format::Brain, Format::Half, Format::Byte];

/// `[rows, inputs]` times `[outputs, inputs]` in one format.
#[derive(Clone, Debug)]
struct Case {
    inputs: usize,
    rows: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    magnitudes: Vec<f32>,
    precise_from: usize,
}

fn case() -> impl Strategy<Value = Case> {
    (1usize..20, 1usize..70, 1usize..70, any::<bool>()).prop_flat_map(
        |(rows, outputs, inputs, knows)| {
            let magnitudes = prop::collection::vec(0.01_f32..50.0, inputs * usize::from(knows));
            let all = (
                numbers(rows * inputs),
                numbers(outputs * inputs),
                numbers(outputs),
                magnitudes,
                0..outputs,
            );
            all.prop_map(
                move |(rows, weights, bias, magnitudes, precise_from)| Case {
                    inputs,
                    rows,
                    weights,
                    bias,
                    magnitudes,
                    precise_from,
                },
            )
        },
    )
}

impl Case {
    fn matrix(&self, cpu: Cpu, format: Format) -> Matrix {
        let linear = Linear {
            weights: &self.weights,
            bias: &self.bias,
            magnitudes: &self.magnitudes,
            precise_from: self.precise_from,
        };
        Matrix::pack(cpu, format, linear)
    }

    fn multiply(&self, cpu: Cpu, format: Format) -> Vec<f32> {
        let matrix = self.matrix(cpu, format);
        let mut left = Left::default();
        left.fill(&matrix, &self.rows);
        let rows = self.rows.len() / self.inputs;
        let mut out = vec![f32::NAN; rows * self.bias.len()];
        matrix.multiply(&left, Activation::None, &mut out);
        out
    }

    /// In double precision, with the largest error that the format allows for each number:
    /// the sum over inputs of half a step of one side times the other side, and both.
    fn reference(&self, matrix: &Matrix) -> Vec<(f64, f64)> {
        let mut expected = Vec::new();
        let factor = |input| f64::from(*matrix.factors.get(input).unwrap_or(&1.0));
        for row in self.rows.chunks_exact(self.inputs) {
            let row = row.iter().enumerate();
            let row: Vec<f64> = row.map(|(at, &x)| f64::from(x) * factor(at)).collect();
            let most = row.iter().fold(0.0_f64, |most, x| most.max(*x));
            let least = row.iter().fold(0.0_f64, |least, x| least.min(*x));
            for (output, weights) in self.weights.chunks_exact(self.inputs).enumerate() {
                let scale = f64::from(*matrix.columns.scales.get(output).unwrap_or(&0.0));
                let (mut sum, mut error) = (f64::from(self.bias[output]), 1e-6);
                for (input, &x) in row.iter().enumerate() {
                    let w = f64::from(weights[input]) / factor(input);
                    let (off_x, off_w) = match matrix.format {
                        Format::Float => (1e-6 * x.abs(), 0.0),
                        Format::Brain => (x.abs() / 256.0, w.abs() / 256.0),
                        Format::Half => (most.max(-least) / 2047.0 / 2.0, scale / 2.0),
                        // The zero is rounded as well.
                        Format::Byte => ((most - least) / 127.0, scale / 2.0),
                    };
                    sum += x * w;
                    error += off_x * w.abs() + off_w * x.abs() + off_x * off_w;
                }
                expected.push((sum, error * 1.001));
            }
        }
        expected
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_product_is_within_the_steps_of_its_format(case in case()) {
        for cpu in Cpu::tested() {
            for format in FORMATS {
                let matrix = case.matrix(cpu, format);
                let found = case.multiply(cpu, format);
                for (found, (expected, error)) in found.iter().zip(case.reference(&matrix)) {
                    let off = (f64::from(*found) - expected).abs();
                    prop_assert!(
                        off <= error + 1e-5 * expected.abs(),
                        "{cpu} {format:?}: {found} for {expected}, off by more than {error}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_product_in_any_company(case in case(), row in 0usize..20) {
        let rows = case.rows.len() / case.inputs;
        let row = row % rows;
        let alone = Case {
            rows: case.rows[row * case.inputs..(row + 1) * case.inputs].to_vec(),
            ..case.clone()
        };
        for cpu in Cpu::tested() {
            for format in FORMATS {
                let all = case.multiply(cpu, format);
                let outputs = case.bias.len();
                let of_row = &all[row * outputs..(row + 1) * outputs];
                prop_assert_eq!(of_row, &alone.multiply(cpu, format)[..], "{} {:?}", cpu, format);
            }
        }
    }
}

/// Threads share rows of the left side and columns of the product.
#[test]
fn a_product_is_the_same_however_it_is_cut() {
    let case = Case {
        inputs: 37,
        rows: some(37 * 11, 8),
        weights: some(37 * 115, 9),
        bias: some(115, 10),
        magnitudes: vec![0.5; 37],
        precise_from: 0,
    };
    for cpu in Cpu::tested() {
        for format in FORMATS {
            let expected = case.multiply(cpu, format);
            let matrix = case.matrix(cpu, format);
            for (parts, height) in [(2, 6), (3, 4), (100, 1)] {
                let mut left = Left::default();
                let rows = case.rows.chunks(height * case.inputs);
                for (part, rows) in left.parts(&matrix, 11, height).into_iter().zip(rows) {
                    part.fill(&matrix, rows);
                }
                let mut found = vec![f32::NAN; expected.len()];
                for part in matrix.parts(parts, &mut found) {
                    matrix.multiply_part(&left, Activation::None, part);
                }
                assert_eq!(found, expected, "{cpu} {format:?} in {parts} parts");
            }
        }
    }
}

/// A product that is written as the left side of the next one is the same as one that was
/// written as floats and converted, to the last bit.
#[test]
fn a_product_can_be_the_left_side_of_the_next_at_once() {
    for outputs in [1, 31, 64, 115] {
        let case = Case {
            inputs: 37,
            rows: some(37 * 11, 8),
            weights: some(37 * outputs, 9),
            bias: some(outputs, 10),
            magnitudes: Vec::new(),
            precise_from: 0,
        };
        let after = Case {
            inputs: outputs,
            rows: Vec::new(),
            weights: some(5 * outputs, 11),
            bias: some(5, 12),
            magnitudes: Vec::new(),
            precise_from: 0,
        };
        for (cpu, format) in Cpu::tested().into_iter().flat_map(with_formats) {
            let (matrix, next) = (case.matrix(cpu, format), after.matrix(cpu, format));
            let takes = matches!(format, Format::Float | Format::Brain);
            assert_eq!(next.takes_products(), takes, "{format:?}");
            if !takes {
                continue;
            }
            let mut left = Left::default();
            left.fill(&matrix, &case.rows);
            let mut floats = vec![f32::NAN; 11 * outputs];
            matrix.multiply(&left, Activation::Gelu, &mut floats);
            let mut expected = Left::default();
            expected.fill(&next, &floats);
            for count in [1, 2, 100] {
                let mut found = Left::default();
                // What was there before must not be read.
                found.fill(&next, &vec![f32::NAN; 12 * outputs]);
                for part in matrix.parts_for(&next, count, 11, &mut found) {
                    matrix.multiply_part(&left, Activation::Gelu, part);
                }
                let what = format!("{cpu} {format:?} {outputs} outputs in {count} parts");
                assert_eq!(found.words.words(), expected.words.words(), "{what}");
            }
        }
    }
}

fn with_formats(cpu: Cpu) -> impl Iterator<Item = (Cpu, Format)> {
    FORMATS.into_iter().map(move |format| (cpu, format))
}

/// Denormal numbers and what is not a number, which the processor's own conversion may treat
/// in its own way.
#[test]
fn a_product_is_rounded_to_brain_floats_like_the_plain_ones() {
    let mut special = vec![f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, -0.0, 1.0039063];
    special.extend([f32::NAN, -f32::NAN, 1e-40, -3e-39, f32::NEG_INFINITY]);
    for wanted in [special, some(70, 4)] {
        let outputs = wanted.len();
        let linear = Linear {
            weights: &vec![0.0; outputs],
            bias: &wanted,
            magnitudes: &[],
            precise_from: 0,
        };
        for cpu in Cpu::tested() {
            let matrix = Matrix::pack(cpu, Format::Brain, linear);
            let square = vec![0.0; outputs];
            let next = Linear {
                weights: &square,
                bias: &[0.0],
                ..linear
            };
            let next = Matrix::pack(cpu, Format::Brain, next);
            let mut left = Left::default();
            left.fill(&matrix, &[1.0; 3]);
            let mut found = Left::default();
            for part in matrix.parts_for(&next, 1, 3, &mut found) {
                matrix.multiply_part(&left, Activation::None, part);
            }
            let expected: Vec<u16> = wanted.iter().map(|&value| to_brain(value + 0.0)).collect();
            for row in found.words.halves_mut().chunks_exact(2 * next.depth) {
                assert_eq!(&row[..outputs], expected, "{cpu}");
            }
        }
    }
}

/// Weights and inputs at the ends of their ranges, all of one sign: the largest sums there are.
#[test]
fn the_largest_sums_neither_saturate_nor_wrap() {
    for inputs in [16, 384, 1537, 4096] {
        for (x, w) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-3.0, -0.5)] {
            let case = Case {
                inputs,
                rows: vec![x; 3 * inputs],
                weights: vec![w; 5 * inputs],
                bias: vec![0.0; 5],
                magnitudes: Vec::new(),
                precise_from: 0,
            };
            let expected = f64::from(x * w) * inputs as f64;
            for cpu in Cpu::tested() {
                for format in FORMATS {
                    let what = format!("{cpu} {format:?} {inputs} {x} {w}");
                    // Sixteen equal weights leave few steps to each on a path that saturates.
                    let tolerance = if format == Format::Byte { 0.03 } else { 0.003 };
                    assert_close(
                        &case.multiply(cpu, format),
                        &[expected; 15],
                        tolerance,
                        &what,
                    );
                }
            }
        }
    }
}

#[test]
fn brain_floats_are_rounded_like_the_plain_ones() {
    let values = some(500, 3);
    let mut special = vec![f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, -0.0, 1.0039063];
    special.extend(values);
    let case = Case {
        inputs: special.len(),
        rows: special.clone(),
        weights: vec![1.0; special.len()],
        bias: vec![0.0],
        magnitudes: Vec::new(),
        precise_from: 0,
    };
    for cpu in Cpu::tested() {
        let matrix = case.matrix(cpu, Format::Brain);
        let mut left = Left::default();
        left.fill(&matrix, &special);
        let halves = &left.words.halves_mut()[..special.len()];
        let expected: Vec<u16> = special.iter().map(|&value| to_brain(value)).collect();
        assert_eq!(halves, expected, "{cpu}");
    }
}

#[test]
fn rows_of_zeros_and_weights_of_zeros_give_the_bias() {
    let case = Case {
        inputs: 33,
        rows: vec![0.0; 66],
        weights: vec![0.0; 7 * 33],
        bias: some(7, 1),
        magnitudes: vec![0.0; 33],
        precise_from: 0,
    };
    let expected: Vec<f64> = case.bias.iter().map(|&bias| f64::from(bias)).collect();
    for cpu in Cpu::tested() {
        for format in FORMATS {
            let found = case.multiply(cpu, format);
            assert_close(&found[..7], &expected, 0.0, "bias");
            assert_close(&found[7..], &expected, 0.0, "bias");
        }
    }
}

#[test]
fn gelu_is_fused_into_the_product() {
    let case = Case {
        inputs: 40,
        rows: some(40 * 9, 5),
        weights: some(40 * 35, 6),
        bias: some(35, 7),
        magnitudes: Vec::new(),
        precise_from: 0,
    };
    for cpu in Cpu::tested() {
        for format in FORMATS {
            let products = case.multiply(cpu, format);
            let mut expected = products.clone();
            crate::gelu_all(cpu, &mut expected);
            let matrix = case.matrix(cpu, format);
            let mut left = Left::default();
            left.fill(&matrix, &case.rows);
            let mut found = vec![f32::NAN; expected.len()];
            matrix.multiply(&left, Activation::Gelu, &mut found);
            if format == Format::Float {
                assert_eq!(found, expected, "{cpu}");
            }
            // Half the error of the error function, which both have a little of.
            for (x, (found, expected)) in products.iter().zip(found.iter().zip(&expected)) {
                let off = (found - expected).abs();
                assert!(
                    off <= 8e-6 * x.abs(),
                    "{cpu} {format:?}: {found} for {expected}"
                );
            }
        }
    }
}

#[test]
fn relu_is_fused_into_the_product() {
    let case = Case {
        inputs: 40,
        rows: some(40 * 9, 5),
        weights: some(40 * 35, 6),
        bias: some(35, 7),
        magnitudes: Vec::new(),
        precise_from: 0,
    };
    for cpu in Cpu::tested() {
        for format in FORMATS {
            let expected = case.multiply(cpu, format);
            let expected: Vec<f32> = expected.into_iter().map(|x| x.max(0.0)).collect();
            let matrix = case.matrix(cpu, format);
            let mut left = Left::default();
            left.fill(&matrix, &case.rows);
            let mut found = vec![f32::NAN; expected.len()];
            matrix.multiply(&left, Activation::Relu, &mut found);
            assert_eq!(found, expected, "{cpu} {format:?}");
        }
    }
}

/// `[tokens, 3, heads, size]` in double precision.
fn attention_reference(heads: Heads<'_>) -> Vec<f64> {
    let Heads {
        projections,
        hidden,
        heads,
    } = heads;
    let (size, tokens) = (hidden / heads, projections.len() / (3 * hidden));
    let at = |token: usize, which: usize, head: usize, of: usize| {
        f64::from(projections[(token * 3 + which) * hidden + head * size + of])
    };
    let mut out = vec![0.0; tokens * hidden];
    for head in 0..heads {
        for query in 0..tokens {
            let score = |key| {
                let products = (0..size).map(|of| at(query, 0, head, of) * at(key, 1, head, of));
                products.sum::<f64>() / (size as f64).sqrt()
            };
            let scores: Vec<f64> = (0..tokens).map(score).collect();
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
            let total: f64 = shares.iter().sum();
            for of in 0..size {
                let values = (0..tokens).map(|key| shares[key] / total * at(key, 2, head, of));
                out[query * hidden + head * size + of] = values.sum();
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn attention_is_that_of_the_paper(
        tokens in 1usize..70,
        heads in 1usize..4,
        size in prop::sample::select(vec![1usize, 7, 16, 32, 33, 64]),
        part in 0.0_f64..1.0,
        seed in any::<u8>(),
    ) {
        let hidden = heads * size;
        let projections: Vec<f32> = some(tokens * 3 * hidden, seed)
            .into_iter()
            .map(|number| number.clamp(-3.0, 3.0))
            .collect();
        let heads = Heads { projections: &projections, hidden, heads };
        let expected = attention_reference(heads);
        let start = (part * (tokens - 1) as f64) as usize;
        for cpu in Cpu::tested() {
            let mut out = vec![f32::NAN; (tokens - start) * hidden];
            attention(cpu, heads, start..tokens, &mut Room::default(), &mut out);
            assert_close(&out, &expected[start * hidden..], 2e-5, cpu.name());
        }
    }
}
