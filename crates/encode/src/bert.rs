//! The forward pass of BERT (Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>) over
//! packed sequences: `[tokens, hidden]` without padding, whatever texts the tokens are of.
//!
//! A pass is a row of steps that a team of threads takes together. Products are shared by
//! columns, so that each thread reads its part of the weights only: of a short text they are
//! nearly all that is read. Everything else is shared by rows. Either way a number is computed
//! as one thread would compute it.

use crate::encoder::Precision;
use crate::weights::{Part, Shape, Tensor, Weights};
use kernels::{
    Activation, Cpu, Format, Heads, LayerNorm, Left, Linear, Matrix, Room, Team, attention,
};
use rayon::prelude::*;
use std::ops::Range;

/// A network in memory, packed for the kernels.
#[derive(Debug)]
pub(crate) struct Bert {
    cpu: Cpu,
    shape: Shape,
    /// Where the word embeddings are; the table itself stays in the file.
    weights: Box<dyn Weights>,
    /// What is added to a word by its position and by the one token type, `[positions, hidden]`.
    positions: Vec<f32>,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// Query, key and value in one product, `[3 · hidden, hidden]`.
    projections: Matrix,
    attention_output: Matrix,
    attention_norm: LayerNorm,
    feed_forward_in: Matrix,
    feed_forward_out: Matrix,
    output_norm: LayerNorm,
}

/// Sequences of tokens, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub tokens: Vec<u32>,
    /// Where each sequence ends.
    pub ends: Vec<usize>,
}

impl Packed {
    /// The tokens of each sequence, by their places.
    pub fn sequences(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| start..end)
    }
}

/// The memory of a forward pass; kept, it allocates once.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// `[tokens, hidden]`
    hidden: Vec<f32>,
    /// `[tokens, 3 · hidden]`
    projections: Vec<f32>,
    /// `[tokens, hidden]`
    context: Vec<f32>,
    /// `[tokens, hidden]`
    sum: Vec<f32>,
    /// `[tokens, feed_forward]`; empty where the product is a left side at once.
    wide: Vec<f32>,
    /// The left side of the next product.
    left: Left,
    /// The left side of the product after that.
    next: Left,
    /// One for each thread.
    rooms: Vec<Room>,
}

impl Bert {
    pub fn new(weights: Box<dyn Weights>, cpu: Cpu, precision: Precision) -> Self {
        let shape = weights.shape().clone();
        let types = weights.read(Tensor::TokenTypes);
        let mut positions = weights.read(Tensor::Positions);
        for row in positions.chunks_exact_mut(shape.hidden) {
            for (position, first_type) in row.iter_mut().zip(&types) {
                *position += first_type;
            }
        }
        let loader = Loader {
            weights: &*weights,
            shape: &shape,
            cpu,
            format: match precision {
                Precision::F32 => Format::Float,
                Precision::Bf16 => Format::two_bytes(cpu),
                Precision::Int8 => Format::Byte,
            },
        };
        let layers = (0..shape.layers).into_par_iter();
        Self {
            cpu,
            norm: loader.norm(Tensor::EmbeddingNorm),
            layers: layers.map(|layer| loader.layer(layer)).collect(),
            positions,
            shape,
            weights,
        }
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    pub fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// The last hidden state, `[tokens, hidden]`, computed by a team. Every token is below the
    /// vocabulary, no sequence empty or longer than the positions.
    pub fn forward<'w>(&self, packed: &Packed, team: &mut Team, work: &'w mut Work) -> &'w [f32] {
        let tokens = packed.tokens.len();
        let hidden = self.shape.hidden;
        work.hidden.resize(tokens * hidden, 0.0);
        work.projections.resize(tokens * 3 * hidden, 0.0);
        work.context.resize(tokens * hidden, 0.0);
        work.sum.resize(tokens * hidden, 0.0);
        work.rooms.resize_with(team.size(), Room::default);

