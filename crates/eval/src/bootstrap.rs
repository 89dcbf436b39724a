//! Whether the difference of two systems on the same cases is more than chance.
//!
//! The paired bootstrap (Efron and Tibshirani; Koehn 2004 for evaluation)
//! resamples the per-case differences with replacement. The seed is passed in,
//! so a published p-value can be computed again.

use serde::Serialize;

/// The difference of two systems, first minus second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub mean: f64,
    /// Lower end of the 95 % interval of the mean.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided: the chance of a mean this far from zero if there were no difference.
    pub p: f64,
    pub cases: usize,
}

/// Compares two systems on the same cases. `None` without cases or resamples. Panics when the lengths differ.
pub fn paired_bootstrap(
    first: &[f64],
    second: &[f64],
    resamples: usize,
    seed: u64,
) -> Option<Difference> {
    assert_eq!(
        first.len(),
        second.len(),
        "both systems need a value for each case"
    );
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let cases = differences.len();
    if cases == 0 || resamples == 0 {
        return None;
    }
    let mean_of = |sum: f64| sum / cases as f64;
    let mut random = SplitMix(seed);
    let mut means: Vec<f64> = (0..resamples)
        .map(|_| mean_of((0..cases).map(|_| differences[random.below(cases)]).sum()))
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let at_most_zero = means.partition_point(|&mean| mean <= 0.0);
    let at_least_zero = resamples - means.partition_point(|&mean| mean < 0.0);
    // One is added on both sides, for the sample that was seen: no finite number of resamples proves p = 0.
    let tail = (at_most_zero.min(at_least_zero) + 1) as f64 / (resamples + 1) as f64;
    let quantile = |part: f64| means[((resamples - 1) as f64 * part).round() as usize];
    Some(Difference {
        mean: mean_of(differences.iter().sum()),
        low: quantile(0.025),
        high: quantile(0.975),
        p: (2.0 * tail).min(1.0),
        cases,
    })
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to draw cases.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Even over `0..end`, but for a bias far below what a bootstrap can notice.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_numbers() {
        let mut random = SplitMix(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn no_difference_has_p_one() {
        let same = [0.3, 0.5, 0.1];
        let found = paired_bootstrap(&same, &same, 1_000, 7).unwrap();
        assert_eq!(
            found,
            Difference {
                mean: 0.0,
                low: 0.0,
                high: 0.0,
                p: 1.0,
                cases: 3
            }
        );
    }

    #[test]
    fn a_steady_difference_is_found_and_a_noisy_one_is_not() {
        let base: Vec<f64> = (0..200).map(|case| f64::from(case % 7) / 7.0).collect();
        let better: Vec<f64> = base
            .iter()
            .enumerate()
            .map(|(case, value)| value + 0.01 * (case % 3) as f64)
            .collect();
        let found = paired_bootstrap(&better, &base, 2_000, 1).unwrap();
        assert!(
            found.low > 0.0 && found.low < found.mean && found.mean < found.high,
            "{found:?}"
        );
        assert!(found.p < 0.002, "{found:?}");
        let noisy: Vec<f64> = (0..200)
            .map(|case| base[case] + if case % 2 == 0 { 0.1 } else { -0.1 })
            .collect();
        let found = paired_bootstrap(&noisy, &base, 2_000, 1).unwrap();
        assert!(
            found.p > 0.5 && found.low < 0.0 && found.high > 0.0,
            "{found:?}"
        );
    }

    #[test]
    fn the_interval_is_that_of_the_normal_law_for_many_cases() {
        // Differences of ±1 have a standard error of 1/√n, so the interval is about ±1.96/√n.
        let first: Vec<f64> = (0..400)
            .map(|case| if case % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let found = paired_bootstrap(&first, &[0.0; 400], 4_000, 3).unwrap();
        for end in [-found.low, found.high] {
            assert!((end - 1.96 / 20.0).abs() < 0.01, "{found:?}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let first = [0.1, 0.9, 0.4, 0.7];
        let second = [0.2, 0.3, 0.4, 0.1];
        assert_eq!(
            paired_bootstrap(&first, &second, 500, 5),
            paired_bootstrap(&first, &second, 500, 5)
        );
        assert_eq!(paired_bootstrap(&[], &[], 500, 5), None);
        assert_eq!(paired_bootstrap(&first, &second, 0, 5), None);
    }
}
