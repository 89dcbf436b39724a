//! The blocks of the Transformer on tensors: [`crate::network`] once more, padded. Histories go
//! through all of them, candidates join in one of the last and are seen by nobody.

use super::weights::Weights;
use crate::network::norm::EPSILON;
use burn_tensor::activation::{relu, softmax};
use burn_tensor::backend::AutodiffBackend;
use burn_tensor::{Distribution, Tensor};

/// Sizes of a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub width: usize,
    pub heads: usize,
    pub layers: usize,
    /// The block in which candidates join.
    pub joined: usize,
    pub dropout: f32,
}

/// The tokens of one part and what they see of histories.
pub(super) struct Seeing<B: AutodiffBackend> {
    /// `[windows · tokens, width]`
    pub x: Tensor<B, 2>,
    /// `[windows, 1, tokens, tokens of a history]`
    pub mask: Tensor<B, 4>,
}

/// Queries, keys and values of one part, `[windows, heads, tokens, width / heads]`.
struct Projected<B: AutodiffBackend> {
    query: Tensor<B, 4>,
    key: Tensor<B, 4>,
    value: Tensor<B, 4>,
}

/// Runs both parts to their last hidden state.
pub(super) fn run<B: AutodiffBackend>(
    weights: &Weights<'_, B>,
    sizes: Sizes,
    history: Seeing<B>,
    candidates: Option<Seeing<B>>,
) -> (Tensor<B, 2>, Option<Tensor<B, 2>>) {
    let (mut x, mask) = (history.x, history.mask);
    let mut late = candidates.map(|part| (part.x, part.mask));
    for layer in 0..sizes.layers {
        let block = Block {
            weights,
            sizes,
            layer,
        };
        let of_history = block.project(x.clone(), mask.dims()[0]);
        if layer >= sizes.joined
            && let Some((candidates, mask)) = &mut late
        {
            let own = block.project(candidates.clone(), mask.dims()[0]);
            let context = block.beside(&of_history, own, mask.clone());
            *candidates = block.finish(candidates.clone(), context);
        }
        let context = block.among(of_history, mask.clone());
        x = block.finish(x, context);
    }
    // What candidates become is not normed: see `docs/affinity.md`, what comes out.
    let candidates = late.map(|(candidates, _)| candidates);
    (norm(weights, "norm", x), candidates)
}

struct Block<'w, 'a, B: AutodiffBackend> {
    weights: &'w Weights<'a, B>,
    sizes: Sizes,
    layer: usize,
}

impl<B: AutodiffBackend> Block<'_, '_, B> {
    fn name(&self, part: &str) -> String {
        format!("layers.{}.{part}", self.layer)
    }

    fn linear(&self, part: &str, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let weight = self.weights.matrix(&self.name(&format!("{part}.weight")));
        let bias = self.weights.row(&self.name(&format!("{part}.bias")));
        x.matmul(weight.transpose()) + bias
    }

    fn project(&self, x: Tensor<B, 2>, windows: usize) -> Projected<B> {
        let Sizes { width, heads, .. } = self.sizes;
        let tokens = x.dims()[0] / windows;
        let x = norm(self.weights, &self.name("attention.norm"), x);
        let x = self.linear("attention.in", x);
        let third = |at: usize| {
            x.clone()
                .narrow(1, at * width, width)
                .reshape([windows, tokens, heads, width / heads])
                .swap_dims(1, 2)
        };
        Projected {
            query: third(0) * (1.0 / ((width / heads) as f32).sqrt()),
            key: third(1),
            value: third(2),
        }
    }

    /// What the tokens of histories see of each other and themselves, which the mask says.
    fn among(&self, own: Projected<B>, mask: Tensor<B, 4>) -> Tensor<B, 2> {
        let weights = softmax(own.query.matmul(own.key.transpose()) + mask, 3);
        self.together(weights.matmul(own.value))
    }

    /// What candidates see: histories, as the mask says, and themselves.
    fn beside(
        &self,
        history: &Projected<B>,
        own: Projected<B>,
        mask: Tensor<B, 4>,
    ) -> Tensor<B, 2> {
        let seen = mask.dims()[3];
        let of_history = own.query.clone().matmul(history.key.clone().transpose()) + mask;
        let of_itself = (own.query * own.key).sum_dim(3);
        let weights = softmax(Tensor::cat(vec![of_history, of_itself], 3), 3);
        let context = weights
            .clone()
            .narrow(3, 0, seen)
            .matmul(history.value.clone());
        self.together(context + weights.narrow(3, seen, 1) * own.value)
    }

    /// Heads side by side again.
    fn together(&self, context: Tensor<B, 4>) -> Tensor<B, 2> {
        let [windows, _, tokens, _] = context.dims();
        context
            .swap_dims(1, 2)
            .reshape([windows * tokens, self.sizes.width])
    }

    /// The rest of the block, given what attention found.
    fn finish(&self, x: Tensor<B, 2>, context: Tensor<B, 2>) -> Tensor<B, 2> {
        let dropout = self.sizes.dropout;
        let x = x + drop_out(self.linear("attention.out", context), dropout);
        let wide = norm(self.weights, &self.name("feed_forward.norm"), x.clone());
        let wide = relu(self.linear("feed_forward.in", wide));
        let narrow = self.linear("feed_forward.out", drop_out(wide, dropout));
        x + drop_out(narrow, dropout)
    }
}

fn norm<B: AutodiffBackend>(weights: &Weights<'_, B>, name: &str, x: Tensor<B, 2>) -> Tensor<B, 2> {
    let centred = x.clone() - x.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    let plain = centred / (variance + EPSILON).sqrt();
    plain * weights.row(&format!("{name}.weight")) + weights.row(&format!("{name}.bias"))
}

/// Leaves a share of the numbers out, by the random numbers of the device.
pub(super) fn drop_out<B: AutodiffBackend>(x: Tensor<B, 2>, rate: f32) -> Tensor<B, 2> {
    if rate <= 0.0 {
        return x;
    }
    let keep = 1.0 - f64::from(rate);
    let kept = x.random_like(Distribution::Bernoulli(keep));
    x * kept * (1.0 / keep)
}
