//! Attention to tokens that are kept: many rows see the same tokens, and each row itself, but
//! not one another. So the tokens of a history are laid out once and any number of candidates
//! asked about beside them; a history in the making is the same, each of its tokens seeing
//! those before it. Products are the tiles of [`crate::Matrix`] in floats.

use crate::Cpu;
use crate::aligned::AlignedWords;
use crate::attention::{Room, present};
use crate::lanes::{Kernel, Lanes, dispatch};
use crate::rows::exp;
use crate::spans::{Span, spans, store_vectors};
use crate::tile::{Floats, Multiply, Sides, VECTORS, tile};

/// Keys and values of tokens, laid out for the products of one path.
#[derive(Clone, Debug)]
pub struct Seen {
    cpu: Cpu,
    hidden: usize,
    heads: usize,
    tokens: usize,
    /// `[panel, head, size, width]`: a panel is of `width` tokens, the last one filled up
    /// with keys of nothing.
    keys: AlignedWords,
    /// `[token, head, size]`, every size filled up to whole panels.
    values: AlignedWords,
}

/// Which of the tokens kept a row sees, beside itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sight {
    /// Each row sees all.
    All,
    /// The first row sees none, the second the first token, and so on: the rows are the tokens.
    Before,
}

impl Seen {
    /// No tokens yet, of `hidden` numbers in `heads` parts.
    ///
    /// # Panics
    /// When the parts are not of one size.
    pub fn new(cpu: Cpu, hidden: usize, heads: usize) -> Self {
        assert_eq!(hidden % heads, 0, "heads of one size");
        Self {
            cpu,
            hidden,
            heads,
            tokens: 0,
            keys: AlignedWords::default(),
            values: AlignedWords::default(),
        }
    }

    /// Tokens there are.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        4 * (self.keys.words().len() + self.values.words().len())
    }

    /// Adds tokens by their projections, `[tokens, 3 · hidden]`: of each its query, which is
    /// not needed, its key and its value.
    ///
    /// # Panics
    /// When the length is no multiple of that.
    pub fn push(&mut self, projections: &[f32]) {
        let row = 3 * self.hidden;
        assert_eq!(
            projections.len() % row,
            0,
            "projections are [tokens, 3, hidden]"
        );
        let cpu = self.cpu;
        dispatch(
            cpu,
            Push {
                seen: self,
                projections,
            },
        );
    }

    fn head_size(&self) -> usize {
        self.hidden / self.heads
    }
}

struct Push<'a> {
    seen: &'a mut Seen,
    projections: &'a [f32],
}

impl Kernel for Push<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let Self { seen, projections } = self;
        let (hidden, heads, size) = (seen.hidden, seen.heads, seen.head_size());
        let width = VECTORS * L::WIDTH;
        let filled = size.next_multiple_of(width);
        let tokens = seen.tokens + projections.len() / (3 * hidden);
        let before = seen.tokens.div_ceil(width) * hidden * width;
        seen.keys.resize(tokens.div_ceil(width) * hidden * width);
        seen.keys.floats_mut()[before..].fill(0.0);
        seen.values.resize(tokens * heads * filled);
        seen.values.floats_mut()[seen.tokens * heads * filled..].fill(0.0);
        for row in projections.chunks_exact(3 * hidden) {
            let (keys, values) = (&row[hidden..2 * hidden], &row[2 * hidden..]);
            let (panel, column) = (seen.tokens / width, seen.tokens % width);
            let places = seen.keys.floats_mut()[panel * hidden * width + column..].iter_mut();
            for (place, key) in places.step_by(width).zip(keys) {
                *place = *key;
            }
            let places = &mut seen.values.floats_mut()[seen.tokens * heads * filled..];
            for (place, value) in places.chunks_mut(filled).zip(values.chunks_exact(size)) {
                place[..size].copy_from_slice(value);
            }
            seen.tokens += 1;
        }
    }
}