        self.embed(packed, &mut work.hidden);
        if let Some(first) = self.layers.first() {
            work.left.fill(&first.projections, &work.hidden);
        }
        for (layer, at) in self.layers.iter().zip(1..) {
            self.attend(layer, packed, team, work);
            self.feed(layer, self.layers.get(at), packed, team, work);
        }
        &work.hidden
    }

    /// The sum of the embeddings of each token, normalised.
    fn embed(&self, packed: &Packed, rows: &mut [f32]) {
        let hidden = self.shape.hidden;
        let mut places = vec![0.0; rows.len()];
        for sequence in packed.sequences() {
            let positions = &self.positions[..sequence.len() * hidden];
            places[sequence.start * hidden..sequence.end * hidden].copy_from_slice(positions);
        }
        for (row, &token) in rows.chunks_exact_mut(hidden).zip(&packed.tokens) {
            self.weights.word(token, row);
        }
        self.norm.add(self.cpu, rows, &places);
    }

    /// Attention, from the left side of its first product to the sum.
    fn attend(&self, layer: &Layer, packed: &Packed, team: &mut Team, work: &mut Work) {
        let (hidden, height) = (self.shape.hidden, rows_of_thread(packed, team));
        let count = packed.tokens.len();
        let left = &mut work.left;

        let matrix = &layer.projections;
        product(team, matrix, left, Activation::None, &mut work.projections);

        let matrix = &layer.attention_output;
        let parts = left.parts(matrix, count, height).into_iter().enumerate();
        let contexts = work.context.chunks_mut(height * hidden);
        let shares = parts.zip(contexts).zip(&mut work.rooms).collect();
        team.each(shares, |(((share, part), context), room)| {
            self.attend_rows(packed, &work.projections, share * height, room, context);
            part.fill(matrix, context);
        });
        product(team, matrix, left, Activation::None, &mut work.sum);
    }

    /// Writes the attention of the rows of the batch from `first` on.
    fn attend_rows(
        &self,
        packed: &Packed,
        projections: &[f32],
        first: usize,
        room: &mut Room,
        out: &mut [f32],
    ) {
        let Shape { hidden, heads, .. } = self.shape;
        let rows = first..first + out.len() / hidden;
        for sequence in packed.sequences() {
            let (first, end) = (sequence.start.max(rows.start), sequence.end.min(rows.end));
            if first >= end {
                continue;
            }
            let of_sequence = Heads {
                projections: &projections[sequence.start * 3 * hidden..sequence.end * 3 * hidden],
                hidden,
                heads,
            };
            let context = &mut out[(first - rows.start) * hidden..(end - rows.start) * hidden];
            let rows = first - sequence.start..end - sequence.start;
            attention(self.cpu, of_sequence, rows, room, context);
        }
    }

    /// What follows attention: norm, feed-forward, norm, and the left side of the layer after.
    fn feed(
        &self,
        layer: &Layer,
        after: Option<&Layer>,
        packed: &Packed,
        team: &mut Team,
        work: &mut Work,
    ) {
        let (hidden, height) = (self.shape.hidden, rows_of_thread(packed, team));
        let count = packed.tokens.len();
        let left = &mut work.left;

        let matrix = &layer.feed_forward_in;
        let parts = left.parts(matrix, count, height).into_iter();
        let rows = work.hidden.chunks_mut(height * hidden);
        let sums = work.sum.chunks(height * hidden);
        let shares = parts.zip(rows).zip(sums).collect();
        team.each(shares, |((part, rows), sums)| {
            layer.attention_norm.add(self.cpu, rows, sums);
            part.fill(matrix, rows);
        });
        self.feed_forward(layer, packed, team, work);

        let rows = work.hidden.chunks_mut(height * hidden);
        let sums = work.sum.chunks(height * hidden);
        let shares = rows.zip(sums);
        let Some(after) = after else {
            return team.each(shares.collect(), |(rows, sums)| {
                layer.output_norm.add(self.cpu, rows, sums);
            });
        };
        let matrix = &after.projections;
        let parts = work.left.parts(matrix, count, height).into_iter();
        team.each(parts.zip(shares).collect(), |(part, (rows, sums))| {
            layer.output_norm.add(self.cpu, rows, sums);
            part.fill(matrix, rows);
        });
    }

    /// The two products of feed-forward, from the left side of the first to the sum.
    fn feed_forward(&self, layer: &Layer, packed: &Packed, team: &mut Team, work: &mut Work) {
        let (count, height) = (packed.tokens.len(), rows_of_thread(packed, team));
        let wide = self.shape.feed_forward;
        let (matrix, then) = (&layer.feed_forward_in, &layer.feed_forward_out);
        let next = &mut work.next;
        if then.takes_products() {
            let parts = matrix.parts_for(then, team.size(), count, next);
            let left = &work.left;
            team.each(parts, |part| {
                matrix.multiply_part(left, Activation::Gelu, part);
            });
        } else {
            work.wide.resize(count * wide, 0.0);
            product(team, matrix, &work.left, Activation::Gelu, &mut work.wide);
            let parts = next.parts(then, count, height).into_iter();
            let rows = work.wide.chunks(height * wide);
            team.each(parts.zip(rows).collect(), |(part, rows)| {
                part.fill(then, rows)
            });
        }
        product(team, then, next, Activation::None, &mut work.sum);
    }
}

