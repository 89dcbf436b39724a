//! The inner loop of every matrix product: a few rows of the left side times a panel two
//! vectors wide of the right side, with all sums in registers. It is written once for all
//! formats, because each multiplies 32-bit words: a word is one float, two brain floats, two
//! 16-bit integers or four bytes.

use crate::aligned::LINE;
use crate::lanes::Lanes;

/// A product of words in one format.
pub(crate) trait Multiply<L: Lanes> {
    /// Words that one step takes from each row.
    const STEP: usize;
    /// Rows of a tile.
    const ROWS: usize;
    /// A vector of sums.
    type Sum: Copy;
    /// What a step multiplies.
    type Group: Copy;

    fn zero(lanes: L) -> Self::Sum;

    /// # Safety
    /// `STEP` words are readable at `from`.
    #[expect(
        unsafe_code,
        reason = "the inner loop of the product reads through pointers"
    )]
    unsafe fn left(lanes: L, from: *const u32) -> Self::Group;

    /// # Safety
    /// `STEP` vectors of words are readable, the first at `from`, the others `stride` words on.
    #[expect(
        unsafe_code,
        reason = "the inner loop of the product reads through pointers"
    )]
    unsafe fn right(lanes: L, from: *const u32, stride: usize) -> Self::Group;

    fn step(lanes: L, sum: Self::Sum, left: Self::Group, right: Self::Group) -> Self::Sum;
}

/// Vectors in the width of a tile.
pub(crate) const VECTORS: usize = 2;

/// The two sides of one tile.
#[derive(Clone, Copy)]
pub(crate) struct Sides {
    /// The first row; the next starts `left_stride` words on.
    pub left: *const u32,
    pub left_stride: usize,
    /// The panel: `depth` rows of two vectors, `right_stride` words apart.
    pub right: *const u32,
    pub right_stride: usize,
    /// Words of a row, a multiple of the format's step.
    pub depth: usize,
    /// What will be read after this tile. It is asked for on the way, `next_stride` words
    /// further for each of the depth, because many requests at once would be waited for.
    /// Where nothing is to be asked for it is a place that is near anyway.
    pub next: *const u32,
    pub next_stride: usize,
}

/// `ROWS` rows times a panel.
///
/// # Safety
/// Every word that `sides` describes is readable.
#[inline(always)]
#[expect(unsafe_code, reason = "bounds checks in this loop cost half its speed")]
pub(crate) unsafe fn tile<L: Lanes, M: Multiply<L>, const ROWS: usize>(
    lanes: L,
    sides: Sides,
) -> [[M::Sum; VECTORS]; ROWS] {
    let mut sums = [[M::zero(lanes); VECTORS]; ROWS];
    let mut at = 0;
    while at < sides.depth {
        let next = sides.next.wrapping_add(at * sides.next_stride);
        for line in (0..sides.next_stride * M::STEP).step_by(LINE) {
            lanes.prefetch(next.wrapping_add(line));
        }
        // SAFETY: `at` and `M::STEP - 1` words more are below `depth`, so the words are
        // among those that the caller promised.
        unsafe {
            let right = sides.right.add(at * sides.right_stride);
            let right = [
                M::right(lanes, right, sides.right_stride),
                M::right(lanes, right.add(L::WIDTH), sides.right_stride),
            ];
            for (row, sums) in sums.iter_mut().enumerate() {
                let left = M::left(lanes, sides.left.add(row * sides.left_stride + at));
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = M::step(lanes, *sum, left, right);
                }
            }
        }
        at += M::STEP;
    }
    sums
}

/// One float a word.
pub(crate) struct Floats;
/// Two brain floats a word.
pub(crate) struct BrainFloats;
/// Two 16-bit integers a word.
pub(crate) struct Halves;
/// Four bytes a word, unsigned on the left, signed on the right; a step takes `WORDS` words,
/// as the [lanes](Lanes::BYTE_WORDS) want it.
pub(crate) struct Bytes<const WORDS: usize>;

impl<L: Lanes> Multiply<L> for Floats {
    const STEP: usize = 1;
    const ROWS: usize = L::ROWS;
    type Sum = L::Floats;
    type Group = L::Floats;

    #[inline(always)]
    fn zero(lanes: L) -> L::Floats {
        lanes.splat(0.0)
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn left(lanes: L, from: *const u32) -> L::Floats {
        // SAFETY: promised by the caller.
        lanes.splat(f32::from_bits(unsafe { from.read() }))
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn right(lanes: L, from: *const u32, _: usize) -> L::Floats {
        // SAFETY: promised by the caller.
        lanes.as_floats(unsafe { lanes.load_words(from) })
    }

    #[inline(always)]
    fn step(lanes: L, sum: L::Floats, left: L::Floats, right: L::Floats) -> L::Floats {
        lanes.fma(left, right, sum)
    }
}

impl<L: Lanes> Multiply<L> for BrainFloats {
    const STEP: usize = 1;
    const ROWS: usize = L::ROWS;
    type Sum = L::Floats;
    type Group = L::Words;

    #[inline(always)]
    fn zero(lanes: L) -> L::Floats {
        lanes.splat(0.0)
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn left(lanes: L, from: *const u32) -> L::Words {
        // SAFETY: promised by the caller.
        lanes.splat_word(unsafe { from.read() })
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn right(lanes: L, from: *const u32, _: usize) -> L::Words {
        // SAFETY: promised by the caller.
        unsafe { lanes.load_words(from) }
    }

    #[inline(always)]
    fn step(lanes: L, sum: L::Floats, left: L::Words, right: L::Words) -> L::Floats {
        lanes.dot_brain(sum, left, right)
    }
}

impl<L: Lanes> Multiply<L> for Halves {
    const STEP: usize = 1;
    const ROWS: usize = L::ROWS;
    type Sum = L::Words;
    type Group = L::Words;

    #[inline(always)]
    fn zero(lanes: L) -> L::Words {
        lanes.zero_words()
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn left(lanes: L, from: *const u32) -> L::Words {
        // SAFETY: promised by the caller.
        lanes.splat_word(unsafe { from.read() })
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn right(lanes: L, from: *const u32, _: usize) -> L::Words {
        // SAFETY: promised by the caller.
        unsafe { lanes.load_words(from) }
    }

    #[inline(always)]
    fn step(lanes: L, sum: L::Words, left: L::Words, right: L::Words) -> L::Words {
        lanes.dot_halves(sum, left, right)
    }
}

impl<L: Lanes, const WORDS: usize> Multiply<L> for Bytes<WORDS> {
    const STEP: usize = WORDS;
    const ROWS: usize = L::BYTE_ROWS;
    type Sum = L::Words;
    type Group = [L::Words; WORDS];

    #[inline(always)]
    fn zero(lanes: L) -> L::Words {
        lanes.zero_words()
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn left(lanes: L, from: *const u32) -> [L::Words; WORDS] {
        // SAFETY: promised by the caller.
        let words: [u32; WORDS] = unsafe { from.cast::<[u32; WORDS]>().read() };
        words.map(|word| lanes.splat_word(word))
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn right(lanes: L, from: *const u32, stride: usize) -> [L::Words; WORDS] {
        // SAFETY: promised by the caller.
        std::array::from_fn(|word| unsafe { lanes.load_words(from.add(word * stride)) })
    }

    #[inline(always)]
    fn step(
        lanes: L,
        sum: L::Words,
        left: [L::Words; WORDS],
        right: [L::Words; WORDS],
    ) -> L::Words {
        lanes.dot_bytes(sum, left, right)
    }
}
