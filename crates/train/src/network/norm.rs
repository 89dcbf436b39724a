//! Layer norm (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>) and its gradient.

/// Of the affinity Transformer.
pub(crate) const EPSILON: f32 = 1e-5;

/// What the way back needs of the way there.
#[derive(Debug, Default)]
pub(crate) struct Normed {
    /// The rows with mean 0 and deviation 1, before weight and bias, `[rows, width]`.
    plain: Vec<f32>,
    /// One over the deviation of each row.
    inverse: Vec<f32>,
}

/// `out = weight · (x − mean) / deviation + bias`, row by row; `epsilon` is added to the variance.
pub(crate) fn forward(
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
    epsilon: f32,
    normed: &mut Normed,
    out: &mut Vec<f32>,
) {
    let width = weight.len();
    out.resize(x.len(), 0.0);
    normed.plain.resize(x.len(), 0.0);
    normed.inverse.clear();
    let rows = x.chunks_exact(width);
    let outs = out.chunks_exact_mut(width);
    for ((x, plain), out) in rows.zip(normed.plain.chunks_exact_mut(width)).zip(outs) {
        let mean = x.iter().sum::<f32>() / width as f32;
        let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / width as f32;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        for ((plain, out), (x, (weight, bias))) in plain
            .iter_mut()
            .zip(out)
            .zip(x.iter().zip(weight.iter().zip(bias)))
        {
            *plain = (x - mean) * inverse;
            *out = *plain * weight + bias;
        }
        normed.inverse.push(inverse);
    }
}

/// Adds the gradient of the input to `dx` and those of weight and bias to theirs.
pub(crate) fn backward(
    dy: &[f32],
    weight: &[f32],
    normed: &Normed,
    (d_weight, d_bias): (&mut [f32], &mut [f32]),
    dx: &mut [f32],
) {
    let width = weight.len();
    let rows = dy.chunks_exact(width).zip(normed.plain.chunks_exact(width));
    for (((dy, plain), inverse), dx) in rows.zip(&normed.inverse).zip(dx.chunks_exact_mut(width)) {
        let (mut sum, mut sum_plain) = (0.0, 0.0);
        for at in 0..width {
            let scaled = dy[at] * weight[at];
            sum += scaled;
            sum_plain += scaled * plain[at];
            d_weight[at] += dy[at] * plain[at];
            d_bias[at] += dy[at];
        }
        let (mean, mean_plain) = (sum / width as f32, sum_plain / width as f32);
        for at in 0..width {
            dx[at] += inverse * (dy[at] * weight[at] - mean - plain[at] * mean_plain);
        }
    }
}
