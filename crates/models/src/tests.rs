//! Both models against the plain reading of their definitions, and as bytes.

use crate::{ModelError, Pctm, PctmConfig, Rules, RulesConfig, SequenceModel};
use proptest::collection::vec;
use proptest::prelude::*;

/// Scores of all items by the definition of sequential rules, with dense tables.
fn naive_rules(
    sequences: &[Vec<u32>],
    items: usize,
    config: &RulesConfig,
    history: &[u32],
) -> Vec<f64> {
    let mut table = vec![vec![0.0; items]; items];
    for sequence in sequences {
        for (i, &b) in sequence.iter().enumerate() {
            for (j, &a) in sequence
                .iter()
                .enumerate()
                .filter(|&(j, _)| j > i && j - i <= config.window)
            {
                table[b as usize][a as usize] += 1.0 / ((j - i) as f64 + config.shift).log10();
            }
        }
    }
    for row in &mut table {
        let mut order: Vec<usize> = (0..items).collect();
        // Compared at the precision that is kept, so that sums in another order tie alike.
        order.sort_by(|&x, &y| (row[y] as f32).total_cmp(&(row[x] as f32)).then(x.cmp(&y)));
        for &weak in order.iter().skip(config.keep) {
            row[weak] = 0.0;
        }
    }
    let mut scores = vec![0.0; items];
    for (j, &h) in (1..).zip(history.iter().rev().take(config.newest)) {
        for (score, weight) in scores.iter_mut().zip(&table[h as usize]) {
            *score += f64::from(j).powf(-config.fading) * weight;
        }
    }
    scores
}

/// Scores of all items by the definition of PCTM, the full logarithms included.
fn naive_pctm(
    sequences: &[Vec<u32>],
    items: usize,
    config: &PctmConfig,
    history: &[u32],
) -> Vec<f64> {
    let mut table = vec![vec![0.0; items]; items];
    let mut seen = vec![0.0; items];
    for sequence in sequences {
        for (i, &b) in sequence.iter().enumerate() {
            seen[b as usize] += 1.0;
            for (j, &a) in sequence
                .iter()
                .enumerate()
                .filter(|&(j, _)| j > i && j - i <= config.window)
            {
                table[b as usize][a as usize] += ((j - i) as f64).powf(-config.power);
            }
        }
    }
    let all: f64 = seen.iter().sum::<f64>() + items as f64;
    let newest: Vec<u32> = history.iter().rev().take(config.newest).copied().collect();
    let total: f64 = (0..newest.len())
        .map(|j| config.recency.powi(j as i32))
        .sum();
    (0..items)
        .map(|a| {
            let mut score = config.popularity * ((seen[a] + 1.0) / all).ln();
            for (j, &h) in newest.iter().enumerate() {
                let row = &table[h as usize];
                let sum: f64 = row.iter().sum();
                let chance = (row[a] + config.smoothing / items as f64) / (sum + config.smoothing);
                score += config.recency.powi(j as i32) / total * chance.ln();
            }
            score
        })
        .collect()
}

/// The best of dense scores, at the precision that is shown; equal scores by number.
fn best(scores: &[f64], k: usize, keep: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32)
        .filter(|&item| keep(item))
        .collect();
    order.sort_by(|&x, &y| {
        scores[y as usize]
            .total_cmp(&scores[x as usize])
            .then(x.cmp(&y))
    });
    order.truncate(k);
    order
}

fn sequences() -> impl Strategy<Value = (usize, Vec<Vec<u32>>, Vec<u32>)> {
    (1..12_usize).prop_flat_map(|items| {
        let item = 0..items as u32;
        (
            Just(items),
            vec(vec(item.clone(), 0..14), 0..12),
            vec(item, 0..8),
        )
    })
}

fn rules_config() -> impl Strategy<Value = RulesConfig> {
    (1..5_usize, 1..6_usize, 1..5_usize, 0..3_u8).prop_map(|(window, keep, newest, fading)| {
        RulesConfig {
            window,
            keep,
            newest,
            fading: f64::from(fading),
            ..RulesConfig::default()
        }
    })
}

fn pctm_config() -> impl Strategy<Value = PctmConfig> {
    (1..5_usize, 1..40_u8, 1..6_usize, -3..3_i8).prop_map(
        |(window, smoothing, newest, popularity)| PctmConfig {
            window,
            smoothing: f64::from(smoothing),
            newest,
            popularity: f64::from(popularity) / 10.0,
            ..PctmConfig::default()
        },
    )
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-5 * (1.0 + expected.abs())
}

/// A list is right when its scores are those of the best items, and the items of equal scores ascend.
fn is_best(top: &[(u32, f32)], scores: &[f64], keep: impl Fn(u32) -> bool) -> bool {
    let expected = best(scores, top.len(), &keep);
    let right = top.iter().zip(&expected).all(|(found, &item)| {
        keep(found.0) && close(scores[found.0 as usize], scores[item as usize])
    });
    right
        && top
            .windows(2)
            .all(|pair| pair[0].1 > pair[1].1 || (pair[0].1 == pair[1].1 && pair[0].0 < pair[1].0))
}

