//! Hand-computed values of every metric, and the bounds that always hold.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

#[track_caller]
fn close(found: impl Into<Option<f64>>, expected: f64) {
    let found = found.into().expect("a value");
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

#[test]
fn dcg_and_ndcg_by_hand() {
    // 3/log2(2) + 2/log2(3) + 0 + 1/log2(5) = 3 + 1.2618595071429148 + 0.43067655807339306
    let gains = [3.0, 2.0, 0.0, 1.0];
    close(dcg(&gains, 10), 4.692_536_065_216_308);
    close(dcg(&gains, 2), 4.261_859_507_142_915);
    close(dcg(&gains, 0), 0.0);
    // The best order 3, 2, 1 has 3 + 1.2618595071429148 + 0.5.
    close(
        ndcg(&gains, &[1.0, 3.0, 2.0, 0.0], 10),
        4.692_536_065_216_308 / 4.761_859_507_142_915,
    );
    // A judged item that was not found lowers it: 1/log2(3) of 1.
    close(ndcg(&[0.0, 1.0], &[1.0], 10), 0.630_929_753_571_457_5);
    close(ndcg(&[], &[1.0], 10), 0.0);
    assert_eq!(ndcg(&[0.0], &[0.0, 0.0], 10), None);
    assert_eq!(ndcg(&[1.0], &[], 10), None);
    close(graded_gain(0.0), 0.0);
    close(graded_gain(3.0), 7.0);
}

#[test]
fn recall_reciprocal_rank_and_precision_by_hand() {
    let ranked = [false, true, false, true, true];
    close(recall(&ranked, 4, 2), 0.25);
    close(recall(&ranked, 4, 10), 0.75);
    assert_eq!(recall(&ranked, 0, 10), None);
    close(reciprocal_rank(&ranked), 0.5);
    close(reciprocal_rank(&[false, false]), 0.0);
    close(reciprocal_rank(&[]), 0.0);
    // (1/2 + 2/4 + 3/5) / 4
    close(average_precision(&ranked, 4), 0.4);
    close(average_precision(&[false], 2), 0.0);
    assert_eq!(average_precision(&[], 0), None);
}

#[test]
fn auc_and_log_loss_by_hand() {
    let labels = [true, false, true, false];
    // Pairs: .9>.8, .9>.1, .4<.8, .4>.1.
    close(auc(&[0.9, 0.8, 0.4, 0.1], &labels), 0.75);
    // Pairs: tie with .5, .5>.1, .4<.5, .4>.1.
    close(auc(&[0.5, 0.5, 0.4, 0.1], &labels), 0.625);
    close(auc(&[0.3; 4], &labels), 0.5);
    assert_eq!(auc(&[0.3, 0.4], &[true, true]), None);
    assert_eq!(auc(&[], &[]), None);
    // -(ln .8 + ln (1 - .4)) / 2
    close(log_loss(&[0.8, 0.4], &[true, false]), 0.366_984_587_540_1);
    close(log_loss(&[0.0], &[true]), -(1e-15_f64).ln());
    assert_eq!(log_loss(&[], &[]), None);
}

#[test]
fn coverage_diversity_and_novelty_by_hand() {
    let lists: [&[u32]; 3] = [&[0, 1], &[1, 9], &[]];
    close(coverage(lists, 4), 0.5);
    close(coverage([], 4), 0.0);
    close(coverage(lists, 0), 0.0);
    close(diversity(&[0.2, 0.6, 1.0]), 0.6);
    assert_eq!(diversity(&[]), None);
    // -log2 of 1/2, of 1/8, and of the smallest share 1/16 for an unseen item: (1 + 3 + 4) / 3
    close(novelty(&[0.5, 0.125, 0.0], 1.0 / 16.0), 8.0 / 3.0);
    assert_eq!(novelty(&[], 0.1), None);
}

fn in_unit(value: Option<f64>) -> bool {
    value.is_none_or(|value| (0.0..=1.0 + 1e-12).contains(&value))
}

proptest! {
    #[test]
    fn every_share_is_within_its_bounds(gains in vec(0..4_u8, 0..30), k in 0_usize..15) {
        let gains: Vec<f64> = gains.into_iter().map(|rating| graded_gain(f64::from(rating))).collect();
        let hits: Vec<bool> = gains.iter().map(|&gain| gain > 0.0).collect();
        let relevant = hits.iter().filter(|&&hit| hit).count();
        prop_assert!(in_unit(ndcg(&gains, &gains, k)));
        prop_assert!(in_unit(recall(&hits, relevant, k)));
        prop_assert!(in_unit(average_precision(&hits, relevant)));
        prop_assert!(in_unit(Some(reciprocal_rank(&hits))));
        let mut sorted = gains.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        if k > 0 && relevant > 0 {
            prop_assert!((ndcg(&sorted, &gains, k).unwrap() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn auc_is_the_share_of_pairs_won(cases in vec((0..6_u8, any::<bool>()), 0..30)) {
        let scores: Vec<f64> = cases.iter().map(|case| f64::from(case.0)).collect();
        let labels: Vec<bool> = cases.iter().map(|case| case.1).collect();
        let (mut won, mut pairs) = (0.0, 0.0);
        for positive in cases.iter().filter(|case| case.1) {
            for negative in cases.iter().filter(|case| !case.1) {
                pairs += 1.0;
                won += match positive.0.cmp(&negative.0) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        match auc(&scores, &labels) {
            Some(found) => prop_assert!((found - won / pairs).abs() < 1e-12),
            None => prop_assert_eq!(pairs, 0.0),
        }
    }
}

#[test]
fn an_empty_ranking_is_as_good_as_a_useless_one() {
    let [empty, useless] = [&[][..], &[0.0]].map(|ranked| ndcg(ranked, &[3.0], 10).unwrap());
    assert_eq!(empty.total_cmp(&useless), std::cmp::Ordering::Equal);
}
