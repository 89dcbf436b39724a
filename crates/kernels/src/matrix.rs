//! A matrix of weights, packed once for the products of one path, and the product itself:
//! `activation(left · weightsᵀ + bias)`.
//!
//! Weights are kept in panels two vectors wide. In a panel the words of one depth lie side by
//! side, so the inner loop reads the panel from front to back while the sums stay in
//! registers. Integer formats have one scale an output (weights) and one a row (left side),
//! which come back in at the end: nothing is saturated or wrapped on the way.

use crate::aligned::AlignedWords;
use crate::lanes::{Kernel, Lanes, dispatch};
use crate::left::{Left, RowScale};
use crate::parts::{ProductPart, RowsOfPart};
use crate::rows::{gelu, gelu_to_be_rounded};
use crate::spans::{store_brain_floats, store_vectors};
use crate::tile::{BrainFloats, Bytes, Floats, Halves, Multiply, Sides, VECTORS, tile};
use crate::{Cpu, pack};
use std::ops::Range;

/// How the numbers of a product are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// 32-bit floats.
    Float,
    /// Brain floats, summed as 32-bit floats; needs `avx512_bf16` to be fast.
    Brain,
    /// Fixed point in 16 bits: 12 bits a row on the left, 11 an output on the right. Twice
    /// as fast as floats on AVX2, with a smaller error than brain floats.
    Half,
    /// Bytes: 8 bits on each side, or about 7 where the path has no VNNI.
    Byte,
}

impl Format {
    /// The two-byte format that is fast on this processor.
    pub fn two_bytes(cpu: Cpu) -> Self {
        if cpu.has_brain_floats() {
            Self::Brain
        } else {
            Self::Half
        }
    }

    /// Numbers in a word.
    pub(crate) fn numbers(self) -> usize {
        match self {
            Self::Float => 1,
            Self::Brain | Self::Half => 2,
            Self::Byte => 4,
        }
    }

    /// Words of a row of `inputs` numbers, filled up to whole steps of the inner loop.
    pub(crate) fn depth(self, inputs: usize) -> usize {
        match self {
            Self::Byte => inputs.div_ceil(16) * 4,
            _ => inputs.div_ceil(self.numbers()),
        }
    }
}

/// What is applied to each number of a product.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Activation {
    /// The product as it is.
    None,
    /// `x · Φ(x)` with the error function, not with a tangent (Hendrycks and Gimpel, 2016,
    /// <https://arxiv.org/abs/1606.08415>): to single precision in [`Format::Float`]; in the
    /// other formats, which round more than that, to 7e-6 of `x`.
    Gelu,
    /// `x`, or nothing where it is negative.
    Relu,
}

/// A linear layer before it is packed.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    /// `[outputs, inputs]` in row order.
    pub weights: &'a [f32],
    /// `[outputs]`
    pub bias: &'a [f32],
    /// `[inputs]`, for [`Format::Byte`]: how large each input tends to be. Inputs are divided
    /// by the square root of it and weights multiplied, which leaves fewer outliers to the
    /// quantisation (SmoothQuant, Xiao et al. 2022, <https://arxiv.org/abs/2211.10438>).
    /// Empty: nothing is known.
    pub magnitudes: &'a [f32],
    /// The outputs from here on decide how inputs are divided, for those before them an error
    /// matters less: a query and a key meet again in a softmax, a value goes on as it is.
    pub precise_from: usize,
}

/// A linear layer, packed for one path.
#[derive(Debug)]
pub struct Matrix {
    pub(crate) cpu: Cpu,
    pub(crate) format: Format,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    /// Words of a row.
    pub(crate) depth: usize,
    /// Outputs of a panel.
    pub(crate) width: usize,
    /// `[panel, depth, width]`
    pub(crate) panels: AlignedWords,
    pub(crate) columns: Columns,
    /// What inputs are multiplied with and weights were divided by, `[inputs]`; empty but
    /// for bytes.
    pub(crate) factors: Vec<f32>,
}

/// What comes back in after the sums; each `[outputs]`, filled up to whole panels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub bias: Vec<f32>,
    /// The size of a step of the weights of an output; empty for floats.
    pub scales: Vec<f32>,
    /// The scale times the sum of the weights, for [`Format::Byte`].
    pub shifts: Vec<f32>,
}

