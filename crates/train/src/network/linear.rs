//! A linear layer, `y = x · Wᵀ + b`, and its gradient.

use crate::product::{self, Into};

/// `out = x · weightᵀ + bias`, with `weight` `[outputs, inputs]`.
pub(crate) fn forward(x: &[f32], inputs: usize, weight: &[f32], bias: &[f32], out: &mut Vec<f32>) {
    out.clear();
    for _ in 0..x.len() / inputs {
        out.extend_from_slice(bias);
    }
    product::by_transposed(x, weight, inputs, out, Into::Add);
}

/// Adds the gradients of weight and bias to theirs, and writes that of the input to `dx`.
pub(crate) fn backward(
    dy: &[f32],
    x: &[f32],
    inputs: usize,
    weight: &[f32],
    (d_weight, d_bias): (&mut [f32], &mut [f32]),
    dx: &mut Vec<f32>,
) {
    let outputs = d_bias.len();
    let rows = dy.len() / outputs;
    product::transposed_by(dy, x, rows, d_weight, Into::Add);
    for dy in dy.chunks_exact(outputs) {
        for (sum, dy) in d_bias.iter_mut().zip(dy) {
            *sum += dy;
        }
    }
    dx.resize(rows * inputs, 0.0);
    product::by(dy, weight, outputs, dx, Into::Replace);
}
