//! Attention of every token to all tokens of its text, and its gradient. A head of a text is
//! copied together first, so that all its products are those of small matrices.

use crate::product::{self, Into};
use std::ops::Range;

/// Sizes of an attention.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    pub width: usize,
    pub heads: usize,
}

/// Query, key and value of all tokens, each `[tokens, width]`.
#[derive(Debug, Default)]
pub(super) struct Projected {
    pub query: Vec<f32>,
    pub key: Vec<f32>,
    pub value: Vec<f32>,
}

/// One head of one text: `[tokens, size]`, and `[tokens, tokens]`.
#[derive(Debug, Default)]
pub(super) struct Room {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    out: Vec<f32>,
    part: Vec<f32>,
    slopes: Vec<f32>,
}

impl Heads {
    fn size(self) -> usize {
        self.width / self.heads
    }

    fn scale(self) -> f32 {
        1.0 / (self.size() as f32).sqrt()
    }

    /// Every head of every text: the text's tokens, and where the head lies in a row.
    fn each(self, texts: &[Range<usize>]) -> impl Iterator<Item = (Range<usize>, usize)> {
        let size = self.size();
        let heads = move |text: &Range<usize>| {
            let text = text.clone();
            (0..self.heads).map(move |head| (text.clone(), head * size))
        };
        texts.iter().flat_map(heads)
    }

    /// Writes what each token takes from its text to `out`, `[tokens, width]`, and how much it
    /// takes from each to `weights`, text by text and head by head.
    pub fn forward(
        self,
        projected: &Projected,
        texts: &[Range<usize>],
        room: &mut Room,
        weights: &mut Vec<f32>,
        out: &mut Vec<f32>,
    ) {
        out.clear();
        out.resize(projected.query.len(), 0.0);
        weights.clear();
        for (text, at) in self.each(texts) {
            self.gather(projected, &text, at, room);
            let tokens = text.len();
            let first = weights.len();
            weights.resize(first + tokens * tokens, 0.0);
            let weights = &mut weights[first..];
            product::by_transposed(&room.query, &room.key, self.size(), weights, Into::Replace);
            for row in weights.chunks_exact_mut(tokens) {
                softmax(row, self.scale());
            }
            room.out.resize(tokens * self.size(), 0.0);
            product::by(weights, &room.value, tokens, &mut room.out, Into::Replace);
            self.scatter(&room.out, &text, at, out);
        }
    }

    /// Writes the gradients of query, key and value.
    pub fn backward(
        self,
        projected: &Projected,
        texts: &[Range<usize>],
        room: &mut Room,
        weights: &[f32],
        d_out: &[f32],
        gradients: &mut Projected,
    ) {
        let numbers = d_out.len();
        gradients.query.resize(numbers, 0.0);
        gradients.key.resize(numbers, 0.0);
        gradients.value.resize(numbers, 0.0);
        let mut rest = weights;
        for (text, at) in self.each(texts) {
            self.gather(projected, &text, at, room);
            let (tokens, size) = (text.len(), self.size());
            let (weights, behind) = rest.split_at(tokens * tokens);
            rest = behind;
            gather(d_out, self.width, &text, at..at + size, &mut room.out);
            room.slopes.resize(tokens * tokens, 0.0);
            room.part.resize(tokens * size, 0.0);

            product::transposed_by(weights, &room.out, tokens, &mut room.part, Into::Replace);
            self.scatter(&room.part, &text, at, &mut gradients.value);

            product::by_transposed(
                &room.out,
                &room.value,
                size,
                &mut room.slopes,
                Into::Replace,
            );
            let rows = room.slopes.chunks_exact_mut(tokens);
            for (slopes, weights) in rows.zip(weights.chunks_exact(tokens)) {
                let products = slopes.iter().zip(weights);
                let mean: f32 = products.map(|(slope, weight)| slope * weight).sum();
                for (slope, weight) in slopes.iter_mut().zip(weights) {
                    *slope = weight * (*slope - mean) * self.scale();
                }
            }
            product::by(
                &room.slopes,
                &room.key,
                tokens,
                &mut room.part,
                Into::Replace,
            );
            self.scatter(&room.part, &text, at, &mut gradients.query);
            product::transposed_by(
                &room.slopes,
                &room.query,
                tokens,
                &mut room.part,
                Into::Replace,
            );
            self.scatter(&room.part, &text, at, &mut gradients.key);
        }
    }

    fn gather(self, projected: &Projected, text: &Range<usize>, at: usize, room: &mut Room) {
        let head = at..at + self.size();
        for (from, to) in [
            (&projected.query, &mut room.query),
            (&projected.key, &mut room.key),
            (&projected.value, &mut room.value),
        ] {
            gather(from, self.width, text, head.clone(), to);
        }
    }

    fn scatter(self, from: &[f32], text: &Range<usize>, at: usize, to: &mut [f32]) {
        let rows = to[text.start * self.width..text.end * self.width].chunks_exact_mut(self.width);
        for (to, from) in rows.zip(from.chunks_exact(self.size())) {
            to[at..at + self.size()].copy_from_slice(from);
        }
    }
}

fn gather(from: &[f32], width: usize, text: &Range<usize>, head: Range<usize>, to: &mut Vec<f32>) {
    to.clear();
    for row in from[text.start * width..text.end * width].chunks_exact(width) {
        to.extend_from_slice(&row[head.clone()]);
    }
}

/// The softmax of a row times `scale`.
fn softmax(row: &mut [f32], scale: f32) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in &mut *row {
        *value = ((*value - most) * scale).exp();
        sum += *value;
    }
    for value in row {
        *value /= sum;
    }
}
