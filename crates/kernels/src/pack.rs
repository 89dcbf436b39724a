//! Packing of weights into panels, and the choice of their scales.

use crate::Cpu;
use crate::aligned::AlignedWords;
use crate::lanes::{Kernel, Lanes};
use crate::left::{LEFT_HALF, step};
use crate::matrix::{Columns, Format, Linear, Matrix};
use crate::tile::VECTORS;

/// Largest magnitude of a weight in fixed point.
const RIGHT_HALF: f32 = 1023.0;

/// The kernel that packs: only the widths and ranges of the lanes matter to it.
pub(crate) struct Pack<'a> {
    pub cpu: Cpu,
    pub format: Format,
    pub inputs: usize,
    pub linear: Linear<'a>,
}

impl Kernel for Pack<'_> {
    type Output = Matrix;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> Matrix {
        self.pack(VECTORS * L::WIDTH, L::STEP_SUM as f32)
    }
}

impl Pack<'_> {
    fn pack(self, width: usize, step_sum: f32) -> Matrix {
        let Linear {
            weights,
            bias,
            magnitudes,
            precise_from,
        } = self.linear;
        let outputs = bias.len();
        let padded = outputs.next_multiple_of(width);
        let depth = self.format.depth(self.inputs);
        let factors = if self.format == Format::Byte {
            factors(magnitudes, &weights[precise_from * self.inputs..])
        } else {
            Vec::new()
        };
        let mut matrix = Matrix {
            cpu: self.cpu,
            format: self.format,
            outputs,
            inputs: self.inputs,
            depth,
            width,
            panels: AlignedWords::zeros(padded * depth),
            columns: Columns::default(),
            factors,
        };
        matrix.columns.bias = bias.to_vec();
        let mut row = vec![0.0; self.inputs];
        for (output, weights) in weights.chunks_exact(self.inputs).enumerate() {
            row.copy_from_slice(weights);
            for (weight, factor) in row.iter_mut().zip(&matrix.factors) {
                *weight /= factor;
            }
            matrix.put(output, &row, step_sum);
        }
        let columns = &mut matrix.columns;
        columns.bias.resize(padded, 0.0);
        columns.scales.resize(padded, 0.0);
        columns.shifts.resize(padded, 0.0);
        matrix
    }
}

impl Matrix {
    /// Puts the weights of one output into its column of a panel.
    fn put(&mut self, output: usize, row: &[f32], step_sum: f32) {
        let (numbers, width) = (self.format.numbers(), self.width);
        let first = (output / width * width * self.depth + output % width) * numbers;
        // Where the weights of each word go: every panel has the words of a depth side by side.
        let places = (first..).step_by(width * numbers);
        let words = row.chunks(numbers).zip(places);
        let largest = row
            .iter()
            .fold(0.0_f32, |most, weight| most.max(weight.abs()));
        match self.format {
            Format::Float => {
                let panels = self.panels.floats_mut();
                for (word, place) in words {
                    panels[place] = word[0];
                }
            }
            Format::Brain => {
                let panels = self.panels.halves_mut();
                for (word, place) in words {
                    for (to, weight) in panels[place..].iter_mut().zip(word) {
                        *to = crate::lanes::to_brain(*weight);
                    }
                }
            }
            Format::Half => {
                let scale = step(largest, half_range(row, largest));
                let panels = self.panels.halves_mut();
                for (word, place) in words {
                    for (to, weight) in panels[place..].iter_mut().zip(word) {
                        *to = nearest(weight / scale) as i16 as u16;
                    }
                }
                self.columns.scales.push(scale);
            }
            Format::Byte => {
                let scale = byte_scale(row, largest, step_sum);
                let panels = self.panels.bytes_mut();
                let mut sum = 0.0;
                for (word, place) in words {
                    for (to, weight) in panels[place..].iter_mut().zip(word) {
                        let steps = nearest(weight / scale);
                        sum += steps;
                        *to = steps as i8 as u8;
                    }
                }
                self.columns.scales.push(scale);
                self.columns.shifts.push(scale * sum);
            }
        }
    }
}

/// The nearest whole number of one below four million, ties to even: adding a number so large
/// that it has no bits behind the point rounds, and it is an addition on every processor.
fn nearest(number: f32) -> f32 {
    const NO_BITS_LEFT: f32 = 12_582_912.0;
    (number + NO_BITS_LEFT) - NO_BITS_LEFT
}

/// The range of fixed-point weights for which no sum of products can leave 32 bits.
fn half_range(row: &[f32], largest: f32) -> f32 {
    let sum: f64 = row.iter().map(|&weight| f64::from(weight.abs())).sum();
    // A step of rounding for every weight on top.
    let room = f64::from(i32::MAX) / f64::from(LEFT_HALF) - row.len() as f64;
    let safe = room * f64::from(largest) / sum.max(f64::MIN_POSITIVE);
    RIGHT_HALF.min(safe.floor() as f32)
}

/// Largest magnitude of a weight in a byte.
const RIGHT_BYTE: f32 = 127.0;
/// Inputs of one step of the inner loop over bytes.
const STEP_INPUTS: usize = 16;

/// The finest scale of byte weights for which no step of the inner loop saturates: no sum of
/// weights of one sign passes `step_sum`, though each may be rounded up by half.
fn byte_scale(row: &[f32], largest: f32, step_sum: f32) -> f32 {
    let mut most = 0.0_f32;
    for weights in row.chunks(STEP_INPUTS) {
        let positive: f32 = weights.iter().map(|weight| weight.max(0.0)).sum();
        let negative: f32 = weights.iter().map(|weight| weight.min(0.0)).sum();
        most = most.max(positive).max(-negative);
    }
    let room = step_sum - STEP_INPUTS as f32 / 2.0;
    step(largest, RIGHT_BYTE).max(most / room)
}

/// What to multiply each input with so that inputs and weights share the outliers: the
/// square root of the ratio of their magnitudes. Nothing when the magnitudes are not known.
fn factors(magnitudes: &[f32], weights: &[f32]) -> Vec<f32> {
    if magnitudes.is_empty() {
        return Vec::new();
    }
    let mut largest = vec![0.0_f32; magnitudes.len()];
    for row in weights.chunks_exact(magnitudes.len()) {
        for (largest, weight) in largest.iter_mut().zip(row) {
            *largest = largest.max(weight.abs());
        }
    }
    let ratio = |(&magnitude, &weight): (&f32, &f32)| (weight / magnitude).sqrt();
    let ratios = magnitudes.iter().zip(&largest).map(ratio);
    ratios
        .map(|ratio| if ratio.is_normal() { ratio } else { 1.0 })
        .collect()
}