impl Matrix {
    /// Packs a layer.
    ///
    /// # Panics
    /// When the weights are not `[outputs, inputs]` with as many outputs as biases, or the
    /// magnitudes are neither absent nor `[inputs]`, or no output is precise.
    pub fn pack(cpu: Cpu, format: Format, linear: Linear<'_>) -> Self {
        let outputs = linear.bias.len();
        assert!(outputs > 0, "a layer without outputs");
        assert_eq!(
            linear.weights.len() % outputs,
            0,
            "weights are not a matrix"
        );
        let inputs = linear.weights.len() / outputs;
        let magnitudes = linear.magnitudes.len();
        assert!(
            magnitudes == 0 || magnitudes == inputs,
            "one magnitude an input"
        );
        assert!(linear.precise_from < outputs, "outputs that are precise");
        dispatch(
            cpu,
            pack::Pack {
                cpu,
                format,
                inputs,
                linear,
            },
        )
    }

    /// Numbers of a row of the product.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Numbers of a row of the left side.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        4 * (self.panels.words().len() + 3 * self.columns.bias.len())
    }

    /// Writes `activation(left · weightsᵀ + bias)` to `out`, `[rows, outputs]`.
    ///
    /// # Panics
    /// When `left` was not made for this matrix, or `out` has another length.
    pub fn multiply(&self, left: &Left, activation: Activation, out: &mut [f32]) {
        for part in self.parts(1, out) {
            self.multiply_part(left, activation, part);
        }
    }

    /// Computes one part of a product.
    ///
    /// # Panics
    /// When `left` was not made for this matrix, or does not have the rows of the part.
    pub fn multiply_part(&self, left: &Left, activation: Activation, part: ProductPart<'_>) {
        assert_eq!(
            (left.depth, left.format),
            (self.depth, self.format),
            "another left side"
        );
        assert_eq!(part.rows.len(), left.rows, "a row for every row");
        dispatch(
            self.cpu,
            Product {
                matrix: self,
                left,
                activation,
                part,
            },
        );
    }
}

/// A format whose sums know the way back to floats.
pub(crate) trait Finish<L: Lanes>: Multiply<L> {
    /// Whether numbers of this format are rounded so much that the error function need not be
    /// exact to single precision.
    const ROUGH: bool;
    /// Whether a product can be written as brain floats. Known at compile time, so that the
    /// code of the others stays small.
    const WRITES_BRAIN: bool = false;

    /// The sums of one row and the columns from `at`, scaled and with their bias.
    fn finish(lanes: L, sum: Self::Sum, row: RowScale, columns: &Columns, at: usize) -> L::Floats;
}

impl<L: Lanes> Finish<L> for Floats {
    const ROUGH: bool = false;

    #[inline(always)]
    fn finish(lanes: L, sum: L::Floats, _: RowScale, columns: &Columns, at: usize) -> L::Floats {
        lanes.add(sum, lanes.load(&columns.bias[at..]))
    }
}

impl<L: Lanes> Finish<L> for BrainFloats {
    const ROUGH: bool = true;
    const WRITES_BRAIN: bool = true;

    #[inline(always)]
    fn finish(lanes: L, sum: L::Floats, _: RowScale, columns: &Columns, at: usize) -> L::Floats {
        lanes.add(sum, lanes.load(&columns.bias[at..]))
    }
}

impl<L: Lanes> Finish<L> for Halves {
    const ROUGH: bool = true;

    #[inline(always)]
    fn finish(lanes: L, sum: L::Words, row: RowScale, columns: &Columns, at: usize) -> L::Floats {
        let scale = lanes.mul(lanes.splat(row.scale), lanes.load(&columns.scales[at..]));
        lanes.fma(lanes.to_floats(sum), scale, lanes.load(&columns.bias[at..]))
    }
}

impl<L: Lanes, const WORDS: usize> Finish<L> for Bytes<WORDS> {
    const ROUGH: bool = true;

    #[inline(always)]
    fn finish(lanes: L, sum: L::Words, row: RowScale, columns: &Columns, at: usize) -> L::Floats {
        // Σ (q - zero) · w = Σ q · w - zero · Σ w
        let shift = lanes.mul(lanes.splat(-row.zero), lanes.load(&columns.shifts[at..]));
        let scaled = lanes.fma(
            lanes.to_floats(sum),
            lanes.load(&columns.scales[at..]),
            shift,
        );
        lanes.fma(
            scaled,
            lanes.splat(row.scale),
            lanes.load(&columns.bias[at..]),
        )
    }
}

