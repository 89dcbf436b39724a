//! One step after the other: texts there, the contrast of their vectors, and back.

use super::bert::{Back, Bert, Packed, Trace};
use super::loss::{self, Sides, Slopes};
use super::options::{EncoderOptions, Words};
use super::pool::Pooled;
use crate::adam::Adam;
use crate::layout::Layout;
use encode::{Parts, Pooling};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Shares of a batch. Their number is fixed, so that sums are taken in one order on any
/// number of threads.
const SHARES: usize = 4;
/// Texts that are encoded together where nothing is learned.
const TOGETHER: usize = 16;
/// Numbers of which one sum of squares is taken.
const SUMMED: usize = 65_536;

/// A pair by the places of its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PairOfTexts {
    pub query: u32,
    pub item: u32,
}

/// A model in training.
pub(super) struct Trainer<'a> {
    options: &'a EncoderOptions,
    pooling: Pooling,
    bert: Bert,
    pub numbers: Vec<f32>,
    pub adam: Adam,
    /// Where the parameters behind the words lie, and whether they decay: matrices do.
    behind_words: Vec<(Range<usize>, bool)>,
    /// The tokens of every text.
    texts: &'a [Vec<u32>],
    shares: Vec<Share>,
    slopes: Slopes,
}

/// The memory of a share.
#[derive(Default)]
struct Share {
    packed: Packed,
    trace: Trace,
    pooled: Pooled,
    back: Back,
    d_states: Vec<f32>,
    /// Of all parameters but the words.
    gradients: Vec<f32>,
    /// By token.
    words: BTreeMap<u32, Vec<f32>>,
}

impl<'a> Trainer<'a> {
    pub fn new(parts: &Parts, texts: &'a [Vec<u32>], options: &'a EncoderOptions) -> Self {
        let layout = Layout::new(parts.tensors());
        let bert = Bert::new(&layout, parts.shape());
        let numbers = parts.numbers();
        let behind_words = layout.tensors().iter().skip(1);
        Self {
            options,
            pooling: parts.pooling(),
            adam: Adam::new(numbers.len()),
            numbers,
            behind_words: behind_words
                .map(|tensor| (tensor.range.clone(), tensor.shape.len() > 1))
                .collect(),
            bert,
            texts,
            shares: (0..SHARES).map(|_| Share::default()).collect(),
            slopes: Slopes::default(),
        }
    }

    pub fn width(&self) -> usize {
        self.bert.width()
    }

    /// The vectors of some texts as the model is now, `[texts, width]`.
    pub fn vectors(&self, texts: &[u32]) -> Vec<f32> {
        let mut vectors = vec![0.0; texts.len() * self.width()];
        let outs = vectors.par_chunks_mut(TOGETHER * self.width());
        let work = texts.par_chunks(TOGETHER).zip(outs);
        work.for_each_init(Share::default, |share, (texts, out)| {
            share.there(self.there(), texts);
            out.copy_from_slice(&share.pooled.vectors);
        });
        vectors
    }

    /// Tokens of some pairs.
    pub fn tokens(&self, pairs: &[PairOfTexts]) -> usize {
        let texts = pairs.iter().flat_map(|pair| [pair.query, pair.item]);
        texts.map(|text| self.texts[text as usize].len()).sum()
    }

