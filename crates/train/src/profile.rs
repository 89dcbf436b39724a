//! What a shopper did before the events that the model sees, as one token: the mean of the
//! texts of those items, `u` of `docs/affinity.md`.

use crate::data::{Dataset, Event};
use crate::product::{self, Into};
use crate::sums::add_scaled;
use models::affinity::{DISLIKE, PROFILE_EVENTS};

/// The profiles of a batch.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    /// `[profiles, text_dimensions]`
    texts: Vec<f32>,
    dimensions: usize,
}

impl Profiles {
    pub fn new(data: &Dataset) -> Self {
        Self {
            texts: Vec::new(),
            dimensions: data.text_dimensions,
        }
    }

    /// Adds the profile of events; answers its row. None where no event has a text.
    pub fn row(&mut self, data: &Dataset, older: &[Event]) -> Option<u32> {
        let newest = &older[older.len().saturating_sub(PROFILE_EVENTS)..];
        let size = self.dimensions;
        let texts: Vec<&[f32]> = newest
            .iter()
            .filter(|event| event.kind != DISLIKE)
            .filter_map(|event| {
                data.texts
                    .chunks_exact(size.max(1))
                    .nth(event.item as usize)
            })
            .filter(|text| text.iter().any(|number| *number != 0.0))
            .collect();
        if texts.is_empty() {
            return None;
        }
        let start = self.texts.len();
        self.texts.resize(start + size, 0.0);
        for text in &texts {
            add_scaled(&mut self.texts[start..], 1.0 / texts.len() as f32, text);
        }
        Some((start / size) as u32)
    }

    /// `W_shopper · u` of each, `[profiles, width]`.
    pub fn tokens(&self, weight: &[f32], width: usize) -> Vec<f32> {
        let mut tokens = vec![0.0; self.texts.len() / self.dimensions.max(1) * width];
        if !tokens.is_empty() {
            product::by_transposed(
                &self.texts,
                weight,
                self.dimensions,
                &mut tokens,
                Into::Replace,
            );
        }
        tokens
    }

    /// Adds the gradient of `W_shopper`, given those of the tokens.
    pub fn backward(&self, d_tokens: &[f32], d_weight: &mut [f32]) {
        if !d_tokens.is_empty() {
            let count = self.texts.len() / self.dimensions;
            product::transposed_by(d_tokens, &self.texts, count, d_weight, Into::Add);
        }
    }
}