/// Writes the attention of rows, given by their projections `[rows, 3 · hidden]`, to the
/// tokens in their sight and to themselves: `[rows, hidden]`.
///
/// # Panics
/// When the lengths do not agree.
pub fn attend(seen: &Seen, projections: &[f32], sight: Sight, room: &mut Room, out: &mut [f32]) {
    assert_eq!(
        projections.len() % (3 * seen.hidden),
        0,
        "projections are [rows, 3, hidden]"
    );
    assert_eq!(
        out.len(),
        projections.len() / 3,
        "the output is [rows, hidden]"
    );
    dispatch(
        seen.cpu,
        Attend {
            seen,
            projections,
            sight,
            scores: &mut room.scores,
            out,
        },
    );
}

struct Attend<'a> {
    seen: &'a Seen,
    projections: &'a [f32],
    sight: Sight,
    /// `[rows of a tile, tokens]`, every row filled up to whole panels.
    scores: &'a mut AlignedWords,
    out: &'a mut [f32],
}

/// What the softmax of a row leaves to be done: its exponents are not yet a distribution.
#[derive(Clone, Copy, Default)]
struct Share {
    /// The exponent of the row's own score.
    own: f32,
    /// One over the sum of all exponents.
    scale: f32,
}

impl Kernel for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let step = <Floats as Multiply<L>>::ROWS;
        let stride = self.seen.tokens.next_multiple_of(VECTORS * L::WIDTH);
        self.scores.resize(step * stride);
        let rows = self.out.len() / self.seen.hidden;
        for head in 0..self.seen.heads {
            for first in (0..rows).step_by(step) {
                match step.min(rows - first) {
                    1 => self.rows_of_head::<L, 1>(lanes, first, head),
                    2 => self.rows_of_head::<L, 2>(lanes, first, head),
                    3 => self.rows_of_head::<L, 3>(lanes, first, head),
                    4 => self.rows_of_head::<L, 4>(lanes, first, head),
                    5 => self.rows_of_head::<L, 5>(lanes, first, head),
                    6 => self.rows_of_head::<L, 6>(lanes, first, head),
                    7 => self.rows_of_head::<L, 7>(lanes, first, head),
                    _ => self.rows_of_head::<L, 8>(lanes, first, head),
                }
            }
        }
    }
}