/// Every view of the scores agrees with every other.
fn check_views(model: &dyn SequenceModel, history: &[u32]) {
    let listed = model.scores(history);
    assert!(listed.windows(2).all(|pair| pair[0].0 < pair[1].0));
    for item in 0..model.items() as u32 {
        let score = match listed.binary_search_by_key(&item, |entry| entry.0) {
            Ok(at) => listed[at].1,
            Err(_) => model.base(item),
        };
        let parts: f64 = model
            .explain(history, item)
            .iter()
            .map(|part| f64::from(part.1))
            .sum();
        assert!(close(parts + f64::from(model.base(item)), f64::from(score)));
        assert!(close(
            f64::from(model.score(history, item)),
            f64::from(score)
        ));
    }
    let top = model.top(history, usize::MAX, &|_| true);
    for &(item, score) in &top {
        assert!(close(
            f64::from(model.score(history, item)),
            f64::from(score)
        ));
    }
    let three = model.top(history, 3, &|_| true);
    assert_eq!(three, top[..top.len().min(3)]);
}

proptest! {
    #[test]
    fn rules_are_their_definition(
        (items, sequences, history) in sequences(),
        config in rules_config(),
        banned in 0..12_u32,
    ) {
        let model = Rules::fit(&sequences, items, &config).unwrap();
        let expected = naive_rules(&sequences, items, &config, &history);
        for item in 0..items as u32 {
            prop_assert!(close(f64::from(model.score(&history, item)), expected[item as usize]));
        }
        let keep = |item: u32| item != banned;
        let top = model.top(&history, 4, &keep);
        let positive = (0..items as u32).filter(|&item| keep(item) && expected[item as usize] > 0.0).count();
        prop_assert_eq!(top.len(), positive.min(4));
        prop_assert!(is_best(&top, &expected, keep), "{:?} of {:?}", top, expected);
        check_views(&model, &history);
        prop_assert_eq!(Rules::from_bytes(&model.to_bytes()).unwrap(), model);
    }

    #[test]
    fn pctm_is_its_definition(
        (items, sequences, history) in sequences(),
        config in pctm_config(),
        banned in 0..12_u32,
    ) {
        let model = Pctm::fit(&sequences, items, &config).unwrap();
        let expected = naive_pctm(&sequences, items, &config, &history);
        // The model leaves out what is the same for all items of a history.
        let shift = f64::from(model.score(&history, 0)) - expected[0];
        let shifted: Vec<f64> = expected.iter().map(|score| score + shift).collect();
        for item in 0..items as u32 {
            prop_assert!(close(f64::from(model.score(&history, item)), shifted[item as usize]));
        }
        let keep = |item: u32| item != banned;
        let top = model.top(&history, 4, &keep);
        prop_assert_eq!(top.len(), (0..items as u32).filter(|&item| keep(item)).count().min(4));
        prop_assert!(is_best(&top, &shifted, keep), "{:?} of {:?}", top, shifted);
        check_views(&model, &history);
        prop_assert_eq!(Pctm::from_bytes(&model.to_bytes()).unwrap(), model);
    }

    #[test]
    fn one_thread_and_many_count_the_same((items, sequences, _) in sequences()) {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let config = PctmConfig::default();
        let alone = one.install(|| Pctm::fit(&sequences, items, &config)).unwrap();
        prop_assert_eq!(alone.to_bytes(), Pctm::fit(&sequences, items, &config).unwrap().to_bytes());
    }

    #[test]
    fn damaged_bytes_never_panic(
        (items, sequences, history) in sequences(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let rules = Rules::fit(&sequences, items, &RulesConfig::default()).unwrap().to_bytes();
        let pctm = Pctm::fit(&sequences, items, &PctmConfig::default()).unwrap().to_bytes();
        for mut bytes in [rules, pctm] {
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] = byte;
            }
            if let Ok(model) = Rules::from_bytes(&bytes) {
                prop_assert!(model.top(&history, 5, &|_| true).iter().all(|entry| entry.1.is_finite()));
            }
            if let Ok(model) = Pctm::from_bytes(&bytes) {
                model.top(&history, 5, &|_| true);
            }
        }
    }

    #[test]
    fn foreign_bytes_never_panic(body in vec(any::<u8>(), 0..200)) {
        for mark in [&b"VITRULES\x01\0\0\0"[..], b"VIT_PCTM\x01\0\0\0", b""] {
            let bytes = [mark, &body].concat();
            if let Ok(model) = Rules::from_bytes(&bytes) {
                model.top(&[0, 1], 5, &|_| true);
            }
            if let Ok(model) = Pctm::from_bytes(&bytes) {
                model.top(&[0, 1], 5, &|_| true);
            }
        }
    }
}

