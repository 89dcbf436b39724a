//! Kernels over rows of floats: layer norm, softmax, GELU, sums, lengths and dot products.
//! Each takes the path as its first argument and works in place where it can.

use crate::Cpu;
use crate::lanes::{Kernel, Lanes, dispatch};
use crate::spans::spans;

/// The parameters of a layer norm.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// `[hidden]`
    pub weight: Vec<f32>,
    /// `[hidden]`
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNorm {
    /// Adds `residual` to each row and normalises it: `(x - mean) / √(variance + epsilon) ·
    /// weight + bias` (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>). Both `[rows,
    /// hidden]`.
    ///
    /// # Panics
    /// When the lengths do not agree.
    pub fn add(&self, cpu: Cpu, rows: &mut [f32], residual: &[f32]) {
        assert_eq!(rows.len(), residual.len(), "a residual for every number");
        assert_eq!(
            self.weight.len(),
            self.bias.len(),
            "a bias for every weight"
        );
        assert_eq!(rows.len() % self.weight.len(), 0, "rows are [rows, hidden]");
        dispatch(
            cpu,
            AddNorm {
                rows,
                residual,
                norm: self,
            },
        );
    }

    /// Writes each row normalised to `out` and leaves the row, which a block with its norm
    /// in front adds to later. Both `[rows, hidden]`.
    ///
    /// # Panics
    /// When the lengths do not agree.
    pub fn apply(&self, cpu: Cpu, rows: &[f32], out: &mut [f32]) {
        assert_eq!(rows.len(), out.len(), "as many numbers out as in");
        assert_eq!(
            self.weight.len(),
            self.bias.len(),
            "a bias for every weight"
        );
        assert_eq!(rows.len() % self.weight.len(), 0, "rows are [rows, hidden]");
        dispatch(
            cpu,
            ApplyNorm {
                rows,
                out,
                norm: self,
            },
        );
    }
}

struct ApplyNorm<'a> {
    rows: &'a [f32],
    out: &'a mut [f32],
    norm: &'a LayerNorm,
}

impl Kernel for ApplyNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let hidden = self.norm.weight.len();
        let out = self.out.chunks_exact_mut(hidden);
        for (row, out) in self.rows.chunks_exact(hidden).zip(out) {
            let mut sum = lanes.splat(0.0);
            for span in spans::<L>(hidden) {
                let value = span.load(lanes, row);
                sum = lanes.add(sum, value);
                span.store(lanes, value, out);
            }
            norm_row(lanes, self.norm, lanes.sum(sum), out);
        }
    }
}

struct AddNorm<'a> {
    rows: &'a mut [f32],
    residual: &'a [f32],
    norm: &'a LayerNorm,
}

impl Kernel for AddNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let hidden = self.norm.weight.len();
        let residual = self.residual.chunks_exact(hidden);
        for (row, residual) in self.rows.chunks_exact_mut(hidden).zip(residual) {
            let mut sum = lanes.splat(0.0);
            for span in spans::<L>(hidden) {
                let value = lanes.add(span.load(lanes, row), span.load(lanes, residual));
                sum = lanes.add(sum, value);
                span.store(lanes, value, row);
            }
            norm_row(lanes, self.norm, lanes.sum(sum), row);
        }
    }
}

/// Normalises a row that has the sum `sum`.
#[inline(always)]
fn norm_row<L: Lanes>(lanes: L, norm: &LayerNorm, sum: f32, row: &mut [f32]) {
    let hidden = row.len();
    let mean = sum / hidden as f32;
    let middle = lanes.splat(mean);
    let mut squares = lanes.splat(0.0);
    for span in spans::<L>(hidden) {
        let off = lanes.sub(span.load(lanes, row), middle);
        squares = lanes.fma(off, off, squares);
    }
    // The zeros behind a partly filled vector are off by the mean.
    let zeros = (hidden.next_multiple_of(L::WIDTH) - hidden) as f32;
    let variance = (lanes.sum(squares) - zeros * mean * mean) / hidden as f32;
    let scale = lanes.splat(1.0 / (variance.max(0.0) + norm.epsilon).sqrt());
    for span in spans::<L>(hidden) {
        let value = lanes.mul(lanes.sub(span.load(lanes, row), middle), scale);
        let weight = span.load(lanes, &norm.weight);
        let value = lanes.fma(value, weight, span.load(lanes, &norm.bias));
        span.store(lanes, value, row);
    }
}

/// Makes a row of scores times `scale` a distribution: `exp(x) / Σ exp(x)`. An empty row stays so.
pub fn softmax(cpu: Cpu, row: &mut [f32], scale: f32) {
    dispatch(cpu, Softmax { row, scale });
}

struct Softmax<'a> {
    row: &'a mut [f32],
    scale: f32,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        softmax_row(lanes, self.row, self.scale);
    }
}

