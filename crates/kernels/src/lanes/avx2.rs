//! Eight numbers a vector, with AVX2 and FMA.
//!
//! Without the VNNI instructions a product of bytes goes through sums of 16 bits, which
//! saturate. So inputs have 7 bits here, and the weights of an output get as many steps as
//! leave room for the sixteen products of a step: eight instructions then share one
//! widening. On real weights that is about as fine as 7 bits, because the weights of a step
//! are never all at their largest.

use super::{Kernel, Lanes};
use crate::cpu::{Cpu, Path};
use std::arch::x86_64::*;

/// A witness that the processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

/// Runs a kernel on this path.
pub(crate) fn run<K: Kernel>(cpu: Cpu, kernel: K) -> K::Output {
    assert!(cpu.path() >= Path::Avx2, "{cpu} has no AVX2");
    // SAFETY: a `Cpu` with this path exists on a processor with AVX2 and FMA only.
    unsafe { enabled(kernel) }
}

#[target_feature(enable = "avx2,fma")]
fn enabled<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2(()))
}

impl Lanes for Avx2 {
    const WIDTH: usize = 8;
    const ROWS: usize = 6;
    const BYTE_ROWS: usize = 4;
    const BYTE_WORDS: usize = 4;
    const LEFT_BYTE: i32 = 127;
    const STEP_SUM: i32 = i16::MAX as i32 / Self::LEFT_BYTE;

    type Floats = __m256;
    type Words = __m256i;

    // SAFETY of every block below: `self` is a witness that the instructions exist, and where
    // memory is touched, the slice was checked to be long enough.

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m256 {
        assert!(from.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn load_brain(self, from: &[u16]) -> __m256 {
        assert!(from.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe {
            let halves = _mm_loadu_si128(from.as_ptr().cast());
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(halves)))
        }
    }

    #[inline(always)]
    fn store(self, value: __m256, to: &mut [f32]) {
        assert!(to.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), value) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_min_ps(a, b) }
    }

    #[inline(always)]
    fn round(self, a: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    #[inline(always)]
    fn power_of_two(self, n: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn largest(self, a: __m256) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn smallest(self, a: __m256) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_min_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn zero_words(self) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    fn splat_word(self, word: u32) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(word as i32) }
    }

    #[inline(always)]
    unsafe fn load_words(self, from: *const u32) -> __m256i {
        // SAFETY: the caller has eight readable words there.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn prefetch(self, from: *const u32) {
        // SAFETY: see above; a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }

    #[inline(always)]
    fn as_floats(self, a: __m256i) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_castsi256_ps(a) }
    }

    #[inline(always)]
    fn to_floats(self, a: __m256i) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_cvtepi32_ps(a) }
    }

    #[inline(always)]
    fn to_words(self, a: __m256) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_cvtps_epi32(a) }
    }

    #[inline(always)]
    fn store_bytes(self, a: __m256i, to: &mut [u8]) {
        assert!(to.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe {
            // The low bytes of the four words of each half, gathered in its first word.
            let order = _mm256_set1_epi32(0x0c08_0400);
            let gathered = _mm256_shuffle_epi8(a, order);
            let low = _mm256_castsi256_si128(gathered);
            let high = _mm256_extracti128_si256::<1>(gathered);
            _mm_storel_epi64(to.as_mut_ptr().cast(), _mm_unpacklo_epi32(low, high));
        }
    }

    #[inline(always)]
    fn store_halves(self, a: __m256i, to: &mut [u16]) {
        assert!(to.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe {
            // The low halves of the four words of each half, gathered in its first two words.
            let order = _mm256_set1_epi64x(0x0d0c_0908_0504_0100);
            let gathered = _mm256_shuffle_epi8(a, order);
            let low = _mm256_castsi256_si128(gathered);
            let high = _mm256_extracti128_si256::<1>(gathered);
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm_unpacklo_epi64(low, high));
        }
    }

    #[inline(always)]
    fn store_brain(self, a: __m256, to: &mut [u16]) {
        // SAFETY: see above. Rounding is the arithmetic of `scalar::to_brain`.
        let rounded = unsafe {
            let bits = _mm256_castps_si256(a);
            let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
            let half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
            let number = _mm256_srli_epi32::<16>(_mm256_add_epi32(bits, half));
            let quiet = _mm256_or_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(0x40));
            let is_nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(a, a));
            _mm256_blendv_epi8(number, quiet, is_nan)
        };
        self.store_halves(rounded, to);
    }

    #[inline(always)]
    fn dot_brain(self, sum: __m256, a: __m256i, b: __m256i) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let high = _mm256_set1_epi32(0xffff_0000_u32 as i32);
            let even_a = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(a));
            let even_b = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(b));
            let odd_a = _mm256_castsi256_ps(_mm256_and_si256(a, high));
            let odd_b = _mm256_castsi256_ps(_mm256_and_si256(b, high));
            _mm256_fmadd_ps(odd_a, odd_b, _mm256_fmadd_ps(even_a, even_b, sum))
        }
    }

    #[inline(always)]
    fn dot_halves(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
    }

    #[inline(always)]
    fn dot_bytes<const N: usize>(self, sum: __m256i, a: [__m256i; N], b: [__m256i; N]) -> __m256i {
        // SAFETY: see above.
        unsafe {
            let mut all = _mm256_setzero_si256();
            for (a, b) in a.into_iter().zip(b) {
                all = _mm256_add_epi16(all, _mm256_maddubs_epi16(a, b));
            }
            _mm256_add_epi32(sum, _mm256_madd_epi16(all, _mm256_set1_epi16(1)))
        }
    }
}