#[test]
fn a_rule_by_hand() {
    let sequences = [vec![0, 1, 2], vec![0, 2]];
    let model = Rules::fit(&sequences, 3, &RulesConfig::default()).unwrap();
    let gain = |d: f64| 1.0 / (d + 1.7).log10();
    let top = model.top(&[0, 1], 3, &|_| true);
    // From 1, the newest: 2 at distance 1. From 0, a quarter: 2 at distances 2 and 1, 1 at distance 1.
    let two = gain(1.0) + (gain(2.0) + gain(1.0)) / 4.0;
    assert_eq!(top.iter().map(|entry| entry.0).collect::<Vec<_>>(), [2, 1]);
    assert!(close(f64::from(top[0].1), two) && close(f64::from(top[1].1), gain(1.0) / 4.0));
    let parts = model.explain(&[0, 1], 2);
    assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), [1, 0]);
    assert!(close(f64::from(parts[0].1), gain(1.0)));
}

#[test]
fn without_a_history_pctm_ranks_all_items_by_popularity() {
    let sequences = [vec![3, 3, 1], vec![3]];
    let model = Pctm::fit(&sequences, 5, &PctmConfig::default()).unwrap();
    // λ is below zero: the unseen first, by number, then the seen, the rarer first.
    let items: Vec<u32> = model
        .top(&[], 9, &|_| true)
        .iter()
        .map(|entry| entry.0)
        .collect();
    assert_eq!(items, [0, 2, 4, 1, 3]);
    assert!(model.top(&[], 0, &|_| true).is_empty());
}

#[test]
fn items_unknown_to_the_model_say_nothing_and_get_nothing() {
    let sequences = [vec![0, 9, 1], vec![1, u32::MAX]];
    let rules = Rules::fit(&sequences, 2, &RulesConfig::default()).unwrap();
    let pctm = Pctm::fit(&sequences, 2, &PctmConfig::default()).unwrap();
    for model in [&rules as &dyn SequenceModel, &pctm] {
        assert_eq!(model.items(), 2);
        assert_eq!(model.score(&[0], 9), 0.0);
        assert!(model.explain(&[u32::MAX], 0).is_empty());
        assert!(model.scores(&[9, u32::MAX]).is_empty());
        assert!(
            model
                .top(&[0, 9], 5, &|_| true)
                .iter()
                .all(|entry| entry.0 < 2)
        );
    }
    // 9 kept its place: 1 stood at distance 2 from 0.
    assert!(close(
        f64::from(rules.score(&[0], 1)),
        1.0 / 3.7_f64.log10()
    ));
    let empty = Pctm::fit(&[], 0, &PctmConfig::default()).unwrap();
    assert!(empty.top(&[1], 5, &|_| true).is_empty());
}

#[test]
fn settings_out_of_range_are_named() {
    let refused = |config: RulesConfig| Rules::fit(&[], 1, &config).unwrap_err().to_string();
    let default = RulesConfig::default();
    assert_eq!(
        refused(RulesConfig {
            window: 0,
            ..default
        }),
        "the setting window must be from 1 to 10000, not 0"
    );
    assert_eq!(
        refused(RulesConfig {
            fading: f64::NAN,
            ..default
        }),
        "the setting fading must be from 0 to 10, not NaN"
    );
    assert_eq!(
        refused(RulesConfig {
            shift: 0.0,
            ..default
        }),
        "the setting shift must be above 0, not 0"
    );
    for config in [
        PctmConfig {
            smoothing: 0.0,
            ..PctmConfig::default()
        },
        PctmConfig {
            recency: 1.5,
            ..PctmConfig::default()
        },
        PctmConfig {
            popularity: f64::INFINITY,
            ..PctmConfig::default()
        },
        PctmConfig {
            newest: 0,
            ..PctmConfig::default()
        },
    ] {
        assert!(
            matches!(Pctm::fit(&[], 1, &config), Err(ModelError::Setting { .. })),
            "{config:?}"
        );
    }
    assert!(
        RulesConfig::grid()
            .iter()
            .all(|config| Rules::fit(&[], 1, config).is_ok())
    );
    assert!(
        PctmConfig::grid(0)
            .iter()
            .all(|config| Pctm::fit(&[], 1, config).is_ok())
    );
    assert_eq!(RulesConfig::grid()[0], default);
    assert_eq!(PctmConfig::grid(9)[0], PctmConfig::default());
}

#[test]
fn a_file_of_another_kind_or_version_is_refused() {
    let rules = Rules::fit(&[vec![0, 1]], 2, &RulesConfig::default())
        .unwrap()
        .to_bytes();
    let refused = |bytes: &[u8]| Rules::from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(
        Pctm::from_bytes(&rules).unwrap_err().to_string(),
        "this is no pctm model: the mark at its start is missing"
    );
    assert_eq!(
        refused(b"VIT"),
        "this is no rules model: the mark at its start is missing"
    );
    let mut newer = rules.clone();
    newer[8] = 7;
    assert_eq!(
        refused(&newer),
        "the rules model has format 7, this build reads format 1"
    );
    let mut longer = rules.clone();
    longer.push(0);
    assert_eq!(
        refused(&longer),
        "the model is damaged: bytes follow its end"
    );
    assert_eq!(
        refused(&rules[..rules.len() - 1]),
        "the model cannot be decoded"
    );
}
