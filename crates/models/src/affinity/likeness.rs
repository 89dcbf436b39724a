//! Likeness of texts: how near an item's text is to those of the history, before anything was
//! learned from events. It is no layer: it adds to the logits of retrieval, and says much where
//! little is known of items but their texts.

use super::config::{AffinityConfig, LikenessConfig};
use kernels::{Activation, Cpu, Format, Left, Linear, Matrix, add, normalise, scale};

/// Makes likeness vectors of texts, and what a history wants of them.
#[derive(Debug)]
pub struct Likeness {
    cpu: Cpu,
    config: LikenessConfig,
    /// `[dimensions, text_dimensions]`
    matrix: Matrix,
}

impl Likeness {
    /// Takes the tensors `likeness.weight` and `likeness.bias`; none where the model has none.
    pub fn new(config: &AffinityConfig, cpu: Cpu, weights: &[f32], bias: &[f32]) -> Option<Self> {
        let linear = Linear {
            weights,
            bias,
            magnitudes: &[],
            precise_from: 0,
        };
        Some(Self {
            cpu,
            config: config.likeness?,
            matrix: Matrix::pack(cpu, Format::Float, linear),
        })
    }

    /// Numbers of a likeness vector, `c`.
    pub fn dimensions(&self) -> usize {
        self.config.dimensions
    }

    /// `λ = unit(W · text + b)` of each text, `[texts, text_dimensions]` to `[texts, c]`. A text
    /// of zeros is none and is like nothing.
    pub fn of_texts(&self, texts: &[f32], out: &mut [f32]) {
        let mut left = Left::default();
        left.fill(&self.matrix, texts);
        self.matrix.multiply(&left, Activation::None, out);
        let texts = texts.chunks_exact(self.matrix.inputs());
        for (text, row) in texts.zip(out.chunks_exact_mut(self.config.dimensions)) {
            if text.iter().all(|number| *number == 0.0) {
                row.fill(0.0);
            } else {
                normalise(self.cpu, row);
            }
        }
    }

    /// One more event of a history: what it remembers, `[c]`, fades, and the item's vector is
    /// added.
    pub fn remember(&self, memory: &mut [f32], item: &[f32]) {
        scale(self.cpu, memory, self.config.fading);
        add(self.cpu, memory, item);
    }

    /// What to multiply items' likeness vectors by after a history, `[c]`: what it remembers,
    /// at the length of the strength.
    pub fn wanted(&self, memory: &[f32]) -> Vec<f32> {
        let mut wanted = memory.to_vec();
        normalise(self.cpu, &mut wanted);
        scale(self.cpu, &mut wanted, self.config.strength);
        wanted
    }
}
