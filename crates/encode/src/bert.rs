//! The forward pass of BERT (Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>) over
//! packed sequences: `[tokens, hidden]` without padding, whatever texts the tokens are of.
//!
//! All but attention is row by row, so a pass is split by rows among threads. They meet once
//! a layer, when the keys and values of every row must be there.

use crate::encoder::Precision;
use crate::weights::{Part, Shape, Tensor, Weights};
use kernels::{Activation, Cpu, Format, Heads, LayerNorm, Left, Linear, Matrix, Room, attention};
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
    /// `[tokens, 3 · hidden]`, of this layer and of the next.
    projections: [Vec<f32>; 2],
    parts: Vec<Scratch>,
}

/// What one thread needs for its rows.
#[derive(Debug, Default)]
struct Scratch {
    left: Left,
    /// `[rows, hidden]`
    context: Vec<f32>,
    /// `[rows, hidden]`
    sum: Vec<f32>,
    /// `[rows, feed_forward]`
    wide: Vec<f32>,
    room: Room,
}

/// The rows of one thread.
struct Share<'w> {
    /// Place of the first row in the batch.
    first: usize,
    /// `[rows, hidden]`
    hidden: &'w mut [f32],
    /// `[rows, 3 · hidden]`
    next: &'w mut [f32],
    scratch: &'w mut Scratch,
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

    /// The last hidden state, `[tokens, hidden]`, computed by `threads` of the current pool. Every
    /// token is below the vocabulary, no sequence empty or longer than the positions.
    pub fn forward<'w>(&self, packed: &Packed, threads: usize, work: &'w mut Work) -> &'w [f32] {
        let tokens = packed.tokens.len();
        let hidden = self.shape.hidden;
        let rows = tokens.div_ceil(threads.clamp(1, tokens.max(1))).max(1);
        work.hidden.resize(tokens * hidden, 0.0);
        for projections in &mut work.projections {
            projections.resize(tokens * 3 * hidden, 0.0);
        }
        work.parts
            .resize_with(tokens.div_ceil(rows), Scratch::default);
        self.embed(packed, &mut work.hidden);

        let [now, next] = &mut work.projections;
        let (mut now, mut next) = (now, next);
        for step in 0..=self.layers.len() {
            let own = work.hidden.chunks_mut(rows * hidden);
            let next_of_own = next.chunks_mut(rows * 3 * hidden);
            let parts = own.zip(next_of_own).zip(&mut work.parts).enumerate();
            let parts = parts.map(|(part, ((hidden, next), scratch))| Share {
                first: part * rows,
                hidden,
                next,
                scratch,
            });
            let run = |share: Share<'_>| self.step(step, packed, now, share);
            if tokens <= rows {
                parts.for_each(run);
            } else {
                parts.collect::<Vec<_>>().into_par_iter().for_each(run);
            }
            std::mem::swap(&mut now, &mut next);
        }
        &work.hidden
    }

    /// What the threads do between two meetings: the layer before this step from the
    /// projections of all rows, then the projections of this one.
    fn step(&self, step: usize, packed: &Packed, projections: &[f32], share: Share<'_>) {
        let Share {
            first,
            hidden,
            next,
            scratch,
        } = share;
        if let Some(layer) = step.checked_sub(1) {
            let layer = &self.layers[layer];
            let rows = first..first + hidden.len() / self.shape.hidden;
            self.attend(layer, packed, projections, rows, scratch);
            self.feed(layer, hidden, scratch);
        }
        if let Some(layer) = self.layers.get(step) {
            scratch.left.fill(&layer.projections, hidden);
            let left = &scratch.left;
            layer.projections.multiply(left, Activation::None, next);
        }
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

    /// The attention of some rows of the batch, in `scratch.context`.
    fn attend(
        &self,
        layer: &Layer,
        packed: &Packed,
        projections: &[f32],
        rows: Range<usize>,
        scratch: &mut Scratch,
    ) {
        let Shape { hidden, heads, .. } = self.shape;
        scratch.context.resize(rows.len() * hidden, 0.0);
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
            let context =
                &mut scratch.context[(first - rows.start) * hidden..(end - rows.start) * hidden];
            let rows = first - sequence.start..end - sequence.start;
            attention(self.cpu, of_sequence, rows, &mut scratch.room, context);
        }
        scratch.left.fill(&layer.attention_output, &scratch.context);
    }

    /// What follows attention, row by row: projection, norm, feed-forward, norm.
    fn feed(&self, layer: &Layer, rows: &mut [f32], scratch: &mut Scratch) {
        let Scratch {
            left, sum, wide, ..
        } = scratch;
        let count = rows.len() / self.shape.hidden;
        sum.resize(rows.len(), 0.0);
        wide.resize(count * self.shape.feed_forward, 0.0);

        layer.attention_output.multiply(left, Activation::None, sum);
        layer.attention_norm.add(self.cpu, rows, sum);
        left.fill(&layer.feed_forward_in, rows);
        layer.feed_forward_in.multiply(left, Activation::Gelu, wide);
        left.fill(&layer.feed_forward_out, wide);
        layer.feed_forward_out.multiply(left, Activation::None, sum);
        layer.output_norm.add(self.cpu, rows, sum);
    }
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
