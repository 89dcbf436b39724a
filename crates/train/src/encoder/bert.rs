//! BERT (Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>) there and back: norms behind
//! the sums, exact GELU, every text by itself. One pass is one share of a batch on one thread,
//! `[tokens, width]` without padding.

use super::attention::{Heads, Projected, Room};
use super::gelu;
use crate::layout::{Layout, Pair};
use crate::network::{Normed, linear, norm};
use encode::Shape;
use std::ops::Range;

/// Where the parameters lie, and the sizes. Words come first among all parameters; places of
/// the others are counted from behind them.
#[derive(Clone, Debug)]
pub(super) struct Bert {
    heads: Heads,
    epsilon: f32,
    /// Numbers of the words' table.
    words: usize,
    positions: Range<usize>,
    /// The row of the one token type in use.
    token_type: Range<usize>,
    norm: Pair,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    query: Pair,
    key: Pair,
    value: Pair,
    attention_out: Pair,
    attention_norm: Pair,
    feed_forward_in: Pair,
    feed_forward_out: Pair,
    output_norm: Pair,
}

/// Texts as tokens, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub tokens: Vec<u32>,
    /// The tokens of each text, by their places.
    pub texts: Vec<Range<usize>>,
}

/// What a pass leaves behind for the way back; kept, it allocates once.
#[derive(Debug, Default)]
pub(super) struct Trace {
    norm: Normed,
    layers: Vec<LayerTrace>,
    /// What goes into each layer, and what comes out of the last, `[tokens, width]`.
    states: Vec<Vec<f32>>,
    sum: Vec<f32>,
    room: Room,
}

#[derive(Debug, Default)]
struct LayerTrace {
    projected: Projected,
    weights: Vec<f32>,
    context: Vec<f32>,
    attention_norm: Normed,
    middle: Vec<f32>,
    /// Before the activation and behind it.
    wide: Vec<f32>,
    active: Vec<f32>,
    output_norm: Normed,
}

/// Memory of the way back.
#[derive(Debug, Default)]
pub(super) struct Back {
    /// The gradient of what comes out of a layer, and of what goes in.
    state: Vec<f32>,
    sum: Vec<f32>,
    narrow: Vec<f32>,
    wide: Vec<f32>,
    projected: Projected,
    room: Room,
}

impl Trace {
    /// The last hidden state, `[tokens, width]`.
    pub fn output(&self) -> &[f32] {
        self.states.last().map_or(&[], Vec::as_slice)
    }
}

impl Bert {
    /// `layout` has the tensors in the order in which `encode` gives them.
    pub fn new(layout: &Layout, shape: &Shape) -> Self {
        let words = shape.vocabulary * shape.hidden;
        let layout = &layout.behind(words);
        let table = |name: &str| {
            layout
                .find(&format!("embeddings.{name}.weight"))
                .expect("a tensor of the layout")
        };
        let layer = |layer: usize| {
            let pair = |part: &str| layout.pair(&format!("encoder.layer.{layer}.{part}"));
            Layer {
                query: pair("attention.self.query"),
                key: pair("attention.self.key"),
                value: pair("attention.self.value"),
                attention_out: pair("attention.output.dense"),
                attention_norm: pair("attention.output.LayerNorm"),
                feed_forward_in: pair("intermediate.dense"),
                feed_forward_out: pair("output.dense"),
                output_norm: pair("output.LayerNorm"),
            }
        };
        let token_type = table("token_type_embeddings").start;
        Self {
            heads: Heads {
                width: shape.hidden,
                heads: shape.heads,
            },
            epsilon: shape.epsilon,
            words,
            positions: table("position_embeddings"),
            token_type: token_type..token_type + shape.hidden,
            norm: layout.pair("embeddings.LayerNorm"),
            layers: (0..shape.layers).map(layer).collect(),
        }
    }

    pub fn width(&self) -> usize {
        self.heads.width
    }

    /// Numbers of the words' table, which come first.
    pub fn words(&self) -> usize {
        self.words
    }

