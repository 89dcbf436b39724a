//! Texts that are tokens of their own in a batch: profiles of shoppers, `W_shopper · u`, and
//! queries, `W_query · text`.

use crate::product::{self, Into};

/// Texts of one kind, a row each.
#[derive(Debug, Default)]
pub(crate) struct TextTokens {
    /// `[rows, text_dimensions]`
    pub texts: Vec<f32>,
    dimensions: usize,
}

impl TextTokens {
    pub fn new(dimensions: usize) -> Self {
        Self {
            texts: Vec::new(),
            dimensions,
        }
    }

    /// Adds a text; answers its row.
    pub fn add(&mut self, text: &[f32]) -> u32 {
        let row = self.rows();
        self.texts.extend_from_slice(text);
        row as u32
    }

    /// Texts there are.
    pub fn rows(&self) -> usize {
        self.texts.len() / self.dimensions.max(1)
    }

    /// `W · text` of each, `[rows, width]`, behind what is in `tokens`.
    pub fn append_tokens(&self, weight: &[f32], width: usize, tokens: &mut Vec<f32>) {
        let start = tokens.len();
        tokens.resize(start + self.rows() * width, 0.0);
        if start < tokens.len() {
            product::by_transposed(
                &self.texts,
                weight,
                self.dimensions,
                &mut tokens[start..],
                Into::Replace,
            );
        }
    }

    /// Adds the gradient of `W`, given those of the tokens.
    pub fn backward(&self, d_tokens: &[f32], d_weight: &mut [f32]) {
        if !d_tokens.is_empty() {
            product::transposed_by(d_tokens, &self.texts, self.rows(), d_weight, Into::Add);
        }
    }
}

/// The texts of a batch that are tokens of their own.
#[derive(Debug)]
pub(crate) struct Given {
    pub profiles: TextTokens,
    pub queries: TextTokens,
}

impl Given {
    pub fn new(dimensions: usize) -> Self {
        Self {
            profiles: TextTokens::new(dimensions),
            queries: TextTokens::new(dimensions),
        }
    }
}