impl Attend<'_> {
    /// Tokens that a row sees.
    #[inline(always)]
    fn sees(&self, row: usize) -> usize {
        match self.sight {
            Sight::All => self.seen.tokens,
            Sight::Before => row.min(self.seen.tokens),
        }
    }

    /// The query, key or value (0, 1, 2) of a row in one head.
    #[inline(always)]
    fn part(&self, row: usize, which: usize, head: usize) -> &[f32] {
        let (hidden, size) = (self.seen.hidden, self.seen.head_size());
        &self.projections[(3 * row + which) * hidden + head * size..][..size]
    }

    /// Scores, distribution and weighted values of a few rows.
    #[inline(always)]
    #[expect(unsafe_code, reason = "see `tile`")]
    fn rows_of_head<L: Lanes, const ROWS: usize>(&mut self, lanes: L, first: usize, head: usize) {
        let (heads, size) = (self.seen.heads, self.seen.head_size());
        let width = VECTORS * L::WIDTH;
        let filled = size.next_multiple_of(width);
        let stride = self.seen.tokens.next_multiple_of(width);
        let depth = self.sees(first + ROWS - 1);
        self.scores_of_head::<L, ROWS>(lanes, first, head);
        let shares = self.shares_of_head::<L, ROWS>(lanes, first, head);
        for from in (0..size).step_by(width) {
            let mut sums = [[lanes.splat(0.0); VECTORS]; ROWS];
            if depth > 0 {
                let reach = (depth - 1) * heads * filled + width;
                let shares_near = self.scores.words().as_ptr();
                let sides = Sides {
                    left: self.scores.words()[..ROWS * stride].as_ptr(),
                    left_stride: stride,
                    right: self.seen.values.words()[head * filled + from..][..reach].as_ptr(),
                    right_stride: heads * filled,
                    depth,
                    next: shares_near,
                    next_stride: 0,
                };
                // SAFETY: both slices were checked to hold what `sides` describes.
                sums = unsafe { tile::<L, Floats, ROWS>(lanes, sides) };
            }
            for (row, mut sums) in sums.into_iter().enumerate() {
                let share = shares[row];
                let own = self.part(first + row, 2, head);
                for (vector, sum) in sums.iter_mut().enumerate() {
                    let at = from + vector * L::WIDTH;
                    if at < size {
                        let count = L::WIDTH.min(size - at);
                        let value = Span { at, count }.load(lanes, own);
                        *sum = lanes.fma(value, lanes.splat(share.own), *sum);
                        *sum = lanes.mul(*sum, lanes.splat(share.scale));
                    }
                }
                let start = (first + row) * self.seen.hidden + head * size;
                store_vectors(lanes, sums, &mut self.out[start + from..start + size]);
            }
        }
    }

    /// Leaves the scores of a few rows in `scores`, those out of sight being minus infinity.
    #[inline(always)]
    #[expect(unsafe_code, reason = "see `tile`")]
    fn scores_of_head<L: Lanes, const ROWS: usize>(&mut self, lanes: L, first: usize, head: usize) {
        let (hidden, size) = (self.seen.hidden, self.seen.head_size());
        let width = VECTORS * L::WIDTH;
        let stride = self.seen.tokens.next_multiple_of(width);
        let scale = lanes.splat(1.0 / (size as f32).sqrt());
        let queries = &self.projections[3 * first * hidden + head * size..];
        let queries = queries[..(ROWS - 1) * 3 * hidden + size].as_ptr();
        for from in (0..self.sees(first + ROWS - 1)).step_by(width) {
            let panel = (from * self.seen.heads + head * width) * size;
            let sides = Sides {
                left: queries.cast(),
                left_stride: 3 * hidden,
                right: self.seen.keys.words()[panel..][..width * size].as_ptr(),
                right_stride: width,
                depth: size,
                next: queries.cast(),
                next_stride: 0,
            };
            // SAFETY: both slices were checked to hold what `sides` describes.
            let sums = unsafe { tile::<L, Floats, ROWS>(lanes, sides) };
            for (row, sums) in sums.into_iter().enumerate() {
                let sees = self.sees(first + row);
                let scores = &mut self.scores.floats_mut()[row * stride..];
                for (vector, sum) in sums.into_iter().enumerate() {
                    let place = from + vector * L::WIDTH;
                    let mask = present(lanes, sees.saturating_sub(place));
                    lanes.store(lanes.fma(sum, scale, mask), &mut scores[place..]);
                }
            }
        }
    }

    /// Makes `exp(score)` of the scores of a few rows, each with its score of itself.
    #[inline(always)]
    fn shares_of_head<L: Lanes, const ROWS: usize>(
        &mut self,
        lanes: L,
        first: usize,
        head: usize,
    ) -> [Share; ROWS] {
        let size = self.seen.head_size();
        let width = VECTORS * L::WIDTH;
        let stride = self.seen.tokens.next_multiple_of(width);
        let used = self.sees(first + ROWS - 1).next_multiple_of(width);
        let mut shares = [Share::default(); ROWS];
        for (row, share) in shares.iter_mut().enumerate() {
            let (query, key) = (
                self.part(first + row, 0, head),
                self.part(first + row, 1, head),
            );
            let mut product = lanes.splat(0.0);
            for span in spans::<L>(size) {
                product = lanes.fma(span.load(lanes, query), span.load(lanes, key), product);
            }
            let own = lanes.sum(product) / (size as f32).sqrt();
            let scores = &mut self.scores.floats_mut()[row * stride..][..used];
            let mut most = lanes.splat(own);
            for scores in scores.chunks_exact(L::WIDTH) {
                most = lanes.max(most, lanes.load(scores));
            }
            let minus = lanes.splat(-lanes.largest(most));
            let mut sum = lanes.splat(0.0);
            for scores in scores.chunks_exact_mut(L::WIDTH) {
                let value = exp(lanes, lanes.add(lanes.load(scores), minus));
                sum = lanes.add(sum, value);
                lanes.store(value, scores);
            }
            share.own = lanes.largest(exp(lanes, lanes.add(lanes.splat(own), minus)));
            share.scale = 1.0 / (share.own + lanes.sum(sum));
        }
        shares
    }
}
