//! How similar vectors are that are kept as brain floats: dot products of one query with many
//! rows, and of two rows. Rows come from memory much larger than the caches, so what counts is
//! that every byte is read once and asked for early.

use crate::Cpu;
use crate::lanes::{Kernel, Lanes, dispatch};
use crate::spans::MOST_LANES;

/// Sums side by side, so that an addition need not wait for the one before.
const SUMS: usize = 4;
/// Brain floats in a line of the cache.
const LINE: usize = 32;

/// The dot products of a query with each row, to `out`.
///
/// A row has the same product alone and among others.
///
/// # Panics
/// When a row is not as long as the query, or `out` not as long as there are rows.
pub fn similarities(cpu: Cpu, query: &[f32], rows: &[&[u16]], out: &mut [f32]) {
    assert_eq!(rows.len(), out.len(), "a place for every row");
    for row in rows {
        assert_eq!(row.len(), query.len(), "rows as long as the query");
    }
    dispatch(cpu, Similarities { query, rows, out });
}

struct Similarities<'a> {
    query: &'a [f32],
    rows: &'a [&'a [u16]],
    out: &'a mut [f32],
}

impl Kernel for Similarities<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let nothing: &[u16] = &[];
        let next = self.rows.iter().skip(1).chain([&nothing]);
        for ((row, next), out) in self.rows.iter().zip(next).zip(self.out) {
            // Rows may lie anywhere, where the processor cannot foresee them.
            for line in next.chunks(LINE) {
                lanes.prefetch(line.as_ptr().cast());
            }
            *out = product(lanes, self.query, row);
        }
    }
}

/// The dot product of two rows.
///
/// # Panics
/// When the lengths differ.
pub fn similarity_of_rows(cpu: Cpu, a: &[u16], b: &[u16]) -> f32 {
    assert_eq!(a.len(), b.len(), "rows of one length");
    dispatch(cpu, RowByRow { a, b })
}

struct RowByRow<'a> {
    a: &'a [u16],
    b: &'a [u16],
}

impl Kernel for RowByRow<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f32 {
        product(lanes, self.a, self.b)
    }
}

/// The nearest brain floats, ties to even.
///
/// # Panics
/// When the lengths differ.
pub fn round_to_brain(cpu: Cpu, numbers: &[f32], out: &mut [u16]) {
    assert_eq!(numbers.len(), out.len(), "a place for every number");
    dispatch(cpu, Round { numbers, out });
}

struct Round<'a> {
    numbers: &'a [f32],
    out: &'a mut [u16],
}

impl Kernel for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let numbers = self.numbers.chunks_exact(L::WIDTH);
        let rest = padded(numbers.remainder());
        let mut out = self.out.chunks_exact_mut(L::WIDTH);
        for (numbers, out) in numbers.zip(&mut out) {
            lanes.store_brain(lanes.load(numbers), out);
        }
        let mut last = [0; MOST_LANES];
        lanes.store_brain(lanes.load(&rest), &mut last);
        let out = out.into_remainder();
        out.copy_from_slice(&last[..out.len()]);
    }
}

/// A number that is read as a float.
trait Number: Copy + Default {
    fn load<L: Lanes>(lanes: L, from: &[Self]) -> L::Floats;
}

impl Number for f32 {
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, from: &[Self]) -> L::Floats {
        lanes.load(from)
    }
}

impl Number for u16 {
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, from: &[Self]) -> L::Floats {
        lanes.load_brain(from)
    }
}

#[inline(always)]
fn product<L: Lanes, N: Number>(lanes: L, a: &[N], b: &[u16]) -> f32 {
    let mut sums = [lanes.splat(0.0); SUMS];
    let steps = a.chunks_exact(SUMS * L::WIDTH);
    let step_rows = b.chunks_exact(SUMS * L::WIDTH);
    let (rest, row_rest) = (steps.remainder(), step_rows.remainder());
    for (a, b) in steps.zip(step_rows) {
        for (place, sum) in sums.iter_mut().enumerate() {
            let at = place * L::WIDTH;
            *sum = lanes.fma(N::load(lanes, &a[at..]), u16::load(lanes, &b[at..]), *sum);
        }
    }
    let vectors = rest.chunks(L::WIDTH).zip(row_rest.chunks(L::WIDTH));
    for ((a, b), sum) in vectors.zip(&mut sums) {
        let (a, b) = if a.len() == L::WIDTH {
            (N::load(lanes, a), lanes.load_brain(b))
        } else {
            (N::load(lanes, &padded(a)), lanes.load_brain(&padded(b)))
        };
        *sum = lanes.fma(a, b, *sum);
    }
    let [a, b, c, d] = sums;
    lanes.sum(lanes.add(lanes.add(a, b), lanes.add(c, d)))
}

/// What is left of a row, with zeros behind.
#[inline(always)]
fn padded<N: Number>(rest: &[N]) -> [N; MOST_LANES] {
    let mut all = [N::default(); MOST_LANES];
    all[..rest.len()].copy_from_slice(rest);
    all
}
