//! Quantiles of measured durations.
//!
//! By the nearest rank, so that every quantile is a duration that was measured.

use serde::Serialize;
use std::fmt;

/// What a hundred of a hundred took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Quantiles {
    /// The quantiles of milliseconds; zeros of none.
    pub fn of(mut millis: Vec<f64>) -> Self {
        millis.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (share * millis.len() as f64).ceil() as usize;
            let value = millis
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or_default();
            (value * 1e4).round() / 1e4
        };
        Self {
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            max: at(1.0),
        }
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.3} ms, p95 {:.3} ms, p99 {:.3} ms",
            self.p50, self.p95, self.p99
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_values() {
        let hundred = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            Quantiles::of(hundred),
            Quantiles {
                p50: 50.0,
                p95: 95.0,
                p99: 99.0,
                max: 100.0
            }
        );
        assert_eq!(
            Quantiles::of(vec![7.0]),
            Quantiles {
                p50: 7.0,
                p95: 7.0,
                p99: 7.0,
                max: 7.0
            }
        );
        assert_eq!(Quantiles::of(Vec::new()).max, 0.0);
    }
}
