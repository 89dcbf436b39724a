//! The left side of a product: rows of floats in the format of the matrix.

use crate::aligned::{AlignedWords, as_bytes, as_floats, as_halves};
use crate::lanes::{Kernel, Lanes, dispatch};
use crate::matrix::{Format, Matrix};
use crate::spans::{MOST_LANES, spans};

/// Largest magnitude of an input in fixed point.
pub(crate) const LEFT_HALF: f32 = 2047.0;

/// Rows that a [`Matrix`] can be multiplied with. Kept and filled again, it allocates once.
#[derive(Debug)]
pub struct Left {
    /// `[rows, depth]`
    pub(crate) words: AlignedWords,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) format: Format,
    /// `[rows]`
    pub(crate) scales: Vec<RowScale>,
}

/// Some rows of a [`Left`], which different threads can fill at the same time.
#[derive(Debug)]
pub struct LeftRows<'a> {
    /// `[rows, depth]`
    words: &'a mut [u32],
    scales: &'a mut [RowScale],
}

/// The way back from the integers of a row: a number is `(integer - zero) · scale`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowScale {
    pub scale: f32,
    pub zero: f32,
}

impl RowScale {
    const ONE: Self = Self {
        scale: 1.0,
        zero: 0.0,
    };
}

/// The value of one step when `range` has so many; a range of nothing, or one that is not a
/// number, has steps of one.
pub(crate) fn step(range: f32, steps: f32) -> f32 {
    if range > 0.0 { range / steps } else { 1.0 }
}

impl Default for Left {
    fn default() -> Self {
        Self {
            words: AlignedWords::default(),
            rows: 0,
            depth: 0,
            format: Format::Float,
            scales: Vec::new(),
        }
    }
}

impl Left {
    /// Converts `rows`, `[rows, inputs]`, for products with `matrix` and any other matrix
    /// that was packed for the same path with the same inputs, format and magnitudes.
    ///
    /// # Panics
    /// When the length is not a multiple of the inputs.
    pub fn fill(&mut self, matrix: &Matrix, rows: &[f32]) {
        let count = rows.len() / matrix.inputs;
        for part in self.parts(matrix, count, count.max(1)) {
            part.fill(matrix, rows);
        }
    }

    /// Makes room for `rows` rows as [`fill`](Self::fill) converts them, in parts of `height`,
    /// every one of which must be filled.
    pub fn parts(&mut self, matrix: &Matrix, rows: usize, height: usize) -> Vec<LeftRows<'_>> {
        self.prepare(matrix, rows);
        let words = self.words.words_mut().chunks_mut(height * self.depth);
        let parts = words.zip(self.scales.chunks_mut(height));
        parts
            .map(|(words, scales)| LeftRows { words, scales })
            .collect()
    }

    /// Makes room for `rows` rows.
    pub(crate) fn prepare(&mut self, matrix: &Matrix, rows: usize) {
        self.rows = rows;
        self.depth = matrix.depth;
        self.format = matrix.format;
        self.words.resize(rows * self.depth);
        self.scales.resize(rows, RowScale::ONE);
    }
}

impl LeftRows<'_> {
    /// Converts the rows of this part, `[rows, inputs]`, for the matrix that the parts were
    /// made for.
    ///
    /// # Panics
    /// When there are more rows or fewer.
    pub fn fill(self, matrix: &Matrix, rows: &[f32]) {
        assert_eq!(
            rows.len(),
            self.scales.len() * matrix.inputs,
            "rows are [rows, inputs]"
        );
        assert_eq!(
            self.words.len(),
            self.scales.len() * matrix.depth,
            "another matrix"
        );
        dispatch(
            matrix.cpu,
            Convert {
                left: self,
                matrix,
                rows,
            },
        );
    }
}

struct Convert<'a> {
    left: LeftRows<'a>,
    matrix: &'a Matrix,
    rows: &'a [f32],
}

impl Kernel for Convert<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Matrix {
            format,
            inputs,
            depth,
            ..
        } = *self.matrix;
        let factors = &self.matrix.factors;
        // A row times the factors.
        let mut scaled = Vec::new();
        let words = self.left.words.chunks_exact_mut(depth);
        let places = words.zip(self.left.scales);
        for (row, (words, scale)) in self.rows.chunks_exact(inputs).zip(places) {
            *scale = match format {
                Format::Float => {
                    as_floats(words).copy_from_slice(row);
                    RowScale::ONE
                }
                Format::Brain => {
                    narrow(lanes, &Brain, row, as_halves(words));
                    RowScale::ONE
                }
                Format::Half => halves(lanes, row, as_halves(words)),
                Format::Byte if factors.is_empty() => {
                    let range = range(lanes, row);
                    bytes(lanes, row, range, as_bytes(words))
                }
                Format::Byte => {
                    multiply(lanes, row, factors, &mut scaled);
                    let range = range(lanes, &scaled);
                    bytes(lanes, &scaled, range, as_bytes(words))
                }
            };
        }
    }
}

/// A narrower number and how a vector of floats becomes some of them.
trait Narrow<L: Lanes> {
    type Number: Copy + Default;

    fn store(&self, lanes: L, value: L::Floats, to: &mut [Self::Number]);
}

