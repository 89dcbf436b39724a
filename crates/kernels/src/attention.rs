//! Attention over packed sequences: `softmax(Q·Kᵀ / √d) · V` for each head (Vaswani et al.
//! 2017, <https://arxiv.org/abs/1706.03762>). A sequence attends to itself only, so there is
//! no mask and no padding; both products are the tiles of [`crate::Matrix`] in floats.

use crate::Cpu;
use crate::aligned::AlignedWords;
use crate::lanes::{Kernel, Lanes, dispatch};
use crate::rows::exp;
use crate::spans::{MOST_LANES, store_vectors};
use crate::tile::{Floats, Multiply, Sides, VECTORS, tile};
use std::ops::Range;

/// The projections of one sequence and how they are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Heads<'a> {
    /// `[tokens, 3 · hidden]`: of each token its query, then its key, then its value, every
    /// one `[heads, hidden / heads]`.
    pub projections: &'a [f32],
    /// Numbers of a token in each projection.
    pub hidden: usize,
    /// Parts that a projection falls into, each with an attention of its own.
    pub heads: usize,
}

/// Room for the work of [`attention`] and [`crate::attend`]; kept, it allocates once.
#[derive(Debug, Default)]
pub struct Room {
    /// The keys of a head, transposed, in panels: `[panel, size, width]`.
    keys: AlignedWords,
    /// The values of a head in panels: `[panel, tokens, width]`.
    values: AlignedWords,
    /// `[rows, tokens]`, every row filled up to whole panels.
    pub(crate) scores: AlignedWords,
}

/// Writes the attention of the tokens in `rows` to all of their sequence, `[rows, hidden]`.
///
/// # Panics
/// When the lengths do not agree.
pub fn attention(cpu: Cpu, heads: Heads<'_>, rows: Range<usize>, room: &mut Room, out: &mut [f32]) {
    let Heads {
        projections,
        hidden,
        heads: count,
    } = heads;
    assert_eq!(
        projections.len() % (3 * hidden),
        0,
        "projections are [tokens, 3, hidden]"
    );
    assert_eq!(hidden % count, 0, "heads of one size");
    assert!(
        rows.end <= projections.len() / (3 * hidden),
        "rows of the sequence"
    );
    assert_eq!(
        out.len(),
        rows.len() * hidden,
        "the output is [rows, hidden]"
    );
    dispatch(
        cpu,
        Attention {
            heads,
            rows,
            room,
            out,
        },
    );
}

struct Attention<'a> {
    heads: Heads<'a>,
    rows: Range<usize>,
    room: &'a mut Room,
    out: &'a mut [f32],
}

impl Kernel for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let size = self.heads.hidden / self.heads.heads;
        let tokens = self.heads.projections.len() / (3 * self.heads.hidden);
        let width = VECTORS * L::WIDTH;
        self.room.keys.resize(tokens.next_multiple_of(width) * size);
        self.room
            .values
            .resize(size.next_multiple_of(width) * tokens);
        self.room
            .scores
            .resize(<Floats as Multiply<L>>::ROWS * tokens.next_multiple_of(width));
        for head in 0..self.heads.heads {
            self.gather(width, head * size, size, tokens);
            let step = <Floats as Multiply<L>>::ROWS;
            for first in self.rows.clone().step_by(step) {
                let count = step.min(self.rows.end - first);
                match count {
                    1 => self.rows_of_head::<L, 1>(lanes, first, head * size, size),
                    2 => self.rows_of_head::<L, 2>(lanes, first, head * size, size),
                    3 => self.rows_of_head::<L, 3>(lanes, first, head * size, size),
                    4 => self.rows_of_head::<L, 4>(lanes, first, head * size, size),
                    5 => self.rows_of_head::<L, 5>(lanes, first, head * size, size),
                    6 => self.rows_of_head::<L, 6>(lanes, first, head * size, size),
                    7 => self.rows_of_head::<L, 7>(lanes, first, head * size, size),
                    _ => self.rows_of_head::<L, 8>(lanes, first, head * size, size),
                }
            }
        }
    }
}

