//! Attention over packed tokens, where each token says what it sees, and its gradient.

use crate::sums::add_scaled;
use std::ops::Range;

/// What one token sees besides itself: a run of tokens before it, and perhaps one more (a
/// candidate sees the query that stands between the events and it).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sight {
    pub run: Range<usize>,
    pub other: Option<usize>,
}

impl Sight {
    /// Of a run of tokens and nothing more.
    pub(crate) fn of(run: Range<usize>) -> Self {
        Self { run, other: None }
    }

    /// The tokens seen, the token `own` the last.
    fn places(&self, own: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        self.run.clone().chain(self.other).chain([own])
    }

    fn len(&self) -> usize {
        self.run.len() + usize::from(self.other.is_some()) + 1
    }
}

/// Sizes of one attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    pub width: usize,
    pub heads: usize,
}

impl Heads {
    fn size(self) -> usize {
        self.width / self.heads
    }

    fn scale(self) -> f32 {
        1.0 / (self.size() as f32).sqrt()
    }
}

/// From `projections` `[tokens, 3 · width]` (query, key, value) to `out` `[tokens, width]`.
/// The weights of attention are kept in `weights`, token by token, head by head.
pub(crate) fn forward(
    heads: Heads,
    projections: &[f32],
    sights: &[Sight],
    weights: &mut Vec<f32>,
    out: &mut Vec<f32>,
) {
    let (width, size) = (heads.width, heads.size());
    out.clear();
    out.resize(sights.len() * width, 0.0);
    weights.clear();
    for (own, sight) in sights.iter().enumerate() {
        let row = |place: usize| &projections[place * 3 * width..][..3 * width];
        for head in 0..heads.heads {
            let at = head * size;
            let query = &row(own)[at..at + size];
            let first = weights.len();
            for place in sight.places(own) {
                let key = &row(place)[width + at..width + at + size];
                weights.push(dot(query, key) * heads.scale());
            }
            softmax(&mut weights[first..]);
            let out = &mut out[own * width + at..own * width + at + size];
            for (place, &weight) in sight.places(own).zip(&weights[first..]) {
                let value = &row(place)[2 * width + at..2 * width + at + size];
                add_scaled(out, weight, value);
            }
        }
    }
}

/// Writes the gradient of the projections to `d_projections`.
pub(crate) fn backward(
    heads: Heads,
    projections: &[f32],
    sights: &[Sight],
    weights: &[f32],
    d_out: &[f32],
    d_projections: &mut Vec<f32>,
) {
    let (width, size) = (heads.width, heads.size());
    d_projections.clear();
    d_projections.resize(projections.len(), 0.0);
    let mut d_weights = Vec::new();
    let mut query_gradient = vec![0.0; size];
    let mut first = 0;
    for (own, sight) in sights.iter().enumerate() {
        let row = |place: usize| &projections[place * 3 * width..][..3 * width];
        for head in 0..heads.heads {
            let at = head * size;
            let weights = &weights[first..first + sight.len()];
            first += sight.len();
            let d_out = &d_out[own * width + at..own * width + at + size];
            d_weights.clear();
            let mut mean = 0.0;
            for (place, &weight) in sight.places(own).zip(weights) {
                let value = &row(place)[2 * width + at..2 * width + at + size];
                let gradient = dot(d_out, value);
                mean += weight * gradient;
                d_weights.push(gradient);
                let d_value = &mut d_projections[(place * 3 + 2) * width + at..][..size];
                add_scaled(d_value, weight, d_out);
            }
            let query = &row(own)[at..at + size];
            query_gradient.fill(0.0);
            for ((place, &weight), &gradient) in sight.places(own).zip(weights).zip(&d_weights) {
                let slope = weight * (gradient - mean) * heads.scale();
                let key = &row(place)[width + at..width + at + size];
                add_scaled(&mut query_gradient, slope, key);
                let d_key = &mut d_projections[(place * 3 + 1) * width + at..][..size];
                add_scaled(d_key, slope, query);
            }
            add_scaled(
                &mut d_projections[own * 3 * width + at..][..size],
                1.0,
                &query_gradient,
            );
        }
    }
}

fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in &mut *row {
        *value = (*value - most).exp();
        sum += *value;
    }
    for value in row {
        *value /= sum;
    }
}

/// Eight sums side by side, so that the compiler may use vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let (wholes, rest) = a.as_chunks::<8>();
    let (other_wholes, other_rest) = b.as_chunks::<8>();
    for (a, b) in wholes.iter().zip(other_wholes) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let tail: f32 = rest.iter().zip(other_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + tail
}
