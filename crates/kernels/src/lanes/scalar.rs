//! The plain path: vectors of one number. It runs everywhere and knows every format, so it is
//! also what the other paths are compared with.

use super::Lanes;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar;

/// A brain float, in the high half of a float.
#[inline(always)]
fn brain(half: u32) -> f32 {
    f32::from_bits(half << 16)
}

/// The nearest brain float, ties to even; NaN stays NaN.
#[inline(always)]
pub(crate) fn to_brain(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    (rounded >> 16) as u16
}

impl Lanes for Scalar {
    const WIDTH: usize = 1;
    const ROWS: usize = 4;
    const BYTE_ROWS: usize = 4;
    const BYTE_WORDS: usize = 4;
    const LEFT_BYTE: i32 = 255;
    const STEP_SUM: i32 = i32::MAX;

    type Floats = f32;
    type Words = u32;

    #[inline(always)]
    fn splat(self, value: f32) -> f32 {
        value
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> f32 {
        from[0]
    }

    #[inline(always)]
    fn load_brain(self, from: &[u16]) -> f32 {
        brain(u32::from(from[0]))
    }

    #[inline(always)]
    fn store(self, value: f32, to: &mut [f32]) {
        to[0] = value;
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }

    /// Rounded twice, because a processor without the instruction takes ages for the other.
    #[inline(always)]
    fn fma(self, a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }

    #[inline(always)]
    fn max(self, a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }

    #[inline(always)]
    fn min(self, a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }

    #[inline(always)]
    fn round(self, a: f32) -> f32 {
        a.round_ties_even()
    }

    #[inline(always)]
    fn power_of_two(self, n: f32) -> f32 {
        f32::from_bits(((n as i32 + 127) << 23) as u32)
    }

    #[inline(always)]
    fn sum(self, a: f32) -> f32 {
        a
    }

    #[inline(always)]
    fn largest(self, a: f32) -> f32 {
        a
    }

    #[inline(always)]
    fn smallest(self, a: f32) -> f32 {
        a
    }

    #[inline(always)]
    fn zero_words(self) -> u32 {
        0
    }

    #[inline(always)]
    fn splat_word(self, word: u32) -> u32 {
        word
    }

    #[inline(always)]
    #[expect(
        unsafe_code,
        reason = "the inner loop of the product reads through pointers"
    )]
    unsafe fn load_words(self, from: *const u32) -> u32 {
        // SAFETY: the caller has one readable word there.
        unsafe { from.read() }
    }

    #[inline(always)]
    fn prefetch(self, _: *const u32) {}

    #[inline(always)]
    fn as_floats(self, a: u32) -> f32 {
        f32::from_bits(a)
    }

    #[inline(always)]
    fn to_floats(self, a: u32) -> f32 {
        a as i32 as f32
    }

    #[inline(always)]
    fn to_words(self, a: f32) -> u32 {
        a.round_ties_even() as i32 as u32
    }

    #[inline(always)]
    fn store_bytes(self, a: u32, to: &mut [u8]) {
        to[0] = a as u8;
    }

    #[inline(always)]
    fn store_halves(self, a: u32, to: &mut [u16]) {
        to[0] = a as u16;
    }

    #[inline(always)]
    fn store_brain(self, a: f32, to: &mut [u16]) {
        to[0] = to_brain(a);
    }

    #[inline(always)]
    fn dot_brain(self, sum: f32, a: u32, b: u32) -> f32 {
        sum + brain(a & 0xffff) * brain(b & 0xffff) + brain(a >> 16) * brain(b >> 16)
    }

    #[inline(always)]
    fn dot_halves(self, sum: u32, a: u32, b: u32) -> u32 {
        let low = i32::from(a as u16 as i16) * i32::from(b as u16 as i16);
        let high = i32::from((a >> 16) as i16) * i32::from((b >> 16) as i16);
        (sum as i32).wrapping_add(low).wrapping_add(high) as u32
    }

    #[inline(always)]
    fn dot_bytes<const N: usize>(self, sum: u32, a: [u32; N], b: [u32; N]) -> u32 {
        let mut sum = sum as i32;
        for (a, b) in a.into_iter().zip(b) {
            for (left, right) in a.to_le_bytes().into_iter().zip(b.to_le_bytes()) {
                sum = sum.wrapping_add(i32::from(left) * i32::from(right as i8));
            }
        }
        sum as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brain_floats_round_to_nearest_even() {
        let of = |value: f32| brain(u32::from(to_brain(value)));
        assert_eq!(of(1.0), 1.0);
        // A brain float has 8 bits: between 1 and 2 the step is 2^-7.
        assert_eq!(of(1.0 + 1.0 / 256.0), 1.0);
        assert_eq!(of(1.0 + 3.0 / 256.0), 1.0 + 2.0 / 128.0);
        assert_eq!(of(-1.0 - 1.01 / 256.0), -1.0 - 1.0 / 128.0);
        assert_eq!(of(f32::MAX), f32::INFINITY);
        assert!(of(f32::NAN).is_nan());
    }
}
