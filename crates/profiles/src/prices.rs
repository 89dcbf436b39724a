//! The prices a shopper paid, as a small histogram.
//!
//! Buckets are an eighth of an octave wide, so a quantile is right to about
//! 4.5 % whatever the currency. One line counts once, however many pieces.

use serde::{Deserialize, Serialize};

/// Buckets per doubling of the price.
const PER_OCTAVE: f64 = 8.0;
/// The lowest bucket starts at 2^-7, below one cent; the highest ends at 2^24.
const LOWEST_OCTAVE: f64 = -7.0;
const LAST_BUCKET: f64 = 247.0;

/// The usual prices of a shopper: a tenth of the lines cost less than `p10`, half
/// less than `p50`, nine tenths less than `p90`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PriceBand {
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
}

/// Counts by bucket, only the buckets that were met, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PriceHistogram {
    buckets: Vec<(u8, u32)>,
}

impl PriceHistogram {
    pub fn add(&mut self, price: f64) {
        let bucket = bucket_of(price);
        match self
            .buckets
            .binary_search_by_key(&bucket, |&(bucket, _)| bucket)
        {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(1),
            Err(at) => self.buckets.insert(at, (bucket, 1)),
        }
    }

    /// `None` before the first price.
    pub fn band(&self) -> Option<PriceBand> {
        Some(PriceBand {
            p10: self.quantile(0.1)?,
            p50: self.quantile(0.5)?,
            p90: self.quantile(0.9)?,
        })
    }

    fn quantile(&self, part: f64) -> Option<f64> {
        let total: u64 = self
            .buckets
            .iter()
            .map(|&(_, count)| u64::from(count))
            .sum();
        // The nearest rank: the smallest bucket that covers this share of the lines.
        let rank = ((part * total as f64).ceil() as u64).max(1);
        let mut below = 0;
        for &(bucket, count) in &self.buckets {
            below += u64::from(count);
            if below >= rank {
                return Some(middle_of(bucket));
            }
        }
        None
    }
}

fn bucket_of(price: f64) -> u8 {
    ((price.log2() - LOWEST_OCTAVE) * PER_OCTAVE)
        .floor()
        .clamp(0.0, LAST_BUCKET) as u8
}

/// The geometric middle of a bucket.
fn middle_of(bucket: u8) -> f64 {
    ((f64::from(bucket) + 0.5) / PER_OCTAVE + LOWEST_OCTAVE).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_half_a_bucket() {
        let mut prices = PriceHistogram::default();
        assert_eq!(prices.band(), None);
        for price in 1..=100 {
            prices.add(f64::from(price));
        }
        let band = prices.band().unwrap();
        for (found, exact) in [(band.p10, 10.0), (band.p50, 50.0), (band.p90, 90.0)] {
            assert!(
                (found / exact).log2().abs() <= 0.5 / PER_OCTAVE,
                "{found} for {exact}"
            );
        }
    }

    #[test]
    fn prices_off_the_scale_go_to_its_ends() {
        let mut prices = PriceHistogram::default();
        prices.add(1e-9);
        prices.add(1e12);
        assert_eq!(prices.buckets, [(0, 1), (247, 1)]);
    }
}
