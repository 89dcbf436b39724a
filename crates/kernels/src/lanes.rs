//! One vector of numbers, whatever its width, as a trait: every kernel is written once over
//! [`Lanes`] and compiled for each set of instructions. A value of a lanes type is a witness
//! that the processor has its instructions; only [`dispatch`] makes one, so the methods
//! are safe to call.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod scalar;
#[cfg(test)]
mod wide;

use crate::cpu::{Cpu, Path};
use scalar::Scalar;
pub(crate) use scalar::to_brain;

/// A vector of `WIDTH` 32-bit numbers and what the kernels do with it.
pub(crate) trait Lanes: Copy {
    /// Numbers in a vector.
    const WIDTH: usize;
    /// Rows of one tile of a matrix product, which is two vectors wide: as many as the
    /// registers hold sums for.
    const ROWS: usize;
    /// The same for a product of bytes, which needs more registers beside the sums.
    const BYTE_ROWS: usize;
    /// Words that one [`Lanes::dot_bytes`] is given of each side, 1 or 4: as few as the
    /// instructions allow, because additions to one sum wait for each other.
    const BYTE_WORDS: usize;
    /// Largest value of an unsigned byte on the left of [`Lanes::dot_bytes`].
    const LEFT_BYTE: i32;
    /// The most that the positive weights of one step of [`Lanes::dot_bytes`] may sum to, and
    /// the negative ones: the sums on the way must not saturate.
    const STEP_SUM: i32;

    type Floats: Copy;
    /// As many 32-bit words: integers, or groups of narrower numbers.
    type Words: Copy;

    fn splat(self, value: f32) -> Self::Floats;
    /// Reads the first `WIDTH` floats of a slice that has so many.
    fn load(self, from: &[f32]) -> Self::Floats;
    /// Reads the first `WIDTH` brain floats of a slice that has so many, widened.
    fn load_brain(self, from: &[u16]) -> Self::Floats;
    fn store(self, value: Self::Floats, to: &mut [f32]);

    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn sub(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a · b + c`
    fn fma(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    fn max(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn min(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// The nearest whole number, ties to even.
    fn round(self, a: Self::Floats) -> Self::Floats;
    /// `2^n` for whole `n` from -126 to 127.
    fn power_of_two(self, n: Self::Floats) -> Self::Floats;
    fn sum(self, a: Self::Floats) -> f32;
    fn largest(self, a: Self::Floats) -> f32;
    fn smallest(self, a: Self::Floats) -> f32;

    fn zero_words(self) -> Self::Words;
    /// The same word in every lane.
    fn splat_word(self, word: u32) -> Self::Words;
    /// # Safety
    /// `from` points to `WIDTH` readable words.
    #[expect(
        unsafe_code,
        reason = "the inner loop of the product reads through pointers"
    )]
    unsafe fn load_words(self, from: *const u32) -> Self::Words;
    /// Asks for a word that will be read soon to be brought into the second cache. Any pointer
    /// will do: nothing is read.
    fn prefetch(self, from: *const u32);
    /// The bits of the words as floats.
    fn as_floats(self, a: Self::Words) -> Self::Floats;
    /// The words as signed integers, converted.
    fn to_floats(self, a: Self::Words) -> Self::Floats;
    /// The nearest integers, ties to even.
    fn to_words(self, a: Self::Floats) -> Self::Words;
    /// The low byte of each word, to the first `WIDTH` bytes of a slice.
    fn store_bytes(self, a: Self::Words, to: &mut [u8]);
    /// The low half of each word, to the first `WIDTH` elements of a slice.
    fn store_halves(self, a: Self::Words, to: &mut [u16]);
    /// The nearest brain floats (ties to even), to the first `WIDTH` elements of a slice.
    fn store_brain(self, a: Self::Floats, to: &mut [u16]);
    /// The same for two vectors side by side.
    #[inline(always)]
    fn store_brain_pair(self, a: [Self::Floats; 2], to: &mut [u16]) {
        self.store_brain(a[0], to);
        self.store_brain(a[1], &mut to[Self::WIDTH..]);
    }

    /// Adds the products of the two brain floats in each word.
    fn dot_brain(self, sum: Self::Floats, a: Self::Words, b: Self::Words) -> Self::Floats;
    /// Adds the products of the two signed halves in each word, wrapping.
    fn dot_halves(self, sum: Self::Words, a: Self::Words, b: Self::Words) -> Self::Words;
    /// Adds the products of the four bytes in each of at most four words: unsigned ones up to
    /// `LEFT_BYTE` in `a`, signed ones within `STEP_SUM` in `b`.
    fn dot_bytes<const N: usize>(
        self,
        sum: Self::Words,
        a: [Self::Words; N],
        b: [Self::Words; N],
    ) -> Self::Words;
}

/// A kernel, ready to run with its arguments.
pub(crate) trait Kernel {
    type Output;

    /// The body; marked `#[inline(always)]`, with all it calls, so that it is compiled with
    /// the instructions of the lanes.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Runs a kernel with the instructions of a path.
pub(crate) fn dispatch<K: Kernel>(cpu: Cpu, kernel: K) -> K::Output {
    match cpu.path() {
        Path::Scalar => kernel.run(Scalar),
        #[cfg(test)]
        Path::Wide => kernel.run(wide::Wide),
        #[cfg(target_arch = "x86_64")]
        Path::Avx2 => avx2::run(cpu, kernel),
        #[cfg(target_arch = "x86_64")]
        Path::Avx512 => avx512::run(cpu, kernel),
        #[cfg(not(target_arch = "x86_64"))]
        Path::Avx2 | Path::Avx512 => unreachable!("a path of another processor"),
    }
}
