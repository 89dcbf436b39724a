//! The blocks of a Transformer (Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>;
//! pre-norm, Xiong et al. 2020, <https://arxiv.org/abs/2002.04745>) with their gradients.
//!
//! Everything here is one share of a batch on one thread: `[tokens, width]`, without padding.

mod attention;
mod dropout;
pub(crate) mod linear;
pub(crate) mod norm;
#[cfg(test)]
mod tests;

pub(crate) use attention::Sight;
pub(crate) use dropout::Mask;
pub(crate) use norm::Normed;

use crate::layout::{Layout, Pair};
use crate::sums::add;
use attention::Heads;
use fastrand::Rng;
use models::affinity::AffinityConfig;

/// Where the parameters of the blocks lie, and their sizes.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    width: usize,
    heads: Heads,
    blocks: Vec<Block>,
    /// The block in which candidates join.
    joined: usize,
    norm: Pair,
}

/// The tokens of a pass: what each sees, and how many go through every block. Those behind
/// them are candidates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    pub sights: &'a [Sight],
    pub early: usize,
}

#[derive(Clone, Debug)]
struct Block {
    attention_norm: Pair,
    attention_in: Pair,
    attention_out: Pair,
    feed_forward_norm: Pair,
    feed_forward_in: Pair,
    feed_forward_out: Pair,
}

/// What a pass leaves behind for the way back; kept, it allocates once.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    blocks: Vec<BlockTrace>,
    norm: Normed,
    /// `[tokens, width]`
    pub output: Vec<f32>,
    scratch: Vec<f32>,
}

#[derive(Debug, Default)]
struct BlockTrace {
    attention_norm: Normed,
    /// `[tokens, width]`
    normed: Vec<f32>,
    /// `[tokens, 3 · width]`
    projections: Vec<f32>,
    weights: Vec<f32>,
    /// `[tokens, width]`
    context: Vec<f32>,
    attention_mask: Mask,
    feed_forward_norm: Normed,
    /// `[tokens, width]`
    normed_again: Vec<f32>,
    /// `[tokens, 4 · width]`, after the activation and its dropout.
    wide: Vec<f32>,
    wide_mask: Mask,
    feed_forward_mask: Mask,
}

/// Memory of the way back.
#[derive(Debug, Default)]
pub(crate) struct Back {
    branch: Vec<f32>,
    wide: Vec<f32>,
    narrow: Vec<f32>,
    projections: Vec<f32>,
}

/// Dropout of one pass; absent when the model is only asked.
pub(crate) struct Dropout<'a> {
    pub rate: f32,
    pub rng: &'a mut Rng,
}

impl Network {
    /// The network of these settings, whose parameters lie where `layout` says.
    pub fn new(layout: &Layout, config: &AffinityConfig) -> Self {
        let (width, layers) = (config.width, config.layers);
        let block = |layer: usize| {
            let pair = |part: &str| layout.pair(&format!("layers.{layer}.{part}"));
            Block {
                attention_norm: pair("attention.norm"),
                attention_in: pair("attention.in"),
                attention_out: pair("attention.out"),
                feed_forward_norm: pair("feed_forward.norm"),
                feed_forward_in: pair("feed_forward.in"),
                feed_forward_out: pair("feed_forward.out"),
            }
        };
        Self {
            width,
            heads: Heads {
                width,
                heads: config.heads,
            },
            blocks: (0..layers).map(block).collect(),
            joined: layers - config.candidate_layers,
            norm: layout.pair("norm"),
        }
    }