#[inline(always)]
pub(crate) fn softmax_row<L: Lanes>(lanes: L, row: &mut [f32], scale: f32) {
    let Some(&first) = row.first() else {
        return;
    };
    let mut most = lanes.splat(first);
    for span in spans::<L>(row.len()) {
        if span.count == L::WIDTH {
            most = lanes.max(most, span.load(lanes, row));
        } else {
            for value in &row[span.at..] {
                most = lanes.max(most, lanes.splat(*value));
            }
        }
    }
    let (scale, most) = (lanes.splat(scale), lanes.splat(lanes.largest(most) * scale));
    let minus = lanes.sub(lanes.splat(0.0), most);
    let mut total = 0.0;
    let mut sum = lanes.splat(0.0);
    for span in spans::<L>(row.len()) {
        let value = exp(lanes, lanes.fma(span.load(lanes, row), scale, minus));
        span.store(lanes, value, row);
        if span.count == L::WIDTH {
            sum = lanes.add(sum, value);
        } else {
            total += row[span.at..].iter().sum::<f32>();
        }
    }
    let share = lanes.splat(1.0 / (total + lanes.sum(sum)));
    for span in spans::<L>(row.len()) {
        span.store(lanes, lanes.mul(span.load(lanes, row), share), row);
    }
}

/// `e^x`, to 2 units in the last place; below -87 it is `e^-87`, as good as nothing.
///
/// `x = n · ln 2 + r` with `|r| ≤ ln 2 / 2`; `ln 2` is taken off in two parts so that nothing is
/// lost (Cody and Waite), and `e^r` is its Taylor series.
#[inline(always)]
pub(crate) fn exp<L: Lanes>(lanes: L, x: L::Floats) -> L::Floats {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const SERIES: [f32; 7] = [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let x = lanes.max(lanes.min(x, lanes.splat(88.0)), lanes.splat(-87.0));
    let n = lanes.round(lanes.mul(x, lanes.splat(std::f32::consts::LOG2_E)));
    let rest = lanes.fma(n, lanes.splat(-LN_2_HIGH), x);
    let rest = lanes.fma(n, lanes.splat(-LN_2_LOW), rest);
    let mut value = lanes.splat(SERIES[0]);
    for term in &SERIES[1..] {
        value = lanes.fma(value, rest, lanes.splat(*term));
    }
    lanes.mul(value, lanes.power_of_two(n))
}

/// GELU on every number.
pub fn gelu_all(cpu: Cpu, numbers: &mut [f32]) {
    dispatch(cpu, GeluAll { numbers });
}

struct GeluAll<'a> {
    numbers: &'a mut [f32],
}

impl Kernel for GeluAll<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for span in spans::<L>(self.numbers.len()) {
            let [value] = gelu(lanes, [span.load(lanes, self.numbers)]);
            span.store(lanes, value, self.numbers);
        }
    }
}

/// From here on the error function is 1 in single precision.
const ERF_END: f32 = 3.925;

/// `erf(z) / z` as a polynomial of `t = 2 z² / ERF_END² - 1`, highest power first: fitted to the
/// smallest largest error of `erf` (6e-7) over the whole range.
const ERF: [f32; 14] = [
    -0.003_769_900_2,
    0.008_986_486,
    -0.005_532_619,
    0.005_266_124_4,
    -0.020_829_255,
    0.035_629_52,
    -0.043_715_48,
    0.056_633_476,
    -0.073_960_505,
    0.090_866_156,
    -0.109_108_17,
    0.133_916_57,
    -0.179_883_54,
    0.360_278_07,
];

/// The end and the polynomial where the result is rounded to two bytes or one: the largest
/// error of `erf` is 8e-6.
const ROUGH_END: f32 = 3.2;
const ROUGH_ERF: [f32; 10] = [
    -0.005_802_895,
    0.014_789_407,
    -0.017_704_953,
    0.027_749_995,
    -0.053_088_997,
    0.082_372_6,
    -0.114_034_64,
    0.154_161_1,
    -0.217_283_52,
    0.441_337_6,
];

/// `x · Φ(x) = x/2 · (1 + erf(x / √2))`, for several vectors at once.
#[inline(always)]
pub(crate) fn gelu<L: Lanes, const N: usize>(lanes: L, x: [L::Floats; N]) -> [L::Floats; N] {
    gelu_by(lanes, ERF_END, &ERF, x)
}

/// The same for numbers that are rounded to two bytes or one afterwards.
#[inline(always)]
pub(crate) fn gelu_to_be_rounded<L: Lanes, const N: usize>(
    lanes: L,
    x: [L::Floats; N],
) -> [L::Floats; N] {
    gelu_by(lanes, ROUGH_END, &ROUGH_ERF, x)
}

