//! Sixteen numbers a vector in plain code, for tests: it has the shape of the AVX-512 path, so
//! that the layouts of that path are tested on processors without it.

use super::{Lanes, Scalar};
use std::array::from_fn;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide;

const WIDTH: usize = 16;

impl Lanes for Wide {
    const WIDTH: usize = WIDTH;
    const ROWS: usize = 8;
    const BYTE_ROWS: usize = 8;
    const BYTE_WORDS: usize = 1;
    const LEFT_BYTE: i32 = 255;
    const STEP_SUM: i32 = i32::MAX;

    type Floats = [f32; WIDTH];
    type Words = [u32; WIDTH];

    fn splat(self, value: f32) -> Self::Floats {
        [value; WIDTH]
    }

    fn load(self, from: &[f32]) -> Self::Floats {
        from_fn(|lane| from[lane])
    }

    fn load_brain(self, from: &[u16]) -> Self::Floats {
        from_fn(|lane| Scalar.load_brain(&from[lane..]))
    }

    fn store(self, value: Self::Floats, to: &mut [f32]) {
        to[..WIDTH].copy_from_slice(&value);
    }

    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        from_fn(|lane| a[lane] + b[lane])
    }

    fn sub(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        from_fn(|lane| a[lane] - b[lane])
    }

    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        from_fn(|lane| a[lane] * b[lane])
    }

    fn fma(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    fn max(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        from_fn(|lane| Scalar.max(a[lane], b[lane]))
    }

    fn min(self, a: Self::Floats, b: Self::Floats) -> Self::Floats {
        from_fn(|lane| Scalar.min(a[lane], b[lane]))
    }

    fn round(self, a: Self::Floats) -> Self::Floats {
        a.map(f32::round_ties_even)
    }

    fn power_of_two(self, n: Self::Floats) -> Self::Floats {
        n.map(|n| Scalar.power_of_two(n))
    }

    fn sum(self, a: Self::Floats) -> f32 {
        a.iter().sum()
    }

    fn largest(self, a: Self::Floats) -> f32 {
        a.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }

    fn smallest(self, a: Self::Floats) -> f32 {
        a.into_iter().fold(f32::INFINITY, f32::min)
    }

    fn zero_words(self) -> Self::Words {
        [0; WIDTH]
    }

    fn splat_word(self, word: u32) -> Self::Words {
        [word; WIDTH]
    }

    unsafe fn load_words(self, from: *const u32) -> Self::Words {
        // SAFETY: the caller has sixteen readable words there.
        from_fn(|lane| unsafe { from.add(lane).read() })
    }

    fn prefetch(self, _: *const u32) {}

    fn as_floats(self, a: Self::Words) -> Self::Floats {
        a.map(f32::from_bits)
    }

    fn to_floats(self, a: Self::Words) -> Self::Floats {
        a.map(|word| Scalar.to_floats(word))
    }

    fn to_words(self, a: Self::Floats) -> Self::Words {
        a.map(|number| Scalar.to_words(number))
    }

    fn store_bytes(self, a: Self::Words, to: &mut [u8]) {
        to[..WIDTH].copy_from_slice(&a.map(|word| word as u8));
    }

    fn store_halves(self, a: Self::Words, to: &mut [u16]) {
        to[..WIDTH].copy_from_slice(&a.map(|word| word as u16));
    }

    fn store_brain(self, a: Self::Floats, to: &mut [u16]) {
        to[..WIDTH].copy_from_slice(&a.map(super::to_brain));
    }

    fn dot_brain(self, sum: Self::Floats, a: Self::Words, b: Self::Words) -> Self::Floats {
        from_fn(|lane| Scalar.dot_brain(sum[lane], a[lane], b[lane]))
    }

    fn dot_halves(self, sum: Self::Words, a: Self::Words, b: Self::Words) -> Self::Words {
        from_fn(|lane| Scalar.dot_halves(sum[lane], a[lane], b[lane]))
    }

    fn dot_bytes<const N: usize>(
        self,
        sum: Self::Words,
        a: [Self::Words; N],
        b: [Self::Words; N],
    ) -> Self::Words {
        let of = |words: [Self::Words; N], lane: usize| words.map(|word| word[lane]);
        from_fn(|lane| Scalar.dot_bytes(sum[lane], of(a, lane), of(b, lane)))
    }
}