impl Attention<'_> {
    /// Lays the keys and values of one head out in panels of `width`.
    #[inline(always)]
    fn gather(&mut self, width: usize, at: usize, size: usize, tokens: usize) {
        let Heads {
            projections,
            hidden,
            ..
        } = self.heads;
        let keys = self.room.keys.floats_mut();
        // Behind the last token there are keys of nothing, whatever was there before.
        keys[tokens / width * width * size..].fill(0.0);
        let values = self.room.values.floats_mut();
        for (token, row) in projections.chunks_exact(3 * hidden).enumerate() {
            let key = &row[hidden + at..][..size];
            let column = token / width * width * size + token % width;
            for (place, number) in keys[column..].iter_mut().step_by(width).zip(key) {
                *place = *number;
            }
            let value = &row[2 * hidden + at..][..size];
            for (panel, part) in value.chunks(width).enumerate() {
                let to = &mut values[(panel * tokens + token) * width..][..width];
                to[..part.len()].copy_from_slice(part);
            }
        }
    }

    /// Scores, distribution and weighted values of a few rows.
    #[inline(always)]
    #[expect(unsafe_code, reason = "see `tile`")]
    fn rows_of_head<L: Lanes, const ROWS: usize>(
        &mut self,
        lanes: L,
        first: usize,
        at: usize,
        size: usize,
    ) {
        let Heads {
            projections,
            hidden,
            ..
        } = self.heads;
        let tokens = projections.len() / (3 * hidden);
        let width = VECTORS * L::WIDTH;
        let shares = self.shares_of_head::<L, ROWS>(lanes, first, at, size);
        let stride = tokens.next_multiple_of(width);
        for from in (0..size).step_by(width) {
            let values = &self.room.values.words()[from * tokens..][..width * tokens];
            let sides = Sides {
                left: self.room.scores.words()[..ROWS * stride].as_ptr(),
                left_stride: stride,
                right: values.as_ptr(),
                right_stride: width,
                depth: tokens,
                next: values.as_ptr(),
                next_stride: 0,
            };
            // SAFETY: both slices were checked to hold what `sides` describes.
            let sums = unsafe { tile::<L, Floats, ROWS>(lanes, sides) };
            for (row, mut sums) in sums.into_iter().enumerate() {
                for sum in &mut sums {
                    *sum = lanes.mul(*sum, shares[row]);
                }
                let start = (first - self.rows.start + row) * hidden + at;
                store_vectors(lanes, sums, &mut self.out[start + from..start + size]);
            }
        }
    }

    /// Leaves `exp(score)` of a few rows in `room.scores` and returns what each row is to be
    /// multiplied with to be a distribution. Rows are whole vectors, which a partly filled one
    /// would make half as fast: the scores behind the last token are minus infinity.
    #[inline(always)]
    #[expect(unsafe_code, reason = "see `tile`")]
    fn shares_of_head<L: Lanes, const ROWS: usize>(
        &mut self,
        lanes: L,
        first: usize,
        at: usize,
        size: usize,
    ) -> [L::Floats; ROWS] {
        let Heads {
            projections,
            hidden,
            ..
        } = self.heads;
        let tokens = projections.len() / (3 * hidden);
        let width = VECTORS * L::WIDTH;
        let stride = tokens.next_multiple_of(width);
        let scale = lanes.splat(1.0 / (size as f32).sqrt());
        let queries = &projections[first * 3 * hidden + at..][..(ROWS - 1) * 3 * hidden + size];
        let scores = &mut self.room.scores.floats_mut()[..ROWS * stride];
        let mut most = [lanes.splat(f32::NEG_INFINITY); ROWS];
        for from in (0..tokens).step_by(width) {
            let keys = &self.room.keys.words()[from * size..][..width * size];
            let sides = Sides {
                left: queries.as_ptr().cast(),
                left_stride: 3 * hidden,
                right: keys.as_ptr(),
                right_stride: width,
                depth: size,
                next: keys.as_ptr(),
                next_stride: 0,
            };
            // SAFETY: both slices were checked to hold what `sides` describes.
            let sums = unsafe { tile::<L, Floats, ROWS>(lanes, sides) };
            for (row, sums) in sums.into_iter().enumerate() {
                for (vector, sum) in sums.into_iter().enumerate() {
                    let place = from + vector * L::WIDTH;
                    let mask = present(lanes, tokens.saturating_sub(place));
                    let score = lanes.fma(sum, scale, mask);
                    most[row] = lanes.max(most[row], score);
                    lanes.store(score, &mut scores[row * stride + place..]);
                }
            }
        }
        let mut shares = [lanes.splat(0.0); ROWS];
        for (row, scores) in scores.chunks_exact_mut(stride).enumerate() {
            let minus = lanes.splat(-lanes.largest(most[row]));
            let mut sum = lanes.splat(0.0);
            for scores in scores.chunks_exact_mut(L::WIDTH) {
                let value = exp(lanes, lanes.add(lanes.load(scores), minus));
                sum = lanes.add(sum, value);
                lanes.store(value, scores);
            }
            shares[row] = lanes.splat(1.0 / lanes.sum(sum));
        }
        shares
    }
}

/// Zeros and minus infinities, of which [`present`] takes as many as it needs.
const MASKS: [f32; 2 * MOST_LANES] = {
    let mut masks = [0.0; 2 * MOST_LANES];
    let mut at = MOST_LANES;
    while at < masks.len() {
        masks[at] = f32::NEG_INFINITY;
        at += 1;
    }
    masks
};

/// What is added to a vector of scores of which the first `count` are there.
#[inline(always)]
pub(crate) fn present<L: Lanes>(lanes: L, count: usize) -> L::Floats {
    lanes.load(&MASKS[MOST_LANES - count.min(L::WIDTH)..])
}