/// A chain of fourteen additions would wait for each; even and odd powers of several vectors
/// are independent, which keeps the processor busy.
#[inline(always)]
fn gelu_by<L: Lanes, const N: usize>(
    lanes: L,
    end: f32,
    erf: &[f32],
    x: [L::Floats; N],
) -> [L::Floats; N] {
    let nothing = [lanes.splat(0.0); N];
    let (mut z, mut t, mut square) = (nothing, nothing, nothing);
    for i in 0..N {
        let value = lanes.mul(x[i], lanes.splat(std::f32::consts::FRAC_1_SQRT_2));
        let value = lanes.min(value, lanes.splat(end));
        z[i] = lanes.max(value, lanes.splat(-end));
        let double = lanes.splat(2.0 / (end * end));
        t[i] = lanes.fma(lanes.mul(z[i], z[i]), double, lanes.splat(-1.0));
        square[i] = lanes.mul(t[i], t[i]);
    }
    let mut odd = [lanes.splat(erf[0]); N];
    let mut even = [lanes.splat(erf[1]); N];
    for pair in erf[2..].chunks_exact(2) {
        for i in 0..N {
            odd[i] = lanes.fma(odd[i], square[i], lanes.splat(pair[0]));
            even[i] = lanes.fma(even[i], square[i], lanes.splat(pair[1]));
        }
    }
    let mut out = nothing;
    for i in 0..N {
        let ratio = lanes.fma(odd[i], t[i], even[i]);
        let half = lanes.mul(x[i], lanes.splat(0.5));
        out[i] = lanes.fma(half, lanes.mul(z[i], ratio), half);
    }
    out
}

/// The sum of the products of two rows of one length.
///
/// # Panics
/// When the lengths differ.
pub fn dot(cpu: Cpu, a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "rows of one length");
    dispatch(cpu, Dot { a, b })
}

struct Dot<'a> {
    a: &'a [f32],
    b: &'a [f32],
}

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f32 {
        // Four sums, so that an addition need not wait for the one before.
        let mut sums = [lanes.splat(0.0); 4];
        for (span, place) in spans::<L>(self.a.len()).zip((0..4).cycle()) {
            let (a, b) = (span.load(lanes, self.a), span.load(lanes, self.b));
            sums[place] = lanes.fma(a, b, sums[place]);
        }
        let [a, b, c, d] = sums;
        lanes.sum(lanes.add(lanes.add(a, b), lanes.add(c, d)))
    }
}

/// Makes a row of length one; a row of zeros, or with a number that is not finite, stays.
pub fn normalise(cpu: Cpu, row: &mut [f32]) {
    let length = dot(cpu, row, row).sqrt();
    if length > 0.0 && length.is_finite() {
        scale(cpu, row, 1.0 / length);
    }
}

/// Multiplies every number.
pub fn scale(cpu: Cpu, row: &mut [f32], factor: f32) {
    dispatch(cpu, Scale { row, factor });
}

struct Scale<'a> {
    row: &'a mut [f32],
    factor: f32,
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let factor = lanes.splat(self.factor);
        for span in spans::<L>(self.row.len()) {
            let value = lanes.mul(span.load(lanes, self.row), factor);
            span.store(lanes, value, self.row);
        }
    }
}

/// Adds to every number of `row` the one of `more` in its place.
///
/// # Panics
/// When the lengths differ.
pub fn add(cpu: Cpu, row: &mut [f32], more: &[f32]) {
    assert_eq!(row.len(), more.len(), "rows of one length");
    dispatch(cpu, Add { row, more });
}

struct Add<'a> {
    row: &'a mut [f32],
    more: &'a [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for span in spans::<L>(self.row.len()) {
            let value = lanes.add(span.load(lanes, self.row), span.load(lanes, self.more));
            span.store(lanes, value, self.row);
        }
    }
}

/// The sum of rows, `[rows, hidden]`, in `out`, `[hidden]`.
pub fn sum_rows(cpu: Cpu, rows: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    dispatch(
        cpu,
        FoldRows {
            rows,
            out,
            fold: Fold::Sum,
        },
    );
}

/// The largest of each column of `[rows, hidden]` in `out`, `[hidden]`; minus infinity without rows.
pub fn max_rows(cpu: Cpu, rows: &[f32], out: &mut [f32]) {
    out.fill(f32::NEG_INFINITY);
    dispatch(
        cpu,
        FoldRows {
            rows,
            out,
            fold: Fold::Max,
        },
    );
}

#[derive(Clone, Copy)]
enum Fold {
    Sum,
    Max,
}

struct FoldRows<'a> {
    rows: &'a [f32],
    out: &'a mut [f32],
    fold: Fold,
}

impl Kernel for FoldRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let hidden = self.out.len();
        for row in self.rows.chunks_exact(hidden) {
            for span in spans::<L>(hidden) {
                let (value, so_far) = (span.load(lanes, row), span.load(lanes, self.out));
                let value = match self.fold {
                    Fold::Sum => lanes.add(so_far, value),
                    Fold::Max => lanes.max(so_far, value),
                };
                span.store(lanes, value, self.out);
            }
        }
    }
}