    /// The last hidden state of each token; every text has a token and fits the positions.
    pub fn forward<'t>(&self, all: &[f32], packed: &Packed, trace: &'t mut Trace) -> &'t [f32] {
        let (words, numbers) = all.split_at(self.words);
        trace
            .layers
            .resize_with(self.layers.len(), LayerTrace::default);
        trace.states.resize_with(self.layers.len() + 1, Vec::new);
        let Trace {
            norm,
            layers,
            states,
            sum,
            room,
        } = trace;
        self.embed(words, numbers, packed, sum);
        let pair = self.norm.of(numbers);
        norm::forward(sum, pair, self.epsilon, norm, &mut states[0]);
        for (at, (layer, trace)) in self.layers.iter().zip(layers).enumerate() {
            let (before, behind) = states.split_at_mut(at + 1);
            let (input, output) = (&before[at], &mut behind[0]);
            let width = self.heads.width;
            let through = |pair: &Pair, x: &[f32], inputs: usize, out: &mut Vec<f32>| {
                let (weight, bias) = pair.of(numbers);
                linear::forward(x, inputs, weight, bias, out);
            };
            through(&layer.query, input, width, &mut trace.projected.query);
            through(&layer.key, input, width, &mut trace.projected.key);
            through(&layer.value, input, width, &mut trace.projected.value);
            self.heads.forward(
                &trace.projected,
                &packed.texts,
                room,
                &mut trace.weights,
                &mut trace.context,
            );
            through(&layer.attention_out, &trace.context, width, sum);
            add(sum, input);
            let pair = layer.attention_norm.of(numbers);
            let normed = &mut trace.attention_norm;
            norm::forward(sum, pair, self.epsilon, normed, &mut trace.middle);

            through(
                &layer.feed_forward_in,
                &trace.middle,
                width,
                &mut trace.wide,
            );
            gelu::forward(&trace.wide, &mut trace.active);
            let inner = trace.active.len() / packed.tokens.len();
            through(&layer.feed_forward_out, &trace.active, inner, sum);
            add(sum, &trace.middle);
            let pair = layer.output_norm.of(numbers);
            norm::forward(sum, pair, self.epsilon, &mut trace.output_norm, output);
        }
        &states[self.layers.len()]
    }

    /// The sum of word, position and type of each token.
    fn embed(&self, words: &[f32], numbers: &[f32], packed: &Packed, sum: &mut Vec<f32>) {
        let width = self.heads.width;
        let positions = &numbers[self.positions.clone()];
        let token_type = &numbers[self.token_type.clone()];
        sum.clear();
        for text in &packed.texts {
            let tokens = packed.tokens[text.clone()].iter();
            for (&token, position) in tokens.zip(positions.chunks_exact(width)) {
                let start = sum.len();
                sum.extend_from_slice(&words[token as usize * width..][..width]);
                add(&mut sum[start..], position);
                add(&mut sum[start..], token_type);
            }
        }
    }

    /// From the gradient of the last hidden state to those of the parameters, which are added
    /// to `gradients`, without the words. What comes out is the gradient of each token's word,
    /// `[tokens, width]`.
    pub fn backward<'b>(
        &self,
        all: &[f32],
        packed: &Packed,
        trace: &Trace,
        d_states: &[f32],
        back: &'b mut Back,
        gradients: &mut [f32],
    ) -> &'b [f32] {
        let numbers = &all[self.words..];
        back.state.clear();
        back.state.extend_from_slice(d_states);
        for (at, (layer, of_layer)) in self.layers.iter().zip(&trace.layers).enumerate().rev() {
            self.feed_forward_backward(numbers, layer, of_layer, back, gradients);
            let input = &trace.states[at];
            self.attention_backward(numbers, layer, (input, of_layer), packed, back, gradients);
        }
        back.sum.clear();
        back.sum.resize(back.state.len(), 0.0);
        norm::backward(
            &back.state,
            self.norm.of(numbers).0,
            &trace.norm,
            self.norm.of_mut(gradients),
            &mut back.sum,
        );
        let width = self.heads.width;
        for text in &packed.texts {
            let rows = &back.sum[text.start * width..text.end * width];
            add(&mut gradients[self.positions.clone()], rows);
            for row in rows.chunks_exact(width) {
                add(&mut gradients[self.token_type.clone()], row);
            }
        }
        &back.sum
    }

    /// From the gradient behind a layer, in `back.state`, to that before its second half.
    fn feed_forward_backward(
        &self,
        numbers: &[f32],
        layer: &Layer,
        trace: &LayerTrace,
        back: &mut Back,
        gradients: &mut [f32],
    ) {
        let Back {
            state,
            sum,
            narrow,
            wide,
            ..
        } = back;
        sum.clear();
        sum.resize(state.len(), 0.0);
        let pair = &layer.output_norm;
        let weight = pair.of(numbers).0;
        norm::backward(
            state,
            weight,
            &trace.output_norm,
            pair.of_mut(gradients),
            sum,
        );
        let pair = &layer.feed_forward_out;
        let weight = pair.of(numbers).0;
        let inner = weight.len() / self.heads.width;
        let of_pair = pair.of_mut(gradients);
        linear::backward(sum, &trace.active, inner, weight, of_pair, wide);
        gelu::backward(&trace.wide, wide);
        let pair = &layer.feed_forward_in;
        let weight = pair.of(numbers).0;
        let of_pair = pair.of_mut(gradients);
        linear::backward(
            wide,
            &trace.middle,
            self.heads.width,
            weight,
            of_pair,
            narrow,
        );
        add(sum, narrow);
        std::mem::swap(state, sum);
    }

    /// From the gradient behind the first half of a layer to that before it.
    fn attention_backward(
        &self,
        numbers: &[f32],
        layer: &Layer,
        (input, trace): (&[f32], &LayerTrace),
        packed: &Packed,
        back: &mut Back,
        gradients: &mut [f32],
    ) {
        let Back {
            state,
            sum,
            narrow,
            projected,
            room,
            ..
        } = back;
        let width = self.heads.width;
        sum.clear();
        sum.resize(state.len(), 0.0);
        let pair = &layer.attention_norm;
        let weight = pair.of(numbers).0;
        norm::backward(
            state,
            weight,
            &trace.attention_norm,
            pair.of_mut(gradients),
            sum,
        );
        let pair = &layer.attention_out;
        let weight = pair.of(numbers).0;
        let of_pair = pair.of_mut(gradients);
        linear::backward(sum, &trace.context, width, weight, of_pair, narrow);
        self.heads.backward(
            &trace.projected,
            &packed.texts,
            room,
            &trace.weights,
            narrow,
            projected,
        );
        for (pair, gradient) in [
            (&layer.query, &projected.query),
            (&layer.key, &projected.key),
            (&layer.value, &projected.value),
        ] {
            let weight = pair.of(numbers).0;
            linear::backward(
                gradient,
                input,
                width,
                weight,
                pair.of_mut(gradients),
                narrow,
            );
            add(sum, narrow);
        }
        std::mem::swap(state, sum);
    }
}

/// Adds row by row, as far as the shorter of both goes.
fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