/// Narrows a row; what is left of `to` gets what zeros become.
#[inline(always)]
fn narrow<L: Lanes, N: Narrow<L>>(lanes: L, narrow: &N, row: &[f32], to: &mut [N::Number]) {
    let (whole, tail) = row.split_at(row.len() / L::WIDTH * L::WIDTH);
    let (to, last_to) = to.split_at_mut(whole.len());
    let vectors = whole.chunks_exact(L::WIDTH);
    for (numbers, to) in vectors.zip(to.chunks_exact_mut(L::WIDTH)) {
        narrow.store(lanes, lanes.load(numbers), to);
    }
    let mut last = [0.0; MOST_LANES];
    last[..tail.len()].copy_from_slice(tail);
    let mut last_narrow = [N::Number::default(); MOST_LANES];
    narrow.store(lanes, lanes.load(&last), &mut last_narrow);
    last_to.copy_from_slice(&last_narrow[..last_to.len()]);
}

struct Brain;

impl<L: Lanes> Narrow<L> for Brain {
    type Number = u16;

    #[inline(always)]
    fn store(&self, lanes: L, value: L::Floats, to: &mut [u16]) {
        lanes.store_brain(value, to);
    }
}

struct Halves<F> {
    inverse: F,
}

impl<L: Lanes> Narrow<L> for Halves<L::Floats> {
    type Number = u16;

    #[inline(always)]
    fn store(&self, lanes: L, value: L::Floats, to: &mut [u16]) {
        lanes.store_halves(lanes.to_words(lanes.mul(value, self.inverse)), to);
    }
}

#[inline(always)]
fn halves<L: Lanes>(lanes: L, row: &[f32], to: &mut [u16]) -> RowScale {
    let mut largest = lanes.splat(0.0);
    for span in spans::<L>(row.len()) {
        let value = span.load(lanes, row);
        let magnitude = lanes.max(value, lanes.sub(lanes.splat(0.0), value));
        largest = lanes.max(largest, magnitude);
    }
    let scale = step(lanes.largest(largest), LEFT_HALF);
    let inverse = lanes.splat(1.0 / scale);
    narrow(lanes, &Halves { inverse }, row, to);
    RowScale { scale, zero: 0.0 }
}

/// A row times the factors in `scaled`.
#[inline(always)]
fn multiply<L: Lanes>(lanes: L, row: &[f32], factors: &[f32], scaled: &mut Vec<f32>) {
    scaled.resize(row.len(), 0.0);
    let inputs = row
        .chunks_exact(L::WIDTH)
        .zip(factors.chunks_exact(L::WIDTH));
    for ((numbers, factors), to) in inputs.zip(scaled.chunks_exact_mut(L::WIDTH)) {
        lanes.store(lanes.mul(lanes.load(numbers), lanes.load(factors)), to);
    }
    for at in row.len() / L::WIDTH * L::WIDTH..row.len() {
        scaled[at] = row[at] * factors[at];
    }
}

/// The smallest and the largest number of a row, zero among them.
#[inline(always)]
fn range<L: Lanes>(lanes: L, row: &[f32]) -> (f32, f32) {
    // Two of each, so that one comparison need not wait for the one before.
    let mut most = [lanes.splat(0.0); 2];
    let mut least = [lanes.splat(0.0); 2];
    let pairs = row.chunks_exact(2 * L::WIDTH);
    let rest = pairs.remainder();
    for pair in pairs {
        for (half, numbers) in pair.chunks_exact(L::WIDTH).enumerate() {
            let value = lanes.load(numbers);
            most[half] = lanes.max(most[half], value);
            least[half] = lanes.min(least[half], value);
        }
    }
    let (mut most, mut least) = (
        lanes.largest(lanes.max(most[0], most[1])),
        lanes.smallest(lanes.min(least[0], least[1])),
    );
    for value in rest {
        most = most.max(*value);
        least = least.min(*value);
    }
    (least, most)
}

struct Bytes<F> {
    inverse: F,
    zero: F,
    nothing: F,
    most: F,
}

impl<L: Lanes> Narrow<L> for Bytes<L::Floats> {
    type Number = u8;

    #[inline(always)]
    fn store(&self, lanes: L, value: L::Floats, to: &mut [u8]) {
        let steps = lanes.fma(value, self.inverse, self.zero);
        // Rounding at both ends can pass the range by one step.
        let steps = lanes.max(lanes.min(steps, self.most), self.nothing);
        lanes.store_bytes(lanes.to_words(steps), to);
    }
}

/// The full range of a row becomes 0 to the largest byte; zero stays exact.
#[inline(always)]
fn bytes<L: Lanes>(lanes: L, row: &[f32], (least, most): (f32, f32), to: &mut [u8]) -> RowScale {
    let scale = step(most - least, L::LEFT_BYTE as f32);
    let zero = (-least / scale).round_ties_even();
    let to_bytes = Bytes {
        inverse: lanes.splat(1.0 / scale),
        zero: lanes.splat(zero),
        nothing: lanes.splat(0.0),
        most: lanes.splat(L::LEFT_BYTE as f32),
    };
    narrow(lanes, &to_bytes, row, to);
    RowScale { scale, zero }
}