struct Product<'a> {
    matrix: &'a Matrix,
    left: &'a Left,
    activation: Activation,
    part: ProductPart<'a>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        match self.matrix.format {
            Format::Float => self.all::<L, Floats>(lanes),
            Format::Brain => self.all::<L, BrainFloats>(lanes),
            Format::Half => self.all::<L, Halves>(lanes),
            Format::Byte if L::BYTE_WORDS == 1 => self.all::<L, Bytes<1>>(lanes),
            Format::Byte => self.all::<L, Bytes<4>>(lanes),
        }
    }
}

/// Where a tile starts, and what it asks for on the way.
struct Place {
    row: usize,
    column: usize,
    next: *const u32,
    next_stride: usize,
}

impl Product<'_> {
    /// Panel by panel, so that a panel is read from far memory once and from the nearest
    /// cache for every further row.
    #[inline(always)]
    fn all<L: Lanes, M: Finish<L>>(mut self, lanes: L) {
        let rows = self.left.rows;
        if rows == 0 {
            return;
        }
        // Tiles of even height: 5 and 5 rows are faster than 8 and 2.
        let tiles = rows.div_ceil(M::ROWS);
        let height = rows.div_ceil(tiles);
        let panel = VECTORS * L::WIDTH * self.matrix.depth;
        // Each tile asks for its share of the panel behind.
        let next_stride = (VECTORS * L::WIDTH).div_ceil(tiles);
        let panels = self.matrix.panels.words().as_ptr();
        for column in self.part.columns.clone().step_by(VECTORS * L::WIDTH) {
            let behind = panels.wrapping_add(column * self.matrix.depth + panel);
            for (tile, row) in (0..rows).step_by(height).enumerate() {
                let next = behind.wrapping_add(tile * next_stride * self.matrix.depth);
                let place = Place {
                    row,
                    column,
                    next,
                    next_stride,
                };
                match height.min(rows - row) {
                    1 => self.one::<L, M, 1>(lanes, place),
                    2 => self.one::<L, M, 2>(lanes, place),
                    3 => self.one::<L, M, 3>(lanes, place),
                    4 => self.one::<L, M, 4>(lanes, place),
                    5 => self.one::<L, M, 5>(lanes, place),
                    6 => self.one::<L, M, 6>(lanes, place),
                    7 => self.one::<L, M, 7>(lanes, place),
                    _ => self.one::<L, M, 8>(lanes, place),
                }
            }
        }
    }

    /// One tile of `ROWS` rows.
    #[inline(always)]
    #[expect(unsafe_code, reason = "see `tile`")]
    fn one<L: Lanes, M: Finish<L>, const ROWS: usize>(&mut self, lanes: L, place: Place) {
        let Place {
            row,
            column,
            next,
            next_stride,
        } = place;
        let (matrix, left) = (self.matrix, self.left);
        let sides = Sides {
            left: left.words.words()[row * left.depth..][..ROWS * left.depth].as_ptr(),
            left_stride: left.depth,
            right: matrix.panels.words()[column * matrix.depth..]
                [..VECTORS * L::WIDTH * matrix.depth]
                .as_ptr(),
            right_stride: VECTORS * L::WIDTH,
            depth: matrix.depth,
            next,
            next_stride,
        };
        // SAFETY: both slices were checked to hold what `sides` describes, and the depth is a
        // multiple of the step (`Format::depth`).
        let sums = unsafe { tile::<L, M, ROWS>(lanes, sides) };
        let Range { start, end } = self.part.columns;
        let width = (VECTORS * L::WIDTH).min(end - column);
        for (sums, row) in sums.into_iter().zip(row..) {
            let mut values = [lanes.splat(0.0); VECTORS];
            for (vector, sum) in sums.into_iter().enumerate() {
                let at = column + vector * L::WIDTH;
                values[vector] = M::finish(lanes, sum, left.scales[row], &matrix.columns, at);
            }
            match self.activation {
                Activation::None => {}
                Activation::Gelu if M::ROUGH => values = gelu_to_be_rounded(lanes, values),
                Activation::Gelu => values = gelu(lanes, values),
                Activation::Relu => {
                    // Not `map`, which is compiled without the instructions of the lanes.
                    for value in &mut values {
                        *value = lanes.max(*value, lanes.splat(0.0));
                    }
                }
            }
            let columns = column - start..column - start + width;
            match &mut self.part.rows {
                RowsOfPart::Floats(rows) => store_vectors(lanes, values, &mut rows[row][columns]),
                RowsOfPart::Brain(rows) if M::WRITES_BRAIN => {
                    store_brain_floats(lanes, values, &mut rows[row][columns]);
                }
                RowsOfPart::Brain(_) => unreachable!("parts for a matrix of another format"),
            }
        }
    }
}