    fn there(&self) -> There<'_> {
        There {
            bert: &self.bert,
            pooling: self.pooling,
            numbers: &self.numbers,
            texts: self.texts,
        }
    }

    /// Learns from some pairs at this rate; the mean loss of a pair. `guide` answers the vector
    /// of a text before training.
    pub fn step<'g>(
        &mut self,
        pairs: &[PairOfTexts],
        guide: &dyn Fn(u32) -> &'g [f32],
        rate: f32,
    ) -> f64 {
        let loss = self.gradients(pairs, guide);
        self.learn(rate);
        loss
    }

    /// Leaves the gradients of the parameters in the first share.
    fn gradients<'g>(&mut self, pairs: &[PairOfTexts], guide: &dyn Fn(u32) -> &'g [f32]) -> f64 {
        let width = self.width();
        let texts: Vec<u32> = pairs
            .iter()
            .flat_map(|pair| [pair.query, pair.item])
            .collect();
        let height = texts.len().div_ceil(SHARES).max(1);
        let mut shares = std::mem::take(&mut self.shares);
        let used = texts.len().div_ceil(height);
        let there = self.there();
        let work = shares.par_iter_mut().zip(texts.par_chunks(height));
        work.for_each(|(share, texts)| share.there(there, texts));

        let [queries, items] = sides(shares[..used].iter().map(|share| &share.pooled), width);
        let guides = |of: &dyn Fn(&PairOfTexts) -> u32| -> Vec<f32> {
            let rows = pairs.iter().map(|pair| guide(of(pair)));
            rows.flatten().copied().collect()
        };
        let (guide_queries, guide_items) = (guides(&|pair| pair.query), guides(&|pair| pair.item));
        let mut slopes = std::mem::take(&mut self.slopes);
        let loss = loss::contrast(
            Sides {
                queries: &queries,
                items: &items,
            },
            Sides {
                queries: &guide_queries,
                items: &guide_items,
            },
            width,
            self.options.temperature,
            &mut slopes,
        );
        let rows = slopes.queries.chunks_exact(width);
        let rows = rows.zip(slopes.items.chunks_exact(width));
        let d_vectors: Vec<f32> = rows
            .flat_map(|(query, item)| [query, item])
            .flatten()
            .copied()
            .collect();
        let there = self.there();
        let with_words = self.options.words == Words::Trained;
        let work = shares[..used]
            .par_iter_mut()
            .zip(d_vectors.par_chunks(height * width));
        work.for_each(|(share, d_vectors)| share.back(there, d_vectors, with_words));
        gather(&mut shares[..used]);
        (self.shares, self.slopes) = (shares, slopes);
        loss
    }

    /// Moves the parameters against the gradients in the first share, which are made shorter
    /// where they are very long (Pascanu et al. 2013, <https://arxiv.org/abs/1211.5063>).
    fn learn(&mut self, rate: f32) {
        let share = &mut self.shares[0];
        let length = (squares(&share.gradients)
            + share.words.values().map(|row| squares(row)).sum::<f64>())
        .sqrt();
        let factor = (f64::from(self.options.clip) / length.max(f64::MIN_POSITIVE)) as f32;
        if factor < 1.0 {
            let parts = share.gradients.par_chunks_mut(SUMMED);
            parts.for_each(|part| part.iter_mut().for_each(|x| *x *= factor));
            let words = share.words.values_mut().flatten();
            words.for_each(|x| *x *= factor);
        }
        self.adam.begin();
        let (words, width) = (self.bert.words(), self.bert.width());
        for (range, decays) in &self.behind_words {
            let decay = if *decays { self.options.decay } else { 0.0 };
            let gradients = &share.gradients[range.start - words..range.end - words];
            self.adam
                .update(range.clone(), &mut self.numbers, gradients, rate, decay);
        }
        // Only words of the batch move: the others have no gradient, and without one their
        // means of the past would push them on.
        for (&token, row) in &share.words {
            let start = token as usize * width;
            let decay = self.options.decay;
            self.adam
                .update(start..start + width, &mut self.numbers, row, rate, decay);
        }
    }
}

/// What a pass needs.
#[derive(Clone, Copy)]
struct There<'a> {
    bert: &'a Bert,
    pooling: Pooling,
    numbers: &'a [f32],
    texts: &'a [Vec<u32>],
}

impl Share {
    /// Encodes texts, and keeps what the way back needs.
    fn there(&mut self, there: There<'_>, texts: &[u32]) {
        let Packed {
            tokens,
            texts: places,
        } = &mut self.packed;
        tokens.clear();
        places.clear();
        for &text in texts {
            let start = tokens.len();
            tokens.extend_from_slice(&there.texts[text as usize]);
            places.push(start..tokens.len());
        }
        let states = there
            .bert
            .forward(there.numbers, &self.packed, &mut self.trace);
        let width = there.bert.width();
        self.pooled
            .forward(there.pooling, &self.packed, states, width);
    }

    fn back(&mut self, there: There<'_>, d_vectors: &[f32], with_words: bool) {
        let (bert, width) = (there.bert, there.bert.width());
        self.gradients.clear();
        self.gradients
            .resize(there.numbers.len() - bert.words(), 0.0);
        self.words.clear();
        self.pooled.backward(
            there.pooling,
            &self.packed,
            self.trace.output(),
            d_vectors,
            &mut self.d_states,
        );
        let d_tokens = bert.backward(
            there.numbers,
            &self.packed,
            &self.trace,
            &self.d_states,
            &mut self.back,
            &mut self.gradients,
        );
        if !with_words {
            return;
        }
        for (&token, gradient) in self.packed.tokens.iter().zip(d_tokens.chunks_exact(width)) {
            let row = self.words.entry(token).or_insert_with(|| vec![0.0; width]);
            add(row, gradient);
        }
    }
}

/// Queries and items of the batch apart; they take turns in the shares.
fn sides<'a>(shares: impl Iterator<Item = &'a Pooled>, width: usize) -> [Vec<f32>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    let rows = shares.flat_map(|pooled| pooled.vectors.chunks_exact(width));
    for (at, row) in rows.enumerate() {
        sides[at % 2].extend_from_slice(row);
    }
    sides
}

/// Sums the shares' gradients into those of the first.
fn gather(shares: &mut [Share]) {
    let (first, others) = shares.split_at_mut(1);
    let first = &mut first[0];
    let parts = first.gradients.par_chunks_mut(SUMMED).enumerate();
    parts.for_each(|(at, sum)| {
        for share in &*others {
            add(sum, &share.gradients[at * SUMMED..]);
        }
    });
    for share in others {
        for (token, row) in std::mem::take(&mut share.words) {
            match first.words.get_mut(&token) {
                Some(sum) => add(sum, &row),
                None => {
                    first.words.insert(token, row);
                }
            }
        }
    }
}

/// The sum of squares, part by part in one order.
fn squares(numbers: &[f32]) -> f64 {
    let parts = numbers.par_chunks(SUMMED);
    let sums: Vec<f64> = parts
        .map(|part| part.iter().map(|&x| f64::from(x) * f64::from(x)).sum())
        .collect();
    sums.iter().sum()
}

fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

#[cfg(test)]
mod tests;
