//! From similarities to relevances.
//!
//! A similarity says nothing by itself: how high it is depends on the query and on the
//! catalogue. So it is set against the similarities of the query to a sample of the whole
//! catalogue: relevance is how many standard deviations above the average an item is, of
//! [`FULL`] that make it certain.

use super::Space;
use crate::EngineError;
use vector::VectorError;

/// Standard deviations above the catalogue's average at which an item is as relevant as can be.
/// Measured on product catalogues, see `docs/how-ranking-works.md`.
const FULL: f32 = 8.0;
/// The relevance from which an item belongs to the answer, unless the request says otherwise.
const DEFAULT_CUTOFF: f32 = 0.45;
/// Vectors that stand for the catalogue.
const BACKGROUND: u32 = 1_024;
/// Fewer vectors are no background: then the similarity itself is the relevance.
const FEWEST: u32 = 64;
/// A spread smaller than this is none: all vectors are alike.
const LEAST_SPREAD: f32 = 1e-3;

/// From a similarity to a relevance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// The similarity that is worth nothing.
    pub zero: f32,
    /// How much more is worth everything.
    pub range: f32,
    pub cutoff: f32,
}

impl Scale {
    /// The similarity itself, moved from -1 to 1 to 0 to 1.
    pub const PLAIN: Self = Self {
        zero: -1.0,
        range: 2.0,
        cutoff: 0.0,
    };

    /// Against the similarities of a query to the whole catalogue.
    pub fn against_catalogue(
        space: &Space,
        query: &[f32],
        cutoff: Option<f32>,
    ) -> Result<Self, EngineError> {
        let cutoff = cutoff.unwrap_or(DEFAULT_CUTOFF);
        if !Self::has_background(space) {
            return Ok(Self {
                zero: 0.0,
                range: 1.0,
                cutoff,
            });
        }
        let (average, spread) = background(space, query)?;
        Ok(Self {
            zero: average,
            range: FULL * spread.max(LEAST_SPREAD),
            cutoff,
        })
    }

    /// From 0 to 1.
    pub fn relevance(&self, similarity: f32) -> f32 {
        ((similarity - self.zero) / self.range).clamp(0.0, 1.0)
    }

    /// The similarity that reaches the cutoff.
    pub fn at_least(&self) -> f32 {
        self.zero + self.cutoff * self.range
    }

    /// Whether there are enough vectors to measure by.
    pub fn has_background(space: &Space) -> bool {
        space.vectors.len() >= FEWEST
    }

    /// From the average similarity to the catalogue to that of two vectors that are the same. It
    /// tells items apart however similar they are, and has no cutoff.
    pub fn to_the_same(space: &Space, query: &[f32]) -> Result<Self, EngineError> {
        let (average, _) = background(space, query)?;
        Ok(Self {
            zero: average,
            range: (1.0 - average).max(LEAST_SPREAD),
            cutoff: 0.0,
        })
    }
}

/// The average and the standard deviation of the similarities of a query to the catalogue.
fn background(space: &Space, query: &[f32]) -> Result<(f32, f32), VectorError> {
    let len = space.vectors.len();
    let step = len.div_ceil(BACKGROUND).max(1);
    let (mut count, mut sum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    let slots: Vec<u32> = (0..len).step_by(step as usize).collect();
    for similarity in space.vectors.similarities(&slots, query)? {
        let similarity = f64::from(similarity);
        count += 1.0;
        sum += similarity;
        squares += similarity * similarity;
    }
    let average = sum / count;
    let spread = (squares / count - average * average).max(0.0).sqrt();
    Ok((average as f32, spread as f32))
}
