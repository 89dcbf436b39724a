//! Where a product goes: floats in memory, or the left side of the next product. Either way
//! its columns can be cut into parts for several threads.

use crate::aligned::{as_floats, as_halves};
use crate::left::Left;
use crate::matrix::{Format, Matrix};
use std::ops::Range;

/// Some columns of a product, which different threads can compute at the same time.
#[derive(Debug)]
pub struct ProductPart<'a> {
    pub(crate) columns: Range<usize>,
    /// These columns of each row.
    pub(crate) rows: RowsOfPart<'a>,
}

/// What the numbers of a product become.
#[derive(Debug)]
pub(crate) enum RowsOfPart<'a> {
    Floats(Vec<&'a mut [f32]>),
    Brain(Vec<&'a mut [u16]>),
}

impl RowsOfPart<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(rows) => rows.len(),
            Self::Brain(rows) => rows.len(),
        }
    }
}

impl Matrix {
    /// Cuts the columns of a product, `[rows, outputs]`, into at most `count` parts. Every
    /// number of the product is the same, however it was cut.
    ///
    /// # Panics
    /// When `out` is not whole rows.
    pub fn parts<'a>(&self, count: usize, out: &'a mut [f32]) -> Vec<ProductPart<'a>> {
        assert_eq!(out.len() % self.outputs, 0, "the output is [rows, outputs]");
        let rows = out.chunks_exact_mut(self.outputs);
        self.cut(count, rows, RowsOfPart::Floats)
    }

    /// Whether the left side of this matrix can be written by another product number by
    /// number: in the integer formats a number depends on all of its row.
    pub fn takes_products(&self) -> bool {
        matches!(self.format, Format::Float | Format::Brain)
    }

    /// Cuts the columns of a product into at most `count` parts as [`parts`](Self::parts)
    /// does, where the product is nothing but the left side of `next`: `rows` rows of `left`,
    /// which spares the way through floats in memory.
    ///
    /// # Panics
    /// When `next` does not [take products](Self::takes_products), has other inputs than this
    /// matrix has outputs, or another format.
    pub fn parts_for<'a>(
        &self,
        next: &Matrix,
        count: usize,
        rows: usize,
        left: &'a mut Left,
    ) -> Vec<ProductPart<'a>> {
        assert_eq!(self.outputs, next.inputs, "an input for every output");
        assert_eq!(self.format, next.format, "matrices of one format");
        assert!(next.takes_products(), "rows with a scale of their own");
        left.prepare(next, rows);
        let words = left.words.words_mut();
        if next.format == Format::Float {
            let rows = as_floats(words).chunks_exact_mut(self.outputs);
            return self.cut(count, rows, RowsOfPart::Floats);
        }
        let rows = as_halves(words).chunks_exact_mut(2 * next.depth);
        let rows = rows.map(|row| {
            let (row, behind) = row.split_at_mut(self.outputs);
            behind.fill(0);
            row
        });
        self.cut(count, rows, RowsOfPart::Brain)
    }

    /// At most `count` parts of whole panels.
    fn cut<'a, T: 'a>(
        &self,
        count: usize,
        rows: impl ExactSizeIterator<Item = &'a mut [T]>,
        kind: fn(Vec<&'a mut [T]>) -> RowsOfPart<'a>,
    ) -> Vec<ProductPart<'a>> {
        let panels = self.outputs.div_ceil(self.width);
        let width = panels.div_ceil(count.max(1)) * self.width;
        let mut parts = Vec::new();
        parts.resize_with(self.outputs.div_ceil(width), || {
            Vec::with_capacity(rows.len())
        });
        for row in rows {
            for (part, columns) in parts.iter_mut().zip(row.chunks_mut(width)) {
                part.push(columns);
            }
        }
        let starts = (0..self.outputs).step_by(width);
        let parts = starts.zip(parts);
        parts
            .map(|(start, rows)| ProductPart {
                columns: start..(start + width).min(self.outputs),
                rows: kind(rows),
            })
            .collect()
    }
}
