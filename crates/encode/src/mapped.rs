//! The weights of a model where they lie: in a file mapped into memory, read as floats when
//! somebody asks. Both readers describe their file as such a map from tensors to bytes, so
//! decoding is written once.

use crate::weights::{Shape, Tensor, Weights};
use memmap2::Mmap;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;

/// The bytes of a model file.
pub(crate) enum Bytes {
    Mapped(Mmap),
    Held(Vec<u8>),
}

impl Bytes {
    #[expect(unsafe_code, reason = "mapping a file is unsafe")]
    pub fn map(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self::Held(Vec::new()));
        }
        // SAFETY: the bytes change under us only if somebody writes into a model file while
        // it is open. We read them as plain numbers, every bit pattern of which is valid,
        // and what was checked as UTF-8 is copied before it is used as text.
        Ok(Self::Mapped(unsafe { Mmap::map(&file)? }))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Held(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} bytes", self.len())
    }
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encoding {
    F32,
    F16,
    Bf16,
    /// Blocks of 32 weights in 18 bytes: a scale as f16, then 16 bytes whose low halves are
    /// the first 16 weights and whose high halves the others, each plus eight.
    Q4,
}

/// Weights in one block of [`Encoding::Q4`], and its bytes.
pub(crate) const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 18;

impl Encoding {
    /// The bytes of `count` weights, if that is a number of whole blocks that can be counted.
    pub fn bytes(self, count: usize) -> Option<usize> {
        match self {
            Self::F32 => count.checked_mul(4),
            Self::F16 | Self::Bf16 => count.checked_mul(2),
            Self::Q4 if count.is_multiple_of(BLOCK) => (count / BLOCK).checked_mul(BLOCK_BYTES),
            Self::Q4 => None,
        }
    }

    fn decode(self, bytes: &[u8], row: &mut [f32]) {
        match self {
            Self::F32 => {
                for (weight, bytes) in row.iter_mut().zip(bytes.as_chunks().0) {
                    *weight = f32::from_le_bytes(*bytes);
                }
            }
            Self::F16 => {
                for (weight, bytes) in row.iter_mut().zip(bytes.as_chunks().0) {
                    *weight = half(u16::from_le_bytes(*bytes));
                }
            }
            Self::Bf16 => {
                for (weight, bytes) in row.iter_mut().zip(bytes.as_chunks().0) {
                    *weight = f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
                }
            }
            Self::Q4 => {
                let blocks = bytes.as_chunks::<BLOCK_BYTES>().0;
                for (weights, block) in row.chunks_exact_mut(BLOCK).zip(blocks) {
                    decode_block(block, weights);
                }
            }
        }
    }
}

fn decode_block(block: &[u8; BLOCK_BYTES], weights: &mut [f32]) {
    let [low, high, nibbles @ ..] = block;
    let scale = half(u16::from_le_bytes([*low, *high]));
    let (first, second) = weights.split_at_mut(BLOCK / 2);
    for ((first, second), &pair) in first.iter_mut().zip(second).zip(nibbles) {
        *first = f32::from(i16::from(pair & 15) - 8) * scale;
        *second = f32::from(i16::from(pair >> 4) - 8) * scale;
    }
}

/// A half-precision number of IEEE 754: 1 bit of sign, 5 of exponent, 10 of fraction.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 31);
    let fraction = u32::from(bits & 0x3ff);
    match exponent {
        // Without the hidden bit: multiples of 2^-24, which f32 holds exactly.
        0 => f32::from_bits((fraction as f32 * 2f32.powi(-24)).to_bits() | sign),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// Where the numbers of a tensor lie.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub bytes: Range<usize>,
    pub encoding: Encoding,
}

/// A model file whose every tensor was found and has the right shape.
#[derive(Debug)]
pub(crate) struct MappedWeights {
    shape: Shape,
    bytes: Bytes,
    words: Place,
    tensors: HashMap<Tensor, Place>,
}

impl MappedWeights {
    /// `tensors` has a place for each of [`Tensor::all`]; each place, and `words`, lies in
    /// `bytes` and is as long as its shape asks.
    pub fn new(shape: Shape, bytes: Bytes, words: Place, tensors: HashMap<Tensor, Place>) -> Self {
        Self {
            shape,
            bytes,
            words,
            tensors,
        }
    }
}

impl Weights for MappedWeights {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn read(&self, tensor: Tensor) -> Vec<f32> {
        let place = &self.tensors[&tensor];
        let mut weights = vec![0.0; tensor.dimensions(&self.shape).iter().product()];
        place
            .encoding
            .decode(&self.bytes[place.bytes.clone()], &mut weights);
        weights
    }

    fn word(&self, token: u32, row: &mut [f32]) {
        let length = self.words.bytes.len() / self.shape.vocabulary;
        let start = self.words.bytes.start + token as usize * length;
        self.words
            .encoding
            .decode(&self.bytes[start..start + length], row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value by the definition of the format, in f64.
    fn half_by_definition(bits: u16) -> f64 {
        let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
        let exponent = i32::from(bits >> 10 & 31);
        let fraction = f64::from(bits & 0x3ff) / 1024.0;
        sign * match exponent {
            0 => fraction * 2f64.powi(-14),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
        }
    }

    #[test]
    fn every_half_is_read_exactly() {
        for bits in 0..=u16::MAX {
            let (found, expected) = (f64::from(half(bits)), half_by_definition(bits));
            assert!(
                found == expected && found.is_sign_negative() == expected.is_sign_negative()
                    || found.is_nan() && expected.is_nan(),
                "{bits:#06x}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn a_block_of_four_bits_holds_its_halves_apart() {
        // A scale of 0.5, then byte k with the low half k and the high half 15 - k.
        let mut block = vec![0x00, 0x38];
        block.extend((0..16).map(|k| k | (15 - k) << 4));
        let mut weights = [0.0; BLOCK];
        Encoding::Q4.decode(&block, &mut weights);
        for k in 0..16 {
            assert_eq!(weights[k], (k as f32 - 8.0) * 0.5);
            assert_eq!(weights[k + 16], (7.0 - k as f32) * 0.5);
        }
    }
}
