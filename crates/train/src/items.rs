//! The vectors of a batch's items, from their texts, ids and fields, and the way back.

use crate::data::Dataset;
use crate::layout::Layout;
use crate::product::{self, Into};
use crate::sums::add;
use fastrand::Rng;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that one thread takes at a time.
const CHUNK: usize = 512;

/// Where the parameters of items lie. They come before all others.
#[derive(Clone, Debug)]
pub(crate) struct ItemTables {
    width: usize,
    text: Option<Range<usize>>,
    pub id: Range<usize>,
    fields: Vec<Range<usize>>,
}

/// Items of a batch, a row each; an item may have several rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub items: Vec<u32>,
    /// Whether the id is left out.
    pub without_id: Vec<bool>,
}

impl Rows {
    /// Leaves out each id with a probability.
    pub fn new(items: Vec<u32>, id_dropout: f32, rng: &mut Rng) -> Self {
        let without_id = items.iter().map(|_| rng.f32() < id_dropout).collect();
        Self { items, without_id }
    }
}

impl ItemTables {
    pub fn new(layout: &Layout, data: &Dataset, width: usize) -> Self {
        let field = |name: &str| {
            layout
                .find(&format!("item.field.{name}"))
                .expect("a tensor of the layout")
        };
        Self {
            width,
            text: layout.find("item.text.weight"),
            id: layout.find("item.id").expect("a tensor of the layout"),
            fields: data.fields.iter().map(|data| field(&data.name)).collect(),
        }
    }

    /// Parameters of items.
    pub fn len(&self) -> usize {
        self.fields.last().map_or(self.id.end, |last| last.end)
    }

    /// `v = W_text · text + id + Σ field` of each row, `[rows, width]`.
    pub fn forward(&self, parameters: &[f32], data: &Dataset, rows: &Rows, vectors: &mut Vec<f32>) {
        let width = self.width;
        vectors.clear();
        vectors.resize(rows.items.len() * width, 0.0);
        vectors
            .par_chunks_mut(CHUNK * width)
            .enumerate()
            .for_each(|(chunk, vectors)| {
                let first = chunk * CHUNK;
                let items = &rows.items[first..first + vectors.len() / width];
                if let Some(text) = &self.text {
                    let texts = texts_of(data, items);
                    product::by_transposed(
                        &texts,
                        &parameters[text.clone()],
                        data.text_dimensions,
                        vectors,
                        Into::Replace,
                    );
                }
                for (at, (&item, vector)) in items
                    .iter()
                    .zip(vectors.chunks_exact_mut(width))
                    .enumerate()
                {
                    if !rows.without_id[first + at] {
                        add(vector, &parameters[self.id_of(item)]);
                    }
                    for (table, field) in self.fields.iter().zip(&data.fields) {
                        add(
                            vector,
                            &parameters[self.row(table, field.of[item as usize])],
                        );
                    }
                }
            });
    }

    /// Adds the gradients of the parameters of items, given those of the vectors.
    pub fn backward(&self, data: &Dataset, rows: &Rows, d_vectors: &[f32], gradients: &mut [f32]) {
        let width = self.width;
        if let Some(text) = &self.text {
            let parts = d_vectors
                .par_chunks(4 * CHUNK * width)
                .zip(rows.items.par_chunks(4 * CHUNK));
            let parts: Vec<Vec<f32>> = parts
                .map(|(d_vectors, items)| {
                    let mut part = vec![0.0; text.len()];
                    let texts = texts_of(data, items);
                    product::transposed_by(
                        d_vectors,
                        &texts,
                        items.len(),
                        &mut part,
                        Into::Replace,
                    );
                    part
                })
                .collect();
            for part in parts {
                add(&mut gradients[text.clone()], &part);
            }
        }
        for (at, (&item, d_vector)) in rows
            .items
            .iter()
            .zip(d_vectors.chunks_exact(width))
            .enumerate()
        {
            if !rows.without_id[at] {
                add(&mut gradients[self.id_of(item)], d_vector);
            }
            for (table, field) in self.fields.iter().zip(&data.fields) {
                add(
                    &mut gradients[self.row(table, field.of[item as usize])],
                    d_vector,
                );
            }
        }
    }

    fn id_of(&self, item: u32) -> Range<usize> {
        self.row(&self.id, item)
    }

    fn row(&self, table: &Range<usize>, row: u32) -> Range<usize> {
        let start = table.start + row as usize * self.width;
        start..start + self.width
    }
}

/// The text vectors of some items, `[items, text_dimensions]`.
fn texts_of(data: &Dataset, items: &[u32]) -> Vec<f32> {
    let size = data.text_dimensions;
    let mut texts = Vec::with_capacity(items.len() * size);
    for &item in items {
        texts.extend_from_slice(&data.texts[item as usize * size..][..size]);
    }
    texts
}
