//! What the forward pass asks of a model file, whatever its format: the sizes of the
//! network, its tensors by name, and single rows of the word embeddings. A reader checks
//! every shape when it opens the file, so reading afterwards cannot fail.

use std::fmt;

/// The sizes of a BERT network.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub feed_forward: usize,
    pub vocabulary: usize,
    /// Rows of the table of positions, at most this many tokens a text.
    pub positions: usize,
    pub token_types: usize,
    /// Added to the variance by layer norm.
    pub epsilon: f32,
}

/// One tensor of a BERT network; matrices are `[outputs, inputs]` in row order.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Tensor {
    /// `[positions, hidden]`
    Positions,
    /// `[token_types, hidden]`
    TokenTypes,
    /// The norm after the sum of the embeddings, `[hidden]`.
    EmbeddingNorm(Part),
    /// `[hidden, hidden]` and `[hidden]`
    Query(usize, Part),
    Key(usize, Part),
    Value(usize, Part),
    /// The projection after attention, `[hidden, hidden]`.
    AttentionOutput(usize, Part),
    AttentionNorm(usize, Part),
    /// `[feed_forward, hidden]`
    FeedForwardIn(usize, Part),
    /// `[hidden, feed_forward]`
    FeedForwardOut(usize, Part),
    OutputNorm(usize, Part),
}

/// The two tensors of a linear layer or a norm.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Part {
    Weight,
    Bias,
}

impl Tensor {
    /// Every tensor of a network of `layers` layers.
    pub fn all(layers: usize) -> impl Iterator<Item = Self> {
        const IN_LAYER: [fn(usize, Part) -> Tensor; 8] = [
            Tensor::Query,
            Tensor::Key,
            Tensor::Value,
            Tensor::AttentionOutput,
            Tensor::AttentionNorm,
            Tensor::FeedForwardIn,
            Tensor::FeedForwardOut,
            Tensor::OutputNorm,
        ];
        let embeddings = [
            Self::Positions,
            Self::TokenTypes,
            Self::EmbeddingNorm(Part::Weight),
            Self::EmbeddingNorm(Part::Bias),
        ];
        let in_layers = (0..layers).flat_map(|layer| {
            IN_LAYER
                .into_iter()
                .flat_map(move |tensor| [tensor(layer, Part::Weight), tensor(layer, Part::Bias)])
        });
        embeddings.into_iter().chain(in_layers)
    }

    /// The shape that `shape` asks of this tensor.
    pub fn dimensions(self, shape: &Shape) -> Vec<usize> {
        let Shape {
            hidden,
            feed_forward,
            ..
        } = *shape;
        match self {
            Self::Positions => vec![shape.positions, hidden],
            Self::TokenTypes => vec![shape.token_types, hidden],
            Self::Query(_, Part::Weight)
            | Self::Key(_, Part::Weight)
            | Self::Value(_, Part::Weight)
            | Self::AttentionOutput(_, Part::Weight) => vec![hidden, hidden],
            Self::FeedForwardIn(_, Part::Weight) => vec![feed_forward, hidden],
            Self::FeedForwardOut(_, Part::Weight) => vec![hidden, feed_forward],
            Self::FeedForwardIn(_, Part::Bias) => vec![feed_forward],
            _ => vec![hidden],
        }
    }
}

/// A model file opened and checked.
pub(crate) trait Weights: Send + Sync + fmt::Debug {
    fn shape(&self) -> &Shape;

    /// The tensor as floats in row order; its length is the product of its
    /// [dimensions](Tensor::dimensions).
    fn read(&self, tensor: Tensor) -> Vec<f32>;

    /// Writes one row of the word embeddings, `[hidden]`. `token` is below the vocabulary.
    fn word(&self, token: u32, row: &mut [f32]);
}
