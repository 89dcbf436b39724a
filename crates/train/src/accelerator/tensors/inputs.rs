//! A batch on its device.

use super::padded::{Padded, Part};
use crate::batch::Batch;
use burn_tensor::backend::Backend;
use burn_tensor::{Int, Tensor, TensorData};

/// What the step of a batch is computed from, as tensors.
pub(super) struct Inputs<B: Backend> {
    /// The items of the rows, `[rows]`, and `[rows, 1]` 0 where the id is left out.
    pub items: Tensor<B, 1, Int>,
    pub with_id: Tensor<B, 2>,
    /// Texts of profiles and of queries, `[rows, text]`, where there are any.
    pub profiles: Option<Tensor<B, 2>>,
    pub queries: Option<Tensor<B, 2>>,
    pub history: Tokens<B>,
    pub candidates: Option<Tokens<B>>,
    /// Of each candidate the token of its query, and `[candidates, 1]` 1 where it has one.
    pub query_tokens: Tensor<B, 1, Int>,
    pub has_query: Tensor<B, 2>,
    /// Tokens of histories with a next item, and the row of its vector, `[nexts]`.
    pub next_tokens: Tensor<B, 1, Int>,
    pub next_rows: Tensor<B, 1, Int>,
    /// `[1, drawn]`, where next items are told apart from some that are drawn.
    pub log_expected: Option<Tensor<B, 2>>,
    /// Candidates that are asked about, `[asks]`, and what was done, `[asks, 3]`.
    pub ask_tokens: Tensor<B, 1, Int>,
    pub signs: Tensor<B, 2>,
}

/// The tokens of one part, `[windows · tokens]`.
pub(super) struct Tokens<B: Backend> {
    pub rows: Tensor<B, 1, Int>,
    /// `[windows · tokens, rows of tables]`
    pub added: Tensor<B, 2>,
    /// `[windows, 1, tokens, tokens of a history]`, the same for all heads.
    pub mask: Tensor<B, 4>,
}

impl<B: Backend> Inputs<B> {
    /// Brings a batch to the device; `text` is the length of a text's vector.
    pub fn new(batch: &Batch<'_>, padded: Padded, text: usize, device: &B::Device) -> Self {
        let numbers = |numbers: &[f32], columns: usize| {
            let shape = [numbers.len() / columns.max(1), columns];
            Tensor::from_data(TensorData::new(numbers.to_vec(), shape), device)
        };
        let items: Vec<i32> = batch.rows.items.iter().map(|&item| item as i32).collect();
        let without = batch.rows.without_id.iter();
        let with_id: Vec<f32> = without.map(|&no| if no { 0.0 } else { 1.0 }).collect();
        let texts = |texts: &[f32]| (!texts.is_empty()).then(|| numbers(texts, text));
        let (windows, history) = (padded.windows, padded.history.longest);
        let part = |part: Part| Tokens::new(part, windows, history, device);
        let has_candidates = padded.candidates.tokens() > 0;
        Self {
            items: places(items, device),
            with_id: numbers(&with_id, 1),
            profiles: texts(&batch.given.profiles.texts),
            queries: texts(&batch.given.queries.texts),
            history: part(padded.history),
            candidates: has_candidates.then(|| part(padded.candidates)),
            query_tokens: places(padded.queries, device),
            has_query: numbers(&padded.has_query, 1),
            next_tokens: places(padded.next_tokens, device),
            next_rows: places(padded.next_rows, device),
            log_expected: batch
                .log_expected
                .as_ref()
                .map(|expected| numbers(expected, expected.len())),
            ask_tokens: places(padded.ask_tokens, device),
            signs: numbers(&padded.signs, 3),
        }
    }
}

impl<B: Backend> Tokens<B> {
    fn new(part: Part, windows: usize, history: usize, device: &B::Device) -> Self {
        let added = [part.tokens(), part.added.len() / part.tokens()];
        let mask = [windows, 1, part.longest, history];
        Self {
            rows: places(part.rows, device),
            added: Tensor::from_data(TensorData::new(part.added, added), device),
            mask: Tensor::from_data(TensorData::new(part.mask, mask), device),
        }
    }
}

/// Places of rows.
pub(super) fn places<B: Backend>(places: Vec<i32>, device: &B::Device) -> Tensor<B, 1, Int> {
    let shape = [places.len()];
    Tensor::from_data(TensorData::new(places, shape), device)
}
