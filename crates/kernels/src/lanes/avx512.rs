//! Sixteen numbers a vector, with AVX-512 and its VNNI instructions for bytes and halves.
//! Brain floats have an instruction of their own on processors with `avx512_bf16`; kernels
//! use that format on those only.

use super::{Kernel, Lanes};
use crate::cpu::{Cpu, Path};
use std::arch::x86_64::*;

/// A witness that the processor has AVX-512 F, BW, DQ, VL and VNNI, and BF16 where
/// [`Lanes::dot_brain`] or [`Lanes::store_brain_pair`] is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

/// Runs a kernel on this path.
pub(crate) fn run<K: Kernel>(cpu: Cpu, kernel: K) -> K::Output {
    assert!(cpu.path() >= Path::Avx512, "{cpu} has no AVX-512");
    if cpu.has_brain_floats() {
        // SAFETY: a `Cpu` with this path and brain floats has these instructions.
        unsafe { enabled_with_brain(kernel) }
    } else {
        // SAFETY: a `Cpu` with this path exists on a processor with these instructions only.
        unsafe { enabled(kernel) }
    }
}

#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")]
fn enabled_with_brain<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512(()))
}

#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn enabled<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512(()))
}

impl Lanes for Avx512 {
    const WIDTH: usize = 16;
    const ROWS: usize = 8;
    const BYTE_ROWS: usize = 8;
    const BYTE_WORDS: usize = 1;
    const LEFT_BYTE: i32 = 255;
    const STEP_SUM: i32 = i32::MAX;

    type Floats = __m512;
    type Words = __m512i;

    // SAFETY of every block below: `self` is a witness that the instructions exist, and where
    // memory is touched, the slice was checked to be long enough.

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m512 {
        assert!(from.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn load_brain(self, from: &[u16]) -> __m512 {
        assert!(from.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe {
            let halves = _mm256_loadu_si256(from.as_ptr().cast());
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
        }
    }

    #[inline(always)]
    fn store(self, value: __m512, to: &mut [f32]) {
        assert!(to.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), value) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    #[inline(always)]
    fn power_of_two(self, n: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe {
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_add_ps(a) }
    }

    #[inline(always)]
    fn largest(self, a: __m512) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_max_ps(a) }
    }

    #[inline(always)]
    fn smallest(self, a: __m512) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_min_ps(a) }
    }

    #[inline(always)]
    fn zero_words(self) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    fn splat_word(self, word: u32) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(word as i32) }
    }

    #[inline(always)]
    unsafe fn load_words(self, from: *const u32) -> __m512i {
        // SAFETY: the caller has sixteen readable words there.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    fn prefetch(self, from: *const u32) {
        // SAFETY: see above; a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }

    #[inline(always)]
    fn as_floats(self, a: __m512i) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_castsi512_ps(a) }
    }

    #[inline(always)]
    fn to_floats(self, a: __m512i) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_cvtepi32_ps(a) }
    }

    #[inline(always)]
    fn to_words(self, a: __m512) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_cvtps_epi32(a) }
    }

    #[inline(always)]
    fn store_bytes(self, a: __m512i, to: &mut [u8]) {
        assert!(to.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(a)) }
    }

    #[inline(always)]
    fn store_halves(self, a: __m512i, to: &mut [u16]) {
        assert!(to.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(a)) }
    }

    #[inline(always)]
    fn store_brain(self, a: __m512, to: &mut [u16]) {
        // SAFETY: see above. Rounding is the arithmetic of `scalar::to_brain`: unlike the
        // conversion of `avx512_bf16` it keeps denormal numbers.
        let rounded = unsafe {
            let bits = _mm512_castps_si512(a);
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
            let number = _mm512_srli_epi32::<16>(_mm512_add_epi32(bits, half));
            let quiet = _mm512_or_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(0x40));
            let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
            _mm512_mask_blend_epi32(is_nan, number, quiet)
        };
        self.store_halves(rounded, to);
    }

    #[inline(always)]
    fn store_brain_pair(self, a: [__m512; 2], to: &mut [u16]) {
        const DENORMAL: i32 = 0x20;
        let [low, high] = a;
        // SAFETY: see above.
        let denormals = unsafe {
            _mm512_fpclass_ps_mask::<DENORMAL>(low) | _mm512_fpclass_ps_mask::<DENORMAL>(high)
        };
        if denormals != 0 {
            self.store_brain(low, to);
            return self.store_brain(high, &mut to[Self::WIDTH..]);
        }
        assert!(to.len() >= 2 * Self::WIDTH);
        // SAFETY: see above; both types are 64 bytes without invalid values. Denormal numbers
        // are all that this instruction rounds otherwise than `scalar::to_brain`.
        unsafe {
            let pair = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), pair);
        }
    }

    #[inline(always)]
    fn dot_brain(self, sum: __m512, a: __m512i, b: __m512i) -> __m512 {
        // SAFETY: see above; both types are 64 bytes without invalid values.
        unsafe {
            _mm512_dpbf16_ps(
                sum,
                std::mem::transmute::<__m512i, __m512bh>(a),
                std::mem::transmute::<__m512i, __m512bh>(b),
            )
        }
    }

    #[inline(always)]
    fn dot_halves(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_dpwssd_epi32(sum, a, b) }
    }

    #[inline(always)]
    fn dot_bytes<const N: usize>(self, sum: __m512i, a: [__m512i; N], b: [__m512i; N]) -> __m512i {
        let mut sum = sum;
        for (a, b) in a.into_iter().zip(b) {
            // SAFETY: see above.
            sum = unsafe { _mm512_dpbusd_epi32(sum, a, b) };
        }
        sum
    }
}