/// Rows that one thread takes in a step that is shared by rows.
fn rows_of_thread(packed: &Packed, team: &Team) -> usize {
    packed.tokens.len().div_ceil(team.size()).max(1)
}

/// A product whose columns the team shares.
fn product(team: &mut Team, matrix: &Matrix, left: &Left, activation: Activation, out: &mut [f32]) {
    let parts = matrix.parts(team.size(), out);
    team.each(parts, |part| matrix.multiply_part(left, activation, part));
}

/// Reads and packs the tensors of a network.
struct Loader<'a> {
    weights: &'a dyn Weights,
    shape: &'a Shape,
    cpu: Cpu,
    format: Format,
}

impl Loader<'_> {
    fn layer(&self, layer: usize) -> Layer {
        let of = |tensor: fn(usize, Part) -> Tensor| move |part| tensor(layer, part);
        let before: &dyn Fn(Part) -> Tensor = match layer.checked_sub(1) {
            Some(previous) => &move |part| Tensor::OutputNorm(previous, part),
            None => &|part| Tensor::EmbeddingNorm(part),
        };
        let input = self.norm(before);
        let attention_norm = self.norm(of(Tensor::AttentionNorm));
        let projected = [of(Tensor::Query), of(Tensor::Key), of(Tensor::Value)];
        let stacked = |part| -> Vec<f32> {
            let tensors = projected
                .iter()
                .map(|tensor| self.weights.read(tensor(part)));
            tensors.flatten().collect()
        };
        Layer {
            projections: Matrix::pack(
                self.cpu,
                self.format,
                Linear {
                    weights: &stacked(Part::Weight),
                    bias: &stacked(Part::Bias),
                    magnitudes: &magnitudes(&input),
                    precise_from: 2 * self.shape.hidden,
                },
            ),
            attention_output: self.matrix(of(Tensor::AttentionOutput), &[]),
            feed_forward_in: self.matrix(of(Tensor::FeedForwardIn), &magnitudes(&attention_norm)),
            feed_forward_out: self.matrix(of(Tensor::FeedForwardOut), &[]),
            output_norm: self.norm(of(Tensor::OutputNorm)),
            attention_norm,
        }
    }

    fn matrix(&self, tensor: impl Fn(Part) -> Tensor, magnitudes: &[f32]) -> Matrix {
        let linear = Linear {
            weights: &self.weights.read(tensor(Part::Weight)),
            bias: &self.weights.read(tensor(Part::Bias)),
            magnitudes,
            precise_from: 0,
        };
        Matrix::pack(self.cpu, self.format, linear)
    }

    fn norm(&self, tensor: impl Fn(Part) -> Tensor) -> LayerNorm {
        LayerNorm {
            weight: self.weights.read(tensor(Part::Weight)),
            bias: self.weights.read(tensor(Part::Bias)),
            epsilon: self.shape.epsilon,
        }
    }
}

/// How large each output of a norm tends to be: it has the mean of the bias and the deviation
/// of the weight, and three deviations are seldom passed. No texts are needed to know this.
fn magnitudes(norm: &LayerNorm) -> Vec<f32> {
    let pairs = norm.weight.iter().zip(&norm.bias);
    pairs
        .map(|(weight, bias)| bias.abs() + 3.0 * weight.abs())
        .collect()
}

#[cfg(test)]
mod tests;