    /// What the tokens see that go through a block.
    fn of_block<'a>(&self, block: usize, tokens: Tokens<'a>) -> &'a [Sight] {
        match block < self.joined {
            true => &tokens.sights[..tokens.early],
            false => tokens.sights,
        }
    }

    /// From the tokens `x`, `[tokens, width]`, to `trace.output`; `x` is left as the blocks
    /// made it.
    pub fn forward(
        &self,
        parameters: &[f32],
        x: &mut [f32],
        tokens: Tokens<'_>,
        mut dropout: Option<Dropout<'_>>,
        trace: &mut Trace,
    ) {
        trace
            .blocks
            .resize_with(self.blocks.len(), BlockTrace::default);
        let scratch = &mut trace.scratch;
        for (at, (block, trace)) in self.blocks.iter().zip(&mut trace.blocks).enumerate() {
            let sights = self.of_block(at, tokens);
            let x = &mut x[..sights.len() * self.width];
            trace.draw_masks(x.len(), dropout.as_mut());
            let of = |pair: &Pair| pair.of(parameters);
            norm::forward(
                x,
                of(&block.attention_norm),
                norm::EPSILON,
                &mut trace.attention_norm,
                &mut trace.normed,
            );
            let (weight, bias) = of(&block.attention_in);
            linear::forward(
                &trace.normed,
                self.width,
                weight,
                bias,
                &mut trace.projections,
            );
            attention::forward(
                self.heads,
                &trace.projections,
                sights,
                &mut trace.weights,
                &mut trace.context,
            );
            let (weight, bias) = of(&block.attention_out);
            linear::forward(&trace.context, self.width, weight, bias, scratch);
            trace.attention_mask.apply(scratch);
            add(x, scratch);

            norm::forward(
                x,
                of(&block.feed_forward_norm),
                norm::EPSILON,
                &mut trace.feed_forward_norm,
                &mut trace.normed_again,
            );
            let (weight, bias) = of(&block.feed_forward_in);
            linear::forward(
                &trace.normed_again,
                self.width,
                weight,
                bias,
                &mut trace.wide,
            );
            for number in &mut trace.wide {
                *number = number.max(0.0);
            }
            trace.wide_mask.apply(&mut trace.wide);
            let (weight, bias) = of(&block.feed_forward_out);
            linear::forward(&trace.wide, 4 * self.width, weight, bias, scratch);
            trace.feed_forward_mask.apply(scratch);
            add(x, scratch);
        }
        // What candidates become is not normed: see `docs/affinity.md`, what comes out.
        let (early, candidates) = x.split_at(tokens.early * self.width);
        norm::forward(
            early,
            self.norm.of(parameters),
            norm::EPSILON,
            &mut trace.norm,
            &mut trace.output,
        );
        trace.output.extend_from_slice(candidates);
    }

    /// From the gradient of the output to that of the tokens, in `dx`; adds those of the
    /// parameters to `gradients`.
    #[expect(
        clippy::too_many_arguments,
        reason = "what the way there left behind, and where the way back writes"
    )]
    pub fn backward(
        &self,
        parameters: &[f32],
        d_output: &[f32],
        tokens: Tokens<'_>,
        trace: &Trace,
        back: &mut Back,
        gradients: &mut [f32],
        dx: &mut Vec<f32>,
    ) {
        let (d_early, d_candidates) = d_output.split_at(tokens.early * self.width);
        dx.clear();
        dx.resize(d_early.len(), 0.0);
        dx.extend_from_slice(d_candidates);
        let (weight, _) = self.norm.of(parameters);
        norm::backward(
            d_early,
            weight,
            &trace.norm,
            self.norm.of_mut(gradients),
            dx,
        );
        for (at, (block, trace)) in self.blocks.iter().zip(&trace.blocks).enumerate().rev() {
            let sights = self.of_block(at, tokens);
            let dx = &mut dx[..sights.len() * self.width];
            self.feed_forward_backward(parameters, block, trace, back, gradients, dx);
            self.attention_backward(parameters, block, sights, trace, back, gradients, dx);
        }
    }

    fn feed_forward_backward(
        &self,
        parameters: &[f32],
        block: &Block,
        trace: &BlockTrace,
        back: &mut Back,
        gradients: &mut [f32],
        dx: &mut [f32],
    ) {
        let Back {
            branch,
            wide,
            narrow,
            ..
        } = back;
        branch.clear();
        branch.extend_from_slice(dx);
        trace.feed_forward_mask.apply(branch);
        let pair = &block.feed_forward_out;
        let weight = pair.of(parameters).0;
        linear::backward(
            branch,
            &trace.wide,
            4 * self.width,
            weight,
            pair.of_mut(gradients),
            wide,
        );
        trace.wide_mask.apply(wide);
        for (gradient, &number) in wide.iter_mut().zip(&trace.wide) {
            if number <= 0.0 {
                *gradient = 0.0;
            }
        }
        let pair = &block.feed_forward_in;
        let weight = pair.of(parameters).0;
        linear::backward(
            wide,
            &trace.normed_again,
            self.width,
            weight,
            pair.of_mut(gradients),
            narrow,
        );
        let pair = &block.feed_forward_norm;
        let weight = pair.of(parameters).0;
        norm::backward(
            narrow,
            weight,
            &trace.feed_forward_norm,
            pair.of_mut(gradients),
            dx,
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what goes in and what comes out of one half of a block"
    )]
    fn attention_backward(
        &self,
        parameters: &[f32],
        block: &Block,
        sights: &[Sight],
        trace: &BlockTrace,
        back: &mut Back,
        gradients: &mut [f32],
        dx: &mut [f32],
    ) {
        let Back {
            branch,
            narrow,
            projections,
            ..
        } = back;
        branch.clear();
        branch.extend_from_slice(dx);
        trace.attention_mask.apply(branch);
        let pair = &block.attention_out;
        let weight = pair.of(parameters).0;
        linear::backward(
            branch,
            &trace.context,
            self.width,
            weight,
            pair.of_mut(gradients),
            narrow,
        );
        attention::backward(
            self.heads,
            &trace.projections,
            sights,
            &trace.weights,
            narrow,
            projections,
        );
        let pair = &block.attention_in;
        let weight = pair.of(parameters).0;
        linear::backward(
            projections,
            &trace.normed,
            self.width,
            weight,
            pair.of_mut(gradients),
            narrow,
        );
        let pair = &block.attention_norm;
        let weight = pair.of(parameters).0;
        norm::backward(
            narrow,
            weight,
            &trace.attention_norm,
            pair.of_mut(gradients),
            dx,
        );
    }
}

impl BlockTrace {
    fn draw_masks(&mut self, count: usize, dropout: Option<&mut Dropout<'_>>) {
        let (rate, rng) = match dropout {
            Some(dropout) => (dropout.rate, &mut *dropout.rng),
            None => (0.0, &mut Rng::with_seed(0)),
        };
        self.attention_mask.draw(count, rate, rng);
        self.wide_mask.draw(4 * count, rate, rng);
        self.feed_forward_mask.draw(count, rate, rng);
    }
}
